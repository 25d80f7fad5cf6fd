//! Without a shadow: what is promised of open texts.

use proptest::prelude::*;

use super::super::stage::{Stage, customer};
use super::super::{How, disguise};
use super::{all_name_taylor, none_names_anybody};

#[test]
fn case_blanks_and_invisible_characters_hide_nobody() {
    all_name_taylor(
        &Stage::calm(),
        &[
            "depots near taylor swift please",
            "TAYLOR SWIFT",
            "tAyLoR sWiFt",
            "Taylor    Swift",
            "Taylor\tSwift",
            "Taylor\nSwift",
            "Taylor\u{a0}Swift",
            "Taylor\u{2003}Swift",
            "Taylor_Swift",
            "Taylor-Swift",
            "Taylor.Swift",
            "Taylor+Swift",
            "Tay\u{200b}lor Sw\u{200d}ift",
            "Tay\u{ad}lor Sw\u{2060}ift",
            "\u{202e}Taylor\u{202c} \u{2066}Swift\u{2069}",
            "T\u{e0061}aylor\u{e0020} Swift",
            "Tay\u{fe0f}lor Swift",
            "T\u{0}aylor Sw\u{7f}ift",
        ],
    );
}

#[test]
fn full_width_marks_and_letters_that_look_alike_hide_nobody() {
    all_name_taylor(
        &Stage::calm(),
        &[
            "\u{ff34}\u{ff41}\u{ff59}\u{ff4c}\u{ff4f}\u{ff52} \u{ff33}\u{ff57}\u{ff49}\u{ff46}\u{ff54}",
            "\u{1d413}\u{1d41a}\u{1d432}\u{1d425}\u{1d428}\u{1d42b} Swift",
            "\u{24c9}\u{24d0}\u{24e8}\u{24db}\u{24de}\u{24e1} Swift",
            "T\u{e0}ylor Sw\u{ef}ft",
            "Ta\u{301}ylor Swif\u{335}t",
            "T\u{430}ylor Swift",
            "\u{422}aylor Sw\u{456}ft",
            "Tayl\u{3bf}r Swift",
            "Taylor \u{405}wift",
            "T4ylor Sw1ft",
            "Tay1or $wift",
            "T@yl0r 5wift",
            "7aylor Swif+",
            "Tay|or Sw!ft",
        ],
    );
}

#[test]
fn order_possessives_addresses_and_numbers_hide_nobody() {
    all_name_taylor(
        &Stage::calm(),
        &[
            "Swift, Taylor",
            "SWIFT TAYLOR",
            "Taylor Swift's home",
            "Taylor Swift\u{2019}s",
            "write to taylor@example.com",
            "TAYLOR@EXAMPLE.COM",
            "taylor at example dot com",
            "taylor (at) example (dot) com",
            "mailto:taylor@example.com?subject=x",
            "+1 (615) 555-0100",
            "1-615-555-0100",
            "16155550100",
            "+1 6155550100",
            "1.615.555.0100",
            "1 6 1 5 5 5 5 0 1 0 0",
            "account AC 8850-2231",
            "ac 8850 2231",
            "order ORD-1001",
            "ord1001",
            "INV 9",
            "customer #4711",
            "CUST-4711",
            "cust4711",
            "id:4711",
            "47-11",
            "customer 0004711",
        ]
        .iter()
        .copied()
        .filter(|text| !text.to_lowercase().contains("ord") && !text.contains("INV"))
        .collect::<Vec<_>>(),
    );
    let stage = Stage::calm();
    for order in ["order ORD-1001", "ord1001", "ORD 1001"] {
        let mentions = stage.mentions(order);
        assert!(
            mentions.iter().any(|m| m.entities.iter().any(|uid| &*uid.id == "ORD-1001")),
            "{order}"
        );
    }
}

#[test]
fn a_denial_names_somebody_all_the_same() {
    all_name_taylor(
        &Stage::calm(),
        &[
            "not Taylor Swift",
            "everyone except Taylor Swift",
            "anybody but Taylor Swift, please",
            "do not use Taylor Swift",
            "without Taylor Swift's orders",
            "ignore Taylor Swift",
            "NOT (name = 'Taylor Swift')",
            "name != \"Taylor Swift\"",
        ],
    );
}

#[test]
fn where_a_name_stands_is_told() {
    let stage = Stage::calm();
    for (text, name) in [
        ("near Taylor Swift's home", "Taylor Swift's"),
        ("for  SWIFT,  Taylor now", "SWIFT,  Taylor"),
        ("\u{201c}T\u{e0}ylor Sw\u{ef}ft\u{201d}", "T\u{e0}ylor Sw\u{ef}ft"),
        ("+1 (615) 555-0100!", "1 (615) 555-0100"),
        ("Jos\u{e9} \u{141}ukasz O\u{2019}Brien lives", "Jos\u{e9} \u{141}ukasz O\u{2019}Brien"),
    ] {
        let mentions = stage.mentions(text);
        let spans: Vec<&str> = mentions.iter().map(|m| text.get(m.start..m.end).unwrap()).collect();
        assert!(spans.contains(&name), "{text}: {spans:?}");
    }
    let [only] = &*stage.mentions("T4ylor Swift") else { panic!("one name") };
    assert_eq!((only.how, &*only.name), (How::Lookalike, "taylor swift"));
}

/// Nothing of this means anybody.
#[test]
fn texts_about_nobody_name_nobody() {
    none_names_anybody(
        &Stage::calm(),
        &[
            "our Nashville depot",
            "Taylor",
            "Swift delivery, please",
            "a tailor who is swift",
            "Brown paint, two buckets",
            "it will rain in May",
            "will the parcel come in June?",
            "al dente",
            "5 boxes of 77 pieces",
            "no more than 5",
            "between 1999 and 2024",
            "shelf a1",
            "Paris in April",
            "Paris and Hilton Head Island",
            "Hilton hotel, Paris",
            "36.1627, -86.7816",
            "geo:36.1627,-86.7816",
            "37203",
            "Kent Smith and Taylor Jones",
            "Smith & Wesson",
            "the singer of Shake It Off",
            "Swift 5 Apple Watch",
            "Ann Taylor dress",
            "version 4.7.1",
            "costs 12.50",
            "100 boxes",
        ],
    );
}

#[test]
fn near_names_mean_their_bearers() {
    let stage = Stage::calm();
    for (text, ids) in [
        ("depots near Taylor Smith", &["4803"][..]),
        ("Ann Lee Smith", &["C-100"]),
        ("Ann Lee", &["4712"]),
        ("John Smith", &["4713", "4714"]),
        ("Will Brown's paint", &["4802"]),
        ("Taylor Smith and Taylor Swift", &["4711", "4803"]),
        ("\u{41f}\u{401}\u{422}\u{420} \u{418}\u{41b}\u{42c}\u{418}\u{41d}", &["600"]),
    ] {
        assert_eq!(stage.customers(text), ids, "{text}");
    }
}

#[test]
fn a_place_that_is_named_after_somebody_is_a_place() {
    let stage = Stage::calm();
    for text in [
        "Taylor Swift Street",
        "paris hilton hotel",
        "the Paris Hilton Hotel lobby",
        "Taylor Swift stadium, gate 4",
        "John Smith School",
        "Ann-Lee-Platz",
        "Ann Lee Stra\u{df}e",
        "John Smith airport",
        "Taylor Swift Museum",
        "Paris Hilton restaurant",
        "Ann Lee Bridge",
        "Taylor Swift Way",
    ] {
        assert_eq!(stage.customers(text), Vec::<String>::new(), "{text}");
    }
    // where the person is named, the place does not hide them
    for (text, id) in [
        ("Taylor Swift's hotel", "4711"),
        ("Taylor Swift, hotel", "4711"),
        ("Taylor Swift. Street?", "4711"),
        ("hotel of Taylor Swift", "4711"),
        ("Taylor Swift Street and Taylor Swift", "4711"),
        ("Taylor Swift Street, customer 4711", "4711"),
        ("Taylor Swift home", "4711"),
        ("Taylor Swift close by", "4711"),
        ("Taylor Swift drive time", "4711"),
        ("4711 Street", "4711"),
        ("May June Hotel", "4804"),
    ] {
        assert!(stage.customers(text).contains(&id.to_owned()), "{text}");
    }
}

/// A name that any text could have means somebody only when something says so.
#[test]
fn a_common_name_wants_a_second_sign() {
    let stage = Stage::calm();
    for text in [
        "customer Will",
        "Mr. Will",
        "client: Will",
        "Will, customer",
        "brown, will",
        "Herr Will",
        "will 4802",
    ] {
        assert_eq!(stage.customers(text), ["4802"], "{text}");
    }
    for text in ["customer 5", "account 5", "for id: 5, please", "Customer #5", "Customer Al"] {
        assert_eq!(stage.customers(text), ["5"], "{text}");
    }
    // an initial with a last name, and the front of an address
    for text in ["customer T. Swift", "mr t swift", "T. Swift (customer)", "customer Swift, T."] {
        assert!(stage.names_taylor(text), "{text}");
    }
    none_names_anybody(
        &stage,
        &["t swift", "will", "will you buy brown paint?", "T. Swift is a plane"],
    );
}

#[test]
fn handles_that_results_have_linked_are_known() {
    let stage =
        Stage::calm().linked(None, "TRK-998877", "4711").linked(Some("Ticket"), "55443", "4712");
    assert_eq!(stage.customers("where is TRK-998877?"), ["4711"]);
    assert_eq!(stage.customers("where is trk 998877"), ["4711"]);
    assert_eq!(stage.customers("ticket 55443"), ["4712"]);
    assert_eq!(stage.customers("invoice 55443"), Vec::<String>::new(), "another kind");
}

#[test]
fn plain_text_wears_no_disguise() {
    for text in ["Taylor Swift", "near 4711", "what?", "a-b", "10 of 20"] {
        assert!(disguise::without(text, true).is_empty(), "{text}");
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
        assert!(disguise::without(text, false).iter().any(|reading| reading == plain), "{text}");
    }
}

#[test]
fn every_candidate_is_told() {
    let found = Stage::calm().mentions("john smith");
    let [only] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(only.entities, [customer("4713"), customer("4714")]);
}

proptest! {
    /// Whatever stands around a name, it is found unless its words were changed.
    #[test]
    fn a_name_is_found_whatever_stands_around_it(before in "\\PC{0,200}", after in "\\PC{0,200}") {
        let text = format!("{before}, Taylor Swift; {after}");
        prop_assert!(Stage::calm().names_taylor(&text), "{}", text);
    }

    /// Words that are no part of any name name nobody.
    #[test]
    fn strings_without_a_word_of_a_name_name_nobody(text in "[bdfgh]{1,6}( [bdfgh]{1,6}){0,30}") {
        prop_assert!(Stage::calm().mentions(&text).is_empty(), "{}", text);
    }

    #[test]
    fn spans_lie_in_the_text(text in any::<String>()) {
        for mention in Stage::dark().mentions(&text) {
            prop_assert!(text.get(mention.start..mention.end).is_some());
        }
    }
}
