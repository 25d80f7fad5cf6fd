//! Policies as they are written: read from their files again, in the form that a proof needs.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{
    ActionConstraint, Effect, EntityTypeName, EntityUid as CedarUid, Policy, PolicyId,
    PrincipalConstraint, ResourceConstraint,
};
use cedar_policy_core::ast::{EntityUID, ExprKind, Literal, Var};
use cedar_policy_core::parser::{Loc, parse_policyset};
use kenward_model::{EntityUid, Place};
use kenward_policy::SourceFile;
use serde_json::{Value, json};

use crate::Error;

/// A policy, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) policy: Policy,
    pub(crate) place: Place,
}

/// All policies of `file`, in their order, with ids that tell them apart from those of others.
pub(crate) fn read(file: &SourceFile) -> Result<Vec<Written>, Error> {
    let broken = |why: String| Error::Policies { path: file.path.clone(), why };
    let set = parse_policyset(&file.text).map_err(|error| broken(error.to_string()))?;
    let start = |loc: Option<&Loc>| loc.map_or(0, Loc::start);
    let mut read: Vec<_> = set.static_policies().cloned().collect();
    read.sort_by_key(|policy| start(policy.loc()));
    let written = read.into_iter().map(|policy| {
        let place = Place::at_offset(file.path.as_str(), &file.text, start(policy.loc()));
        let id = PolicyId::new(format!("{}:{}", file.path, start(policy.loc())));
        Written { policy: Policy::from(policy).new_id(id), place }
    });
    Ok(written.collect())
}

/// The policy that `text` says; it is ours, so that it can be read.
pub(crate) fn policy(id: &str, text: &str) -> Result<Policy, Error> {
    let broken = |why: String| Error::Policies { path: id.to_owned(), why };
    Policy::parse(Some(PolicyId::new(id)), text).map_err(|error| broken(error.to_string()))
}

impl Written {
    /// Whether the policy decides on paper only.
    pub(crate) fn is_shadow(&self) -> bool {
        self.policy.annotation("mode") == Some("shadow")
    }

    /// The name in records: its `@id`, or its place.
    pub(crate) fn name(&self) -> Arc<str> {
        match self.policy.annotation("id").filter(|id| !id.is_empty()) {
            Some(id) => id.into(),
            None => format!("{}:{}", self.place.source, self.place.line).into(),
        }
    }
}

/// Whether the scope of `policy` leaves room for such a request. `groups` are those of the action.
pub(crate) fn concerns(
    policy: &Policy,
    principal: &EntityTypeName,
    (action, groups): (&CedarUid, &BTreeSet<CedarUid>),
    resource: &EntityTypeName,
) -> bool {
    let within = |uid: &CedarUid| uid == action || groups.contains(uid);
    let acts = match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(uids) => uids.iter().any(within),
        ActionConstraint::Eq(uid) => uid == *action,
    };
    let by = match policy.principal_constraint() {
        PrincipalConstraint::Any | PrincipalConstraint::In(_) => true,
        PrincipalConstraint::Eq(uid) => uid.type_name() == principal,
        PrincipalConstraint::Is(kind) | PrincipalConstraint::IsIn(kind, _) => kind == *principal,
    };
    let on = match policy.resource_constraint() {
        ResourceConstraint::Any | ResourceConstraint::In(_) => true,
        ResourceConstraint::Eq(uid) => uid.type_name() == resource,
        ResourceConstraint::Is(kind) | ResourceConstraint::IsIn(kind, _) => kind == *resource,
    };
    acts && by && on
}

/// The entities that a policy names, in its scope and its conditions.
pub(crate) fn named(policy: &Policy) -> BTreeSet<EntityUid> {
    let condition = policy.as_ref().condition();
    let named = condition.subexpressions().filter_map(|node| {
        let ExprKind::Lit(Literal::EntityUID(uid)) = node.expr_kind() else { return None };
        Some(ours(uid))
    });
    named.collect()
}

fn ours(uid: &EntityUID) -> EntityUid {
    let id: &str = uid.eid().as_ref();
    EntityUid::new(uid.entity_type().to_string(), id)
}

/// The policy with its conditions replaced, in JSON: nothing for none at all.
fn with_conditions(
    policy: &Policy,
    conditions: Option<Value>,
    effect: Effect,
) -> Result<Policy, Error> {
    let broken = |why: String| Error::Policies { path: policy.id().to_string(), why };
    let mut json = policy.to_json().map_err(|error| broken(error.to_string()))?;
    if let Some(members) = json.as_object_mut() {
        if let Some(conditions) = conditions {
            members.insert("conditions".to_owned(), conditions);
        }
        let word = match effect {
            Effect::Permit => "permit",
            Effect::Forbid => "forbid",
        };
        members.insert("effect".to_owned(), json!(word));
    }
    Policy::from_json(Some(policy.id().clone()), json).map_err(|error| broken(error.to_string()))
}

/// The same policy as one that permits.
pub(crate) fn permitting(policy: &Policy) -> Result<Policy, Error> {
    with_conditions(policy, None, Effect::Permit)
}

/// The same policy without its conditions.
pub(crate) fn scope_alone(policy: &Policy) -> Result<Policy, Error> {
    with_conditions(policy, Some(json!([])), policy.effect())
}

/// What the policy says, without its name and place: equal for policies that say the same.
pub(crate) fn says(policy: &Policy) -> Result<String, Error> {
    let broken = |why: String| Error::Policies { path: policy.id().to_string(), why };
    let mut json = policy.to_json().map_err(|error| broken(error.to_string()))?;
    if let Some(members) = json.as_object_mut() {
        members.remove("annotations");
    }
    Ok(json.to_string())
}

/// Whether the policy reads the member `arguments` of the context by its name.
pub(crate) fn reads_arguments(policy: &Policy) -> bool {
    let condition = policy.as_ref().condition();
    condition.subexpressions().any(|node| {
        let (ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr }) =
            node.expr_kind()
        else {
            return false;
        };
        attr.as_str() == "arguments" && matches!(expr.expr_kind(), ExprKind::Var(Var::Context))
    })
}
