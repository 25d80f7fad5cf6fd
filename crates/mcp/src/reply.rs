//! Answers of the gateway's own, as bytes ready to send.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::EnvelopeError;
use crate::dialect::Era;
use crate::error::quote;

/// The code of a refusal that is no refused tool call; outside the range that JSON-RPC reserves.
pub const REFUSED: i32 = -31403;
/// Parameters that the method does not take; in the modern era also what does not exist.
const INVALID_PARAMS: i32 = -32602;
/// An MCP resource that does not exist, in the legacy era.
const RESOURCE_NOT_FOUND: i32 = -32002;
/// The member of `_meta` that carries the decision.
const DECISION: &str = "dev.kenward/decision";

/// An error response. Without an id it answers a message that had none to answer.
pub fn error(id: Option<&[u8]>, code: i32, message: &str, data: Option<&Value>) -> Bytes {
    let mut out = opening(id);
    out.extend_from_slice(format!(",\"error\":{{\"code\":{code},\"message\":").as_bytes());
    out.extend_from_slice(quoted(message).as_bytes());
    if let Some(data) = data {
        out.extend_from_slice(format!(",\"data\":{data}").as_bytes());
    }
    out.extend_from_slice(b"}}");
    Bytes::from(out)
}

/// The error response to a message that was refused before anything was decided.
pub fn envelope(error: &EnvelopeError) -> Bytes {
    self::error(error.id(), error.code(), &error.message(), error.data().as_ref())
}

/// A response with this result, which must be JSON.
pub fn result(id: &[u8], result_json: &str) -> Bytes {
    let mut out = opening(Some(id));
    out.extend_from_slice(b",\"result\":");
    out.extend_from_slice(result_json.as_bytes());
    out.push(b'}');
    Bytes::from(out)
}

/// The answer to a refused `tools/call`: a tool result that the model reads, with the decision in
/// `_meta`.
pub fn refused_tool(id: &[u8], era: Era, text: &str, decision: &Value) -> Bytes {
    let kind = match era {
        Era::Modern => "\"resultType\":\"complete\",",
        Era::Legacy => "",
    };
    let text = quoted(text);
    let content = format!("\"content\":[{{\"type\":\"text\",\"text\":{text}}}],\"isError\":true");
    result(id, &format!("{{{kind}{content},\"_meta\":{{\"{DECISION}\":{decision}}}}}"))
}

/// The answer to any other refused request: error [`REFUSED`] with the decision in the `_meta` of
/// its `data`.
pub fn refused(id: &[u8], text: &str, decision: &Value) -> Bytes {
    error(Some(id), REFUSED, text, Some(&json!({ "_meta": { DECISION: decision } })))
}

/// A tool that does not exist, or that this caller may never use: the bytes are the same. So are
/// those of the two eras.
pub fn unknown_tool(id: &[u8], _: Era, name: &str) -> Bytes {
    unknown(id, "tool", name)
}

/// A prompt that does not exist, or that this caller may never use: the bytes are the same. So are
/// those of the two eras.
pub fn unknown_prompt(id: &[u8], _: Era, name: &str) -> Bytes {
    unknown(id, "prompt", name)
}

/// An MCP resource that does not exist, or that this caller may never use: the bytes are the same.
pub fn unknown_resource(id: &[u8], era: Era, uri: &str) -> Bytes {
    let code = match era {
        Era::Modern => INVALID_PARAMS,
        Era::Legacy => RESOURCE_NOT_FOUND,
    };
    error(Some(id), code, "resource not found", Some(&json!({ "uri": uri })))
}

/// A notification; the parameters must be JSON.
pub fn notification(method: &str, params_json: Option<&str>) -> Bytes {
    let method = quoted(method);
    Bytes::from(match params_json {
        Some(params) => {
            format!("{{\"jsonrpc\":\"2.0\",\"method\":{method},\"params\":{params}}}")
        }
        None => format!("{{\"jsonrpc\":\"2.0\",\"method\":{method}}}"),
    })
}

/// Text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn unknown(id: &[u8], what: &str, name: &str) -> Bytes {
    error(Some(id), INVALID_PARAMS, &format!("unknown {what} `{}`", quote(name)), None)
}

fn opening(id: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\"");
    if let Some(id) = id {
        out.extend_from_slice(b",\"id\":");
        out.extend_from_slice(id);
    }
    out
}
