//! Proposes what tools, prompts and MCP resources reveal, for a person to read and correct.
//!
//! A proposal is a binding that compiles. Where nothing is sure there is none: a wrong binding
//! that is believed is worse than a tool that nobody has described.

mod attributes;
mod bind;
mod families;
mod nouns;
mod outline;

use std::collections::BTreeMap;

use kenward_model::{Place, ServerName};

use crate::bindings::Bindings;
use crate::inferences::{Inferences, InferencesFile};
use crate::spec::{ServerBindings, ToolBinding};

use super::Vocabulary;

pub use outline::{Outline, OutlineOf};

/// What is proposed for one server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposals {
    /// The bindings; each compiles against the inferences.
    pub bindings: ServerBindings,
    /// The families of the attributes that the bindings speak of, and what follows from what.
    pub inferences: InferencesFile,
    /// The types of entities that the bindings speak of, each with the type that it belongs to.
    pub entities: BTreeMap<String, Option<String>>,
    /// Tools, prompts and MCP resources that sound as if they revealed something, or that are
    /// asked about somebody, and of which nothing is sure: with what they sound like.
    pub unsure: BTreeMap<String, Vec<String>>,
}

impl Proposals {
    /// Whether nothing is proposed.
    pub fn is_empty(&self) -> bool {
        self.bindings.all().next().is_none()
    }
}

/// Proposes bindings for all that a server offers, from its words and the shapes of its schemas.
pub fn propose(outlines: &[Outline]) -> Proposals {
    let usual = nouns::usual_person(outlines);
    let mut proposals = Proposals::default();
    let drafts: Vec<(&Outline, Option<ToolBinding>)> = outlines
        .iter()
        .map(|outline| (outline, bind::binding(outline, usual.as_deref())))
        .collect();
    let all = drafts.iter().filter_map(|(_, binding)| binding.as_ref());
    let inferences = families::of(all);
    let compiled = families::compiled(&inferences);
    for (outline, binding) in drafts {
        match binding.filter(|binding| compiles(outline, binding, &compiled)) {
            Some(binding) => proposals.take(outline, binding),
            None => proposals.doubt(outline),
        }
    }
    proposals.inferences = families::of(proposals.bindings.all());
    proposals.entities = bind::entities(proposals.bindings.all());
    proposals
}

impl Proposals {
    fn take(&mut self, outline: &Outline, binding: ToolBinding) {
        let target = match outline.of {
            OutlineOf::Tool => &mut self.bindings.tools,
            OutlineOf::Prompt => &mut self.bindings.prompts,
            OutlineOf::Resource => &mut self.bindings.resources,
        };
        // Of two with one name the first counts, as it does when they are called.
        target.entry(outline.name.clone()).or_insert(binding);
    }

    fn doubt(&mut self, outline: &Outline) {
        let words = outline.arguments.iter().map(|argument| argument.name.as_str());
        let names = std::iter::once(outline.name.as_str()).chain(words);
        let guess = Vocabulary::default().guess(names);
        if !guess.is_none() || bind::is_about_somebody(outline) {
            self.unsure.entry(outline.name.clone()).or_insert_with(|| guess.names());
        }
    }
}

/// Whether the binding can be used as it is.
fn compiles(outline: &Outline, binding: &ToolBinding, inferences: &Inferences) -> bool {
    let Ok(server) = ServerName::try_from("proposed".to_owned()) else { return false };
    let one = BTreeMap::from([(outline.name.clone(), binding.clone())]);
    let mut bindings = ServerBindings::default();
    match outline.of {
        OutlineOf::Tool => bindings.tools = one,
        OutlineOf::Prompt => bindings.prompts = one,
        OutlineOf::Resource => bindings.resources = one,
    }
    let place = |_: &ServerName, item: &str, at: &str| Place::whole(format!("{item}{at}"));
    Bindings::compile(&place, &BTreeMap::from([(server, bindings)]), inferences).is_ok()
}

#[cfg(test)]
mod tests;
