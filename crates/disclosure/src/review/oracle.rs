//! Whether a guess was right, and what that makes of the history.

use std::sync::Arc;

use kenward_model::Fact;
use serde_json::Value;

use crate::filter::{OracleRule, about};
use crate::history::{Entry, Learnt};
use crate::path::STRUCTURED;

use super::messages::{CONTENT, is_error, only_document, texts};
use super::{Carrier, Reviewer};

/// What the answer says of the guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guessed {
    Right,
    Wrong,
    /// It cannot be told: it counts as both.
    Unclear,
}

impl Reviewer<'_> {
    /// What the answer to a guess makes of the history.
    pub(super) fn guessed(&self, guessed: Guessed) -> Vec<Entry> {
        let Some(rule) = &self.results.oracle else { return Vec::new() };
        let subjects = self.expects.subjects.iter().filter(|uid| uid.kind == rule.fact.of);
        let facts: Vec<Fact> = subjects.map(|subject| about(&rule.fact, subject)).collect();
        let missed = facts.iter().map(|fact| Entry::Missed {
            subject: fact.subject.clone(),
            attribute: Arc::clone(&fact.attribute),
        });
        let learnt = facts
            .iter()
            .filter(|fact| self.is_news(fact))
            .map(|fact| Entry::Learnt(self.learnt(fact.clone())));
        match guessed {
            Guessed::Right => learnt.collect(),
            Guessed::Wrong => missed.chain(self.without_reservation(&facts)).collect(),
            Guessed::Unclear => missed.chain(learnt).collect(),
        }
    }

    /// The reservation of this call without these facts.
    fn without_reservation(&self, facts: &[Fact]) -> Vec<Entry> {
        let guessed = |learnt: &Learnt| {
            facts.iter().any(|fact| {
                fact.subject == learnt.fact.subject && fact.attribute == learnt.fact.attribute
            })
        };
        let reserved = self.inquiry.history.reserved_for(self.inquiry.decision);
        let (undone, left): (Vec<Learnt>, Vec<Learnt>) = reserved.cloned().partition(guessed);
        if undone.is_empty() {
            return Vec::new();
        }
        let decision = self.inquiry.decision;
        let again = (!left.is_empty()).then_some(Entry::Reserved(decision, left));
        std::iter::once(Entry::Undone(decision)).chain(again).collect()
    }
}

/// What an answer says of the guess.
pub(super) fn read(rule: &OracleRule, carrier: Carrier, result: &Value) -> Guessed {
    if carrier == Carrier::Error || is_error(result) {
        return Guessed::Unclear;
    }
    let structured = result.get(STRUCTURED);
    let only = if structured.is_none() { only_document(result, CONTENT) } else { None };
    let Some(document) = structured.or_else(|| only.as_ref().map(|(_, document, _)| document))
    else {
        let is_silent = texts(result).all(|text| text.trim().is_empty()) && rule.hit.is_none();
        return if is_silent { Guessed::Wrong } else { Guessed::Unclear };
    };
    let Some(path) = &rule.hit else {
        return if says_something(document) { Guessed::Right } else { Guessed::Wrong };
    };
    match path.values(document).as_slice() {
        // Where the path leads nowhere, a right guess would look otherwise.
        [] => Guessed::Wrong,
        values if values.iter().any(|value| says_something(value)) => Guessed::Right,
        _ => Guessed::Wrong,
    }
}

/// Whether a value is, or holds, something other than `false`, nothing, zero or an empty list.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(says) => *says,
        Value::Number(number) => number.as_f64().is_none_or(|number| number != 0.0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => items.iter().any(says_something),
        Value::Object(members) => members.values().any(says_something),
    }
}
