//! The answer to a case: allowed with a permit, or refused with its reasons.

use std::sync::Arc;

use kenward_model::{EntityUid, Fact, Question, Revision};

/// The value without which nothing can be forwarded. Only [`crate::Policies::decide`] makes one;
/// it can be neither copied nor built.
#[derive(Debug)]
#[must_use = "a permit that nothing is forwarded with was asked for in vain"]
pub struct Permit {
    basis: Basis,
}

impl Permit {
    pub(crate) fn new(basis: Basis) -> Self {
        Self { basis }
    }

    /// What the permission rests on.
    pub fn basis(&self) -> &Basis {
        &self.basis
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

    /// What the verdict rests on.
    pub fn basis(&self) -> &Basis {
        match self {
            Self::Allow(permit) => permit.basis(),
            Self::Refuse(refusal) => &refusal.basis,
        }
    }
}

/// Why and how an operation was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// What the refusal rests on.
    pub basis: Basis,
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Basis {
    /// The objects that were asked about, in the order of asking.
    pub objects: Vec<EntityUid>,
    /// The facts that were asked about: disclosed first, then inferred.
    pub facts: Vec<Fact>,
    /// The policies that decided, by `@id` or file and line.
    pub policies: Vec<Arc<str>>,
    /// The policies in shadow mode that would have spoken.
    pub shadows: Vec<Arc<str>>,
    /// The revision of the directory that everything was decided on.
    pub revision: Revision,
}
