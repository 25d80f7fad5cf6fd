//! One request to a modern server, over HTTP or to a process, and where its answer comes from.

use http::{HeaderMap, HeaderName, HeaderValue};
use kenward_mcp::bridge::legacy_client::{Dress, VERSION, request};
use kenward_mcp::dialect::{encode_header_value, mirrored_name};
use kenward_mcp::mirror::Mirrors;
use kenward_mcp::{Limits, Message};
use kenward_model::Target;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Modern, POST};
use crate::gateway::Gateway;
use crate::pipeline::{Call, GRANT, GRANT_MEMBER, Minted, collect};
use crate::settings::{ServerSettings, Transport};
use crate::source::Source;
use crate::upstream::{HttpRequest, Process, Program, Reply, UpstreamError, send};

/// A request under way. Dropped before its answer, the server hears or sees that nobody waits.
#[derive(Debug)]
pub(super) struct Asked {
    /// The raw id under which the server was asked; it is the progress token too.
    pub(super) id: String,
    pub(super) source: Source,
}

/// What a round brings along besides the message.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// The answers of the client, as JSON.
    pub(super) responses: Option<String>,
    /// The state of the server, as JSON.
    pub(super) state: Option<String>,
}

/// Sends `message`, which `call` was decided for.
pub(super) async fn ask(
    gateway: &Gateway,
    call: &Call,
    modern: &Modern,
    message: &Message,
    round: &Round,
    grant: Option<Minted>,
) -> Result<Asked, UpstreamError> {
    let id = format!("\"kenward-{}\"", call.id);
    let level = modern.level();
    let dress = Dress {
        id: &id,
        capabilities: &modern.capabilities,
        client_info: modern.client_info.as_deref(),
        log_level: level.as_deref(),
        progress_token: Some(&id),
        input_responses: round.responses.as_deref(),
        request_state: round.state.as_deref(),
    };
    let body = request(message, &dress);
    let limits = &call.entry.settings.limits;
    let wider = Limits { body: limits.body * 3, depth: limits.depth + 2 };
    let broken = |_| UpstreamError::Misbehaved("the message cannot be said in its era");
    // What goes on has passed the same checks as what was decided on.
    let said = Message::parse(body, &wider).map_err(broken)?;
    let server = call.entry.settings.servers.get(&call.entry.server);
    let server = server.ok_or(UpstreamError::Unreachable)?;
    match &server.transport {
        Transport::Http(_) => http(gateway, call, server, said, id, grant).await,
        Transport::Stdio { command, environment } => {
            let (server, longest) = (&call.entry.server, call.entry.settings.limits.event);
            let program = Program { server, command, environment, longest };
            let process = gateway.processes.of(&call.entry.caller, &program)?;
            line(call, &process, said, id, grant).await
        }
    }
}

async fn http(
    gateway: &Gateway,
    call: &Call,
    server: &ServerSettings,
    said: Message,
    id: String,
    grant: Option<Minted>,
) -> Result<Asked, UpstreamError> {
    let Transport::Http(uri) = &server.transport else { return Err(UpstreamError::Unreachable) };
    let mut headers = headers(gateway, call, &said)?;
    if let Some(grant) = grant {
        let value = grant.header().ok_or(UpstreamError::Misbehaved("the grant is no header"))?;
        headers.insert(GRANT, value);
    }
    let limits = &call.entry.settings.limits;
    let (body, patience) = (said.bytes().clone(), limits.answer_time);
    let credential = &server.credential;
    let sent = send(HttpRequest { method: POST, uri, headers, credential, body, patience }).await?;
    let source = match sent {
        Reply::Json { body, .. } => {
            let (sender, lines) = mpsc::channel(1);
            // The channel is new and has room for one.
            let _room = sender.try_send(collect(body, limits.answer).await?);
            Source::Lines(lines.into())
        }
        Reply::Events { body, .. } => Source::events(body, limits.event),
        Reply::Lines(lines) => Source::Lines(lines),
        Reply::Accepted | Reply::NotOffered => {
            return Err(UpstreamError::Misbehaved("no answer to a request"));
        }
    };
    Ok(Asked { id, source })
}

/// The headers that repeat the body (2026-07-28, request metadata), and those of tracing.
fn headers(gateway: &Gateway, call: &Call, said: &Message) -> Result<HeaderMap, UpstreamError> {
    let odd = |_| UpstreamError::Misbehaved("the message has no headers");
    let mut headers = call.headers.clone();
    headers.insert("mcp-protocol-version", HeaderValue::from_static(VERSION));
    headers.insert("mcp-method", HeaderValue::try_from(said.method()).map_err(odd)?);
    if let Some(name) = mirrored_name(said) {
        let value = HeaderValue::try_from(encode_header_value(name)).map_err(odd)?;
        headers.insert("mcp-name", value);
    }
    if let Target::Tool(tool) = call.target() {
        let in_force = gateway.live.load();
        let schema = in_force.schema(&call.entry.server, &tool);
        let mirrors = schema.and_then(|schema| Mirrors::of(schema).ok()).unwrap_or_default();
        let arguments = said.params().get("arguments").unwrap_or(&Value::Null);
        for (name, value) in mirrors.headers(arguments) {
            let name = HeaderName::try_from(name)
                .map_err(|_| UpstreamError::Misbehaved("a mirrored argument has no header"))?;
            headers.insert(name, HeaderValue::try_from(value).map_err(odd)?);
        }
    }
    Ok(headers)
}

async fn line(
    call: &Call,
    process: &Process,
    said: Message,
    id: String,
    grant: Option<Minted>,
) -> Result<Asked, UpstreamError> {
    let body = match grant {
        Some(grant) => said.with_meta(GRANT_MEMBER, &format!("\"{}\"", grant.text())),
        None => said.bytes().clone(),
    };
    let sending = process.request(id.as_bytes(), Some(id.as_bytes()), &body);
    let patience = call.entry.settings.limits.answer_time;
    let sent = tokio::time::timeout(patience, sending).await.unwrap_or(Err(UpstreamError::Slow));
    // The session is the gateway's: it outlives the process, and the next call starts another.
    let ended = |error| {
        let is_session = error == UpstreamError::SessionEnded;
        if is_session { UpstreamError::Misbehaved("the process ended") } else { error }
    };
    let source = Source::Lines(sent.map_err(ended)?.cancelling(true));
    Ok(Asked { id, source })
}
