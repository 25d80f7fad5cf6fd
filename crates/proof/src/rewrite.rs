//! Comparisons that can never hold in one environment, made plain there.
//!
//! Strict validation refuses `resource.owner == principal` where the owner is a user and the
//! principal an agent. The gateway evaluates it, to false; a proof has to say so.

use std::str::FromStr as _;

use cedar_policy::{Expression, Policy};
use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use cedar_policy_core::parser::Loc;
use cedar_policy_core::validator::ValidationError;
use cedar_policy_core::validator::types::Type;

use crate::written;

/// The policy with the comparisons that `errors` complain of decided; nothing when something else
/// is wrong as well, or when it cannot be told how they end.
pub(crate) fn decided(policy: &Policy, errors: &[ValidationError]) -> Option<Policy> {
    let whole = policy.as_ref().loc()?;
    let (start, end) = bounds(whole)?;
    let mut edits = errors.iter().map(edit).collect::<Option<Vec<_>>>()?;
    edits.sort_by_key(|edit| (edit.start, std::cmp::Reverse(edit.end)));
    edits.dedup_by(|later, earlier| later.start < earlier.end);
    let mut text = String::new();
    let mut at = start;
    for edit in &edits {
        text.push_str(whole.src.get(at..edit.start)?);
        text.push_str(if edit.holds { "(true)" } else { "(false)" });
        at = edit.end;
    }
    text.push_str(whole.src.get(at..end)?);
    written::policy(policy.id().as_ref(), &text).ok()
}

struct Edit {
    start: usize,
    end: usize,
    holds: bool,
}

fn edit(error: &ValidationError) -> Option<Edit> {
    let ValidationError::IncompatibleTypes(error) = error else { return None };
    let entities = |kind: &Type| matches!(kind, Type::Entity(_));
    // SECURITY: only references to entities of different types can never be equal; records of
    // different types may be. Test: `prove::tests::an_agent_is_no_user`.
    if error.types.len() < 2 || !error.types.iter().all(entities) {
        return None;
    }
    let loc = error.source_loc.as_ref()?;
    let (start, end) = bounds(loc)?;
    let holds = outcome(Expression::from_str(loc.src.get(start..end)?).ok()?.as_ref())?;
    Some(Edit { start, end, holds })
}

fn bounds(loc: &Loc) -> Option<(usize, usize)> {
    let end = loc.end();
    (loc.start() <= end && end <= loc.src.len()).then_some((loc.start(), end))
}

/// How a comparison of references to entities of different types ends.
fn outcome(comparison: &Expr) -> Option<bool> {
    let is = |expr: &Expr, contains: bool| {
        matches!(expr.expr_kind(), ExprKind::BinaryApp { op: BinaryOp::Eq, .. })
            || (contains
                && matches!(expr.expr_kind(), ExprKind::BinaryApp { op: BinaryOp::Contains, .. }))
    };
    if let ExprKind::UnaryApp { op: UnaryOp::Not, arg } = comparison.expr_kind() {
        return is(arg, false).then_some(true);
    }
    is(comparison, true).then_some(false)
}
