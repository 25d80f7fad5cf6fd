//! What servers say of themselves: inspected, cleaned, pinned, compared and approved.
//!
//! A definition is text that a model reads and follows, written by a stranger. So it is looked at
//! before anybody gets it, held fast by its digest, and served from the copy that was approved.

mod clean;
mod diff;
mod flag;
mod inspect;
mod pin;
mod shelf;

pub use clean::{json as clean_json, text as clean_text};
pub use diff::{Difference, diff, visible};
pub use flag::flags;
pub use inspect::{Rejection, Seen, inspect, is_twin};
pub use pin::pin;
pub use shelf::{
    Copy, Entry, EntryParts, Event, EventKind, Key, MOST_ENTRIES, Shelf, Sight, Status,
};

use serde::{Deserialize, Serialize};

/// What is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A tool, by name.
    Tool,
    /// A prompt, by name.
    Prompt,
    /// A template of MCP resources, by its text.
    Template,
    /// What the server says to every model, under the empty name.
    Instructions,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Tool, Self::Prompt, Self::Template, Self::Instructions];

    /// Its word, as it is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Template => "template",
            Self::Instructions => "instructions",
        }
    }

    /// The kind of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// For which era of MCP a server has said it: it may say the same thing in two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Up to 2025-11-25.
    Legacy,
    /// From 2026-07-28 on.
    Modern,
}

impl Form {
    /// Its word, as it is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        }
    }

    /// The form of that word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Legacy, Self::Modern].into_iter().find(|form| form.word() == word)
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Legacy => Self::Modern,
            Self::Modern => Self::Legacy,
        }
    }
}

/// Which of a server's definitions are served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// The first sight counts as approved; what changes later waits.
    #[default]
    Pin,
    /// Everything waits until somebody approves it.
    Approve,
    /// Whatever the server says now.
    Live,
}
