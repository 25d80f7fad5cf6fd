//! The part of the index that never changes: hashes instead of texts, numbers instead of names.

use std::sync::Arc;

use kenward_model::EntityUid;

use super::{Lengths, is_named, keys};
use crate::entities::Rows;
use crate::record::MOST_ALIAS_WORDS;
use crate::table::Table;
use crate::words::tokens;

/// Says that a number is one of a text that several entities have.
const IS_SHARED: u32 = 1 << 31;

/// Which of some rows a text names.
#[derive(Default)]
pub(super) struct Base {
    rows: Arc<Rows>,
    /// By the hash of a text, the number of the one entity that it names or of the shared text.
    table: Table,
    shared: Box<[Shared]>,
    /// By the hash of a word, the lengths of the longer names that begin with it.
    words: Table,
}

/// A text that names several entities.
struct Shared {
    text: Box<str>,
    entities: Box<[EntityUid]>,
}

/// How many names there are of each number of words.
type Counts = [u32; MOST_ALIAS_WORDS + 1];

impl Base {
    pub(super) fn of(rows: &Arc<Rows>) -> (Self, Counts) {
        let mut build = Build::default();
        for (number, entity) in rows.numbered() {
            for key in keys(entity) {
                build.add(rows, number, &key);
            }
        }
        let words = one_of_each(build.words);
        let (table, shared) = by_text(rows, build.names);
        let base = Self { rows: Arc::clone(rows), table, shared, words: Table::new(words) };
        (base, build.counts)
    }

    pub(super) fn named(&self, normalised: &str) -> &[EntityUid] {
        let hash = self.rows.hash().text(normalised);
        // Shared texts first: an entity that has the text beside others may also stand here alone,
        // for another of its names whose hash is the same.
        let shared = self.table.get(hash).filter_map(|number| self.shared(number, normalised));
        let alone = self.table.get(hash).filter_map(|number| self.alone(number, normalised));
        shared.chain(alone).next().unwrap_or_default()
    }

    pub(super) fn longer(&self, word: &str) -> Lengths {
        let found = self.words.get(self.rows.hash().text(word));
        found.fold(Lengths::default(), |all, lengths| all.with(Lengths(lengths)))
    }

    /// The memory that this takes without the rows, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let shared = self
            .shared
            .iter()
            .map(|shared| size_of::<Shared>() + shared.text.len() + size_of_val(&*shared.entities));
        self.table.bytes() + self.words.bytes() + shared.sum::<usize>()
    }

    /// The entities of a shared text, if it is this one.
    fn shared(&self, number: u32, normalised: &str) -> Option<&[EntityUid]> {
        let number = number.checked_sub(IS_SHARED)?;
        let shared = self.shared.get(usize::try_from(number).ok()?)?;
        (*shared.text == *normalised).then_some(&*shared.entities)
    }

    /// The one entity of a number, if the text is a name of it.
    // SECURITY: a hash alone never names anybody; test `colliding_hashes_name_nobody_else`.
    fn alone(&self, number: u32, normalised: &str) -> Option<&[EntityUid]> {
        let entity = self.rows.at(number)?;
        is_named(entity, normalised).then(|| std::slice::from_ref(&entity.uid))
    }
}

#[derive(Default)]
struct Build {
    names: Vec<(u64, u32)>,
    words: Vec<(u64, u32)>,
    counts: Counts,
}

impl Build {
    fn add(&mut self, rows: &Rows, number: u32, key: &str) {
        self.names.push((rows.hash().text(key), number));
        let words = tokens(key);
        if let Some(count) = self.counts.get_mut(words.len()) {
            *count = count.saturating_add(1);
        }
        if let (2.., Some(first)) = (words.len(), words.first()) {
            self.words.push((rows.hash().text(first), Lengths::of(words.len()).0));
        }
    }
}

/// The lengths of each word in one number.
fn one_of_each(mut words: Vec<(u64, u32)>) -> Vec<(u64, u32)> {
    words.sort_unstable();
    words.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 |= next.1;
        }
        same
    });
    words.shrink_to_fit();
    words
}

/// The table of the names, with those apart that several entities have.
fn by_text(rows: &Rows, mut names: Vec<(u64, u32)>) -> (Table, Box<[Shared]>) {
    names.sort_unstable();
    names.dedup();
    let mut pairs = Vec::with_capacity(names.len());
    let mut shared = Vec::new();
    for same in names.chunk_by(|one, other| one.0 == other.0) {
        if let [alone] = same {
            pairs.push(*alone);
        } else {
            share(rows, same, &mut pairs, &mut shared);
        }
    }
    (Table::new(pairs), shared.into())
}

/// Tells the texts of one hash apart.
fn share(rows: &Rows, same: &[(u64, u32)], pairs: &mut Vec<(u64, u32)>, shared: &mut Vec<Shared>) {
    let mut texts = Vec::new();
    for (hash, number) in same {
        let keys = rows.at(*number).map(|entity| keys(entity)).unwrap_or_default();
        let keys = keys.into_iter().filter(|key| rows.hash().text(key) == *hash);
        texts.extend(keys.map(|key| (key, *hash, *number)));
    }
    texts.sort_unstable();
    for group in texts.chunk_by(|one, other| one.0 == other.0) {
        match (group, u32::try_from(shared.len())) {
            ([(text, hash, _), _, ..], Ok(number)) => {
                let uids = group.iter().filter_map(|(_, _, number)| rows.at(*number));
                let entities = uids.map(|entity| entity.uid.clone()).collect();
                shared.push(Shared { text: text.as_str().into(), entities });
                pairs.push((*hash, number | IS_SHARED));
            }
            _ => pairs.extend(group.iter().map(|(_, hash, number)| (*hash, *number))),
        }
    }
}
