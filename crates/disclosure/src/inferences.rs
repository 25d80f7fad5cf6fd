//! Inferences: which facts follow from which others about the same subject.

mod order;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kenward_document::Document;
use kenward_model::{EntityUid, Fact, Finding, Precision};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::families::{Families, FamilySpec};

/// The file `inferences.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InferencesFile {
    /// Families of attributes, by name.
    #[serde(default)]
    pub families: BTreeMap<String, FamilySpec>,
    /// What follows from what.
    #[serde(default)]
    pub inferences: Vec<InferenceSpec>,
}

/// One inference: a Horn clause over the attributes of one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InferenceSpec {
    /// What follows.
    pub then: Then,
    /// The attributes that must be known, all of them unless `distinct` says how many.
    #[serde(rename = "if")]
    pub premises: Vec<String>,
    /// How many answers about any of the attributes are enough, each answer counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u32>,
}

/// What follows from an inference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// The attribute that becomes known.
    pub attribute: String,
    /// How finely, on the scale of its family; exactly when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
}

/// The families and the inferences of a deployment, ready to use.
#[derive(Debug, Clone, Default)]
pub struct Inferences {
    /// The families of attributes.
    pub families: Families,
    /// In an order in which whatever a rule needs is derived before it.
    rules: Vec<Rule>,
    by_premise: BTreeMap<Arc<str>, Vec<usize>>,
}

#[derive(Debug, Clone)]
struct Rule {
    attribute: Arc<str>,
    family: Arc<str>,
    precision: Precision,
    premises: Vec<Arc<str>>,
    distinct: Option<u32>,
}

impl Inferences {
    /// No families and no inferences.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the text of `inferences.yaml`.
    ///
    /// # Errors
    /// Every problem with its place: the shape, families that overlap, precisions that no scale
    /// has, and inferences that go round in circles.
    pub fn read(source: &str, text: &str) -> Result<Self, Vec<Finding>> {
        let document = kenward_document::read::<InferencesFile>(source, text, None)?;
        let (families, mut findings) =
            Families::compile(&document.value.families, &|pointer| document.place(pointer));
        let mut rules = Vec::new();
        for (index, spec) in document.value.inferences.iter().enumerate() {
            match compile_rule(spec, &families) {
                Ok(rule) => rules.push(rule),
                Err((part, message, help)) => {
                    let place = document.place(&format!("/inferences/{index}{part}"));
                    let finding = Finding::error(place, message);
                    findings.push(help.into_iter().fold(finding, Finding::with_help));
                }
            }
        }
        findings.extend(circles(&document));
        if !findings.is_empty() {
            return Err(findings);
        }
        Ok(Self::of_rules(families, rules))
    }

    /// What follows from `facts` and is not among them, at that precision or finer.
    ///
    /// For an inference with `distinct`, every fact given counts as an answer of its own.
    pub fn closure(&self, facts: &[Fact]) -> Vec<Fact> {
        if !facts.iter().any(|fact| self.by_premise.contains_key(&fact.attribute)) {
            return Vec::new();
        }
        let mut by_subject: BTreeMap<&EntityUid, Vec<&Fact>> = BTreeMap::new();
        for fact in facts {
            by_subject.entry(&fact.subject).or_default().push(fact);
        }
        by_subject.into_iter().flat_map(|(subject, known)| self.close(subject, &known)).collect()
    }

    fn of_rules(families: Families, mut rules: Vec<Rule>) -> Self {
        let edges = rules.iter().map(|rule| (&*rule.attribute, rule.premises.as_slice()));
        let levels: HashMap<Arc<str>, usize> =
            order::levels(edges).into_iter().map(|(name, level)| (name.into(), level)).collect();
        rules.sort_by_key(|rule| levels.get(&rule.attribute).copied());
        let mut by_premise: BTreeMap<Arc<str>, Vec<usize>> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            for premise in &rule.premises {
                by_premise.entry(Arc::clone(premise)).or_default().push(index);
            }
        }
        Self { families, rules, by_premise }
    }

    /// The closure of what is known about one subject: each rule is looked at once at most.
    fn close(&self, subject: &EntityUid, known: &[&Fact]) -> Vec<Fact> {
        let mut answers: HashMap<&str, u32> = HashMap::new();
        let mut finest: HashMap<&str, Precision> = HashMap::new();
        let mut due: BTreeSet<usize> = BTreeSet::new();
        for fact in known {
            let count = answers.entry(&fact.attribute).or_default();
            *count = count.saturating_add(1);
            let held = finest.entry(&fact.attribute).or_insert(fact.precision);
            *held = fact.precision.min(*held);
            due.extend(self.by_premise.get(&fact.attribute).into_iter().flatten());
        }
        let mut derived = Vec::new();
        while let Some(index) = due.pop_first() {
            let Some(rule) = self.rules.get(index).filter(|rule| rule.fires(&answers)) else {
                continue;
            };
            if finest.get(&*rule.attribute).is_some_and(|held| *held <= rule.precision) {
                continue;
            }
            finest.insert(&rule.attribute, rule.precision);
            answers.entry(&rule.attribute).or_insert(1);
            due.extend(self.by_premise.get(&rule.attribute).into_iter().flatten());
            derived.push(rule.fact(subject));
        }
        derived
    }
}

impl Rule {
    fn fires(&self, answers: &HashMap<&str, u32>) -> bool {
        let held = |premise: &Arc<str>| answers.get(&**premise).copied().unwrap_or(0);
        match self.distinct {
            None => self.premises.iter().all(|premise| held(premise) > 0),
            Some(enough) => self.premises.iter().map(held).fold(0, u32::saturating_add) >= enough,
        }
    }

    fn fact(&self, subject: &EntityUid) -> Fact {
        Fact {
            subject: subject.clone(),
            attribute: Arc::clone(&self.attribute),
            family: Arc::clone(&self.family),
            precision: self.precision,
        }
    }
}

/// Where in the inference, what is wrong, and what would be right.
type Flaw = (&'static str, String, Option<String>);

fn compile_rule(spec: &InferenceSpec, families: &Families) -> Result<Rule, Flaw> {
    let then = &spec.then;
    let precision = families
        .precision(&then.attribute, then.precision.as_deref())
        .map_err(|error| ("/then/precision", error.to_string(), Some(error.help())))?;
    if spec.premises.is_empty() {
        return Err(("/if", "an inference needs something to follow from".to_owned(), None));
    }
    let mut premises: Vec<Arc<str>> =
        spec.premises.iter().map(|name| name.as_str().into()).collect();
    premises.sort_unstable();
    premises.dedup();
    if premises.len() < spec.premises.len() {
        return Err(("/if", "an attribute stands here twice".to_owned(), None));
    }
    if spec.distinct == Some(0) {
        return Err(("/distinct", "at least one answer is needed".to_owned(), None));
    }
    Ok(Rule {
        attribute: then.attribute.as_str().into(),
        family: families.family_of(&then.attribute),
        precision,
        premises,
        distinct: spec.distinct,
    })
}

/// The inferences of which the conclusion is needed, over others or not, for itself.
fn circles(document: &Document<InferencesFile>) -> Vec<Finding> {
    let rules = &document.value.inferences;
    let edges: Vec<(&str, &[String])> =
        rules.iter().map(|rule| (rule.then.attribute.as_str(), rule.premises.as_slice())).collect();
    let levels = order::levels(edges.iter().copied());
    let is_circle = |then: &str, premises: &[String]| {
        let suspect = |premise: &str| !levels.contains_key(premise);
        premises.iter().any(|premise| suspect(premise))
            && premises
                .iter()
                .any(|premise| order::follows(&edges, then).contains(premise.as_str()))
    };
    (0..)
        .zip(&edges)
        .filter(|(_, (then, premises))| is_circle(then, premises))
        .map(|(index, (then, _)): (usize, _)| {
            let place = document.place(&format!("/inferences/{index}"));
            Finding::error(place, format!("`{then}` would follow from itself"))
                .with_help("inferences must not go round in circles")
        })
        .collect()
}

#[cfg(test)]
mod tests;
