//! What a server asks the client for: a request of its own in the legacy era, a part of a result in
//! the modern one.

use std::borrow::Cow;

use serde_json::Value;

use super::{kept, once};
use crate::envelope::Envelope;
use crate::splice::Members;
use crate::{EnvelopeError, Message, tree};

/// The code by which a legacy server says that the person has to visit a page first.
const VISIT: i64 = -32042;
/// Pages that one error may name.
const MOST: usize = 8;

/// A request of a server, ready to be part of `inputRequests`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The raw id that the answer goes to.
    pub id: Vec<u8>,
    /// The method.
    pub method: String,
    /// Method and parameters, as JSON.
    pub json: String,
    /// The page that it wants to be visited, if it is that kind of question.
    pub url: Option<String>,
}

/// A page that the person is to visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Why.
    pub message: String,
    /// Where.
    pub url: String,
}

impl Visit {
    /// The page as an entry of `inputRequests`.
    pub fn json(&self) -> Value {
        serde_json::json!({
            "method": "elicitation/create",
            "params": { "mode": "url", "message": self.message, "url": self.url },
        })
    }
}

/// Reads a request of a legacy server as a question of the modern era: without `_meta`, `task` and
/// `elicitationId`, which only the legacy era knows.
///
/// # Errors
/// It is no request, or not one that everybody reads alike.
pub fn question(message: &[u8], depth: usize) -> Result<Asked, EnvelopeError> {
    tree::check(message, depth)?;
    let text = tree::text(message)?;
    let (envelope, _) = Envelope::read(text)?;
    let nothing = || EnvelopeError::invalid("it is no request");
    let id = envelope.valid_id().ok_or_else(nothing)?.to_vec();
    let method = envelope.method.as_deref().ok_or_else(nothing)?.to_owned();
    let mut json = format!("{{\"method\":{}", crate::reply::quoted(&method));
    let mut url = None;
    if let Some(params) = envelope.params {
        let params = kept(params.get(), &|name, raw| match name {
            "_meta" | "task" | "elicitationId" => None,
            _ => Some(Cow::Borrowed(raw)),
        });
        let params = params.ok_or_else(nothing)?;
        if once(&params, "mode")? == Some("\"url\"") {
            let raw = once(&params, "url")?.unwrap_or("\"\"");
            url = Some(serde_json::from_str(raw).unwrap_or_default());
        }
        json.push_str(",\"params\":");
        json.push_str(&params);
    }
    json.push('}');
    Ok(Asked { id, method, json, url })
}

/// The pages that an error response says have to be visited first; nothing when it is another
/// error, or names none.
pub fn visits(response: &[u8], depth: usize) -> Option<Vec<Visit>> {
    let response = tree::read(response, depth).ok()?;
    let error = response.get("error")?;
    if error.get("code").and_then(Value::as_i64) != Some(VISIT) {
        return None;
    }
    let named = error.pointer("/data/elicitations").and_then(Value::as_array);
    let visit = |one: &Value| {
        let text = |name: &str| one.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Visit { message: text("message")?, url: text("url")? })
    };
    let visits: Option<Vec<Visit>> = named?.iter().take(MOST).map(visit).collect();
    visits.filter(|visits| !visits.is_empty())
}

/// The client's answer to the question `key`, byte for byte; it must be an object.
pub fn input_response<'m>(message: &'m Message, key: &str) -> Option<&'m str> {
    let params = message.bytes().get(message.params_span()?)?;
    let params = Members::of(std::str::from_utf8(params).ok()?)?;
    let answers = Members::of(params.get("inputResponses")?)?;
    answers.get(key).filter(|answer| answer.starts_with('{'))
}
