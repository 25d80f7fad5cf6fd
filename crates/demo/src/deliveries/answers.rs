//! What each method is answered with.

use bytes::Bytes;
use kenward_mcp::dialect::Era;
use kenward_mcp::{EnvelopeError, reply};
use kenward_model::Target;
use serde_json::{Value, json};

use super::calls::{CallError, call};
use super::protocol::{Cacheable, discovered, initialized, result};
use super::{Shared, tools};

/// A request that is to be answered.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) era: Era,
    pub(super) id: &'a [u8],
    pub(super) method: &'a str,
    pub(super) target: &'a Target<'a>,
    pub(super) params: &'a Value,
    /// The session of a legacy client.
    pub(super) session: Option<&'a str>,
}

/// Answers a request that is no stream.
pub(super) fn answer(shared: &Shared, asked: &Asked<'_>) -> Result<Bytes, EnvelopeError> {
    let members = match asked.method {
        "initialize" => initialized(text(asked.params, "protocolVersion")),
        "server/discover" => discovered(),
        "ping" | "logging/setLevel" => json!({}),
        "tools/list" => json!({ "tools": tools::tools() }),
        "prompts/list" => json!({ "prompts": tools::prompts() }),
        "resources/list" => json!({ "resources": tools::resources() }),
        "resources/templates/list" => json!({ "resourceTemplates": tools::templates() }),
        "tools/call" => return Ok(tool(shared, asked)),
        "prompts/get" => return Ok(prompt(asked)),
        "resources/read" => return Ok(read(shared, asked)),
        "resources/subscribe" => return Ok(subscribe(shared, asked, true)),
        "resources/unsubscribe" => return Ok(subscribe(shared, asked, false)),
        other => return Err(EnvelopeError::unknown_method(other, asked.era)),
    };
    let is_list = asked.method.ends_with("/list") || asked.method == "server/discover";
    let cacheable = if is_list { Cacheable::Yes } else { Cacheable::No };
    Ok(asked.done(members, cacheable))
}

fn tool(shared: &Shared, asked: &Asked<'_>) -> Bytes {
    let name = asked.target.name().unwrap_or_default();
    let arguments = asked.params.get("arguments").unwrap_or(&Value::Null);
    match call(&shared.stock, name, arguments) {
        Ok(content) => {
            let text = json!([{ "type": "text", "text": content.to_string() }]);
            asked.done(json!({ "content": text, "structuredContent": content }), Cacheable::No)
        }
        Err(CallError::Said(why)) => {
            let text = json!([{ "type": "text", "text": why }]);
            asked.done(json!({ "content": text, "isError": true }), Cacheable::No)
        }
        Err(CallError::UnknownTool) => reply::unknown_tool(asked.id, asked.era, name),
    }
}

fn prompt(asked: &Asked<'_>) -> Bytes {
    let name = asked.target.name().unwrap_or_default();
    if name != "late_delivery_reply" {
        return reply::unknown_prompt(asked.id, asked.era, name);
    }
    let reason = asked.params.pointer("/arguments/reason").and_then(Value::as_str);
    let says = format!(
        "Write three friendly sentences to a customer whose parcel is late. The reason: {}. Do not \
         mention any address.",
        reason.unwrap_or("unknown")
    );
    let message = json!([{ "role": "user", "content": { "type": "text", "text": says } }]);
    asked.done(json!({ "messages": message }), Cacheable::No)
}

fn read(shared: &Shared, asked: &Asked<'_>) -> Bytes {
    let uri = asked.target.name().unwrap_or_default();
    let Some(today) = shared.stock.today(uri) else {
        return reply::unknown_resource(asked.id, asked.era, uri);
    };
    let contents = json!([{
        "uri": uri, "mimeType": "application/json", "text": today.to_string(),
    }]);
    asked.done(json!({ "contents": contents }), Cacheable::Yes)
}

fn subscribe(shared: &Shared, asked: &Asked<'_>, wanted: bool) -> Bytes {
    let uri = asked.target.name().unwrap_or_default();
    if shared.stock.today(uri).is_none() {
        return reply::unknown_resource(asked.id, asked.era, uri);
    }
    if let Some(session) = asked.session {
        let uris = shared.sessions.subscribe(session, uri, wanted);
        shared.listeners.set_session_uris(session, &uris);
    }
    asked.done(json!({}), Cacheable::No)
}

impl Asked<'_> {
    fn done(&self, members: Value, cacheable: Cacheable) -> Bytes {
        reply::result(self.id, &result(self.era, members, cacheable).to_string())
    }
}

fn text<'v>(params: &'v Value, name: &str) -> &'v str {
    params.get(name).and_then(Value::as_str).unwrap_or_default()
}
