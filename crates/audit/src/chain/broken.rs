//! What a check of the chain says: a place, and what is wrong there.

use std::fmt;

/// One place where the chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct Broken {
    /// Where.
    pub place: LinePlace,
    /// What is wrong there.
    pub why: Why,
}

/// A line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinePlace {
    /// The number of the segment; 0 for the log as a whole.
    pub segment: u64,
    /// The line in the segment, counted from 1; 0 for the segment as a whole.
    pub line: u64,
}

impl fmt::Display for LinePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.segment, self.line) {
            (0, _) => f.write_str("the log"),
            (segment, 0) => write!(f, "segment {segment}"),
            (segment, line) => write!(f, "segment {segment} line {line}"),
        }
    }
}

/// What is wrong with a place of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The line is not one that the log writes.
    NotALine,
    /// The line's bytes are not the ones that were written.
    Altered,
    /// Lines that were written are gone from before this place.
    Missing {
        /// The number of the first line that is gone.
        first: u64,
        /// The number of the last one.
        last: u64,
    },
    /// The line stands where another belongs.
    OutOfPlace {
        /// The number of the line that belongs here.
        expected: u64,
        /// The number of the line that stands here.
        found: u64,
    },
    /// The segment does not begin with its own header.
    NoHeader,
    /// Segments are gone from before this one.
    MissingSegments {
        /// The number of the first segment that is gone.
        first: u64,
        /// The number of the last one.
        last: u64,
    },
    /// A segment ends in half a line, and yet another segment follows.
    HalfLine,
    /// The log ends before a line that is known to have been written.
    Truncated {
        /// The number of the last line that is left.
        last: u64,
        /// The number of the line that is known to have been written.
        written: u64,
    },
    /// The file that names the last line is gone.
    HeadMissing,
    /// The file that names the last line was altered.
    HeadAltered,
    /// The file could not be read.
    Unreadable(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotALine => f.write_str("is not a line of the log: altered"),
            Self::Altered => f.write_str("was altered: it is not what the line after it names"),
            Self::Missing { first, last } if first == last => {
                write!(f, "record {first} is missing before this line")
            }
            Self::Missing { first, last } => {
                write!(f, "records {first} to {last} are missing before this line")
            }
            Self::OutOfPlace { expected, found } => {
                write!(f, "record {found} stands where record {expected} belongs")
            }
            Self::NoHeader => f.write_str("does not begin with its header"),
            Self::MissingSegments { first, last } if first == last => {
                write!(f, "segment {first} is missing before this one")
            }
            Self::MissingSegments { first, last } => {
                write!(f, "segments {first} to {last} are missing before this one")
            }
            Self::HalfLine => f.write_str("ends in half a line although another segment follows"),
            Self::Truncated { last, written } => {
                write!(f, "ends with record {last}, but record {written} had been written")
            }
            Self::HeadMissing => f.write_str("the file that names the last record is missing"),
            Self::HeadAltered => f.write_str("the file that names the last record was altered"),
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
        }
    }
}
