//! Entities as the snapshot holds them, where they come from, and the standing of users.

use std::fmt;
use std::sync::Arc;

use kenward_model::EntityUid;
use serde::{Deserialize, Serialize};

use crate::attributes::Attributes;
use crate::texts::Texts;

/// Where an entity comes from; one source never overwrites what another one said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A directory file, by the path that the configuration gives it.
    File(Arc<str>),
    /// The admin API.
    Admin,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file `{path}`"),
            Self::Admin => f.write_str("the admin API"),
        }
    }
}

/// A person, a group, an agent or an object of the business.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// Its name.
    pub uid: EntityUid,
    /// Its attributes, as Cedar's JSON writes them.
    pub attributes: Attributes,
    /// What it is directly a member of, in the order of the record.
    pub parents: Arc<[EntityUid]>,
    /// Other names that people and systems use for it, as they were written.
    pub aliases: Texts,
    /// Who said so.
    pub source: Source,
}

/// What signals say of a user beside the directory (CAEP, RISC, logout, an admin's edit).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Whether the account may be used at all.
    pub active: bool,
    /// The risk level, in the words of whoever assessed it.
    pub risk: Option<Arc<str>>,
    /// Whether the user's device meets the rules; nothing when nobody said.
    pub device_compliant: Option<bool>,
    /// Whether the user's sessions were ended.
    pub session_revoked: bool,
}

impl Default for Standing {
    /// The standing of a user of whom no signal has told anything.
    fn default() -> Self {
        Self { active: true, risk: None, device_compliant: None, session_revoked: false }
    }
}
