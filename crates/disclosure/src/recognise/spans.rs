//! Where in a text the words of its normal form stand.

use std::cell::OnceCell;

use kenward_world::words;

/// The byte spans of the words of a text, best effort: of the whole text where they cannot be told.
#[derive(Debug)]
pub(super) struct Spans {
    words: Vec<(usize, usize)>,
    length: usize,
}

/// The spans of a text, found when they are asked for.
pub(super) struct Lazy<'t> {
    text: &'t str,
    spans: OnceCell<Spans>,
}

impl<'t> Lazy<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, spans: OnceCell::new() }
    }

    pub(super) fn get(&self) -> &Spans {
        self.spans.get_or_init(|| Spans::of(self.text))
    }
}

/// What a character does to words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Word,
    /// It joins what stands around it, or shows nothing.
    Joint,
    Separator,
}

impl Spans {
    fn of(text: &str) -> Self {
        let mut spans: Vec<(usize, usize)> = Vec::new();
        let mut in_word = false;
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            match part(c) {
                Part::Word if in_word => spans.last_mut().into_iter().for_each(|last| last.1 = end),
                Part::Word => spans.push((at, end)),
                Part::Joint => continue,
                Part::Separator => {}
            }
            in_word = part(c) == Part::Word;
        }
        Self { words: spans, length: text.len() }
    }

    /// From the first of the words to the last, `end` excluded, of `count` in all.
    pub(super) fn between(&self, start: usize, end: usize, count: usize) -> (usize, usize) {
        let whole = (0, self.length);
        if self.words.len() != count {
            return whole;
        }
        let last = end.checked_sub(1).and_then(|last| self.words.get(last));
        match (self.words.get(start), last) {
            (Some(first), Some(last)) => (first.0, last.1),
            (Some(_), None) | (None, _) => whole,
        }
    }

    /// Whether each of `count` words has its own span.
    pub(super) fn is_exact(&self, count: usize) -> bool {
        self.words.len() == count
    }
}

/// What the normal form makes of `c`, asked of the normal form itself.
fn part(c: char) -> Part {
    if c.is_ascii_alphanumeric() {
        return Part::Word;
    }
    if matches!(c, ' ' | '\n' | ',' | '.' | '-' | '_') {
        return Part::Separator;
    }
    match words::normalise(&format!("a{c}a")).as_str() {
        "aa" => Part::Joint,
        "a a" => Part::Separator,
        _ => Part::Word,
    }
}
