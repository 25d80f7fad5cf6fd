//! Why a message was refused before anything was decided about it.

use serde_json::Value;
use serde_json::error::Category;

use crate::dialect::Era;

/// Invalid JSON (JSON-RPC 2.0, section 5.1).
const PARSE: i32 = -32700;
/// No valid JSON-RPC message.
const INVALID: i32 = -32600;
/// No such method.
const METHOD: i32 = -32601;
/// Parameters that the method does not take.
const PARAMS: i32 = -32602;
/// A header disagrees with the body (MCP 2026-07-28, error codes).
const HEADER: i32 = -32020;
/// A protocol version that is not spoken here (MCP 2026-07-28, error codes).
const VERSION: i32 = -32022;
/// User input in a text is cut here, in characters.
const LONGEST_QUOTE: usize = 80;

/// A message that is no message of this protocol; everything that an answer needs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct EnvelopeError {
    code: i32,
    status: u16,
    message: Box<str>,
    id: Option<Box<[u8]>>,
    data: Option<Box<Value>>,
}

impl EnvelopeError {
    /// The JSON-RPC error code.
    pub fn code(&self) -> i32 {
        self.code
    }

    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A text for whoever wrote the client; what they sent stands in backticks.
    pub fn message(&self) -> String {
        self.message.as_ref().to_owned()
    }

    /// The raw JSON of the refused request's id, when there was a valid one.
    pub fn id(&self) -> Option<&[u8]> {
        self.id.as_deref()
    }

    /// The `data` member of the error object.
    pub fn data(&self) -> Option<Value> {
        self.data.as_deref().cloned()
    }

    /// The same error, as the answer to the request with this raw id.
    #[must_use]
    pub fn answering(mut self, id: Option<&[u8]>) -> Self {
        self.id = id.map(Box::from);
        self
    }

    /// The method does not exist (for this caller): status 404 in the modern era; 200 in the legacy
    /// one, whose clients read a 404 as the end of their session.
    pub fn unknown_method(method: &str, era: Era) -> Self {
        let status = match era {
            Era::Modern => 404,
            Era::Legacy => 200,
        };
        Self::new(METHOD, status, format!("method `{}` not found", quote(method)))
    }

    pub(crate) fn syntax(message: impl Into<Box<str>>) -> Self {
        Self::new(PARSE, 400, message)
    }

    pub(crate) fn invalid(message: impl Into<Box<str>>) -> Self {
        Self::new(INVALID, 400, message)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(INVALID, 413, format!("message is longer than {limit} bytes"))
    }

    /// Parameters that the method does not take: answered in band.
    pub(crate) fn params(message: impl Into<Box<str>>) -> Self {
        Self::new(PARAMS, 200, message)
    }

    /// Request metadata that is missing or malformed: answered with 400 (MCP 2026-07-28, basic).
    pub(crate) fn metadata(message: impl Into<Box<str>>) -> Self {
        Self::new(PARAMS, 400, message)
    }

    pub(crate) fn header(message: impl Into<Box<str>>) -> Self {
        Self::new(HEADER, 400, message)
    }

    pub(crate) fn version(requested: &str, supported: &[&str]) -> Self {
        let message = format!("protocol version `{}` is not supported", quote(requested));
        let data = serde_json::json!({ "supported": supported, "requested": quote(requested) });
        Self { data: Some(Box::new(data)), ..Self::new(VERSION, 400, message) }
    }

    /// JSON that is broken is a parse error; JSON that says the wrong thing is an invalid request.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        match error.classify() {
            Category::Syntax | Category::Eof | Category::Io => {
                Self::syntax(format!("invalid json: {error}"))
            }
            Category::Data => Self::invalid(error.to_string()),
        }
    }

    fn new(code: i32, status: u16, message: impl Into<Box<str>>) -> Self {
        Self { code, status, message: message.into(), id: None, data: None }
    }
}

/// As much of `text` as an error may repeat.
pub(crate) fn quote(text: &str) -> &str {
    text.char_indices().nth(LONGEST_QUOTE).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}
