//! Where names are found, and what is left over.

use super::{disguise, read, read_disguised};
use crate::fixtures::world;

fn names(text: &str) -> (Vec<String>, Vec<String>) {
    let world = world();
    let reading = read(&world, text);
    (reading.matches.iter().map(|found| found.name.clone()).collect(), reading.leftover)
}

fn check(text: &str, found: &[&str], leftover: &[&str]) {
    let (names, words) = names(text);
    assert_eq!(names, found, "{text:?}");
    assert_eq!(words, leftover, "{text:?}");
}

#[test]
fn names_and_leftover_words_are_told_apart() {
    check("", &[], &[]);
    check("near Taylor Swift's home", &["taylor swift"], &["near", "home"]);
    check("Swift, Taylor", &["taylor swift"], &[]);
    check("Ann Lee Smith and Ann Lee", &["ann lee smith", "ann lee"], &["and"]);
    check("John Smith Taylor Swift Way", &["john smith", "taylor swift way"], &[]);
    check("1 615 555 0100", &["1 615 555 0100", "16155550100"], &[]);
    check("161 5555 0100", &["16155550100"], &[]);
    check("8850 2231", &[], &["8850", "2231"]);
}

#[test]
fn names_that_overlap_are_all_found() {
    check("Ann Lee Ann", &["ann lee", "ann lee"], &[]);
}

#[test]
fn plain_text_wears_no_disguise() {
    for text in ["Taylor Swift", "near 4711", "what?", "a-b", "10 of 20"] {
        assert!(disguise::without(text).is_empty(), "{text}");
    }
}

#[test]
fn disguises_come_off() {
    for (text, plain) in [
        ("T\u{430}yl\u{43e}r", "Taylor"),
        ("T4yl0r", "Taylor"),
        ("Swi|t", "Swilt"),
        ("5w1ft", "swift"),
        ("\u{422}4ylor", "Taylor"),
    ] {
        assert!(disguise::without(text).iter().any(|reading| reading == plain), "{text}");
    }
}

/// `a1` is no disguise of the short name Al.
#[test]
fn short_words_are_not_taken_for_disguised_names() {
    let world = world();
    assert!(read_disguised(&world, "shelf a1").iter().all(|reading| reading.matches.is_empty()));
}
