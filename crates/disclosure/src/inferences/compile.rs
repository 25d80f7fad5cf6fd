//! Reads `inferences.yaml` and makes it ready.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kenward_document::Document;
use kenward_model::{Finding, Precision};
use kenward_world::words;

use super::{Attribute, InferenceSpec, Inferences, InferencesFile, Rule, order};
use crate::bindings::is_type_name;
use crate::families::{Families, escape};
use crate::history::MOST_ANSWERS;

/// What is known at whatever precision is known at this one.
const ANY: Precision = Precision(u8::MAX);

/// Makes the file ready.
pub(super) fn file(document: &Document<InferencesFile>) -> Result<Inferences, Vec<Finding>> {
    let file = &document.value;
    let (families, mut findings) =
        Families::compile(&file.families, &|pointer| document.place(pointer));
    let mut compiler = Compiler { inferences: Inferences { families, ..Inferences::none() } };
    for (index, spec) in file.inferences.iter().enumerate() {
        if let Err(flaws) = compiler.rule(index, spec) {
            findings.extend(flaws.into_iter().map(|(part, message, help)| {
                let place = document.place(&format!("/inferences/{index}{part}"));
                help.into_iter().fold(Finding::error(place, message), Finding::with_help)
            }));
        }
    }
    findings.extend(repeated_ids(document));
    findings.extend(circles(document));
    findings.extend(compiler.people(document));
    if findings.is_empty() { Ok(compiler.finish()) } else { Err(findings) }
}

/// Where in the inference, what is wrong, and what would be right.
type Flaw = (String, String, Option<String>);

struct Compiler {
    inferences: Inferences,
}

impl Compiler {
    fn rule(&mut self, index: usize, spec: &InferenceSpec) -> Result<(), Vec<Flaw>> {
        let mut flaws = Vec::new();
        check_shape(spec, &mut flaws);
        let then = &spec.then;
        let mut precise = |part: String, attribute: &str, name: Option<&str>| {
            let precision = self.inferences.families.precision(attribute, name);
            precision.map_err(|e| flaws.push((part, e.to_string(), Some(e.help())))).ok()
        };
        let conclusion =
            precise("/then/precision".to_owned(), &then.attribute, then.precision.as_deref());
        let mut premises = Vec::new();
        for (at, premise) in spec.premises.iter().enumerate() {
            let coarsest = match premise.precision() {
                None => Some(ANY),
                name => precise(format!("/if/{at}/precision"), premise.attribute(), name),
            };
            premises.extend(coarsest.map(|coarsest| (premise.attribute(), coarsest)));
        }
        let Some(precision) = conclusion.filter(|_| flaws.is_empty()) else { return Err(flaws) };
        let name = spec.id.clone().unwrap_or_else(|| format!("inference {}", index + 1));
        let premises = premises.into_iter().map(|(name, at)| (self.number(name), at)).collect();
        let rule = Rule {
            name: name.into(),
            of: spec.of.as_deref().map(Arc::from),
            attribute: self.number(&then.attribute),
            precision,
            premises,
            distinct: spec.distinct,
            enforced: spec.mode.is_enforced(),
        };
        self.inferences.on_paper |= !rule.enforced;
        self.inferences.rules.push(rule);
        Ok(())
    }

    /// The number of the attribute.
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.inferences.numbers.get(name) {
            return *number;
        }
        let number = self.inferences.attributes.len();
        let (shared, family) = (Arc::from(name), self.inferences.families.family_of(name));
        self.inferences.numbers.insert(Arc::clone(&shared), number);
        let needed_by = Vec::new();
        self.inferences.attributes.push(Attribute { name: shared, family, needed_by });
        number
    }

    /// Takes over who stands for whom and which names are places.
    fn people(&mut self, document: &Document<InferencesFile>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (kind, attribute) in &document.value.same_person {
            if !is_type_name(kind) {
                let place = document.place(&format!("/same_person/{}", escape(kind)));
                let message = format!("`{kind}` is not the name of an entity type");
                findings.push(Finding::error(place, message));
            }
            let entry = (kind.as_str().into(), attribute.as_str().into());
            self.inferences.same_person.extend([entry]);
        }
        for (index, name) in document.value.places.iter().enumerate() {
            let normal = words::normalise(name);
            if normal.is_empty() {
                let place = document.place(&format!("/places/{index}"));
                let message = format!("`{name}` has no letters or digits");
                findings.push(Finding::error(place, message));
            }
            self.inferences.places.push(normal.into());
        }
        self.inferences.places.sort_unstable();
        self.inferences.places.dedup();
        findings
    }

    /// Puts the rules in their order.
    fn finish(self) -> Inferences {
        let mut inferences = self.inferences;
        let name = |number: &usize| {
            inferences.attributes.get(*number).map_or("", |attribute| &*attribute.name)
        };
        let premises = |rule: &Rule| rule.premises.iter().map(|(number, _)| name(number)).collect();
        let edges: Vec<(&str, Vec<&str>)> =
            inferences.rules.iter().map(|rule| (name(&rule.attribute), premises(rule))).collect();
        let levels = order::levels(edges.iter().map(|(then, needs)| (*then, needs.as_slice())));
        let level = |rule: &Rule| levels.get(name(&rule.attribute)).copied();
        let mut levelled: Vec<(Option<usize>, Rule)> =
            inferences.rules.iter().map(|rule| (level(rule), rule.clone())).collect();
        levelled.sort_by_key(|(level, _)| *level);
        inferences.rules = levelled.into_iter().map(|(_, rule)| rule).collect();
        let rules = inferences.rules.iter().enumerate();
        let needs = rules.flat_map(|(index, rule)| rule.premises.iter().map(move |p| (index, p.0)));
        for (index, number) in needs {
            if let Some(attribute) = inferences.attributes.get_mut(number) {
                attribute.needed_by.push(index);
            }
        }
        inferences
    }
}

fn check_shape(spec: &InferenceSpec, flaws: &mut Vec<Flaw>) {
    let mut flaw = |part: &str, message: String| flaws.push((part.to_owned(), message, None));
    if spec.premises.is_empty() {
        flaw("/if", "an inference needs something to follow from".to_owned());
    }
    let mut names: Vec<&str> = spec.premises.iter().map(super::Premise::attribute).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < spec.premises.len() {
        flaw("/if", "an attribute stands here twice".to_owned());
    }
    if spec.distinct == Some(0) {
        flaw("/distinct", "at least one answer is needed".to_owned());
    }
    let countable = MOST_ANSWERS.saturating_mul(spec.premises.len());
    if spec.distinct.is_some_and(|enough| usize::try_from(enough).is_ok_and(|n| n > countable)) {
        flaw(
            "/distinct",
            format!("no more than {MOST_ANSWERS} answers to an attribute are told apart"),
        );
    }
    if let Some(of) = spec.of.as_ref().filter(|of| !is_type_name(of)) {
        flaw("/of", format!("`{of}` is not the name of an entity type"));
    }
    if spec.id.as_ref().is_some_and(|id| id.trim().is_empty()) {
        flaw("/id", "an id needs at least one letter".to_owned());
    }
}

fn repeated_ids(document: &Document<InferencesFile>) -> Vec<Finding> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut findings = Vec::new();
    for (index, spec) in document.value.inferences.iter().enumerate() {
        let Some(id) = &spec.id else { continue };
        if first.insert(id, index).is_some() {
            let place = document.place(&format!("/inferences/{index}/id"));
            findings.push(Finding::error(place, format!("another inference has the id `{id}`")));
        }
    }
    findings
}

/// The inferences of which the conclusion is needed, over others or not, for itself.
fn circles(document: &Document<InferencesFile>) -> Vec<Finding> {
    let rules = &document.value.inferences;
    let edges: Vec<(&str, Vec<&str>)> = rules
        .iter()
        .map(|rule| {
            let premises = rule.premises.iter().map(super::Premise::attribute).collect();
            (rule.then.attribute.as_str(), premises)
        })
        .collect();
    let levels = order::levels(edges.iter().map(|(then, needs)| (*then, needs.as_slice())));
    let mut reached: BTreeMap<&str, _> = BTreeMap::new();
    let mut is_circle = |then: &'_ str, premises: &[&str]| {
        let then = edges.iter().map(|(name, _)| *name).find(|name| *name == then);
        let Some(then) = then.filter(|_| premises.iter().any(|p| !levels.contains_key(p))) else {
            return false;
        };
        let follows = reached.entry(then).or_insert_with(|| order::follows(&edges, then));
        premises.iter().any(|premise| follows.contains(premise))
    };
    let mut findings = Vec::new();
    for (index, (then, premises)) in edges.iter().enumerate() {
        if is_circle(then, premises) {
            let place = document.place(&format!("/inferences/{index}"));
            findings.push(
                Finding::error(place, format!("`{then}` would follow from itself"))
                    .with_help("inferences must not go round in circles"),
            );
        }
    }
    findings
}
