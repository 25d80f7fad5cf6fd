//! Removals from a JSON value, planned first and made all at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::counts;
use crate::path::{Key, Location};

/// What is to be taken out of a value.
#[derive(Debug, Default)]
pub(super) struct Edit {
    /// In the order of the document: parents before children, earlier members before later ones.
    removals: BTreeSet<Location>,
    /// How many rows leave the list at each location, and how many rows there were in all lists.
    lists: BTreeMap<Location, Leaving>,
}

/// Rows that leave one list.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    rows: usize,
    total: usize,
}

impl Edit {
    pub(super) fn is_empty(&self) -> bool {
        self.removals.is_empty()
    }

    pub(super) fn remove_all(&mut self, locations: impl IntoIterator<Item = Location>) {
        self.removals.extend(locations);
    }

    /// Takes out a row, one of `total`, and corrects the counts that told of it.
    pub(super) fn remove_row(&mut self, row: Location, total: usize) {
        if let Some((_, list)) = row.split_last() {
            let leaving = Leaving { rows: 0, total };
            if !self.removals.contains(&row) {
                self.lists.entry(list.to_vec()).or_insert(leaving).rows += 1;
            }
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

    /// Counts beside a list stand for its rows; those further up for the rows of all lists.
    fn correct_counts(&self, root: &mut Value) {
        let leaving: usize = self.lists.values().map(|leaving| leaving.rows).sum();
        for (list, Leaving { rows, total }) in &self.lists {
            let Some(length) = node_mut(root, list).map(|list| length(list)) else { continue };
            if let Some((_, beside)) = list.split_last() {
                correct_at(root, beside, length, length.saturating_sub(*rows));
            }
            for above in (0..list.len()).rev().filter_map(|depth| list.get(..depth)) {
                correct_at(root, above, *total, total.saturating_sub(leaving));
            }
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
