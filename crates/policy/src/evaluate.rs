//! Asks the policies of one environment one question.
//!
//! Cedar itself skips a policy that cannot be evaluated, also when it forbids. Here every error
//! refuses: a rule that could not be read may have been a no.

pub(crate) mod foresee;

use std::sync::Arc;

use cedar_policy_core::ast::Literal;
use cedar_policy_core::ast::{
    Context, Entity, EntityUIDEntry, Expr, PartialValue, Request, SlotEnv, Value, ValueKind,
};
use cedar_policy_core::entities::{Entities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use crate::index::{Candidate, Environment};
use crate::reads::Reads;
use crate::rule::Rule;
use crate::slice::UNKNOWN_ATTRIBUTE;
use crate::verdict::Cause;

/// What a question is asked about, in Cedar's form.
#[derive(Debug, Clone)]
pub(crate) struct Parties {
    pub(crate) principal: Arc<Entity>,
    pub(crate) action: Arc<Entity>,
    pub(crate) resource: Arc<Entity>,
    /// Entities that stand in the context and that a policy may look into.
    pub(crate) others: Vec<Arc<Entity>>,
}

/// The answer to one question.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Nothing when the answer is yes.
    pub(crate) no: Option<Cause>,
    /// The rules that decided.
    pub(crate) rules: Vec<Arc<Rule>>,
    /// The rules in shadow mode that would have spoken.
    pub(crate) shadows: Vec<Arc<Rule>>,
}

impl Answer {
    pub(crate) fn is_yes(&self) -> bool {
        self.no.is_none()
    }

    pub(crate) fn refused(cause: Cause) -> Self {
        Self { no: Some(cause), rules: Vec::new(), shadows: Vec::new() }
    }
}

/// The policies of an environment whose scope admits one principal, found once for all questions
/// about that principal.
#[derive(Debug)]
pub(crate) struct Admitting {
    permits: Vec<Arc<Rule>>,
    forbids: Vec<Candidate>,
    shadows: Vec<Arc<Rule>>,
}

impl Admitting {
    pub(crate) fn of(environment: &Environment, principal: &Entity) -> Self {
        let admits = |rule: &Rule| rule.principal.admits(principal);
        let of = |rules: &[Arc<Rule>]| rules.iter().filter(|rule| admits(rule)).cloned().collect();
        let forbids = environment.forbids.iter().filter(|one| admits(&one.rule));
        Self {
            permits: of(&environment.permits),
            forbids: forbids.cloned().collect(),
            shadows: of(&environment.shadows),
        }
    }
}

/// Asks the policies that admit the principal about `parties`. `context` builds the members of the
/// context that are read.
pub(crate) fn ask(
    policies: &Admitting,
    parties: &Parties,
    context: &mut dyn FnMut(Reads) -> Result<Context, Cause>,
) -> Answer {
    let fits = |rule: &Rule| rule.resource.admits(&parties.resource);
    let forbids: Vec<_> = policies.forbids.iter().filter(|one| fits(&one.rule)).collect();
    let permits: Vec<_> = policies.permits.iter().filter(|rule| fits(rule)).collect();
    let shadows: Vec<_> = policies.shadows.iter().filter(|rule| fits(rule)).collect();
    if let Some(blind) = forbids.iter().find(|candidate| candidate.unchecked) {
        return Answer::refused(Cause::PolicyError(format!(
            "`{}` reads arguments of a tool whose definition is not known",
            blind.rule.name
        )));
    }
    let conditions = forbids.iter().map(|one| &one.rule).chain(permits.iter().copied());
    let reads = conditions
        .chain(shadows.iter().copied())
        .fold(Reads::NOTHING, |all, rule| all | rule.reads);
    let context = match context(reads) {
        Ok(context) => context,
        Err(cause) => return Answer::refused(cause),
    };
    let entities = match entities(parties) {
        Ok(entities) => entities,
        Err(cause) => return Answer::refused(cause),
    };
    let evaluator =
        Evaluator::new(request(parties, context), &entities, Extensions::all_available());
    let shadows = shadows.into_iter().filter(|rule| matches!(holds(&evaluator, rule), Ok(true)));
    let shadows: Vec<Arc<Rule>> = shadows.cloned().collect();
    let mut tally = Tally::default();
    for candidate in &forbids {
        tally.count(&evaluator, &candidate.rule);
    }
    if !tally.held.is_empty() {
        return Answer { no: Some(Cause::Policy), rules: tally.held, shadows };
    }
    for rule in &permits {
        tally.count(&evaluator, rule);
    }
    let no = match tally.failure {
        Some(failure) => Some(Cause::PolicyError(failure)),
        None if tally.held.is_empty() => Some(Cause::Policy),
        None => None,
    };
    let rules = if no.is_none() { tally.held } else { Vec::new() };
    Answer { no, rules, shadows }
}

#[derive(Default)]
struct Tally {
    held: Vec<Arc<Rule>>,
    failure: Option<String>,
}

impl Tally {
    fn count(&mut self, evaluator: &Evaluator<'_>, rule: &Arc<Rule>) {
        match holds(evaluator, rule) {
            Ok(true) => self.held.push(Arc::clone(rule)),
            Ok(false) => {}
            Err(failure) => {
                self.failure.get_or_insert_with(|| format!("`{}`: {failure}", rule.name));
            }
        }
    }
}

/// Whether the rule's condition holds. Its scope has been compared before.
fn holds(evaluator: &Evaluator<'_>, rule: &Rule) -> Result<bool, String> {
    let Some(condition) = &rule.condition else { return Ok(true) };
    match evaluator.partial_interpret(condition, &SlotEnv::new()) {
        Ok(PartialValue::Value(value)) => truth(&value).ok_or_else(|| "no boolean".to_owned()),
        Ok(PartialValue::Residual(rest)) => Err(missing(&rest)),
        Err(error) => Err(crate::diagnostic::tidy(&error.to_string())),
    }
}

/// What a condition that could not be finished lacks.
fn missing(rest: &Expr) -> String {
    match rest.unknowns().next().map(|unknown| unknown.name.as_str()) {
        None => "something that it reads is not known".to_owned(),
        Some(name) => {
            let name = name.strip_prefix(UNKNOWN_ATTRIBUTE).unwrap_or(name);
            format!("`{name}` is not known in the form that the schema declares")
        }
    }
}

fn truth(value: &Value) -> Option<bool> {
    match &value.value {
        ValueKind::Lit(Literal::Bool(truth)) => Some(*truth),
        ValueKind::Lit(Literal::Long(_) | Literal::String(_) | Literal::EntityUID(_))
        | ValueKind::Set(_)
        | ValueKind::Record(_)
        | ValueKind::ExtensionValue(_) => None,
    }
}

/// The slice of the world that the question needs; ancestors are closed already.
fn entities(parties: &Parties) -> Result<Entities, Cause> {
    let mut slice = vec![Arc::clone(&parties.principal), Arc::clone(&parties.action)];
    for entity in std::iter::once(&parties.resource).chain(&parties.others) {
        if !slice.iter().any(|known| known.uid() == entity.uid()) {
            slice.push(Arc::clone(entity));
        }
    }
    Entities::new()
        .add_entities(
            slice,
            None::<&NoEntitiesSchema>,
            TCComputation::AssumeAlreadyComputed,
            Extensions::all_available(),
        )
        .map_err(|error| Cause::PolicyError(crate::diagnostic::tidy(&error.to_string())))
}

fn request(parties: &Parties, context: Context) -> Request {
    Request::new_unchecked(
        known(&parties.principal),
        known(&parties.action),
        known(&parties.resource),
        Some(context),
    )
}

fn known(entity: &Entity) -> EntityUIDEntry {
    EntityUIDEntry::known(entity.uid().clone(), None)
}
