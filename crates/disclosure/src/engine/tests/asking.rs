//! What is asked, and what follows.

use serde_json::json;

use super::super::trial::{Trial, fact};
use super::super::{Why, could_be_asked};
use crate::fixtures::customer;
use crate::history::Entry;
use crate::subject::UnresolvedWhy;

fn mosaic() -> Trial {
    Trial::new()
        .tells("get_zip", "zip")
        .tells("get_birth_date", "birth_date")
        .tells("get_gender", "gender")
}

fn unresolved(result: Result<(), Why>) -> UnresolvedWhy {
    match result {
        Err(Why::Unresolved(unresolved)) => unresolved.why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_fact_is_asked_and_then_what_follows() {
    let mut trial = Trial::new().tells("near", "nearby_places");
    assert_eq!(trial.about("near", "4711"), Ok(()));
    let expected = [
        (fact("4711", "nearby_places", "location", 0), false),
        (fact("4711", "address", "location", 2), true),
    ];
    assert_eq!(trial.asked, expected);
    trial.refuse("4711", "address", 3);
    assert_eq!(trial.about("near", "4712"), Ok(()), "somebody else");
    let refused = trial.call("near", &json!({ "id": "4711" })).unwrap_err();
    assert_eq!(refused.why, Why::Fact(fact("4711", "address", "location", 2)));
    assert!(refused.inferred);
    assert_eq!(refused.subject, Some(customer("4711")));
}

#[test]
fn a_mosaic_is_stopped_at_its_last_stone_whatever_the_order() {
    for order in [
        ["get_zip", "get_birth_date", "get_gender"],
        ["get_gender", "get_zip", "get_birth_date"],
        ["get_birth_date", "get_gender", "get_zip"],
    ] {
        let mut trial = mosaic();
        trial.refuse("4711", "identity", 0);
        let [first, second, third] = order;
        assert_eq!(trial.about(first, "4711"), Ok(()));
        assert_eq!(trial.about(second, "4711"), Ok(()));
        assert_eq!(
            trial.about(third, "4711"),
            Err(Why::Fact(fact("4711", "identity", "identity", 0)))
        );
        assert_eq!(trial.about(third, "4712"), Ok(()), "a stone of another mosaic");
        assert_eq!(trial.about(first, "4711"), Ok(()), "a repeat of what is known");
        // Whoever leaves the history out lets it through: the history is what stops it.
        trial.settings.ledger = false;
        trial.settings.shadows = false;
        assert_eq!(trial.about(third, "4711"), Ok(()));
    }
}

#[test]
fn what_is_under_way_counts_and_what_never_came_does_not() {
    let mut trial = mosaic();
    trial.refuse("4711", "identity", 0);
    let arguments = json!({ "id": "4711" });
    trial.start("get_zip", &arguments);
    let first = trial.last();
    trial.start("get_birth_date", &arguments);
    assert!(trial.start("get_gender", &arguments).stop.is_some());
    trial.history.apply(&Entry::Undone(first));
    trial.settings.shadows = false;
    assert!(trial.start("get_gender", &arguments).stop.is_none());
    assert!(trial.start("get_zip", &arguments).stop.is_some());
}

/// What a call under way would tell may be undone: what would follow from it is not known for
/// sure, and is asked again.
#[test]
fn what_follows_from_what_is_under_way_is_not_taken_for_known() {
    let mut trial = Trial::new().tells("near", "nearby_places").tells("list", "nearby_places");
    let arguments = json!({ "id": "4711" });
    trial.start("near", &arguments);
    let near = trial.last();
    trial.refuse("4711", "address", 3);
    assert!(trial.start("list", &arguments).stop.is_some());
    trial.history.apply(&Entry::Undone(near));
    assert!(trial.start("list", &arguments).stop.is_some());
}

#[test]
fn what_is_known_and_refused_by_now_is_not_repeated() {
    let mut trial = mosaic().tells("near", "nearby_places");
    for tool in ["get_zip", "get_birth_date", "get_gender", "near"] {
        assert_eq!(trial.about(tool, "4711"), Ok(()));
    }
    trial.refuse("4711", "identity", 0);
    assert_eq!(trial.about("get_zip", "4711"), Ok(()), "tells nothing that was not known");
    trial.refuse("4711", "zip", 0);
    assert!(trial.about("get_zip", "4711").is_err());
    trial.refuse("4711", "address", 3);
    assert!(trial.about("near", "4711").is_err(), "it follows from this answer alone");
}

#[test]
fn several_answers_narrow_down_what_one_does_not() {
    let spec = json!({
        "parameters": { "near": { "role": "text" }, "radius": { "role": "value" } },
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.near",
                        "attribute": "nearby_places", "precision": "area" }],
    });
    let mut trial = Trial::new().bind("find", &spec);
    trial.refuse("4711", "address", 1);
    let mut find = |radius: u64, who: &str| {
        trial.call("find", &json!({ "near": who, "radius": radius })).map(drop).map_err(|s| s.why)
    };
    assert_eq!(find(1, "Taylor Swift"), Ok(()));
    assert_eq!(find(1, "Taylor Swift"), Ok(()), "the same answer tells nothing new");
    assert_eq!(find(1, "Taylor Swift"), Ok(()));
    assert_eq!(find(2, "Taylor Swift"), Ok(()));
    assert_eq!(find(3, "Ann Lee"), Ok(()));
    assert_eq!(find(3, "Taylor Swift"), Err(Why::Fact(fact("4711", "address", "location", 1))));
}

#[test]
fn the_same_answer_is_reserved_once() {
    let mut trial = mosaic();
    assert!(!trial.call("get_zip", &json!({ "id": "4711" })).unwrap().entries.is_empty());
    assert!(trial.call("get_zip", &json!({ "id": "4711" })).unwrap().entries.is_empty());
    // A reservation of another call may be undone: it does not stand for one of our own.
    trial.start("get_gender", &json!({ "id": "4711" }));
    assert!(!trial.start("get_gender", &json!({ "id": "4711" })).entries.is_empty());
}

#[test]
fn own_data_needs_no_permission_and_bears_a_refusal() {
    let mut trial = mosaic();
    trial.person = customer("4712");
    trial.silent = vec![customer("4711"), customer("4712")];
    assert_eq!(trial.about("get_zip", "4712"), Ok(()));
    assert!(trial.about("get_zip", "4711").is_err());
    trial.refuse("4712", "zip", 0);
    assert!(trial.about("get_zip", "4712").is_err());
    assert_eq!(trial.history.shadows(trial.now).count(), 1, "none on one's own data");
    assert_eq!(trial.about("get_gender", "4712"), Ok(()));
}

#[test]
fn whom_a_call_is_about_must_be_said() {
    let spec = json!({ "discloses": [
        { "of": "Customer", "subject": "$params.arguments.id", "attribute": "zip" },
        { "of": "Customer", "subject": "$params.arguments.mail", "attribute": "zip" },
        { "of": "Customer", "subject": "$params.arguments.id", "attribute": "eta" },
        { "of": "Customer", "in_result": "$.customer", "attribute": "eta" },
    ], "parameters": { "mail": { "role": "text" } } });
    let mut trial = Trial::new().bind("get", &spec);
    let mut call = |arguments| trial.call("get", &arguments).map(drop).map_err(|stop| stop.why);
    assert_eq!(call(json!({ "id": "4711" })), Ok(()), "the other argument is covered");
    assert_eq!(
        call(json!({ "mail": "taylor@example.com" })),
        Ok(()),
        "and the answer tells the rest"
    );
    assert_eq!(unresolved(call(json!({}))), UnresolvedWhy::Missing);
    assert_eq!(unresolved(call(json!({ "id": null, "mail": null }))), UnresolvedWhy::Missing);

    let open = json!({ "discloses": [
        { "of": "Customer", "subject": "$params.arguments.id", "attribute": "zip" },
        { "of": "Customer", "subject": "$params.arguments.q", "attribute": "zip" },
    ], "parameters": { "q": { "role": "text", "mode": "open" } } });
    let mut trial = Trial::new().bind("get", &open);
    let mut call = |arguments| trial.call("get", &arguments).map(drop).map_err(|stop| stop.why);
    assert_eq!(call(json!({ "q": "where is Taylor Swift" })), Ok(()));
    assert_eq!(unresolved(call(json!({ "q": "hello" }))), UnresolvedWhy::Missing, "names nobody");
}

#[test]
fn an_unknown_handle_waits_for_the_answer_but_an_effect_does_not() {
    let spec = |writes: bool, told: bool| {
        let mut spec = json!({
            "parameters": { "order": { "role": "handle" } },
            "discloses": [{ "of": "Customer", "subject": "$params.arguments.order", "attribute": "eta" }],
            "writes": writes,
        });
        if told {
            spec["discloses"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "of": "Customer", "in_result": "$.customer", "attribute": "eta" }));
        }
        spec
    };
    let unknown = json!({ "order": "ORD-9999" });
    let mut trial = Trial::new()
        .bind("read", &spec(false, true))
        .bind("write", &spec(true, true))
        .bind("blind", &spec(false, false));
    let made = trial.call("read", &unknown).unwrap();
    assert!(made.expects.deferred && made.disclosed.is_empty());
    for tool in ["write", "blind"] {
        let stop = trial.call(tool, &unknown).map(drop).map_err(|stop| stop.why);
        assert_eq!(unresolved(stop), UnresolvedWhy::UnknownHandle, "{tool}");
    }
    trial.settings.shadows = false;
    for tool in ["read", "write", "blind"] {
        let made = trial.call(tool, &json!({ "order": "ORD-1001" })).unwrap();
        assert_eq!(made.disclosed[0].fact.subject, customer("4711"));
        assert!(!made.expects.deferred);
    }
}

#[test]
fn whoever_is_named_beside_the_declared_arguments_is_asked_about() {
    let mut trial = Trial::new().tells("get", "address");
    trial.refuse("4711", "address", 0);
    let mut call = |arguments| trial.decide("get", &arguments).stop.map(|stop| stop.why);
    let no = Some(Why::Fact(fact("4711", "address", "location", 0)));
    assert_eq!(call(json!({ "id": "4712", "hint": "Taylor Swift" })), no);
    assert_eq!(call(json!({ "id": "4712", "deep": { "er": ["x", "of Taylor Swift"] } })), no);
    assert_eq!(call(json!({ "id": "4712", "first": "Taylor", "last": "Swift" })), no);
    assert_eq!(call(json!({ "id": "4712", "last": "Swift", "first": "Taylor" })), no);
    assert_eq!(call(json!({ "id": "4712", "map": { "Taylor Swift": 1 } })), no);
    assert_eq!(call(json!({ "id": "4712", "hint": "see ORD-1001" })), no);
    assert_eq!(call(json!({ "id": "4712", "hint": "Taylor Swift Way" })), None);
    assert_eq!(call(json!({ "id": "4712", "hint": "Nashville depot", "lang": "en" })), None);
    assert_eq!(call(json!({ "id": "4712", "hint": "John Smith" })), None);
}

#[test]
fn declared_arguments_without_a_disclosure_name_subjects_too() {
    let spec = json!({
        "parameters": { "q": { "role": "text" }, "free": { "role": "free" } },
        "discloses": [{ "of": "Customer", "in_result": "$.customer", "attribute": "address" }],
    });
    let mut trial = Trial::new().bind("find", &spec);
    trial.refuse("4711", "address", 0);
    let mut call = |arguments| trial.call("find", &arguments).map(drop).map_err(|stop| stop.why);
    assert_eq!(call(json!({})), Ok(()), "it need not be there");
    assert_eq!(call(json!({ "q": "Ann Lee", "free": "Taylor Swift" })), Ok(()));
    assert!(matches!(call(json!({ "q": "Taylor Swift" })), Err(Why::Fact(_))));
    assert_eq!(unresolved(call(json!({ "q": "Tailor Sw1pht" }))), UnresolvedWhy::Unrecognised);
}

#[test]
fn what_decides_on_paper_is_noted_and_told() {
    let spec = json!({ "mode": "note", "discloses": [
        { "of": "Customer", "subject": "$params.arguments.id", "attribute": "zip" },
    ] });
    let mut trial = Trial::new().bind("get", &spec).tells("joy", "joy");
    trial.refuse("4711", "zip", 0);
    let made = trial.call("get", &json!({ "id": "4711" })).unwrap();
    assert_eq!(made.notes.len(), 1);
    assert!(trial.history.knows(&fact("4711", "zip", "location", 0)), "it was told all the same");
    assert_eq!(trial.history.shadows(trial.now).count(), 0);
    let made = trial.call("get", &json!({})).unwrap();
    assert_eq!(made.notes.len(), 1);

    trial.refuse("4711", "mood", 0);
    let made = trial.call("joy", &json!({ "id": "4711" })).unwrap();
    assert_eq!(made.notes, ["paper"]);
    assert!(trial.call("joy", &json!({ "id": "4712" })).unwrap().notes.is_empty());
}

#[test]
fn a_completion_is_offered_only_if_it_could_be_asked() {
    let spec = json!({
        "parameters": { "name": { "role": "text" } },
        "discloses": [
            { "of": "Customer", "subject": "$params.arguments.name", "attribute": "address" },
            { "of": "Customer", "subject": "$params.arguments.other", "attribute": "zip" },
        ],
    });
    let mut trial = Trial::new().bind("get", &spec);
    trial.refuse("4711", "address", 0);
    let mut could = |value: &str| {
        trial.with("get", &json!({}), |inquiry, rules, judge| {
            could_be_asked(inquiry, rules, judge, "name", value)
        })
    };
    assert!(could("Ann Lee"));
    assert!(!could("Taylor Swift"));
    assert!(!could("Taylor Sw"), "whom it names cannot be told");
    let mut trial = Trial::new().bind("get", &spec);
    let text = json!("no object");
    assert!(!trial.with("get", &text, |i, r, j| could_be_asked(i, r, j, "name", "Ann Lee")));
}

#[test]
fn nothing_is_asked_of_a_tool_that_tells_nothing() {
    let mut trial = Trial::new().bind("ping", &json!({}));
    let made = trial.call("ping", &json!({ "text": "Taylor Swift" })).unwrap();
    assert!(trial.asked.is_empty() && made.entries.is_empty() && made.disclosed.is_empty());
    let made = trial.decide("unheard_of", &json!({ "text": "Taylor Swift" }));
    assert!(made.stop.is_none() && trial.asked.is_empty());
}
