//! What the person knows of one subject, and what would follow with more.

use kenward_model::{EntityUid, Fact, Precision};

use super::Inquiry;
use crate::history::Learnt;
use crate::inferences::{Derived, Known, Which};

/// What is known of the attributes of one subject.
#[derive(Debug, Clone, Default)]
pub(crate) struct Knowledge<'k> {
    rows: Vec<Row<'k>>,
}

#[derive(Debug, Clone)]
struct Row<'k> {
    attribute: &'k str,
    precision: Precision,
    /// The different answers that told it.
    answers: Vec<u64>,
}

impl<'k> Knowledge<'k> {
    fn of(learnt: impl Iterator<Item = &'k Learnt>) -> Self {
        let mut knowledge = Self::default();
        for row in learnt {
            knowledge.add(&row.fact.attribute, row.fact.precision, &row.answers);
        }
        knowledge
    }

    fn add(&mut self, attribute: &'k str, precision: Precision, answers: &[u64]) {
        let held = self.rows.iter_mut().find(|row| row.attribute == attribute);
        let Some(row) = held else {
            self.rows.push(Row { attribute, precision, answers: answers.to_vec() });
            return;
        };
        row.precision = row.precision.min(precision);
        for answer in answers {
            if !row.answers.contains(answer) {
                row.answers.push(*answer);
            }
        }
    }

    fn covers(&self, fact: &Fact) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|row| row.attribute == &*fact.attribute && row.precision <= fact.precision)
    }

    fn derive(&self, inquiry: &Inquiry<'_>, subject: &EntityUid, which: Which) -> Vec<Derived> {
        let known = self.rows.iter().map(|row| Known {
            attribute: row.attribute,
            precision: row.precision,
            answers: u32::try_from(row.answers.len()).unwrap_or(u32::MAX).max(1),
        });
        inquiry.inferences.derive(subject, known, which)
    }
}

/// What policy has to be asked about because it would follow, when the answer to the inquiry tells
/// `told` about `subject`: all that follows from it alone, and what follows together with what is
/// known or reserved and did not follow from what was released before.
///
/// What is reserved counts as known among the premises, and not among the conclusions: it may be
/// undone, and what would follow from this answer as well would then be new.
pub(crate) fn following(
    inquiry: &Inquiry<'_>,
    subject: &EntityUid,
    told: &[&Fact],
) -> Vec<Derived> {
    if !told.iter().any(|fact| inquiry.inferences.is_read(&fact.attribute)) {
        return Vec::new();
    }
    let answer = [inquiry.answer];
    let mut alone = Knowledge::default();
    for fact in told {
        alone.add(&fact.attribute, fact.precision, &answer);
    }
    let mut follows = alone.derive(inquiry, subject, Which::New);
    if !inquiry.settings.ledger {
        return follows;
    }
    let mut with = Knowledge::of(inquiry.history.known(subject));
    if with.rows.is_empty() {
        return follows;
    }
    for fact in told {
        with.add(&fact.attribute, fact.precision, &answer);
    }
    let released = Knowledge::of(inquiry.history.released(subject));
    let before = released.derive(inquiry, subject, Which::New);
    let is_new = |fact: &Fact| {
        !released.covers(fact)
            && !told.iter().any(|told| told.covers(fact))
            && !before.iter().any(|held| held.enforced && held.fact.covers(fact))
    };
    // Nor does what is reserved hide a conclusion.
    for derived in with.derive(inquiry, subject, Which::Any) {
        let is_there = follows
            .iter()
            .any(|held| held.fact == derived.fact && (held.enforced || !derived.enforced));
        if is_new(&derived.fact) && !is_there {
            follows.push(derived);
        }
    }
    follows
}
