//! Strict JSON: trees without duplicate members, of bounded depth and size.
//!
//! Of two members with one name `serde_json` keeps the last, and another parser the first. Whoever
//! decides on a tree and forwards bytes must therefore refuse such JSON; escaped spellings of one
//! name are one name.

mod keys;
#[cfg(test)]
mod tests;
mod unique;
mod value;

use serde::de::DeserializeSeed;
use serde_json::Value;

use crate::EnvelopeError;

pub(crate) use keys::{Key, Keys};
pub(crate) use unique::Unique;

/// More values than this in one message are refused: a tree costs far more memory than its bytes.
const MOST_VALUES: usize = 1 << 18;

/// Reads one JSON value into a tree. Nesting beyond `depth`, duplicate members at any depth,
/// numbers that no 64 bits hold approximately, and trailing bytes are errors.
///
/// ```
/// assert!(kenward_mcp::tree::read(br#"{"a":[1,{"b":2}]}"#, 3).is_ok());
/// assert!(kenward_mcp::tree::read(br#"{"a":[1,{"b":2}]}"#, 2).is_err());
/// assert!(kenward_mcp::tree::read(br#"{"a":1,"\u0061":2}"#, 3).is_err());
/// ```
pub fn read(json: &[u8], depth: usize) -> Result<Value, EnvelopeError> {
    read_text(text(json)?, depth).map_err(|error| EnvelopeError::json(&error))
}

/// Checks what [`read`] checks without building the tree.
pub fn check(json: &[u8], depth: usize) -> Result<(), EnvelopeError> {
    check_text(text(json)?, depth).map_err(|error| EnvelopeError::json(&error))
}

pub(crate) fn read_text(json: &str, depth: usize) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let budget = value::Budget::new(MOST_VALUES);
    let tree = value::Tree::new(depth, &budget).deserialize(&mut reader)?;
    reader.end()?;
    Ok(tree)
}

pub(crate) fn check_text(json: &str, depth: usize) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let mut keys = Keys::default();
    Unique::new(depth, &mut keys).deserialize(&mut reader)?;
    reader.end()
}

/// The bytes as text: JSON between systems is UTF-8 (RFC 8259, section 8.1).
pub(crate) fn text(json: &[u8]) -> Result<&str, EnvelopeError> {
    std::str::from_utf8(json).map_err(|_| EnvelopeError::syntax("invalid json: not utf-8"))
}

pub(crate) fn too_deep<E: serde::de::Error>() -> E {
    E::custom("nested too deeply")
}

pub(crate) fn duplicate<E: serde::de::Error>(name: &str) -> E {
    E::custom(format_args!("duplicate member `{}`", crate::error::quote(name)))
}
