//! A quick way to tell most words from those that are looked for.

/// The fewest letters of a word in which a slip is seen through.
pub(super) const SHORTEST: usize = 4;
/// An odd number that spreads bits (Knuth, The Art of Computer Programming 6.4).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// How many bits there are for each thing that is held.
const BITS: usize = 128;
const FEWEST: usize = 1 << 12;
const MOST: usize = 1 << 20;

/// What may be held, as a bit for each of many hashes: it never denies what is there.
#[derive(Debug, Clone, Default)]
pub(super) struct Sieve {
    bits: Box<[u64]>,
    /// How far a hash is moved to the right to be the place of a bit.
    shift: u32,
}

impl Sieve {
    /// An empty sieve for so many things.
    fn for_about(count: usize) -> Self {
        if count == 0 {
            return Self::default();
        }
        let size = count.saturating_mul(BITS).next_power_of_two().clamp(FEWEST, MOST);
        Self { bits: vec![0; size / 64].into(), shift: 64 - size.trailing_zeros() }
    }

    fn place(&self, hash: u64) -> Option<(usize, u64)> {
        let place = hash.wrapping_mul(SPREAD).checked_shr(self.shift)?;
        Some((usize::try_from(place / 64).ok()?, 1 << (place % 64)))
    }

    fn add(&mut self, hash: u64) {
        if let Some((word, bit)) = self.place(hash)
            && let Some(held) = self.bits.get_mut(word)
        {
            *held |= bit;
        }
    }

    fn may_hold(&self, hash: u64) -> bool {
        let held = |(word, bit)| self.bits.get(word).is_some_and(|held| held & bit != 0);
        self.place(hash).is_some_and(held)
    }
}

/// The beginnings and the ends of words that are looked for.
///
/// One slip leaves a half of a word as it is: of one with n letters, the first (n - 1) / 2 or the
/// last. Two letters in the wrong order are the worst case: what stands before them and behind them
/// are n - 2 letters together.
#[derive(Debug, Clone, Default)]
pub(super) struct Edges(Sieve);

impl Edges {
    /// The edges of these words.
    pub(super) fn of<'w>(words: impl Iterator<Item = &'w str> + Clone) -> Self {
        let words = words.filter(|word| word.chars().nth(SHORTEST - 1).is_some());
        let mut sieve = Sieve::for_about(2 * words.clone().count());
        for word in words {
            let count = word.chars().count();
            let (mut front, mut back) = (Edge::default(), Edge::default());
            front.grow(&mut word.chars(), count);
            back.grow(&mut word.chars().rev(), count);
            sieve.add(front.key(count, 0));
            sieve.add(back.key(count, 1));
        }
        Self(sieve)
    }

    /// Whether `letters`, `count` of them, may be one of the words with one slip at most.
    pub(super) fn may_be(
        &self,
        letters: impl DoubleEndedIterator<Item = char> + Clone,
        count: usize,
    ) -> bool {
        count + 1 >= SHORTEST
            && (self.has_edge(letters.clone(), count, 0) || self.has_edge(letters.rev(), count, 1))
    }

    /// Whether a word that has so many letters, or one more or less, begins, or ends, like this.
    fn has_edge(&self, mut letters: impl Iterator<Item = char>, count: usize, side: u64) -> bool {
        let mut edge = Edge::default();
        ((count - 1).max(SHORTEST)..=count + 1).any(|length| {
            edge.grow(&mut letters, length) && self.0.may_hold(edge.key(length, side))
        })
    }
}

/// The beginning of a word, or its end, letter by letter.
#[derive(Debug, Clone, Copy, Default)]
struct Edge {
    hash: u64,
    taken: usize,
}

impl Edge {
    /// Takes as many letters as stand unchanged in a word of `length`; false where there are fewer.
    fn grow(&mut self, letters: &mut impl Iterator<Item = char>, length: usize) -> bool {
        while self.taken < half(length) {
            let Some(letter) = letters.next() else { return false };
            self.hash = (self.hash ^ u64::from(letter)).wrapping_mul(SPREAD).rotate_left(23);
            self.taken += 1;
        }
        true
    }

    /// The key under which it is held as that of a word of `length`, on one side.
    fn key(self, length: usize, side: u64) -> u64 {
        self.hash ^ (u64::try_from(length).unwrap_or(u64::MAX) << 1 | side)
    }
}

/// How many letters of a word of so many stand as they are, at the beginning or at the end.
fn half(length: usize) -> usize {
    (length - 1) / 2
}

/// The first four bytes of texts that are looked for anywhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Starts(Sieve);

impl Starts {
    pub(super) fn of(starts: impl ExactSizeIterator<Item = [u8; 4]>) -> Self {
        let mut sieve = Sieve::for_about(starts.len());
        starts.for_each(|start| sieve.add(u32::from_le_bytes(start).into()));
        Self(sieve)
    }

    pub(super) fn may_hold(&self, start: [u8; 4]) -> bool {
        self.0.may_hold(u32::from_le_bytes(start).into())
    }
}

#[cfg(test)]
mod tests;
