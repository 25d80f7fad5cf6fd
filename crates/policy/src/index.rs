//! Which policies can speak on which request, found once instead of on every request.
//!
//! Cedar evaluates every policy of a set on every request. Whether a policy can apply at all
//! follows from its scope and the kind of the request alone, so that the others are left out here.
//! A property test holds the index against the full set.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy_core::ast::{Effect, Entity, EntityType};

use crate::reads::{ArgumentReads, Reads};
use crate::rule::Rule;
use crate::shape::RecordShape;

/// The policies that can speak when a principal of one type takes one action on a resource.
#[derive(Debug)]
pub(crate) struct Environment {
    /// Tells this apart from all other environments of the same policies.
    pub(crate) number: u32,
    pub(crate) permits: Vec<Arc<Rule>>,
    pub(crate) forbids: Vec<Candidate>,
    /// Policies in shadow mode: asked last, and never heard.
    pub(crate) shadows: Vec<Arc<Rule>>,
    /// What all of them read together.
    pub(crate) reads: Reads,
    /// The arguments that they read, where the action has arguments.
    pub(crate) arguments: Option<Arc<RecordShape>>,
}

/// A policy that can forbid.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) rule: Arc<Rule>,
    /// It reads arguments of a tool whose definition is not known: wherever its scope fits, it
    /// has to be taken for a no.
    pub(crate) unchecked: bool,
}

/// The environments of one action on one kind of resource, for either principal.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) action: Arc<Entity>,
    pub(crate) user: Environment,
    pub(crate) agent: Environment,
}

/// What is known of the resource when an environment is made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Resource<'a> {
    /// This one.
    Known(&'a Entity),
    /// One of this type.
    OfType(&'a EntityType),
}

/// What is known of the arguments when an environment is made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ArgumentType<'a> {
    /// The action has none.
    None,
    /// They have this type.
    Known(&'a Arc<RecordShape>),
    /// It has some, but what they are is not known.
    Unknown,
}

/// Makes environments from all rules.
#[derive(Debug)]
pub(crate) struct Indexer<'r> {
    rules: &'r [Arc<Rule>],
    user: EntityType,
    agent: EntityType,
    /// The rules that name an action, by its display; the others concern all.
    next: u32,
    by_action: HashMap<String, Vec<usize>>,
    of_all_actions: Vec<usize>,
}

impl<'r> Indexer<'r> {
    pub(crate) fn new(rules: &'r [Arc<Rule>], user: EntityType, agent: EntityType) -> Self {
        let mut by_action: HashMap<String, Vec<usize>> = HashMap::new();
        let mut of_all_actions = Vec::new();
        for (position, rule) in rules.iter().enumerate() {
            if rule.actions.is_none() {
                of_all_actions.push(position);
            }
            for action in rule.actions.iter().flatten() {
                by_action.entry(action.to_string()).or_default().push(position);
            }
        }
        Self { rules, user, agent, next: 0, by_action, of_all_actions }
    }

    /// The environments of `action` on `resource`.
    pub(crate) fn pair(
        &mut self,
        action: &Arc<Entity>,
        resource: Resource<'_>,
        arguments: ArgumentType<'_>,
    ) -> Pair {
        let concerned = self.concerned(action);
        let (user, agent) = (self.user.clone(), self.agent.clone());
        Pair {
            action: Arc::clone(action),
            user: self.environment(&concerned, &user, resource, arguments),
            agent: self.environment(&concerned, &agent, resource, arguments),
        }
    }

    /// The rules whose scope names the action, one of its groups, or none, in their order.
    fn concerned(&self, action: &Entity) -> Vec<&'r Arc<Rule>> {
        let own = self.by_action.get(&action.uid().to_string());
        let groups = action.ancestors().filter_map(|group| self.by_action.get(&group.to_string()));
        let named = own.into_iter().chain(groups).flatten();
        let mut positions: Vec<usize> = named.chain(&self.of_all_actions).copied().collect();
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().filter_map(|position| self.rules.get(position)).collect()
    }

    fn environment(
        &mut self,
        concerned: &[&Arc<Rule>],
        principal: &EntityType,
        resource: Resource<'_>,
        arguments: ArgumentType<'_>,
    ) -> Environment {
        let number = self.next;
        self.next += 1;
        let mut made = Environment {
            number,
            permits: Vec::new(),
            forbids: Vec::new(),
            shadows: Vec::new(),
            reads: Reads::NOTHING,
            arguments: None,
        };
        let mut argument_reads = ArgumentReads::None;
        for rule in concerned.iter().filter(|rule| can_apply(rule, principal, resource)) {
            let unchecked =
                rule.reads.touches(Reads::ARGUMENTS) && matches!(arguments, ArgumentType::Unknown);
            if made.admit(rule, unchecked) {
                made.reads = made.reads | rule.reads;
                argument_reads = argument_reads.union(&rule.arguments);
            }
        }
        if let ArgumentType::Known(shape) = arguments {
            made.arguments = Some(Arc::new(shape.narrowed(&|name| argument_reads.covers(name))));
        }
        made
    }
}

impl Environment {
    /// Takes the rule in; whether its condition will ever be evaluated.
    fn admit(&mut self, rule: &Arc<Rule>, unchecked: bool) -> bool {
        match (rule.shadow, rule.effect) {
            (true, _) if !unchecked => self.shadows.push(Arc::clone(rule)),
            (false, Effect::Permit) if !unchecked => self.permits.push(Arc::clone(rule)),
            (false, Effect::Forbid) => {
                self.forbids.push(Candidate { rule: Arc::clone(rule), unchecked });
            }
            (true | false, Effect::Permit) | (true, Effect::Forbid) => {}
        }
        !unchecked
    }
}

/// Whether the rule's scope names the action, one of its groups, or none.
pub(crate) fn concerns(rule: &Rule, action: &Entity) -> bool {
    rule.actions.as_ref().is_none_or(|uids| {
        uids.iter().any(|uid| action.uid() == &**uid || action.is_descendant_of(uid))
    })
}

/// Whether the rule's scope leaves room for a principal of this type and this resource.
fn can_apply(rule: &Rule, principal: &EntityType, resource: Resource<'_>) -> bool {
    let of_type = |constraint: &crate::rule::Constraint, kind: &EntityType| {
        constraint.kind().is_none_or(|wanted| wanted == kind)
    };
    of_type(&rule.principal, principal)
        && match resource {
            Resource::Known(entity) => rule.resource.admits(entity),
            Resource::OfType(kind) => of_type(&rule.resource, kind),
        }
}

#[cfg(test)]
mod tests;
