//! Disguises of one name, and the laws of the normal form.

use proptest::prelude::*;

use super::{normalise, tokens};

/// Each must become `taylor swift`.
const SAME: &[&str] = &[
    "Taylor Swift",
    "  taylor\t\r\n SWIFT ",
    "Taylor Swift's",
    "Taylor Swift\u{2019}s",
    "Taylor Swift\u{02bc}s",
    "Taylor Swift\u{ff07}s",
    "Taylor Swift\u{00b4}s",
    "TAYLOR SWIFT'S",
    "Tay\u{200b}lor Sw\u{00ad}ift",
    "T\u{feff}aylor\u{2060} S\u{e0061}wift",
    "\u{202e}Taylor\u{202c} Swift",
    "Tay\u{3164}lor Swi\u{ffa0}ft",
    "Tay\0lor Swif\x1bt\x7f",
    "\u{ff34}\u{ff41}\u{ff59}\u{ff4c}\u{ff4f}\u{ff52}\u{3000}\u{ff33}\u{ff57}\u{ff49}\u{ff46}\u{ff54}",
    "T\u{e0}yl\u{f6}r Sw\u{ef}ft",
    "Ta\u{301}ylo\u{308}\u{323}r Swif\u{20e3}t",
    "T\u{e1}yl\u{f8}r Sw\u{131}ft",
    "\u{1d413}\u{1d41a}\u{1d432}\u{1d425}\u{1d428}\u{1d42b} \u{1d412}\u{1d430}\u{1d422}\u{1d41f}\u{1d42d}",
    "Taylor\u{a0}Swift",
    "Taylor\u{2028}Swift",
    "Taylor-Swift",
    "Taylor_Swift!",
    "Taylor\u{2014}Swift.",
    "\"Taylor\" (Swift)",
    "Taylor \u{1f3a4} Swift",
    "Taylor \u{17f}wi\u{fe0f}ft",
];

#[test]
fn every_spelling_is_the_same_words() {
    for text in SAME {
        assert_eq!(normalise(text), "taylor swift", "{text:?}");
    }
}

#[test]
fn letters_meet_their_plain_spelling() {
    for (text, plain) in [
        ("\u{141}ukasz", "lukasz"),
        ("J\u{f8}rgen \u{c6}r\u{f8}", "jorgen aero"),
        ("STRASSE", "strasse"),
        ("Stra\u{df}e", "strasse"),
        ("Stra\u{1e9e}e", "strasse"),
        ("o\u{fb03}ce", "office"),
        ("\u{130}stanbul", "istanbul"),
        (
            "\u{3a3}\u{3a9}\u{3ba}\u{3c1}\u{3ac}\u{3c4}\u{3b7}\u{3c2}",
            "\u{3c3}\u{3c9}\u{3ba}\u{3c1}\u{3b1}\u{3c4}\u{3b7}\u{3c3}",
        ),
    ] {
        assert_eq!(normalise(text), plain, "{text:?}");
    }
}

#[test]
fn an_apostrophe_joins_and_only_a_possessive_leaves() {
    for (text, plain) in [
        ("O'Brien", "obrien"),
        ("O\u{2019}Brien's house", "obrien house"),
        ("James' house", "james house"),
        ("'s", "s"),
        ("its", "its"),
        ("swifts", "swifts"),
        ("a's's", "as"),
    ] {
        assert_eq!(normalise(text), plain, "{text:?}");
    }
}

#[test]
fn addresses_and_numbers_fall_apart_at_their_separators() {
    assert_eq!(normalise("Taylor@Example.com"), "taylor example com");
    assert_eq!(normalise("+1 (615) 555-0100"), "1 615 555 0100");
    assert_eq!(normalise("\u{661}\u{662}"), "\u{661}\u{662}");
    assert_eq!(normalise("\u{2462}"), "3");
}

#[test]
fn nothing_is_left_of_nothing() {
    for text in ["", " ", "\u{200b}\u{feff}", "!?\u{2026}", "'", "\u{301}"] {
        assert_eq!(normalise(text), "", "{text:?}");
        assert!(tokens(&normalise(text)).is_empty());
    }
}

proptest! {
    #[test]
    fn the_normal_form_stays_as_it_is(text in "\\PC*|[a-zA-Z' \u{df}\u{130}\u{149}\u{1f0}\u{390}\u{587}]{0,12}|.*") {
        let once = normalise(&text);
        prop_assert_eq!(&normalise(&once), &once);
    }

    #[test]
    fn words_are_divided_by_one_blank(text in any::<String>()) {
        let normal = normalise(&text);
        prop_assert_eq!(tokens(&normal).join(" "), normal);
    }

    #[test]
    fn invisible_characters_change_nothing(
        text in "[A-Za-z0-9' .\u{e9}]{0,20}",
        at in 0_usize..20,
        invisible in prop::sample::select(vec!['\u{200b}', '\u{200d}', '\u{ad}', '\u{feff}', '\u{301}', '\u{e0041}', '\0']),
    ) {
        let mut disguised: Vec<char> = text.chars().collect();
        disguised.insert(at.min(disguised.len()), invisible);
        let disguised: String = disguised.into_iter().collect();
        prop_assert_eq!(normalise(&disguised), normalise(&text));
    }

    #[test]
    fn case_changes_nothing(text in "[a-zA-Z \u{e0}-\u{fd}\u{3b1}-\u{3c9}\u{430}-\u{44f}]{0,20}") {
        prop_assert_eq!(normalise(&text.to_uppercase()), normalise(&text));
    }
}
