//! Takes off the disguises that letters wear.

use std::borrow::Cow;

use unicode_security::skeleton;

/// Texts of at most so many bytes are read as a whole,
const WHOLE: usize = 512;
/// and others so many words around a disguise.
const AROUND: usize = 8;
/// Stands for what is left out: a letter that is in nobody's name.
const GAP: &str = "\u{a66e} ";
/// The shortest word that is worth reading as a disguise by itself: `a1` is a shelf.
const SHORTEST: usize = 3;

/// The readings of `text` without its disguises; none when it can have none. Every word may be one
/// in a `thorough` reading, otherwise only where one of three letters or more is.
pub(super) fn without(text: &str, thorough: bool) -> Vec<String> {
    let plain = without_lookalikes(text);
    let mut readings = spelt_out(&plain, thorough);
    if let Cow::Owned(plain) = plain {
        readings.push(plain);
    }
    readings
}

/// Letters of other scripts as the ASCII letters that they look like.
fn without_lookalikes(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        if c.is_ascii() {
            plain.push(c);
            continue;
        }
        let before = plain.len();
        plain.extend(skeleton(c.encode_utf8(&mut buffer)));
        if !plain.get(before..).is_some_and(is_letters) {
            plain.truncate(before);
            plain.push(c);
        }
    }
    Cow::Owned(plain)
}

/// ASCII letters, with marks that the normal form drops.
fn is_letters(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// The text with letters for the digits and signs inside words, once for each of the letters that
/// its strokes may stand for. Of a long text, only what stands around such words.
fn spelt_out(text: &str, thorough: bool) -> Vec<String> {
    let has_sign = text.contains(|c| letter(c, 'l').is_some());
    if !has_sign {
        return Vec::new();
    }
    let words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
    let disguised: Vec<usize> = (0..words.len())
        .filter(|at| words.get(*at).is_some_and(|word| is_disguised(word)))
        .collect();
    let mut worth = disguised.iter().filter_map(|at| words.get(*at));
    if !worth.any(|word| thorough || letters(word) >= SHORTEST) {
        return Vec::new();
    }
    let pieces = around(&words, &disguised, text.len());
    let strokes = disguised.iter().filter_map(|at| words.get(*at));
    let strokes: usize = strokes.map(|word| word.matches(is_stroke).count()).sum();
    let told_apart = strokes.min(most_told_apart(text.len()));
    let choices = 0..1_u8 << told_apart;
    choices.map(|choice| spell_out(&pieces, choice, told_apart.max(1))).collect()
}

/// How many letters the word has, disguised or not.
fn letters(word: &str) -> usize {
    word.chars().filter(|c| c.is_alphanumeric() || letter(*c, 'l').is_some()).count()
}

/// How many strokes, one after the other, are read each by itself in a text of so many bytes.
fn most_told_apart(length: usize) -> usize {
    match length {
        0..=128 => 3,
        129..=2048 => 2,
        _ => 1,
    }
}

/// Whether the word mixes letters with digits, or has a sign between letters.
fn is_disguised(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_alphabetic()) && word.contains(|c| letter(c, 'l').is_some())
}

/// The disguised words and those near them; something else for each run of others.
fn around<'t>(words: &[&'t str], disguised: &[usize], length: usize) -> Vec<&'t str> {
    if length <= WHOLE {
        return words.to_vec();
    }
    let mut pieces = Vec::new();
    let mut next = 0;
    for at in disguised {
        let first = at.saturating_sub(AROUND).max(next);
        if first > next {
            pieces.push(GAP);
        }
        next = (at + AROUND + 1).min(words.len()).max(next);
        pieces.extend_from_slice(words.get(first..next).unwrap_or_default());
    }
    pieces
}

/// Each of the `bits` of `choice` says which of two letters a stroke stands for, in turn.
fn spell_out(words: &[&str], choice: u8, bits: usize) -> String {
    let mut out = String::with_capacity(words.iter().map(|word| word.len()).sum());
    let mut strokes = 0;
    for word in words {
        let is_word = is_disguised(word);
        for c in word.chars() {
            let one = if choice >> (strokes % bits) & 1 == 0 { 'l' } else { 'i' };
            strokes += usize::from(is_word && is_stroke(c));
            out.push(letter(c, one).filter(|_| is_word).unwrap_or(c));
        }
    }
    out
}

/// A stroke is an l or an i.
fn is_stroke(c: char) -> bool {
    matches!(c, '1' | '!' | '|')
}

fn letter(c: char, one: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        _ => return None,
    })
}
