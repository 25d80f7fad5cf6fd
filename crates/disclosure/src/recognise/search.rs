//! Looks up every run of words that could be a name.

use std::collections::HashMap;
use std::sync::Arc;

use kenward_model::EntityUid;
use kenward_world::words;

use super::signs::{self, SHORTEST_ALONE};
use super::{How, Purpose, Scene, common};

/// A number that is written in groups has at most so many digits,
const LONGEST_NUMBER: usize = 32;
/// in so many groups: a digit each is one of them.
const MOST_GROUPS: usize = 16;
/// A number of so many digits is not met by chance.
const LONG_NUMBER: usize = 9;
/// So many handles are looked up in one text; what follows is known to nobody.
const MOST_HANDLES: usize = 512;
/// The longest word that is looked at, in bytes.
const LONGEST_WORD: usize = 1024;

/// Entities that a text names, and by which words.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The first word.
    pub(super) start: usize,
    /// One past the last word.
    pub(super) end: usize,
    /// The name in normal form.
    pub(super) name: Arc<str>,
    /// Everyone who has it.
    pub(super) entities: Arc<[EntityUid]>,
    pub(super) how: How,
    /// Whether it stands there by chance as likely as not.
    pub(super) is_slight: bool,
}

/// The names in one text.
pub(super) struct Search<'s, 't> {
    pub(super) scene: &'s Scene<'s>,
    pub(super) words: Vec<&'t str>,
    /// The words of what belongs to the text, such as the name of its member.
    pub(super) introduction: Vec<String>,
    pub(super) found: Vec<Found>,
    /// Whether the text is there to name somebody.
    is_name: bool,
    normal: &'t str,
    /// Where in `normal` each word begins.
    starts: Vec<usize>,
    /// What was found by each name, so that its bearers are copied once.
    known: HashMap<Arc<str>, Arc<[EntityUid]>>,
    handles: usize,
    #[cfg(test)]
    pub(super) look_ups: usize,
}

impl<'s, 't> Search<'s, 't> {
    pub(super) fn new(scene: &'s Scene<'s>, normal: &'t str, purpose: &Purpose<'_>) -> Self {
        let words = words::tokens(normal);
        let starts = starts(&words);
        let introduction = words::normalise(purpose.introduction);
        Self {
            scene,
            words,
            introduction: words::tokens(&introduction).into_iter().map(str::to_owned).collect(),
            found: Vec::new(),
            is_name: purpose.is_name,
            normal,
            starts,
            known: HashMap::new(),
            handles: if scene.handles.is_empty() { MOST_HANDLES } else { 0 },
            #[cfg(test)]
            look_ups: 0,
        }
    }

    /// Finds every name, none inside a longer one.
    pub(super) fn run(&mut self) {
        for at in 0..self.words.len() {
            self.names_at(at);
        }
        without_nested(&mut self.found);
    }

    pub(super) fn word(&self, at: usize) -> Option<&'t str> {
        self.words.get(at).copied()
    }

    /// The word before `at`; before the first one, the last word of the introduction.
    pub(super) fn before(&self, at: usize) -> Option<&str> {
        match at.checked_sub(1) {
            Some(before) => self.word(before),
            None => self.introduction.last().map(String::as_str),
        }
    }

    /// Notes every name that begins with the word `at`.
    fn names_at(&mut self, at: usize) {
        let Some(word) = self.word(at).filter(|word| word.len() <= LONGEST_WORD) else { return };
        self.count();
        let beginning = self.scene.world.beginning(word);
        for length in beginning.longer() {
            if let Some(name) = self.span(at, at + length) {
                self.look_up(at, at + length, name);
            }
            if length == 2 {
                self.turned_round(at, word);
            }
        }
        let named = beginning.named();
        if !named.is_empty() {
            let entities = self.bearers(word, || named.iter().cloned().collect());
            self.note(at, at + 1, word, entities, How::Alias);
        }
        self.initials(at, word);
        self.number(at, word);
        self.handle(at, word);
        if matches!(word, "at") {
            self.spelt_address(at);
        }
    }

    /// A name of two words whose last word stands first: `Swift, Taylor`.
    fn turned_round(&mut self, at: usize, word: &str) {
        if let Some(before) = at.checked_sub(1).and_then(|before| self.word(before)) {
            self.look_up(at - 1, at + 1, &format!("{word} {before}"));
        }
    }

    /// What may stand for somebody without being a name: the initial with the last name, and the
    /// front part of an address.
    fn initials(&mut self, at: usize, word: &str) {
        // Only what is introduced could be the front of an address: not worth it for other words.
        let is_introduced = || self.before(at).is_some_and(signs::introduces);
        if word.len() >= SHORTEST_ALONE && !is_number(word) && (self.is_name || is_introduced()) {
            self.derived(at, at + 1, word);
        }
        if let Some(next) = self.word(at + 1) {
            if is_letter(word) && !is_letter(next) {
                self.derived(at, at + 2, &format!("{word} {next}"));
            } else if is_letter(next) && !is_letter(word) {
                self.derived(at, at + 2, &format!("{next} {word}"));
            }
        }
    }

    fn derived(&mut self, start: usize, end: usize, name: &str) {
        self.count();
        let entities = self.scene.world.derived(name);
        if !entities.is_empty() {
            // a telephone number without the code of its country
            let is_long_number = is_number(name) && name.len() >= LONG_NUMBER;
            self.found.push(Found {
                start,
                end,
                name: name.into(),
                entities: entities.into(),
                how: if is_long_number { How::Alias } else { How::Initials },
                is_slight: !is_long_number,
            });
        }
    }

    /// Numbers and ids in other groups than the directory writes them.
    fn number(&mut self, at: usize, word: &str) {
        if !word.bytes().any(|b| b.is_ascii_digit()) {
            return;
        }
        if is_number(word) {
            self.grouped(at);
            let short = word.trim_start_matches('0');
            if short.len() < word.len() && !short.is_empty() {
                self.look_up(at, at + 1, short);
            }
        } else if let Some((letters, digits)) = split_id(word) {
            self.look_up(at, at + 1, &format!("{letters} {digits}"));
            self.prefixed(at, letters, digits);
        }
        // ORD 1001 for ORD1001, and 1001 A for 1001A
        for start in [at.checked_sub(1), Some(at)].into_iter().flatten() {
            if let (Some(first), Some(second)) = (self.word(start), self.word(start + 1))
                && is_number(first) != is_number(second)
                && first.len() + second.len() <= LONGEST_NUMBER
            {
                self.look_up(start, start + 2, &format!("{first}{second}"));
            }
        }
    }

    /// A number that is written in groups: `4711 0815` for `47110815`.
    fn grouped(&mut self, at: usize) {
        let mut number = String::new();
        for index in at..at + MOST_GROUPS {
            let Some(word) = self.word(index) else { return };
            if number.len() + word.len() > LONGEST_NUMBER || !is_number(word) {
                return;
            }
            number.push_str(word);
            if index > at {
                self.look_up(at, index + 1, &number);
            }
            if number.len() >= 7 {
                self.derived(at, index + 1, &number);
            }
        }
    }

    /// An id behind the name of what it is an id of: `CUST4711`.
    fn prefixed(&mut self, at: usize, letters: &str, digits: &str) {
        let before = self.found.len();
        self.look_up(at, at + 1, digits);
        let fits = |found: &mut Found| !signs::is_prefix_of(letters, &found.entities);
        self.found.extract_if(before.., fits).for_each(drop);
        self.found.iter_mut().skip(before).for_each(|found| found.is_slight = false);
    }

    /// A handle that a result has linked: with its own digits, or behind a word.
    fn handle(&mut self, at: usize, word: &str) {
        if self.handles >= MOST_HANDLES || !word.bytes().any(|b| b.is_ascii_digit()) {
            return;
        }
        self.known_handle(at, at + 1, word);
        for start in [at.checked_sub(1), at.checked_sub(2)].into_iter().flatten() {
            if let Some(name) = self.span(start, at + 1) {
                self.known_handle(start, at + 1, name);
            }
        }
    }

    fn known_handle(&mut self, start: usize, end: usize, name: &str) {
        self.handles += 1;
        self.count();
        let (handles, server) = (self.scene.handles, self.scene.server);
        let mut owners = handles.owners(handles.key(None, server, name)).to_vec();
        if let Some(kind) = self.before(start).map(capitalised) {
            owners.extend_from_slice(handles.owners(handles.key(Some(&kind), server, name)));
        }
        if !owners.is_empty() {
            self.note(start, end, name, owners.into(), How::Handle);
        }
    }

    /// An address that is spelt out: `taylor at example dot com`.
    fn spelt_address(&mut self, at: usize) {
        let Some(start) = at.checked_sub(1) else { return };
        let Some(front) = self.word(start) else { return };
        let mut name = front.to_owned();
        for index in at + 1..at + 8 {
            let Some(word) = self.word(index) else { return };
            if word != "dot" {
                name.push(' ');
                name.push_str(word);
                self.look_up(start, index + 1, &name.clone());
            }
        }
    }

    fn look_up(&mut self, start: usize, end: usize, name: &str) {
        self.count();
        let named = self.scene.world.named(name);
        if !named.is_empty() {
            let entities = self.bearers(name, || named.iter().cloned().collect());
            self.note(start, end, name, entities, How::Alias);
        }
    }

    fn bearers(&mut self, name: &str, copy: impl Fn() -> Arc<[EntityUid]>) -> Arc<[EntityUid]> {
        if let Some(entities) = self.known.get(name) {
            return Arc::clone(entities);
        }
        let entities = copy();
        self.known.insert(name.into(), Arc::clone(&entities));
        entities
    }

    fn note(&mut self, start: usize, end: usize, name: &str, of: Arc<[EntityUid]>, how: How) {
        let is_slight = is_slight(name);
        self.found.push(Found { start, end, name: name.into(), entities: of, how, is_slight });
    }

    /// The text of the words from `start` to before `end`.
    pub(super) fn span(&self, start: usize, end: usize) -> Option<&'t str> {
        let last = end.checked_sub(1)?;
        let stop = self.starts.get(last)? + self.words.get(last)?.len();
        self.normal.get(*self.starts.get(start)?..stop)
    }

    #[cfg(test)]
    fn count(&mut self) {
        self.look_ups += 1;
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "tests count")]
    fn count(&mut self) {}
}

/// Whether a name is met by chance as likely as not: it is short, a common word, or a year.
fn is_slight(name: &str) -> bool {
    if is_number(name) {
        return name.len() < SHORTEST_ALONE || is_year(name);
    }
    let squeezed = name.len() - name.matches(' ').count();
    squeezed < SHORTEST_ALONE || (!name.contains(' ') && common::is_common(name))
}

fn is_year(name: &str) -> bool {
    name.len() == 4 && (name.starts_with("19") || name.starts_with("20"))
}

fn is_letter(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
}

pub(super) fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// `c100` as `c` and `100`.
fn split_id(word: &str) -> Option<(&str, &str)> {
    let at = word.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = word.split_at_checked(at)?;
    let is_id = !letters.is_empty()
        && letters.chars().all(char::is_alphabetic)
        && is_number(digits)
        && digits.len() <= LONGEST_NUMBER;
    is_id.then_some((letters, digits))
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Where each word begins: one blank lies between two words in normal form.
fn starts(words: &[&str]) -> Vec<usize> {
    words.iter().scan(0, |at, word| Some(std::mem::replace(at, *at + word.len() + 1))).collect()
}

/// Drops each name that lies inside a longer one: a place that is named after a person is not
/// the person. What only may stand for somebody never hides a name.
fn without_nested(found: &mut Vec<Found>) {
    found.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
    let mut widest = (0, 0);
    found.retain(|found| {
        let nested = found.end <= widest.1 && (found.start, found.end) != widest;
        if found.end > widest.1 && found.how != How::Initials && found.how != How::Handle {
            widest = (found.start, found.end);
        }
        !nested
    });
}
