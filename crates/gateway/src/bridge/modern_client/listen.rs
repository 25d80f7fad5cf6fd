//! News of a legacy server for modern streams: one standing stream for each session, shared by all
//! streams of its party, and subscriptions that live as long as somebody listens.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kenward_mcp::scan::{self, ShapeKind};
use kenward_mcp::{Limits, Message, tree};
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc};

use super::declared::Declared;
use super::session::{ServerSession, Wire};
use super::{QUEUE, own};
use crate::gateway::Gateway;
use crate::pipeline::{Call, Forwarded, Minted};
use crate::source::Source;
use crate::upstream::{Reply, UpstreamError};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
/// News that wait for a slow stream; one that lets more wait ends.
const MOST: usize = 64;
/// How soon a standing stream ends that nobody listens to any more.
const LINGER: Duration = Duration::from_secs(1);

/// Who listens to the news of a session.
#[derive(Debug, Default)]
pub(super) struct News {
    sender: Mutex<Option<broadcast::Sender<Bytes>>>,
    /// Held while the standing stream is opened.
    turn: tokio::sync::Mutex<()>,
}

impl News {
    /// Tells everybody who listens.
    pub(super) fn tell(&self, message: Bytes) {
        if let Some(sender) = &*self.lock() {
            // An error means that nobody listens.
            let _nobody = sender.send(message);
        }
    }

    fn hear(&self) -> Option<broadcast::Receiver<Bytes>> {
        self.lock().as_ref().map(broadcast::Sender::subscribe)
    }

    fn begin(&self) -> broadcast::Receiver<Bytes> {
        let (sender, receiver) = broadcast::channel(MOST);
        *self.lock() = Some(sender);
        receiver
    }

    /// Ends it when nobody listens.
    fn end_unheard(&self) -> bool {
        let mut sender = self.lock();
        let is_heard = sender.as_ref().is_some_and(|sender| sender.receiver_count() > 0);
        if !is_heard {
            *sender = None;
        }
        !is_heard
    }

    fn end(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<broadcast::Sender<Bytes>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers `subscriptions/listen` with what a legacy server tells of itself. Every message still
/// meets the watch of its stream, which knows what was asked for and what may be delivered.
pub(super) async fn listen(
    gateway: &Arc<Gateway>,
    call: &Arc<Call>,
    body: &Bytes,
    declared: Declared,
    grant: Option<&Minted>,
) -> Result<Forwarded, UpstreamError> {
    let uris = uris(body, call);
    let mut may_retry = true;
    loop {
        let session = gateway.bridged.session(gateway, call, declared).await?;
        let heard = async {
            let news = standing(&session, grant).await?;
            let (followed, unheard) = follow(gateway, &session, call, &uris).await?;
            Ok((news, followed, unheard))
        };
        match heard.await {
            Ok((news, followed, unheard)) => {
                let (client, lines) = mpsc::channel(QUEUE);
                let followed = Followed { session, uris: followed };
                tokio::spawn(carry(Arc::clone(call), news, client, followed));
                let reply = Reply::Lines(lines.into());
                return Ok(Forwarded {
                    bridged: None,
                    reply,
                    started: None,
                    server_requests: Vec::new(),
                    unheard,
                });
            }
            Err(UpstreamError::SessionEnded) if may_retry => {
                session.lose();
                may_retry = false;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The MCP resources that a listening request, cut to what its caller may have, wants news of.
fn uris(body: &Bytes, call: &Call) -> Vec<String> {
    let request = tree::read(body, call.entry.settings.limits.depth).unwrap_or_default();
    let named = request.pointer("/params/notifications/resourceSubscriptions");
    let named = named.and_then(Value::as_array).into_iter().flatten();
    named.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The standing stream of the session, opened by whoever comes first.
async fn standing(
    session: &Arc<ServerSession>,
    grant: Option<&Minted>,
) -> Result<broadcast::Receiver<Bytes>, UpstreamError> {
    let _one_at_a_time = session.news.turn.lock().await;
    if let Some(news) = session.news.hear() {
        return Ok(news);
    }
    let longest = session.settings.limits.event;
    let source = match &session.wire {
        Wire::Process(process) => Source::Lines(process.listen()),
        Wire::Http(_) => match session.listen(None, grant).await? {
            Reply::Events { body, .. } => Source::events(body, longest),
            Reply::Json { status, .. } if status == http::StatusCode::NOT_FOUND => {
                return Err(UpstreamError::SessionEnded);
            }
            // A server that offers no stream is silent.
            Reply::Json { .. } | Reply::Lines(_) | Reply::Accepted | Reply::NotOffered => {
                Source::Silent
            }
        },
    };
    let news = session.news.begin();
    tokio::spawn(pass_on(Arc::clone(session), source));
    Ok(news)
}

/// Passes on what comes on the standing stream for as long as somebody listens.
async fn pass_on(session: Arc<ServerSession>, mut source: Source) {
    let mut linger = tokio::time::interval(LINGER);
    loop {
        let event = tokio::select! {
            event = source.next() => event,
            _ = linger.tick() => {
                if session.news.end_unheard() {
                    return;
                }
                continue;
            }
        };
        let Some(Ok(event)) = event else {
            session.news.end();
            return;
        };
        let Ok(shape) = scan::shape(&event.data) else { continue };
        match shape.kind {
            ShapeKind::Notification => session.news.tell(event.data.clone()),
            // It belongs to no request of a client: there is nobody to ask.
            ShapeKind::Request => {
                let method = shape.method.as_deref().unwrap_or_default();
                session.answer_here(shape.id.unwrap_or(b"null"), method).await;
            }
            ShapeKind::Response => {}
        }
    }
}

/// Asks the server for news of `uris`; those that it tells news of, and those that it does not.
async fn follow(
    gateway: &Gateway,
    session: &Arc<ServerSession>,
    call: &Call,
    uris: &[String],
) -> Result<(Vec<String>, Vec<String>), UpstreamError> {
    let can = session.introduced.capabilities.pointer("/resources/subscribe");
    let can = can == Some(&Value::Bool(true));
    let mut followed = Followed { session: Arc::clone(session), uris: Vec::new() };
    let mut unheard = Vec::new();
    for uri in uris {
        let mut subscribed = session.subscribed.lock().await;
        let is_followed = subscribed.contains_key(uri) || {
            let params = json!({ "uri": uri });
            can && own::ask(gateway, session, &call.entry, "resources/subscribe", &params).await?
        };
        if is_followed {
            *subscribed.entry(uri.clone()).or_default() += 1;
            followed.uris.push(uri.clone());
        } else {
            unheard.push(uri.clone());
        }
    }
    Ok((std::mem::take(&mut followed.uris), unheard))
}

/// The MCP resources that a stream follows; given back when it ends.
struct Followed {
    session: Arc<ServerSession>,
    uris: Vec<String>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        let uris = std::mem::take(&mut self.uris);
        if uris.is_empty() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(give_back(Arc::clone(&self.session), uris));
        }
    }
}

async fn give_back(session: Arc<ServerSession>, uris: Vec<String>) {
    for uri in uris {
        let mut subscribed = session.subscribed.lock().await;
        let Some(count) = subscribed.get_mut(&uri) else { continue };
        *count -= 1;
        if *count > 0 {
            continue;
        }
        subscribed.remove(&uri);
        let id = session.next_id();
        let message = json!({
            "jsonrpc": "2.0", "id": serde_json::from_str::<Value>(&id).unwrap_or_default(),
            "method": "resources/unsubscribe", "params": { "uri": uri },
        });
        let sent = session.request(&id, message.to_string().into(), None, http::HeaderMap::new());
        let answer = match sent.await {
            Ok(reply) => own::answer_to(&id, reply, &session.settings).await,
            Err(error) => Err(error),
        };
        if let Err(error) = answer {
            tracing::debug!(%error, "the server did not take the end of a subscription");
        }
    }
}

/// Carries the news of a session to one stream, under the stream's own tag.
async fn carry(
    call: Arc<Call>,
    mut news: broadcast::Receiver<Bytes>,
    client: mpsc::Sender<Bytes>,
    _followed: Followed,
) {
    loop {
        let message = tokio::select! {
            biased;
            () = client.closed() => return,
            message = news.recv() => message,
        };
        // A stream that has missed something ends, so that its client looks again.
        let Ok(message) = message else { return };
        if let Some(message) = tagged(&call, message)
            && client.send(message).await.is_err()
        {
            return;
        }
    }
}

/// The notification under the id of the request that opened the stream.
fn tagged(call: &Call, message: Bytes) -> Option<Bytes> {
    let limits = &call.entry.settings.limits;
    let limits = Limits { body: limits.event, depth: limits.depth };
    let message = Message::parse(message, &limits).ok()?;
    let id = std::str::from_utf8(call.request_id()?).ok()?;
    Some(message.with_meta(SUBSCRIPTION, id))
}
