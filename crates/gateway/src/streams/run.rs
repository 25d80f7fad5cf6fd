//! A stream while it runs: the server's news, ours, the end of the token, and the client's leaving.

use bytes::Bytes;
use http::Response;
use kenward_audit::Outcome as Ending;
use kenward_mcp::dialect::Era;
use kenward_mcp::reply;
use kenward_mcp::scan::{self, ShapeKind};
use kenward_mcp::sse::{self, Event};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch as news};

use super::asked::Asked;
use super::watch::Watch;
use crate::admission::Slot;
use crate::body::AnswerBody;
use crate::clock;
use crate::outcome::Outcome;
use crate::pipeline::{event_stream, may_hear, server_request};
use crate::source::Source;

/// Events that wait for a slow client; a client that lets more wait holds its server up.
const QUEUE: usize = 4;
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// A running stream.
pub(super) struct Stream {
    watch: Watch,
    source: Source,
    client: mpsc::Sender<Bytes>,
    outcome: Outcome,
    _slot: Slot,
}

impl Stream {
    /// Starts the stream; the answer is its client's end.
    ///
    /// `changes` was subscribed to before the watch took its snapshot, so that none is missed.
    pub(super) fn start(
        source: Source,
        watch: Watch,
        changes: news::Receiver<u64>,
        outcome: Outcome,
        slot: Slot,
    ) -> Response<AnswerBody> {
        let (client, receiver) = mpsc::channel(QUEUE);
        let stream = Self { watch, source, client, outcome, _slot: slot };
        tokio::spawn(stream.run(changes));
        event_stream(receiver)
    }

    async fn run(mut self, mut changes: news::Receiver<u64>) {
        let ending = self.carry(&mut changes).await;
        self.outcome.is(ending);
    }

    async fn carry(&mut self, changes: &mut news::Receiver<u64>) -> Ending {
        if self.is_modern() && !self.acknowledge().await {
            return Ending::Cancelled;
        }
        let caller = &self.watch.call.entry.caller;
        let left = caller.expires.plus(self.watch.call.entry.settings.limits.leeway);
        let expiry = tokio::time::sleep(left.since(clock::now()));
        tokio::pin!(expiry);
        let mut session = self.session_end();
        let mut heartbeat =
            tokio::time::interval(self.watch.call.entry.settings.limits.heartbeat());
        loop {
            // Changes come first: nothing is delivered on rights that are gone.
            let sent = tokio::select! {
                biased;
                () = self.client.closed() => return Ending::Cancelled,
                () = &mut expiry => return self.close(Ending::Withheld).await,
                () = ended(&mut session) => return Ending::Cancelled,
                changed = changes.changed() => match changed {
                    Ok(()) => match self.changed().await {
                        Some(sent) => sent,
                        None => return self.close(Ending::Withheld).await,
                    },
                    Err(_) => return Ending::Failed,
                },
                _ = heartbeat.tick() => self.client.send(Bytes::from_static(b": alive\n\n")).await.is_ok(),
                event = self.source.next() => match event {
                    Some(Ok(event)) => self.deliver(event).await,
                    Some(Err(_)) => return self.close(Ending::Failed).await,
                    None => return self.close(Ending::Delivered).await,
                },
            };
            if !sent {
                return Ending::Cancelled;
            }
        }
    }

    fn is_modern(&self) -> bool {
        self.watch.call.dialect.era == Era::Modern
    }

    fn session_end(&self) -> Option<news::Receiver<bool>> {
        match &self.watch.asked {
            Asked::Session(session) => Some(session.end_signal()),
            Asked::Listed { .. } => None,
        }
    }

    /// Tells what changed; nothing when the stream is over.
    async fn changed(&mut self) -> Option<bool> {
        let effect = self.watch.after_change();
        let mut sent = true;
        for notification in effect.changed {
            let params = self.is_modern().then(|| json!({ "_meta": self.tag() }).to_string());
            let message = reply::notification(notification, params.as_deref());
            sent = sent && self.client.send(sse::data(&message)).await.is_ok();
        }
        effect.goes_on.then_some(sent)
    }

    /// Delivers one message of the server, if it may be delivered now.
    async fn deliver(&self, event: Event) -> bool {
        if event.data.is_empty() {
            return true;
        }
        let Ok(shape) = scan::shape(&event.data) else { return true };
        let passes = match shape.kind {
            ShapeKind::Notification => {
                self.watch.may_deliver(&shape, &event.data)
                    && may_hear(&self.watch.gateway, &self.watch.call, &event.data).await
            }
            ShapeKind::Request => {
                let Watch { gateway, call, .. } = &self.watch;
                server_request(gateway, call, &shape, &event.data).await
            }
            // The server's own end of a listening request; ours follows when its stream closes.
            ShapeKind::Response => false,
        };
        if !passes {
            return true;
        }
        // A change may have come between the question and now; then the question is asked again.
        self.client.send(sse::encode(&event)).await.is_ok()
    }

    /// The first message of a modern stream says what of it is honoured.
    async fn acknowledge(&self) -> bool {
        let params = json!({ "notifications": self.watch.asked.honoured(), "_meta": self.tag() });
        let method = "notifications/subscriptions/acknowledged";
        let message = reply::notification(method, Some(&params.to_string()));
        self.client.send(sse::data(&message)).await.is_ok()
    }

    /// Ends the stream as its era ends one: a modern request gets its response.
    async fn close(&self, how: Ending) -> Ending {
        if self.is_modern() {
            let result = json!({ "resultType": "complete", "_meta": self.tag() });
            let id = self.watch.call.request_id().unwrap_or(b"null").to_vec();
            let message = reply::result(&id, &result.to_string());
            // A client that is gone needs no farewell.
            let _gone = self.client.send(sse::data(&message)).await;
        }
        how
    }

    /// The tag of every message of a modern stream: the id of the request that opened it.
    fn tag(&self) -> Value {
        let id = self.watch.call.request_id().unwrap_or(b"null");
        json!({ SUBSCRIPTION: serde_json::from_slice::<Value>(id).unwrap_or_default() })
    }
}

/// Waits for the session to end; for ever when there is none.
async fn ended(session: &mut Option<news::Receiver<bool>>) {
    match session {
        Some(signal) => {
            // An error means that the session is gone altogether.
            let _gone = signal.wait_for(|ended| *ended).await;
        }
        None => std::future::pending().await,
    }
}
