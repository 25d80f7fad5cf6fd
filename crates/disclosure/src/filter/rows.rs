//! Which rows of a result, and which of their fields, may not be delivered.

use std::sync::Arc;

use kenward_model::{EntityUid, Fact};
use serde_json::Value;

use super::edit::Edit;
use super::owner::{Owner, owner};
use super::{RowAttribute, RowRule};
use crate::path::{Found, Location, node};
use crate::review::{Bench, Watch};

/// A row, and what was decided on it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) location: Location,
    pub(crate) subjects: Vec<EntityUid>,
    pub(crate) stays: bool,
    /// Where the id and the attributes stand that were decided on, seen from the document.
    pub(crate) covered: Vec<Location>,
    /// Of those, the ones that leave.
    pub(crate) refused: Vec<Location>,
}

/// Plans what leaves on account of one rule. `Err` is a path that leads nowhere.
pub(super) fn plan(
    rule: &RowRule,
    root: &Value,
    bench: &mut Bench<'_>,
    watch: &Watch<'_>,
    edit: &mut Edit,
) -> Result<Vec<Row>, Arc<str>> {
    let locations = match rule.each.find(root) {
        Found::Nodes(locations) => locations,
        Found::Nothing => {
            let lists = rule.each.lists(root);
            for list in &lists {
                edit.remove_counts_beside(root, list);
            }
            return Ok(Vec::new());
        }
        Found::Missing => return Err(Arc::clone(rule.each.text())),
    };
    if rule.each.picks() {
        edit.rows_together(locations.clone());
    }
    let mut seen = vec![false; rule.attributes.len()];
    let mut rows = Vec::with_capacity(locations.len());
    for location in locations {
        let row = node(root, &location).ok_or_else(|| Arc::clone(rule.each.text()))?;
        let held: Vec<Option<Vec<Location>>> =
            rule.attributes.iter().map(|attribute| held(attribute, row)).collect();
        seen.iter_mut().zip(&held).for_each(|(seen, held)| *seen |= held.is_some());
        let subjects = subjects(rule, row, watch)?;
        let row = decide(rule, location, subjects, &held, row, bench);
        take_out(rule, &row, edit);
        rows.push(row);
    }
    let unseen = rule.attributes.iter().zip(seen).find(|(_, seen)| !seen);
    match unseen.and_then(|(attribute, _)| attribute.path.as_ref()) {
        Some(path) => Err(Arc::clone(path.text())),
        None => Ok(rows),
    }
}

/// Asks about the attributes that the row holds, one after the other; about all of them when it
/// holds none. A row without a subject leaves.
fn decide(
    rule: &RowRule,
    location: Location,
    subjects: Vec<EntityUid>,
    held: &[Option<Vec<Location>>],
    value: &Value,
    bench: &mut Bench<'_>,
) -> Row {
    let below = |ways: &[Location]| -> Vec<Location> {
        ways.iter().map(|way| [&*location, way].concat()).collect()
    };
    let mut covered = match rule.id.find(value) {
        Found::Nodes(ways) => below(&ways),
        Found::Nothing | Found::Missing => Vec::new(),
    };
    let mut refused = Vec::new();
    let mut stays = false;
    let is_bare = held.iter().all(Option::is_none);
    for (attribute, held) in rule.attributes.iter().zip(held) {
        if held.is_none() && !is_bare {
            continue;
        }
        let places = below(held.as_deref().unwrap_or_default());
        let facts: Vec<Fact> = subjects.iter().map(|subject| attribute.about(subject)).collect();
        if !facts.is_empty() && bench.permits_all(&facts) {
            stays = true;
        } else {
            refused.extend(places.iter().cloned());
        }
        covered.extend(places);
    }
    Row { location, subjects, stays, covered, refused }
}

fn take_out(rule: &RowRule, row: &Row, edit: &mut Edit) {
    if row.stays {
        let depth = row.location.len();
        let fields = row.refused.iter().filter_map(|field| Some(field.get(depth..)?.to_vec()));
        edit.remove_fields(&row.location, fields);
    } else if rule.each.picks() {
        edit.remove_from_list(row.location.clone());
    } else {
        edit.remove(row.location.clone());
    }
}

/// Whom the row is about; nobody when it says that it is about nobody, or when that cannot be
/// told. `Err` when it has no id where ids should be.
fn subjects(rule: &RowRule, row: &Value, watch: &Watch<'_>) -> Result<Vec<EntityUid>, Arc<str>> {
    let nowhere = || Arc::clone(rule.id.text());
    let values = rule.id.values(row);
    if values.is_empty() {
        return Err(nowhere());
    }
    let mut subjects = Vec::new();
    for value in values {
        match owner(watch, &rule.of, value) {
            Owner::Some(owners) => subjects.extend(owners),
            Owner::Nobody | Owner::Unclear => return Ok(Vec::new()),
            Owner::Shapeless => return Err(nowhere()),
        }
    }
    subjects.sort();
    subjects.dedup();
    Ok(subjects)
}

/// Where in the row the attribute stands; nothing when the row lacks it.
fn held(attribute: &RowAttribute, row: &Value) -> Option<Vec<Location>> {
    let Some(path) = &attribute.path else { return Some(Vec::new()) };
    match path.find(row) {
        Found::Nodes(locations) => Some(locations),
        Found::Nothing => Some(Vec::new()),
        Found::Missing => None,
    }
}
