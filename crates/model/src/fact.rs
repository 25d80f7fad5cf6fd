//! Facts: an attribute of an object, at a precision.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::EntityUid;

/// A step on a family's own scale: 0 is exact, larger is coarser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Precision(pub u8);

impl Precision {
    /// The finest step of every scale.
    pub const EXACT: Self = Self(0);

    /// Whether this is the finest step.
    pub fn is_exact(self) -> bool {
        self == Self::EXACT
    }
}

/// What may be learnt: an attribute of an object, to a precision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fact {
    /// Whom or what the fact is about.
    pub subject: EntityUid,
    /// The attribute, for example `address`.
    pub attribute: Arc<str>,
    /// The family that the attribute belongs to, for example `location`; the attribute's own name
    /// when no family claims it.
    pub family: Arc<str>,
    /// How finely the attribute is known.
    pub precision: Precision,
}

impl Fact {
    /// Whether whoever knows this fact knows `other`: the same, at the same precision or coarser.
    pub fn covers(&self, other: &Self) -> bool {
        self.precision <= other.precision
            && self.attribute == other.attribute
            && self.subject == other.subject
    }
}
