//! Question 5: what of an answer the person who asked may learn.

use std::borrow::Cow;

use kenward_disclosure::{
    Carrier, Entry, Expects, Guess, Linked, Review, ShadowSource, Withheld, is_due, review,
};
use kenward_model::{Operation, Question};
use serde_json::Value;

use crate::case::Case;
use crate::decide::facts::{FactJudge, Telling};
use crate::decide::hearing::Hearing;
use crate::policies::Policies;
use crate::verdict::Basis;

/// The operation as which it is reviewed what a server says beside its answers.
const LISTEN: &str = "subscriptions/listen";

/// What became of an answer, and what that rests on.
#[derive(Debug, Clone, Default)]
pub struct Reviewed {
    /// Whether the answer is another one now.
    pub changed: bool,
    /// Set when nothing of it may be delivered.
    pub withheld: Option<Withheld>,
    /// What becomes of the history; to be kept before the answer is released.
    pub entries: Vec<Entry>,
    /// The handles of which the answer says whose they are; to be kept as well.
    pub links: Vec<Linked>,
    /// What it rests on; `facts` are those that were refused.
    pub basis: Basis,
}

impl Policies {
    /// Whether the answer to the case's operation must be looked at.
    pub fn is_review_due(&self, case: &Case<'_>) -> bool {
        let hearing = Hearing::new(self, case.asker, case.memory);
        let (history, now) = (case.memory.history, case.asker.environment.now);
        let due = hearing.reviewed_tellings(case.operation);
        // What cannot be looked up is not told.
        let is_unsure = case.operation.method == LISTEN && case.memory.is_away;
        is_unsure || due.iter().any(|telling| is_due(telling.rules(), history, now))
    }

    /// Takes out of the answer what may not be learnt. `expects` is what the permit says.
    pub fn review(
        &self,
        case: &Case<'_>,
        expects: &[Expects],
        carrier: Carrier,
        answer: &mut Value,
    ) -> Reviewed {
        let hearing = Hearing::new(self, case.asker, case.memory);
        let via = case.operation.target.uid(case.operation.server);
        let nothing = Expects::default();
        let mut reviewed = Reviewed::default();
        if case.operation.method == LISTEN && case.memory.is_away {
            reviewed.withheld = Some(Withheld::Full);
            return reviewed;
        }
        for (place, telling) in hearing.reviewed_tellings(case.operation).into_iter().enumerate() {
            let mut basis = Basis::default();
            let question = Question::Result;
            let mut judge = FactJudge::new(&hearing, &via, &mut basis).asking(question);
            let inquiry = hearing.inquiry(case.operation, &telling.arguments);
            let expects = expects.get(place).unwrap_or(&nothing);
            let made = review(&inquiry, telling.rules(), expects, carrier, answer, &mut judge);
            reviewed.take_in(made, basis);
        }
        reviewed.basis.revision = case.asker.world.revision();
        reviewed
    }

    /// What becomes of the history when the server, or whoever stands before it, refuses the case.
    pub fn refused_elsewhere(&self, case: &Case<'_>, source: ShadowSource) -> Vec<Entry> {
        Hearing::new(self, case.asker, case.memory).refused_elsewhere(case.operation, source)
    }
}

impl Hearing<'_> {
    /// What is known of what the operation tells; listening to a server tells what it says beside
    /// its answers, which may be anything that it knows.
    fn reviewed_tellings<'h>(&'h self, operation: &'h Operation<'_>) -> Vec<Telling<'h>> {
        if operation.method != LISTEN {
            return self.tellings(operation);
        }
        let binding = self.policies.bindings.by_itself(operation.server);
        vec![Telling {
            binding: binding.map(AsRef::as_ref),
            guess: Cow::Owned(Guess::everything()),
            arguments: Cow::Borrowed(&Value::Null),
        }]
    }
}

impl Reviewed {
    fn take_in(&mut self, made: Review, basis: Basis) {
        let Review { removed, changed, withheld, disclosed, entries, links, notes } = made;
        self.changed |= changed;
        self.withheld = self.withheld.take().or(withheld);
        self.entries.extend(entries);
        self.links.extend(links);
        self.basis.facts.extend(removed);
        self.basis.disclosed.extend(disclosed);
        self.basis.policies.extend(basis.policies);
        self.basis.shadows.extend(basis.shadows);
        self.basis.shadows.extend(notes.into_iter().map(Into::into));
    }
}
