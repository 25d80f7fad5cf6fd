//! Takes off the disguises that letters wear.

use std::borrow::Cow;

use unicode_security::skeleton;

/// In texts of at most so many bytes,
const SHORT: usize = 2048;
/// so many strokes are read as one letter and as another.
const MOST_STROKES: usize = 3;

/// The readings of `text` without its disguises; none when it can have none.
pub(super) fn without(text: &str) -> Vec<String> {
    let plain = without_lookalikes(text);
    let mut readings = Vec::new();
    if has_letters_in_numbers(&plain) {
        let strokes = plain.matches(is_stroke).count();
        let most = if plain.len() <= SHORT { MOST_STROKES } else { 1 };
        for choice in 0..1_u8 << strokes.min(most) {
            readings.push(spell_out(&plain, choice, most));
        }
    }
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

/// Whether some word mixes letters with digits, or has a sign between letters.
fn has_letters_in_numbers(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        word.contains(|c: char| c.is_ascii_alphabetic())
            && word.contains(|c| letter(c, 'l').is_some())
    })
}

/// Digits and signs inside words as letters; each bit of `choice` says which of two letters one of
/// the strokes stands for, and the last bit goes for all that are left.
fn spell_out(text: &str, choice: u8, most: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut strokes = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let is_word = word.contains(|c: char| c.is_ascii_alphabetic());
        for c in word.chars() {
            let bit = strokes.min(most - 1);
            strokes += usize::from(is_stroke(c));
            let one = if choice >> bit & 1 == 0 { 'l' } else { 'i' };
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
