//! Which rows of a result, and which of their fields, may not be delivered.

use std::collections::HashMap;
use std::sync::Arc;

use kenward_model::{EntityUid, Fact};
use serde_json::Value;

use super::edit::Edit;
use super::{RowAttribute, RowRule};
use crate::path::{Found, Key, Location};

/// Plans what leaves on account of one rule. `Err` is a path that leads nowhere.
pub(super) fn plan(
    rule: &RowRule,
    root: &Value,
    may_learn: &mut dyn FnMut(&Fact) -> bool,
    edit: &mut Edit,
    removed: &mut Vec<Fact>,
) -> Result<(), Arc<str>> {
    let locations = match rule.each.find(root) {
        Found::Nodes(locations) => locations,
        Found::Nothing => return Ok(()),
        Found::Missing => return Err(Arc::clone(rule.each.text())),
    };
    let total = locations.len();
    let mut asked = Asked { answers: HashMap::new(), may_learn };
    let mut seen = vec![false; rule.attributes.len()];
    for location in locations {
        let row = node(root, &location).ok_or_else(|| Arc::clone(rule.each.text()))?;
        let held: Vec<Option<Vec<Location>>> =
            rule.attributes.iter().map(|attribute| held(attribute, row)).collect();
        seen.iter_mut().zip(&held).for_each(|(seen, held)| *seen |= held.is_some());
        let Some(subjects) = subjects(rule, row)? else {
            edit.remove_row(location, &rule.each, total);
            continue;
        };
        let mut fields = Vec::new();
        let mut refused = 0;
        for (attribute, held) in rule.attributes.iter().zip(held) {
            if asked.refuses(attribute, &subjects, removed) {
                refused += 1;
                fields.extend(held.into_iter().flatten());
            }
        }
        if refused == rule.attributes.len() {
            edit.remove_row(location, &rule.each, total);
        } else {
            edit.remove_all(fields.into_iter().map(|field| [&*location, &*field].concat()));
        }
    }
    let unseen = rule.attributes.iter().zip(seen).find(|(_, seen)| !seen);
    match unseen.and_then(|(attribute, _)| attribute.path.as_ref()) {
        Some(path) => Err(Arc::clone(path.text())),
        None => Ok(()),
    }
}

/// Whom the row is about; nothing when it says that it is about nobody. `Err` when it has no id
/// where ids should be.
fn subjects(rule: &RowRule, row: &Value) -> Result<Option<Vec<EntityUid>>, Arc<str>> {
    let nowhere = || Arc::clone(rule.id.text());
    let values = rule.id.values(row);
    if values.is_empty() {
        return Err(nowhere());
    }
    let mut subjects = Vec::new();
    for value in values {
        let id = match value {
            Value::String(id) => id.clone(),
            Value::Number(id) if id.is_i64() || id.is_u64() => id.to_string(),
            Value::Null => return Ok(None),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                return Err(nowhere());
            }
        };
        subjects.push(EntityUid::new(Arc::clone(&rule.of), id));
    }
    Ok(Some(subjects))
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

/// Each question is asked once, however many rows repeat it.
struct Asked<'a, 'r> {
    answers: HashMap<(EntityUid, &'r str), bool>,
    may_learn: &'a mut dyn FnMut(&Fact) -> bool,
}

impl<'r> Asked<'_, 'r> {
    /// Whether the attribute of any of the subjects may not be learnt.
    fn refuses(
        &mut self,
        attribute: &'r RowAttribute,
        subjects: &[EntityUid],
        removed: &mut Vec<Fact>,
    ) -> bool {
        let mut refused = false;
        for subject in subjects {
            let question = (subject.clone(), &*attribute.attribute);
            let allowed = match self.answers.get(&question) {
                Some(allowed) => *allowed,
                None => self.ask(question, attribute.about(subject), removed),
            };
            refused |= !allowed;
        }
        refused
    }

    fn ask(&mut self, question: (EntityUid, &'r str), fact: Fact, removed: &mut Vec<Fact>) -> bool {
        let allowed = (self.may_learn)(&fact);
        if !allowed {
            removed.push(fact);
        }
        self.answers.insert(question, allowed);
        allowed
    }
}

fn node<'v>(root: &'v Value, location: &[Key]) -> Option<&'v Value> {
    location.iter().try_fold(root, |value, key| match key {
        Key::Name(name) => value.get(name.as_str()),
        Key::Index(index) => value.get(*index),
    })
}
