//! Those of whom something was refused before, made ready to be looked for strictly.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use kenward_model::EntityUid;
use kenward_world::words;

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
    /// Of which family it was.
    pub(crate) family: Arc<str>,
    /// What they are called, in normal form.
    pub(crate) names: Vec<String>,
}

/// Everybody of whom something was refused before, and all that may stand for their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shadows {
    list: Vec<Shadowed>,
    pub(super) names: Vec<Name>,
    /// The words of names, and which names have each.
    pub(super) words: HashMap<Box<str>, Vec<usize>>,
    /// The words of four letters or more, by themselves and by what is left without one letter.
    slips: HashMap<Box<str>, Vec<Box<str>>>,
    /// With which letters words of which length begin and end.
    ends: Ends,
    /// Names run together, by their first four bytes.
    pub(super) glued: HashMap<[u8; SHORTEST_GLUED], Vec<Glued>>,
}

/// A name as it is looked for.
#[derive(Debug, Clone)]
pub(super) struct Name {
    /// Whose, by the place in the list.
    pub(super) who: usize,
    /// In normal form.
    pub(super) text: Arc<str>,
    pub(super) words: Vec<Box<str>>,
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

/// A quick way to tell most words from those that are looked for: one slip changes the beginning
/// of a word or its end, and its length by one at most.
#[derive(Debug, Clone, Default)]
struct Ends {
    /// For each length, a bit for each first and each last letter.
    seen: Vec<(u64, u64)>,
}

impl Ends {
    fn add(&mut self, word: &str) {
        let Some((first, last)) = Self::bits(word) else { return };
        let length = word.chars().count();
        if self.seen.len() <= length {
            self.seen.resize(length + 1, (0, 0));
        }
        if let Some(seen) = self.seen.get_mut(length) {
            seen.0 |= first;
            seen.1 |= last;
        }
    }

    fn could_be(&self, word: &str) -> bool {
        let Some((first, last)) = Self::bits(word) else { return false };
        let length = word.chars().count();
        let lengths = length.saturating_sub(1)..(length + 2).min(self.seen.len());
        let mut seen = self.seen.get(lengths).into_iter().flatten();
        seen.any(|(firsts, lasts)| firsts & first != 0 || lasts & last != 0)
    }

    fn bits(word: &str) -> Option<(u64, u64)> {
        let bit = |c: char| 1 << (u32::from(c) % 64);
        Some((bit(word.chars().next()?), bit(word.chars().next_back()?)))
    }
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
        let mut shadows = Self { list, ..Self::default() };
        let list = std::mem::take(&mut shadows.list);
        for (who, shadowed) in list.iter().enumerate() {
            let id = words::normalise(&shadowed.subject.id);
            for name in shadowed.names.iter().chain([&id]) {
                shadows.add(who, &words::normalise(name));
            }
        }
        shadows.list = list;
        shadows
    }

    pub(super) fn subject(&self, name: &Name) -> Option<&EntityUid> {
        self.list.get(name.who).map(|shadowed| &shadowed.subject)
    }

    /// The words of names that `word` may be meant for, with whether it has a slip.
    pub(super) fn meant(&self, word: &str) -> Vec<(&str, bool)> {
        if !self.ends.could_be(word) {
            return Vec::new();
        }
        let exact = self.words.get_key_value(word).map(|(known, _)| (&**known, false));
        let mut meant: Vec<(&str, bool)> = exact.into_iter().collect();
        if word.chars().count() + 1 < SHORTEST_GLUED {
            return meant;
        }
        slip::shortened(word, |shortened| {
            let near = self.slips.get(shortened).into_iter().flatten();
            meant.extend(
                near.filter(|known| slip::is_one(word, known)).map(|known| (&**known, true)),
            );
        });
        // what is met by several ways is met once, exactly where it can be
        meant.sort_unstable();
        meant.dedup_by_key(|(known, _)| *known);
        meant
    }

    fn add(&mut self, who: usize, name: &str) {
        let tokens = words::tokens(name);
        if tokens.is_empty() || self.names.iter().any(|n| n.who == who && *n.text == *name) {
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
            self.names.push(Name { who, text: name.into(), words: Vec::new(), form: Form::Whole });
            if let Some(first) = form.as_bytes().first_chunk() {
                let held = self.glued.entry(*first).or_default();
                held.push(Glued { name: at, text: form.as_str().into() });
            }
        }
    }

    fn add_name(&mut self, who: usize, name: &str, tokens: &[&str], form: Form) {
        let at = self.names.len();
        let words: Vec<Box<str>> = tokens.iter().map(|token| Box::from(*token)).collect();
        self.names.push(Name { who, text: name.into(), words, form });
        for token in tokens {
            self.add_word(token, at);
        }
    }

    fn add_word(&mut self, word: &str, name: usize) {
        let is_new = !self.words.contains_key(word);
        self.words.entry(word.into()).or_default().push(name);
        self.ends.add(word);
        if !is_new
            || word.chars().count() < SHORTEST_GLUED
            || !word.chars().all(char::is_alphabetic)
        {
            return;
        }
        slip::shortened(word, |shortened| {
            self.slips.entry(shortened.into()).or_default().push(word.into());
        });
    }
}
