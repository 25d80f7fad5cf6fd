//! The decision on what a call would tell: with what is known, what was refused, and what follows.

mod budget;
mod casting;
mod hearing;
mod knowledge;
mod leaves;
mod ledger;
mod members;
mod naming;
mod shadows;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use kenward_model::{DecisionId, EntityUid, Fact, ServerName, Timestamp};
use kenward_world::World;
use serde_json::Value;

use crate::bindings::CompiledBinding;
use crate::handles::Handles;
use crate::history::{Entry, History, ShadowSource};
use crate::inferences::{Derived, Inferences};
use crate::subject::{Disclosed, Unresolved};
use crate::vocabulary::Guess;
use hearing::Hearing;

pub(crate) use knowledge::following;

/// How strictly it is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether what was learnt before counts.
    pub ledger: bool,
    /// Whether what was refused before counts.
    pub shadows: bool,
    /// How long a refusal by our own policies casts its shadow.
    pub policy_shadow: Duration,
    /// How long a refusal by a server, or by an approver, casts its shadow.
    pub upstream_shadow: Duration,
    /// After how many different tools at one refused goal the person is asked.
    pub ask_after: usize,
    /// After how many an alert is raised.
    pub alert_after: usize,
    /// What happens to tools without a binding that are guessed to reveal something.
    pub unbound: Unbound,
}

/// What happens to tools without a binding that are guessed to reveal something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unbound {
    /// They are refused where something of the same family was refused before.
    #[default]
    Shadow,
    /// They are refused.
    Refuse,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            ledger: true,
            shadows: true,
            policy_shadow: Duration::from_secs(30 * DAY),
            upstream_shadow: Duration::from_secs(DAY),
            ask_after: 3,
            alert_after: 5,
            unbound: Unbound::Shadow,
        }
    }
}

/// One call, with everything that is read to decide on what it tells.
#[derive(Debug, Clone, Copy)]
pub struct Inquiry<'a> {
    /// The directory.
    pub world: &'a World,
    /// The handles that results have linked.
    pub handles: &'a Handles,
    /// What this person was told and was refused.
    pub history: &'a History,
    /// How strictly it is decided.
    pub settings: &'a Settings,
    /// Families and inferences.
    pub inferences: &'a Inferences,
    /// Who would learn it.
    pub person: &'a EntityUid,
    /// The server that would answer.
    pub server: &'a ServerName,
    /// The tool, the prompt or the URI.
    pub target: &'a str,
    /// The arguments: an object.
    pub arguments: &'a Value,
    /// When it is asked.
    pub now: Timestamp,
    /// The decision that this belongs to.
    pub decision: DecisionId,
    /// A digest of target and arguments: calls that get the same answer have the same.
    pub answer: u64,
}

/// What policy says of one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinion {
    /// It may be learnt.
    Yes,
    /// Nothing permits it, and nothing forbids it.
    Silent,
    /// It may not be learnt.
    No,
}

/// Policy, as far as it is asked about facts.
pub trait Judge {
    /// Whether the person may learn `fact`; `inferred` when it would only follow.
    fn may_learn(&mut self, fact: &Fact, inferred: bool) -> Opinion;
}

/// What is known of the tool.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// What it reveals, as configured.
    pub binding: Option<&'a CompiledBinding>,
    /// What it probably reveals.
    pub guess: &'a Guess,
}

/// What was decided before the call.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// The facts that the answer would tell, as far as the arguments say.
    pub disclosed: Vec<Disclosed>,
    /// What would follow.
    pub inferred: Vec<Derived>,
    /// Why the call may not go on; nothing when it may.
    pub stop: Option<Stop>,
    /// What becomes of the history when this decision is taken.
    pub entries: Vec<Entry>,
    /// What rules on paper would have refused.
    pub notes: Vec<String>,
    /// Somebody tries too hard.
    pub alert: Option<Alert>,
    /// What the review of the answer has to know of it.
    pub expects: Expects,
}

/// What the review of an answer has to know of the decision before it.
#[derive(Debug, Clone, Default)]
pub struct Expects {
    /// The subjects that the arguments name: judged already.
    pub subjects: Vec<EntityUid>,
    /// Whether a handle was let through because the answer says whose it is.
    pub deferred: bool,
}

/// Why a call may not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// What stands against it.
    pub why: Why,
    /// Whether that is what follows or happened before, rather than what the answer itself says.
    pub inferred: bool,
    /// About whom.
    pub subject: Option<EntityUid>,
    /// Of which family.
    pub family: Option<Arc<str>>,
}

/// What stands against a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// This fact may not be learnt.
    Fact(Fact),
    /// Whom the call is about could not be told.
    Unresolved(Unresolved),
    /// Something of the kind was refused before.
    Shadow {
        /// By whom.
        source: ShadowSource,
        /// In which decision.
        cast_by: DecisionId,
    },
    /// Too many guesses were wrong.
    Misses,
    /// The figure would be about one person.
    Filter,
    /// Too many people were asked about.
    Budget,
    /// The ledger has no room for what would be learnt.
    Full,
    /// Nobody has described the tool.
    Unbound,
    /// Somebody has to agree first.
    Ask(AskReason),
}

/// Why somebody has to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskReason {
    /// Several tools were tried at something that was refused.
    Probes,
    /// Many people were asked about.
    Budget,
}

/// Somebody tries too hard at one goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Whose facts.
    pub subject: Option<EntityUid>,
    /// Of which family.
    pub family: Arc<str>,
    /// The different tools that were tried.
    pub tools: Vec<Arc<str>>,
}

/// Decides whether the person may learn all that the answer would tell, and what becomes of the
/// history when they may or may not.
///
/// What is asked: every fact that the arguments say would be told, all that follows from those, and
/// all that follows from them together with what the person knows and did not follow so far.
/// Nothing here depends on anything that the server knows: a refusal tells nothing.
pub fn before(inquiry: &Inquiry<'_>, rules: Rules<'_>, judge: &mut dyn Judge) -> Before {
    Hearing::new(inquiry, rules, judge).decide()
}

/// What becomes of the history when somebody else than the questions on facts refuses the call:
/// shadows on what it was about.
pub fn refused_elsewhere(
    inquiry: &Inquiry<'_>,
    rules: Rules<'_>,
    source: ShadowSource,
) -> Vec<Entry> {
    casting::refused_elsewhere(inquiry, rules, source)
}

/// Whether a call in which `argument` (its path below `arguments`, joined by points) were `value`
/// could pass the questions on facts, as far as that argument goes: a value that could not is not
/// offered as a completion.
pub fn could_be_asked(
    inquiry: &Inquiry<'_>,
    rules: Rules<'_>,
    judge: &mut dyn Judge,
    argument: &str,
    value: &str,
) -> bool {
    let mut arguments = inquiry.arguments.clone();
    if !set(&mut arguments, argument, value) {
        return false;
    }
    let inquiry = Inquiry { arguments: &arguments, ..*inquiry };
    Hearing::new(&inquiry, rules, judge).completes().decide().stop.is_none()
}

/// Sets the member that `path` leads to; false where something else than an object is in the way.
fn set(arguments: &mut Value, path: &str, text: &str) -> bool {
    if arguments.is_null() {
        *arguments = Value::Object(serde_json::Map::new());
    }
    let mut value = arguments;
    for member in path.split('.') {
        let Some(members) = value.as_object_mut() else { return false };
        value = members.entry(member).or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    *value = Value::String(text.to_owned());
    true
}

#[cfg(test)]
mod guarantee;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trial;
