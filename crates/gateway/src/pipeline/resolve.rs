//! Step 5, resolve: the row of the one table, the target, the session and the arguments' digest.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, Response, StatusCode};
use kenward_identity::grant::arguments_sha256;
use kenward_mcp::dialect::{Dialect, Era, supported};
use kenward_mcp::method::{self, Direction, RowKind, Treatment};
use kenward_mcp::mirror::Mirrors;
use kenward_mcp::{Message, reply};
use kenward_model::Target;
use serde_json::Value;

use super::{Call, Entry};
use crate::body::AnswerBody;
use crate::clock;
use crate::gateway::Gateway;
use crate::route::only;
use crate::sessions::Session;
use crate::stop::{Stop, bare, json};

/// How the name of a header begins that repeats an argument.
const MIRROR: &str = "mcp-param-";
/// The code for parameters that a method does not take.
const INVALID_PARAMS: i32 = -32602;

pub(super) async fn resolve(
    gateway: &Arc<Gateway>,
    entry: Entry,
    head: &Parts,
    message: Message,
    dialect: Dialect,
) -> Result<Call, Stop> {
    let row = method::admit(&message, dialect.era, Direction::ToServer)?;
    method::target(row, message.params()).map_err(|error| error.answering(message.id()))?;
    let session = match dialect.era {
        Era::Legacy if row.name != "initialize" => {
            Some(session_of(gateway, &entry, head, message.id())?)
        }
        Era::Legacy | Era::Modern => None,
    };
    let dialect =
        session.as_ref().and_then(|session| supported(session.version)).unwrap_or(dialect);
    let digest = digest(&message)?;
    let time = entry.time;
    let id = clock::decision_id(time).map_err(|_| Stop::Us {
        id: message.id().map(<[u8]>::to_vec),
        reference: "-".to_owned(),
    })?;
    let headers = forwarded_headers(&head.headers, dialect.era);
    let call = Call { id, entry, message, row, dialect, session, digest, headers };
    learn_definition(gateway, &call).await;
    mirrored_arguments(gateway, &call)?;
    Ok(call)
}

/// Headers that repeat arguments say what the arguments say, or the call goes no further
/// (2026-07-28, request metadata).
fn mirrored_arguments(gateway: &Gateway, call: &Call) -> Result<(), Stop> {
    let Target::Tool(name) = call.target() else { return Ok(()) };
    if !call.headers.keys().any(|header| header.as_str().starts_with(MIRROR)) {
        return Ok(());
    }
    let in_force = gateway.live.load();
    let Some(schema) = in_force.schema(&call.entry.server, &name) else { return Ok(()) };
    let Ok(mirrors) = Mirrors::of(schema) else { return Ok(()) };
    let header = |name: &str| only(&call.headers, name).ok().flatten();
    let arguments = call.message.params().get("arguments").unwrap_or(&Value::Null);
    let checked = mirrors.check(arguments, &header);
    Ok(checked.map_err(|error| error.answering(call.request_id()))?)
}

/// The session that a request names, if it is this caller's on this route.
pub(super) fn session_of(
    gateway: &Gateway,
    entry: &Entry,
    head: &Parts,
    id: Option<&[u8]>,
) -> Result<Arc<Session>, Stop> {
    let stop = |status| Stop::Session { status, id: id.map(<[u8]>::to_vec) };
    let name = only(&head.headers, "mcp-session-id").map_err(|()| stop(StatusCode::BAD_REQUEST))?;
    let name = name.ok_or_else(|| stop(StatusCode::BAD_REQUEST))?;
    let found = gateway.sessions.find(name, &entry.caller, &entry.server, entry.time);
    let session = found.ok_or_else(|| stop(StatusCode::NOT_FOUND))?;
    match only(&head.headers, "mcp-protocol-version") {
        Ok(Some(version)) if version != session.version => Err(stop(StatusCode::BAD_REQUEST)),
        Ok(_) => Ok(session),
        Err(()) => Err(stop(StatusCode::BAD_REQUEST)),
    }
}

/// The answer to a message that is never relayed: each leg answers its own pings.
pub(super) fn answered_here(call: &Call) -> Option<Response<AnswerBody>> {
    match call.row.treatment {
        Treatment::Local => {
            let body = reply::result(call.request_id().unwrap_or(b"null"), "{}");
            Some(json(StatusCode::OK, body))
        }
        Treatment::Swallow => Some(bare(StatusCode::ACCEPTED)),
        Treatment::Handshake
        | Treatment::List(_)
        | Treatment::Call
        | Treatment::Get
        | Treatment::Read
        | Treatment::Subscribe
        | Treatment::Listen
        | Treatment::Complete
        | Treatment::Level
        | Treatment::Cancelled
        | Treatment::Progress
        | Treatment::ServerRequest
        | Treatment::Delivery
        | Treatment::Refuse => None,
    }
}

/// Arguments that readers understand differently are not decided on.
fn digest(message: &Message) -> Result<[u8; 32], Stop> {
    let refuse =
        |words: &str| Stop::Answer(reply::error(message.id(), INVALID_PARAMS, words, None));
    let arguments = message.params().get("arguments");
    if arguments.is_some_and(|arguments| !arguments.is_object()) {
        return Err(refuse("member `arguments` must be an object"));
    }
    arguments_sha256(arguments.unwrap_or(&Value::Null)).map_err(|error| refuse(&error.to_string()))
}

/// The headers of MCP and of tracing; nothing else of a client's reaches a server. In the legacy
/// era no header repeats the body, so none that does is passed on.
fn forwarded_headers(headers: &HeaderMap, era: Era) -> HeaderMap {
    let goes_on = |name: &HeaderName| match name.as_str() {
        "traceparent" | "tracestate" => true,
        "mcp-method" | "mcp-name" => era == Era::Modern,
        name => era == Era::Modern && name.starts_with(MIRROR),
    };
    let mut kept = HeaderMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| goes_on(name)) {
        kept.append(name.clone(), value.clone());
    }
    kept
}

/// Policies may speak of a tool's arguments: its definition is asked for before the first call.
async fn learn_definition(gateway: &Arc<Gateway>, call: &Call) {
    if let (RowKind::Request, Target::Tool(name)) = (call.row.kind, call.target()) {
        let known = gateway.live.load().is_defined(&call.entry.server, &name);
        if !known {
            Box::pin(gateway.definitions.ask(gateway, call)).await;
        }
    }
}
