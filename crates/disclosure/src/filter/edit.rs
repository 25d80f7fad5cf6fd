//! Changes to a JSON value, planned first and made all at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::counts::{self, Correction};
use crate::path::{Key, Location, node, node_mut};

/// What stands in place of a text that names somebody who may not be named.
pub(crate) const NEUTRAL: &str = "[not available]";

/// What is to be taken out of a value.
#[derive(Debug, Default)]
pub(crate) struct Edit {
    /// In the order of the document: parents before children, earlier members before later ones.
    removals: BTreeSet<Location>,
    /// Texts in whose place a neutral one is put.
    replaced: BTreeSet<Location>,
    /// The rows that one path leads to, in all lists.
    groups: Vec<Vec<Location>>,
    /// Lists of which a row leaves, or loses a field.
    touched: BTreeSet<Location>,
}

impl Edit {
    pub(crate) fn is_empty(&self) -> bool {
        self.removals.is_empty() && self.replaced.is_empty()
    }

    /// Everything that leaves.
    pub(crate) fn removals(&self) -> impl Iterator<Item = &Location> {
        self.removals.iter()
    }

    /// Whether the value itself leaves.
    pub(crate) fn takes_everything(&self) -> bool {
        self.removals.first().is_some_and(Vec::is_empty)
    }

    /// Whether the node at `location` leaves, by itself or with what holds it.
    pub(crate) fn takes(&self, location: &[Key]) -> bool {
        (0..=location.len())
            .filter_map(|depth| location.get(..depth))
            .any(|way| self.removals.contains(way))
    }

    pub(crate) fn remove(&mut self, location: Location) {
        self.removals.insert(location);
    }

    /// Takes out a member of a list, so that the counts around it change.
    pub(crate) fn remove_from_list(&mut self, element: Location) {
        if let Some((_, list)) = element.split_last() {
            self.touched.insert(list.to_vec());
        }
        self.removals.insert(element);
    }

    /// Takes fields out of a row.
    pub(crate) fn remove_fields(&mut self, row: &[Key], fields: impl Iterator<Item = Location>) {
        let before = self.removals.len();
        self.removals.extend(fields.map(|field| [row, &*field].concat()));
        if self.removals.len() > before
            && let Some((_, list)) = row.split_last()
        {
            self.touched.insert(list.to_vec());
        }
    }

    pub(crate) fn replace(&mut self, text: Location) {
        self.replaced.insert(text);
    }

    /// Takes out what says that a list has rows of which none is there to be asked about.
    pub(crate) fn remove_counts_beside(&mut self, root: &Value, list: &[Key]) {
        if let Some((_, beside)) = list.split_last()
            && let Some(holder) = node(root, beside)
        {
            let mut found = Vec::new();
            counts::note_of_all(holder, name_of(list), beside, &mut found);
            self.removals.extend(found);
        }
    }

    /// Counts that stand above lists may stand for all these rows.
    pub(crate) fn rows_together(&mut self, rows: Vec<Location>) {
        if !self.groups.contains(&rows) {
            self.groups.push(rows);
        }
    }

    pub(crate) fn apply(self, root: &mut Value) {
        self.correct_counts(root);
        for text in &self.replaced {
            if let Some(text) = node_mut(root, text) {
                *text = Value::from(NEUTRAL);
            }
        }
        for (parent, leaving) in self.by_parent().into_iter().rev() {
            if let Some(parent) = node_mut(root, &parent) {
                remove_all(parent, &leaving);
            }
        }
    }

    /// The last steps of all removals, by what they lead out of.
    fn by_parent(self) -> BTreeMap<Location, BTreeSet<Key>> {
        let mut parents: BTreeMap<Location, BTreeSet<Key>> = BTreeMap::new();
        for mut location in self.removals {
            if let Some(last) = location.pop() {
                parents.entry(location).or_default().insert(last);
            }
        }
        parents
    }

    /// Counts beside a list stand for its rows; those further up for the rows of all lists.
    fn correct_counts(&self, root: &mut Value) {
        let mut groups: Vec<Vec<Location>> = self.groups.clone();
        for list in &self.touched {
            let Some(value) = node(root, list) else { continue };
            let (was, is) = (length(value), self.left(list, value));
            if !self.groups.iter().any(|rows| rows.iter().any(|row| is_in(row, list))) {
                groups.push((0..was).map(|at| [&**list, &[Key::Index(at)]].concat()).collect());
            }
            if let Some((_, beside)) = list.split_last() {
                let list = name_of(list);
                correct_at(root, beside, &Correction { was, is, list, all_pages: true });
            }
        }
        for rows in groups {
            self.correct_above(root, &rows);
        }
    }

    fn correct_above(&self, root: &mut Value, rows: &[Location]) {
        let (was, is) = (rows.len(), rows.iter().filter(|row| !self.takes(row)).count());
        let lists: BTreeSet<&[Key]> =
            rows.iter().filter_map(|row| Some(row.split_last()?.1)).collect();
        let lists = lists.into_iter().filter(|list| self.touched.contains(*list));
        let levels = lists.flat_map(|list| {
            let levels = (0..list.len()).rev().filter_map(move |depth| list.get(..depth));
            levels.map(move |above| (above, list))
        });
        let mut corrected = BTreeSet::new();
        for (above, list) in levels {
            if corrected.insert(above) {
                // What counts all pages beside a list was corrected with the list.
                let all_pages = above.len() + 1 < list.len();
                let list = name_of(list);
                correct_at(root, above, &Correction { was, is, list, all_pages });
            }
        }
    }

    /// How many members of the list stay.
    fn left(&self, list: &[Key], value: &Value) -> usize {
        let leaves = |key: Key| self.removals.contains(&*[list, &[key]].concat());
        match value {
            Value::Array(items) => {
                (0..items.len()).filter(|index| !leaves(Key::Index(*index))).count()
            }
            Value::Object(members) => {
                members.keys().filter(|name| !leaves(Key::Name((*name).clone()))).count()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }
}

fn correct_at(root: &mut Value, location: &[Key], correction: &Correction<'_>) {
    if let Some(holder) = node_mut(root, location) {
        counts::correct(holder, correction);
    }
}

fn is_in(row: &[Key], list: &[Key]) -> bool {
    row.split_last().is_some_and(|(_, holder)| holder == list)
}

/// The member that holds the list.
fn name_of(list: &[Key]) -> &str {
    let names = list.iter().rev().filter_map(|key| match key {
        Key::Name(name) => Some(name.as_str()),
        Key::Index(_) => None,
    });
    names.into_iter().next().unwrap_or_default()
}

fn length(list: &Value) -> usize {
    match list {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn remove_all(parent: &mut Value, leaving: &BTreeSet<Key>) {
    match parent {
        Value::Object(members) => {
            members.retain(|name, _| !leaving.contains(&Key::Name(name.clone())));
        }
        Value::Array(items) => {
            let mut index = 0..;
            items.retain(|_| index.next().is_none_or(|at| !leaving.contains(&Key::Index(at))));
        }
        // A member of what has left already.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
