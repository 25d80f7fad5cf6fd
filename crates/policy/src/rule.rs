//! A policy as it is decided with: its scope in our own form, and the rest as Cedar's expression.
//!
//! Splitting is sound because Cedar joins scope and conditions by a short-circuiting `&&`, and a
//! scope cannot fail: where it does not match, the conditions are never looked at.

use std::sync::Arc;

use cedar_policy_core::ast::{
    Effect, Entity, EntityReference, EntityType, EntityUID, Expr, PrincipalOrResourceConstraint,
};
use kenward_model::Place;

use crate::reads::{ArgumentReads, Reads};
use crate::verdict::Reason;

/// A compiled policy.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its `@id`, or its file and line.
    pub(crate) name: Arc<str>,
    /// Its `@reason`.
    pub(crate) reason: Option<Arc<str>>,
    /// Whether it decides on paper only.
    pub(crate) shadow: bool,
    pub(crate) effect: Effect,
    pub(crate) principal: Constraint,
    pub(crate) resource: Constraint,
    /// The actions that it is about; nothing means all.
    pub(crate) actions: Option<Vec<Arc<EntityUID>>>,
    pub(crate) condition: Option<Arc<Expr>>,
    pub(crate) reads: Reads,
    pub(crate) arguments: ArgumentReads,
    pub(crate) place: Place,
}

impl Rule {
    pub(crate) fn reason(&self) -> Reason {
        Reason { policy: Arc::clone(&self.name), text: self.reason.clone() }
    }
}

/// What a scope demands of a principal or a resource.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constraint {
    Any,
    Is(Arc<EntityType>),
    Equal(Arc<EntityUID>),
    In(Arc<EntityUID>),
    IsIn(Arc<EntityType>, Arc<EntityUID>),
    /// A template's slot, which nothing can fill here.
    Never,
}

impl Constraint {
    pub(crate) fn of(constraint: &PrincipalOrResourceConstraint) -> Self {
        let uid = |reference: &EntityReference| match reference {
            EntityReference::EUID(uid) => Some(Arc::clone(uid)),
            EntityReference::Slot(_) => None,
        };
        let built = match constraint {
            PrincipalOrResourceConstraint::Any => Some(Self::Any),
            PrincipalOrResourceConstraint::Is(kind) => Some(Self::Is(Arc::clone(kind))),
            PrincipalOrResourceConstraint::Eq(reference) => uid(reference).map(Self::Equal),
            PrincipalOrResourceConstraint::In(reference) => uid(reference).map(Self::In),
            PrincipalOrResourceConstraint::IsIn(kind, reference) => {
                uid(reference).map(|uid| Self::IsIn(Arc::clone(kind), uid))
            }
        };
        built.unwrap_or(Self::Never)
    }

    /// Whether `entity` is what is demanded. Its ancestors must be closed.
    pub(crate) fn admits(&self, entity: &Entity) -> bool {
        let within = |uid: &EntityUID| entity.uid() == uid || entity.is_descendant_of(uid);
        match self {
            Self::Any => true,
            Self::Is(kind) => entity.uid().entity_type() == &**kind,
            Self::Equal(uid) => entity.uid() == &**uid,
            Self::In(uid) => within(uid),
            Self::IsIn(kind, uid) => entity.uid().entity_type() == &**kind && within(uid),
            Self::Never => false,
        }
    }

    /// Whether what is only known as `open` is what is demanded.
    pub(crate) fn foresees(&self, open: &Open<'_>) -> Foresight {
        match self {
            Self::Any => Foresight::Always,
            Self::Is(kind) => Foresight::sure(&**kind == open.kind),
            Self::Equal(uid) => open.itself(uid),
            Self::In(uid) => open.within(uid),
            Self::IsIn(kind, uid) if &**kind == open.kind => open.within(uid),
            Self::IsIn(..) | Self::Never => Foresight::Never,
        }
    }

    /// The one type that is demanded, where one is.
    pub(crate) fn kind(&self) -> Option<&EntityType> {
        match self {
            Self::Any | Self::In(_) | Self::Never => None,
            Self::Is(kind) | Self::IsIn(kind, _) => Some(kind),
            Self::Equal(uid) => Some(uid.entity_type()),
        }
    }
}

/// A resource of which only this much is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open<'a> {
    pub(crate) kind: &'a EntityType,
    /// All that it is in, with what its id begins with; nothing when that is open too.
    pub(crate) home: Option<(&'a EntityUID, &'a str)>,
}

/// Whether something holds for what is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foresight {
    Never,
    Maybe,
    Always,
}

impl Foresight {
    fn sure(holds: bool) -> Self {
        if holds { Self::Always } else { Self::Never }
    }
}

impl Open<'_> {
    fn itself(&self, uid: &EntityUID) -> Foresight {
        let id: &str = uid.eid().as_ref();
        let possible = self.home.is_none_or(|(_, prefix)| id.starts_with(prefix));
        if uid.entity_type() == self.kind && possible { Foresight::Maybe } else { Foresight::Never }
    }

    fn within(&self, uid: &EntityUID) -> Foresight {
        match self.home {
            None => Foresight::Maybe,
            Some((home, _)) if home == uid => Foresight::Always,
            Some(_) => self.itself(uid),
        }
    }
}
