//! Budgets: about how many people something of a family may become known in a while.

use std::collections::BTreeSet;
use std::sync::Arc;

use kenward_model::{EntityUid, Fact, Timestamp};

use super::hearing::Hearing;
use super::{AskReason, Stop, Why};
use crate::families::{Budget, OverBudget};

impl Hearing<'_, '_> {
    /// Whether what the call tells goes beyond a budget.
    pub(super) fn check_budgets(&mut self) -> Result<(), Box<Stop>> {
        if !self.inquiry.settings.ledger {
            return Ok(());
        }
        let inferences = self.inquiry.inferences;
        let mut families: Vec<Arc<str>> =
            self.kept.iter().map(|fact| Arc::clone(&fact.family)).collect();
        families.sort_unstable();
        families.dedup();
        for family in families {
            if let Some(budget) = inferences.families.budget(&family) {
                self.check_budget(&family, budget)?;
            }
        }
        Ok(())
    }

    fn check_budget(&mut self, family: &Arc<str>, budget: &Budget) -> Result<(), Box<Stop>> {
        let history = self.inquiry.history;
        if history.most_subjects(family) + self.kept.len() <= budget.subjects {
            return Ok(());
        }
        let is_news = |fact: &&Fact| fact.family == *family && !history.knows(fact);
        let mut new: Vec<EntityUid> =
            self.kept.iter().filter(is_news).map(|fact| fact.subject.clone()).collect();
        new.sort_unstable();
        new.dedup();
        new.retain(|subject| !self.is_own(subject));
        if new.is_empty() {
            return Ok(());
        }
        let within = i64::try_from(budget.within.as_micros()).unwrap_or(i64::MAX);
        let since = Timestamp::from_micros(self.inquiry.now.as_micros().saturating_sub(within));
        let mut counted: BTreeSet<EntityUid> =
            history.subjects_since(family, since).cloned().collect();
        counted.retain(|subject| !self.is_own(subject));
        new.retain(|subject| !counted.contains(subject));
        if new.is_empty() || counted.len() + new.len() <= budget.subjects {
            return Ok(());
        }
        let family = Some(Arc::clone(family));
        match budget.then {
            OverBudget::Refuse => {
                let subject = new.into_iter().next();
                Err(Box::new(Stop { why: Why::Budget, inferred: true, subject, family }))
            }
            OverBudget::Ask => {
                let granted = |subject: &EntityUid| {
                    family.as_ref().is_some_and(|family| self.is_granted(subject, family))
                };
                let Some(subject) = new.into_iter().find(|subject| !granted(subject)) else {
                    return Ok(());
                };
                let why = Why::Ask(AskReason::Budget);
                Err(Box::new(Stop { why, inferred: true, subject: Some(subject), family }))
            }
        }
    }
}
