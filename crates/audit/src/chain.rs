//! The chain: each line names the hash of the line before, so that no line can be altered, removed,
//! added or moved without breaking it.
//!
//! A line is one JSON object. Its last two members are `sequence`, its number in the whole log from
//! 1, and `previous`, the SHA-256 of the bytes of the line before without its newline, in lower-case
//! hexadecimal; 64 zeros in the first line. Segments only cut the one chain into files: each begins
//! with a [`header`] line, a link like every other.

use kenward_model::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::record::Rfc3339;
use crate::{Digest, Record};

mod broken;
mod check;
#[cfg(test)]
mod tests;

pub use broken::{Broken, LinePlace, Why};
pub use check::{Checker, Verified};

/// Where a chain has got to: its last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the last line; 0 when there is none.
    pub sequence: u64,
    /// The hash of the last line; zero when there is none.
    pub hash: Digest,
}

impl Head {
    /// The head of a chain without lines.
    pub const START: Self = Self { sequence: 0, hash: Digest::ZERO };
}

/// A line that lacks only its place in the chain. Everything that does not depend on the line
/// before is done here, so that little is left to do while other writers wait.
#[derive(Debug)]
pub struct Draft {
    line: Vec<u8>,
    hash: Sha256,
}

/// A record could not be written as JSON.
#[derive(Debug, thiserror::Error)]
#[error("the record cannot be written")]
pub struct DraftError(#[source] serde_json::Error);

impl Draft {
    /// Prepares the line of `record`; the record's own `sequence` and `previous` are not looked at.
    pub fn new(record: &Record) -> Result<Self, DraftError> {
        if record.sequence.is_some() || record.previous.is_some() {
            let unplaced = Record { sequence: None, previous: None, ..record.clone() };
            return Self::of(&unplaced);
        }
        Self::of(record)
    }

    fn of(value: &impl Serialize) -> Result<Self, DraftError> {
        let mut line = Vec::with_capacity(USUAL_LINE);
        serde_json::to_writer(&mut line, value).map_err(DraftError)?;
        line.pop(); // the closing brace: two members follow
        let hash = Sha256::new_with_prefix(&line);
        Ok(Self { line, hash })
    }

    /// Completes the line as the successor of `head`: its bytes with the newline, and the new head.
    #[must_use]
    pub fn seal(self, head: &Head) -> (Vec<u8>, Head) {
        let Self { mut line, mut hash } = self;
        let begin = line.len();
        let sequence = head.sequence.saturating_add(1);
        line.extend_from_slice(br#","sequence":"#);
        line.extend_from_slice(sequence.to_string().as_bytes());
        line.extend_from_slice(br#","previous":""#);
        line.extend_from_slice(&head.hash.to_hex());
        line.extend_from_slice(br#""}"#);
        hash.update(line.get(begin..).unwrap_or_default());
        line.push(b'\n');
        (line, Head { sequence, hash: Digest(hash.finalize().into()) })
    }
}

/// The line of `record` as the successor of `head`, with its newline, and the new head.
pub fn seal(record: &Record, head: &Head) -> Result<(Vec<u8>, Head), DraftError> {
    Ok(Draft::new(record)?.seal(head))
}

/// The first line of segment `number` as the successor of `head`, with its newline, and the new
/// head.
pub fn header(number: u64, time: Timestamp, head: &Head) -> Result<(Vec<u8>, Head), DraftError> {
    let header =
        Header { kind: HeaderKind::Segment, version: 1, segment: number, time: Rfc3339(time) };
    Ok(Draft::of(&header)?.seal(head))
}

/// What a line says of its own place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Link {
    /// The line's number in the whole log.
    pub sequence: u64,
    /// The hash of the line before.
    pub previous: Digest,
    /// The segment's number when the line is a segment's header.
    pub segment: Option<u64>,
}

impl Link {
    /// Reads the place of a line without its newline; nothing when it is not a line of a log.
    pub fn of(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

#[derive(Debug, Serialize)]
struct Header {
    kind: HeaderKind,
    version: u8,
    segment: u64,
    time: Rfc3339,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum HeaderKind {
    Segment,
}

/// Room for the line of a usual decision, so that it is built without growing.
const USUAL_LINE: usize = 1024;
