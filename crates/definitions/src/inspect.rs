//! What a definition must never be: such a one is neither listed nor called, whoever approves it.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::Value;
use unicode_security::confusable_detection::skeleton;

use crate::{Kind, clean, pin};

/// The longest name of a tool (MCP 2026-07-28, tools, names).
const LONGEST_TOOL_NAME: usize = 128;
/// The longest of other names, in bytes.
const LONGEST_NAME: usize = 2_048;
const DEEPEST: usize = 32;
const MOST_NODES: usize = 2_000;
const LARGEST: usize = 64 << 10;

/// Why a definition is not taken. The texts are for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A tool's name is not one that MCP allows.
    #[error("the name is not 1 to 128 of A-Z, a-z, 0-9, `_`, `.` and `-`")]
    Name,
    /// Another name that is empty, too long, or has characters that nobody sees.
    #[error("the name is empty, too long, or has characters that nobody sees")]
    OtherName,
    /// The list has it twice.
    #[error("the list has the name more than once")]
    Twice,
    /// It can be mistaken for another one.
    #[error("the name can be mistaken for `{0}`")]
    Twin(String),
    /// A schema that somebody else can change.
    #[error("`{0}` refers to a schema outside of the definition")]
    RemoteRef(String),
    /// It nests too deeply.
    #[error("it is nested deeper than 32 levels")]
    Deep,
    /// It has too many values.
    #[error("it has more than 2,000 values")]
    Many,
    /// It is too large.
    #[error("it is larger than 64 KiB")]
    Large,
    /// A string with a NUL, or one that is no Unicode text.
    #[error("it has text that is not Unicode, or has a NUL in it")]
    Text,
    /// The name of a member has characters that nobody sees; to take them away would change what
    /// the server understands.
    #[error("the name of a member has characters that nobody sees")]
    Member,
    /// Said by whoever reads the list, of what a client must not offer.
    #[error("{0}")]
    Unfit(String),
}

/// A definition as it was found.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its digest: see [`pin`].
    pub digest: [u8; 32],
    /// Its value, as the server wrote it.
    pub value: Value,
}

/// Inspects one definition by itself; `json` is the text of the server.
pub fn inspect(kind: Kind, name: &str, json: &str) -> Result<Seen, Rejection> {
    name_of(kind, name)?;
    if json.len() > LARGEST {
        return Err(Rejection::Large);
    }
    let value: Value = serde_json::from_str(json).map_err(|_| Rejection::Text)?;
    let mut nodes = 0;
    walk(&value, 1, &mut nodes)?;
    let digest = pin(&value).ok_or(Rejection::Text)?;
    Ok(Seen { digest, value })
}

fn name_of(kind: Kind, name: &str) -> Result<(), Rejection> {
    match kind {
        Kind::Tool => {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            let good = (1..=LONGEST_TOOL_NAME).contains(&name.len()) && name.bytes().all(allowed);
            if good { Ok(()) } else { Err(Rejection::Name) }
        }
        Kind::Prompt | Kind::Template => {
            let good = (1..=LONGEST_NAME).contains(&name.len()) && *clean::text(name) == *name;
            if good { Ok(()) } else { Err(Rejection::OtherName) }
        }
        Kind::Instructions => Ok(()),
    }
}

fn walk(value: &Value, depth: usize, nodes: &mut usize) -> Result<(), Rejection> {
    *nodes += 1;
    if *nodes > MOST_NODES {
        return Err(Rejection::Many);
    }
    if depth > DEEPEST {
        return Err(Rejection::Deep);
    }
    match value {
        Value::String(text) if text.contains('\0') => Err(Rejection::Text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, depth + 1, nodes)),
        Value::Object(members) => members.iter().try_for_each(|(name, value)| {
            if *clean::text(name) != **name {
                return Err(Rejection::Member);
            }
            if let (true, Some(to)) = (REFERENCES.contains(&name.as_str()), value.as_str())
                && !to.starts_with('#')
            {
                return Err(Rejection::RemoteRef(to.chars().take(200).collect()));
            }
            walk(value, depth + 1, nodes)
        }),
    }
}

/// The members by which a JSON Schema refers to another (JSON Schema 2019-09 and 2020-12, core).
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// Whether two different names can be mistaken for each other: equal but for case, or drawn alike.
///
/// ```
/// assert!(kenward_definitions::is_twin("get_Item", "get_item"));
/// assert!(kenward_definitions::is_twin("transfer1", "transferl"));
/// assert!(!kenward_definitions::is_twin("get_item", "get_items"));
/// ```
pub fn is_twin(one: &str, other: &str) -> bool {
    one != other && (one.to_lowercase() == other.to_lowercase() || drawn(one) == drawn(other))
}

/// How a name is drawn (UTS 39, section 4), upper and lower case aside.
fn drawn(name: &str) -> String {
    skeleton(name).collect::<String>().to_lowercase()
}

/// Finds names that can be mistaken, in the time of a sort.
#[derive(Debug, Default)]
pub(crate) struct Twins {
    folded: HashMap<String, String>,
    drawn: HashMap<String, String>,
}

impl Twins {
    /// The name that was there before and can be mistaken for `name`; else `name` is there now.
    pub(crate) fn add(&mut self, name: &str) -> Option<String> {
        let other = |known: Option<&String>| known.filter(|known| *known != name).cloned();
        let (folded, drawn) = (name.to_lowercase(), drawn(name));
        if let Some(twin) =
            other(self.folded.get(&folded)).or_else(|| other(self.drawn.get(&drawn)))
        {
            return Some(twin);
        }
        self.folded.entry(folded).or_insert_with(|| name.to_owned());
        self.drawn.entry(drawn).or_insert_with(|| name.to_owned());
        None
    }
}
