//! The index of aliases: which entities a normalised text names.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use imbl::OrdMap;
use kenward_model::EntityUid;

use crate::Map;
use crate::entity::Entity;
use crate::record::MOST_ALIAS_WORDS;
use crate::words::{normalise, tokens};

/// Every id and alias in normal form, with the lengths of the longer names that a word begins.
#[derive(Clone, Default)]
pub(crate) struct Names {
    entries: Map<Arc<str>, Entry>,
    lengths: OrdMap<u16, u32>,
}

/// What the index holds of one text: whom it names, and what begins with it when it is one word.
///
/// Almost every text names one entity, or begins names of one length: those take no memory of
/// their own, because the index has several texts for each of millions of entities.
#[derive(Clone)]
enum Entry {
    /// It names one entity, and nothing longer begins with it.
    Names(Arc<EntityUid>),
    /// It names nobody, and names of one length begin with it.
    Begins(Longer),
    /// Anything else.
    Both(Arc<Both>),
}

/// The general case.
#[derive(Clone, Default)]
struct Both {
    named: Vec<EntityUid>,
    longer: Vec<Longer>,
}

/// How many names of so many words begin with the word.
#[derive(Clone, Copy)]
struct Longer {
    words: u16,
    names: u32,
}

/// What can begin with one word of a text.
#[derive(Debug, Clone, Copy)]
pub struct Beginning<'w> {
    named: &'w [EntityUid],
    longer: &'w [Longer],
}

impl fmt::Debug for Longer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} words", self.names, self.words)
    }
}

impl<'w> Beginning<'w> {
    /// The entities that the word alone names.
    pub fn named(&self) -> &'w [EntityUid] {
        self.named
    }

    /// The numbers of words, each 2 or more, that longer names beginning with this word have;
    /// the longest first.
    pub fn longer(&self) -> impl Iterator<Item = usize> + use<'w> {
        self.longer.iter().map(|longer| usize::from(longer.words))
    }
}

impl Names {
    pub(crate) fn named(&self, normalised: &str) -> &[EntityUid] {
        self.entries.get(normalised).map_or(&[], Entry::named)
    }

    pub(crate) fn beginning(&self, word: &str) -> Beginning<'_> {
        match self.entries.get(word) {
            Some(entry) => Beginning { named: entry.named(), longer: entry.longer() },
            None => Beginning { named: &[], longer: &[] },
        }
    }

    pub(crate) fn longest(&self) -> usize {
        self.lengths.get_max().map_or(0, |(words, _)| usize::from(*words))
    }

    pub(crate) fn add(&mut self, entity: &Entity) {
        let uid = Arc::new(entity.uid.clone());
        for key in keys(entity) {
            self.count(&key, Step::Up);
            self.change(&key, |entry| match entry {
                None => Some(Entry::Names(Arc::clone(&uid))),
                Some(entry) => entry.with(|both| both.named.push(entity.uid.clone())),
            });
        }
    }

    pub(crate) fn remove(&mut self, entity: &Entity) {
        for key in keys(entity) {
            self.count(&key, Step::Down);
            self.change(&key, |entry| entry?.with(|both| both.remove(&entity.uid)));
        }
    }

    /// Counts one name more or less of its length, and with its first word.
    fn count(&mut self, key: &str, step: Step) {
        let words = tokens(key);
        let Ok(length) = u16::try_from(words.len()) else { return };
        let names = step.from(self.lengths.get(&length).copied().unwrap_or(0));
        if names == 0 {
            self.lengths.remove(&length);
        } else {
            self.lengths.insert(length, names);
        }
        if let (2.., Some(first)) = (length, words.first()) {
            self.change(first, |entry| match entry {
                None => Both::default().counted(length, step),
                Some(entry) => entry.with(|both| both.count(length, step)),
            });
        }
    }

    /// Replaces what the index holds of one text.
    fn change(&mut self, key: &str, change: impl FnOnce(Option<Entry>) -> Option<Entry>) {
        // The key that is there already is kept, so that its text is not stored anew.
        if let Some(held) = self.entries.get_mut(key) {
            let entry = std::mem::replace(held, Entry::Begins(Longer { words: 0, names: 0 }));
            match change(Some(entry)) {
                Some(entry) => *held = entry,
                None => {
                    self.entries.remove(key);
                }
            }
        } else if let Some(entry) = change(None) {
            self.entries.insert(key.into(), entry);
        }
    }
}

/// One more or one less.
#[derive(Clone, Copy)]
enum Step {
    Up,
    Down,
}

impl Step {
    fn from(self, count: u32) -> u32 {
        match self {
            Self::Up => count.saturating_add(1),
            Self::Down => count.saturating_sub(1),
        }
    }
}

impl Entry {
    fn named(&self) -> &[EntityUid] {
        match self {
            Self::Names(uid) => std::slice::from_ref(uid),
            Self::Begins(_) => &[],
            Self::Both(both) => &both.named,
        }
    }

    fn longer(&self) -> &[Longer] {
        match self {
            Self::Names(_) => &[],
            Self::Begins(longer) => std::slice::from_ref(longer),
            Self::Both(both) => &both.longer,
        }
    }

    /// The entry after a change of its general form; nothing when nothing is left of it.
    fn with(self, change: impl FnOnce(&mut Both)) -> Option<Self> {
        let mut both = match self {
            Self::Names(uid) => Arc::new(Both { named: vec![(*uid).clone()], longer: Vec::new() }),
            Self::Begins(longer) => Arc::new(Both { named: Vec::new(), longer: vec![longer] }),
            Self::Both(both) => both,
        };
        change(Arc::make_mut(&mut both));
        match (both.named.as_slice(), both.longer.as_slice()) {
            ([], []) => None,
            ([uid], []) => Some(Self::Names(Arc::new(uid.clone()))),
            ([], [longer]) => Some(Self::Begins(*longer)),
            _ => Some(Self::Both(both)),
        }
    }
}

impl Both {
    fn remove(&mut self, uid: &EntityUid) {
        if let Some(index) = self.named.iter().position(|one| one == uid) {
            self.named.swap_remove(index);
        }
    }

    fn count(&mut self, words: u16, step: Step) {
        match self.longer.iter_mut().find(|longer| longer.words == words) {
            Some(longer) => longer.names = step.from(longer.names),
            None => self.longer.push(Longer { words, names: step.from(0) }),
        }
        self.longer.retain(|longer| longer.names > 0);
        self.longer.sort_unstable_by_key(|longer| Reverse(longer.words));
    }

    /// The entry of a word of which nothing was held.
    fn counted(mut self, words: u16, step: Step) -> Option<Entry> {
        self.count(words, step);
        self.longer.first().copied().map(Entry::Begins)
    }
}

/// Every text in normal form that names `entity`: its id, its aliases, and those of them that are
/// groups of digits also in one piece. Ids of more words than an alias may have are left out.
pub(crate) fn keys(entity: &Entity) -> Vec<String> {
    let texts = std::iter::once(&entity.uid.id).chain(&entity.aliases);
    let mut keys: Vec<String> = texts.map(|text| normalise(text)).collect();
    let glued: Vec<String> = keys.iter().filter_map(|key| glue_digits(key)).collect();
    keys.extend(glued);
    keys.retain(|key| (1..=MOST_ALIAS_WORDS).contains(&tokens(key).len()));
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// `615 555 0100` as `6155550100`.
fn glue_digits(key: &str) -> Option<String> {
    let digits = |c: char| c.is_ascii_digit() || c == ' ';
    (key.contains(' ') && key.chars().all(digits)).then(|| key.replace(' ', ""))
}
