//! Removals from a JSON value, planned first and made all at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::counts;
use crate::path::{Key, Location, ResultPath};

/// What is to be taken out of a value.
#[derive(Debug, Default)]
pub(super) struct Edit {
    /// In the order of the document: parents before children, earlier members before later ones.
    removals: BTreeSet<Location>,
    /// The rows that leave lists, by the path that leads to them.
    rows: BTreeMap<Arc<str>, Rows>,
}

/// Rows that one path leads to.
#[derive(Debug)]
struct Rows {
    /// How many there are, in all lists.
    total: usize,
    /// How many leave the list at each location.
    leaving: BTreeMap<Location, usize>,
}

impl Edit {
    pub(super) fn is_empty(&self) -> bool {
        self.removals.is_empty()
    }

    pub(super) fn remove_all(&mut self, locations: impl IntoIterator<Item = Location>) {
        self.removals.extend(locations);
    }

    /// Takes out a row, one of the `total` that the path `each` leads to.
    pub(super) fn remove_row(&mut self, row: Location, each: &ResultPath, total: usize) {
        if let (true, Some((_, list))) = (each.picks(), row.split_last())
            && !self.removals.contains(&row)
        {
            let rows = self.rows.entry(Arc::clone(each.text()));
            let rows = rows.or_insert_with(|| Rows { total, leaving: BTreeMap::new() });
            *rows.leaving.entry(list.to_vec()).or_default() += 1;
        }
        self.removals.insert(row);
    }

    pub(super) fn apply(self, root: &mut Value) {
        self.correct_counts(root);
        for location in self.removals.into_iter().rev() {
            let Some((last, way)) = location.split_last() else { continue };
            if let Some(parent) = node_mut(root, way) {
                remove(parent, last);
            }
        }
    }

    fn correct_counts(&self, root: &mut Value) {
        for rows in self.rows.values() {
            for (list, leaving) in &rows.leaving {
                rows.correct_around(root, list, *leaving);
            }
        }
    }
}

impl Rows {
    /// Counts beside a list stand for its rows; those further up for the rows of all lists.
    fn correct_around(&self, root: &mut Value, list: &[Key], leaving: usize) {
        let Some((_, beside)) = list.split_last() else { return };
        let length = node_mut(root, list).map_or(0, |list| length(list));
        correct_at(root, beside, length, length.saturating_sub(leaving));
        let left = self.total.saturating_sub(self.leaving.values().sum());
        for above in (0..list.len()).rev().filter_map(|depth| list.get(..depth)) {
            correct_at(root, above, self.total, left);
        }
    }
}

fn correct_at(root: &mut Value, location: &[Key], was: usize, is: usize) {
    if let Some(holder) = node_mut(root, location) {
        counts::correct(holder, was, is);
    }
}

fn length(list: &Value) -> usize {
    match list {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn node_mut<'v>(root: &'v mut Value, location: &[Key]) -> Option<&'v mut Value> {
    location.iter().try_fold(root, |value, key| match key {
        Key::Name(name) => value.get_mut(name.as_str()),
        Key::Index(index) => value.get_mut(*index),
    })
}

fn remove(parent: &mut Value, key: &Key) {
    match (parent, key) {
        (Value::Object(members), Key::Name(name)) => {
            members.shift_remove(name);
        }
        (Value::Array(items), Key::Index(index)) if *index < items.len() => {
            items.remove(*index);
        }
        // A member of what has left already.
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            Key::Name(_) | Key::Index(_),
        ) => {}
    }
}
