//! The index of aliases: which entities a normalised text names.

mod base;
mod keys;

use std::sync::Arc;

use kenward_model::EntityUid;

use crate::Map;
use crate::entities::Rows;
use crate::entity::Entity;
use crate::record::MOST_ALIAS_WORDS;
use crate::words::tokens;
use base::Base;
pub(crate) use keys::{is_named, keys};

/// Every id and alias in normal form, with the lengths of the longer names that a word begins.
///
/// Almost all of it is a base that never changes, which snapshots share. A text whose entities are
/// others now stands beside it with all of them, so that a change costs the same in any directory.
///
/// The base of a million customers with an id and three aliases each takes 43 MiB, and that of the
/// texts derived from them 25 MiB (measured by `three_million_aliases`).
#[derive(Clone, Default)]
pub(crate) struct Names {
    base: Arc<Base>,
    /// Whom a text names, where that is not what the base says.
    changed: Map<Arc<str>, Arc<[EntityUid]>>,
    /// Lengths of longer names by their first word, beside those that the base has.
    words: Map<Arc<str>, Lengths>,
    /// How many names there are of each number of words.
    counts: [u32; MOST_ALIAS_WORDS + 1],
}

/// A set of numbers of words, each from 2 to [`MOST_ALIAS_WORDS`]: a bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lengths(u32);

/// What can begin with one word of a text.
#[derive(Debug, Clone, Copy)]
pub struct Beginning<'w> {
    named: &'w [EntityUid],
    longer: Lengths,
}

impl<'w> Beginning<'w> {
    /// The entities that the word alone names.
    pub fn named(&self) -> &'w [EntityUid] {
        self.named
    }

    /// The numbers of words, each 2 or more, that longer names beginning with this word can have;
    /// the longest first. All that there are, and rarely one of which no name is left.
    pub fn longer(&self) -> impl Iterator<Item = usize> + use<> {
        let longer = self.longer;
        (2..=MOST_ALIAS_WORDS).rev().filter(move |words| longer.contains(*words))
    }
}

impl Lengths {
    fn of(words: usize) -> Self {
        let in_range = (2..=MOST_ALIAS_WORDS).contains(&words);
        Self(if in_range { 1 << words } else { 0 })
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn contains(self, words: usize) -> bool {
        self.0 & (1 << words) != 0
    }
}

impl Names {
    /// The index of all these entities.
    pub(crate) fn of(rows: &Arc<Rows>) -> Self {
        let (base, counts) = Base::of(rows);
        Self { base: Arc::new(base), changed: Map::default(), words: Map::default(), counts }
    }

    pub(crate) fn named(&self, normalised: &str) -> &[EntityUid] {
        match self.changed.get(normalised) {
            Some(changed) => changed,
            None => self.base.named(normalised),
        }
    }

    pub(crate) fn beginning(&self, word: &str) -> Beginning<'_> {
        Beginning { named: self.named(word), longer: self.longer(word) }
    }

    pub(crate) fn longest(&self) -> usize {
        self.counts.iter().rposition(|count| *count > 0).unwrap_or(0)
    }

    /// Takes in that an entity was one thing, or nothing, and is another now, or nothing.
    pub(crate) fn change(&mut self, old: Option<&Entity>, new: Option<&Entity>) {
        let (old_keys, new_keys) =
            (old.map_or_else(Vec::new, keys), new.map_or_else(Vec::new, keys));
        for key in old_keys.iter().filter(|key| !new_keys.contains(key)) {
            if let Some(count) = self.counts.get_mut(tokens(key).len()) {
                *count = count.saturating_sub(1);
            }
            let others =
                self.named(key).iter().filter(|uid| old.is_some_and(|old| old.uid != **uid));
            self.rename(key, others.cloned().collect());
        }
        for key in new_keys.iter().filter(|key| !old_keys.contains(key)) {
            self.note_words(key);
            let new = new.map(|new| new.uid.clone());
            self.rename(key, self.named(key).iter().cloned().chain(new).collect());
        }
    }

    fn rename(&mut self, key: &str, entities: Arc<[EntityUid]>) {
        if *self.base.named(key) == *entities {
            self.changed.remove(key);
        } else if let Some(changed) = self.changed.get_mut(key) {
            *changed = entities;
        } else {
            self.changed.insert(key.into(), entities);
        }
    }

    /// Counts one more name of its length, and notes the length with its first word.
    fn note_words(&mut self, key: &str) {
        let words = tokens(key);
        if let Some(count) = self.counts.get_mut(words.len()) {
            *count = count.saturating_add(1);
        }
        let Some(first) = words.first() else { return };
        let longer = self.longer(first);
        let with = longer.with(Lengths::of(words.len()));
        if with != longer {
            self.words.insert((*first).into(), with);
        }
    }

    /// The memory that the base takes, in bytes.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.base.bytes()
    }

    fn longer(&self, word: &str) -> Lengths {
        let beside = self.words.get(word).copied().unwrap_or_default();
        beside.with(self.base.longer(word))
    }
}

#[cfg(test)]
mod tests;
