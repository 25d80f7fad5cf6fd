//! Asking on the stream of the call's own answer, as revisions up to 2025-11-25 do it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt as _;
use kenward_mcp::sse;
use kenward_policy::Refusal;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{PATIENCE, agrees, elicitation, settle};
use crate::admission::Slot;
use crate::body::AnswerBody;
use crate::gateway::Gateway;
use crate::pipeline::{self, Call};
use crate::sessions::Session;
use crate::stop::Stop;

/// Events that wait for a slow client.
const QUEUE: usize = 16;
/// How often the stream says that it is alive while the person thinks.
const ALIVE: Duration = Duration::from_secs(15);

/// Opens the answer's stream, asks the person on it, and lets the call go on when they agree.
pub(crate) fn ask_on_stream(
    gateway: &Arc<Gateway>,
    call: Arc<Call>,
    refusal: Refusal,
    slot: Slot,
) -> Response<AnswerBody> {
    let (client, events) = mpsc::channel(QUEUE);
    tokio::spawn(converse(Arc::clone(gateway), call, refusal, slot, client));
    pipeline::event_stream(events)
}

async fn converse(
    gateway: Arc<Gateway>,
    call: Arc<Call>,
    refusal: Refusal,
    slot: Slot,
    client: mpsc::Sender<Bytes>,
) {
    let answer = match &call.session {
        Some(session) => answer_of(session, &call, &refusal, &client).await,
        None => None,
    };
    let agreed = answer.as_ref().is_some_and(agrees);
    let settled = match refusal.ask.as_deref() {
        Some(ask) => settle(&call, ask, agreed).await,
        None => Ok(()),
    };
    let response = match settled {
        Ok(()) if agreed => pipeline::again(&gateway, &call, slot).await,
        Ok(()) => Stop::Answer(pipeline::refusal_body(&call, &refusal)).into_response(),
        Err(stop) => stop.into_response(),
    };
    relay(response, &client).await;
}

/// What the client answers; nothing when it does not in time, or goes away.
async fn answer_of(
    session: &Session,
    call: &Call,
    refusal: &Refusal,
    client: &mpsc::Sender<Bytes>,
) -> Option<Value> {
    let id = format!("\"kenward-{}\"", call.id);
    let mut answer = session.confirm(id.as_bytes())?;
    let request = json!({
        "jsonrpc": "2.0",
        "id": format!("kenward-{}", call.id),
        "method": "elicitation/create",
        "params": elicitation(call, refusal),
    });
    client.send(sse::data(&Bytes::from(request.to_string()))).await.ok()?;
    let waiting = async {
        let mut alive = tokio::time::interval(ALIVE);
        loop {
            tokio::select! {
                answer = &mut answer => return answer.ok(),
                () = client.closed() => return None,
                _ = alive.tick() => client.send(Bytes::from_static(b": waiting\n\n")).await.ok()?,
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, waiting).await.ok().flatten();
    session.confirmed(id.as_bytes());
    answer
}

/// Passes an answer on as events of the stream that is open already.
async fn relay(response: Response<AnswerBody>, client: &mpsc::Sender<Bytes>) {
    let kind = response.headers().get(CONTENT_TYPE);
    let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let mut body = response.into_body();
    if !is_stream {
        if let Ok(whole) = body.collect().await {
            // A client that has gone needs no answer.
            let _gone = client.send(sse::data(&whole.to_bytes())).await;
        }
        return;
    }
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        if client.send(data).await.is_err() {
            return;
        }
    }
}
