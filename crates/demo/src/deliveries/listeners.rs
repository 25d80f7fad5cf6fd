//! The open streams of those who want to hear of changes, of both eras.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use kenward_mcp::{reply, sse};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// How many events a stream may lag behind before it is ended.
const LAG: usize = 64;
/// How often a silent stream says that it is still there.
const PULSE: Duration = Duration::from_secs(15);
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// The streams.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    open: Mutex<Vec<Listener>>,
}

#[derive(Debug)]
struct Listener {
    kind: Kind,
    uris: Vec<String>,
    events: mpsc::Sender<Bytes>,
}

/// Whose stream it is.
#[derive(Debug, PartialEq)]
enum Kind {
    /// The one stream of a session (2025-11-25, transports, listening).
    Session(String),
    /// An answer to `subscriptions/listen`, with the id of that request.
    Listen(Value),
}

/// What will be sent on a new stream.
#[derive(Debug)]
pub(super) struct Events(mpsc::Receiver<Bytes>);

impl Listeners {
    /// Opens the stream of a session; one that was open before ends.
    pub(super) fn open_session(&self, session: &str, uris: Vec<String>) -> Events {
        let kind = Kind::Session(session.to_owned());
        self.close_session(session);
        self.open(kind, uris, None)
    }

    /// Opens a stream of the modern era: its first event acknowledges what will be sent.
    pub(super) fn open_listen(&self, id: Value, uris: Vec<String>) -> Events {
        let params = json!({
            "_meta": { SUBSCRIPTION: id },
            "notifications": { "resourceSubscriptions": uris },
        });
        let method = "notifications/subscriptions/acknowledged";
        let first = reply::notification(method, Some(&params.to_string()));
        self.open(Kind::Listen(id), uris, Some(first))
    }

    /// Changes what the session's stream is told of.
    pub(super) fn set_session_uris(&self, session: &str, uris: &[String]) {
        let mut open = self.lock();
        let kind = Kind::Session(session.to_owned());
        for listener in open.iter_mut().filter(|one| one.kind == kind) {
            uris.clone_into(&mut listener.uris);
        }
    }

    /// Ends the stream of a session.
    pub(super) fn close_session(&self, session: &str) {
        let kind = Kind::Session(session.to_owned());
        self.lock().retain(|listener| listener.kind != kind);
    }

    /// Tells everybody who wants to know that an MCP resource has changed; says how many were told.
    pub(super) fn updated(&self, uri: &str) -> usize {
        let mut told = 0;
        self.lock().retain(|listener| {
            if !listener.uris.iter().any(|wanted| wanted == uri) {
                return !listener.events.is_closed();
            }
            let sent = listener.events.try_send(listener.update(uri)).is_ok();
            told += usize::from(sent);
            sent
        });
        told
    }

    fn open(&self, kind: Kind, uris: Vec<String>, first: Option<Bytes>) -> Events {
        let (sender, receiver) = mpsc::channel(LAG);
        if let Some(first) = first {
            // The channel is new and empty: there is room for one event.
            drop(sender.try_send(sse::data(&first)));
        }
        self.lock().push(Listener { kind, uris, events: sender });
        Events(receiver)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Listener>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    fn update(&self, uri: &str) -> Bytes {
        let params = match &self.kind {
            Kind::Session(_) => json!({ "uri": uri }),
            Kind::Listen(id) => json!({ "uri": uri, "_meta": { SUBSCRIPTION: id } }),
        };
        let method = "notifications/resources/updated";
        sse::data(&reply::notification(method, Some(&params.to_string())))
    }
}

impl Events {
    /// The events as a body that ends when the stream is closed.
    pub(super) fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self.0, |mut events| async move {
            let next = match tokio::time::timeout(PULSE, events.recv()).await {
                Ok(event) => event?,
                Err(_) => Bytes::from_static(b": still here\n\n"),
            };
            Some((Ok::<_, std::convert::Infallible>(next), events))
        }))
    }
}
