//! Attacks on the recognition of whom a call is about.

use kenward_model::{EntityUid, Precision};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{FILLERS, UnresolvedWhy, is_coordinate};
use crate::fixtures::{call, call_with, customer};

fn spec(parameter: &Value) -> Value {
    json!({
        "parameters": { "x": parameter },
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.x", "attribute": "nearby_places", "precision": "area" }],
    })
}

fn by_id() -> Value {
    spec(&json!({ "role": "id" }))
}

fn by_handle() -> Value {
    spec(&json!({ "role": "handle" }))
}

fn closed() -> Value {
    spec(&json!({ "role": "text" }))
}

fn open() -> Value {
    spec(&json!({ "role": "text", "mode": "open" }))
}

/// The subjects' ids in order, or why there are none.
fn subjects(spec: &Value, argument: &Value) -> Result<Vec<String>, UnresolvedWhy> {
    let disclosed = call(spec, &json!({ "x": argument })).map_err(|unresolved| {
        assert_eq!(&*unresolved.parameter, "x");
        unresolved.why
    })?;
    let mut ids: Vec<String> = disclosed
        .into_iter()
        .map(|disclosed| {
            assert_eq!(&*disclosed.fact.subject.kind, "Customer");
            assert_eq!(&*disclosed.via, "x");
            (*disclosed.fact.subject.id).to_owned()
        })
        .collect();
    ids.sort();
    Ok(ids)
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn a_fact_carries_attribute_family_and_precision() {
    let disclosed = call(&closed(), &json!({ "x": "Taylor Swift's home" })).unwrap();
    let [only] = disclosed.as_slice() else { panic!("{disclosed:?}") };
    assert_eq!(only.fact.subject, customer("4711"));
    assert_eq!(&*only.fact.attribute, "nearby_places");
    assert_eq!(&*only.fact.family, "location");
    assert_eq!(only.fact.precision, Precision(2));
    assert_eq!(only.recognised.as_deref(), Some("taylor swift"));
}

/// Everything that is neither a text nor a whole number is refused, whatever the role.
#[test]
fn other_shapes_are_unresolved() {
    for spec in [by_id(), by_handle(), closed(), open()] {
        for bad in [
            json!(null),
            json!(true),
            json!(1.5),
            json!(1e30),
            json!([]),
            json!(["4711"]),
            json!({ "id": "4711" }),
        ] {
            assert_eq!(subjects(&spec, &bad), Err(UnresolvedWhy::NotText), "{bad}");
        }
        assert_eq!(subjects(&spec, &json!("")), Err(UnresolvedWhy::Empty));
        for params in [
            json!({}),
            json!({ "arguments": {} }),
            json!({ "arguments": null }),
            json!({ "arguments": ["x"] }),
            json!(null),
        ] {
            let why = call_with(&spec, &params).unwrap_err().why;
            assert_eq!(why, UnresolvedWhy::Missing, "{params}");
        }
        // the name of the argument is exact
        assert_eq!(call(&spec, &json!({ "X": "4711" })).unwrap_err().why, UnresolvedWhy::Missing);
    }
}

#[test]
fn an_id_is_the_subject_whether_or_not_it_is_known() {
    assert_eq!(subjects(&by_id(), &json!("4711")), Ok(ids(&["4711"])));
    assert_eq!(subjects(&by_id(), &json!(4711)), Ok(ids(&["4711"])));
    assert_eq!(subjects(&by_id(), &json!("unknown")), Ok(ids(&["unknown"])));
    assert_eq!(subjects(&by_id(), &json!(-1)), Ok(ids(&["-1"])));
    assert_eq!(call(&by_id(), &json!({ "x": "4711" })).unwrap()[0].recognised, None);
}

/// A server that trims, folds or looks up names must not be reached under a spelling of which the
/// policy knows nothing.
#[test]
fn a_sloppy_id_is_also_whoever_it_could_be() {
    for (sloppy, meant) in [
        (" 4711", "4711"),
        ("4711\n", "4711"),
        ("\u{200b}4711", "4711"),
        ("\u{ff14}\u{ff17}\u{ff11}\u{ff11}", "4711"),
        ("c-100", "C-100"),
        ("C_100", "C-100"),
        ("taylor@example.com", "4711"),
        ("Taylor Swift", "4711"),
        ("ORD-1001", "4711"),
    ] {
        let found = subjects(&by_id(), &json!(sloppy)).unwrap();
        assert!(
            found.contains(&meant.to_owned()) && found.contains(&sloppy.to_owned()),
            "{found:?}"
        );
    }
    assert_eq!(subjects(&by_id(), &json!("x".repeat(1025))), Err(UnresolvedWhy::TooLong));
}

#[test]
fn a_handle_leads_to_its_owner() {
    assert_eq!(subjects(&by_handle(), &json!("ORD-1001")), Ok(ids(&["4711"])));
    assert_eq!(subjects(&by_handle(), &json!("ord 1001 ")), Ok(ids(&["4711"])));
    assert_eq!(subjects(&by_handle(), &json!("ORD-1002")), Ok(ids(&["4712"])));
    assert_eq!(subjects(&by_handle(), &json!("ORD-1004")), Ok(ids(&["4713"])));
    assert_eq!(subjects(&by_handle(), &json!("INV-9")), Ok(ids(&["4711"])), "over the order");
    assert_eq!(subjects(&by_handle(), &json!("4712")), Ok(ids(&["4712"])), "itself");
    assert_eq!(subjects(&by_handle(), &json!("taylor@example.com")), Ok(ids(&["4711"])));
    assert_eq!(subjects(&by_handle(), &json!("John Smith")), Ok(ids(&["4713", "4714"])));
}

#[test]
fn a_handle_that_leads_nowhere_is_unresolved() {
    for (handle, why) in [
        ("ORD-9999", UnresolvedWhy::UnknownHandle),
        ("ORD-1001 ORD-1002", UnresolvedWhy::UnknownHandle),
        ("ORD-1003", UnresolvedWhy::Unrelated),
        ("depot-nashville", UnresolvedWhy::Unrelated),
        ("...", UnresolvedWhy::Empty),
    ] {
        assert_eq!(subjects(&by_handle(), &json!(handle)), Err(why), "{handle}");
    }
}

/// An order and a place have the number 77: what is meant cannot be told, unless it is said.
#[test]
fn an_ambiguous_handle_is_unresolved_until_its_type_is_declared() {
    assert_eq!(subjects(&by_handle(), &json!(77)), Err(UnresolvedWhy::Unrelated));
    let typed = spec(&json!({ "role": "handle", "type": "Order" }));
    assert_eq!(subjects(&typed, &json!(77)), Ok(ids(&["4711"])));
    assert_eq!(subjects(&typed, &json!("4711")), Err(UnresolvedWhy::UnknownHandle));
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
    "4711",
    "account number AC 8850-2231",
    "ac 8850 2231",
    "+1 (615) 555-0100",
    "1-615-555-0100",
    "16155550100",
    "order ORD-1001",
    "INV-9",
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
fn a_disguised_name_is_recognised_in_closed_text() {
    for text in TAYLOR {
        assert_eq!(subjects(&closed(), &json!(text)), Ok(ids(&["4711"])), "{text:?}");
    }
    assert_eq!(subjects(&closed(), &json!(4711)), Ok(ids(&["4711"])));
}

#[test]
fn a_disguised_name_is_recognised_in_open_text() {
    for text in TAYLOR {
        let text = format!("please, what could be close to {text} \u{2014} thanks");
        let found = subjects(&open(), &json!(text)).unwrap();
        assert!(found.contains(&"4711".to_owned()), "{text:?}: {found:?}");
    }
}

/// Nothing of this may pass: some word names nothing.
#[test]
fn what_cannot_be_told_is_unresolved_in_closed_text() {
    for text in [
        "Tailor Swift",
        "Taylor Swit",
        "TaylorSwift",
        "T a y l o r S w i f t",
        "Taylor",
        "Swift",
        "T. Swift",
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
        "4710",
        "37203",
        "somebody@example.com",
        "\u{1f3a4}",
        "  ",
        "'s",
    ] {
        assert_eq!(subjects(&closed(), &json!(text)), Err(UnresolvedWhy::Unrecognised), "{text:?}");
    }
}

#[test]
fn two_names_in_one_text_are_two_subjects() {
    for spec in [closed(), open()] {
        for text in
            ["Taylor Swift and Ann Lee", "Ann Lee, Taylor Swift", "Ann Lee's home near 4711"]
        {
            assert_eq!(subjects(&spec, &json!(text)), Ok(ids(&["4711", "4712"])), "{text}");
        }
        // names that share a word: both
        let text = json!("Ann Lee Swift Taylor");
        assert_eq!(subjects(&spec, &text), Ok(ids(&["4711", "4712"])));
        // a name that several have: each of them
        assert_eq!(subjects(&spec, &json!("John Smith")), Ok(ids(&["4713", "4714"])));
    }
}

#[test]
fn the_longest_name_is_meant() {
    for spec in [closed(), open()] {
        assert_eq!(subjects(&spec, &json!("Ann Lee Smith")), Ok(ids(&["C-100"])));
        assert_eq!(
            subjects(&spec, &json!("Taylor Swift Way")),
            Ok(ids(&[])),
            "a place of that name"
        );
        assert_eq!(
            subjects(&spec, &json!("Taylor Swift Way near Taylor Swift")),
            Ok(ids(&["4711"])),
            "the place does not hide the person"
        );
    }
}

#[test]
fn places_disclose_nothing_about_anybody() {
    for spec in [closed(), open()] {
        for text in [
            "our Nashville depot",
            "the Nashville depot's address",
            "depot-nashville",
            "Depot A1",
            "Central hub",
        ] {
            assert_eq!(subjects(&spec, &json!(text)), Ok(ids(&[])), "{text}");
        }
    }
    assert_eq!(subjects(&closed(), &json!("36.1627, -86.7816")), Ok(ids(&[])));
    assert_eq!(subjects(&closed(), &json!("Nashville depot and Taylor Swift")), Ok(ids(&["4711"])));
}

#[test]
fn diacritics_and_other_scripts_meet_their_aliases() {
    for text in [
        "Jose Lukasz OBrien",
        "JOS\u{c9} \u{141}UKASZ O\u{2019}BRIEN",
        "jose\u{301} lukasz o'brien's",
    ] {
        assert_eq!(subjects(&closed(), &json!(text)), Ok(ids(&["4714"])), "{text}");
    }
    let text = "\u{41f}\u{401}\u{422}\u{420} \u{418}\u{41b}\u{42c}\u{418}\u{41d}";
    assert_eq!(subjects(&closed(), &json!(text)), Ok(ids(&["600"])));
}

#[test]
fn long_texts_are_bounded() {
    let long = "Taylor Swift ".repeat(1000);
    assert_eq!(subjects(&closed(), &json!(long)), Err(UnresolvedWhy::TooLong));
    assert_eq!(subjects(&open(), &json!(long)), Ok(ids(&["4711"])));
    assert_eq!(subjects(&open(), &json!("x".repeat(64 * 1024 + 1))), Err(UnresolvedWhy::TooLong));
    assert_eq!(subjects(&open(), &json!("1 ".repeat(32 * 1024))), Ok(ids(&[])));
}

#[test]
fn too_many_subjects_are_refused_rather_than_cut_off() {
    use kenward_world::{Change, EntityRecord, Source, World};
    let records = (0..65).map(|n| EntityRecord {
        kind: "Customer".to_owned(),
        id: format!("n{n}"),
        attributes: serde_json::Map::new(),
        parents: Vec::new(),
        aliases: vec!["John Doe".to_owned()],
    });
    let records: Vec<EntityRecord> = records.collect();
    for (count, expected) in [(64, Ok(64)), (65, Err(UnresolvedWhy::TooMany))] {
        let some = records.iter().take(count).cloned().collect();
        let world = World::empty().apply(&Change::ReplaceAll(Source::Admin, some)).unwrap();
        let binding = crate::fixtures::binding(&closed());
        let server = crate::fixtures::server();
        let params = json!({ "arguments": { "x": "John Doe" } });
        let operation = kenward_model::Operation {
            server: &server,
            method: "tools/call",
            target: kenward_model::Target::Tool("tool".into()),
            params: &params,
        };
        let found = binding.disclosures(operation.arguments(), &world);
        assert_eq!(found.map(|found| found.len()).map_err(|error| error.why), expected);
    }
}

#[test]
fn one_argument_serves_several_facts_and_nested_arguments_are_reached() {
    let spec = json!({
        "parameters": { "who.id": { "role": "handle" } },
        "discloses": [
            { "of": "Customer", "subject": "$params.arguments.who.id", "attribute": "address" },
            { "of": "Customer", "subject": "$params.arguments.who.id", "attribute": "pay" },
            { "of": "Place", "subject": "$params.arguments.place", "attribute": "stock" },
        ],
    });
    let disclosed =
        call(&spec, &json!({ "who": { "id": "ORD-1001" }, "place": "depot-nashville" })).unwrap();
    let facts: Vec<(EntityUid, &str, &str)> = disclosed
        .iter()
        .map(|d| (d.fact.subject.clone(), &*d.fact.attribute, &*d.fact.family))
        .collect();
    assert_eq!(
        facts,
        [
            (customer("4711"), "address", "location"),
            (customer("4711"), "pay", "pay"),
            (EntityUid::new("Place", "depot-nashville"), "stock", "stock"),
        ]
    );
    // one that cannot be resolved refuses the whole call
    assert!(call(&spec, &json!({ "who": { "id": "ORD-1001" } })).is_err());
    assert!(call(&spec, &json!({ "who": "ORD-1001", "place": "x" })).is_err());
}

#[test]
fn what_is_said_of_an_unresolved_argument_holds_nothing_of_it() {
    let error = call(&closed(), &json!({ "x": "Tailor Secret" })).unwrap_err().to_string();
    assert_eq!(error, "the argument `x` has words that name nothing in the directory");
}

#[test]
fn fillers_can_be_searched() {
    assert!(FILLERS.is_sorted());
}

/// In open text a short name means somebody only when a word says so; in closed text always.
#[test]
fn short_names_in_open_text_want_a_second_sign() {
    for text in ["5 boxes", "deliver 5", "al dente", "no more than 77"] {
        assert_eq!(subjects(&open(), &json!(text)), Ok(ids(&[])), "{text}");
    }
    for text in ["customer 5", "account 5", "for id: 5, please", "Customer #5", "Customer Al"] {
        assert_eq!(subjects(&open(), &json!(text)), Ok(ids(&["5"])), "{text}");
    }
    assert_eq!(subjects(&open(), &json!("order 77")), Ok(ids(&["4711"])));
    assert_eq!(subjects(&closed(), &json!("Al")), Ok(ids(&["5"])));
    assert_eq!(subjects(&closed(), &json!(5)), Ok(ids(&["5"])));
}

#[test]
fn coordinates_are_pairs_of_decimal_degrees_alone() {
    for good in ["36.1627,-86.7816", "36.1627 -86.7816", "36.1627; 86.7816", "-0.5, +179.9"] {
        assert!(is_coordinate(good), "{good}");
    }
    for bad in [
        "36.1627",
        "36,86",
        "36.1 86.7 1.0",
        "91.0 0.0",
        "0.0 181.0",
        "inf nan",
        "1.0e1 2.0",
        "4711 4712",
        "36.1, x",
        "",
    ] {
        assert!(!is_coordinate(bad), "{bad}");
    }
}

proptest! {
    /// Whatever stands around a name, it is found or the call is refused.
    #[test]
    fn a_name_in_closed_text_never_passes_unnoticed(before in ".{0,20}", after in ".{0,20}") {
        let text = format!("{before} Taylor Swift {after}");
        if let Ok(found) = subjects(&closed(), &json!(text)) {
            let place = text.to_lowercase().contains("way");
            prop_assert!(found.contains(&"4711".to_owned()) || place, "{}", text);
        }
    }

    /// Whatever stands around it in open text, it is found unless its words were changed.
    #[test]
    fn a_name_in_open_text_is_found(before in "\\PC{0,200}", after in "\\PC{0,200}") {
        prop_assume!(!after.trim_start().to_lowercase().starts_with("way"));
        let text = format!("{before}, Taylor Swift; {after}");
        let found = subjects(&open(), &json!(text)).unwrap();
        prop_assert!(found.contains(&"4711".to_owned()), "{}", text);
    }

    #[test]
    fn nothing_makes_it_panic(text in any::<String>()) {
        for spec in [by_id(), by_handle(), closed(), open()] {
            drop(subjects(&spec, &json!(text)));
        }
    }
}
