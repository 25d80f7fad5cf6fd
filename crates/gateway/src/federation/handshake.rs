//! What the endpoint of all servers says of itself, to whoever may use one of them.

use http::{HeaderValue, Response, StatusCode};
use kenward_mcp::dialect::{Era, SUPPORTED};
use kenward_mcp::method::Row;
use kenward_mcp::reply;
use kenward_model::ServerName;
use serde_json::{Value, json};

use super::visit::Visit;
use crate::body::AnswerBody;
use crate::stop::{self, Stop, bare};

/// The longest `initialize` that is kept for the sessions behind, in bytes.
const LONGEST: usize = 64 << 10;
const INVALID_PARAMS: i32 = -32602;
/// Where a modern result says who made it.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

pub(super) async fn answer(visit: &Visit, row: &'static Row) -> Result<Response<AnswerBody>, Stop> {
    match row.name {
        "initialize" => initialize(visit, row).await,
        "server/discover" => discover(visit, row).await,
        // Each session behind is told when it is opened.
        _ => Ok(bare(StatusCode::ACCEPTED)),
    }
}

async fn initialize(visit: &Visit, row: &'static Row) -> Result<Response<AnswerBody>, Stop> {
    let id = visit.message.id().unwrap_or(b"null");
    if visit.message.bytes().len() > LONGEST {
        let words = format!("`initialize` is longer than {LONGEST} bytes");
        return Err(Stop::Answer(reply::error(Some(id), INVALID_PARAMS, &words, None)));
    }
    let servers = permitted(visit, row).await?;
    let version = visit.dialect.version;
    let (gateway, caller) = (&visit.gateway, &visit.known.caller);
    let us = || Stop::Us { id: visit.id(), reference: "-".to_owned() };
    let opening = visit.message.clone();
    let opened = gateway.federation.sessions.open(&gateway.sessions, caller, version, opening);
    let session = opened.map_err(|_| us())?;
    let result = json!({
        "protocolVersion": version,
        "capabilities": capabilities(),
        "serverInfo": server_info(),
        "instructions": instructions(&servers),
    });
    let mut response = stop::json(StatusCode::OK, reply::result(id, &result.to_string()));
    let name = HeaderValue::from_str(&session.id).map_err(|_| us())?;
    response.headers_mut().insert("mcp-session-id", name);
    Ok(response)
}

async fn discover(visit: &Visit, row: &'static Row) -> Result<Response<AnswerBody>, Stop> {
    let servers = permitted(visit, row).await?;
    let modern = SUPPORTED.iter().filter(|dialect| dialect.era == Era::Modern);
    let versions: Vec<&str> = modern.map(|dialect| dialect.version).collect();
    let result = json!({
        "resultType": "complete",
        "supportedVersions": versions,
        "capabilities": capabilities(),
        "instructions": instructions(&servers),
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": { SERVER_INFO: server_info() },
    });
    let id = visit.message.id().unwrap_or(b"null");
    Ok(stop::json(StatusCode::OK, reply::result(id, &result.to_string())))
}

/// The servers that this caller may use; the decision on each is recorded as it would be there.
async fn permitted(visit: &Visit, row: &'static Row) -> Result<Vec<ServerName>, Stop> {
    let servers = visit.servers(row)?;
    if servers.is_empty() {
        visit.permitted_somewhere(row).await?;
    }
    for server in &servers {
        visit.decide_at(server, row).await?;
    }
    Ok(servers)
}

/// What can be asked here. A server that does not offer something offers nothing of it: no session
/// is opened at any server before it is used, only to find that out.
fn capabilities() -> Value {
    json!({
        "tools": { "listChanged": true },
        "prompts": { "listChanged": true },
        "resources": { "listChanged": true, "subscribe": true },
        "completions": {},
        "logging": {},
    })
}

fn server_info() -> Value {
    json!({ "name": "kenward", "version": env!("CARGO_PKG_VERSION") })
}

/// Nothing that a server says of itself: words of one would be read as holding for all.
fn instructions(servers: &[ServerName]) -> String {
    let names: Vec<&str> = servers.iter().map(ServerName::as_str).collect();
    format!(
        "Several servers as one: {}. The names of tools and prompts begin with the server's name and \
         two underscores.",
        names.join(", ")
    )
}
