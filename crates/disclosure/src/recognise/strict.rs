//! Looks for those of whom something was refused before, however their names are disguised.

pub(super) mod decode;

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use kenward_world::words;

use super::search::Search;
use super::shadow::{Form, Glued, Meant, Name, Shadows};
use super::spans::Lazy;
use super::{How, Mention, signs};

/// The words of a name stand within so many words.
const WINDOW: usize = 12;
/// Shorter names that are run together must begin and end where words do.
const LONG_GLUED: usize = 8;
/// So far around a part of a name a second sign is looked for.
const AROUND: usize = 2;
/// Words beside a part of a name that speak of where or who somebody is.
const PERSONAL: &[&str] = &[
    "address",
    "apartment",
    "customer",
    "doorstep",
    "flat",
    "home",
    "house",
    "lives",
    "living",
    "residence",
    "resides",
    "villa",
];

/// So many times a name is looked at in one text.
const MOST_TRIED: usize = 100_000;

/// Where each word of a name, by its number, was met last, and whether with a slip.
type Met = HashMap<u32, (usize, bool), RandomState>;

/// One text, in words.
pub(super) struct Strict<'a> {
    shadows: &'a Shadows,
    words: &'a [&'a str],
    /// Words that are the exact name of somebody else: they stand for nobody that is shadowed.
    taken: Vec<bool>,
    /// The text, and where the words of it stand.
    written: Option<(&'a str, &'a Lazy<'a>)>,
    before: Option<&'a str>,
    mentions: Vec<(usize, usize, usize, How)>,
    /// Which names were noted.
    noted: Vec<bool>,
    /// How many times a name may still be looked at.
    left: usize,
}

/// Looks in a text that was searched for names already.
pub(super) fn in_search(search: &Search<'_, '_>, text: &str, spans: &Lazy<'_>) -> Vec<Mention> {
    let shadows = search.scene.shadowed;
    let mut strict = Strict::new(shadows, &search.words);
    strict.written = Some((text, spans));
    strict.before = search.introduction.last().map(String::as_str);
    for found in search.found.iter().filter(|found| found.is_name()) {
        if !found.is_slight && !found.entities.iter().any(|uid| shadows.has(uid)) {
            strict.taken.iter_mut().take(found.end).skip(found.start).for_each(|word| *word = true);
        }
    }
    let found = strict.run();
    found
        .into_iter()
        .filter_map(|(start, end, name, how)| {
            let (start, end) = spans.get().between(start, end, search.words.len());
            mention(shadows, name, start, end, how)
        })
        .collect()
}

/// Whether anybody at all could be met in the text, whoever else is.
pub(super) fn may_name(shadows: &Shadows, normal: &str) -> bool {
    !Strict::new(shadows, &words::tokens(normal)).run().is_empty()
}

fn mention(shadows: &Shadows, name: usize, start: usize, end: usize, how: How) -> Option<Mention> {
    let name = shadows.names.get(name)?;
    let entities = vec![shadows.subject(name)?.clone()];
    Some(Mention { start, end, name: (*name.text).to_owned(), entities, how })
}

impl<'a> Strict<'a> {
    fn new(shadows: &'a Shadows, words: &'a [&'a str]) -> Self {
        Self {
            shadows,
            words,
            taken: vec![false; words.len()],
            written: None,
            before: None,
            mentions: Vec::new(),
            noted: vec![false; shadows.names.len()],
            left: MOST_TRIED,
        }
    }

    fn run(mut self) -> Vec<(usize, usize, usize, How)> {
        self.by_words();
        self.run_together();
        let mut seen = HashSet::new();
        let shadows = self.shadows;
        self.mentions.sort_by_key(|(_, _, _, how)| *how);
        self.mentions.retain(|(_, _, name, _)| {
            shadows.names.get(*name).is_some_and(|name| seen.insert((name.who, &*name.text)))
        });
        self.mentions
    }

    /// Finds names by their words, each with at most one slip.
    fn by_words(&mut self) {
        let shadows = self.shadows;
        let mut met = Met::default();
        let mut letters = Letters::default();
        let mut meant: Vec<Meant> = Vec::new();
        for at in 0..self.words.len() {
            if self.taken.get(at) == Some(&true) {
                letters = Letters::default();
                continue;
            }
            let Some(word) = self.words.get(at).copied() else { return };
            shadows.meant(word, &mut meant);
            shadows.meant_backwards(word, &mut meant);
            for Meant { word, slipped } in meant.drain(..) {
                met.insert(word, (at, slipped));
                self.complete(word, at, at, &met);
            }
            let Some((start, spelt)) = letters.add(at, word) else { continue };
            shadows.meant(spelt, &mut meant);
            for Meant { word, .. } in meant.drain(..) {
                met.insert(word, (at, true));
                self.complete(word, start, at, &met);
            }
        }
    }

    /// Notes each name that the word `known` completes, which stands from `start` to `at`.
    fn complete(&mut self, known: u32, start: usize, at: usize, met: &Met) {
        let shadows = self.shadows;
        for index in shadows.with_word(known) {
            let Some(name) = shadows.names.get(*index) else { continue };
            if self.noted.get(*index) != Some(&false) {
                continue;
            }
            if let Some(how) = self.form(name, known, start < at, at, met) {
                let start = start.min(first(name, met).unwrap_or(start));
                self.note(start, at + 1, *index, how);
            }
        }
    }

    /// How the word at `at` completes the name, if it does.
    fn form(
        &mut self,
        name: &Name,
        known: u32,
        is_spelt: bool,
        at: usize,
        met: &Met,
    ) -> Option<How> {
        // Whoever repeats one word to wear this out has named all who have it.
        if self.left == 0 {
            return Some(How::Initials);
        }
        self.left -= 1;
        match name.form {
            Form::Whole if is_spelt => Some(How::SpacedOut),
            Form::Whole => Some(How::Glued),
            Form::Near => near(name, at, met, WINDOW),
            Form::Adjacent => near(name, at, met, 2).map(|_| How::Initials),
            Form::Part => self.is_pointed_at(known, at, met).then_some(How::Initials),
        }
    }

    fn note(&mut self, start: usize, end: usize, name: usize, how: How) {
        self.noted.get_mut(name).into_iter().for_each(|noted| *noted = true);
        self.mentions.push((start, end, name, how));
    }

    /// Whether a second sign stands by a part of a name.
    fn is_pointed_at(&self, known: u32, at: usize, met: &Met) -> bool {
        let is_long = self.shadows.word(known).chars().nth(2).is_some();
        if met.get(&known).is_some_and(|(_, slipped)| *slipped) || !is_long {
            return false;
        }
        let before = match at.checked_sub(1) {
            Some(before) => self.words.get(before).copied(),
            None => self.before,
        };
        let is_type = |word: &&str| {
            self.shadows.iter().any(|shadowed| signs::is_type(&shadowed.subject.kind, word))
        };
        let around = at.saturating_sub(AROUND)..=at + AROUND;
        let mut around = around.filter_map(|at| self.words.get(at));
        self.is_possessive(at)
            || before.is_some_and(|word| signs::introduces(word) || is_type(&word))
            || around.any(|word| PERSONAL.contains(word) || is_type(word))
    }

    /// Whether the word at `at` has an `'s`, or the like, where its span can be told.
    fn is_possessive(&self, at: usize) -> bool {
        let count = self.words.len();
        let Some((text, spans)) = self.written.filter(|(_, spans)| spans.get().is_exact(count))
        else {
            return false;
        };
        let (start, end) = spans.get().between(at, at + 1, count);
        let word = text.get(start..end).unwrap_or_default();
        word.contains(|c: char| !c.is_alphanumeric())
    }

    /// Finds names without regard to where words begin and end.
    fn run_together(&mut self) {
        let shadows = self.shadows;
        let text = self.words.concat();
        let mut ends = Vec::with_capacity(self.words.len());
        self.words.iter().fold(0, |end, word| {
            ends.push(end + word.len());
            end + word.len()
        });
        let bytes = text.as_bytes();
        for (at, window) in bytes.windows(4).enumerate() {
            let first = window.first_chunk().filter(|first| shadows.starts.may_hold(**first));
            let held = first.and_then(|first| shadows.glued.get(first));
            let begins =
                |glued: &&Glued| text.get(at..).is_some_and(|rest| rest.starts_with(&*glued.text));
            for glued in held.into_iter().flatten().filter(begins) {
                self.note_glued(at, at + glued.text.len(), glued.name, &ends);
            }
        }
    }

    fn note_glued(&mut self, start: usize, end: usize, name: usize, ends: &[usize]) {
        // The word in which a byte lies.
        let word_of = |byte: usize| ends.partition_point(|word_end| *word_end <= byte);
        let (first, last) = (word_of(start), word_of(end - 1));
        let begins = first.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        let is_whole = begins == start && ends.get(last) == Some(&end);
        let taken = self.taken.get(first..=last).unwrap_or_default();
        let is_noted = self.noted.get(name) != Some(&false);
        if is_noted || (!is_whole && end - start < LONG_GLUED) || taken.iter().all(|taken| *taken) {
            return;
        }
        let words = last + 1 - first;
        let is_short = self.shadows.names.get(name).is_some_and(|name| {
            name.text.chars().any(char::is_alphabetic)
                && name.text.len() - name.text.matches(' ').count() > end - start
        });
        let how = if is_short {
            How::Initials
        } else if words > 1 && words >= (end - start) / 2 {
            How::SpacedOut
        } else {
            How::Glued
        };
        self.note(first, last + 1, name, how);
    }
}

/// How a name of several words was met whose last word stands at `at`, if all of them stand near.
fn near(name: &Name, at: usize, met: &Met, window: usize) -> Option<How> {
    let mut slipped = false;
    let mut places = Vec::with_capacity(name.words.len());
    for word in &name.words {
        let (place, slip) = met.get(word).copied()?;
        slipped |= slip;
        if at - place >= window {
            return None;
        }
        places.push(place);
    }
    places.sort_unstable();
    places.dedup();
    let is_apart = name.words.iter().collect::<HashSet<_>>().len() > places.len();
    (!is_apart).then_some(if slipped { How::Slip } else { How::Alias })
}

/// Where the first word of the name stands.
fn first(name: &Name, met: &Met) -> Option<usize> {
    name.words.iter().filter_map(|word| met.get(word)).map(|(at, _)| *at).min()
}

/// Single letters in a row, which may spell a word.
#[derive(Default)]
struct Letters {
    start: usize,
    text: String,
}

impl Letters {
    /// The word that is spelt up to `at`, with where it begins.
    fn add(&mut self, at: usize, word: &str) -> Option<(usize, &str)> {
        if word.chars().nth(1).is_some() {
            *self = Self::default();
            return None;
        }
        if self.text.is_empty() {
            self.start = at;
        }
        self.text.push_str(word);
        let is_word = (4..64).contains(&self.text.len());
        is_word.then_some((self.start, &*self.text))
    }
}
