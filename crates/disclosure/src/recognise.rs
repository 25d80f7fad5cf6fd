//! Finds the entities that a text names.

mod disguise;

use kenward_model::{EntityUid, ServerName};
use kenward_world::{World, words};
use serde::Serialize;
use std::sync::Arc;

use crate::handles::Handles;
use crate::inferences::Inferences;

/// Against what texts are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a World,
    pub(crate) handles: &'a Handles,
    pub(crate) server: &'a ServerName,
    pub(crate) inferences: &'a Inferences,
    pub(crate) shadowed: &'a [Shadowed],
}

/// Whom to look for strictly.
#[derive(Debug, Clone)]
pub(crate) struct Shadowed {
    pub(crate) subject: EntityUid,
    pub(crate) family: Arc<str>,
    pub(crate) names: Vec<String>,
}

/// Somebody is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) name: String,
    pub(crate) entities: Vec<EntityUid>,
    pub(crate) how: How,
}

/// How somebody was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By the exact id.
    Id,
    /// By a name, in normal form.
    Alias,
    /// By a handle that a result had linked.
    Handle,
    /// By something that belongs to them.
    Relation,
    /// By several arguments together.
    Joined,
    /// By a name in letters that look like others.
    Lookalike,
    /// By a name with a slip of the pen.
    Slip,
    /// By a name whose words were run together or taken apart, forwards or backwards.
    Glued,
    /// By a name with something between its letters.
    SpacedOut,
    /// By a name that was encoded.
    Encoded,
    /// By initials, or by a part of a name where another sign points to it.
    Initials,
    /// By what the result says.
    InResult,
}

/// Everybody whom the text names, as far as can be told.
pub(crate) fn mentions(scene: &Scene<'_>, text: &str) -> Vec<Mention> {
    let mut plain = read(scene.world, text);
    plain.matches.retain(|found| !found.is_slight);
    let readings = std::iter::once(plain).chain(read_disguised(scene.world, text));
    let found = readings.flat_map(|reading| reading.matches);
    found
        .map(|found| Mention {
            start: 0,
            end: text.len(),
            name: found.name,
            entities: found.entities.to_vec(),
            how: How::Alias,
        })
        .collect()
}

/// Whether every word of the text is accounted for.
pub(crate) fn is_accounted_for(scene: &Scene<'_>, text: &str) -> bool {
    read(scene.world, text).leftover.is_empty()
}

/// A number that is written in groups has at most so many digits,
const LONGEST_NUMBER: usize = 32;
/// in so many groups.
const MOST_GROUPS: usize = 6;
/// A name of fewer letters and digits is met by chance too often to mean somebody by itself.
const SHORTEST_ALONE: usize = 4;
/// Words that say that a short name follows which means somebody.
const INTRODUCTIONS: &[&str] = &["account", "id", "nr", "number", "no"];

/// Entities that a text names, and where.
#[derive(Debug, Clone)]
pub(crate) struct Match<'w> {
    /// The first word.
    start: usize,
    /// One past the last word.
    end: usize,
    /// The name in normal form.
    pub(crate) name: String,
    /// Everyone who has it.
    pub(crate) entities: &'w [EntityUid],
    /// Whether it is so short, and so little introduced, that it may stand there by chance.
    pub(crate) is_slight: bool,
}

/// What was found in one reading of a text.
#[derive(Debug)]
pub(crate) struct Reading<'w> {
    /// The names, none inside a longer one.
    pub(crate) matches: Vec<Match<'w>>,
    /// The words that belong to no name.
    pub(crate) leftover: Vec<String>,
}

/// Reads `text` as it stands.
pub(crate) fn read<'w>(world: &'w World, text: &str) -> Reading<'w> {
    read_normal(world, &words::normalise(text))
}

/// Reads `text` once for each disguise that could be in it: letters of other scripts that look
/// alike (Unicode Technical Standard 39), and digits and signs in place of letters.
pub(crate) fn read_disguised<'w>(world: &'w World, text: &str) -> Vec<Reading<'w>> {
    let mut readings = Vec::new();
    for plain in disguise::without(text) {
        let mut reading = read_normal(world, &words::normalise(&plain));
        reading.matches.retain(|found| found.name.len() >= SHORTEST_ALONE);
        readings.push(reading);
    }
    readings
}

fn read_normal<'w>(world: &'w World, normal: &str) -> Reading<'w> {
    let words = words::tokens(normal);
    let starts = starts(&words);
    let mut search = Search { world, normal, words: &words, starts: &starts, matches: Vec::new() };
    for at in 0..words.len() {
        search.names_at(at);
    }
    let matches = without_nested(search.matches);
    let mut covered = vec![false; words.len()];
    for found in &matches {
        covered.iter_mut().take(found.end).skip(found.start).for_each(|word| *word = true);
    }
    let leftover = words.iter().zip(covered).filter(|(_, covered)| !covered);
    Reading { leftover: leftover.map(|(word, _)| (*word).to_owned()).collect(), matches }
}

/// Where each word begins: one blank lies between two words in normal form.
fn starts(words: &[&str]) -> Vec<usize> {
    words.iter().scan(0, |at, word| Some(std::mem::replace(at, *at + word.len() + 1))).collect()
}

struct Search<'w, 't> {
    world: &'w World,
    normal: &'t str,
    words: &'t [&'t str],
    /// Where in `normal` each word begins.
    starts: &'t [usize],
    matches: Vec<Match<'w>>,
}

impl<'w, 't> Search<'w, 't> {
    /// Notes every name that begins with the word `at`.
    fn names_at(&mut self, at: usize) {
        let Some(word) = self.words.get(at).copied() else { return };
        let beginning = self.world.beginning(word);
        for length in beginning.longer() {
            if let Some(name) = self.span(at, at + length) {
                self.note(at, at + length, name);
            }
            if length == 2 {
                self.turned_round(at, word);
            }
        }
        self.note_named(at, at + 1, word, beginning.named());
        if word.bytes().all(|b| b.is_ascii_digit()) {
            self.grouped_number(at);
        }
    }

    /// A name of two words whose last word stands first: `Swift, Taylor`.
    fn turned_round(&mut self, at: usize, word: &str) {
        let before = at.checked_sub(1).and_then(|before| self.words.get(before));
        if let Some(before) = before {
            self.note(at - 1, at + 1, &format!("{word} {before}"));
        }
    }

    /// A number that is written in groups: `4711 0815` for `47110815`.
    fn grouped_number(&mut self, at: usize) {
        let mut number = String::new();
        for (index, word) in self.words.iter().enumerate().skip(at).take(MOST_GROUPS) {
            let fits = number.len() + word.len() <= LONGEST_NUMBER;
            if !fits || !word.bytes().all(|b| b.is_ascii_digit()) {
                return;
            }
            number.push_str(word);
            if index > at {
                self.note(at, index + 1, &number);
            }
        }
    }

    fn note(&mut self, start: usize, end: usize, name: &str) {
        self.note_named(start, end, name, self.world.named(name));
    }

    fn note_named(&mut self, start: usize, end: usize, name: &str, entities: &'w [EntityUid]) {
        if !entities.is_empty() {
            let is_slight = name.len() < SHORTEST_ALONE && !self.is_introduced(start, entities);
            self.matches.push(Match { start, end, name: name.to_owned(), entities, is_slight });
        }
    }

    /// Whether the word before `start` says that a number, or one of such entities, follows.
    fn is_introduced(&self, start: usize, entities: &[EntityUid]) -> bool {
        let before = start.checked_sub(1).and_then(|before| self.words.get(before));
        before.is_some_and(|word| {
            INTRODUCTIONS.contains(word) || entities.iter().any(|uid| is_type(&uid.kind, word))
        })
    }

    /// The text of the words from `start` to before `end`.
    fn span(&self, start: usize, end: usize) -> Option<&'t str> {
        let last = end.checked_sub(1)?;
        let stop = self.starts.get(last)? + self.words.get(last)?.len();
        self.normal.get(*self.starts.get(start)?..stop)
    }
}

/// Whether the word is the name of the type, without its namespace.
pub(crate) fn is_type(kind: &str, word: &str) -> bool {
    kind.rsplit("::").next().is_some_and(|name| name.eq_ignore_ascii_case(word))
}

/// Drops each name that lies inside a longer one: a place that is named after a person is not
/// the person.
fn without_nested(mut matches: Vec<Match<'_>>) -> Vec<Match<'_>> {
    matches.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
    let mut widest = (0, 0);
    matches.retain(|found| {
        let nested = found.end <= widest.1 && (found.start, found.end) != widest;
        if found.end > widest.1 {
            widest = (found.start, found.end);
        }
        !nested
    });
    matches
}

#[cfg(test)]
mod tests;
