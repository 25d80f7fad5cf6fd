//! One JSON-RPC message and the bytes that it was parsed from.

mod edit;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::envelope::{Envelope, is_object, span};
use crate::method::{self, Row, RowKind};
use crate::{EnvelopeError, tree, variant};

/// How large a message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest message, in bytes.
    pub body: usize,
    /// The deepest nesting of objects and arrays, the message itself included.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 4 << 20, depth: 64 }
    }
}

/// What a message is to JSON-RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A method with an id: it is answered.
    Request,
    /// A method without an id: it is not answered.
    Notification,
    /// A result or an error.
    Response,
}

/// A message that was parsed once, with the bytes that were decided on and are to be sent.
#[derive(Clone)]
pub struct Message {
    bytes: Bytes,
    kind: Kind,
    method: Method,
    id: Option<Range<usize>>,
    /// Where the parameters of a call lie, or the result or error of a response.
    body: Option<Range<usize>>,
    failed: bool,
    params: Value,
}

#[derive(Clone)]
enum Method {
    None,
    Known(&'static Row),
    Unknown(Box<str>),
}

impl Message {
    /// Parses one JSON-RPC object.
    ///
    /// Refused are: batches; members that JSON-RPC does not know; duplicate members at any depth,
    /// escaped spellings included; members of `params`, `_meta` and of the structures inside that
    /// are spelled as a known member but for upper and lower case; `arguments` whose names differ
    /// in nothing but case; parameters that are no object; ids other than strings and integers; a
    /// known request without an id and a known notification with one; anything beyond the limits.
    pub fn parse(bytes: Bytes, limits: &Limits) -> Result<Self, EnvelopeError> {
        if bytes.len() > limits.body {
            return Err(EnvelopeError::too_large(limits.body));
        }
        let text = tree::text(&bytes)?;
        let (envelope, kind) = Envelope::read(text)?;
        let id = envelope.valid_id();
        let read = Content::read(&envelope, kind, limits);
        let content = read.map_err(|error| error.answering(id))?;
        let id = envelope.id.filter(|_| id.is_some()).map(|raw| span(text, raw.get()));
        let body = content.raw.map(|raw| span(text, raw.get()));
        let failed = envelope.error.is_some();
        let Content { method, params, .. } = content;
        drop(envelope);
        Ok(Self { bytes, kind, method, id, body, failed, params })
    }

    /// The bytes that the message was parsed from.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What the message is to JSON-RPC.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The method; empty for responses.
    pub fn method(&self) -> &str {
        match &self.method {
            Method::None => "",
            Method::Known(row) => row.name,
            Method::Unknown(name) => name,
        }
    }

    /// The method's row in the table; nothing for responses and for unknown methods.
    pub fn row(&self) -> Option<&'static Row> {
        match &self.method {
            Method::None | Method::Unknown(_) => None,
            Method::Known(row) => Some(row),
        }
    }

    /// The raw JSON of the id; a notification has none, nor has an error that answers nothing.
    pub fn id(&self) -> Option<&[u8]> {
        self.id.clone().and_then(|span| self.bytes.get(span))
    }

    /// The parameters as a tree without duplicates; null when there are none.
    pub fn params(&self) -> &Value {
        &self.params
    }

    /// Where the parameters lie in the bytes.
    pub fn params_span(&self) -> Option<Range<usize>> {
        self.body.clone().filter(|_| self.kind != Kind::Response)
    }

    /// Where the result of a response lies in the bytes; it has no duplicate members.
    pub fn result_span(&self) -> Option<Range<usize>> {
        self.body.clone().filter(|_| self.kind == Kind::Response && !self.failed)
    }

    /// Where the error of a response lies in the bytes; it has no duplicate members.
    pub fn error_span(&self) -> Option<Range<usize>> {
        self.body.clone().filter(|_| self.failed)
    }

    /// The text of the whole message; it was checked to be UTF-8.
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }
}

/// Shows what the message is and never what it says: messages carry what this product guards.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("kind", &self.kind)
            .field("method", &self.method())
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// What stands in an envelope.
struct Content<'a> {
    method: Method,
    raw: Option<&'a RawValue>,
    params: Value,
}

impl<'a> Content<'a> {
    fn read(envelope: &Envelope<'a>, kind: Kind, limits: &Limits) -> Result<Self, EnvelopeError> {
        let depth = limits.depth.saturating_sub(1);
        let Some(name) = envelope.method.as_deref() else {
            return Self::response(envelope.result.or(envelope.error), depth);
        };
        let method = match method::find(name) {
            Some(row) if kind_of(row) == kind => Method::Known(row),
            Some(row) => return Err(wrong_kind(row)),
            None => Method::Unknown(name.into()),
        };
        let raw = envelope.params;
        let params = match raw {
            Some(raw) => tree::read_text(raw.get(), depth).map_err(|e| EnvelopeError::json(&e))?,
            None => Value::Null,
        };
        variant::check(&params)?;
        Ok(Self { method, raw, params })
    }

    fn response(raw: Option<&'a RawValue>, depth: usize) -> Result<Self, EnvelopeError> {
        if let Some(raw) = raw.filter(|raw| is_object(raw)) {
            tree::check_text(raw.get(), depth).map_err(|error| EnvelopeError::json(&error))?;
        }
        Ok(Self { method: Method::None, raw, params: Value::Null })
    }
}

fn kind_of(row: &Row) -> Kind {
    match row.kind {
        RowKind::Request => Kind::Request,
        RowKind::Notification => Kind::Notification,
    }
}

fn wrong_kind(row: &Row) -> EnvelopeError {
    EnvelopeError::invalid(match row.kind {
        RowKind::Request => format!("`{}` needs an `id`", row.name),
        RowKind::Notification => format!("`{}` is a notification and has no `id`", row.name),
    })
}
