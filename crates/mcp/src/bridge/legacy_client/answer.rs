//! The answer of a modern server as a legacy client reads it.

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::input::{self, InputRequired};
use super::object;
use crate::envelope::Envelope;
use crate::reply::quoted;
use crate::splice::Members;
use crate::{EnvelopeError, reply, tree};

/// Members of results that only the modern era has.
const MODERN: [&str; 3] = ["resultType", "ttlMs", "cacheScope"];
/// Something failed on the server's side, or on ours.
const INTERNAL: i64 = -32603;
const INVALID_PARAMS: i64 = -32602;
/// An MCP resource that does not exist, in the legacy era.
const RESOURCE_NOT_FOUND: i64 = -32002;
/// The client lacks a capability that the server needs (2026-07-28, error codes).
const CAPABILITY: i64 = -32021;

/// What a modern server's response comes to.
#[derive(Debug)]
pub enum Answer {
    /// The response to the client's own request.
    Final(Bytes),
    /// The server asks first.
    Input(InputRequired),
}

/// What `response` comes to for the client's request `id` of `method`. The bytes of what it carries
/// stay. A result of a kind that nobody asked for is an error.
pub fn answer(
    response: &Bytes,
    id: &[u8],
    method: &str,
    depth: usize,
) -> Result<Answer, EnvelopeError> {
    tree::check(response, depth)?;
    let text = tree::text(response)?;
    let (envelope, _) = Envelope::read(text)?;
    if let Some(error) = envelope.error {
        return Ok(Answer::Final(failure(id, method, error)));
    }
    let result = envelope.result.map(RawValue::get).and_then(Members::of);
    let result = result.ok_or_else(|| EnvelopeError::invalid("it is no response"))?;
    let kind = result.get("resultType").map(serde_json::from_str::<String>);
    match kind {
        None => Ok(Answer::Final(whole(id, method, &result))),
        Some(Ok(kind)) if kind == "complete" => Ok(Answer::Final(whole(id, method, &result))),
        Some(Ok(kind)) if kind == "input_required" => input::read(&result).map(Answer::Input),
        Some(_) => Err(EnvelopeError::invalid("a result of a kind not asked for")),
    }
}

fn whole(id: &[u8], method: &str, result: &Members<'_>) -> Bytes {
    let mut members: Vec<(String, String)> = Vec::new();
    let mut unplaced = None;
    for (name, value) in &result.0 {
        let value = value.get();
        let kept = match name.as_ref() {
            name if MODERN.contains(&name) => continue,
            // Before 2026-07-28 it is an object or it is not there.
            "structuredContent" if !value.starts_with('{') => {
                unplaced = Some(value);
                continue;
            }
            "tools" if method == "tools/list" => tools(value),
            _ => value.to_owned(),
        };
        members.push((name.to_string(), kept));
    }
    if let Some(value) = unplaced {
        as_text(&mut members, value);
    }
    reply::result(id, &object(&members))
}

/// What cannot be structured content is text, unless there is text already.
fn as_text(members: &mut Vec<(String, String)>, value: &str) {
    let content = format!("[{{\"type\":\"text\",\"text\":{}}}]", quoted(value));
    match members.iter_mut().find(|(name, _)| name == "content") {
        Some((_, old)) if is_empty(old) => *old = content,
        Some(_) => {}
        None => members.push(("content".to_owned(), content)),
    }
}

fn is_empty(array: &str) -> bool {
    serde_json::from_str::<Vec<&RawValue>>(array).is_ok_and(|items| items.is_empty())
}

/// The tools, of which those that promise no object promise nothing.
fn tools(list: &str) -> String {
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(list) else { return list.to_owned() };
    let kept: Vec<String> = items.into_iter().map(|item| tool(item.get())).collect();
    format!("[{}]", kept.join(","))
}

fn tool(definition: &str) -> String {
    let whole = || definition.to_owned();
    let Some(members) = Members::of(definition) else { return whole() };
    let Some(schema) = members.get("outputSchema") else { return whole() };
    let kind = Members::of(schema).and_then(|schema| schema.get("type").map(str::to_owned));
    if kind.as_deref() == Some("\"object\"") {
        return whole();
    }
    super::without(&members, &["outputSchema"]).unwrap_or_else(whole)
}

/// An error whose code the client knows.
fn failure(id: &[u8], method: &str, error: &RawValue) -> Bytes {
    let error: Value = serde_json::from_str(error.get()).unwrap_or_default();
    let code = error.get("code").and_then(Value::as_i64).unwrap_or(INTERNAL);
    let words = error.get("message").and_then(Value::as_str).unwrap_or_default();
    let data = error.get("data");
    let names_uri = data.and_then(|data| data.get("uri")).is_some_and(Value::is_string);
    match code {
        INVALID_PARAMS if method == "resources/read" && names_uri => {
            told(id, RESOURCE_NOT_FOUND, words, data)
        }
        CAPABILITY => {
            let words = format!("the client does not offer what the server needs: {words}");
            if method == "tools/call" {
                let content = json!([{ "type": "text", "text": words }]);
                let result = json!({ "content": content, "isError": true });
                return reply::result(id, &result.to_string());
            }
            told(id, INTERNAL, &words, None)
        }
        // Between the gateway and the server: nothing that the client did.
        -32022 | -32020 => told(id, INTERNAL, "the server did not understand the gateway", None),
        code => told(id, code, words, data),
    }
}

fn told(id: &[u8], code: i64, words: &str, data: Option<&Value>) -> Bytes {
    reply::error(Some(id), i32::try_from(code).unwrap_or(-32603), words, data)
}
