//! What one person was told and was refused: the ledger, the shadows and what they have tried.
//!
//! The history belongs to the accountable person, whatever the session, client or node. It is
//! plain data: [`History::apply`] takes one [`Entry`] after the other, and the same entries in the
//! same order, read back from the state, make the same history.

mod entry;
mod sought;

use std::collections::HashMap;
use std::sync::Arc;

use kenward_model::{DecisionId, EntityUid, Fact, Timestamp};
use kenward_world::World;

use crate::recognise::Shadows;

pub(crate) use entry::MOST_ANSWERS;
use sought::Sought;

pub use entry::{Answered, Entry, Granted, Learnt, Shadow, ShadowSource, Term};

/// The most rows of the ledger that are kept of one person.
pub const MOST_LEARNT: usize = 5_000;
/// The most shadows that are kept of one person.
pub const MOST_SHADOWS: usize = 1_000;
/// The most answers of aggregates that are kept of one person.
pub(crate) const MOST_ANSWERED: usize = 1_000;

/// The history of one person.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    ledger: HashMap<EntityUid, Vec<Learnt>>,
    rows: usize,
    /// Of each family, the subjects of its rows, with the latest time at which one was first learnt.
    families: HashMap<Arc<str>, HashMap<EntityUid, Timestamp>>,
    reserved: Vec<(DecisionId, Vec<Learnt>)>,
    shadows: Vec<Shadow>,
    misses: HashMap<(EntityUid, Arc<str>), u32>,
    answered: Vec<Answered>,
    granted: Vec<Granted>,
    /// Whom to look for on account of the shadows, made ready.
    sought: Sought,
}

impl History {
    /// What the person knows about `subject`, released or reserved.
    pub fn known<'h>(&'h self, subject: &'h EntityUid) -> impl Iterator<Item = &'h Learnt> {
        let reserved = self.reserved.iter().flat_map(|(_, learnt)| learnt);
        let reserved = reserved.filter(move |learnt| learnt.fact.subject == *subject);
        self.ledger.get(subject).into_iter().flatten().chain(reserved)
    }

    /// What the person knows about `subject` for sure: what was released.
    pub(crate) fn released<'h>(
        &'h self,
        subject: &EntityUid,
    ) -> impl Iterator<Item = &'h Learnt> + use<'h> {
        self.ledger.get(subject).into_iter().flatten()
    }

    /// What is reserved for `decision`.
    pub(crate) fn reserved_for(&self, decision: DecisionId) -> impl Iterator<Item = &Learnt> {
        let held = self.reserved.iter().filter(move |(held, _)| *held == decision);
        held.flat_map(|(_, learnt)| learnt)
    }

    /// How many rows the ledger would have if everything that is reserved were told.
    pub(crate) fn rows_with_reserved(&self) -> usize {
        let reserved = self.reserved.iter().map(|(_, learnt)| learnt.len());
        reserved.fold(self.rows, usize::saturating_add)
    }

    /// Whether `fact` is known already, at its precision or finer.
    pub fn knows(&self, fact: &Fact) -> bool {
        self.known(&fact.subject).any(|learnt| learnt.fact.covers(fact))
    }

    /// The subjects of which something of `family` was learnt first at or after `since`.
    pub fn subjects_since<'h, 'f>(
        &'h self,
        family: &'f str,
        since: Timestamp,
    ) -> impl Iterator<Item = &'h EntityUid> + use<'h, 'f> {
        let rows = self.families.get(family).into_iter().flatten();
        let released = rows.filter(move |(_, first)| **first >= since).map(|(subject, _)| subject);
        let reserved = self.reserved.iter().flat_map(|(_, learnt)| learnt);
        let reserved =
            reserved.filter(move |row| &*row.fact.family == family && row.first >= since);
        released.chain(reserved.map(|row| &row.fact.subject))
    }

    /// The subjects of which something of `family` is known or reserved, whenever it was learnt: as
    /// many as there are, or more.
    pub(crate) fn most_subjects(&self, family: &str) -> usize {
        let released = self.families.get(family).map_or(0, HashMap::len);
        let reserved = self.reserved.iter().flat_map(|(_, learnt)| learnt);
        released + reserved.filter(|row| &*row.fact.family == family).count()
    }

    /// Whether facts are reserved for `decision`.
    pub fn is_reserved(&self, decision: DecisionId) -> bool {
        self.reserved.iter().any(|(held, _)| *held == decision)
    }

    /// How many rows the ledger has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Every row of the ledger, in no order.
    pub fn ledger(&self) -> impl Iterator<Item = &Learnt> {
        self.ledger.values().flatten()
    }

    /// The shadows that stand at `now`, in the order in which they were cast.
    pub fn shadows(&self, now: Timestamp) -> impl Iterator<Item = &Shadow> {
        self.shadows.iter().filter(move |shadow| shadow.expires > now)
    }

    /// The subjects of some of the shadows, made ready to be looked for in texts.
    pub(crate) fn sought(&self, world: &World, shadows: &[&Shadow]) -> Arc<Shadows> {
        self.sought.of(world, shadows)
    }

    /// How many wrong guesses were made at `attribute` of `subject`.
    pub fn misses(&self, subject: &EntityUid, attribute: &Arc<str>) -> u32 {
        let key = (subject.clone(), Arc::clone(attribute));
        self.misses.get(&key).copied().unwrap_or(0)
    }

    /// The aggregates over `attribute` that were answered.
    pub fn answered<'h>(&'h self, attribute: &'h str) -> impl Iterator<Item = &'h Answered> {
        self.answered.iter().filter(move |answered| &*answered.attribute == attribute)
    }

    /// Whether an approver, or the person themself, has agreed to `family` of `subject` until now.
    pub fn is_granted(&self, subject: &EntityUid, family: &str, now: Timestamp) -> bool {
        self.granted.iter().any(|granted| {
            granted.subject == *subject && &*granted.family == family && granted.until > now
        })
    }

    /// Whether nothing was ever learnt, refused or tried.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes `entry` into the history.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Reserved(decision, learnt) => self.reserved.push((*decision, learnt.clone())),
            Entry::Confirmed(decision) => {
                for learnt in self.take_reserved(*decision) {
                    self.learn(learnt);
                }
            }
            Entry::Undone(decision) => drop(self.take_reserved(*decision)),
            Entry::Learnt(learnt) => self.learn(learnt.clone()),
            Entry::Forgotten(subject, attribute) => self.forget(subject, attribute),
            Entry::Refused(shadow) => self.cast(shadow.clone()),
            Entry::Lifted { subject, family, source } => self.shadows.retain(|shadow| {
                shadow.subject != *subject || shadow.family != *family || shadow.source != *source
            }),
            Entry::Missed { subject, attribute } => {
                let count =
                    self.misses.entry((subject.clone(), Arc::clone(attribute))).or_default();
                *count = count.saturating_add(1);
            }
            Entry::Answered(answered) => {
                self.answered.push(answered.clone());
                drop_oldest(&mut self.answered, MOST_ANSWERED);
            }
            Entry::Granted(granted) => {
                self.granted.retain(|held| {
                    held.subject != granted.subject || held.family != granted.family
                });
                self.granted.push(granted.clone());
            }
        }
    }

    /// The fewest entries that make this history again, without what has ended by `now`.
    pub fn to_entries(&self, now: Timestamp) -> Vec<Entry> {
        let learnt = self.ledger().cloned().map(Entry::Learnt);
        let reserved = self.reserved.iter().cloned();
        let reserved = reserved.map(|(decision, learnt)| Entry::Reserved(decision, learnt));
        let refused = self.shadows(now).cloned().map(Entry::Refused);
        let missed = self.misses.iter().flat_map(|((subject, attribute), count)| {
            (0..*count).map(|_| Entry::Missed {
                subject: subject.clone(),
                attribute: Arc::clone(attribute),
            })
        });
        let answered = self.answered.iter().cloned().map(Entry::Answered);
        let granted = self.granted.iter().filter(|granted| granted.until > now).cloned();
        let told = learnt.chain(reserved).chain(refused);
        told.chain(missed).chain(answered).chain(granted.map(Entry::Granted)).collect()
    }

    fn take_reserved(&mut self, decision: DecisionId) -> Vec<Learnt> {
        let taken = self.reserved.extract_if(.., |(id, _)| *id == decision);
        taken.flat_map(|(_, learnt)| learnt).collect()
    }

    /// Adds a row, or what is new of it to the row of the same attribute.
    fn learn(&mut self, learnt: Learnt) {
        let subject = learnt.fact.subject.clone();
        let rows = self.ledger.entry(subject.clone()).or_default();
        let held = rows.iter_mut().find(|row| row.fact.attribute == learnt.fact.attribute);
        let family = if let Some(row) = held {
            row.merge(learnt);
            Arc::clone(&row.fact.family)
        } else {
            let family = Arc::clone(&learnt.fact.family);
            rows.push(learnt);
            self.rows += 1;
            family
        };
        self.count(&subject, &family);
    }

    /// Counts the subject among those of the family for as long as it has rows of it.
    fn count(&mut self, subject: &EntityUid, family: &Arc<str>) {
        let rows = self.ledger.get(subject).into_iter().flatten();
        let latest = rows.filter(|row| row.fact.family == *family).map(|row| row.first).max();
        if let Some(latest) = latest {
            let subjects = self.families.entry(Arc::clone(family)).or_default();
            subjects.insert(subject.clone(), latest);
        } else if let Some(subjects) = self.families.get_mut(family) {
            subjects.remove(subject);
            if subjects.is_empty() {
                self.families.remove(family);
            }
        }
    }

    fn forget(&mut self, subject: &EntityUid, attribute: &str) {
        if let Some(rows) = self.ledger.get_mut(subject) {
            let gone = rows.extract_if(.., |row| &*row.fact.attribute == attribute);
            let families: Vec<Arc<str>> = gone.map(|row| row.fact.family).collect();
            self.rows = self.rows.saturating_sub(families.len());
            if rows.is_empty() {
                self.ledger.remove(subject);
            }
            for family in &families {
                self.count(subject, family);
            }
        }
    }

    /// Adds a shadow, or what is new of it to the one of the same goal and source.
    fn cast(&mut self, shadow: Shadow) {
        match self.shadows.iter_mut().find(|held| held.is_same_goal(&shadow)) {
            // What has ended by itself counts no more.
            Some(held) if held.expires <= shadow.cast => *held = shadow,
            Some(held) => held.merge(shadow),
            None => {
                self.shadows.push(shadow);
                drop_oldest(&mut self.shadows, MOST_SHADOWS);
            }
        }
    }
}

/// Drops from the front until no more than `most` are left.
fn drop_oldest<T>(items: &mut Vec<T>, most: usize) {
    let surplus = items.len().saturating_sub(most);
    items.drain(..surplus);
}

impl Learnt {
    /// Takes over what is new of `other`, which is about the same attribute.
    fn merge(&mut self, other: Self) {
        self.fact.precision = self.fact.precision.min(other.fact.precision);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.decision = other.decision;
        for answer in other.answers {
            if self.answers.len() < MOST_ANSWERS && !self.answers.contains(&answer) {
                self.answers.push(answer);
            }
        }
    }
}

#[cfg(test)]
mod tests;
