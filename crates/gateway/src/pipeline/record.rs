//! Step 7, record: the decision is in the log before anything of the message goes on.

use std::borrow::Cow;
use std::sync::Arc;

use kenward_audit::{Digest, Kind, Outcome as Ending, Record, Verdict as Answer};
use kenward_live::InForce;
use kenward_policy::{Basis, Cause, Refusal, Verdict};
use kenward_store::segments::Receipt;

use super::Call;
use crate::admission::Slot;
use crate::clock;
use crate::gateway::Gateway;
use crate::outcome::Outcome;
use crate::stop::Stop;

pub(super) fn record(
    gateway: &Gateway,
    call: &Call,
    in_force: &InForce,
    verdict: &Verdict,
) -> Result<Receipt, Stop> {
    let record = entry(call, in_force, verdict, Kind::Decision);
    gateway.log.append(&record).map_err(|error| {
        tracing::error!(%error, "a decision could not be recorded; nothing is forwarded");
        let reference = call.id.to_string();
        Stop::Us { id: call.request_id().map(<[u8]>::to_vec), reference }
    })
}

/// Records that a message from a server was decided against for this caller.
pub(crate) fn withheld(gateway: &Gateway, call: &Call, in_force: &InForce, verdict: &Verdict) {
    let record = Record { time: clock::now(), ..entry(call, in_force, verdict, Kind::Delivery) };
    if let Err(error) = gateway.log.append(&record) {
        tracing::error!(%error, "a withheld delivery could not be recorded");
    }
}

/// The open end of a decision that was allowed.
pub(super) fn outcome(gateway: &Gateway, call: &Call, slot: Slot) -> Outcome {
    Outcome::new(Arc::clone(&gateway.log), call.id, Some(slot))
}

/// The end of a message that was answered here.
pub(super) fn closed_here(gateway: &Gateway, call: &Call, slot: Slot) {
    outcome(gateway, call, slot).finish(Ending::Delivered);
}

fn entry(call: &Call, in_force: &InForce, verdict: &Verdict, kind: Kind) -> Record {
    let caller = &call.entry.caller;
    let basis = verdict.basis();
    let base = Record {
        id: Some(call.id),
        user: Some(Arc::clone(&caller.user.id)),
        agent: Some(Arc::clone(&caller.agent.id)),
        issuer: Some(Arc::clone(&caller.issuer)),
        server: Some(call.entry.server.clone()),
        method: Some(Cow::Borrowed(call.row.name)),
        target: call.target().name().map(Into::into),
        objects: basis.objects.clone(),
        facts: basis.facts.clone(),
        policies: basis.policies.clone(),
        policy_epoch: Some(Arc::clone(in_force.policies.epoch())),
        revision: Some(basis.revision),
        arguments_sha256: Some(Digest(call.digest)),
        ..Record::new(kind, call.entry.time)
    };
    match verdict {
        Verdict::Allow(_) => Record { verdict: Some(Answer::Allow), note: shadows(basis), ..base },
        Verdict::Refuse(refusal) => refused(base, refusal),
    }
}

fn refused(base: Record, refusal: &Refusal) -> Record {
    let reasons = refusal.reasons.iter().filter_map(|reason| reason.text.clone()).collect();
    let note = match &refusal.cause {
        Cause::Policy if refusal.reasons.is_empty() => Some(Cow::Borrowed("nothing permits it")),
        Cause::Policy => None,
        Cause::Scope => Some(Cow::Owned(format!(
            "the token lacks the scope {}",
            refusal.missing_scopes.join(" or ")
        ))),
        Cause::Standing => Some(Cow::Borrowed("the user is inactive or the session is revoked")),
        Cause::Unresolved(why)
        | Cause::Mapping(why)
        | Cause::Arguments(why)
        | Cause::PolicyError(why) => Some(Cow::Owned(why.clone())),
    };
    Record {
        verdict: Some(Answer::Refuse),
        question: Some(refusal.question),
        reasons,
        note: note.or_else(|| shadows(&refusal.basis)),
        ..base
    }
}

fn shadows(basis: &Basis) -> Option<Cow<'static, str>> {
    let would = basis.shadows.join(", ");
    (!would.is_empty()).then(|| Cow::Owned(format!("on paper only: {would}")))
}
