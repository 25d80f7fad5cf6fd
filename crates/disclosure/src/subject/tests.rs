//! Attacks on whom a call is about, by the role of the argument.

mod closed;
mod roles;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Named, Naming, SubjectRule, Unresolved, UnresolvedWhy};
use crate::recognise::stage::Stage;

fn rule(names: &[&str], naming: Naming) -> SubjectRule {
    let path = |name: &&str| name.split('.').map(Box::from).collect();
    let arguments = names.iter().map(path).collect();
    SubjectRule {
        arguments,
        via: names.join(" ").into(),
        naming,
        of: "Customer".into(),
        yields: Vec::new(),
    }
}

/// What the arguments say under the rule for the argument `x`.
fn named(stage: &Stage, naming: &Naming, argument: &Value) -> Result<Named, Unresolved> {
    rule(&["x"], naming.clone()).subjects(&stage.scene(), &json!({ "x": argument }))
}

fn ids_of(named: &Named) -> Vec<String> {
    named
        .subjects
        .iter()
        .map(|subject| {
            assert_eq!(&*subject.uid.kind, "Customer");
            (*subject.uid.id).to_owned()
        })
        .collect()
}

/// The ids of the subjects in order, or why there are none.
fn subjects(naming: &Naming, argument: &Value) -> Result<Vec<String>, UnresolvedWhy> {
    subjects_in(&Stage::calm(), naming, argument)
}

fn subjects_in(
    stage: &Stage,
    naming: &Naming,
    argument: &Value,
) -> Result<Vec<String>, UnresolvedWhy> {
    let named = named(stage, naming, argument).map_err(|unresolved| {
        assert_eq!(&*unresolved.parameter, "x");
        unresolved.why
    })?;
    assert!(!named.missing);
    Ok(ids_of(&named))
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn by_id() -> Naming {
    Naming::Id(None)
}

fn by_handle() -> Naming {
    Naming::Handle(None)
}

fn handle_of(kind: &str) -> Naming {
    Naming::Handle(Some(Arc::from(kind)))
}
