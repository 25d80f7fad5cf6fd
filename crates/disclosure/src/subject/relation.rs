//! To whom a thing belongs, by what the directory says of it.

use std::sync::Arc;

use kenward_model::EntityUid;
use kenward_world::{Entity, World};
use serde_json::Value;

/// How many relations are followed, one after the other.
const FARTHEST: usize = 3;
/// How many entities are looked at on the way.
const MOST_VISITED: usize = 256;

/// The entities of type `of` to which the thing `uid` belongs: itself when it is of that type,
/// otherwise those in its attributes and among its ancestors; when there are none, those of what
/// it is related to, and so on.
pub(super) fn owners(world: &World, uid: &EntityUid, of: &str) -> Vec<EntityUid> {
    nearest(world, uid, of, &|entity| {
        let mut related = Vec::new();
        entity.attributes.values().for_each(|value| note_all(&value, &mut related));
        related.extend(world.ancestors(&entity.uid));
        related
    })
}

/// The entities of type `of` that are meant when `uid` is named in a text: as [`owners`], but only
/// what the thing belongs to alone. An order has a customer; a depot that lists its customers does
/// not stand for them.
pub(crate) fn meant(world: &World, uid: &EntityUid, of: &str) -> Vec<EntityUid> {
    nearest(world, uid, of, &|entity| {
        entity.attributes.values().filter_map(|value| named_entity(&value)).collect()
    })
}

/// Goes from relation to relation until somebody of the type is met.
fn nearest(
    world: &World,
    uid: &EntityUid,
    of: &str,
    related: &dyn Fn(&Entity) -> Vec<EntityUid>,
) -> Vec<EntityUid> {
    if &*uid.kind == of {
        return vec![uid.clone()];
    }
    let mut seen = vec![uid.clone()];
    let mut level = vec![uid.clone()];
    for _ in 0..FARTHEST {
        let entities: Vec<&Arc<Entity>> =
            level.iter().filter_map(|uid| world.entity(uid)).collect();
        level.clear();
        for next in entities.into_iter().flat_map(|entity| related(entity)) {
            if seen.len() < MOST_VISITED && !seen.contains(&next) {
                seen.push(next.clone());
                level.push(next);
            }
        }
        let met: Vec<EntityUid> = level.iter().filter(|uid| &*uid.kind == of).cloned().collect();
        if !met.is_empty() || level.is_empty() {
            return met;
        }
    }
    Vec::new()
}

/// Every entity in a value.
fn note_all(value: &Value, found: &mut Vec<EntityUid>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(items) => items.iter().for_each(|item| note_all(item, found)),
        Value::Object(members) => match named_entity(value) {
            Some(uid) => found.push(uid),
            None => members.values().for_each(|member| note_all(member, found)),
        },
    }
}

/// The entity that a value is: Cedar's `{ "__entity": { "type": …, "id": … } }`.
fn named_entity(value: &Value) -> Option<EntityUid> {
    let entity = value.get("__entity")?;
    let part = |name| entity.get(name).and_then(Value::as_str);
    Some(EntityUid::new(part("type")?, part("id")?))
}
