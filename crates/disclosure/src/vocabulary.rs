//! What tools that nobody has described are probably about, by the words of their names.
//!
//! A guess never permits anything. It is used where something was refused before, so that a tool
//! which nobody has described is no way round; and for proposals that a person reads.

mod propose;
mod words;

use std::sync::Arc;

use crate::families::Families;

use words::{Concept, Concepts};

pub use propose::{Outline, OutlineOf, Proposals, propose};
pub use words::split as words_of_name;

/// The families that something is guessed to reveal something of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guess {
    families: Vec<Arc<str>>,
    concepts: Concepts,
    /// Whether it is everything.
    everything: bool,
}

impl Guess {
    /// No family.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every family: what is said may be about anything.
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// Whether the guess has `family` in it: as one of the deployment's families, or because the
    /// family's own name means the same.
    pub fn touches(&self, family: &str) -> bool {
        self.everything
            || self.families.iter().any(|guessed| &**guessed == family)
            || self.concepts.meets(Concepts::of(words::split(family).iter().map(String::as_str)))
    }

    /// The families of the deployment that are guessed.
    pub fn families(&self) -> &[Arc<str>] {
        &self.families
    }

    /// Whether nothing is guessed.
    pub fn is_none(&self) -> bool {
        !self.everything && self.families.is_empty() && self.concepts.is_empty()
    }

    /// Whether everything is guessed.
    pub(crate) fn is_everything(&self) -> bool {
        self.everything
    }

    /// What is guessed, in words for people: families of the deployment, or else what their kind is
    /// usually called.
    pub fn names(&self) -> Vec<String> {
        match self.families.as_slice() {
            [] => self.concepts.iter().map(|concept| concept.name().to_owned()).collect(),
            families => families.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The words by which it is guessed, made ready for the families of a deployment.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    families: Vec<Known>,
}

/// A family, what it means, and the words of its attributes.
#[derive(Debug, Clone)]
struct Known {
    name: Arc<str>,
    concepts: Concepts,
    phrases: Vec<Vec<String>>,
}

impl Vocabulary {
    /// The vocabulary of `families`.
    pub fn new(families: &Families) -> Self {
        let known = |name: &str| {
            let phrases: Vec<Vec<String>> =
                std::iter::once(name).chain(families.attributes(name)).map(words::split).collect();
            let all = phrases.iter().flatten().map(String::as_str);
            Known { name: name.into(), concepts: Concepts::of(all), phrases }
        };
        Self { families: families.names().map(known).collect() }
    }

    /// What is told by something that is called by `names`: a tool with its arguments, a prompt, a
    /// URI.
    pub fn guess<'w>(&self, names: impl IntoIterator<Item = &'w str>) -> Guess {
        let words: Vec<Vec<String>> = names.into_iter().map(words::split).collect();
        let concepts = Concepts::of(words.iter().flatten().map(String::as_str));
        let says = |phrase: &Vec<String>| {
            words.iter().any(|name| name.windows(phrase.len().max(1)).any(|part| part == phrase))
        };
        let touched = self
            .families
            .iter()
            .filter(|family| family.concepts.meets(concepts) || family.phrases.iter().any(says));
        Guess {
            families: touched.map(|family| Arc::clone(&family.name)).collect(),
            concepts,
            everything: false,
        }
    }
}

impl Concept {
    /// What the kind of facts is usually called.
    fn name(self) -> &'static str {
        match self {
            Self::Location => "location",
            Self::Pay => "pay",
            Self::Health => "health",
            Self::Money => "money",
            Self::Identity => "identity",
            Self::Contact => "contact",
            Self::Credential => "credential",
        }
    }
}

#[cfg(test)]
mod tests;
