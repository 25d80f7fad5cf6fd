//! What a server says beside its answers: log messages, news, questions to the client.
//!
//! The same question as for an answer (question 5), asked of the person with all of their past. No
//! tool, prompt or URI says what such a text is about, so that it may be about whatever any binding
//! of the server tells.

use bytes::Bytes;
use kenward_disclosure::Carrier;
use kenward_mcp::tree;
use kenward_model::{Operation, Target};
use kenward_policy::{Case, answer_digest};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Call, record};
use crate::clock;
use crate::gateway::Gateway;
use crate::past::Occasion;

/// The operation that hearing a server is: only its result is looked at.
const LISTEN: &str = "subscriptions/listen";
/// The tag of the messages of a modern stream.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
const UPDATED: &str = "notifications/resources/updated";

/// What of a message may be told.
#[derive(Debug)]
pub(super) enum Heard {
    /// The message as it is.
    AsItIs,
    /// The message without what may not be told.
    Without(Value),
    /// Nothing of it.
    Nothing,
}

/// Whether `bytes`, a notification or a request of the server, may be told; what it tells is in the
/// history before.
pub(crate) async fn may_hear(gateway: &Gateway, call: &Call, bytes: &Bytes) -> bool {
    matches!(hear(gateway, call, Carrier::Notification, bytes).await, Heard::AsItIs)
}

/// What of `bytes`, a message that tells nothing that was asked for, may be told; what it tells is
/// in the history before.
pub(super) async fn hear(gateway: &Gateway, call: &Call, carrier: Carrier, bytes: &Bytes) -> Heard {
    let in_force = gateway.live.snapshot();
    let server = &call.entry.server;
    let operation =
        Operation { server, method: LISTEN, target: Target::Server, params: &Value::Null };
    let past = &call.entry.past;
    let is_due = past.read(call.occasion(), |memory| {
        let asker = call.asker(&in_force, clock::now());
        in_force.policies.is_review_due(&Case { asker, operation: &operation, memory })
    });
    if !is_due {
        return Heard::AsItIs;
    }
    let depth = call.entry.settings.limits.depth;
    let Ok(mut message) = tree::read(bytes, depth) else { return Heard::Nothing };
    let is_error = carrier == Carrier::Error;
    let said = if is_error { message.get_mut("error").map(Value::take) } else { said(&message) };
    let Some(mut said) = said else { return Heard::AsItIs };
    // Each message is an answer of its own.
    let digest = Sha256::digest(bytes).into();
    let occasion =
        Occasion { answer: answer_digest(server, &Target::Server, &digest), ..call.occasion() };
    let (reviewed, entries) = past.take(occasion, |memory| {
        let asker = call.asker(&in_force, clock::now());
        let case = Case { asker, operation: &operation, memory };
        let reviewed = in_force.policies.review(&case, &[], carrier, &mut said);
        let entries = reviewed.entries.clone();
        (reviewed, entries)
    });
    if let Err(error) = past.keep(&entries).await {
        tracing::error!(%error, id = %call.id, "what a server says could not be kept");
        return Heard::Nothing;
    }
    if reviewed.withheld.is_none() && !reviewed.changed {
        return Heard::AsItIs;
    }
    record::reviewed(gateway, call, &in_force, &reviewed);
    if reviewed.withheld.is_some() || !is_error {
        return Heard::Nothing;
    }
    if let Some(place) = message.get_mut("error") {
        *place = said;
    }
    Heard::Without(message)
}

/// The parameters without what the caller has said first and was decided on then.
fn said(message: &Value) -> Option<Value> {
    let is_update = message.get("method").and_then(Value::as_str) == Some(UPDATED);
    let mut said = message.get("params")?.clone();
    let Some(members) = said.as_object_mut() else { return Some(said) };
    if is_update {
        members.remove("uri");
    }
    if let Some(meta) = members.get_mut("_meta").and_then(Value::as_object_mut) {
        meta.remove(SUBSCRIPTION);
    }
    Some(said)
}
