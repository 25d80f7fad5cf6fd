//! Whom a value in a result means, by id or by name.

use std::sync::Arc;

use kenward_model::EntityUid;
use kenward_world::words;
use serde_json::Value;

use crate::review::Watch;

/// Whom a value means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// One of these, at least one: all must be asked about.
    Some(Vec<EntityUid>),
    /// Nobody: it says so.
    Nobody,
    /// It is a text that says nothing.
    Unclear,
    /// It is nothing that could mean anybody.
    Shapeless,
}

/// Whom `value` means among the entities of type `of`.
///
/// An id that the directory knows means its entity alone; a known name everybody who has it; and
/// whatever else may be either is taken for an id that the directory does not know, besides
/// everybody who is named in it.
pub(crate) fn owner(watch: &Watch<'_>, of: &Arc<str>, value: &Value) -> Owner {
    let text = match value {
        Value::Null => return Owner::Nobody,
        Value::String(text) => text.clone(),
        Value::Number(id) if id.is_i64() || id.is_u64() => id.to_string(),
        Value::Object(members) => return of_entity(members, of),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => return Owner::Shapeless,
    };
    let exact = EntityUid::new(Arc::clone(of), text.as_str());
    if watch.world().entity(&exact).is_some() {
        return Owner::Some(vec![exact]);
    }
    let normal = words::normalise(&text);
    if normal.is_empty() {
        return Owner::Unclear;
    }
    let mut subjects = watch.called(&normal, of);
    if subjects.is_empty() {
        subjects = watch.named_in(&text, of);
        subjects.push(exact);
    }
    Owner::Some(subjects)
}

/// The entity that a value is: Cedar's `{ "type": …, "id": … }`.
fn of_entity(members: &serde_json::Map<String, Value>, of: &Arc<str>) -> Owner {
    let part = |name| members.get(name).and_then(Value::as_str);
    match (part("type"), part("id"), members.len()) {
        (Some(kind), Some(id), 2) if kind == &**of && !id.is_empty() => {
            Owner::Some(vec![EntityUid::new(Arc::clone(of), id)])
        }
        _ => Owner::Shapeless,
    }
}
