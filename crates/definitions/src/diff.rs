//! What differs between two definitions, field by field, with nothing left invisible.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::clean;

/// How many fields one comparison shows.
const MOST: usize = 200;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where it is (RFC 6901); empty for the whole.
    pub path: String,
    /// What it was, made visible; nothing if it is new.
    pub before: Option<String>,
    /// What it is, made visible; nothing if it is gone.
    pub after: Option<String>,
}

/// The fields in which two definitions differ, at most 200 of them.
pub fn diff(before: Option<&Value>, after: Option<&Value>) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    if before == after || found.len() >= MOST {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                let path = format!("{path}/{}", token(name));
                compare(&path, old.get(name), new.get(name), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for at in 0..old.len().max(new.len()) {
                compare(&format!("{path}/{at}"), old.get(at), new.get(at), found);
            }
        }
        _ => found.push(Difference {
            path: visible(path),
            before: before.map(shown),
            after: after.map(shown),
        }),
    }
}

fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => visible(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            visible(&value.to_string())
        }
    }
}

/// Text in which every character that nobody sees is written out, as `<U+200B>`.
///
/// ```
/// assert_eq!(kenward_definitions::visible("a\u{200b}b\u{202e}"), "a<U+200B>b<U+202E>");
/// ```
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let alone = c.encode_utf8(&mut [0; 4]).to_owned();
        if c != '\n' && (c.is_control() || *clean::text(&alone) != *alone) {
            // A `String` takes everything.
            let _written = write!(out, "<U+{:04X}>", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}
