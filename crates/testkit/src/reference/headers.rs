//! The headers of 2026-07-28 that repeat what the body says (SEP-2243): they must agree with it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::call::Failure;
use super::http::header;
use super::tools;

/// Checks `Mcp-Method`, `Mcp-Name` and each `Mcp-Param-*` against the body.
pub(super) fn check(headers: &HeaderMap, method: &str, params: &Value) -> Result<(), Failure> {
    same(headers, "mcp-method", Some(&Value::from(method)))?;
    let named = match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    };
    if let Some(member) = named {
        same(headers, "mcp-name", params.get(member))?;
    }
    if method == "tools/call" {
        let name = params["name"].as_str().unwrap_or_default();
        for (property, suffix) in tools::mirrored(name) {
            let value = params["arguments"].get(&property).filter(|value| !value.is_null());
            same(headers, &format!("mcp-param-{suffix}").to_ascii_lowercase(), value)?;
        }
    }
    Ok(())
}

/// Whether the header says `value`, or is absent when there is none.
fn same(headers: &HeaderMap, name: &str, value: Option<&Value>) -> Result<(), Failure> {
    let said = match headers.get(name) {
        None => None,
        Some(said) => Some(
            said.to_str()
                .ok()
                .and_then(|said| decode(said.trim()))
                .ok_or_else(|| mismatch(&format!("the header `{name}` cannot be read")))?,
        ),
    };
    match (said, value) {
        (None, None) => Ok(()),
        (Some(said), Some(value)) if agree(&said, value) => Ok(()),
        (None, Some(_)) => Err(mismatch(&format!("the header `{name}` is missing"))),
        (Some(_), None | Some(_)) => {
            Err(mismatch(&format!("the header `{name}` does not agree with the body")))
        }
    }
}

fn agree(said: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => said == text,
        // Integers are compared as numbers: `042` and `42` are the same.
        Value::Number(number) => said.parse::<i64>().ok() == number.as_i64(),
        Value::Bool(flag) => said == flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// The text behind a header's value, which may be wrapped as `=?base64?…?=`.
fn decode(value: &str) -> Option<String> {
    let wrapped = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    let Some(wrapped) = wrapped else { return Some(value.to_owned()) };
    String::from_utf8(STANDARD.decode(wrapped).ok()?).ok()
}

/// `HeaderMismatch`.
pub(super) fn mismatch(message: &str) -> Failure {
    Failure::new(-32020, message).with_status(StatusCode::BAD_REQUEST)
}

/// The revision that the header names.
pub(super) fn version(headers: &HeaderMap) -> Option<&str> {
    header(headers, "mcp-protocol-version")
}
