//! The end of a handshake: what a server says of itself, cut to what is policed, and the session.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use kenward_audit::Outcome as Ending;
use kenward_mcp::dialect::{Era, supported};
use kenward_mcp::scan::{self, ShapeKind};
use kenward_mcp::tree;
use serde_json::{Map, Value, json};

use super::copied::{self, Instructions};
use super::filter::{collect, failed, within};
use super::{Release, Released};
use crate::body::AnswerBody;
use crate::bridge;
use crate::clock;
use crate::sessions::{Behind, Opening};
use crate::source::Source;
use crate::stop::{self, Stop};
use crate::upstream::{Process, Reply, UpstreamError};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// What servers offer that every message of is in the table; the rest is not passed on.
const POLICED: [&str; 5] = ["tools", "prompts", "resources", "completions", "logging"];
/// The lists whose changes we announce ourselves, whatever the server does.
const LISTS: [&str; 3] = ["tools", "prompts", "resources"];
/// How long a client may rely on what a server says of itself, in milliseconds.
const LONGEST_TTL: u64 = 1_000;

/// What forwarding the handshake brought with it.
pub(super) struct Opened {
    /// The process that was started for the session, when the server is one.
    pub(super) started: Option<Arc<Process>>,
    /// What a session keeps whose server has none.
    pub(super) bridged: Option<bridge::Modern>,
    pub(super) server_requests: Vec<&'static str>,
}

pub(super) async fn finish(
    reply: Reply,
    opened: Opened,
    mut release: Release,
) -> Result<Response<AnswerBody>, Stop> {
    let mut behind = None;
    let patience = release.call.entry.settings.limits.answer_time;
    let (status, answer) = match reply {
        Reply::Json { status, headers, body } => {
            behind = headers.get(SESSION).cloned();
            let largest = release.call.entry.settings.limits.answer;
            (status, within(patience, collect(body, largest)).await)
        }
        Reply::Events { headers, body } => {
            behind = headers.get(SESSION).cloned();
            let longest = release.call.entry.settings.limits.event;
            let source = Source::events(body, longest);
            (StatusCode::OK, within(patience, response_of(source)).await)
        }
        Reply::Lines(lines) => {
            (StatusCode::OK, within(patience, response_of(Source::Lines(lines))).await)
        }
        Reply::Accepted | Reply::NotOffered => {
            (StatusCode::OK, Err(UpstreamError::Misbehaved("no answer to a handshake")))
        }
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Err(failed(&mut release, error).await),
    };
    if let Some(refusal) = release.withdrawn().await {
        return Ok(stop::json(StatusCode::OK, refusal));
    }
    let says = copied::instructions(&release, &answer).await;
    match rewritten(&answer, &release, says) {
        Ok(Some((bytes, version))) => open(behind, opened, bytes, version, release),
        Ok(None) => {
            let Released::Last(bytes) = release.message(answer).await else {
                return Err(failed(&mut release, UpstreamError::Misbehaved("no answer")).await);
            };
            Ok(stop::json(status, bytes))
        }
        Err(error) => Err(failed(&mut release, error).await),
    }
}

/// The first response that comes; what a server says before it is nobody's yet.
async fn response_of(mut source: Source) -> Result<Bytes, UpstreamError> {
    while let Some(event) = source.next().await {
        let data = event?.data;
        if scan::shape(&data).is_ok_and(|shape| shape.kind == ShapeKind::Response) {
            return Ok(data);
        }
    }
    Err(UpstreamError::Misbehaved("the stream ended before the answer"))
}

/// The response with what we carry, and the revision agreed on; nothing for an error response.
fn rewritten(
    answer: &Bytes,
    release: &Release,
    says: Instructions,
) -> Result<Option<(Bytes, Option<&'static str>)>, UpstreamError> {
    let malformed = UpstreamError::Misbehaved("a malformed handshake");
    let depth = release.call.entry.settings.limits.depth;
    let Ok(mut response) = tree::read(answer, depth) else { return Err(malformed) };
    let id = response.get("id").map(ToString::to_string);
    if !id.is_some_and(|id| release.call.is_answered_by(id.as_bytes())) {
        return Err(UpstreamError::Misbehaved("an answer that nobody asked for"));
    }
    if response.get("error").is_some() {
        return Ok(None);
    }
    let Some(result) = response.get_mut("result").and_then(Value::as_object_mut) else {
        return Err(malformed);
    };
    keep_policed(result);
    match says {
        Instructions::AsTheyAre => {}
        Instructions::Served(text) => drop(result.insert("instructions".to_owned(), text)),
        Instructions::Withheld => drop(result.shift_remove("instructions")),
    }
    let version = match release.call.dialect.era {
        Era::Legacy => Some(agreed(result)?),
        Era::Modern => {
            own_terms(result);
            None
        }
    };
    Ok(Some((Bytes::from(response.to_string()), version)))
}

/// The revision that the server answered with, if it is one of the legacy era that is spoken here.
fn agreed(result: &Map<String, Value>) -> Result<&'static str, UpstreamError> {
    let named = result.get("protocolVersion").and_then(Value::as_str);
    let dialect = named.and_then(supported).filter(|dialect| dialect.era == Era::Legacy);
    dialect.map(|dialect| dialect.version).ok_or(UpstreamError::Misbehaved("an unknown revision"))
}

fn keep_policed(result: &mut Map<String, Value>) {
    if let Some(capabilities) = result.get_mut("capabilities").and_then(Value::as_object_mut) {
        capabilities.retain(|name, _| POLICED.contains(&name.as_str()));
        for list in LISTS {
            if let Some(capability) = capabilities.get_mut(list).and_then(Value::as_object_mut) {
                capability.insert("listChanged".to_owned(), Value::Bool(true));
            }
        }
    }
}

/// What `server/discover` says of revisions and caching holds for this caller alone.
fn own_terms(result: &mut Map<String, Value>) {
    if let Some(versions) = result.get_mut("supportedVersions").and_then(Value::as_array_mut) {
        versions.retain(|version| version.as_str().and_then(supported).is_some());
    }
    let ttl = result.get("ttlMs").and_then(Value::as_u64).unwrap_or(0).min(LONGEST_TTL);
    result.insert("ttlMs".to_owned(), json!(ttl));
    result.insert("cacheScope".to_owned(), json!("private"));
}

fn open(
    behind: Option<HeaderValue>,
    opened: Opened,
    bytes: Bytes,
    version: Option<&'static str>,
    mut release: Release,
) -> Result<Response<AnswerBody>, Stop> {
    release.ended(Ending::Delivered);
    let mut response = stop::json(StatusCode::OK, bytes);
    let Some(version) = version else { return Ok(response) };
    let behind = match (opened.bridged, opened.started) {
        (Some(modern), _) => Behind::Modern(Box::new(modern)),
        (None, Some(process)) => Behind::Process(process),
        (None, None) => Behind::Http(behind),
    };
    let entry = &release.call.entry;
    let server_requests = opened.server_requests;
    let declared = release.call.message.params().get("capabilities");
    let can_elicit = declared.is_some_and(|declared| declared.get("elicitation").is_some());
    let server = entry.server.clone();
    let opening = Opening { server, version, behind, server_requests, can_elicit };
    let us = || Stop::Us {
        id: release.call.request_id().map(<[u8]>::to_vec),
        reference: release.call.id.to_string(),
    };
    let session = release.gateway.sessions.open(&entry.caller, opening, clock::now());
    let session = session.map_err(|_| us())?;
    let id = HeaderValue::from_str(&session.id).map_err(|_| us())?;
    response.headers_mut().insert(SESSION, id);
    Ok(response)
}
