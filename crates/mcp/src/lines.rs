//! Messages over standard input and output: one line of JSON each (MCP, transports, stdio).

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use bytes::Bytes;
use memchr::memchr;

/// A stream whose line is longer than the limit; nothing more of it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line is longer than {limit} bytes")]
pub struct LinesError {
    limit: usize,
}

/// Takes a stream in pieces of any size and gives its lines.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    line: Vec<u8>,
    ready: VecDeque<Bytes>,
    failed: bool,
}

impl Decoder {
    /// A decoder at the beginning of a stream whose lines are at most `limit` bytes long, the line
    /// end not counted.
    pub fn new(limit: usize) -> Self {
        Self { limit, line: Vec::new(), ready: VecDeque::new(), failed: false }
    }

    /// Takes the next piece of the stream. After a line that is too long nothing more is read;
    /// lines before it remain.
    pub fn push(&mut self, mut chunk: &[u8]) -> Result<(), LinesError> {
        while !self.failed {
            let end = memchr(b'\n', chunk);
            let (piece, rest) = chunk.split_at(end.unwrap_or(chunk.len()));
            if self.line.len() + piece.len() > self.limit {
                self.failed = true;
                break;
            }
            self.line.extend_from_slice(piece);
            let Some((_, rest)) = rest.split_first() else { return Ok(()) };
            chunk = rest;
            let line = std::mem::take(&mut self.line);
            if !line.trim_ascii().is_empty() {
                self.ready.push_back(Bytes::from(line));
            }
        }
        Err(LinesError { limit: self.limit })
    }

    /// The next whole line that is not blank, without its line feed.
    #[expect(clippy::should_implement_trait, reason = "it goes on after it has given nothing")]
    pub fn next(&mut self) -> Option<Bytes> {
        self.ready.pop_front()
    }
}

/// One message as a line. Line ends inside it, which JSON allows between its tokens only, become
/// spaces.
pub fn encode(json: &[u8]) -> Bytes {
    let is_end = |byte: u8| byte == b'\n' || byte == b'\r';
    let mut line: Vec<u8> =
        json.iter().map(|byte| if is_end(*byte) { b' ' } else { *byte }).collect();
    line.push(b'\n');
    Bytes::from(line)
}
