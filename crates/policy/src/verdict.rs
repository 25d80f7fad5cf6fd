//! The answer to a case: allowed with a permit, or refused with its reasons.

use std::sync::Arc;

use kenward_disclosure::{Alert, AskReason, Derived, Disclosed, Entry, Expects};
use kenward_model::{EntityUid, Fact, Question, Revision};

use crate::explain;
use crate::policies::Policies;

/// The value without which nothing can be forwarded. Only [`crate::Policies::decide`] makes one;
/// it can be neither copied nor built.
#[derive(Debug)]
#[must_use = "a permit that nothing is forwarded with was asked for in vain"]
pub struct Permit {
    basis: Basis,
    effects: Effects,
}

impl Permit {
    pub(crate) fn new(basis: Basis, effects: Effects) -> Self {
        Self { basis, effects }
    }

    /// What the permission rests on.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// What the review of the answer has to know, for each binding that applies.
    pub fn expects(&self) -> &[Expects] {
        &self.effects.expects
    }
}

/// The answer to a case.
#[derive(Debug)]
#[must_use = "a verdict that is not looked at decides nothing"]
pub enum Verdict {
    /// Every question was answered yes.
    Allow(Permit),
    /// Some question was answered no, or could not be answered.
    Refuse(Refusal),
}

impl Verdict {
    /// Whether this is a permission.
    pub fn is_allowed(&self) -> bool {
        match self {
            Self::Allow(_) => true,
            Self::Refuse(_) => false,
        }
    }

    /// What becomes of the history.
    pub fn effects(&self) -> &Effects {
        match self {
            Self::Allow(permit) => &permit.effects,
            Self::Refuse(refusal) => &refusal.effects,
        }
    }

    /// What the verdict rests on.
    pub fn basis(&self) -> &Basis {
        match self {
            Self::Allow(permit) => permit.basis(),
            Self::Refuse(refusal) => &refusal.basis,
        }
    }
}

/// Why and how an operation was refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The first question that was not answered yes.
    pub question: Question,
    /// Whether the answer has to look as if the target did not exist: no call of it could be
    /// allowed to this caller.
    pub hidden: bool,
    /// The policies that forbade it. Empty when merely nothing permitted it.
    pub reasons: Vec<Reason>,
    /// The scopes that the operation needs and the token lacks.
    pub missing_scopes: Vec<Arc<str>>,
    /// What kind of no it is.
    pub cause: Cause,
    /// Set when it would be allowed if somebody agreed.
    pub ask: Option<Box<Ask>>,
    /// What the refusal rests on.
    pub basis: Basis,
    /// What becomes of the history.
    pub effects: Effects,
}

/// To what somebody would have to agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Whose facts.
    pub subject: EntityUid,
    /// Of which family.
    pub family: Arc<str>,
    /// Why it is asked.
    pub reason: AskReason,
}

/// What kind of no a refusal is. The texts are for records and people, never for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Policies said no, or none said yes.
    Policy,
    /// The token lacks a scope that the operation needs.
    Scope,
    /// Whom the call is about could not be found out.
    Unresolved(String),
    /// The mapping could not be evaluated on this call.
    Mapping(String),
    /// The arguments do not fit what the policies were checked against.
    Arguments(String),
    /// A policy could not be evaluated.
    PolicyError(String),
    /// The user is inactive or the session is revoked.
    Standing,
    /// What the person was told, was refused or has tried before stands against it.
    History(String),
    /// What the server says of the target is not what was approved.
    Definition(String),
}

impl Cause {
    /// What a reader of the record should know beside the policies; nothing when those say it all.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Policy | Self::Scope => None,
            Self::Standing => Some("the user is inactive or the session is revoked"),
            Self::Unresolved(why)
            | Self::Mapping(why)
            | Self::Arguments(why)
            | Self::PolicyError(why)
            | Self::History(why)
            | Self::Definition(why) => Some(why),
        }
    }
}

/// A policy that spoke, and what it says to people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reason {
    /// The policy: its `@id`, or its file and line.
    pub policy: Arc<str>,
    /// Its `@reason`.
    pub text: Option<Arc<str>>,
}

/// What a verdict rests on, for records and explanations.
#[derive(Debug, Clone, Default)]
pub struct Basis {
    /// The objects that were asked about, in the order of asking.
    pub objects: Vec<EntityUid>,
    /// The facts that were asked about: disclosed first, then inferred.
    pub facts: Vec<Fact>,
    /// The policies that decided, by `@id` or file and line.
    pub policies: Vec<Arc<str>>,
    /// The policies in shadow mode that would have spoken.
    pub shadows: Vec<Arc<str>>,
    /// How the facts were found: from the argument to the subject.
    pub disclosed: Vec<Disclosed>,
    /// What would follow from the facts and the history, and by which inference.
    pub inferred: Vec<Derived>,
    /// The revision of the directory that everything was decided on.
    pub revision: Revision,
}

impl Basis {
    /// How the facts were found, a step a line: for records and people, without any argument.
    pub fn chain(&self, policies: &Policies) -> Vec<Arc<str>> {
        let families = policies.families();
        let told = self.disclosed.iter().map(|told| explain::told(told, families));
        let inferred = self.inferred.iter().map(|derived| explain::derived(derived, families));
        told.chain(inferred).collect()
    }
}

/// What taking a decision does to the history of the person who asked.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// To be applied together with the decision, and kept before anything comes of it.
    pub entries: Vec<Entry>,
    /// What the review of the answer has to know, for each binding that applies.
    pub expects: Vec<Expects>,
    /// Somebody tries too hard.
    pub alert: Option<Alert>,
}
