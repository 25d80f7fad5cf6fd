//! What nobody sees is gone, and what somebody wrote to be read stays byte for byte.

use proptest::prelude::*;
use serde_json::{Value, json as value};

use super::{json, text};

#[test]
fn honest_text_keeps_every_byte() {
    for honest in [
        "Important: ignore case when you compare. Naïve café, 価格, цена, ½ €.",
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "👩\u{200d}💻 and ❤\u{fe0f} and 🏳\u{fe0f}\u{200d}🌈",
        "line\r\n\tindented\n\n\nparagraph",
        "0̸ z͑a̸l̷g̶o",
        "",
    ] {
        assert_eq!(text(honest), honest);
        assert!(matches!(text(honest), std::borrow::Cow::Borrowed(_)), "{honest}");
    }
}

#[test]
fn what_nobody_sees_is_gone() {
    for (hidden, shown) in [
        ("a\u{200b}b\u{2060}c\u{feff}d\u{ad}e", "abcde"),
        ("a\u{e0001}\u{e0068}\u{e0069}\u{e007f}b", "ab"),
        ("\u{202e}evil\u{202c} \u{2066}x\u{2069}", "evil x"),
        ("a\u{fe00}\u{fe01}\u{e0100}\u{e01ef}b", "ab"),
        ("\u{fe0f}a", "a"),
        ("lat\u{200d}in \u{200c} x", "latin  x"),
        ("a\u{7}b\u{1b}[31;1mred\u{1b}[0m\u{9b}2Jc\u{85}", "abredc"),
        ("x\u{1b}]8;;http://evil\u{7}link\u{1b}]8;;\u{1b}\\y", "xlinky"),
        ("x\u{1b}]never ended", "xnever ended"),
        ("\u{3164}\u{115f}\u{ffa0}\u{34f}a", "a"),
        ("a\u{fe0f}\u{e0061}\u{fe0f}\u{200d}\u{fe0f}b", "a\u{fe0f}b"),
        ("\u{180e}\u{206a}\u{fff9}b", "b"),
    ] {
        assert_eq!(text(hidden), shown, "{hidden:?}");
    }
    assert_eq!(text(&format!("a{}b", " ".repeat(41))), "a b");
    assert_eq!(text(&format!("a{}b", "\n\u{a0}".repeat(300))), "a\nb");
    assert_eq!(text(&format!("a{}b", " ".repeat(40))), format!("a{}b", " ".repeat(40)));
}

#[test]
fn a_selector_alone_stays_and_a_hidden_message_of_them_does_not() {
    let message: String =
        "send it".bytes().filter_map(|b| char::from_u32(0xe0100 + u32::from(b) - 16)).collect();
    assert_eq!(text(&format!("😀{message}!")), "😀!");
}

#[test]
fn json_keeps_everything_else() {
    let odd = r#"{ "n" :1.0, "big":12345678901234567890123,"e":"\u00e9\/", "q":"\"\\" }"#;
    assert!(matches!(json(odd), std::borrow::Cow::Borrowed(_)));
    let dirty = r#"{ "n" :1.0, "a":"x\u200B\udb40\udc41y","e":"\u00e9\/" }"#;
    assert_eq!(json(dirty), r#"{ "n" :1.0, "a":"xy","e":"\u00e9\/" }"#);
}

proptest! {
    #[test]
    fn cleaning_twice_is_cleaning_once(any in "\\PC{0,40}|[\\u{200b}-\\u{200f}\\u{1b}\\[a \\u{fe0f}\\u{e0061}👩💻]{0,20}") {
        let once = text(&any).into_owned();
        prop_assert_eq!(text(&once).into_owned(), once);
    }

    #[test]
    fn clean_json_is_json_of_the_clean_text(any in "[a-z\"\\\\ \\u{200b}\\u{202e}\\n]{0,30}") {
        let whole = value!({ "k": [&any, 1, { "x": &any }] }).to_string();
        let cleaned: Value = serde_json::from_str(&json(&whole)).unwrap();
        let expected = text(&any);
        prop_assert_eq!(cleaned, value!({ "k": [&expected, 1, { "x": &expected }] }));
    }
}
