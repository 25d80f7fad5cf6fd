//! What a check found: where, what is wrong, and what would be right.

use std::fmt;

use serde::Serialize;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is refused because of it.
    Note,
    /// Probably not what was meant.
    Warning,
    /// Must be mended before the input is used.
    Error,
}

/// Where in a text a finding points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file as the user named it, or another source such as `server deliveries`.
    pub source: String,
    /// The line, counted from 1; 0 when the finding is about the whole source.
    pub line: usize,
    /// The column in characters, counted from 1; 0 when the finding is about the whole source.
    pub column: usize,
}

impl Place {
    /// A place that is a whole source rather than a point in it.
    pub fn whole(source: impl Into<String>) -> Self {
        Self { source: source.into(), line: 0, column: 0 }
    }

    /// The line and column (from 1) of byte `offset` in `text`.
    pub fn at_offset(source: impl Into<String>, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        Self { source: source.into(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.source),
            line => write!(f, "{}:{}:{}", self.source, line, self.column),
        }
    }
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Where it is.
    pub place: Place,
    /// How much it weighs.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, input in backticks.
    pub message: String,
    /// What would be right, when that can be said.
    pub help: Option<String>,
}

impl Finding {
    /// An error at `place`.
    pub fn error(place: Place, message: impl Into<String>) -> Self {
        Self { place, severity: Severity::Error, message: message.into(), help: None }
    }

    /// A warning at `place`.
    pub fn warning(place: Place, message: impl Into<String>) -> Self {
        Self { place, severity: Severity::Warning, message: message.into(), help: None }
    }

    /// A note at `place`.
    pub fn note(place: Place, message: impl Into<String>) -> Self {
        Self { place, severity: Severity::Note, message: message.into(), help: None }
    }

    /// The same finding with the remedy said.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether this finding forbids using the input.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{}: {label}: {}", self.place, self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}
