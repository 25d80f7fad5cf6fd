//! Opens a session: `initialize` and `notifications/initialized`, in the name of the caller.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use kenward_mcp::dialect::{Era, supported};
use kenward_mcp::tree;
use serde_json::{Value, json};

use super::declared::Declared;
use super::own::{Own, REVISION, answer_to, own};
use super::session::{Introduced, ServerSession, Wire, granted_line, sent, with_grant};
use crate::gateway::Gateway;
use crate::pipeline::{Call, Entry};
use crate::settings::{ServerSettings, Transport};
use crate::upstream::{Process, Program, Reply, UpstreamError};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// The oldest revision; only processes speak it as we do.
const FIRST: &str = "2024-11-05";
/// The id of the first request; those after it count upwards from 1.
const ID: &str = "0";

pub(super) async fn open(
    gateway: &Arc<Gateway>,
    call: &Call,
    declared: Declared,
) -> Result<ServerSession, UpstreamError> {
    let entry = &call.entry;
    let params = json!({
        "protocolVersion": REVISION,
        "capabilities": declared.json(),
        "clientInfo": { "name": "kenward", "version": env!("CARGO_PKG_VERSION") },
    });
    let own = own(gateway, entry, "initialize", &params)?;
    let opened = initialized(gateway, entry, &own).await;
    own.ended(gateway, &opened);
    let session = opened?;
    confirm(gateway, entry, &session).await?;
    Ok(session)
}

async fn initialized(
    gateway: &Gateway,
    entry: &Entry,
    own: &Own,
) -> Result<ServerSession, UpstreamError> {
    let server = entry.settings.servers.get(&entry.server).ok_or(UpstreamError::Unreachable)?;
    let body = own.call.message.with_id(ID);
    let (wire, answer) = match &server.transport {
        Transport::Http(_) => over_http(entry, server, own, body).await?,
        Transport::Stdio { command, environment } => {
            let (server, longest) = (&entry.server, entry.settings.limits.event);
            let program = Program { server, command, environment, longest };
            let process = gateway.processes.start(&entry.caller, &program)?;
            in_process(entry, own, process, body).await?
        }
    };
    let is_process = matches!(wire, Wire::Process(_));
    let introduced = introduced(&answer, entry.settings.limits.depth, is_process)?;
    let (settings, server) = (Arc::clone(&entry.settings), entry.server.clone());
    Ok(ServerSession::new(settings, server, wire, introduced))
}

async fn over_http(
    entry: &Entry,
    server: &ServerSettings,
    own: &Own,
    body: Bytes,
) -> Result<(Wire, Bytes), UpstreamError> {
    let headers: HeaderMap = with_grant(own.grant.as_ref())?;
    let patience = entry.settings.limits.answer_time;
    let reply = sent(server, Method::POST, body, headers, patience).await?;
    let id: Option<HeaderValue> = match &reply {
        Reply::Json { headers, .. } | Reply::Events { headers, .. } => {
            headers.get(SESSION).cloned()
        }
        Reply::Lines(_) | Reply::Accepted | Reply::NotOffered => None,
    };
    Ok((Wire::Http(id), answer_to(ID, reply, &entry.settings).await?))
}

async fn in_process(
    entry: &Entry,
    own: &Own,
    process: Arc<Process>,
    body: Bytes,
) -> Result<(Wire, Bytes), UpstreamError> {
    let body = match &own.grant {
        Some(grant) => granted_line(body, grant, &entry.settings)?,
        None => body,
    };
    let lines = process.request(ID.as_bytes(), None, &body).await?;
    let answer = answer_to(ID, Reply::Lines(lines), &entry.settings).await?;
    Ok((Wire::Process(process), answer))
}

fn introduced(answer: &Bytes, depth: usize, is_process: bool) -> Result<Introduced, UpstreamError> {
    let malformed = || UpstreamError::Misbehaved("a malformed handshake");
    let mut answer = tree::read(answer, depth).map_err(|_| malformed())?;
    let result = answer.get_mut("result").and_then(Value::as_object_mut);
    let result = result.ok_or(UpstreamError::Misbehaved("it opens no session"))?;
    let named = result.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
    let spoken = supported(named).filter(|dialect| dialect.era == Era::Legacy);
    let version = match spoken {
        Some(dialect) => dialect.version,
        None if is_process && named == FIRST => FIRST,
        None => return Err(UpstreamError::Misbehaved("an unknown revision")),
    };
    let capabilities = result.remove("capabilities").filter(Value::is_object);
    let server_info = result.get("serverInfo").filter(|info| info.is_object());
    Ok(Introduced {
        version,
        capabilities: capabilities.unwrap_or_else(|| json!({})),
        server_info: server_info.map(ToString::to_string),
        instructions: result.get("instructions").and_then(Value::as_str).map(str::to_owned),
    })
}

async fn confirm(
    gateway: &Gateway,
    entry: &Entry,
    session: &ServerSession,
) -> Result<(), UpstreamError> {
    let own = own(gateway, entry, "notifications/initialized", &json!({}))?;
    let told = session.tell(own.call.message.bytes().clone(), own.grant.as_ref()).await;
    own.ended(gateway, &told);
    told
}
