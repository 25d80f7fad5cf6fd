//! Inferences: which facts follow from which others about the same subject.

mod closure;
mod compile;
mod order;
mod people;
mod spec;

use std::collections::BTreeMap;
use std::sync::Arc;

use kenward_document::Document;
use kenward_model::{EntityUid, Fact, Finding, Precision};

use crate::families::Families;

pub(crate) use closure::{Known, Which};
pub use spec::{InferenceSpec, InferencesFile, PrecisePremise, Premise, Then};

/// A fact that follows from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// The fact.
    pub fact: Fact,
    /// The inference: its `id`, or `inference 3` by its place in the file.
    pub rule: Arc<str>,
    /// The attributes that it follows from.
    pub premises: Vec<Arc<str>>,
    /// Whether the inference is enforced, or decides on paper only.
    pub enforced: bool,
}

/// The families and the inferences of a deployment, ready to use.
#[derive(Debug, Clone, Default)]
pub struct Inferences {
    /// The families of attributes.
    pub families: Families,
    /// In an order in which whatever a rule needs is derived before it.
    rules: Vec<Rule>,
    /// The attributes that rules speak of.
    attributes: Vec<Attribute>,
    /// Where in `attributes` each stands.
    numbers: BTreeMap<Arc<str>, usize>,
    /// Whether some rule decides on paper only.
    on_paper: bool,
    /// The attribute of an entity that names the person whom it stands for, by the entity's type.
    same_person: BTreeMap<Arc<str>, Arc<str>>,
    /// The listed places, in normal form, sorted.
    places: Vec<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Attribute {
    name: Arc<str>,
    family: Arc<str>,
    /// The rules that need it.
    needed_by: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Rule {
    name: Arc<str>,
    /// The type of the subjects; any when there is none.
    of: Option<Arc<str>>,
    attribute: usize,
    precision: Precision,
    /// The attributes, each with the coarsest precision that is enough.
    premises: Vec<(usize, Precision)>,
    distinct: Option<u32>,
    enforced: bool,
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
        Self::of_document(&kenward_document::read::<InferencesFile>(source, text, None)?)
    }

    pub(crate) fn of_document(document: &Document<InferencesFile>) -> Result<Self, Vec<Finding>> {
        compile::file(document)
    }

    /// What follows about `subject` from what is known of it, and is not known at that precision
    /// or finer. Each fact comes with the number of different answers that told it.
    ///
    /// Takes time linear in the size of the inferences (Dowling and Gallier, 1984).
    pub fn closure(&self, subject: &EntityUid, known: &[(Fact, u32)]) -> Vec<Derived> {
        let known = known.iter().map(|(fact, answers)| Known {
            attribute: &fact.attribute,
            precision: fact.precision,
            answers: *answers,
        });
        self.derive(subject, known, Which::New)
    }

    /// Everything that could ever follow from `attribute` of `subject`, whatever else is known.
    pub(crate) fn reachable(&self, subject: &EntityUid, attribute: &str) -> Vec<Fact> {
        let Some(number) = self.numbers.get(attribute) else { return Vec::new() };
        let mut reached = vec![false; self.attributes.len()];
        reached.get_mut(*number).into_iter().for_each(|reached| *reached = true);
        let mut facts = Vec::new();
        // Rules stand in an order in which whatever a rule needs is derived before it.
        for rule in &self.rules {
            let needs = |(number, _): &(usize, Precision)| reached.get(*number) == Some(&true);
            if rule.of.as_ref().is_none_or(|of| *of == subject.kind)
                && rule.premises.iter().any(needs)
            {
                reached.get_mut(rule.attribute).into_iter().for_each(|reached| *reached = true);
                facts.extend(self.derived(rule, subject).map(|derived| derived.fact));
            }
        }
        facts
    }

    /// Whether something follows from `attribute`.
    pub fn is_read(&self, attribute: &str) -> bool {
        let number = self.numbers.get(attribute);
        number
            .and_then(|number| self.attributes.get(*number))
            .is_some_and(|a| !a.needed_by.is_empty())
    }
}

#[cfg(test)]
mod tests;
