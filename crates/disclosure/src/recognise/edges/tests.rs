//! The quick way never denies a word that is looked for.

use proptest::prelude::*;

use super::super::slip;
use super::{Edges, Starts};

/// Every word that is one slip away.
fn slips(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let mut slips = vec![word.to_owned()];
    for at in 0..=letters.len() {
        let (head, tail) = letters.split_at(at);
        let text = |parts: &[&[char]]| parts.concat().into_iter().collect::<String>();
        slips.push(text(&[head, &['x'], tail]));
        if let Some((first, rest)) = tail.split_first() {
            slips.push(text(&[head, rest]));
            slips.push(text(&[head, &['x'], rest]));
            if let Some((second, rest)) = rest.split_first() {
                slips.push(text(&[head, &[*second, *first], rest]));
            }
        }
    }
    slips
}

proptest! {
    #[test]
    fn no_slip_is_missed(word in "[abcдé]{4,14}", others in prop::collection::vec("[a-f]{1,9}", 0..9)) {
        let words: Vec<&str> = others.iter().map(String::as_str).chain([&*word]).collect();
        let edges = Edges::of(words.iter().copied());
        for slip in slips(&word) {
            prop_assert!(slip::is_one(&slip, &word), "{slip}");
            let count = slip.chars().count();
            prop_assert!(edges.may_be(slip.chars(), count), "{slip}");
            let backwards: String = slip.chars().rev().collect();
            prop_assert!(edges.may_be(backwards.chars().rev(), count), "{slip} backwards");
        }
    }
}

#[test]
fn most_words_are_told_from_those_that_are_looked_for() {
    let words = ["taylor", "swift", "taylorswift", "swifttaylor", "tswift"];
    let edges = Edges::of(words.into_iter());
    let others = "please deliver the parcel before noon and ring twice because nobody is at home \
                  in the morning thank you very much indeed";
    let met = others.split(' ').filter(|word| edges.may_be(word.chars(), word.chars().count()));
    assert!(met.count() <= 1);
    assert!(!Edges::default().may_be("taylor".chars(), 6), "nobody is looked for");
}

#[test]
fn starts_are_held_and_others_hardly_ever() {
    let starts = Starts::of([*b"tayl", *b"swif"].into_iter());
    assert!(starts.may_hold(*b"tayl") && starts.may_hold(*b"swif"));
    assert!(!starts.may_hold(*b"nash"));
    assert!(!Starts::default().may_hold(*b"tayl"));
}
