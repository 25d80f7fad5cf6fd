//! Asks about the facts of an answer, one after the other, each in the light of those before.

use std::collections::{BTreeSet, HashMap};

use kenward_model::{EntityUid, Fact, Timestamp};

use crate::engine::{Inquiry, Judge, Opinion, following};
use crate::history::{Shadow, ShadowSource};

use super::counted::Counted;

/// What was asked about one answer, and what was said.
pub(crate) struct Bench<'a> {
    inquiry: &'a Inquiry<'a>,
    /// The target as the history writes it: `<server>/<tool>`.
    via: &'a str,
    judge: &'a mut dyn Judge,
    /// What is told, by subject.
    told: HashMap<EntityUid, Vec<Fact>>,
    /// What is told and belongs in the ledger whatever reads it.
    always: BTreeSet<Fact>,
    refused: BTreeSet<Fact>,
    /// About how many something is told.
    counted: Counted<'a>,
    notes: BTreeSet<String>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(inquiry: &'a Inquiry<'a>, via: &'a str, judge: &'a mut dyn Judge) -> Self {
        Self {
            inquiry,
            via,
            judge,
            told: HashMap::new(),
            always: BTreeSet::new(),
            refused: BTreeSet::new(),
            counted: Counted::default(),
            notes: BTreeSet::new(),
        }
    }

    /// Whether all of the facts may be told; then they count as told.
    pub(crate) fn permits_all(&mut self, facts: &[Fact]) -> bool {
        // All are asked about, whatever is said of the first: the record is to be complete.
        let mut permitted = true;
        for fact in facts {
            permitted &= self.permits(fact);
        }
        if permitted {
            for fact in facts.iter().filter(|fact| !self.has_told(fact)).collect::<BTreeSet<_>>() {
                self.told.entry(fact.subject.clone()).or_default().push(fact.clone());
                self.counted.note(fact);
            }
        }
        permitted
    }

    /// The facts go into the ledger even if nothing reads them there.
    pub(crate) fn always_keep(&mut self, facts: &[Fact]) {
        self.always.extend(facts.iter().cloned());
    }

    /// Whether policy would permit the fact by itself.
    pub(crate) fn is_learnable(&mut self, fact: &Fact) -> bool {
        self.judge.may_learn(fact, false) == Opinion::Yes
    }

    /// Whether policy would permit that the fact follows.
    pub(crate) fn may_follow(&mut self, fact: &Fact) -> bool {
        self.judge.may_learn(fact, true) == Opinion::Yes
    }

    pub(crate) fn judge(&mut self) -> &mut dyn Judge {
        self.judge
    }

    /// Whether the subject is the person.
    pub(crate) fn is_own(&self, subject: &EntityUid) -> bool {
        let inquiry = self.inquiry;
        inquiry.inferences.is_own(inquiry.world, inquiry.person, subject)
    }

    pub(crate) fn refused(&self) -> &BTreeSet<Fact> {
        &self.refused
    }

    /// Everything that is told, and whether it belongs in the ledger whatever reads it.
    pub(crate) fn told(&self) -> impl Iterator<Item = (&Fact, bool)> {
        self.told.values().flatten().map(|fact| (fact, self.always.contains(fact)))
    }

    pub(crate) fn into_notes(self) -> Vec<String> {
        self.notes.into_iter().collect()
    }

    fn has_told(&self, fact: &Fact) -> bool {
        self.told.get(&fact.subject).is_some_and(|told| told.contains(fact))
    }

    /// Each question is answered once, however many rows repeat it.
    fn permits(&mut self, fact: &Fact) -> bool {
        if self.has_told(fact) {
            return true;
        }
        if self.refused.contains(fact) {
            return false;
        }
        let permitted = self.ask(fact);
        if !permitted {
            self.refused.insert(fact.clone());
        }
        permitted
    }

    fn ask(&mut self, fact: &Fact) -> bool {
        if self.is_own(&fact.subject) {
            return self.judge.may_learn(fact, false) != Opinion::No;
        }
        !self.is_shadowed(fact)
            && self.judge.may_learn(fact, false) == Opinion::Yes
            && self.permits_what_follows(fact)
            && !self.is_over_budget(fact)
    }

    /// Whether somebody else than our policies has refused it before, and that still stands.
    fn is_shadowed(&mut self, fact: &Fact) -> bool {
        if !self.inquiry.settings.shadows {
            return false;
        }
        let history = self.inquiry.history;
        let standing: Vec<&Shadow> = history
            .shadows(self.inquiry.now)
            .filter(|shadow| shadow.subject.as_ref() == Some(&fact.subject))
            .filter(|shadow| shadow.family == fact.family)
            .collect();
        standing.into_iter().any(|shadow| self.stands_against(shadow))
    }

    fn stands_against(&mut self, shadow: &Shadow) -> bool {
        match shadow.source {
            ShadowSource::Policy | ShadowSource::Hidden | ShadowSource::Unresolved => false,
            ShadowSource::Upstream => !shadow.tools.iter().any(|tool| &**tool == self.via),
            ShadowSource::Approval => {
                shadow.fact.as_ref().is_none_or(|fact| !self.is_learnable(fact))
            }
        }
    }

    /// Whether all may be known that follows from the fact, alone or with what is known already
    /// and what this answer has told before it.
    fn permits_what_follows(&mut self, fact: &Fact) -> bool {
        let subject = &fact.subject;
        let told = self.told.get(subject).into_iter().flatten();
        let told: Vec<&Fact> = told.chain([fact]).collect();
        let follows = following(self.inquiry, subject, &told);
        let mut permitted = true;
        for derived in follows {
            if self.judge.may_learn(&derived.fact, true) == Opinion::Yes {
                continue;
            }
            if derived.enforced {
                permitted = false;
            } else {
                self.notes.insert(format!(
                    "{} would have refused `{}` of {subject}",
                    derived.rule, fact.attribute
                ));
            }
        }
        permitted
    }

    /// Whether the fact would be about one subject more than the budget of its family has.
    fn is_over_budget(&mut self, fact: &Fact) -> bool {
        let inquiry = self.inquiry;
        let Some(budget) = inquiry.inferences.families.budget(&fact.family) else { return false };
        if !self.counted.may_reach(inquiry.history, &fact.family, budget.subjects) {
            return false;
        }
        if inquiry.history.is_granted(&fact.subject, &fact.family, inquiry.now)
            || inquiry.history.knows(fact)
        {
            return false;
        }
        let window = i64::try_from(budget.within.as_micros()).unwrap_or(i64::MAX);
        let since = Timestamp::from_micros(inquiry.now.as_micros().saturating_sub(window));
        self.counted.goes_beyond(inquiry.history, fact, since, budget.subjects)
    }
}
