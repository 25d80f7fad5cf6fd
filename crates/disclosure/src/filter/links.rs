//! Whose the handles in a result are.

use std::collections::{BTreeMap, BTreeSet};

use kenward_model::EntityUid;
use serde_json::Value;

use super::LinkRule;
use super::owner::{Owner, owner};
use crate::path::{Found, Key, Location, ResultPath, node};
use crate::review::Watch;

/// The most owners that a handle outside their rows may have.
const MOST_OWNERS: usize = 64;

/// Every handle that the rule finds, with everybody whose it may be.
pub(crate) fn links(
    rule: &LinkRule,
    root: &Value,
    watch: &Watch<'_>,
) -> Vec<(String, Vec<EntityUid>)> {
    let mut owners = Owners::default();
    for (location, value) in values(&rule.owner, root) {
        match owner(watch, &rule.of, value) {
            Owner::Some(those) => owners.note(&location, &those),
            Owner::Nobody | Owner::Unclear | Owner::Shapeless => owners.note(&location, &[]),
        }
    }
    let mut found = Vec::new();
    for (location, value) in values(&rule.handle, root) {
        if let (Some(handle), owners @ [_, ..]) = (handle(value), owners.of(&location)) {
            found.push((handle, owners.to_vec()));
        }
    }
    found
}

/// Owners by where they stand.
#[derive(Default)]
struct Owners {
    all: Vec<EntityUid>,
    /// Those in each element of a list.
    by_element: BTreeMap<Location, Vec<EntityUid>>,
    lists: BTreeSet<Location>,
}

impl Owners {
    fn note(&mut self, location: &[Key], owners: &[EntityUid]) {
        self.all.extend_from_slice(owners);
        for way in elements(location) {
            self.lists.extend(way.split_last().map(|(_, list)| list.to_vec()));
            self.by_element.entry(way.to_vec()).or_default().extend_from_slice(owners);
        }
    }

    /// Those in the same row of the innermost list that both ways go through; all of them when
    /// they share no list.
    fn of(&self, handle: &[Key]) -> &[EntityUid] {
        let shared = elements(handle)
            .rfind(|way| way.split_last().is_some_and(|(_, list)| self.lists.contains(list)));
        match shared {
            Some(way) => self.by_element.get(way).map_or(&[], Vec::as_slice),
            None if self.all.len() <= MOST_OWNERS => &self.all,
            None => &[],
        }
    }
}

/// The elements of lists on the way, the outermost first.
fn elements(location: &[Key]) -> impl DoubleEndedIterator<Item = &[Key]> {
    (1..=location.len()).filter_map(|depth| location.get(..depth)).filter(|way| {
        way.last().is_some_and(|key| match key {
            Key::Index(_) => true,
            Key::Name(_) => false,
        })
    })
}

/// What the path leads to; lists at its end are gone through.
fn values<'v>(path: &ResultPath, root: &'v Value) -> Vec<(Location, &'v Value)> {
    let Found::Nodes(locations) = path.find(root) else { return Vec::new() };
    let mut values = Vec::new();
    for location in locations {
        match node(root, &location) {
            Some(Value::Array(items)) => values.extend(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| ([&*location, &[Key::Index(index)]].concat(), item)),
            ),
            Some(value) => values.push((location, value)),
            None => {}
        }
    }
    values
}

fn handle(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}
