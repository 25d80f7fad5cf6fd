//! Counts that would tell how many rows were taken out.

use serde_json::Value;

/// Names of members, without case and separators, that say how many rows there are.
const NAMES: &[&str] = &["found", "hits", "len", "length", "matches", "n", "number", "size"];

/// Sets every count in `holder` that says `was` to `is`.
pub(super) fn correct(holder: &mut Value, was: usize, is: usize) {
    let Value::Object(members) = holder else { return };
    for (name, value) in members {
        let says = value.as_u64().is_some_and(|count| usize::try_from(count) == Ok(was));
        if says && is_count(name) {
            *value = Value::from(is);
        }
    }
}

fn is_count(name: &str) -> bool {
    let plain: String =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    plain.contains("count") || plain.contains("total") || NAMES.contains(&plain.as_str())
}
