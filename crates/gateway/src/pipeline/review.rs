//! Question 5 in the gate: each fact in an answer, before it is released, and what is learnt of it.

use bytes::Bytes;
use kenward_audit::Outcome as Ending;
use kenward_disclosure::{Carrier, Entry, ShadowSource};
use kenward_live::InForce;
use kenward_mcp::method::Treatment;
use kenward_mcp::tree;
use kenward_policy::{Case, Reviewed};
use serde_json::Value;

use super::release::Release;
use super::{Call, embedded, may_hear, record, refuse};
use crate::clock;
use crate::upstream::UpstreamError;

impl Release {
    /// Whether the answer must be looked at because of what it may tell.
    pub(super) fn is_review_due(&self, in_force: &InForce) -> bool {
        let (call, operation) = (&self.call, self.call.operation());
        call.entry.past.read(call.occasion(), |memory| {
            let asker = call.asker(in_force, clock::now());
            in_force.policies.is_review_due(&Case { asker, operation: &operation, memory })
        })
    }

    /// The answer without what may not be learnt; what is told is in the history before.
    pub(super) async fn review(&mut self, bytes: Bytes, carrier: Carrier) -> Bytes {
        let in_force = self.gateway.live.snapshot();
        if !self.is_review_due(&in_force) {
            return self.readable(bytes).await;
        }
        let depth = self.call.entry.settings.limits.depth;
        let Ok(mut response) = tree::read(&bytes, depth) else {
            return self.broke_off(&UpstreamError::Misbehaved("a malformed result")).await;
        };
        let Some(answer) = response.get_mut(member(carrier)) else {
            return self.broke_off(&UpstreamError::Misbehaved("a result without its member")).await;
        };
        let (reviewed, mut entries) = self.reviewed(&in_force, carrier, answer);
        let unreadable = embedded::remove_unreadable(&self.call, &in_force, answer);
        entries.extend(unreadable.entries);
        if !self.keep(&reviewed, &entries).await {
            return self.broke_off(&UpstreamError::Misbehaved(NOT_KEPT)).await;
        }
        if let Some(_why) = &reviewed.withheld {
            record::reviewed(&self.gateway, &self.call, &in_force, &reviewed);
            self.ended(Ending::Withheld);
            return refuse::withheld_body(&self.call);
        }
        self.confirm();
        if !reviewed.changed && !unreadable.removed {
            return self.delivered(bytes);
        }
        self.without(reviewed.basis.facts, &response)
    }

    /// Whether what a server says before its answer may be told.
    pub(super) async fn may_tell(&self, bytes: &Bytes) -> bool {
        if carrier_of(&self.call).is_none() {
            return may_hear(&self.gateway, &self.call, bytes).await;
        }
        let in_force = self.gateway.live.snapshot();
        if !self.is_review_due(&in_force) {
            return true;
        }
        let depth = self.call.entry.settings.limits.depth;
        let Ok(mut message) = tree::read(bytes, depth) else { return false };
        let Some(said) = message.get_mut("params") else { return true };
        let (reviewed, entries) = self.reviewed(&in_force, Carrier::Notification, said);
        self.keep(&reviewed, &entries).await && reviewed.withheld.is_none() && !reviewed.changed
    }

    fn reviewed(
        &self,
        in_force: &InForce,
        carrier: Carrier,
        answer: &mut Value,
    ) -> (Reviewed, Vec<Entry>) {
        let (call, operation) = (&self.call, self.call.operation());
        call.entry.past.take(call.occasion(), |memory| {
            let asker = call.asker(in_force, clock::now());
            let case = Case { asker, operation: &operation, memory };
            let reviewed = in_force.policies.review(&case, &self.expects, carrier, answer);
            let entries = reviewed.entries.clone();
            (reviewed, entries)
        })
    }

    /// Keeps what an answer adds to the history; false when that cannot be done.
    async fn keep(&self, reviewed: &Reviewed, entries: &[Entry]) -> bool {
        let past = &self.call.entry.past;
        let kept = async {
            past.link(&reviewed.links).await?;
            past.keep(entries).await
        };
        let kept = kept.await;
        if let Err(error) = &kept {
            tracing::error!(%error, id = %self.call.id, "what an answer tells could not be kept");
        }
        kept.is_ok()
    }

    /// What was reserved for the answer is told now. It counts the same, so that this alone needs
    /// not be kept.
    pub(super) fn confirm(&self) {
        self.call.entry.past.note(&[Entry::Confirmed(self.call.id)]);
    }

    /// The call has brought nothing back: what was reserved for it was not told. A server that
    /// refused casts its shadow.
    pub(super) async fn came_to_nothing(&mut self, error: &UpstreamError) {
        self.ended(Ending::Failed);
        let mut entries = Vec::new();
        if !self.has_told {
            entries.push(Entry::Undone(self.call.id));
        }
        if matches!(error, UpstreamError::RefusedUs) {
            entries.extend(self.refused_by_server());
        }
        if !self.call.entry.past.concerns(self.call.id) && entries.len() < 2 {
            return;
        }
        if let Err(error) = self.call.entry.past.add(&entries).await {
            tracing::error!(%error, id = %self.call.id, "the end of a call could not be kept");
        }
    }

    fn refused_by_server(&self) -> Vec<Entry> {
        let (call, operation) = (&self.call, self.call.operation());
        let in_force = self.gateway.live.snapshot();
        call.entry.past.read(call.occasion(), |memory| {
            let asker = call.asker(&in_force, clock::now());
            let case = Case { asker, operation: &operation, memory };
            in_force.policies.refused_elsewhere(&case, ShadowSource::Upstream)
        })
    }
}

/// What becomes of a call of which the answer cannot be kept.
const NOT_KEPT: &str = "an answer that could not be put into the history";

/// The member of a message that carries what is told.
fn member(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Tool | Carrier::Resource | Carrier::Prompt | Carrier::Completion => "result",
        Carrier::Error => "error",
        Carrier::Notification => "params",
    }
}

/// What carries the answer to a call, where it tells facts at all.
pub(super) fn carrier_of(call: &Call) -> Option<Carrier> {
    match call.row.treatment {
        Treatment::Call => Some(Carrier::Tool),
        Treatment::Get => Some(Carrier::Prompt),
        Treatment::Read => Some(Carrier::Resource),
        Treatment::Complete => Some(Carrier::Completion),
        Treatment::Handshake
        | Treatment::Local
        | Treatment::List(_)
        | Treatment::Subscribe
        | Treatment::Listen
        | Treatment::Level
        | Treatment::Cancelled
        | Treatment::Progress
        | Treatment::Swallow
        | Treatment::ServerRequest
        | Treatment::Delivery
        | Treatment::Refuse => None,
    }
}
