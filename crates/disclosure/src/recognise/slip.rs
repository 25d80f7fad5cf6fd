//! One slip of the pen: a letter too many, too few, another one, or two in the wrong order.

/// Calls `each` with the word, and with what is left of it without one of its letters: two words
/// with one slip between them have one of those in common.
pub(super) fn shortened(word: &str, mut each: impl FnMut(&str)) {
    each(word);
    let mut rest = String::with_capacity(word.len());
    for (at, c) in word.char_indices() {
        rest.clear();
        rest.push_str(word.get(..at).unwrap_or_default());
        rest.push_str(word.get(at + c.len_utf8()..).unwrap_or_default());
        each(&rest);
    }
}

/// Whether the words differ by one slip, or not at all (Damerau 1964).
pub(super) fn is_one(one: &str, other: &str) -> bool {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let head = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let tail = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let left =
        |word: &[char]| word.len() - (head + tail).min(word.len().min(one.len().min(other.len())));
    let (a, b) = (left(&one), left(&other));
    let swapped = || {
        let at = |word: &[char], index: usize| word.get(index).copied();
        at(&one, head) == at(&other, head + 1) && at(&one, head + 1) == at(&other, head)
    };
    match (a, b) {
        (0 | 1, 0 | 1) => true,
        (2, 2) => swapped(),
        _ => false,
    }
}
