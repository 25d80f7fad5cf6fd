//! The streams of all servers as one.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response};
use kenward_mcp::dialect::supported;
use kenward_mcp::method::{self, Row};
use kenward_mcp::sse::{self, Decoder};
use kenward_mcp::{Limits, Message, reply};
use kenward_model::ServerName;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::merge::{self, URIS};
use super::outward::{Responses, Told, relay};
use super::visit::Visit;
use super::{PATIENCE, marks, sessions};
use crate::body::AnswerBody;
use crate::gateway::Gateway;
use crate::pipeline::{self, Known};
use crate::route::only;
use crate::sessions::Session;
use crate::stop::Stop;
use crate::streams;
use crate::upstream::UpstreamError;

/// Events that wait for a slow client.
const QUEUE: usize = 32;
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// The stream of one server.
struct Part {
    told: Told,
    events: mpsc::Receiver<Bytes>,
}

/// The standing stream of a legacy session: those of all servers that the caller may listen to. A
/// client that resumes behind an event does so at the server that the event was of.
pub(super) async fn standing(
    gateway: &Arc<Gateway>,
    known: Known,
    head: Parts,
) -> Result<Response<AnswerBody>, Stop> {
    let session = sessions::named(gateway, &known, &head, None)?;
    let us = || Stop::Us { id: None, reference: "-".to_owned() };
    let message = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let message = Message::parse(Bytes::from_static(message), &Limits::default())?;
    let slot = pipeline::admit(gateway, &known.caller, &message)?;
    let dialect = supported(session.version).ok_or_else(us)?;
    let row = method::find("subscriptions/listen").ok_or_else(us)?;
    let in_use = session.in_use();
    let resumed = only(&head.headers, LAST_EVENT).ok().flatten().and_then(marks::inward);
    let resumed = resumed.map(|(server, event)| (server.to_owned(), event.to_owned()));
    let gateway = Arc::clone(gateway);
    let visit = Visit { gateway, known, head, message, dialect, session: Some(session), slot };
    let mut servers = visit.servers(row)?;
    if servers.is_empty() {
        visit.permitted_somewhere(row).await?;
    }
    let event = resumed.map(|(server, event)| {
        servers.retain(|known| known.as_str() == server);
        event
    });
    let opening = servers.into_iter().map(|server| opened(&visit, server, event.as_deref()));
    let parts = some(join_all(opening).await, &visit)?;
    let (client, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(carry(parts, client, Responses::Told, Some(in_use)));
    Ok(pipeline::event_stream(receiver))
}

async fn opened(visit: &Visit, server: ServerName, event: Option<&str>) -> Result<Part, Stop> {
    let opening = async {
        let first = at(visit, &server, event).await;
        let is_lost = |stop: &Stop| {
            matches!(
                stop,
                Stop::Session { .. } | Stop::Upstream { error: UpstreamError::SessionEnded, .. }
            )
        };
        match first {
            Err(stop) if is_lost(&stop) => at(visit, &server, event).await,
            answered => answered,
        }
    };
    let answered = tokio::time::timeout(PATIENCE, opening).await;
    let response = answered.unwrap_or_else(|_| Err(visit.failed(UpstreamError::Slow)))?;
    part(visit, server, response)
}

/// The standing stream at one server, in the session there.
async fn at(
    visit: &Visit,
    server: &ServerName,
    event: Option<&str>,
) -> Result<Response<AnswerBody>, Stop> {
    let Some(session) = &visit.session else {
        return Err(visit.failed(UpstreamError::SessionEnded));
    };
    let behind: Arc<Session> = visit.behind(session, server).await?;
    let mut head = visit.head_for(&visit.message, Some(&behind));
    head.headers.remove(LAST_EVENT);
    if let Some(event) = event.and_then(|event| HeaderValue::from_str(event).ok()) {
        head.headers.insert(LAST_EVENT, event);
    }
    Box::pin(streams::standing(&visit.gateway, visit.known.at(server), &head)).await
}

/// A stream that a modern request asks for: each server is asked for what concerns it.
pub(super) async fn listen(visit: &Visit, row: &'static Row) -> Result<Response<AnswerBody>, Stop> {
    let servers = visit.servers(row)?;
    if servers.is_empty() {
        visit.permitted_somewhere(row).await?;
    }
    let wanted = visit.message.params().get("notifications").unwrap_or(&Value::Null);
    let concerned = servers.into_iter().filter_map(|server| {
        let uris = merge::subscription(wanted, &server)?;
        Some((server, uris))
    });
    let opening = concerned.map(|(server, uris)| listening(visit, server, uris));
    let mut parts = Vec::new();
    let (mut by_server, mut tag) = (Vec::new(), None);
    for (part, acknowledged) in some(join_all(opening).await, visit)? {
        let params = acknowledged.get("params").cloned().unwrap_or_default();
        let honoured = params.get("notifications").cloned().unwrap_or_default();
        by_server.push((part.0, honoured));
        tag = tag.or_else(|| params.get("_meta").cloned());
        parts.push(part.1);
    }
    let params = json!({
        "notifications": merge::honoured(&by_server), "_meta": tag.unwrap_or_else(|| tagged(visit)),
    });
    let (client, receiver) = mpsc::channel(QUEUE);
    let first = reply::notification(ACKNOWLEDGED, Some(&params.to_string()));
    // There is room for the first event.
    let _gone = client.send(sse::data(&first)).await;
    tokio::spawn(carry(parts, client, Responses::Kept, None));
    Ok(pipeline::event_stream(receiver))
}

fn tagged(visit: &Visit) -> Value {
    let id = visit.message.id().unwrap_or(b"null");
    let id: Value = serde_json::from_slice(id).unwrap_or_default();
    json!({ "io.modelcontextprotocol/subscriptionId": id })
}

type Listening = ((ServerName, Part), Value);

/// The stream of one server and its acknowledgement.
async fn listening(
    visit: &Visit,
    server: ServerName,
    uris: Vec<String>,
) -> Result<Listening, Stop> {
    let opening = async {
        let uris = json!(uris).to_string();
        let edited = visit.message.with_params_member(&["notifications", URIS], Some(&uris));
        let message = match edited {
            Some(bytes) => visit.again(bytes)?,
            None => visit.message.clone(),
        };
        let response = visit.send(&server, message).await?;
        let mut part = part(visit, server.clone(), response)?;
        let silent = || visit.failed(UpstreamError::Misbehaved("a stream without a beginning"));
        let first = part.events.recv().await.ok_or_else(silent)?;
        let mut decoder = Decoder::new();
        let limits = Limits { body: first.len(), ..Limits::default() };
        decoder.push(&first, &limits).map_err(|_| silent())?;
        let event = decoder.next().ok_or_else(silent)?;
        let acknowledged = serde_json::from_slice(&event.data).map_err(|_| silent())?;
        Ok(((server.clone(), part), acknowledged))
    };
    let answered = tokio::time::timeout(PATIENCE, opening).await;
    answered.unwrap_or_else(|_| Err(visit.failed(UpstreamError::Slow)))
}

fn part(visit: &Visit, server: ServerName, response: Response<AnswerBody>) -> Result<Part, Stop> {
    match response.into_body() {
        AnswerBody::Events(events) => Ok(Part { told: Told::new(visit, server, None), events }),
        AnswerBody::Whole(_) | AnswerBody::PassedThrough(_) => {
            Err(visit.failed(UpstreamError::Misbehaved("no stream")))
        }
    }
}

/// Those that could be opened; when there is none, why the first could not.
fn some<T>(opened: Vec<Result<T, Stop>>, visit: &Visit) -> Result<Vec<T>, Stop> {
    let (mut parts, mut stops) = (Vec::new(), Vec::new());
    for result in opened {
        match result {
            Ok(part) => parts.push(part),
            Err(stop) => stops.push(stop),
        }
    }
    if !stops.is_empty() {
        tracing::warn!(
            user = %visit.known.caller.user.id, servers = stops.len(),
            "servers are left out of a stream"
        );
    }
    match stops.into_iter().next() {
        Some(stop) if parts.is_empty() => Err(stop),
        Some(_) | None => Ok(parts),
    }
}

/// Carries all streams until the last of them has ended, or the client has gone.
async fn carry(
    parts: Vec<Part>,
    client: mpsc::Sender<Bytes>,
    responses: Responses,
    _in_use: Option<watch::Receiver<bool>>,
) {
    let client = &client;
    let carried = parts
        .into_iter()
        .map(|Part { told, events }| async move { relay(&told, events, client, responses).await });
    let last = join_all(carried).await.into_iter().flatten().next();
    if let Some(last) = last {
        // A client that is gone needs no farewell.
        let _gone = client.send(sse::data(&last)).await;
    }
}
