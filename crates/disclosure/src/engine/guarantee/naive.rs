//! An evaluator of the guarantee that knows nothing of the engine: it derives until nothing is new,
//! rule by rule, from the facts that were released.

use std::collections::{BTreeMap, BTreeSet};

use super::{ATTRIBUTES, SUBJECTS};

/// An inference.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) then: usize,
    pub(super) precision: u8,
    /// Attributes, and the coarsest step that is enough.
    pub(super) premises: Vec<(usize, Option<u8>)>,
    pub(super) distinct: Option<u32>,
}

/// What is known of an attribute: the finest step, and by which answers.
type Known = BTreeMap<usize, (u8, BTreeSet<u64>)>;

/// Policy, and what was released so far.
#[derive(Debug, Clone)]
pub(super) struct World {
    rules: Vec<Rule>,
    /// For each subject and attribute, below which step it is refused.
    below: Vec<[u8; ATTRIBUTES]>,
    released: Vec<Known>,
    /// How often policy has changed.
    pub(super) version: u64,
}

impl World {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        let (below, released) = (vec![[0; ATTRIBUTES]; SUBJECTS], vec![Known::new(); SUBJECTS]);
        Self { rules, below, released, version: 0 }
    }

    pub(super) fn refuse(&mut self, subject: usize, attribute: usize, below: u8) {
        self.below[subject][attribute] = below;
        self.version += 1;
    }

    pub(super) fn is_refused(&self, subject: usize, attribute: usize, precision: u8) -> bool {
        precision < self.below[subject][attribute]
    }

    /// Takes an answer as released, and says what was wrong with that.
    pub(super) fn release(
        &mut self,
        subject: usize,
        told: &[(usize, u8)],
        answer: u64,
    ) -> Result<(), String> {
        let mut alone = Known::new();
        let before = self.closure(&self.released[subject]);
        for (attribute, precision) in told {
            learn(&mut alone, *attribute, *precision, answer);
            learn(&mut self.released[subject], *attribute, *precision, answer);
        }
        for (attribute, (precision, _)) in &self.closure(&alone) {
            if self.is_refused(subject, *attribute, *precision) {
                return Err(format!("repeats {attribute} at {precision} of {subject}"));
            }
        }
        for (attribute, (precision, _)) in &self.closure(&self.released[subject]) {
            let was_there = before.get(attribute).is_some_and(|(held, _)| held <= precision);
            if !was_there && self.is_refused(subject, *attribute, *precision) {
                return Err(format!("adds {attribute} at {precision} of {subject}"));
            }
        }
        Ok(())
    }

    fn closure(&self, known: &Known) -> Known {
        let mut all = known.clone();
        loop {
            let before: Vec<(usize, u8)> = all.iter().map(|(a, (p, _))| (*a, *p)).collect();
            let firing: Vec<&Rule> = self.rules.iter().filter(|rule| fires(rule, &all)).collect();
            for rule in firing {
                conclude(&mut all, rule);
            }
            let after: Vec<(usize, u8)> = all.iter().map(|(a, (p, _))| (*a, *p)).collect();
            if before == after {
                return all;
            }
        }
    }
}

/// Known by an inference is known by one answer.
fn conclude(known: &mut Known, rule: &Rule) {
    match known.get_mut(&rule.then) {
        Some((held, _)) => *held = (*held).min(rule.precision),
        None => learn(known, rule.then, rule.precision, u64::MAX),
    }
}

fn learn(known: &mut Known, attribute: usize, precision: u8, answer: u64) {
    let (held, answers) = known.entry(attribute).or_insert((precision, BTreeSet::new()));
    *held = (*held).min(precision);
    answers.insert(answer);
}

fn fires(rule: &Rule, known: &Known) -> bool {
    let answers = |(attribute, coarsest): &(usize, Option<u8>)| {
        let (held, answers) = known.get(attribute)?;
        coarsest.is_none_or(|coarsest| *held <= coarsest).then_some(answers.len())
    };
    let counts: Vec<Option<usize>> = rule.premises.iter().map(answers).collect();
    match rule.distinct {
        None => counts.iter().all(Option::is_some),
        Some(enough) => {
            counts.into_iter().flatten().sum::<usize>() >= usize::try_from(enough).unwrap()
        }
    }
}
