//! What a policy reads of the request's context, found by walking its condition.
//!
//! Only what is read is built, and a verdict is remembered only when nothing that was read can
//! differ from call to call.

use std::collections::BTreeSet;
use std::ops::BitOr;
use std::sync::Arc;

use cedar_policy_core::ast::{Expr, ExprKind, Var};

/// A set of members of the context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reads(u32);

/// The members of all contexts, in the order of their bits.
const MEMBERS: [&str; 21] = [
    "agent",
    "scopes",
    "groups",
    "acr",
    "amr",
    "auth_time",
    "ip",
    "now",
    "protocol",
    "risk",
    "device_compliant",
    "session_revoked",
    "arguments",
    "mapping",
    "claimed",
    "attribute",
    "family",
    "precision",
    "exact",
    "via",
    "inferred",
];

impl Reads {
    pub(crate) const NOTHING: Self = Self(0);
    pub(crate) const AGENT: Self = Self(1);
    pub(crate) const SCOPES: Self = Self(1 << 1);
    pub(crate) const GROUPS: Self = Self(1 << 2);
    pub(crate) const ACR: Self = Self(1 << 3);
    pub(crate) const AMR: Self = Self(1 << 4);
    pub(crate) const AUTH_TIME: Self = Self(1 << 5);
    pub(crate) const IP: Self = Self(1 << 6);
    pub(crate) const NOW: Self = Self(1 << 7);
    pub(crate) const PROTOCOL: Self = Self(1 << 8);
    pub(crate) const RISK: Self = Self(1 << 9);
    pub(crate) const DEVICE_COMPLIANT: Self = Self(1 << 10);
    pub(crate) const SESSION_REVOKED: Self = Self(1 << 11);
    pub(crate) const ARGUMENTS: Self = Self(1 << 12);
    pub(crate) const MAPPING: Self = Self(1 << 13);
    pub(crate) const CLAIMED: Self = Self(1 << 14);
    pub(crate) const ATTRIBUTE: Self = Self(1 << 15);
    pub(crate) const FAMILY: Self = Self(1 << 16);
    pub(crate) const PRECISION: Self = Self(1 << 17);
    pub(crate) const EXACT: Self = Self(1 << 18);
    pub(crate) const VIA: Self = Self(1 << 19);
    pub(crate) const INFERRED: Self = Self(1 << 20);
    /// Everything, for a condition that uses the context as a whole.
    pub(crate) const EVERYTHING: Self = Self((1 << 21) - 1);
    /// What can differ between two requests of one caller on one revision.
    const PER_CALL: Self = Self(
        Self::IP.0
            | Self::NOW.0
            | Self::PROTOCOL.0
            | Self::ARGUMENTS.0
            | Self::MAPPING.0
            | Self::CLAIMED.0,
    );

    /// The member called `name`; everything when there is no such member, to be on the safe side.
    fn named(name: &str) -> Self {
        let position = MEMBERS.iter().position(|member| *member == name);
        let bit = position.and_then(|position| u32::try_from(position).ok()).map(|bit| 1 << bit);
        bit.map_or(Self::EVERYTHING, Self)
    }

    /// Whether any of `others` is among these.
    pub(crate) fn touches(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Whether nothing of these can differ between two requests of one caller on one revision.
    pub(crate) fn is_constant(self) -> bool {
        !self.touches(Self::PER_CALL)
    }
}

impl BitOr for Reads {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Which of a tool's arguments are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ArgumentReads {
    /// None of them.
    #[default]
    None,
    /// These.
    Some(BTreeSet<Arc<str>>),
    /// All, because `context.arguments` is used as a whole.
    All,
}

impl ArgumentReads {
    pub(crate) fn covers(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::Some(names) => names.contains(name),
            Self::All => true,
        }
    }

    pub(crate) fn union(self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::None, other) => other.clone(),
            (this, Self::None) => this,
            (Self::Some(mut names), Self::Some(others)) => {
                names.extend(others.iter().cloned());
                Self::Some(names)
            }
        }
    }
}

/// What `condition` reads of the context and of the arguments in it.
pub(crate) fn of(condition: &Expr) -> (Reads, ArgumentReads) {
    let mut counts = Counts::default();
    condition.subexpressions().for_each(|node| counts.note(node));
    // A mention that is no access of a member uses the whole.
    let reads =
        if counts.contexts > counts.context_accesses { Reads::EVERYTHING } else { counts.reads };
    let arguments = if !reads.touches(Reads::ARGUMENTS) {
        ArgumentReads::None
    } else if counts.contexts > counts.context_accesses
        || counts.arguments > counts.argument_accesses
    {
        ArgumentReads::All
    } else {
        ArgumentReads::Some(counts.names)
    };
    (reads, arguments)
}

#[derive(Default)]
struct Counts {
    contexts: usize,
    context_accesses: usize,
    arguments: usize,
    argument_accesses: usize,
    reads: Reads,
    names: BTreeSet<Arc<str>>,
}

impl Counts {
    fn note(&mut self, node: &Expr) {
        if is_context(node) {
            self.contexts += 1;
        }
        if is_arguments(node) {
            self.arguments += 1;
        }
        let Some((target, first, second)) = access(node) else { return };
        if is_context(target) {
            self.context_accesses += 1;
            self.reads = self.reads | Reads::named(first);
            let argument = second.filter(|_| first == "arguments");
            self.names.extend(argument.map(Arc::from));
        }
        if is_arguments(target) {
            self.argument_accesses += 1;
            self.names.insert(Arc::from(first));
        }
    }
}

/// The target and the first members of an access: `.a`, `has a` or `has a.b`.
fn access(node: &Expr) -> Option<(&Expr, &str, Option<&str>)> {
    if let ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } = node.expr_kind() {
        return Some((expr, attr, None));
    }
    if let ExprKind::ExtHasAttr { expr, attrs } = node.expr_kind() {
        return Some((expr, &attrs.head, attrs.tail.first().map(|attr| &**attr)));
    }
    None
}

fn is_context(node: &Expr) -> bool {
    matches!(node.expr_kind(), ExprKind::Var(Var::Context))
}

fn is_arguments(node: &Expr) -> bool {
    matches!(node.expr_kind(), ExprKind::GetAttr { expr, attr } if attr == "arguments" && is_context(expr))
}

#[cfg(test)]
mod tests;
