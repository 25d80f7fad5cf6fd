//! Room in the ledger, and the reservation of what a call would tell.

use std::sync::Arc;

use kenward_model::{EntityUid, Fact};

use super::hearing::Hearing;
use super::{Stop, Why};
use crate::history::{Entry, Learnt, MOST_ANSWERS, MOST_LEARNT};

/// How many rows are given up at once, so that not every call has to look for some.
const SPARE: usize = MOST_LEARNT / 50;
/// How many rows are asked about before it is given up.
const MOST_ASKED: usize = 1_000;

impl Hearing<'_, '_> {
    /// Reserves what the call tells: it counts as known from now on.
    pub(super) fn reserve(&mut self) -> Result<(), Box<Stop>> {
        let news = self.news();
        let rows = self.inquiry.history.rows_with_reserved().saturating_add(news.len());
        let surplus = rows.saturating_sub(MOST_LEARNT);
        if surplus > 0 && !news.is_empty() {
            let forgotten = self.forgettable(surplus.saturating_add(SPARE));
            if forgotten.len() < surplus {
                let subject = news.first().map(|learnt| learnt.fact.subject.clone());
                let family = news.first().map(|learnt| Arc::clone(&learnt.fact.family));
                return Err(Box::new(Stop { why: Why::Full, inferred: true, subject, family }));
            }
            self.made.entries.extend(forgotten);
        }
        self.keep(news);
        Ok(())
    }

    /// Reserves what is told in spite of a stop that decides on paper only.
    pub(super) fn reserve_without_room(&mut self) {
        let news = self.news();
        self.keep(news);
    }

    fn keep(&mut self, news: Vec<Learnt>) {
        if !news.is_empty() {
            self.made.entries.push(Entry::Reserved(self.inquiry.decision, news));
        }
    }

    /// What the ledger does not have yet, of this answer.
    fn news(&self) -> Vec<Learnt> {
        let inquiry = self.inquiry;
        if !inquiry.settings.ledger {
            return Vec::new();
        }
        let via: Arc<str> = self.via().into();
        let has_it = |row: &Learnt, fact: &Fact| {
            row.fact.covers(fact)
                && (row.answers.contains(&inquiry.answer) || row.answers.len() >= MOST_ANSWERS)
        };
        // What is reserved for other calls may be undone.
        let is_news = |fact: &&Fact| {
            let own = inquiry.history.reserved_for(inquiry.decision);
            !inquiry.history.released(&fact.subject).chain(own).any(|row| has_it(row, fact))
        };
        let learnt = |fact: &Fact| Learnt {
            fact: fact.clone(),
            first: inquiry.now,
            last: inquiry.now,
            via: Arc::clone(&via),
            decision: inquiry.decision,
            answers: vec![inquiry.answer],
        };
        self.kept.iter().filter(is_news).map(learnt).collect()
    }

    /// The oldest rows that policy permits anyway, with all that they could ever lead to: whatever
    /// is derived later, it is permitted whether they are remembered or not.
    fn forgettable(&mut self, wanted: usize) -> Vec<Entry> {
        let mut rows: Vec<&Learnt> = self.inquiry.history.ledger().collect();
        rows.sort_unstable_by(|a, b| (a.last, &a.fact).cmp(&(b.last, &b.fact)));
        let mut forgotten = Vec::new();
        for row in rows.into_iter().take(MOST_ASKED) {
            if forgotten.len() >= wanted {
                break;
            }
            if self.may_be_forgotten(row) {
                let (subject, attribute) =
                    (row.fact.subject.clone(), Arc::clone(&row.fact.attribute));
                forgotten.push(Entry::Forgotten(subject, attribute));
            }
        }
        forgotten
    }

    fn may_be_forgotten(&mut self, row: &Learnt) -> bool {
        let fact = &row.fact;
        if self.is_in_hand(&fact.subject) || self.counts_in_a_budget(row) {
            return false;
        }
        if !self.permits(fact, false) {
            return false;
        }
        let follows = self.inquiry.inferences.reachable(&fact.subject, &fact.attribute);
        follows.iter().all(|fact| self.permits(fact, true))
    }

    /// Whether this call tells something about the subject.
    fn is_in_hand(&self, subject: &EntityUid) -> bool {
        self.asked.iter().any(|fact| fact.subject == *subject)
    }

    fn counts_in_a_budget(&self, row: &Learnt) -> bool {
        let budget = self.inquiry.inferences.families.budget(&row.fact.family);
        budget.is_some_and(|budget| {
            let age = self.inquiry.now.since(row.first);
            age <= budget.within || row.first > self.inquiry.now
        })
    }
}
