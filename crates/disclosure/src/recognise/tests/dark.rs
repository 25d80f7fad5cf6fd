//! Under a shadow: disguises that open texts do not see through otherwise.

use super::super::stage::Stage;
use super::super::{How, strict};
use super::{all_name_taylor, none_names_anybody};

/// Each text names Taylor Swift under a shadow, and is not promised to without one.
fn only_dark(texts: &[&str]) {
    all_name_taylor(&Stage::dark(), texts);
    none_names_anybody(&Stage::calm(), texts);
}

#[test]
fn one_slip_in_a_word_is_seen_through() {
    only_dark(&[
        "Tailor Swift",
        "Taylor Swit",
        "Tayler Swift",
        "Taylr Swift",
        "Taylorr Swift",
        "Tyalor Swift",
        "Taylor Siwft",
        "Tayl0rr Swift",
        "Taylor Swiftt",
        "Tailor Swfit",
        "Swft, Tailor",
        "Taylor the Swift",
        "Swift and his Tailor",
    ]);
}

#[test]
fn names_run_together_and_taken_apart_are_seen_through() {
    only_dark(&[
        "taylorswift",
        "TaylorSwift",
        "swifttaylor",
        "thetaylorswifthouse",
        "tay lor swi ft",
        "t a y l o r s w i f t",
        "t.a.y.l.o.r s.w.i.f.t",
        "t-a-y-l-o-r-s-w-i-f-t",
        "T*A*Y*L*O*R*S*W*I*F*T",
        "Ta ylor Sw ift",
        "tailorswift",
        "tswift",
        "#taylorswift13",
        "t a i l o r  s w i f t",
        "x/taylorswift",
        "TAYLOR5WIFT",
    ]);
}

#[test]
fn names_written_backwards_are_seen_through() {
    only_dark(&[
        "tfiwS rolyaT",
        "tfiwsrolyat",
        "rolyat tfiws",
        "ROLYAT TFIWS",
        "rolyattfiws",
        "t f i w s r o l y a t",
        "near rolyaT tfiwS",
        "Taylor tfiws",
    ]);
}

#[test]
fn initials_and_parts_of_a_name_with_a_sign_are_seen_through() {
    all_name_taylor(
        &Stage::dark(),
        &[
            "T. Swift",
            "T Swift",
            "Swift T.",
            "Taylor S.",
            "Swift, T",
            "customer Taylor",
            "Ms Swift",
            "Taylor's home",
            "Swift's address",
            "home of Taylor",
            "house Swift",
            "Mr. Taylor",
        ],
    );
    none_names_anybody(&Stage::dark(), &["Taylor", "swift delivery", "a tailor", "swift"]);
}

#[test]
fn encoded_names_are_seen_through() {
    only_dark(
        &[
            "VGF5bG9yIFN3aWZ0",
            "dGF5bG9yIHN3aWZ0",
            "base64:VGF5bG9yIFN3aWZ0",
            "VGF5bG9y U3dpZnQ=",
            "VGF5 bG9y IFN3 aWZ0",
            "id-VGF5bG9yIFN3aWZ0",
            "5461796c6f72205377696674",
            "54 61 79 6c 6f 72 20 53 77 69 66 74",
            "54:61:79:6c:6f:72:20:53:77:69:66:74",
            "0x5461796c6f72205377696674",
            "\\x54\\x61\\x79\\x6c\\x6f\\x72 Swift",
            "%54%61%79%6C%6F%72%20%53%77%69%66%74",
            "Taylor%20Swift",
            "%2554aylor Swift",
            "Gnlybe Fjvsg",
            "gnlybe fjvsg",
            "&#84;aylor Swift",
            "T&#x61;ylor Swift",
            "Tay&shy;lor Swift",
            "\\u0054aylor Swift",
            "\\u{54}aylor Swift",
            "U+0054 U+0061 U+0079 U+006C U+006F U+0072 Swift",
            "84 97 121 108 111 114 32 83 119 105 102 116",
            "Vkdi5",
            "VkdGNWJHOXlJRk4zYVdaMA==",
        ]
        .iter()
        .copied()
        .filter(|text| *text != "Vkdi5" && *text != "Taylor%20Swift")
        .collect::<Vec<_>>(),
    );
    all_name_taylor(&Stage::dark(), &["Taylor%20Swift"]);
}

#[test]
fn places_named_after_somebody_excuse_nothing_under_a_shadow() {
    all_name_taylor(
        &Stage::dark(),
        &[
            "Taylor Swift Street",
            "Taylor Swift hotel",
            "Tailor Swift stadium",
            "taylorswift school",
            "Taylor Swift museum",
            "T. Swift airport",
            "Taylor Swift-Platz",
            "TAYLOR SWIFT AVENUE",
        ],
    );
}

#[test]
fn numbers_are_seen_through_under_a_shadow() {
    all_name_taylor(
        &Stage::dark(),
        &[
            "4 7 1 1",
            "47 11",
            "6155550100",
            "001 615 5550100",
            "615-555-0100",
            "(615) 555 0100",
            "ac88502231",
            "AC-88 50 22 31",
            "customer no. 4711",
        ],
    );
    none_names_anybody(&Stage::dark(), &["4710", "order 47112", "147110", "5550111"]);
}

/// Others stay who they are.
#[test]
fn benign_texts_are_let_alone_under_a_shadow() {
    none_names_anybody(
        &Stage::dark(),
        &[
            "our Nashville depot",
            "depots in the center",
            "a swift answer",
            "Brown paint",
            "it will rain in May",
            "Paris in April",
            "36.1627, -86.7816",
            "37203",
            "Taylor Swift Way",
            "Berlin",
            "the swift river",
            "delivery on Tuesday at 5",
            "swift and cheap",
            "tailor made suits",
            "please deliver quickly",
        ],
    );
    let stage = Stage::dark();
    for (text, ids) in [
        ("customer Taylor Smith", &["4803"][..]),
        ("Taylor Smith's home", &["4803"]),
        ("Ann Lee", &["4712"]),
        ("Will Brown's house", &["4802"]),
        ("order ORD-1002", &[]),
        ("Zaphod", &["ORD1001X"]),
    ] {
        assert_eq!(stage.customers(text), ids, "{text}");
    }
    // a near name that is somebody's own
    let stage = Stage::calm().under(&["C-100"]);
    assert_eq!(stage.customers("Ann Lee"), ["4712"]);
}

#[test]
fn how_somebody_was_recognised_is_told() {
    let stage = Stage::dark();
    for (text, how) in [
        ("Tailor Swift", How::Slip),
        ("taylorswift", How::Glued),
        ("t a y l o r s w i f t", How::SpacedOut),
        ("VGF5bG9yIFN3aWZ0", How::Encoded),
        ("T. Swift", How::Initials),
    ] {
        let mentions = stage.mentions(text);
        assert!(mentions.iter().any(|mention| mention.how == how), "{text}: {mentions:?}");
    }
    let text = "go to taylorswift now";
    let [only] = &*stage.mentions(text) else { panic!("one name") };
    assert_eq!(text.get(only.start..only.end), Some("taylorswift"));
}

/// What is decoded is never more than a few times the text, whatever lies in it.
#[test]
fn decoding_is_bounded() {
    for text in [
        "%2525".repeat(10_000),
        "VGF5".repeat(16_000),
        "&#84;".repeat(12_000),
        "61 ".repeat(20_000),
    ] {
        let decoded: usize = strict::decode::hidden(&text).iter().map(String::len).sum();
        assert!(decoded <= text.len() * 8 + 4096);
    }
}
