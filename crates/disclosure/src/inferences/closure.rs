//! What follows from what is known of one subject.

use kenward_model::{EntityUid, Fact, Precision};
use std::sync::Arc;

use super::{Derived, Inferences, Rule};

/// An attribute of one subject that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'k> {
    pub(crate) attribute: &'k str,
    pub(crate) precision: Precision,
    /// The number of different answers that told it.
    pub(crate) answers: u32,
}

/// Which conclusions are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that are not known at that precision or finer.
    New,
    /// Those as well that are.
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    Enforced,
    All,
}

/// What is known of the attributes that rules speak of, by their numbers.
#[derive(Clone)]
struct State {
    held: Vec<Held>,
    /// Whether each rule has to be looked at.
    due: Vec<bool>,
    first_due: usize,
}

#[derive(Clone, Copy, Default)]
struct Held {
    finest: Option<Precision>,
    answers: u32,
}

impl Held {
    fn is_within(self, precision: Precision) -> bool {
        self.finest.is_some_and(|finest| finest <= precision)
    }
}

impl Inferences {
    /// What follows about `subject`: what is not known at that precision or finer, or whatever
    /// follows at all.
    pub(crate) fn derive<'k>(
        &self,
        subject: &EntityUid,
        known: impl Iterator<Item = Known<'k>>,
        which: Which,
    ) -> Vec<Derived> {
        let Some(state) = self.state(known) else { return Vec::new() };
        let run = |state, rules| self.run(state, subject, rules, which);
        if !self.on_paper {
            return run(state, Rules::Enforced).0;
        }
        let (mut derived, enforced) = run(state.clone(), Rules::Enforced);
        let (all, _) = run(state, Rules::All);
        let is_enforced = |fact: &Fact| {
            let number = self.numbers.get(&fact.attribute);
            let held = number.and_then(|number| enforced.held.get(*number));
            held.is_some_and(|held| held.is_within(fact.precision))
        };
        let on_paper = all.into_iter().filter(|derived| !is_enforced(&derived.fact));
        derived.extend(on_paper.map(|derived| Derived { enforced: false, ..derived }));
        derived
    }

    /// What is known to begin with; nothing when no rule needs any of it.
    fn state<'k>(&self, known: impl Iterator<Item = Known<'k>>) -> Option<State> {
        let mut state: Option<State> = None;
        for known in known {
            let Some(number) = self.numbers.get(known.attribute) else { continue };
            let state = state.get_or_insert_with(|| State {
                held: vec![Held::default(); self.attributes.len()],
                due: vec![false; self.rules.len()],
                first_due: self.rules.len(),
            });
            self.hold(state, *number, known.precision, known.answers);
        }
        state.filter(|state| state.first_due < self.rules.len())
    }

    fn hold(&self, state: &mut State, number: usize, precision: Precision, answers: u32) {
        if let Some(held) = state.held.get_mut(number) {
            held.finest = Some(held.finest.map_or(precision, |finest| finest.min(precision)));
            held.answers = held.answers.saturating_add(answers);
        }
        let needed_by = self.attributes.get(number).into_iter().flat_map(|a| &a.needed_by);
        for rule in needed_by {
            state.first_due = state.first_due.min(*rule);
            state.due.get_mut(*rule).into_iter().for_each(|due| *due = true);
        }
    }

    /// Looks at each rule once at most: what a rule needs is derived by rules before it.
    fn run(
        &self,
        mut state: State,
        subject: &EntityUid,
        rules: Rules,
        which: Which,
    ) -> (Vec<Derived>, State) {
        let mut derived = Vec::new();
        for (index, rule) in self.rules.iter().enumerate().skip(state.first_due) {
            let is_meant = rule.enforced || rules == Rules::All;
            let is_due = state.due.get(index) == Some(&true) && is_meant;
            if !is_due || !rule.fires(subject, &state.held) {
                continue;
            }
            let held = state.held.get(rule.attribute).copied().unwrap_or_default();
            let is_new = !held.is_within(rule.precision);
            if is_new || which == Which::Any {
                derived.extend(self.derived(rule, subject));
            }
            if is_new {
                // It is known by one answer more only if no answer has told it so far.
                let answers = u32::from(held.answers == 0);
                self.hold(&mut state, rule.attribute, rule.precision, answers);
            }
        }
        (derived, state)
    }

    pub(super) fn derived(&self, rule: &Rule, subject: &EntityUid) -> Option<Derived> {
        let attribute = self.attributes.get(rule.attribute)?;
        let premises = rule.premises.iter().filter_map(|(number, _)| self.attributes.get(*number));
        Some(Derived {
            fact: Fact {
                subject: subject.clone(),
                attribute: Arc::clone(&attribute.name),
                family: Arc::clone(&attribute.family),
                precision: rule.precision,
            },
            rule: Arc::clone(&rule.name),
            premises: premises.map(|attribute| Arc::clone(&attribute.name)).collect(),
            enforced: true,
        })
    }
}

impl Rule {
    fn fires(&self, subject: &EntityUid, held: &[Held]) -> bool {
        if self.of.as_ref().is_some_and(|of| *of != subject.kind) {
            return false;
        }
        let answers = |(number, coarsest): &(usize, Precision)| {
            let held = held.get(*number).copied().unwrap_or_default();
            if held.is_within(*coarsest) { held.answers } else { 0 }
        };
        match self.distinct {
            None => self.premises.iter().all(|premise| answers(premise) > 0),
            Some(enough) => {
                self.premises.iter().map(answers).fold(0, u32::saturating_add) >= enough
            }
        }
    }
}
