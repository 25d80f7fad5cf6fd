//! Server-sent events as bytes in and events out (WHATWG HTML, section 9.2), with bounds.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use memchr::memchr2;

use crate::Limits;

/// One event.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its type; nothing means `message`.
    pub event: Option<String>,
    /// The id by which a stream is resumed behind it.
    pub id: Option<String>,
    /// What it says. Empty for an event that only sets an id or a delay.
    pub data: Bytes,
    /// How long to wait before reconnecting, in milliseconds.
    pub retry: Option<u64>,
}

/// Shows how much an event says and not what.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event", &self.event)
            .field("id", &self.id)
            .field("bytes", &self.data.len())
            .field("retry", &self.retry)
            .finish()
    }
}

/// A stream that is not read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// An event, or a comment, is longer than the limit.
    #[error("event is longer than the limit")]
    TooLong,
    /// The name or the id of an event is not UTF-8.
    #[error("event is not utf-8")]
    Encoding,
}

/// Takes a stream in pieces of any size and gives its events.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return, which a line feed may belong to.
    after_return: bool,
    begun: bool,
    block: Block,
    ready: VecDeque<Event>,
    failed: Option<SseError>,
}

/// The event that is being read.
#[derive(Debug, Default)]
struct Block {
    event: Option<String>,
    id: Option<String>,
    data: Option<Vec<u8>>,
    retry: Option<u64>,
    size: usize,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of the stream. An event whose lines are longer than `limits.body` bytes
    /// together is an error; after an error nothing more is read, and events before it remain.
    pub fn push(&mut self, mut chunk: &[u8], limits: &Limits) -> Result<(), SseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let outcome = loop {
            match self.step(chunk, limits.body) {
                Ok(Some(rest)) => chunk = rest,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.failed = outcome.err();
        outcome
    }

    /// The next whole event.
    #[expect(clippy::should_implement_trait, reason = "it goes on after it has given nothing")]
    pub fn next(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// Whether the stream has stopped in the middle of an event.
    pub fn is_partial(&self) -> bool {
        !self.line.is_empty() || self.block.size > 0
    }

    /// Reads one line; gives what comes behind it, or nothing if the chunk is used up.
    fn step<'c>(&mut self, chunk: &'c [u8], limit: usize) -> Result<Option<&'c [u8]>, SseError> {
        let chunk = match chunk.split_first() {
            None => return Ok(None),
            Some((b'\n', rest)) if self.after_return => rest,
            Some(_) => chunk,
        };
        self.after_return = false;
        let end = memchr2(b'\r', b'\n', chunk);
        let (piece, rest) = chunk.split_at(end.unwrap_or(chunk.len()));
        if self.block.size + self.line.len() + piece.len() > limit {
            return Err(SseError::TooLong);
        }
        let Some((ending, rest)) = rest.split_first() else {
            self.line.extend_from_slice(piece);
            return Ok(None);
        };
        self.after_return = *ending == b'\r';
        if self.line.is_empty() {
            self.take(piece)?;
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(piece);
            self.take(&line)?;
            line.clear();
            self.line = line;
        }
        Ok(Some(rest))
    }

    fn take(&mut self, line: &[u8]) -> Result<(), SseError> {
        let mark = if self.begun { None } else { line.strip_prefix(b"\xEF\xBB\xBF") };
        self.begun = true;
        let line = mark.unwrap_or(line);
        if line.is_empty() {
            self.ready.extend(std::mem::take(&mut self.block).finish());
            return Ok(());
        }
        self.block.take(line)
    }
}

impl Block {
    fn take(&mut self, line: &[u8]) -> Result<(), SseError> {
        let (field, value) = match memchr::memchr(b':', line) {
            // A comment says nothing and costs nothing.
            Some(0) => return Ok(()),
            Some(colon) => line.split_at(colon),
            None => (line, &b""[..]),
        };
        self.size += line.len();
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            b"event" => self.event = Some(text(value)?),
            b"id" if !value.contains(&0) => self.id = Some(text(value)?),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.retry = text(value)?.parse().ok();
            }
            _ => {}
        }
        Ok(())
    }

    /// The event, unless nothing but a type was said.
    fn finish(self) -> Option<Event> {
        let Self { event, id, data, retry, size: _ } = self;
        if data.is_none() && id.is_none() && retry.is_none() {
            return None;
        }
        Some(Event { event, id, data: Bytes::from(data.unwrap_or_default()), retry })
    }
}

/// The event as bytes. Line ends and zero bytes in its type and id, where they cannot be, are left
/// out; a carriage return in its data becomes a line feed, which is the same to JSON.
pub fn encode(event: &Event) -> Bytes {
    let mut out = Vec::with_capacity(event.data.len() + 64);
    for (field, value) in [("event", &event.event), ("id", &event.id)] {
        if let Some(value) = value {
            let clean = value.replace(['\r', '\n', '\0'], "");
            out.extend_from_slice(format!("{field}: {clean}\n").as_bytes());
        }
    }
    if let Some(retry) = event.retry {
        out.extend_from_slice(format!("retry: {retry}\n").as_bytes());
    }
    put_data(&mut out, &event.data);
    out.push(b'\n');
    Bytes::from(out)
}

/// One message as an event without type and id.
pub fn data(json: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(json.len() + 16);
    put_data(&mut out, json);
    out.push(b'\n');
    Bytes::from(out)
}

fn put_data(out: &mut Vec<u8>, mut data: &[u8]) {
    loop {
        let end = memchr2(b'\r', b'\n', data);
        let (line, rest) = data.split_at(end.unwrap_or(data.len()));
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
        if rest.is_empty() {
            return;
        }
        let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..));
        data = rest.unwrap_or_default();
    }
}

fn text(value: &[u8]) -> Result<String, SseError> {
    String::from_utf8(value.to_vec()).map_err(|_| SseError::Encoding)
}
