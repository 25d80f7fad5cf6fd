//! Ids, handles, places, filters, and the shapes of values.

use serde_json::json;

use super::*;
use crate::recognise::How;
use crate::recognise::stage::customer;
use crate::spec::Mode;

const NAMINGS: [Naming; 6] = [
    Naming::Id(None),
    Naming::Handle(None),
    Naming::ClosedText,
    Naming::OpenText,
    Naming::Place(Mode::Closed),
    Naming::Filter,
];

#[test]
fn an_argument_that_is_not_there_is_missing() {
    for naming in NAMINGS {
        let rule = rule(&["x"], naming);
        for arguments in
            [json!({}), json!(null), json!(["x"]), json!({ "x": null }), json!({ "X": "4711" })]
        {
            let named = rule.subjects(&Stage::calm().scene(), &arguments).unwrap();
            assert!(named.missing && named.subjects.is_empty(), "{arguments}");
        }
    }
}

/// What is neither a text nor a whole number names nobody, and could name anybody.
#[test]
fn other_shapes_are_unresolved() {
    for naming in [by_id(), by_handle(), Naming::ClosedText, Naming::OpenText] {
        for bad in [
            json!(true),
            json!(1.5),
            json!(1e30),
            json!([null]),
            json!([["4711"]]),
            json!({ "id": "4711" }),
            json!([{ "id": "4711" }]),
        ] {
            assert_eq!(subjects(&naming, &bad), Err(UnresolvedWhy::NotText), "{bad}");
        }
        for empty in [json!(""), json!([]), json!([""])] {
            assert_eq!(subjects(&naming, &empty), Err(UnresolvedWhy::Empty), "{empty}");
        }
    }
}

#[test]
fn every_element_of_a_list_is_a_subject() {
    for naming in [by_id(), by_handle(), Naming::ClosedText, Naming::OpenText, Naming::Filter] {
        let both = json!(["4711", 4712]);
        assert_eq!(subjects(&naming, &both), Ok(ids(&["4711", "4712"])), "{naming:?}");
    }
    let many: Vec<String> = (0..65).map(|n| format!("zz{n}")).collect();
    assert_eq!(subjects(&by_id(), &json!(many)), Err(UnresolvedWhy::TooMany));
    assert_eq!(subjects(&by_id(), &json!(many[..64])).unwrap().len(), 64);
    // one that cannot be told refuses all
    let one_bad = json!(["Ann Lee", "somebody"]);
    assert_eq!(subjects(&Naming::ClosedText, &one_bad), Err(UnresolvedWhy::Unrecognised));
}

#[test]
fn an_id_is_the_subject_whether_or_not_it_is_known() {
    assert_eq!(subjects(&by_id(), &json!("4711")), Ok(ids(&["4711"])));
    assert_eq!(subjects(&by_id(), &json!(4711)), Ok(ids(&["4711"])));
    assert_eq!(subjects(&by_id(), &json!("unknown")), Ok(ids(&["unknown"])));
    assert_eq!(subjects(&by_id(), &json!(-1)), Ok(ids(&["-1"])));
    let named = named(&Stage::calm(), &by_id(), &json!("4711")).unwrap();
    assert_eq!(named.subjects[0].because.how, How::Id);
    assert_eq!(named.subjects[0].because.name, None);
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
        ("0004711", "4711"),
        ("47-11", "4711"),
        ("#4711", "4711"),
        ("customer/4711", "4711"),
        ("CUST-4711", "4711"),
        ("4711;4712", "4712"),
        ("c-100", "C-100"),
        ("C_100", "C-100"),
        ("c100", "C-100"),
        ("taylor@example.com", "4711"),
        ("Taylor Swift", "4711"),
        ("T\u{430}ylor Swift", "4711"),
        ("ORD-1001", "4711"),
    ] {
        let found = subjects(&by_id(), &json!(sloppy)).unwrap();
        assert!(
            found.contains(&meant.to_owned()) && found.contains(&sloppy.to_owned()),
            "{sloppy}: {found:?}"
        );
    }
    assert_eq!(subjects(&by_id(), &json!("x".repeat(1025))), Err(UnresolvedWhy::TooLong));
}

#[test]
fn an_id_of_another_type_leads_to_its_owner() {
    let of_order = Naming::Id(Some("Order".into()));
    assert_eq!(subjects(&of_order, &json!("ORD-1001")), Ok(ids(&["4711"])));
    assert_eq!(subjects(&of_order, &json!(77)), Ok(ids(&["4711"])));
    assert_eq!(subjects(&of_order, &json!("ord-1002")), Ok(ids(&["4712"])));
    assert!(named(&Stage::calm(), &of_order, &json!("ORD-9")).unwrap().deferred);
    assert!(named(&Stage::calm(), &of_order, &json!("4711")).unwrap().deferred, "no order");
    let of_customer = Naming::Id(Some("Customer".into()));
    assert_eq!(subjects(&of_customer, &json!("unknown")), Ok(ids(&["unknown"])));
}

#[test]
fn a_handle_leads_to_its_owner() {
    for (handle, owner) in [
        ("ORD-1001", &["4711"][..]),
        ("ord 1001 ", &["4711"]),
        ("ORD-1002", &["4712"]),
        ("ORD-1004", &["4713"]),
        ("INV-9", &["4711"]),
        ("4712", &["4712"]),
        ("taylor@example.com", &["4711"]),
        ("John Smith", &["4713", "4714"]),
    ] {
        assert_eq!(subjects(&by_handle(), &json!(handle)), Ok(ids(owner)), "{handle}");
    }
}

#[test]
fn a_handle_that_leads_nowhere_is_left_to_the_answer() {
    for handle in ["ORD-9999", "ORD-1001 ORD-1002", "ORD-1003", "depot-nashville"] {
        let named = named(&Stage::calm(), &by_handle(), &json!(handle)).unwrap();
        assert!(named.deferred && named.subjects.is_empty(), "{handle}");
    }
    assert_eq!(subjects(&by_handle(), &json!("...")), Err(UnresolvedWhy::Empty));
    // one of two is known: the other is still to be resolved
    let two = named(&Stage::calm(), &by_handle(), &json!(["ORD-1001", "ORD-9999"])).unwrap();
    assert!(two.deferred);
    assert_eq!(ids_of(&two), ids(&["4711"]));
    // an order and a place have the number 77: what is meant cannot be told, unless it is said
    assert!(named(&Stage::calm(), &by_handle(), &json!(77)).unwrap().deferred);
    assert_eq!(subjects(&handle_of("Order"), &json!(77)), Ok(ids(&["4711"])));
    assert!(named(&Stage::calm(), &handle_of("Order"), &json!("4711")).unwrap().deferred);
}

#[test]
fn a_handle_that_a_result_has_linked_leads_to_its_owner() {
    let stage = Stage::calm().linked(None, "TRK-1", "4711").linked(Some("Parcel"), "88", "4712");
    assert_eq!(subjects_in(&stage, &by_handle(), &json!("trk 1")), Ok(ids(&["4711"])));
    assert_eq!(subjects_in(&stage, &handle_of("Parcel"), &json!(88)), Ok(ids(&["4712"])));
    assert!(named(&stage, &handle_of("Ticket"), &json!(88)).unwrap().deferred);
    let named = named(&stage, &by_handle(), &json!("TRK-1")).unwrap();
    assert_eq!(named.subjects[0].because.how, How::Handle);
    // the directory knows better
    let stage = Stage::calm().linked(None, "ORD-1001", "4712");
    assert_eq!(subjects_in(&stage, &by_handle(), &json!("ORD-1001")), Ok(ids(&["4711"])));
    // two servers, or two answers, disagree: both
    let stage = Stage::calm().linked(None, "T9", "4711").linked(None, "T9", "4712");
    assert_eq!(subjects_in(&stage, &by_handle(), &json!("T9")), Ok(ids(&["4711", "4712"])));
}

#[test]
fn several_arguments_name_somebody_together() {
    let stage = Stage::calm();
    let rule = rule(&["last", "first"], Naming::ClosedText);
    let read = |arguments: Value| rule.subjects(&stage.scene(), &arguments);
    for arguments in [
        json!({ "first": "Taylor", "last": "Swift" }),
        json!({ "last": "TAYLOR", "first": "swift" }),
        json!({ "first": "T\u{430}ylor", "last": "Swift" }),
        json!({ "first": "Taylor Swift" }),
        json!({ "first": "customer", "last": 4711 }),
    ] {
        let named = read(arguments.clone()).unwrap();
        assert_eq!(ids_of(&named), ids(&["4711"]), "{arguments}");
        assert_eq!(named.subjects[0].because.how, How::Joined);
        assert_eq!(&*named.subjects[0].because.parameter, "last first");
    }
    let three = read(json!({ "first": "Ann Lee", "last": "Smith" })).unwrap();
    assert_eq!(ids_of(&three), ids(&["C-100"]));
    for arguments in [
        json!({ "first": "Taylor" }),
        json!({ "first": "Taylor", "last": "Jones" }),
        json!({ "first": "Taylor", "last": "Swift Street" }),
    ] {
        assert_eq!(read(arguments).unwrap_err().why, UnresolvedWhy::Unrecognised);
    }
    assert!(read(json!({})).unwrap().missing);
    assert_eq!(
        read(json!({ "first": ["Taylor"], "last": "Swift" })).unwrap_err().why,
        UnresolvedWhy::NotText
    );
}

#[test]
fn nested_arguments_are_reached() {
    let rule = rule(&["who.id"], by_handle());
    let stage = Stage::calm();
    let named = rule.subjects(&stage.scene(), &json!({ "who": { "id": "ORD-1001" } })).unwrap();
    assert_eq!(named.subjects[0].uid, customer("4711"));
    assert!(rule.subjects(&stage.scene(), &json!({ "who": "ORD-1001" })).unwrap().missing);
}

#[test]
fn a_place_may_be_given_in_numbers() {
    let place = Naming::Place(Mode::Closed);
    for nobody in [
        json!({ "lat": 36.1627, "lon": -86.7816 }),
        json!({ "latitude": "36.1627", "longitude": "-86.7816", "radius": 500 }),
        json!({ "lat": 36, "lng": -86 }),
        json!([36.1627, -86.7816]),
        json!({ "type": "Point", "coordinates": [-86.7816, 36.1627] }),
        json!([[36.1, -86.7], [36.2, -86.8]]),
        json!({ "postcode": "37203" }),
        json!({ "zip": 37203 }),
        json!("8001"),
        json!("560001"),
        json!("100-0001"),
        json!("01310-100"),
        json!("36.1627,-86.7816"),
        json!("Berlin"),
        json!({ "depot": "Nashville depot" }),
    ] {
        assert_eq!(subjects(&place, &nobody), Ok(ids(&[])), "{nobody}");
    }
    for somebody in [
        json!({ "customer": 4711 }),
        json!({ "name": "Taylor Swift" }),
        json!({ "lat": "Taylor Swift", "lon": 1.5 }),
        json!({ "lat": 36.1, "lon": -86.7, "near": "Taylor Swift" }),
        json!([4711]),
        json!("Taylor Swift's home"),
        json!({ "a": { "b": ["taylor@example.com"] } }),
    ] {
        assert_eq!(subjects(&place, &somebody), Ok(ids(&["4711"])), "{somebody}");
    }
    for unknown in [
        json!({ "name": "somebody" }),
        json!({ "lat": "her home", "lon": 1.5 }),
        json!([47_110_815, 12]),
        json!({ "x": 12 }),
    ] {
        assert_eq!(subjects(&place, &unknown), Err(UnresolvedWhy::Unrecognised), "{unknown}");
    }
    assert_eq!(subjects(&place, &json!({})), Err(UnresolvedWhy::Empty));
    assert_eq!(subjects(&place, &json!(true)), Err(UnresolvedWhy::NotText));
    let open = Naming::Place(Mode::Open);
    assert_eq!(
        subjects(&open, &json!({ "q": "near Taylor Swift in any case" })),
        Ok(ids(&["4711"]))
    );
}

#[test]
fn whoever_is_named_in_a_filter_is_a_subject() {
    for (filter, found) in [
        (json!("name = 'Taylor Swift' and salary > 5"), &["4711"][..]),
        (json!({ "name": { "$eq": "Taylor Swift" } }), &["4711"]),
        (
            json!({ "and": [{ "name": "Ann Lee" }, { "not": { "name": "Taylor Swift" } }] }),
            &["4711", "4712"],
        ),
        (json!({ "first": "Taylor", "last": "Swift" }), &["4711"]),
        (json!({ "last": "Swift", "first": "Taylor" }), &["4711"]),
        (json!({ "customer_id": 5 }), &["5"]),
        (json!({ "customer": [4711, 4712] }), &["4711", "4712"]),
        (json!({ "department": "sales", "age": 5, "active": true }), &[]),
    ] {
        assert_eq!(subjects(&Naming::Filter, &filter), Ok(ids(found)), "{filter}");
    }
    let deep = (0..20).fold(json!("Taylor Swift"), |inner, _| json!({ "not": inner }));
    assert_eq!(subjects(&Naming::Filter, &deep), Err(UnresolvedWhy::NotText));
    let wide = vec!["x"; 2000];
    assert_eq!(subjects(&Naming::Filter, &json!(wide)), Err(UnresolvedWhy::TooMany));
}

#[test]
fn open_text_says_whether_words_are_left_over() {
    let stage = Stage::calm();
    for (text, unresolved) in [
        ("Taylor Swift", false),
        ("near Ann Lee's home", false),
        ("Nashville depot", false),
        ("37203", false),
        ("Berlin", false),
        ("near somebody", true),
        ("Taylor Swift or so", true),
        ("the singer", true),
    ] {
        let named = named(&stage, &Naming::OpenText, &json!(text)).unwrap();
        assert_eq!(named.unresolved, unresolved, "{text}");
    }
}

#[test]
fn too_many_bearers_are_refused_rather_than_cut_off() {
    use kenward_world::{Change, EntityRecord, Source, World};
    let record = |n| EntityRecord {
        kind: "Customer".to_owned(),
        id: format!("n{n}"),
        attributes: serde_json::Map::new(),
        parents: Vec::new(),
        aliases: vec!["John Doe".to_owned()],
    };
    for (count, expected) in [(64, Ok(64)), (65, Err(UnresolvedWhy::TooMany))] {
        let mut stage = Stage::calm();
        let records = (0..count).map(record).collect();
        stage.world = World::empty().apply(&Change::ReplaceAll(Source::Admin, records)).unwrap();
        for naming in [Naming::ClosedText, Naming::OpenText] {
            let found = subjects_in(&stage, &naming, &json!("John Doe"));
            assert_eq!(found.map(|found| found.len()), expected);
        }
    }
}

#[test]
fn what_is_said_of_an_unresolved_argument_holds_nothing_of_it() {
    let error = named(&Stage::calm(), &Naming::ClosedText, &json!("Tailor Secret")).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the argument `x` has words that name nothing in the directory"),
        "{text}"
    );
    assert!(!text.contains("Secret"), "{text}");
}
