//! The standing stream of a session whose server has none: one `subscriptions/listen` for all that
//! the session follows, made again when that changes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use kenward_audit::Outcome as Ending;
use kenward_mcp::bridge::legacy_client::notification;
use kenward_mcp::scan::{self, ShapeKind};
use kenward_mcp::{Limits, Message};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::modern;
use super::send::{Asked, Round, ask};
use crate::gateway::Gateway;
use crate::outcome::Outcome;
use crate::pipeline::{self, Call, Minted};
use crate::source::Source;
use crate::streams::may_follow;
use crate::upstream::UpstreamError;

/// News that wait for a slow client.
const QUEUE: usize = 16;
/// URIs that are asked for at most.
const MOST_URIS: usize = 1_000;
/// Changes that come this close together are one, and a stream that ends is asked for again after it.
const PAUSE: Duration = Duration::from_millis(100);
const RETRY: Duration = Duration::from_secs(2);
/// How long it takes until a server is asked again that could not be.
const LATER: Duration = Duration::from_secs(30);

/// The news of the server for the session of `call`, in the session's era.
pub(crate) fn standing(gateway: &Arc<Gateway>, call: &Call, grant: Option<Minted>) -> Source {
    let Some(own) = call.anew() else { return Source::Silent };
    let own = Call { id: call.id, ..own };
    let (client, lines) = mpsc::channel(QUEUE);
    tokio::spawn(follow(Arc::clone(gateway), own, grant, client));
    Source::Lines(lines.into())
}

async fn follow(
    gateway: Arc<Gateway>,
    first: Call,
    grant: Option<Minted>,
    client: mpsc::Sender<Bytes>,
) {
    let Ok(modern) = modern(&first) else { return };
    let mut changes = modern.followed();
    let mut decided = Some((None, grant));
    loop {
        changes.mark_unchanged();
        let (call, grant) = match decided.take() {
            Some((call, grant)) => (call, grant),
            None => match again(&gateway, &first) {
                Some((call, grant)) => (Some(call), grant),
                None => return,
            },
        };
        let call = call.as_ref().unwrap_or(&first);
        // The first one's end is the stream's own.
        let outcome =
            (call.id != first.id).then(|| Outcome::new(Arc::clone(&gateway.log), call.id, None));
        let listening = listen(&gateway, call, grant);
        let mut asked = tokio::select! {
            () = client.closed() => return,
            asked = listening => asked.inspect_err(|error| {
                tracing::debug!(server = %call.entry.server, %error, "the server offers no news");
            }).ok(),
        };
        tokio::select! {
            () = client.closed() => {}
            _changed = changes.changed() => tokio::time::sleep(PAUSE).await,
            () = carry(asked.as_mut(), &client) => tokio::time::sleep(RETRY).await,
        }
        drop(asked);
        if let Some(outcome) = outcome {
            outcome.finish(Ending::Delivered);
        }
        if client.is_closed() {
            return;
        }
    }
}

/// The stream is asked for again: a decision of its own.
fn again(gateway: &Gateway, first: &Call) -> Option<(Call, Option<Minted>)> {
    let call = first.anew()?;
    let in_force = gateway.live.snapshot();
    let (permit, receipt, grant) = pipeline::open_stream(gateway, &call, &in_force).ok()?;
    pipeline::spend(permit, receipt);
    Some((call, grant))
}

/// Asks for everything that the session follows and may follow now.
async fn listen(
    gateway: &Gateway,
    call: &Call,
    grant: Option<Minted>,
) -> Result<Asked, UpstreamError> {
    let in_force = gateway.live.snapshot();
    let followed = call.session.as_ref().map(|session| session.followed()).unwrap_or_default();
    let uris: Vec<String> = followed
        .into_iter()
        .filter(|uri| may_follow(call, &in_force, uri))
        .take(MOST_URIS)
        .collect();
    let mut wanted = json!({
        "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
    });
    if let (false, Some(wanted)) = (uris.is_empty(), wanted.as_object_mut()) {
        wanted.insert("resourceSubscriptions".to_owned(), Value::from(uris));
    }
    let message = json!({
        "jsonrpc": "2.0", "id": 0, "method": "subscriptions/listen",
        "params": { "notifications": wanted },
    });
    let broken = || UpstreamError::Misbehaved("nothing to be asked");
    let message = Message::parse(Bytes::from(message.to_string()), &Limits::default());
    let message = message.map_err(|_| broken())?;
    let call = Call { id: call.id, headers: HeaderMap::new(), ..call.anew().ok_or_else(broken)? };
    ask(gateway, &call, modern(&call)?, &message, &Round::default(), grant).await
}

/// Carries news to the client until the server has no more; a server that offers none is silent.
async fn carry(asked: Option<&mut Asked>, client: &mpsc::Sender<Bytes>) {
    let Some(asked) = asked else { return tokio::time::sleep(LATER).await };
    while let Some(Ok(event)) = asked.source.next().await {
        let Ok(shape) = scan::shape(&event.data) else { continue };
        match shape.kind {
            ShapeKind::Notification => {
                if let Some(told) = notification(&event.data, None)
                    && client.send(told).await.is_err()
                {
                    return;
                }
            }
            ShapeKind::Response if shape.error.is_some() => {
                return tokio::time::sleep(LATER).await;
            }
            ShapeKind::Response => return,
            ShapeKind::Request => {}
        }
    }
}
