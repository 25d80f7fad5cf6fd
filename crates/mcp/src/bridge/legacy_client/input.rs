//! What a modern server asks before it answers (2026-07-28, multi round-trip requests).

use serde_json::Value;

use crate::EnvelopeError;
use crate::reply::quoted;
use crate::splice::Members;

/// Questions of one round at most.
const MOST: usize = 16;
/// The longest state that is kept for a server, in bytes.
const LONGEST_STATE: usize = 64 << 10;

/// A server's questions, and what it wants back.
#[derive(Debug)]
pub struct InputRequired {
    /// What the client is to be asked.
    pub requests: Vec<InputRequest>,
    /// The state to be given back, as raw JSON.
    pub state: Option<String>,
}

/// One question.
#[derive(Debug)]
pub struct InputRequest {
    /// Its name among the answers.
    pub name: String,
    /// The method, as in the legacy era.
    pub method: String,
    /// Its parameters as raw JSON.
    pub params: Option<String>,
}

impl InputRequest {
    /// The question as a request of the legacy era under the raw `id`. An `elicitation/create` that
    /// sends the person to a page has an id of its own there.
    pub fn as_request(&self, id: &str, elicitation: Option<&str>) -> String {
        let mut params = self.params.clone().unwrap_or_else(|| "{}".to_owned());
        if let (Some(elicitation), Some(members)) = (elicitation, Members::of(&params)) {
            let mut edited: Vec<(String, String)> = members
                .0
                .iter()
                .filter(|(name, _)| name != "elicitationId")
                .map(|(name, value)| (name.to_string(), value.get().to_owned()))
                .collect();
            edited.push(("elicitationId".to_owned(), quoted(elicitation)));
            params = super::object(&edited);
        }
        let method = quoted(&self.method);
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":{method},\"params\":{params}}}")
    }

    /// The page that the person is sent to, where this is such a question.
    pub fn page(&self) -> Option<String> {
        let params: Value = serde_json::from_str(self.params.as_deref()?).ok()?;
        let is_page = params.get("mode").and_then(Value::as_str) == Some("url");
        let url = params.get("url").and_then(Value::as_str).unwrap_or_default();
        is_page.then(|| url.to_owned())
    }
}

pub(super) fn read(result: &Members<'_>) -> Result<InputRequired, EnvelopeError> {
    let malformed = |why: &'static str| EnvelopeError::invalid(why);
    let state = result.get("requestState");
    if state.is_some_and(|state| !state.starts_with('"') || state.len() > LONGEST_STATE) {
        return Err(malformed("`requestState` must be a string of bounded length"));
    }
    let asked = match result.get("inputRequests") {
        Some(asked) => {
            Members::of(asked).ok_or_else(|| malformed("`inputRequests` is no object"))?
        }
        None => Members(Vec::new()),
    };
    if asked.0.len() > MOST || (asked.0.is_empty() && state.is_none()) {
        return Err(malformed("a round asks for something, and for no more than that"));
    }
    let question = |(name, value): &(std::borrow::Cow<'_, str>, &serde_json::value::RawValue)| {
        let members = Members::of(value.get())?;
        let method = serde_json::from_str(members.get("method")?).ok()?;
        let params = members.get("params");
        let is_object = params.is_none_or(|params| params.starts_with('{'));
        let params = params.map(str::to_owned);
        is_object.then(|| InputRequest { name: name.to_string(), method, params })
    };
    let requests: Option<Vec<_>> = asked.0.iter().map(question).collect();
    let requests = requests.ok_or_else(|| malformed("a question without a method"))?;
    Ok(InputRequired { requests, state: state.map(str::to_owned) })
}
