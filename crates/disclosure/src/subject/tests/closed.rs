//! Closed text: everything is either somebody who is known, or refused.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::recognise::How;

fn check(text: &str) -> Result<Vec<String>, UnresolvedWhy> {
    subjects(&Naming::ClosedText, &json!(text))
}

/// Each of these names Taylor Swift and nobody else, and no word is left over.
const TAYLOR: &[&str] = &[
    "Taylor Swift",
    "taylor swift",
    "TAYLOR SWIFT'S HOME",
    "Taylor Swift\u{2019}s house",
    "near the home of Taylor   Swift",
    "Swift, Taylor",
    "SWIFT TAYLOR's place",
    "Tay\u{200b}lor Sw\u{ad}ift",
    "\u{ff34}aylor \u{ff33}wift",
    "T\u{e0}ylor Sw\u{ef}ft",
    "Taylor\u{a0}Swift",
    "Taylor\nSwift",
    "Taylor_Swift",
    "taylor@example.com",
    "TAYLOR@EXAMPLE.COM",
    "customer 4711",
    "customers near 4711",
    "4711",
    "#4711",
    "47-11",
    "account number AC 8850-2231",
    "ac 8850 2231",
    "+1 (615) 555-0100",
    "1-615-555-0100",
    "16155550100",
    "615-555-0100",
    "order ORD-1001",
    "ORD1001",
    "INV-9",
    "T. Swift",
    "37203 near Taylor Swift",
    "Taylor Swift, 36.1627, -86.7816",
    // letters that look alike
    "T\u{430}ylor Swift",
    "\u{422}aylor Sw\u{456}ft",
    "Tayl\u{3bf}r Swift",
    // digits and signs in place of letters
    "T4ylor Sw1ft",
    "Tay1or $wift",
    "T@ylor Swift",
];

#[test]
fn a_disguised_name_is_recognised() {
    for text in TAYLOR {
        assert_eq!(check(text), Ok(ids(&["4711"])), "{text:?}");
    }
    assert_eq!(subjects(&Naming::ClosedText, &json!(4711)), Ok(ids(&["4711"])));
}

#[test]
fn a_name_in_open_text_is_recognised_among_other_words() {
    let signs = ["T. Swift", "ORD", "INV"];
    for text in TAYLOR.iter().filter(|text| !signs.iter().any(|sign| text.contains(sign))) {
        let text = format!("please, what could be close to {text} \u{2014} thanks");
        let found = subjects(&Naming::OpenText, &json!(text)).unwrap();
        assert!(found.contains(&"4711".to_owned()), "{text:?}: {found:?}");
    }
}

/// Nothing of this may pass: some word names nothing.
#[test]
fn what_cannot_be_told_is_unresolved() {
    for text in [
        "Tailor Swift",
        "Taylor Swit",
        "TaylorSwift",
        "T a y l o r S w i f t",
        "Swift",
        "T. S.",
        "the singer of Shake It Off",
        "her home",
        "the home",
        "near our place",
        "Taylor Swift Street",
        "Taylor Swift and her sister",
        "Taylor Swift 9999",
        "Nashville depot or wherever the singer lives",
        "Nashville",
        "VGF5bG9yIFN3aWZ0",
        "tfiwS rolyaT",
        "Gnlybe Fjvsg",
        "%54aylor Swift",
        "5461796c6f72205377696674",
        "4710",
        "555-0100",
        "555 010",
        "37203 37204",
        "84 97 121 108 111 114",
        "10115, SW1A 1AA, 8001 AB",
        "Taylor",
        "customer 37203",
        "account 37203",
        "no. 37203",
        "47110815",
        "somebody@example.com",
        "\u{1f3a4}",
        "  ",
        "'s",
        "36.1627",
        "36.1627, -286.7816",
        "Swift St",
        "868JGQ2M",
    ] {
        assert_eq!(check(text), Err(UnresolvedWhy::Unrecognised), "{text:?}");
    }
    assert_eq!(check(&"Taylor Swift ".repeat(100)), Err(UnresolvedWhy::TooLong));
    assert_eq!(check(""), Err(UnresolvedWhy::Empty));
}

#[test]
fn places_disclose_nothing_about_anybody() {
    for text in [
        "our Nashville depot",
        "the Nashville depot's address",
        "depot-nashville",
        "Depot A1",
        "Central hub",
        "Taylor Swift Way",
        "Berlin",
        "near the Music City Center",
        "Ann Lee Bridge",
        // coordinates
        "36.1627, -86.7816",
        "36.1627,-86.7816",
        "lat: 36.1627, lon: -86.7816",
        "near 36.1627 -86.7816",
        "36.1627\u{b0} N, 86.7816\u{b0} W",
        "N 36.1627 W 86.7816",
        "36\u{b0}9'45.7\"N 86\u{b0}46'53.8\"W",
        "36\u{b0} 9\u{2032} 45\u{2033} N, 86\u{b0} 46\u{2032} 53\u{2033} W",
        "geo:36.1627,-86.7816",
        "geo:36.1627,-86.7816,12;u=35",
        "868JGQ2M+2V",
        "near 868JGQ2M+2VQ",
        // postcodes
        "37203",
        "37203-1234",
        "SW1A 1AA",
        "sw1a1aa",
        "M1 1AE",
        "K1A 0B1",
        "1012 AB",
        "1012AB",
        "00-950",
        "114 55",
        "postal code 1000-001",
        "zip 100-0001",
        "CP 01310-100",
        "D02 AF30",
        "CH-8001",
        "DE 10115",
        "zip 37203",
        "PLZ 8001",
    ] {
        assert_eq!(check(text), Ok(ids(&[])), "{text}");
    }
    assert_eq!(check("Nashville depot and Taylor Swift"), Ok(ids(&["4711"])));
}

#[test]
fn two_names_in_one_text_are_two_subjects() {
    for naming in [Naming::ClosedText, Naming::OpenText] {
        for text in
            ["Taylor Swift and Ann Lee", "Ann Lee, Taylor Swift", "Ann Lee's home near 4711"]
        {
            assert_eq!(subjects(&naming, &json!(text)), Ok(ids(&["4711", "4712"])), "{text}");
        }
        // names that share a word: both
        let text = json!("Ann Lee Swift Taylor");
        assert_eq!(subjects(&naming, &text), Ok(ids(&["4711", "4712"])));
        // a name that several have: each of them
        assert_eq!(subjects(&naming, &json!("John Smith")), Ok(ids(&["4713", "4714"])));
        assert_eq!(subjects(&naming, &json!("Ann Lee Smith")), Ok(ids(&["C-100"])));
        let text = json!("Taylor Swift Way near Taylor Swift");
        assert_eq!(subjects(&naming, &text), Ok(ids(&["4711"])), "the place does not hide them");
    }
}

#[test]
fn short_and_common_names_are_names_in_closed_text() {
    assert_eq!(check("Al"), Ok(ids(&["5"])));
    assert_eq!(check("5"), Ok(ids(&["5"])));
    assert_eq!(check("Will"), Ok(ids(&["4802"])));
    for text in [
        "Jose Lukasz OBrien",
        "JOS\u{c9} \u{141}UKASZ O\u{2019}BRIEN",
        "jose\u{301} lukasz o'brien's",
    ] {
        assert_eq!(check(text), Ok(ids(&["4714"])), "{text}");
    }
}

/// A text that names somebody else for sure names the shadowed one as well, if only just.
#[test]
fn closed_text_under_a_shadow_names_whoever_it_may_mean() {
    let stage = Stage::calm().under(&["4712"]);
    let found = subjects_in(&stage, &Naming::ClosedText, &json!("customer A. Lee")).unwrap();
    assert!(found.contains(&"4712".to_owned()), "{found:?}");
}

#[test]
fn the_chain_from_the_argument_to_the_subject_is_told() {
    let text = "near the home of Taylor   Swift";
    let found = named(&Stage::calm(), &Naming::ClosedText, &json!(text)).unwrap();
    let because = &found.subjects[0].because;
    assert_eq!(because.span.and_then(|(start, end)| text.get(start..end)), Some("Taylor   Swift"));
    assert_eq!((because.name.as_deref(), because.how), (Some("taylor swift"), How::Alias));
    let found = named(&Stage::calm(), &Naming::ClosedText, &json!("order ORD-1001")).unwrap();
    assert_eq!(found.subjects[0].because.how, How::Relation);
}

/// One way to disguise a text.
fn disguise(text: &str, way: u8) -> String {
    let each = |f: &dyn Fn(char) -> String| text.chars().map(f).collect::<String>();
    match way {
        0 => text.to_uppercase(),
        1 => each(&|c| format!("{c}\u{200b}")),
        2 => each(&|c| format!("{c}\u{301}")),
        3 => each(&|c| {
            char::from_u32(u32::from(c) + 0xfee0)
                .filter(|_| c.is_ascii_graphic())
                .unwrap_or(c)
                .into()
        }),
        4 => text.replace('a', "\u{430}").replace('o', "\u{43e}"),
        5 => text.replace(' ', "  "),
        6 => text.replace(' ', "-"),
        7 => text.replace(' ', ""),
        8 => text.split(' ').rev().collect::<Vec<_>>().join(" "),
        9 => text.split(' ').rev().collect::<Vec<_>>().join(", "),
        10 => each(&|c| format!("{c} ")),
        11 => each(&|c| format!("{c}.")),
        12 => text.chars().rev().collect(),
        13 => text.replace('a', "4").replace('o', "0").replace('i', "1"),
        14 => text.replacen('l', "", 1),
        15 => text.replacen('y', "yy", 1),
        16 => text.replacen('w', "v", 1),
        17 => format!("{text}'s"),
        18 => format!("the home of {text}"),
        19 => format!("\u{202e}{text}\u{202c}"),
        20 => each(&|c| format!("%{:02x}", u32::from(c) & 0xff)),
        21 => each(&|c| format!("&#{};", u32::from(c))),
        22 if !text.contains(|c: char| c.is_numeric() || c == '@') => text
            .chars()
            .next()
            .into_iter()
            .chain(". ".chars())
            .chain(text.chars().skip(7))
            .collect(),
        23 => format!("{text} Street"),
        24 => format!("({text})"),
        _ => each(&|c| format!("{c}\u{fe0f}")),
    }
}

proptest! {
    /// Whatever is done to a name, it is that of the same person, or nobody's: refused.
    #[test]
    fn no_disguise_makes_somebody_else_of_a_name(
        name in prop::sample::select(vec!["Taylor Swift", "taylor@example.com", "AC 8850-2231", "+1 615 555 0100"]),
        ways in prop::collection::vec(0_u8..26, 1..4),
    ) {
        let text = ways.iter().fold(name.to_owned(), |text, way| disguise(&text, *way));
        match check(&text) {
            Ok(found) => prop_assert_eq!(found, ids(&["4711"]), "{}", text),
            Err(why) => prop_assert!(
                matches!(why, UnresolvedWhy::Unrecognised | UnresolvedWhy::TooLong), "{text}"
            ),
        }
    }

    /// Whatever stands around a name, it is found or the call is refused.
    #[test]
    fn a_name_never_passes_unnoticed(before in ".{0,20}", after in ".{0,20}") {
        let text = format!("{before} Taylor Swift {after}");
        if let Ok(found) = check(&text) {
            let place = text.to_lowercase().contains("way");
            prop_assert!(found.contains(&"4711".to_owned()) || place, "{}", text);
        }
    }

    #[test]
    fn nothing_makes_it_panic(text in any::<String>()) {
        for naming in [by_id(), by_handle(), Naming::ClosedText, Naming::OpenText, Naming::Filter] {
            drop(subjects_in(&Stage::dark(), &naming, &json!(text)));
        }
    }
}
