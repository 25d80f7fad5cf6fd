//! Reads policy files into rules, each with its name, its place and what it reads.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cedar_policy_core::ast::{ActionConstraint, Policy, PolicySet};
use cedar_policy_core::parser::{Loc, parse_policyset};
use kenward_model::{Finding, Place};

use crate::diagnostic::{self, nearest};
use crate::reads::{self, ArgumentReads, Reads};
use crate::rule::{Constraint, Rule};
use crate::source::SourceFile;

/// A policy before it is checked.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) rule: Arc<Rule>,
    pub(super) policy: Policy,
    /// Which file it stands in.
    pub(super) file: usize,
}

/// The annotations that mean something.
const ANNOTATIONS: [&str; 3] = ["id", "mode", "reason"];

/// All policies of all files, in their order.
pub(super) fn read(files: &[SourceFile], findings: &mut Vec<Finding>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (index, file) in files.iter().enumerate() {
        match parse_policyset(&file.text) {
            Ok(set) => drafts.extend(read_set(&set, index, file, findings)),
            Err(errors) => {
                findings.extend(errors.iter().flat_map(|error| diagnostic::errors(error, file)));
            }
        }
    }
    refuse_duplicates(&drafts, findings);
    drafts
}

fn read_set(
    set: &PolicySet,
    index: usize,
    file: &SourceFile,
    findings: &mut Vec<Finding>,
) -> Vec<Draft> {
    findings.extend(set.templates().map(|template| {
        let place = place(template.loc().map(Loc::start), file);
        let message = "a template does nothing here, because nothing links it";
        let help = "write a policy on a group, or on an attribute of the resource";
        Finding::error(place, message).with_help(help)
    }));
    let mut policies: Vec<&Policy> = set.static_policies().collect();
    policies.sort_by_key(|policy| policy.loc().map(Loc::start));
    let mut lines = HashSet::new();
    let draft = |policy: &Policy| {
        let place = place(policy.loc().map(Loc::start), file);
        check_annotations(policy, &place, findings);
        let name = match annotation(policy, "id") {
            Some(id) => id.to_owned(),
            None if lines.insert(place.line) => format!("{}:{}", file.path, place.line),
            // A line can hold more than one policy.
            None => place.to_string(),
        };
        Draft { rule: Arc::new(rule(policy, &name, place)), policy: policy.clone(), file: index }
    };
    policies.into_iter().map(draft).collect()
}

fn rule(policy: &Policy, name: &str, place: Place) -> Rule {
    let condition = policy.non_scope_constraints_arc().cloned();
    let (reads, arguments) = condition
        .as_ref()
        .map_or((Reads::NOTHING, ArgumentReads::None), |condition| reads::of(condition));
    Rule {
        name: Arc::from(name),
        reason: annotation(policy, "reason").map(Arc::from),
        shadow: annotation(policy, "mode") == Some("shadow"),
        effect: policy.effect(),
        principal: Constraint::of(policy.principal_constraint().as_inner()),
        resource: Constraint::of(policy.resource_constraint().as_inner()),
        actions: actions(policy.action_constraint()),
        condition,
        reads,
        arguments,
        place,
    }
}

/// The text of an annotation; nothing when it has none.
fn annotation<'p>(policy: &'p Policy, wanted: &str) -> Option<&'p str> {
    let mut found = policy.annotations().filter(|(key, _)| key.as_ref() == wanted);
    found.next().map(|(_, annotation)| annotation.as_ref()).filter(|text| !text.is_empty())
}

fn actions(constraint: &ActionConstraint) -> Option<Vec<Arc<cedar_policy_core::ast::EntityUID>>> {
    match constraint {
        ActionConstraint::Any => None,
        ActionConstraint::In(uids) => Some(uids.clone()),
        ActionConstraint::Eq(uid) => Some(vec![Arc::clone(uid)]),
    }
}

fn check_annotations(policy: &Policy, place: &Place, findings: &mut Vec<Finding>) {
    for (key, value) in policy.annotations() {
        let key: &str = key.as_ref();
        let value: &str = value.as_ref();
        if key == "mode" && value != "shadow" {
            let message = format!("`{value}` is no mode of a policy");
            findings
                .push(Finding::error(place.clone(), message).with_help(
                    "write @mode(\"shadow\"), or leave it out for a policy that counts",
                ));
        }
        if let Some(meant) = nearest(key, ANNOTATIONS) {
            let message = format!("the annotation `@{key}` means nothing");
            let finding = Finding::warning(place.clone(), message);
            findings.push(finding.with_help(format!("did you mean `@{meant}`?")));
        }
    }
}

fn refuse_duplicates(drafts: &[Draft], findings: &mut Vec<Finding>) {
    let mut seen: HashMap<&str, &Place> = HashMap::new();
    for draft in drafts {
        let rule = &draft.rule;
        match seen.get(&*rule.name) {
            Some(first) => {
                let message = format!("the policy id `{}` is taken", rule.name);
                let finding = Finding::error(rule.place.clone(), message);
                findings.push(finding.with_help(format!("it is first used at {first}")));
            }
            None => {
                seen.insert(&rule.name, &rule.place);
            }
        }
    }
}

fn place(offset: Option<usize>, file: &SourceFile) -> Place {
    offset.map_or_else(
        || Place::whole(file.path.as_str()),
        |offset| Place::at_offset(file.path.as_str(), &file.text, offset),
    )
}
