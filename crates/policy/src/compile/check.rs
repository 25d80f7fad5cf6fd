//! Checks policies against the schema: strictly, and so that a request's own entities suffice.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy_core::ast::{Entity, PolicySet};
use cedar_policy_core::validator::{
    ValidationError, ValidationMode, ValidationResult, ValidationWarning, Validator,
};
use kenward_model::{Finding, Severity};
use miette::Diagnostic;

use crate::compile::parse::Draft;
use crate::diagnostic;
use crate::index::concerns;
use crate::reads::Reads;
use crate::schema::Schema;
use crate::schema::vocabulary::{AGENT, Scope};
use crate::source::SourceFile;

/// How many errors of one policy are told; the rest follow from the first.
const MAX_FINDINGS: usize = 5;

/// How far a policy may follow references: from principal, resource and what stands in the
/// context to their attributes, and no further (Cedar RFC 76).
const DEREFERENCE_LEVEL: u32 = 1;

/// Checks policies; holds the validator of each side that one is looked at from.
pub(super) struct Checker<'s> {
    schema: &'s Schema,
    files: &'s [SourceFile],
    validators: HashMap<(bool, bool), Validator>,
}

impl<'s> Checker<'s> {
    pub(super) fn new(schema: &'s Schema, files: &'s [SourceFile]) -> Self {
        Self { schema, files, validators: HashMap::new() }
    }

    /// What is wrong or doubtful about a policy. `unseen` are the actions of the tools whose
    /// definition is not known.
    pub(super) fn check(&mut self, draft: &Draft, unseen: &[Arc<Entity>]) -> Vec<Finding> {
        let reads_arguments = draft.rule.reads.touches(Reads::ARGUMENTS);
        let unchecked =
            reads_arguments && unseen.iter().any(|action| concerns(&draft.rule, action));
        let scope = Scope { agents: true, unseen: !reads_arguments };
        let Some(result) = self.validate(draft, scope) else {
            return vec![Finding::error(draft.rule.place.clone(), "the schema cannot be used")];
        };
        let mut findings = self.errors(draft, scope, &result);
        if unchecked {
            findings.push(unchecked_finding(draft));
        } else if findings.is_empty() {
            let warnings = result.validation_warnings();
            findings.extend(warnings.map(|warning| self.warning(draft, warning)));
            findings.sort();
            // What is said of a policy as a whole has one cause.
            findings.dedup_by(|a, b| a.place == b.place);
        }
        findings
    }

    fn validate(&mut self, draft: &Draft, scope: Scope) -> Option<ValidationResult> {
        let key = (scope.agents, scope.unseen);
        if !self.validators.contains_key(&key) {
            let schema = self.schema.within(scope)?;
            self.validators.insert(key, Validator::new(schema));
        }
        let set = PolicySet::singleton(draft.policy.clone());
        let validator = self.validators.get(&key)?;
        Some(validator.validate_with_level(&set, ValidationMode::Strict, DEREFERENCE_LEVEL))
    }

    /// The errors of a policy. Those that only an agent as principal can meet are warnings: such
    /// a request ends in an error of evaluation and so in a refusal.
    fn errors(&mut self, draft: &Draft, scope: Scope, result: &ValidationResult) -> Vec<Finding> {
        if result.validation_passed() {
            return Vec::new();
        }
        let about_agents =
            draft.rule.principal.kind().is_some_and(|kind| kind.to_string() == AGENT);
        let for_users = self.validate(draft, Scope { agents: false, ..scope });
        match for_users {
            Some(for_users) if !for_users.validation_passed() => self.told(draft, &for_users),
            Some(_) | None if about_agents => self.told(draft, result),
            Some(_) => self.agent_warnings(draft, result),
            None => self.told(draft, result),
        }
    }

    fn told(&self, draft: &Draft, result: &ValidationResult) -> Vec<Finding> {
        let findings = result.validation_errors().map(|error| self.place(draft, error));
        distinct(findings.collect())
    }

    fn agent_warnings(&self, draft: &Draft, result: &ValidationResult) -> Vec<Finding> {
        let failing = result.validation_errors().filter(|error| can_fail(error));
        let findings = failing.map(|error| {
            let mut finding = self.place(draft, error);
            finding.severity = Severity::Warning;
            finding.message = format!("when the principal is an agent: {}", finding.message);
            finding.with_help(
                "such an agent is refused; say `principal is User` where users are meant",
            )
        });
        distinct(findings.collect())
    }

    fn warning(&self, draft: &Draft, warning: &ValidationWarning) -> Finding {
        let mut finding = self.place(draft, warning);
        finding.severity = Severity::Warning;
        finding
    }

    fn place(&self, draft: &Draft, diagnostic: &dyn Diagnostic) -> Finding {
        let placed = self
            .files
            .get(draft.file)
            .and_then(|file| diagnostic::errors(diagnostic, file).into_iter().next());
        let mut finding = placed.unwrap_or_else(|| {
            let message = diagnostic::tidy(&diagnostic.to_string());
            Finding::error(draft.rule.place.clone(), message)
        });
        if finding.place.line == 0 {
            finding.place = draft.rule.place.clone();
        }
        finding
    }
}

/// Whether the error means that evaluation can fail, rather than that a comparison is vain.
fn can_fail(error: &ValidationError) -> bool {
    !matches!(error, ValidationError::IncompatibleTypes(_))
}

fn unchecked_finding(draft: &Draft) -> Finding {
    let message = format!(
        "unchecked: `{}` reads `context.arguments` of a tool whose definition is not known",
        draft.rule.name
    );
    let help = match draft.rule.effect {
        cedar_policy_core::ast::Effect::Permit => "until it is, the policy permits nothing there",
        cedar_policy_core::ast::Effect::Forbid => {
            "until it is, the tool is refused wherever the policy could apply"
        }
    };
    Finding::warning(draft.rule.place.clone(), message).with_help(help)
}

/// The same error arises once for each action and principal; one is enough.
fn distinct(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort();
    findings.dedup_by(|a, b| a.place == b.place && a.message == b.message);
    findings.truncate(MAX_FINDINGS);
    findings
}
