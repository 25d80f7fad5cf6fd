//! Step 7, record: the decision is in the log before anything of the message goes on.

use std::borrow::Cow;
use std::sync::Arc;

use kenward_audit::{Digest, Kind, Outcome as Ending, Record, Verdict as Answer};
use kenward_live::InForce;
use kenward_model::Question;
use kenward_policy::{Basis, Cause, Refusal, Reviewed, Verdict};
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

/// Records what was taken out of an answer of which nothing is delivered, and why.
pub(crate) fn reviewed(gateway: &Gateway, call: &Call, in_force: &InForce, reviewed: &Reviewed) {
    let basis = &reviewed.basis;
    let record = Record {
        time: clock::now(),
        verdict: Some(Answer::Refuse),
        question: Some(Question::Result),
        note: reviewed.withheld.as_ref().map(|why| Cow::Owned(why.to_string())),
        ..base(call, in_force, basis, Kind::Delivery)
    };
    if let Err(error) = gateway.log.append(&record) {
        tracing::error!(%error, "a withheld answer could not be recorded");
    }
}

/// Records that somebody tries too hard, where that is so.
pub(super) fn alert(gateway: &Gateway, call: &Call, verdict: &Verdict) {
    let Some(alert) = &verdict.effects().alert else { return };
    let caller = &call.entry.caller;
    let goal = alert.subject.as_ref().map_or_else(String::new, |subject| format!(" of {subject}"));
    let (family, tools) = (&alert.family, alert.tools.join(", "));
    tracing::warn!(user = %caller.user.id, %family, "several tools were tried at what was refused");
    let record = Record {
        id: Some(call.id),
        user: Some(Arc::clone(&caller.user.id)),
        agent: Some(Arc::clone(&caller.agent.id)),
        objects: alert.subject.iter().cloned().collect(),
        note: Some(Cow::Owned(format!("{family}{goal} was tried through {tools}"))),
        ..Record::new(Kind::Alert, call.entry.time)
    };
    if let Err(error) = gateway.log.append(&record) {
        tracing::error!(%error, "an alert could not be recorded");
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
    let basis = verdict.basis();
    let base = base(call, in_force, basis, kind);
    match verdict {
        Verdict::Allow(_) => Record { verdict: Some(Answer::Allow), note: shadows(basis), ..base },
        Verdict::Refuse(refusal) => refused(base, refusal),
    }
}

fn base(call: &Call, in_force: &InForce, basis: &Basis, kind: Kind) -> Record {
    let caller = &call.entry.caller;
    Record {
        id: Some(call.id),
        user: Some(Arc::clone(&caller.user.id)),
        agent: Some(Arc::clone(&caller.agent.id)),
        issuer: Some(Arc::clone(&caller.issuer)),
        server: Some(call.entry.server.clone()),
        method: Some(Cow::Borrowed(call.row.name)),
        target: call.target().name().map(Into::into),
        objects: basis.objects.clone(),
        facts: basis.facts.clone(),
        chain: basis.chain(&in_force.policies),
        policies: basis.policies.clone(),
        policy_epoch: Some(Arc::clone(in_force.policies.epoch())),
        revision: Some(basis.revision),
        arguments_sha256: Some(Digest(call.digest)),
        ..Record::new(kind, call.entry.time)
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
        Cause::Standing
        | Cause::Unresolved(_)
        | Cause::Mapping(_)
        | Cause::Arguments(_)
        | Cause::PolicyError(_)
        | Cause::History(_)
        | Cause::Definition(_) => refusal.cause.words().map(|why| Cow::Owned(why.to_owned())),
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
