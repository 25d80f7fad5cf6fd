//! Texts in normal form: one spelling for all the ways in which the same words can be written.

mod letters;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Writes `text` in normal form: words of lower-case letters and digits, one blank between them.
///
/// Compatibility forms are resolved (NFKC, Unicode Standard Annex 15), format, combining and
/// control characters dropped, case folded, possessives stripped, and everything else separates
/// words; an apostrophe inside a word joins it. Texts in normal form stay as they are.
pub fn normalise(text: &str) -> String {
    let mut words = Words { out: String::with_capacity(text.len()), ..Words::default() };
    for c in text.chars() {
        if c.is_ascii() {
            words.ascii(c);
        } else {
            words.unicode(c);
        }
    }
    words.end_word();
    words.out
}

/// The words of a text in normal form.
pub fn tokens(normalised: &str) -> Vec<&str> {
    normalised.split(' ').filter(|word| !word.is_empty()).collect()
}

/// Builds a text in normal form, one character after the other.
#[derive(Default)]
struct Words {
    out: String,
    in_word: bool,
    /// Where in `out` the last apostrophe of the current word stood.
    apostrophe: Option<usize>,
}

impl Words {
    fn ascii(&mut self, c: char) {
        if c.is_ascii_alphanumeric() {
            self.push(c.to_ascii_lowercase());
        } else if letters::is_apostrophe(c) {
            self.join();
        } else if c.is_ascii_whitespace() || c == '\x0b' || !c.is_ascii_control() {
            self.end_word();
        }
    }

    fn unicode(&mut self, c: char) {
        if letters::is_apostrophe(c) {
            self.join();
        } else if c.is_whitespace() {
            self.end_word();
        } else if !letters::is_invisible(c) {
            decompose_compatible(c, |part| self.part(part));
        }
    }

    /// Takes one character of a compatibility decomposition.
    fn part(&mut self, c: char) {
        if c.is_ascii() {
            self.ascii(c);
        } else if letters::is_apostrophe(c) {
            self.join();
        } else if is_combining_mark(c) || letters::is_invisible(c) {
            // says how a letter looks, or nothing at all
        } else if c.is_alphanumeric() {
            // by way of the capital, so that ß and ſ meet ss and s
            for lower in c.to_uppercase().flat_map(char::to_lowercase) {
                self.letter(lower);
            }
        } else {
            self.end_word();
        }
    }

    fn letter(&mut self, c: char) {
        if is_combining_mark(c) {
            return;
        }
        match letters::without_stroke(c) {
            Some(plain) => plain.chars().for_each(|plain| self.push(plain)),
            None => self.push(c),
        }
    }

    fn push(&mut self, c: char) {
        if !self.in_word && !self.out.is_empty() {
            self.out.push(' ');
        }
        self.in_word = true;
        self.out.push(c);
    }

    fn join(&mut self) {
        if self.in_word {
            self.apostrophe = Some(self.out.len());
        }
    }

    fn end_word(&mut self) {
        if let Some(at) = self.apostrophe.take()
            && self.out.get(at..) == Some("s")
        {
            self.out.truncate(at);
        }
        self.in_word = false;
    }
}

#[cfg(test)]
mod tests;
