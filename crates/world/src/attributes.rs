//! The attributes of an entity, stored compactly because there are millions of entities.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::texts::Texts;

/// Attributes in the order of the record, with values as Cedar's JSON writes them.
///
/// The values are kept as JSON text and read when they are asked for.
#[derive(Clone, Default)]
pub struct Attributes {
    names: Texts,
    /// One value after the other, a line each: JSON escapes every line break inside of a value.
    values: Box<str>,
}

impl Attributes {
    /// The value of the attribute `name`.
    pub fn get(&self, name: &str) -> Option<Value> {
        let found = self.lines().find(|(known, _)| *known == name);
        found.and_then(|(_, line)| read(line))
    }

    /// Each name with its value, in the order of the record.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value)> {
        self.lines().filter_map(|(name, line)| Some((name, read(line)?)))
    }

    /// The values, in the order of the record.
    pub fn values(&self) -> impl Iterator<Item = Value> {
        self.iter().map(|(_, value)| value)
    }

    /// How many attributes there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Stores `attributes`; `share` finds the list of names that others have too.
    pub(crate) fn of(
        attributes: &Map<String, Value>,
        share: impl FnOnce(String) -> Arc<str>,
    ) -> Self {
        let names = Texts::pack(attributes.keys().map(String::as_str));
        let mut values = String::new();
        for value in attributes.values() {
            values.push_str(&value.to_string());
            values.push('\n');
        }
        Self { names: Texts::packed(share(names)), values: values.into() }
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().zip(self.values.split('\n'))
    }

    fn map(&self) -> Map<String, Value> {
        self.iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn read(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}

impl From<&Map<String, Value>> for Attributes {
    fn from(attributes: &Map<String, Value>) -> Self {
        Self::of(attributes, Arc::from)
    }
}

impl PartialEq for Attributes {
    /// Attributes are equal whatever their order.
    fn eq(&self, other: &Self) -> bool {
        (self.names == other.names && self.values == other.values) || self.map() == other.map()
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.lines()).finish()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests;
