//! What an answer makes of the history.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use kenward_model::{EntityUid, Fact};

use crate::history::{Entry, Learnt, MOST_ANSWERS, MOST_LEARNT, Shadow, ShadowSource};
use crate::recognise::How;
use crate::subject::{Because, Disclosed};

use super::{Carrier, Review, Reviewer, Withheld};

/// The most shadows that one answer casts.
const MOST_CAST: usize = 64;
/// How many rows are asked about, at least, before it is given up to make room.
const MOST_ASKED: usize = 1_000;

impl Reviewer<'_> {
    /// The account of an answer that is released, provided that the ledger has room for it.
    pub(super) fn told(&mut self, carrier: Carrier) -> Review {
        // That somebody can be typed tells nothing of them but that they may be asked about.
        if carrier == Carrier::Completion {
            return Review { changed: self.changed, ..Review::default() };
        }
        let mut told: Vec<(Fact, bool)> =
            self.bench.told().map(|(fact, always)| (fact.clone(), always)).collect();
        if self.on_paper {
            told.extend(self.bench.refused().iter().map(|fact| (fact.clone(), false)));
        }
        told.sort();
        let kept = told.iter().filter(|(fact, always)| *always || self.is_kept(fact));
        let learnt: Vec<Learnt> = kept
            .filter(|(fact, _)| self.is_news(fact))
            .map(|(fact, _)| self.learnt(fact.clone()))
            .collect();
        let Some(mut entries) = self.room_for(&learnt) else {
            return self.withheld(Withheld::Full);
        };
        entries.extend(learnt.into_iter().map(Entry::Learnt));
        entries.append(&mut self.figures);
        let disclosed = told.into_iter().map(|(fact, _)| disclosed(fact)).collect();
        Review { changed: self.changed, disclosed, entries, ..Review::default() }
    }

    /// The account of an answer of which nothing is released.
    pub(super) fn withheld(&self, withheld: Withheld) -> Review {
        let mut entries = Vec::new();
        if self.turned_away && self.inquiry.settings.shadows {
            let mut goals = BTreeSet::new();
            let refused = self.bench.refused().iter();
            let others = refused.filter(|fact| !self.bench.is_own(&fact.subject));
            let new = others.filter(|fact| goals.insert((&fact.subject, &fact.family)));
            entries.extend(new.take(MOST_CAST).map(|fact| Entry::Refused(self.shadow(fact))));
        }
        Review { changed: true, withheld: Some(withheld), entries, ..Review::default() }
    }

    pub(super) fn learnt(&self, fact: Fact) -> Learnt {
        let inquiry = self.inquiry;
        Learnt {
            fact,
            first: inquiry.now,
            last: inquiry.now,
            via: Arc::clone(&self.via),
            decision: inquiry.decision,
            answers: vec![inquiry.answer],
        }
    }

    /// Whether the history does not have this very answer to the fact. What is reserved for other
    /// calls may be undone.
    pub(super) fn is_news(&self, fact: &Fact) -> bool {
        let inquiry = self.inquiry;
        let has_it = |row: &Learnt| {
            let answers = &row.answers;
            row.fact.covers(fact)
                && (answers.contains(&inquiry.answer) || answers.len() >= MOST_ANSWERS)
        };
        let own = inquiry.history.reserved_for(inquiry.decision);
        inquiry.settings.ledger && !inquiry.history.released(&fact.subject).chain(own).any(has_it)
    }

    /// Whether anything reads the fact in the ledger.
    fn is_kept(&self, fact: &Fact) -> bool {
        let inferences = self.inquiry.inferences;
        inferences.is_read(&fact.attribute) || inferences.families.budget(&fact.family).is_some()
    }

    /// What has to be given up so that the rows find room; nothing when there is none. Only what
    /// policy permits anyway, with all that could ever follow from it, is given up, the oldest first.
    fn room_for(&mut self, learnt: &[Learnt]) -> Option<Vec<Entry>> {
        let history = self.inquiry.history;
        let is_row = |new: &&Learnt| {
            history.released(&new.fact.subject).all(|row| row.fact.attribute != new.fact.attribute)
        };
        let rows = history.rows_with_reserved() + learnt.iter().filter(is_row).count();
        let surplus = rows.saturating_sub(MOST_LEARNT);
        if surplus == 0 || learnt.is_empty() {
            return Some(Vec::new());
        }
        let told: HashSet<&EntityUid> = learnt.iter().map(|new| &new.fact.subject).collect();
        let mut old: Vec<&Learnt> =
            history.ledger().filter(|row| !told.contains(&row.fact.subject)).collect();
        old.sort_unstable_by(|a, b| (a.last, &a.fact).cmp(&(b.last, &b.fact)));
        let mut forgotten = Vec::new();
        for row in old.into_iter().take(surplus.saturating_mul(2).max(MOST_ASKED)) {
            if forgotten.len() == surplus {
                break;
            }
            if self.may_be_forgotten(row) {
                let (subject, attribute) =
                    (row.fact.subject.clone(), Arc::clone(&row.fact.attribute));
                forgotten.push(Entry::Forgotten(subject, attribute));
            }
        }
        (forgotten.len() == surplus).then_some(forgotten)
    }

    fn may_be_forgotten(&mut self, row: &Learnt) -> bool {
        let inferences = self.inquiry.inferences;
        let fact = &row.fact;
        let counts = inferences
            .families
            .budget(&fact.family)
            .is_some_and(|budget| self.inquiry.now.since(row.first) <= budget.within);
        !counts
            && self.bench.is_learnable(fact)
            && inferences
                .reachable(&fact.subject, &fact.attribute)
                .iter()
                .all(|fact| self.bench.may_follow(fact))
    }

    fn shadow(&self, fact: &Fact) -> Shadow {
        let inquiry = self.inquiry;
        Shadow {
            subject: Some(fact.subject.clone()),
            family: Arc::clone(&fact.family),
            fact: Some(fact.clone()),
            source: ShadowSource::Policy,
            cast: inquiry.now,
            expires: inquiry.now.plus(inquiry.settings.policy_shadow),
            decision: inquiry.decision,
            tools: vec![Arc::clone(&self.via)],
        }
    }
}

fn disclosed(fact: Fact) -> Disclosed {
    let because = Because { parameter: "$".into(), span: None, name: None, how: How::InResult };
    Disclosed { fact, because }
}
