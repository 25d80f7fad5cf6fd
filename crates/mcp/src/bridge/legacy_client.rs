//! For a client of 2025-11-25 or earlier before a server of 2026-07-28: its requests in the words of
//! the server, and the server's answers in its own.

mod answer;
mod input;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::reply::quoted;
use crate::splice::Members;
use crate::{EnvelopeError, Message, reply, tree};

pub use answer::{Answer, answer};
pub use input::{InputRequest, InputRequired};

/// The revision that is spoken to the server.
pub const VERSION: &str = "2026-07-28";

const META: &str = "io.modelcontextprotocol/";
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const META_LEVEL: &str = "io.modelcontextprotocol/logLevel";
const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";
const META_SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
/// Members of `params` that mean something in the modern era alone, or in the legacy one alone. A
/// legacy client has no business with them: the state of a round is the gateway's to give back.
const FOREIGN: [&str; 3] = ["requestState", "inputResponses", "task"];

/// What a request says besides what its client said. All values are raw JSON.
#[derive(Debug, Clone, Copy)]
pub struct Dress<'a> {
    /// The id under which the server is asked.
    pub id: &'a str,
    /// What the client can do, as far as the server may know.
    pub capabilities: &'a str,
    /// Who the client says that it is.
    pub client_info: Option<&'a str>,
    /// From which level on log messages are wanted.
    pub log_level: Option<&'a str>,
    /// The token under which progress is told, where the client wants any.
    pub progress_token: Option<&'a str>,
    /// The answers to what the server asked, as an object.
    pub input_responses: Option<&'a str>,
    /// What the server gave to be given back.
    pub request_state: Option<&'a str>,
}

/// The request `message` of a legacy client as a modern one. Values of its parameters are those that
/// were decided on, byte for byte.
pub fn request(message: &Message, dress: &Dress<'_>) -> Bytes {
    let text = std::str::from_utf8(message.bytes()).unwrap_or_default();
    let params = message.params_span().and_then(|span| text.get(span));
    let params = params.and_then(Members::of).unwrap_or(Members(Vec::new()));
    let mut out = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":{},\"params\":{{\"_meta\":{}",
        dress.id,
        quoted(message.method()),
        meta(params.get("_meta"), dress),
    );
    for (name, value) in &params.0 {
        if name != "_meta" && !FOREIGN.contains(&name.as_ref()) {
            push(&mut out, name, value.get());
        }
    }
    for (name, value) in
        [("inputResponses", dress.input_responses), ("requestState", dress.request_state)]
    {
        if let Some(value) = value {
            push(&mut out, name, value);
        }
    }
    out.push_str("}}");
    Bytes::from(out)
}

fn push(out: &mut String, name: &str, value: &str) {
    out.push(',');
    out.push_str(&quoted(name));
    out.push(':');
    out.push_str(value);
}

/// What the modern era wants to know of every request, and what else the client's own says.
fn meta(own: Option<&str>, dress: &Dress<'_>) -> String {
    let mut out = format!(
        "{{\"{META_VERSION}\":\"{VERSION}\",\"{META_CAPABILITIES}\":{}",
        dress.capabilities
    );
    let own = own.and_then(Members::of).unwrap_or(Members(Vec::new()));
    for (name, value) in [
        (META_CLIENT, dress.client_info),
        (META_LEVEL, dress.log_level),
        ("progressToken", dress.progress_token.filter(|_| own.get("progressToken").is_some())),
    ] {
        if let Some(value) = value {
            push(&mut out, name, value);
        }
    }
    for (name, value) in &own.0 {
        // Reserved names are ours to write: the client's session says what they say.
        if !name.starts_with(META) && name != "progressToken" {
            push(&mut out, name, value.get());
        }
    }
    out.push('}');
    out
}

/// The answer to `initialize` that a server's answer to `server/discover` comes to; `named` is what
/// it is called when it does not say itself. An error of the server is nothing.
pub fn handshake(
    discovered: &[u8],
    id: &[u8],
    version: &str,
    named: &str,
    depth: usize,
) -> Result<Option<Bytes>, EnvelopeError> {
    let mut discovered = tree::read(discovered, depth)?;
    let Some(result) = discovered.get_mut("result").map(Value::take) else { return Ok(None) };
    let info = result.get("_meta").and_then(|meta| meta.get(META_SERVER));
    let info = info.or_else(|| result.get("serverInfo")).filter(|info| {
        let has = |name: &str| info.get(name).is_some_and(Value::is_string);
        has("name") && has("version")
    });
    let own = json!({ "name": named, "version": "unknown" });
    let capabilities = result.get("capabilities").filter(|value| value.is_object());
    let mut handshake = json!({
        "protocolVersion": version,
        "capabilities": capabilities.unwrap_or(&json!({})),
        "serverInfo": info.unwrap_or(&own),
    });
    if let (Some(words), Some(handshake)) =
        (result.get("instructions").filter(|words| words.is_string()), handshake.as_object_mut())
    {
        handshake.insert("instructions".to_owned(), words.clone());
    }
    Ok(Some(reply::result(id, &handshake.to_string())))
}

/// A notification of the server as a legacy client hears it; nothing when it does not. `token` is
/// the raw progress token that the server was given, and the client's own.
pub fn notification(bytes: &Bytes, token: Option<(&str, &str)>) -> Option<Bytes> {
    let text = std::str::from_utf8(bytes).ok()?;
    let envelope = Members::of(text)?;
    let method: String = serde_json::from_str(envelope.get("method")?).ok()?;
    if method == "notifications/subscriptions/acknowledged" {
        return None;
    }
    let params = envelope.get("params").and_then(Members::of);
    let Some(params) = params else { return Some(bytes.clone()) };
    let tagged = params.get("_meta").and_then(Members::of);
    let tagged = tagged.filter(|meta| meta.get(META_SUBSCRIPTION).is_some());
    let progress = method == "notifications/progress";
    if !progress && tagged.is_none() {
        return Some(bytes.clone());
    }
    let told = params.get("progressToken");
    if progress && (told.is_none() || told != token.map(|(ours, _)| ours)) {
        return None;
    }
    let mut edited: Vec<(String, String)> = Vec::new();
    for (name, value) in &params.0 {
        let value = match (name.as_ref(), token, &tagged) {
            ("progressToken", Some((_, theirs)), _) if progress => theirs.to_owned(),
            ("_meta", _, Some(meta)) => match without(meta, &[META_SUBSCRIPTION]) {
                Some(meta) => meta,
                None => continue,
            },
            _ => value.get().to_owned(),
        };
        edited.push((name.to_string(), value));
    }
    Some(reply::notification(&method, Some(&object(&edited))))
}

/// An object without some of its members; nothing when none is left.
fn without(members: &Members<'_>, names: &[&str]) -> Option<String> {
    let kept: Vec<(String, String)> = members
        .0
        .iter()
        .filter(|(name, _)| !names.contains(&name.as_ref()))
        .map(|(name, value): &(_, &RawValue)| (name.to_string(), value.get().to_owned()))
        .collect();
    (!kept.is_empty()).then(|| object(&kept))
}

/// The object with these members, whose values are raw JSON.
fn object(members: &[(String, String)]) -> String {
    let mut out = String::from("{");
    for (place, (name, value)) in members.iter().enumerate() {
        out.push_str(if place == 0 { "" } else { "," });
        out.push_str(&quoted(name));
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}
