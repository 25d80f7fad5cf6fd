//! A server's answers as they are told at `/mcp`: URIs, ids and tokens say whose they are.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Limited};
use kenward_mcp::dialect::Era;
use kenward_mcp::scan::{self, Shape, ShapeKind};
use kenward_mcp::sse::{self, Decoder, Event};
use kenward_mcp::{Limits, Message, rename};
use kenward_model::ServerName;
use serde_json::Value;
use tokio::sync::mpsc;

use super::marks;
use super::visit::Visit;
use crate::body::AnswerBody;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::upstream::UpstreamError;

/// Events that wait for a slow client before its server is kept waiting too.
const QUEUE: usize = 16;

/// How the messages of one server are told.
#[derive(Clone)]
pub(super) struct Told {
    settings: Arc<Settings>,
    server: ServerName,
    era: Era,
    id: Option<Vec<u8>>,
    /// The answer of a target that does not exist, under its name at the server and here.
    unknown: Option<(Bytes, Bytes)>,
}

impl Told {
    pub(super) fn new(visit: &Visit, server: ServerName, unknown: Option<(Bytes, Bytes)>) -> Self {
        let settings = Arc::clone(&visit.known.settings);
        Self { settings, server, era: visit.dialect.era, id: visit.id(), unknown }
    }

    /// One message; nothing when it cannot be told so that its answer would come back.
    pub(super) fn message(&self, bytes: &Bytes) -> Option<Bytes> {
        if let Some((there, here)) = &self.unknown
            && there == bytes
        {
            return Some(here.clone());
        }
        // What is no message is one that the gate has made nothing of.
        let Ok(shape) = scan::shape(bytes) else { return Some(bytes.clone()) };
        match shape.kind {
            ShapeKind::Response => Some(rename::uris(bytes, &|uri| self.mark(uri))),
            ShapeKind::Notification => self.notification(bytes, &shape),
            ShapeKind::Request => self.request(bytes),
        }
    }

    fn mark(&self, text: &str) -> String {
        marks::outward(&self.server, text)
    }

    fn notification(&self, bytes: &Bytes, shape: &Shape<'_>) -> Option<Bytes> {
        match shape.method.as_deref().unwrap_or_default() {
            "notifications/resources/updated" => {
                let message = self.parsed(bytes)?;
                let uri = message.params().get("uri").and_then(Value::as_str)?;
                let uri = Value::from(self.mark(uri)).to_string();
                message.with_params_member(&["uri"], Some(&uri))
            }
            "notifications/cancelled" => {
                let message = self.parsed(bytes)?;
                let id = message.params().get("requestId")?.to_string();
                let id = marks::id_outward(&self.server, id.as_bytes())?;
                message.with_params_member(&["requestId"], Some(&id))
            }
            _ => Some(bytes.clone()),
        }
    }

    /// A request of the server, or a question of ours about a call there.
    fn request(&self, bytes: &Bytes) -> Option<Bytes> {
        let message = self.parsed(bytes)?;
        let id = marks::id_outward(&self.server, message.id()?)?;
        let message = self.parsed(&message.with_id(&id))?;
        let path = ["_meta", "progressToken"];
        let token = message.params().get("_meta").and_then(|meta| meta.get("progressToken"));
        let Some(token) = token else { return Some(message.bytes().clone()) };
        let token = marks::id_outward(&self.server, token.to_string().as_bytes())?;
        message.with_params_member(&path, Some(&token))
    }

    fn parsed(&self, bytes: &Bytes) -> Option<Message> {
        let limits = &self.settings.limits;
        let limits = Limits { body: limits.event * 2, depth: limits.depth };
        let parsed = Message::parse(bytes.clone(), &limits);
        if parsed.is_err() {
            tracing::warn!(server = %self.server, "a message of a server cannot be told here");
        }
        parsed.ok()
    }

    /// One event; in the legacy era a client may resume behind it, at this server.
    fn event(&self, event: Event) -> Option<Event> {
        let data = if event.data.is_empty() { Bytes::new() } else { self.message(&event.data)? };
        let id = event.id.filter(|_| self.era == Era::Legacy).map(|id| self.mark(&id));
        Some(Event { data, id, ..event })
    }
}

/// The answer of a server as it is told here.
pub(super) async fn response(told: Told, response: Response<AnswerBody>) -> Response<AnswerBody> {
    let (parts, body) = response.into_parts();
    let whole = |bytes: &Bytes| AnswerBody::whole(told.message(bytes).unwrap_or_default());
    let body = match body {
        AnswerBody::Whole(None) => AnswerBody::empty(),
        AnswerBody::Whole(Some(bytes)) => whole(&bytes),
        AnswerBody::Events(events) => {
            let (client, receiver) = mpsc::channel(QUEUE);
            tokio::spawn(async move { relay(&told, events, &client, Responses::Told).await });
            AnswerBody::Events(receiver)
        }
        flowing @ AnswerBody::PassedThrough(_) => {
            let collected = Limited::new(flowing, told.settings.limits.answer).collect().await;
            let Ok(collected) = collected else {
                let error = UpstreamError::Misbehaved("an answer that broke off or is too large");
                let stop = Stop::Upstream { id: told.id, error, reference: "-".to_owned() };
                return stop.into_response();
            };
            whole(&collected.to_bytes())
        }
    };
    Response::from_parts(parts, body)
}

/// What becomes of responses on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Responses {
    /// They are told.
    Told,
    /// They end one stream of several, and the last of them ends all.
    Kept,
}

/// Tells the events of one server to the client until one of them is gone; gives the last response
/// if it was kept.
pub(super) async fn relay(
    told: &Told,
    mut events: mpsc::Receiver<Bytes>,
    client: &mpsc::Sender<Bytes>,
    responses: Responses,
) -> Option<Bytes> {
    let longest = told.settings.limits.event * 2;
    let limits = Limits { body: longest, ..Limits::default() };
    let (mut decoder, mut kept) = (Decoder::new(), None);
    loop {
        let piece = tokio::select! {
            piece = events.recv() => piece,
            () = client.closed() => None,
        };
        let Some(piece) = piece else { return kept };
        if piece.starts_with(b":") {
            // It shows that the stream lives, and says nothing.
            client.send(piece).await.ok()?;
            continue;
        }
        decoder.push(&piece, &limits).ok()?;
        while let Some(event) = decoder.next() {
            if responses == Responses::Kept && is_response(&event.data) {
                kept = told.message(&event.data);
            } else if let Some(event) = told.event(event) {
                client.send(sse::encode(&event)).await.ok()?;
            }
        }
    }
}

pub(super) fn is_response(data: &[u8]) -> bool {
    scan::shape(data).is_ok_and(|shape| shape.kind == ShapeKind::Response)
}
