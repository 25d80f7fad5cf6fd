//! A compact table from hashes to numbers that never changes once it is built.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use kenward_model::EntityUid;

/// Numbers by the hash of what they stand for: eight bytes for each, and about one more.
///
/// It may give numbers of other hashes, so whoever asks checks what a number stands for.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// How far a hash is shifted to the right to give its bucket.
    shift: u32,
    /// Where each bucket begins in `rows`; last, where the last one ends.
    starts: Box<[u32]>,
    /// By bucket, mark and number.
    rows: Box<[Row]>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    /// The low bits of the hash.
    mark: u32,
    number: u32,
}

/// How many rows a bucket has on average, at the least; at most twice as many.
const PER_BUCKET: usize = 4;

impl Table {
    /// The table of these hashes and numbers.
    pub(crate) fn new(mut pairs: Vec<(u64, u32)>) -> Self {
        let bits = (pairs.len() / PER_BUCKET).max(1).ilog2();
        let shift = u64::BITS - bits;
        pairs.sort_unstable_by_key(|(hash, number)| (bucket(*hash, shift), mark(*hash), *number));
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for (at, (hash, _)) in (0..).zip(&pairs) {
            while starts.len() <= bucket(*hash, shift) {
                starts.push(at);
            }
        }
        starts.resize((1 << bits) + 1, u32::try_from(pairs.len()).unwrap_or(u32::MAX));
        let rows = pairs.iter().map(|(hash, number)| Row { mark: mark(*hash), number: *number });
        Self { shift, starts: starts.into(), rows: rows.collect() }
    }

    /// The numbers that may belong to `hash`: all that do, and rarely others.
    pub(crate) fn get(&self, hash: u64) -> impl Iterator<Item = u32> + use<'_> {
        let mark = mark(hash);
        let bucket = self.bucket(hash).unwrap_or_default();
        let first = bucket.partition_point(|row| row.mark < mark);
        let rows = bucket.iter().skip(first).take_while(move |row| row.mark == mark);
        rows.map(|row| row.number)
    }

    /// The memory that this takes, in bytes.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.rows)
    }

    fn bucket(&self, hash: u64) -> Option<&[Row]> {
        let bucket = bucket(hash, self.shift);
        let start = usize::try_from(*self.starts.get(bucket)?).ok()?;
        let end = usize::try_from(*self.starts.get(bucket + 1)?).ok()?;
        self.rows.get(start..end)
    }
}

fn bucket(hash: u64, shift: u32) -> usize {
    usize::try_from(hash.checked_shr(shift).unwrap_or(0)).unwrap_or(usize::MAX - 1)
}

fn mark(hash: u64) -> u32 {
    let [.., a, b, c, d] = hash.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// How this process hashes: with a key of its own, so that nobody can prepare collisions.
#[derive(Debug, Clone)]
pub(crate) struct Keyed {
    state: RandomState,
    /// The bits that count: all of them, but in tests that force collisions.
    used: u64,
}

impl Default for Keyed {
    fn default() -> Self {
        Self { state: RandomState::default(), used: u64::MAX }
    }
}

impl Keyed {
    /// Hashes of which only these bits are ever set.
    #[cfg(test)]
    pub(crate) fn colliding(used: u64) -> Self {
        Self { used, ..Self::default() }
    }

    pub(crate) fn text(&self, text: &str) -> u64 {
        self.state.hash_one(text) & self.used
    }

    pub(crate) fn uid(&self, uid: &EntityUid) -> u64 {
        self.state.hash_one((&*uid.kind, &*uid.id)) & self.used
    }
}

#[cfg(test)]
mod tests;
