//! Figures over many subjects: none that is about few of them, by itself or beside earlier ones.

use std::sync::Arc;

use serde_json::Value;

use crate::filter::AggregateRule;
use crate::history::{Answered, Entry, Term};

use super::terms::terms;
use super::{Reviewer, Withheld};

/// How many ways of putting earlier answers together are tried.
const MOST_TRIED: usize = 20_000;

impl Reviewer<'_> {
    /// Whether the figure in the document may be told; if so, that it was.
    pub(super) fn check_figure(&mut self, document: &Value) -> Result<(), Withheld> {
        let Some(rule) = &self.results.aggregate else { return Ok(()) };
        let count = count(rule, document)?;
        let attribute = Arc::clone(&rule.fact.attribute);
        let terms = terms(self.inquiry, &rule.filter);
        let answered = Answered { attribute, via: Arc::clone(&self.via), terms, count };
        let earlier: Vec<&Answered> = self.inquiry.history.answered(&answered.attribute).collect();
        if is_about_few(&answered, &earlier, u64::from(rule.k)) {
            return Err(Withheld::Few);
        }
        let is_known = |old: &&Answered| old.terms == answered.terms && old.count == answered.count;
        if !earlier.iter().any(is_known) {
            self.figures.push(Entry::Answered(answered));
        }
        Ok(())
    }
}

/// The number of subjects; of several groups, their sum when each is large enough.
fn count(rule: &AggregateRule, document: &Value) -> Result<u64, Withheld> {
    let missing = || Withheld::Shape { path: Arc::clone(rule.count.text()) };
    let values = rule.count.values(document);
    if values.is_empty() {
        return Err(missing());
    }
    let mut sum = 0_u64;
    for value in values {
        let count = whole(value).ok_or_else(missing)?;
        if count < u64::from(rule.k) {
            return Err(Withheld::Few);
        }
        sum = sum.saturating_add(count);
    }
    Ok(sum)
}

/// The number, when it is whole and not negative.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        let fits = (0.0..1e15).contains(&number) && number.fract().abs() < f64::EPSILON;
        // Through text: there is no checked way from a float to an integer.
        fits.then(|| format!("{number:.0}").parse().ok())?
    })
}

/// Whether the answer, put beside earlier ones, would be about fewer than `k` subjects.
fn is_about_few(ours: &Answered, earlier: &[&Answered], k: u64) -> bool {
    let others: Vec<&Answered> =
        earlier.iter().filter(|old| old.terms != ours.terms).copied().collect();
    let differs = others.iter().any(|old| {
        !are_disjoint(&old.terms, &ours.terms)
            && match old.count.abs_diff(ours.count) {
                0 => are_swapped(&old.terms, &ours.terms),
                difference => difference < k,
            }
    });
    differs || has_small_rest(ours, &others, k)
}

/// Whether no subject can meet both filters: they demand different values of one key.
fn are_disjoint(one: &[Term], other: &[Term]) -> bool {
    let equals = |term: &&Term| term.equals;
    one.iter()
        .filter(equals)
        .any(|a| other.iter().filter(equals).any(|b| a.key == b.key && a.condition != b.condition))
}

/// Whether both filters say different things of one key: of as many subjects, some may be others.
fn are_swapped(one: &[Term], other: &[Term]) -> bool {
    one.iter().any(|a| other.iter().any(|b| a.key == b.key && a.condition != b.condition))
}

/// Whether everybody who meets `narrow` meets `wide`.
fn is_within(narrow: &[Term], wide: &[Term]) -> bool {
    wide.iter().all(|term| narrow.contains(term))
}

/// Whether an answer over more subjects, less answers that have no subject in common, is about few;
/// ours may be the former or one of the latter.
fn has_small_rest(ours: &Answered, others: &[&Answered], k: u64) -> bool {
    let mut tried = 0;
    let parts_of = |whole: &Answered| -> Vec<&Answered> {
        let parts = others.iter().filter(|part| part.terms != whole.terms);
        parts.filter(|part| is_within(&part.terms, &whole.terms)).copied().collect()
    };
    let wholes = others.iter().filter(|whole| is_within(&ours.terms, &whole.terms));
    let as_part = wholes.into_iter().any(|whole| {
        let Some(rest) = whole.count.checked_sub(ours.count) else { return true };
        let parts = parts_of(whole);
        let parts: Vec<_> =
            parts.into_iter().filter(|part| are_disjoint(&part.terms, &ours.terms)).collect();
        Rest { parts: &parts, k, tried: &mut tried }.can_be_small(rest, 0, &mut Vec::new())
    });
    as_part || {
        let parts = parts_of(ours);
        Rest { parts: &parts, k, tried: &mut tried }.can_be_small(ours.count, 0, &mut Vec::new())
    }
}

/// What is left of an answer when parts of it are taken away.
struct Rest<'r> {
    parts: &'r [&'r Answered],
    k: u64,
    tried: &'r mut usize,
}

impl Rest<'_> {
    /// Whether some of the parts from `next` on, disjoint with each other and with `taken`, leave
    /// few. True as well when there are too many ways to try.
    fn can_be_small(&mut self, rest: u64, next: usize, taken: &mut Vec<usize>) -> bool {
        *self.tried += 1;
        if (1..self.k).contains(&rest) || *self.tried > MOST_TRIED {
            return true;
        }
        for (index, part) in self.parts.iter().enumerate().skip(next) {
            let fits = taken.iter().all(|taken| {
                self.parts.get(*taken).is_some_and(|taken| are_disjoint(&taken.terms, &part.terms))
            });
            let Some(left) = rest.checked_sub(part.count).filter(|_| fits) else { continue };
            taken.push(index);
            if self.can_be_small(left, index + 1, taken) {
                return true;
            }
            taken.pop();
        }
        false
    }
}
