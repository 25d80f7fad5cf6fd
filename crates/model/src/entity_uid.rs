//! The name of one entity: its type and its id, written as Cedar writes it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The unique name of an entity, for example `Customer::"4711"`.
///
/// Cheap to clone: both parts are shared. Serialised as `{ "type": …, "id": … }`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntityUid {
    /// The entity's type with its namespace, for example `Customer` or `Mcp::Tool`.
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    /// The id within the type; any text.
    pub id: Arc<str>,
}

impl EntityUid {
    /// Names the entity `id` of type `kind`.
    pub fn new(kind: impl Into<Arc<str>>, id: impl Into<Arc<str>>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

impl fmt::Display for EntityUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::\"{}\"", self.kind, self.id.escape_debug())
    }
}

impl fmt::Debug for EntityUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not the name of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UidError {
    text: String,
}

impl fmt::Display for UidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` names no entity; write it as Type::\"id\"", self.text)
    }
}

impl std::error::Error for UidError {}

impl FromStr for EntityUid {
    type Err = UidError;

    /// Reads `Type::"id"`; the id may not contain a quote or a backslash.
    fn from_str(text: &str) -> Result<Self, UidError> {
        let refuse = || UidError { text: text.to_owned() };
        let (kind, quoted) = text.split_once("::\"").ok_or_else(refuse)?;
        let id = quoted.strip_suffix('"').ok_or_else(refuse)?;
        if kind.is_empty() || id.contains(['"', '\\']) {
            return Err(refuse());
        }
        Ok(Self::new(kind, id))
    }
}
