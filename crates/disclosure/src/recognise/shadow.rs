//! Those of whom something was refused before, made ready to be looked for strictly.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::ops::Deref;
use std::sync::Arc;

use foldhash::quality::RandomState;
use kenward_model::EntityUid;
use kenward_world::words;

use super::edges::{self, Edges, Starts};
use super::slip;

/// A name that is run together, or an id, has at least so many letters and digits.
const SHORTEST_GLUED: usize = 4;
/// The same, where it has letters: they meet by chance sooner.
const SHORTEST_LETTERS: usize = 5;
/// A number of so many digits has a part that stands for all of it: without the country code.
const LONG_NUMBER: usize = 11;
/// How many digits that part has.
const NATIONAL: usize = 9;
/// More words than a name of a person has.
const MOST_WORDS: usize = 6;

/// Somebody of whom something was refused before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shadowed {
    /// Who.
    pub(crate) subject: EntityUid,
    /// What they are called, in normal form.
    pub(crate) names: Vec<String>,
}

/// Everybody of whom something was refused before, and all that may stand for their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shadows {
    list: Vec<Shadowed>,
    subjects: HashSet<EntityUid, RandomState>,
    pub(super) names: Vec<Name>,
    words: Vec<Word>,
    /// The number of each word.
    by_text: HashMap<Box<str>, u32, RandomState>,
    /// The words of four letters or more, by hashes of themselves and of what is left without one
    /// letter; sorted.
    slips: Vec<(u32, u32)>,
    /// How words begin and end.
    edges: Edges,
    /// Names run together, by their first four bytes.
    pub(super) glued: HashMap<[u8; SHORTEST_GLUED], Vec<Glued>, RandomState>,
    /// How those begin.
    pub(super) starts: Starts,
}

/// A word of names.
#[derive(Debug, Clone)]
struct Word {
    text: Box<str>,
    /// Which names have it.
    names: Vec<usize>,
}

/// A word that another one may be meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Meant {
    /// Its number.
    pub(super) word: u32,
    /// Whether the other one has a slip.
    pub(super) slipped: bool,
}

/// A name as it is looked for.
#[derive(Debug, Clone)]
pub(super) struct Name {
    /// Whose, by the place in the list.
    pub(super) who: usize,
    /// In normal form.
    pub(super) text: Arc<str>,
    /// The numbers of its words.
    pub(super) words: Box<[u32]>,
    pub(super) form: Form,
}

/// How the words of a name must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Near one another, in any order.
    Near,
    /// Side by side: initials with a name.
    Adjacent,
    /// In one piece.
    Whole,
    /// The first or the last of a name: it needs a second sign.
    Part,
}

/// A name without its blanks.
#[derive(Debug, Clone)]
pub(super) struct Glued {
    pub(super) name: usize,
    pub(super) text: Box<str>,
}

impl Deref for Shadows {
    type Target = [Shadowed];

    fn deref(&self) -> &[Shadowed] {
        &self.list
    }
}

impl<'s> IntoIterator for &'s Shadows {
    type Item = &'s Shadowed;
    type IntoIter = std::slice::Iter<'s, Shadowed>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl Shadows {
    pub(crate) fn new(list: Vec<Shadowed>) -> Self {
        let mut shadows = Self::default();
        for (who, shadowed) in list.iter().enumerate() {
            let id = words::normalise(&shadowed.subject.id);
            let first = shadows.names.len();
            for name in shadowed.names.iter().chain([&id]) {
                shadows.add(who, first, &words::normalise(name));
            }
        }
        shadows.slips.sort_unstable();
        shadows.slips.dedup();
        shadows.edges = Edges::of(shadows.words.iter().map(|word| &*word.text));
        shadows.starts = Starts::of(shadows.glued.keys().copied());
        shadows.subjects = list.iter().map(|shadowed| shadowed.subject.clone()).collect();
        shadows.list = list;
        shadows
    }

    /// Whether `uid` is one of them.
    pub(crate) fn has(&self, uid: &EntityUid) -> bool {
        self.subjects.contains(uid)
    }

    pub(super) fn subject(&self, name: &Name) -> Option<&EntityUid> {
        self.list.get(name.who).map(|shadowed| &shadowed.subject)
    }

    /// The text of a word.
    pub(super) fn word(&self, number: u32) -> &str {
        self.numbered(number).map_or("", |word| &word.text)
    }

    /// The names that have a word.
    pub(super) fn with_word(&self, number: u32) -> &[usize] {
        self.numbered(number).map_or(&[], |word| &word.names)
    }

    fn numbered(&self, number: u32) -> Option<&Word> {
        self.words.get(usize::try_from(number).ok()?)
    }

    /// Adds to `meant` the words of names that `word` may be meant for, each once.
    pub(super) fn meant(&self, word: &str, meant: &mut Vec<Meant>) {
        let count = word.chars().count();
        if count >= edges::SHORTEST && !self.edges.may_be(word.chars(), count) {
            return;
        }
        let first = meant.len();
        let exact = self.by_text.get(word);
        meant.extend(exact.map(|number| Meant { word: *number, slipped: false }));
        if self.edges.may_be(word.chars(), count) {
            self.slipped(word, meant);
        }
        // What is met by several ways is met once, exactly where it can be.
        if meant.len() > first + 1 {
            let mut theirs = meant.split_off(first);
            theirs.sort_unstable();
            theirs.dedup_by_key(|meant| meant.word);
            meant.append(&mut theirs);
        }
    }

    /// As [`Self::meant`], of the word that stands there backwards: that is no way to write.
    pub(super) fn meant_backwards(&self, word: &str, meant: &mut Vec<Meant>) {
        let count = word.chars().count();
        if count >= edges::SHORTEST && !self.edges.may_be(word.chars().rev(), count) {
            return;
        }
        let first = meant.len();
        let backwards: String = word.chars().rev().collect();
        self.meant(&backwards, meant);
        meant.iter_mut().skip(first).for_each(|meant| meant.slipped = true);
    }

    fn slipped(&self, word: &str, meant: &mut Vec<Meant>) {
        slip::shortened(word, |shortened| {
            let hash = self.hash(shortened);
            let start = self.slips.partition_point(|(held, _)| *held < hash);
            let held = self.slips.iter().skip(start).take_while(|(held, _)| *held == hash);
            let near = held.filter(|(_, number)| slip::is_one(word, self.word(*number)));
            meant.extend(near.map(|(_, number)| Meant { word: *number, slipped: true }));
        });
    }

    /// Half a hash: whoever is met by it is looked at again.
    fn hash(&self, text: &str) -> u32 {
        let hash = self.by_text.hasher().hash_one(text);
        u32::try_from(hash >> 32).unwrap_or(0)
    }

    /// Adds a name of whom the names from `first` on are.
    fn add(&mut self, who: usize, first: usize, name: &str) {
        let tokens = words::tokens(name);
        let mut theirs = self.names.iter().skip(first);
        if tokens.is_empty() || theirs.any(|held| *held.text == *name) {
            return;
        }
        let is_letters = name.chars().all(|c| c.is_alphabetic() || c == ' ');
        self.add_glued(who, name, &tokens, is_letters);
        match tokens.as_slice() {
            [one] if is_letters && one.chars().count() >= SHORTEST_GLUED => {
                let is_common = super::common::is_common(one);
                self.add_name(who, name, &[one], if is_common { Form::Part } else { Form::Whole });
            }
            [first, .., last] if is_letters && tokens.len() <= MOST_WORDS => {
                self.add_name(who, name, &tokens, Form::Near);
                self.add_name(who, name, &[first], Form::Part);
                self.add_name(who, name, &[last], Form::Part);
                for (initial, other) in [(first, last), (last, first)] {
                    let letter = initial.chars().next().map(String::from).unwrap_or_default();
                    self.add_name(who, name, &[&letter, other], Form::Adjacent);
                }
            }
            _ => {}
        }
    }

    /// The name in one piece, in either order, forwards and backwards; and the initial with it.
    fn add_glued(&mut self, who: usize, name: &str, tokens: &[&str], is_letters: bool) {
        let shortest = if is_letters { SHORTEST_LETTERS } else { SHORTEST_GLUED };
        let mut forms = vec![tokens.concat()];
        let mut short = Vec::new();
        if let ([first, .., last], true) = (tokens, is_letters) {
            let middle = tokens.get(1..tokens.len() - 1).unwrap_or_default().concat();
            forms.push(format!("{last}{first}{middle}"));
            forms.push(format!("{first}{last}"));
            let initial: String = first.chars().take(1).collect();
            short.push(format!("{initial}{last}"));
        }
        let all = forms.concat();
        if all.len() >= LONG_NUMBER && all.bytes().all(|b| b.is_ascii_digit()) {
            forms.push(all.get(all.len() - NATIONAL..).unwrap_or(&all).to_owned());
        }
        let backwards: Vec<String> =
            forms.iter().map(|form| form.chars().rev().collect()).collect();
        let long = forms.len() + backwards.len();
        let forms = forms.iter().chain(&backwards).chain(&short).enumerate();
        for (index, form) in forms.filter(|(_, form)| form.len() >= shortest) {
            // an initial with a name is one slip away from the name alone
            if is_letters && index < long {
                self.add_name(who, name, &[form], Form::Whole);
            }
            let at = self.names.len();
            self.names.push(Name {
                who,
                text: name.into(),
                words: Box::default(),
                form: Form::Whole,
            });
            if let Some(first) = form.as_bytes().first_chunk() {
                let held = self.glued.entry(*first).or_default();
                held.push(Glued { name: at, text: form.as_str().into() });
            }
        }
    }

    fn add_name(&mut self, who: usize, name: &str, tokens: &[&str], form: Form) {
        let at = self.names.len();
        let words = tokens.iter().map(|token| self.add_word(token, at)).collect();
        self.names.push(Name { who, text: name.into(), words, form });
    }

    /// The number of a word that the name `at` has.
    fn add_word(&mut self, text: &str, at: usize) -> u32 {
        let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let number = self.by_text.get(text).copied().unwrap_or(next);
        if let Some(known) = usize::try_from(number).ok().and_then(|at| self.words.get_mut(at)) {
            known.names.push(at);
            return number;
        }
        self.words.push(Word { text: text.into(), names: vec![at] });
        self.by_text.insert(text.into(), number);
        if text.chars().count() >= edges::SHORTEST && text.chars().all(char::is_alphabetic) {
            let mut hashes = Vec::with_capacity(text.len() + 1);
            slip::shortened(text, |shortened| hashes.push((self.hash(shortened), number)));
            self.slips.append(&mut hashes);
        }
        number
    }
}
