//! Why something was decided, in lines for people.

use kenward_policy::{Policies, Verdict};

use super::stage::Heard;

/// The chain from the arguments to the policies, a step a line.
pub(crate) fn explain(heard: &Heard, policies: &Policies) -> Vec<String> {
    let basis = heard.verdict.basis();
    let mut lines: Vec<String> =
        basis.chain(policies).iter().map(|step| format!("because: {step}")).collect();
    lines.extend(basis.policies.iter().map(|policy| format!("policy:  {policy}")));
    lines.extend(basis.shadows.iter().map(|note| format!("on paper: {note}")));
    if let Verdict::Refuse(refusal) = &heard.verdict {
        let number = refusal.question.number();
        lines.push(format!("no to:   question {number}, {}", refusal.question.words()));
        lines.extend(refusal.cause.words().map(|why| format!("why:     {why}")));
        let reasons = refusal.reasons.iter().filter_map(|reason| reason.text.as_deref());
        lines.extend(reasons.map(|reason| format!("reason:  {reason}")));
    }
    if let Some(reviewed) = &heard.reviewed {
        let withheld = reviewed.withheld.as_ref();
        lines.extend(withheld.map(|why| format!("answer:  withheld, {why}")));
        lines.extend(
            reviewed
                .basis
                .facts
                .iter()
                .map(|fact| format!("answer:  without {} of {}", fact.attribute, fact.subject)),
        );
    }
    lines
}
