//! Entities as people and systems write them: directory files, JSON lines and the admin API.

use std::fmt;

use kenward_model::EntityUid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod unique;

/// The most words that an alias may have; it bounds the work of recognising one.
pub(crate) const MOST_ALIAS_WORDS: usize = 16;
const LONGEST_TEXT: usize = 1024;
const DEEPEST_ATTRIBUTE: usize = 16;

/// One entity, in the shape that `directory.yaml`, JSON lines and the admin API share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityRecord {
    /// The entity's type with its namespace, for example `Customer`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id within the type.
    pub id: String,
    /// Attributes, with values as in Cedar's JSON.
    #[serde(default, skip_serializing_if = "Map::is_empty", deserialize_with = "unique::object")]
    #[schemars(with = "Map<String, Value>")]
    pub attributes: Map<String, Value>,
    /// What the entity is directly a member of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Parent>")]
    pub parents: Vec<EntityUid>,
    /// Other names by which people and systems call it: names, e-mail addresses, account numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
}

/// The name of an entity.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the JSON of an entity's name, which the model reads")]
struct Parent {
    /// The entity's type with its namespace.
    #[schemars(rename = "type")]
    kind: String,
    /// The id within the type.
    id: String,
}

/// What is wrong with a record, and at which JSON Pointer (RFC 6901) inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFlaw {
    /// The JSON Pointer inside the record, for example `/attributes/pay`.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for RecordFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at `{}`", self.message, self.pointer)
    }
}

impl EntityRecord {
    /// The name of the entity.
    pub fn uid(&self) -> EntityUid {
        EntityUid::new(self.kind.as_str(), self.id.as_str())
    }

    /// Everything that keeps the record from being used, beyond its shape.
    pub fn flaws(&self) -> Vec<RecordFlaw> {
        let mut flaws = Flaws::default();
        flaws.check_name("", &self.kind, &self.id);
        for (index, parent) in self.parents.iter().enumerate() {
            flaws.check_name(&format!("/parents/{index}"), &parent.kind, &parent.id);
        }
        for (index, alias) in self.aliases.iter().enumerate() {
            flaws.check_alias(&format!("/aliases/{index}"), alias);
        }
        for (name, value) in &self.attributes {
            flaws.check_value(&format!("/attributes/{}", escape(name)), value, 0);
        }
        flaws.0
    }
}

#[derive(Default)]
struct Flaws(Vec<RecordFlaw>);

impl Flaws {
    fn add(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push(RecordFlaw { pointer: pointer.to_owned(), message: message.into() });
    }

    fn check_name(&mut self, pointer: &str, kind: &str, id: &str) {
        if !is_type_name(kind) {
            let message = format!("`{kind}` is not the name of an entity type");
            self.add(&format!("{pointer}/type"), message);
        }
        if id.is_empty() || id.len() > LONGEST_TEXT {
            let message = format!("an id has 1 to {LONGEST_TEXT} bytes");
            self.add(&format!("{pointer}/id"), message);
        }
    }

    fn check_alias(&mut self, pointer: &str, alias: &str) {
        if alias.len() > LONGEST_TEXT {
            self.add(pointer, format!("an alias has at most {LONGEST_TEXT} bytes"));
            return;
        }
        let normal = crate::words::normalise(alias);
        match crate::words::tokens(&normal).len() {
            0 => self.add(pointer, format!("`{alias}` has no letters or digits to go by")),
            1..=MOST_ALIAS_WORDS => {}
            _ => self.add(pointer, format!("an alias has at most {MOST_ALIAS_WORDS} words")),
        }
    }

    fn check_value(&mut self, pointer: &str, value: &Value, depth: usize) {
        if depth > DEEPEST_ATTRIBUTE {
            self.add(pointer, format!("values nest at most {DEEPEST_ATTRIBUTE} deep"));
            return;
        }
        match value {
            Value::Bool(_) | Value::String(_) => {}
            Value::Null => self.add(pointer, "Cedar has no null; leave the attribute out"),
            Value::Number(number) => {
                if number.as_i64().is_none() {
                    let message = format!(
                        "`{number}` is no whole number of 64 bits; write a decimal as {{ __extn: {{ fn: decimal, arg: \"{number}\" }} }}"
                    );
                    self.add(pointer, message);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.check_value(&format!("{pointer}/{index}"), item, depth + 1);
                }
            }
            Value::Object(members) => self.check_object(pointer, members, depth),
        }
    }

    fn check_object(&mut self, pointer: &str, members: &Map<String, Value>, depth: usize) {
        if let Some(entity) = members.get("__entity") {
            let part = |name| entity.get(name).and_then(Value::as_str);
            match (members.len(), part("type"), part("id")) {
                (1, Some(kind), Some(id)) => {
                    self.check_name(&format!("{pointer}/__entity"), kind, id);
                }
                _ => self.add(pointer, "an entity is written { __entity: { type: …, id: … } }"),
            }
            return;
        }
        if let Some(call) = members.get("__extn") {
            let name = call.get("fn").and_then(Value::as_str);
            if members.len() != 1 || name.is_none() {
                self.add(pointer, "an extension value is written { __extn: { fn: …, arg: … } }");
            }
            return;
        }
        for (name, member) in members {
            self.check_value(&format!("{pointer}/{}", escape(name)), member, depth + 1);
        }
    }
}

/// Whether Cedar can read `name` as an entity type: identifiers joined by `::`.
fn is_type_name(name: &str) -> bool {
    name.len() <= LONGEST_TEXT
        && name.split("::").all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
