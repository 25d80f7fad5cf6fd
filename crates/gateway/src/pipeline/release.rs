//! What of a server's messages reaches the caller: the one gate, whatever carried the message.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use kenward_audit::Outcome as Ending;
use kenward_disclosure::{Carrier, Expects};
use kenward_live::InForce;
use kenward_mcp::dialect::Era;
use kenward_mcp::list::ListKind;
use kenward_mcp::method::{self, Direction, Treatment};
use kenward_mcp::scan::{self, Shape, ShapeKind};
use kenward_mcp::{reply, tree};
use kenward_model::{Fact, Target};
use kenward_policy::Verdict;
use serde_json::Value;

use super::beside::{Heard, hear};
use super::review::carrier_of;
use super::{Call, embedded, forward, may_hear, record, refuse};
use crate::gateway::Gateway;
use crate::outcome::Outcome;
use crate::upstream::UpstreamError;
use crate::{clock, lists};

const INTERNAL: i32 = -32603;

/// What becomes of one message of a server.
#[derive(Debug)]
pub(crate) enum Released {
    /// It goes to the caller, and more may follow.
    Deliver(Bytes),
    /// It goes to the caller and is the last one: the response.
    Last(Bytes),
    /// It does not reach the caller.
    Nothing,
}

impl Released {
    fn when(passes: bool, bytes: &Bytes) -> Self {
        if passes { Self::Deliver(bytes.clone()) } else { Self::Nothing }
    }
}

/// The gate for the answer to one call.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) call: Arc<Call>,
    /// What was in force when the call was decided.
    generation: u64,
    outcome: Option<Outcome>,
    /// What the decision says of the answer.
    pub(super) expects: Vec<Expects>,
    /// Whether something of the server has reached the caller already.
    pub(super) has_told: bool,
    /// Whether the server was told of something that it may ask the client for.
    may_ask: bool,
}

impl Release {
    pub(crate) fn new(
        gateway: &Arc<Gateway>,
        call: Arc<Call>,
        generation: u64,
        outcome: Outcome,
        expects: Vec<Expects>,
    ) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            call,
            generation,
            outcome: Some(outcome),
            expects,
            has_told: false,
            may_ask: false,
        }
    }

    /// Whether the bytes of a large answer of this kind can flow through as long as nothing in them
    /// calls for a look.
    pub(crate) fn is_transparent(&self) -> bool {
        match self.call.row.treatment {
            Treatment::Call | Treatment::Get | Treatment::Complete => {
                !self.is_review_due(&self.gateway.live.load())
            }
            Treatment::Level => true,
            Treatment::Read
            | Treatment::Subscribe
            | Treatment::Handshake
            | Treatment::Local
            | Treatment::List(_)
            | Treatment::Listen
            | Treatment::Cancelled
            | Treatment::Progress
            | Treatment::Swallow
            | Treatment::ServerRequest
            | Treatment::Delivery
            | Treatment::Refuse => false,
        }
    }

    /// The server was told what it may ask the client for: whatever policy let through.
    pub(crate) fn may_ask_for(&mut self, server_requests: &[&'static str]) {
        self.may_ask = !server_requests.is_empty();
    }

    /// The open end, for a body that flows through by itself.
    pub(crate) fn take_outcome(&mut self) -> Option<Outcome> {
        self.outcome.take()
    }

    /// Says how it ended, when it is not the answer that says so.
    pub(crate) fn ended(&mut self, how: Ending) {
        if let Some(outcome) = self.outcome.take() {
            outcome.finish(how);
        }
    }

    /// The refusal to send instead, when the call would not be allowed any more.
    pub(crate) async fn withdrawn(&mut self) -> Option<Bytes> {
        let in_force = self.gateway.live.snapshot();
        if in_force.generation == self.generation {
            return None;
        }
        let (verdict, entries) = self.call.judge(&in_force, clock::now());
        if let Err(error) = self.call.entry.past.keep(&entries).await {
            tracing::error!(%error, id = %self.call.id, "the history of a person could not be kept");
            return Some(self.broke_off(&UpstreamError::Misbehaved("kept nowhere")).await);
        }
        match &verdict {
            Verdict::Allow(_) => {
                self.generation = in_force.generation;
                None
            }
            Verdict::Refuse(refusal) => {
                record::withheld(&self.gateway, &self.call, &in_force, &verdict);
                self.ended(Ending::Withheld);
                Some(refuse::refusal_body(&self.call, refusal))
            }
        }
    }

    /// The end of a server that gave no usable answer.
    pub(crate) async fn broke_off(&mut self, error: &UpstreamError) -> Bytes {
        self.came_to_nothing(error).await;
        let words = format!("{error} (reference {})", self.call.id);
        reply::error(self.call.request_id(), INTERNAL, &words, None)
    }

    /// What becomes of `bytes`, one message of the server.
    pub(crate) async fn message(&mut self, bytes: Bytes) -> Released {
        let Ok(shape) = scan::shape(&bytes) else {
            tracing::warn!(server = %self.call.entry.server, "the server sent no JSON-RPC message");
            return Released::Last(
                self.broke_off(&UpstreamError::Misbehaved("no JSON-RPC message")).await,
            );
        };
        match shape.kind {
            ShapeKind::Response => {
                if shape.id.is_some_and(|id| !self.call.is_answered_by(id)) {
                    tracing::warn!(server = %self.call.entry.server, "an answer that nobody asked for");
                    return Released::Nothing;
                }
                let kind = shape.result_type.as_deref();
                let kind_is_good = self.takes_result_type(kind);
                let result = shape.result.clone();
                Released::Last(self.response(bytes.clone(), result, kind_is_good).await)
            }
            ShapeKind::Notification => {
                let passes = notification(&self.gateway, &self.call, &shape);
                let passes = passes && self.may_tell(&bytes).await;
                self.has_told |= passes;
                Released::when(passes, &bytes)
            }
            ShapeKind::Request => {
                // What a question tells its reader is told like anything else.
                let passes = if self.may_tell(&bytes).await {
                    server_request(&self.gateway, &self.call, &shape, &bytes).await
                } else {
                    answer_no(&self.call, &shape)
                };
                self.has_told |= passes;
                Released::when(passes, &bytes)
            }
        }
    }

    /// `input_required` asks the client for something, which needs the permit that was asked for
    /// when the capability was passed on; unknown kinds are invalid (2026-07-28, results).
    fn takes_result_type(&self, kind: Option<&str>) -> bool {
        match (self.call.dialect.era, kind) {
            (Era::Legacy, _) | (Era::Modern, None | Some("complete")) => true,
            (Era::Modern, Some("input_required")) => self.may_ask,
            (Era::Modern, Some(_)) => false,
        }
    }

    async fn response(
        &mut self,
        bytes: Bytes,
        result: Option<Range<usize>>,
        kind_is_good: bool,
    ) -> Bytes {
        if let Some(refusal) = self.withdrawn().await {
            return refusal;
        }
        if !kind_is_good {
            let error = UpstreamError::Misbehaved("a result of a kind not asked for");
            return self.broke_off(&error).await;
        }
        let Some(result) = result else { return self.error(bytes).await };
        match self.call.row.treatment {
            Treatment::List(kind) => self.list(kind, bytes, result).await,
            Treatment::Call => self.review(bytes, Carrier::Tool).await,
            Treatment::Get => self.review(bytes, Carrier::Prompt).await,
            Treatment::Read => self.review(bytes, Carrier::Resource).await,
            Treatment::Complete => self.review(bytes, Carrier::Completion).await,
            Treatment::Subscribe => {
                self.note_subscription();
                self.delivered(bytes)
            }
            Treatment::Handshake
            | Treatment::Level
            | Treatment::Local
            | Treatment::Listen
            | Treatment::Cancelled
            | Treatment::Progress
            | Treatment::Swallow
            | Treatment::ServerRequest
            | Treatment::Delivery
            | Treatment::Refuse => self.delivered(bytes),
        }
    }

    /// An error of the server: its words are looked at like any other answer.
    async fn error(&mut self, bytes: Bytes) -> Bytes {
        let told = match carrier_of(&self.call) {
            Some(_) => self.review(bytes, Carrier::Error).await,
            None => match hear(&self.gateway, &self.call, Carrier::Error, &bytes).await {
                Heard::AsItIs => bytes,
                Heard::Without(message) => Bytes::from(message.to_string()),
                Heard::Nothing => refuse::withheld_body(&self.call),
            },
        };
        self.ended(Ending::Error);
        told
    }

    pub(super) fn delivered(&mut self, bytes: Bytes) -> Bytes {
        self.ended(Ending::Delivered);
        bytes
    }

    async fn list(&mut self, kind: ListKind, bytes: Bytes, result: Range<usize>) -> Bytes {
        match lists::release(&self.gateway, &self.call, kind, &bytes, result).await {
            Ok(filtered) => {
                self.ended(if filtered == bytes { Ending::Delivered } else { Ending::Filtered });
                filtered
            }
            Err(error) => {
                tracing::warn!(server = %self.call.entry.server, %error, "a list is not passed on");
                self.broke_off(&UpstreamError::Misbehaved("a malformed list")).await
            }
        }
    }

    /// An answer in which MCP resources may be embedded, or which is one: only what may be read.
    pub(super) async fn readable(&mut self, bytes: Bytes) -> Bytes {
        if self.call.row.treatment != Treatment::Read && !embedded::shows(&bytes) {
            return self.delivered(bytes);
        }
        let depth = self.call.entry.settings.limits.depth;
        let Ok(mut response) = tree::read(&bytes, depth) else {
            return self.broke_off(&UpstreamError::Misbehaved("a malformed result")).await;
        };
        let in_force = self.gateway.live.snapshot();
        let Some(result) = response.get_mut("result") else { return self.delivered(bytes) };
        let embedded = embedded::remove_unreadable(&self.call, &in_force, result);
        if let Err(error) = self.call.entry.past.keep(&embedded.entries).await {
            tracing::error!(%error, id = %self.call.id, "what an answer tells could not be kept");
            return self.broke_off(&UpstreamError::Misbehaved("kept nowhere")).await;
        }
        if embedded.removed { self.without(Vec::new(), &response) } else { self.delivered(bytes) }
    }

    /// The answer that is left after something was taken out of it.
    pub(super) fn without(&mut self, removed: Vec<Fact>, response: &Value) -> Bytes {
        if let Some(mut outcome) = self.outcome.take() {
            outcome.filtered(removed);
        }
        Bytes::from(response.to_string())
    }

    fn note_subscription(&self) {
        let target = self.call.target();
        if let (Some(session), Some(uri)) = (&self.call.session, target.name()) {
            match self.call.row.name {
                "resources/subscribe" => session.subscribe(uri),
                _ => session.unsubscribe(uri),
            }
        }
    }
}

/// Whether a notification inside the answer to a call may reach the caller.
pub(crate) fn notification(gateway: &Gateway, call: &Call, shape: &Shape<'_>) -> bool {
    let name = shape.method.as_deref().unwrap_or_default();
    let row = method::find(name).filter(|row| row.permits(call.dialect.era, Direction::ToClient));
    let known = row.is_some_and(|row| {
        matches!(row.treatment, Treatment::Delivery | Treatment::Progress | Treatment::Cancelled)
    });
    if !known {
        tracing::debug!(server = %call.entry.server, "a notification that nobody knows is dropped");
        return false;
    }
    if name.ends_with("/list_changed") {
        gateway.copies.outdated(&call.entry.server);
    }
    let in_force = gateway.live.load();
    in_force.world.standing(&call.entry.caller.user).active
}

/// Whether a request of the server may reach the client; if not, the server is told so.
pub(crate) async fn server_request(
    gateway: &Arc<Gateway>,
    call: &Arc<Call>,
    shape: &Shape<'_>,
    bytes: &Bytes,
) -> bool {
    let id = shape.id.unwrap_or(b"null");
    let name = shape.method.as_deref().unwrap_or_default();
    let in_force = gateway.live.snapshot();
    if let Some(method) = permitted_request(call, name, &in_force)
        && may_hear(gateway, call, bytes).await
        && call.session.as_ref().is_some_and(|session| session.asked(id, method))
    {
        return true;
    }
    let answer = if name == "ping" { reply::result(id, "{}") } else { forward::not_offered(id) };
    tokio::spawn(forward::own_answer(Arc::clone(call), answer));
    false
}

/// The server is told that the client does not offer what it asks for.
fn answer_no(call: &Arc<Call>, shape: &Shape<'_>) -> bool {
    let answer = forward::not_offered(shape.id.unwrap_or(b"null"));
    tokio::spawn(forward::own_answer(Arc::clone(call), answer));
    false
}

/// The row's name of a server request that the session declared and policy permits now.
pub(crate) fn permitted_request(
    call: &Call,
    name: &str,
    in_force: &InForce,
) -> Option<&'static str> {
    let row = method::find(name).filter(|row| row.treatment == Treatment::ServerRequest)?;
    let session = call.session.as_ref()?;
    let declared = session.server_requests.contains(&row.name);
    let params = Value::Null;
    let verdict = call.judge_other(in_force, clock::now(), row.name, Target::Server, &params);
    (declared && verdict.is_allowed()).then_some(row.name)
}
