//! Asks whether some request could be allowed while part of it is still open.
//!
//! The answer errs towards yes only where the open part decides: what is refused whatever it turns
//! out to be is a no.

use std::sync::Arc;

use cedar_policy_core::ast::{
    Context, Entity, EntityType, EntityUIDEntry, Expr, ExprKind, Literal, PartialValue, Request,
    SlotEnv, UnaryOp,
};
use cedar_policy_core::entities::Entities;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use crate::evaluate::{Parties, entities};
use crate::index::{Candidate, Environment};
use crate::reads::Reads;
use crate::rule::{Foresight, Open, Rule};
use crate::slice::UNKNOWN_ATTRIBUTE;
use crate::verdict::Cause;

/// What the question is about, as far as it is known.
#[derive(Debug, Clone)]
pub(crate) struct Prospect<'a> {
    pub(crate) principal: Arc<Entity>,
    pub(crate) action: Arc<Entity>,
    pub(crate) resource: Subject<'a>,
    pub(crate) others: Vec<Arc<Entity>>,
}

/// The resource, known or open.
#[derive(Debug, Clone)]
pub(crate) enum Subject<'a> {
    Known(Arc<Entity>),
    Open(Open<'a>),
}

impl Subject<'_> {
    fn foresight(&self, rule: &Rule) -> Foresight {
        match self {
            Self::Known(entity) if rule.resource.admits(entity) => Foresight::Always,
            Self::Known(_) => Foresight::Never,
            Self::Open(open) => rule.resource.foresees(open),
        }
    }

    fn entry(&self) -> EntityUIDEntry {
        let unknown = |kind: &EntityType| EntityUIDEntry::unknown_with_type(kind.clone(), None);
        match self {
            Self::Known(entity) => EntityUIDEntry::known(entity.uid().clone(), None),
            Self::Open(open) => unknown(open.kind),
        }
    }
}

/// Whether some completion of `prospect` could be answered yes.
pub(crate) fn possible(
    environment: &Environment,
    prospect: &Prospect<'_>,
    context: &mut dyn FnMut(Reads) -> Result<Context, Cause>,
) -> bool {
    let permits: Vec<Foreseen<'_>> =
        environment.permits.iter().filter_map(|rule| foreseen(rule, prospect)).collect();
    let certain = |one: &&Candidate| {
        foreseen(&one.rule, prospect).is_some_and(|one| one.scope == Foresight::Always)
    };
    let forbids: Vec<&Candidate> = environment.forbids.iter().filter(certain).collect();
    if permits.is_empty() || forbids.iter().any(|one| one.unchecked) {
        return false;
    }
    let rules = forbids.iter().map(|one| &one.rule).chain(permits.iter().map(|one| one.rule));
    let Ok(context) = context(rules.fold(Reads::NOTHING, |all, rule| all | rule.reads)) else {
        return false;
    };
    let Ok(entities) = slice(prospect) else { return false };
    let request = Request::new_unchecked(
        EntityUIDEntry::known(prospect.principal.uid().clone(), None),
        EntityUIDEntry::known(prospect.action.uid().clone(), None),
        prospect.resource.entry(),
        Some(context),
    );
    let evaluator = Evaluator::new(request, &entities, Extensions::all_available());
    if forbids.iter().any(|one| outlook(&evaluator, &one.rule).refuses()) {
        return false;
    }
    permitted(permits.iter().map(|one| (outlook(&evaluator, one.rule), one.scope)))
}

/// Whether one of the permits could hold and none is bound to fail.
fn permitted(outlooks: impl Iterator<Item = (Outlook, Foresight)>) -> bool {
    let mut hope = false;
    for (outlook, scope) in outlooks {
        match outlook {
            Outlook::Fails if scope == Foresight::Always => return false,
            Outlook::Holds | Outlook::Open => hope = true,
            Outlook::Fails | Outlook::Vain => {}
        }
    }
    hope
}

/// A rule whose scope can fit, and whether it does for certain.
struct Foreseen<'r> {
    rule: &'r Arc<Rule>,
    scope: Foresight,
}

fn foreseen<'r>(rule: &'r Arc<Rule>, prospect: &Prospect<'_>) -> Option<Foreseen<'r>> {
    let scope = prospect.resource.foresight(rule);
    let fits = scope != Foresight::Never && rule.principal.admits(&prospect.principal);
    fits.then_some(Foreseen { rule, scope })
}

fn slice(prospect: &Prospect<'_>) -> Result<Entities, Cause> {
    let resource = match &prospect.resource {
        Subject::Known(entity) => Arc::clone(entity),
        // Nothing can be looked up of an open resource; the principal stands in its place twice.
        Subject::Open(_) => Arc::clone(&prospect.principal),
    };
    entities(&Parties {
        principal: Arc::clone(&prospect.principal),
        action: Arc::clone(&prospect.action),
        resource,
        others: prospect.others.clone(),
    })
}

/// What becomes of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlook {
    /// It holds.
    Holds,
    /// It cannot hold.
    Vain,
    /// Its evaluation fails.
    Fails,
    /// That depends on what is open.
    Open,
}

impl Outlook {
    /// Whether a forbid with this outlook refuses for certain.
    fn refuses(self) -> bool {
        match self {
            Self::Holds | Self::Fails => true,
            Self::Vain | Self::Open => false,
        }
    }
}

fn outlook(evaluator: &Evaluator<'_>, rule: &Rule) -> Outlook {
    let Some(condition) = &rule.condition else { return Outlook::Holds };
    match evaluator.partial_interpret(condition, &SlotEnv::new()) {
        Ok(PartialValue::Value(value)) => match super::truth(&value) {
            Some(true) => Outlook::Holds,
            Some(false) => Outlook::Vain,
            None => Outlook::Fails,
        },
        Ok(PartialValue::Residual(rest)) if never_true(&rest) => Outlook::Vain,
        Ok(PartialValue::Residual(rest)) if never_false(&rest) => Outlook::Holds,
        Ok(PartialValue::Residual(rest)) if !has_open_part(&rest) => Outlook::Fails,
        Ok(PartialValue::Residual(_)) => Outlook::Open,
        Err(_) => Outlook::Fails,
    }
}

/// Whether anything is left that can still turn out well: an attribute that is unknown cannot.
fn has_open_part(rest: &Expr) -> bool {
    rest.unknowns().any(|unknown| !unknown.name.starts_with(UNKNOWN_ATTRIBUTE))
}

/// Whether what is left of a condition is false or an error, whatever the open parts are.
///
/// Cedar's partial evaluation keeps `open && false` as it stands, because the open part may fail.
/// Either way it is no yes, which is all that matters here.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of every other expression nothing can be said, also of those to come"
)]
fn never_true(rest: &Expr) -> bool {
    match rest.expr_kind() {
        ExprKind::Lit(Literal::Bool(truth)) => !truth,
        ExprKind::And { left, right } => never_true(left) || never_true(right),
        ExprKind::Or { left, right } => never_true(left) && never_true(right),
        ExprKind::UnaryApp { op: UnaryOp::Not, arg } => never_false(arg),
        ExprKind::If { test_expr, then_expr, else_expr } => {
            (never_true(test_expr) || never_true(then_expr))
                && (never_false(test_expr) || never_true(else_expr))
        }
        _ => false,
    }
}

/// Whether what is left of a condition is true or an error, whatever the open parts are.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of every other expression nothing can be said, also of those to come"
)]
fn never_false(rest: &Expr) -> bool {
    match rest.expr_kind() {
        ExprKind::Lit(Literal::Bool(truth)) => *truth,
        ExprKind::And { left, right } => never_false(left) && never_false(right),
        ExprKind::Or { left, right } => never_false(left) || never_false(right),
        ExprKind::UnaryApp { op: UnaryOp::Not, arg } => never_true(arg),
        ExprKind::If { test_expr, then_expr, else_expr } => {
            (never_true(test_expr) || never_false(then_expr))
                && (never_false(test_expr) || never_false(else_expr))
        }
        _ => false,
    }
}
