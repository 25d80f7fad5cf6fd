//! What is taken out of a message before it goes on; everything else stays byte for byte.

use bytes::Bytes;
use kenward_live::InForce;
use kenward_mcp::dialect::Era;
use kenward_mcp::{Limits, Message};
use kenward_model::Target;
use kenward_policy::Verdict;
use serde_json::Value;

use super::Call;
use crate::stop::Stop;

/// Where a modern request declares what its client can do.
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// The prefix of the members that the gateway alone writes.
const OURS: &str = "dev.kenward/";

/// What a server may ask the client for, and the capability that says so.
const SERVER_REQUESTS: [(&str, &str); 3] = [
    ("elicitation/create", "elicitation"),
    ("sampling/createMessage", "sampling"),
    ("roots/list", "roots"),
];
/// Capabilities of the client that no policy can speak of yet; they are never passed on.
const UNPOLICED: [&str; 3] = ["tasks", "experimental", "extensions"];

/// The message as it goes on.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) body: Bytes,
    /// The requests of the server that policy lets through.
    pub(crate) server_requests: Vec<&'static str>,
}

pub(super) fn prepare(call: &Call, in_force: &InForce) -> Result<Prepared, Stop> {
    let declared = declared(call);
    let mut server_requests = Vec::new();
    let mut removed: Vec<Vec<String>> = forged(call.message.params());
    if let Some((path, capabilities)) = declared {
        let held = |name: &str| capabilities.get(name).is_some();
        for (method, capability) in SERVER_REQUESTS.into_iter().filter(|(_, name)| held(name)) {
            let params = Value::Null;
            let now = call.entry.time;
            match call.judge_other(in_force, now, method, Target::Server, &params) {
                Verdict::Allow(_) => server_requests.push(method),
                Verdict::Refuse(_) => removed.push(within(&path, capability)),
            }
        }
        removed.extend(
            UNPOLICED.into_iter().filter(|name| held(name)).map(|name| within(&path, name)),
        );
    }
    let body = without(call, &removed)?;
    let body = negotiated(call, body)?;
    Ok(Prepared { body, server_requests })
}

/// The capabilities that the client declares in this message, and where.
fn declared(call: &Call) -> Option<(Vec<String>, &Value)> {
    let params = call.message.params();
    match call.dialect.era {
        Era::Legacy => Some((vec!["capabilities".to_owned()], params.get("capabilities")?))
            .filter(|_| call.row.name == "initialize"),
        Era::Modern => {
            let path = vec!["_meta".to_owned(), CAPABILITIES.to_owned()];
            Some((path, params.get("_meta")?.get(CAPABILITIES)?))
        }
    }
}

/// Members that only we may write, as written by the client.
fn forged(params: &Value) -> Vec<Vec<String>> {
    let meta = params.get("_meta").and_then(Value::as_object);
    let names = meta.into_iter().flat_map(serde_json::Map::keys);
    names
        .filter(|name| name.starts_with(OURS))
        .map(|name| vec!["_meta".to_owned(), name.clone()])
        .collect()
}

fn within(path: &[String], name: &str) -> Vec<String> {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

/// The message without the members at `paths`.
fn without(call: &Call, paths: &[Vec<String>]) -> Result<Bytes, Stop> {
    let mut bytes = call.message.bytes().clone();
    for path in paths {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let message = again(call, bytes.clone())?;
        if let Some(edited) = message.with_params_member(&path, None) {
            bytes = edited;
        }
    }
    Ok(bytes)
}

/// An `initialize` that asks for a revision that is not spoken here asks for ours.
fn negotiated(call: &Call, body: Bytes) -> Result<Bytes, Stop> {
    let asked = call.message.params().get("protocolVersion").and_then(Value::as_str);
    if call.row.name != "initialize" || asked == Some(call.dialect.version) {
        return Ok(body);
    }
    let version = Value::from(call.dialect.version).to_string();
    let edited =
        again(call, body.clone())?.with_params_member(&["protocolVersion"], Some(&version));
    Ok(edited.unwrap_or(body))
}

/// An edited message is parsed again: what goes on has passed the same checks.
fn again(call: &Call, bytes: Bytes) -> Result<Message, Stop> {
    let limits = &call.entry.settings.limits;
    Ok(Message::parse(bytes, &Limits { body: limits.body, depth: limits.depth })?)
}

#[cfg(test)]
mod tests;
