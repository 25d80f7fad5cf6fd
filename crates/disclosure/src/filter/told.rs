//! What a result tells of whoever stands at a path in it.

use std::sync::Arc;

use kenward_model::{EntityUid, Fact};
use serde_json::Value;

use super::edit::Edit;
use super::owner::{Owner, owner};
use super::{ToldRule, about};
use crate::path::{Found, element, node};
use crate::review::{Bench, Watch};

/// What became of the disclosures of one path.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Whom it may tell of.
    pub(crate) subjects: Vec<EntityUid>,
    /// Whether somebody may not be told of who stands outside any list: nothing may be delivered.
    pub(crate) everything: bool,
    /// Whether anybody may not be told of.
    pub(crate) refused: bool,
}

/// Plans what leaves on account of one rule. `Err` is a path that leads nowhere.
pub(super) fn plan(
    rule: &ToldRule,
    root: &Value,
    bench: &mut Bench<'_>,
    watch: &Watch<'_>,
    edit: &mut Edit,
) -> Result<Told, Arc<str>> {
    let nowhere = || Arc::clone(rule.path.text());
    let locations = match rule.path.find(root) {
        Found::Nodes(locations) => locations,
        Found::Nothing => return Ok(Told::default()),
        Found::Missing => return Err(nowhere()),
    };
    let mut told = Told::default();
    for location in locations {
        let value = node(root, &location).ok_or_else(nowhere)?;
        let element = element(&location);
        match subjects(rule, value, watch) {
            Some(subjects) if permits(rule, &subjects, bench) => told.subjects.extend(subjects),
            Some(subjects) => {
                told.refused |= !subjects.is_empty();
                match element {
                    Some(element) => edit.remove_from_list(element.to_vec()),
                    None => told.everything = true,
                }
            }
            None => return Err(nowhere()),
        }
    }
    Ok(told)
}

/// Whom the value, or each value of a list, means; nobody when that cannot be told.
fn subjects(rule: &ToldRule, value: &Value, watch: &Watch<'_>) -> Option<Vec<EntityUid>> {
    let one = std::slice::from_ref(value);
    let values = value.as_array().map_or(one, Vec::as_slice);
    let mut subjects = Vec::new();
    for value in values {
        match owner(watch, &rule.fact.of, value) {
            Owner::Some(owners) => subjects.extend(owners),
            Owner::Nobody | Owner::Unclear => return Some(Vec::new()),
            Owner::Shapeless => return None,
        }
    }
    Some(subjects)
}

fn permits(rule: &ToldRule, subjects: &[EntityUid], bench: &mut Bench<'_>) -> bool {
    let facts: Vec<Fact> = subjects.iter().map(|subject| about(&rule.fact, subject)).collect();
    let permitted = !facts.is_empty() && bench.permits_all(&facts);
    if permitted {
        bench.always_keep(&facts);
    }
    permitted
}
