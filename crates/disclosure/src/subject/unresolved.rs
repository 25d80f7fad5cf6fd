//! Why it cannot be told whom a call is about.

use std::fmt;
use std::sync::Arc;

/// Why it cannot be told whom a call is about. For records and people, never for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// The argument, by its path below `arguments`.
    pub parameter: Arc<str>,
    /// What is the matter with it.
    pub why: UnresolvedWhy,
}

/// What keeps an argument from naming its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnresolvedWhy {
    /// The argument is not there.
    Missing,
    /// It is neither a text nor a whole number.
    NotText,
    /// It has no letters or digits.
    Empty,
    /// It is longer than such a name can be.
    TooLong,
    /// Nothing in the directory has this handle.
    UnknownHandle,
    /// What has this handle is not related to anyone of the wanted type.
    Unrelated,
    /// Some of its words name nothing that the directory knows.
    Unrecognised,
    /// It names more subjects than can be asked about.
    TooMany,
}

impl fmt::Display for UnresolvedWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing",
            Self::NotText => "is neither a text nor a whole number",
            Self::Empty => "is empty",
            Self::TooLong => "is too long",
            Self::UnknownHandle => "is a handle that the directory does not know",
            Self::Unrelated => "is a handle whose owner the directory does not know",
            Self::Unrecognised => {
                "has words that name nothing in the directory; it may hold names and ids of the \
                 directory, postcodes, coordinates and listed places"
            }
            Self::TooMany => "names too many subjects",
        })
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the argument `{}` {}", self.parameter, self.why)
    }
}

impl std::error::Error for Unresolved {}
