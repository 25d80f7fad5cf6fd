//! How types and values are called when a person reads about them.

use crate::tree::{Kind, Node};

/// The name of a JSON Schema type in plain words.
pub(super) fn type_words(name: &str) -> String {
    match name {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "null" => "nothing",
        other => other,
    }
    .to_owned()
}

/// What a node is, for "found …"; the value as it was written, never what a variable held.
pub(super) fn describe(node: &Node) -> String {
    match &node.kind {
        Kind::Bad | Kind::Null => "nothing".to_owned(),
        Kind::Bool(value) => format!("`{value}`"),
        Kind::Number(value) => match &node.written {
            Some(written) => format!("the number `{written}`"),
            None => format!("the number `{value}`"),
        },
        Kind::Text(text) => format!("`{}`", shortened(node.written.as_ref().unwrap_or(text))),
        Kind::Sequence(_) => "a list".to_owned(),
        Kind::Mapping(_) => "a mapping".to_owned(),
    }
}

/// `a, b or c`.
pub(super) fn list(items: impl IntoIterator<Item = String>, last: &str) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    match (items.pop(), items.is_empty()) {
        (None, _) => "nothing".to_owned(),
        (Some(only), true) => only,
        (Some(end), false) => format!("{} {last} {end}", items.join(", ")),
    }
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(MOST_SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// How many characters of a text are quoted.
const MOST_SHOWN: usize = 60;
