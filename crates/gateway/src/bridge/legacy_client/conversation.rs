//! One request of the client and everything that the server says before its answer: rounds included,
//! each of which is decided anew.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kenward_audit::Outcome as Ending;
use kenward_mcp::bridge::legacy_client::{Answer, InputRequired, answer, notification};
use kenward_mcp::scan::{self, ShapeKind};
use kenward_mcp::{Message, reply};
use serde_json::Value;
use tokio::sync::{Notify, mpsc, watch};

use super::send::{Asked, Round, ask};
use super::{id, modern};
use crate::clock;
use crate::gateway::Gateway;
use crate::outcome::Outcome;
use crate::pipeline::{self, Call, Minted};
use crate::upstream::UpstreamError;

/// Messages that wait for a slow client before its server is kept waiting too.
const QUEUE: usize = 16;
/// Rounds of one request at most.
const ROUNDS: u32 = 8;
/// How long the first round waits that asks the client for nothing; each further one twice as long.
const PAUSE: Duration = Duration::from_millis(200);
/// The methods whose answers may ask first (2026-07-28, multi round-trip requests).
const ASKING: [&str; 3] = ["prompts/get", "resources/read", "tools/call"];

/// Why a conversation goes no further.
#[derive(Debug)]
pub(super) enum Over {
    /// The client is gone: nobody waits any more.
    Gone,
    /// The client called the request off.
    CalledOff,
    /// This is the last word.
    Last(Bytes),
    /// The server gave no usable answer.
    Failed(UpstreamError),
}

impl From<UpstreamError> for Over {
    fn from(error: UpstreamError) -> Self {
        Self::Failed(error)
    }
}

/// A request under way, from the first byte to the last.
pub(super) struct Conversation {
    pub(super) gateway: Arc<Gateway>,
    pub(super) call: Arc<Call>,
    /// The message as it goes on, where that is not as it came.
    clean: Option<Message>,
    pub(super) client: mpsc::Sender<Bytes>,
    called_off: Arc<Notify>,
    /// Becomes true when the session ends, and the conversation with it.
    ended: watch::Receiver<bool>,
}

/// Sends the request of `call` and gives its answer message by message, in the client's era.
pub(super) async fn start(
    gateway: &Arc<Gateway>,
    call: &Arc<Call>,
    clean: Option<Message>,
    grant: Option<Minted>,
) -> Result<mpsc::Receiver<Bytes>, UpstreamError> {
    let begun = modern(call)?.begin(id(call));
    let called_off =
        begun.ok_or(UpstreamError::Misbehaved("a request with this id is under way"))?;
    let session = call.session.as_ref().ok_or(UpstreamError::SessionEnded)?;
    let ended = session.end_signal();
    let (client, lines) = mpsc::channel(QUEUE);
    let (gateway, call) = (Arc::clone(gateway), Arc::clone(call));
    let conversation = Conversation { gateway, call, clean, client, called_off, ended };
    let first = conversation.first(grant).await?;
    tokio::spawn(conversation.run(first));
    Ok(lines)
}

impl Drop for Conversation {
    fn drop(&mut self) {
        if let Ok(modern) = modern(&self.call) {
            modern.end(id(&self.call));
        }
    }
}

impl Conversation {
    fn message(&self) -> &Message {
        self.clean.as_ref().unwrap_or(&self.call.message)
    }

    /// The first round, which was decided by the pipeline.
    async fn first(&self, grant: Option<Minted>) -> Result<Asked, UpstreamError> {
        let modern = modern(&self.call)?;
        let round = Round::default();
        let asking = ask(&self.gateway, &self.call, modern, self.message(), &round, grant);
        tokio::select! {
            biased;
            () = self.called_off.notified() => Err(UpstreamError::CalledOff),
            () = self.session_ends() => Err(UpstreamError::CalledOff),
            asked = asking => asked,
        }
    }

    async fn run(self, first: Asked) {
        let over = self.converse(first).await;
        let reference = self.call.id;
        let words = match over {
            Over::Gone => return,
            Over::Last(bytes) => {
                // A client that is gone needs no answer.
                let _gone = self.client.send(bytes).await;
                return;
            }
            Over::CalledOff => format!("{} (reference {reference})", UpstreamError::CalledOff),
            Over::Failed(error) => {
                tracing::warn!(server = %self.call.entry.server, %error, id = %reference, "a bridged call failed");
                format!("{error} (reference {reference})")
            }
        };
        let _gone =
            self.client.send(reply::error(Some(id(&self.call)), -32603, &words, None)).await;
    }

    async fn converse(&self, first: Asked) -> Over {
        let mut asked = first;
        // How the round before ended is known when the next one begins.
        let mut open: Option<Outcome> = None;
        for count in 0..=ROUNDS {
            let heard = self.hear(&mut asked).await;
            if let Some(outcome) = open.take() {
                outcome.finish(ending(&heard));
            }
            let input = match heard {
                Ok(Answer::Final(bytes)) => return Over::Last(bytes),
                Ok(Answer::Input(input)) => input,
                Err(over) => return over,
            };
            if count == ROUNDS || !ASKING.contains(&self.call.row.name) {
                break;
            }
            match self.round(input, count).await {
                Ok((next, outcome)) => (asked, open) = (next, Some(outcome)),
                Err(over) => return over,
            }
        }
        Over::Failed(UpstreamError::Misbehaved("it asks without end, or where it may not ask"))
    }

    /// Asks the client what the server wants to know, and the server again.
    async fn round(&self, input: InputRequired, count: u32) -> Result<(Asked, Outcome), Over> {
        let responses = match input.requests.as_slice() {
            [] => {
                self.unless_over(tokio::time::sleep(PAUSE * 2_u32.pow(count.min(6)))).await?;
                None
            }
            requests => Some(self.answers(requests).await?),
        };
        // The client may have had ten minutes: a token that is over opens nothing any more.
        let left = self.call.entry.caller.expires.plus(self.call.entry.settings.limits.leeway);
        if clock::now() > left {
            let words = "the token of this call has expired; call again";
            return Err(Over::Last(reply::error(Some(id(&self.call)), -32603, words, None)));
        }
        let failed = || Over::Failed(UpstreamError::Misbehaved("the call cannot be made again"));
        let next = self.call.anew().ok_or_else(failed)?;
        let decided = pipeline::another_round(&self.gateway, &next).await;
        let grant = decided.map_err(Over::Last)?;
        let outcome = Outcome::new(Arc::clone(&self.gateway.log), next.id, None);
        let round = Round { responses, state: input.state };
        let modern = modern(&self.call)?;
        let asking = ask(&self.gateway, &next, modern, self.message(), &round, grant);
        Ok((self.unless_over(asking).await??, outcome))
    }

    /// What comes next that is more than news: news go to the client.
    async fn hear(&self, asked: &mut Asked) -> Result<Answer, Over> {
        let theirs = self.call.message.params().pointer("/_meta/progressToken");
        let theirs = theirs.filter(|token| token.is_string() || token.is_i64() || token.is_u64());
        let theirs = theirs.map(Value::to_string);
        let depth = self.call.entry.settings.limits.depth;
        loop {
            let event = self.unless_over(asked.source.next()).await?;
            let ended = UpstreamError::Misbehaved("the stream ended before the answer");
            let data = event.ok_or(ended)??.data;
            if data.is_empty() {
                continue;
            }
            let broken = |_| UpstreamError::Misbehaved("no JSON-RPC message");
            let shape = scan::shape(&data).map_err(broken)?;
            match shape.kind {
                ShapeKind::Response if shape.id.is_none_or(|id| id == asked.id.as_bytes()) => {
                    let answer = answer(&data, id(&self.call), self.call.row.name, depth);
                    let odd = |_| UpstreamError::Misbehaved("a result of a kind not asked for");
                    return answer.map_err(odd).map_err(Over::Failed);
                }
                ShapeKind::Response | ShapeKind::Request => {
                    tracing::warn!(server = %self.call.entry.server, "a message that the server may not send");
                }
                ShapeKind::Notification => {
                    let token = theirs.as_deref().map(|theirs| (asked.id.as_str(), theirs));
                    self.tell(notification(&data, token)).await?;
                }
            }
        }
    }

    async fn tell(&self, news: Option<Bytes>) -> Result<(), Over> {
        match news {
            Some(news) => self.client.send(news).await.map_err(|_| Over::Gone),
            None => Ok(()),
        }
    }

    async fn session_ends(&self) {
        // An error means that the session is gone altogether.
        let mut ended = self.ended.clone();
        let _gone = ended.wait_for(|ended| *ended).await;
    }

    /// Waits for `future` as long as the client wants to know.
    pub(super) async fn unless_over<F: Future>(&self, future: F) -> Result<F::Output, Over> {
        tokio::select! {
            biased;
            () = self.client.closed() => Err(Over::Gone),
            () = self.called_off.notified() => Err(Over::CalledOff),
            () = self.session_ends() => Err(Over::CalledOff),
            value = future => Ok(value),
        }
    }
}

/// How a round ended that was decided on its own.
fn ending(heard: &Result<Answer, Over>) -> Ending {
    match heard {
        Ok(_) => Ending::Delivered,
        Err(Over::Gone | Over::CalledOff) => Ending::Cancelled,
        Err(Over::Last(_) | Over::Failed(_)) => Ending::Failed,
    }
}
