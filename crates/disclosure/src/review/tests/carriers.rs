//! The same by every kind of message.

use serde_json::{Value, json};

use super::super::trial::Trial;
use super::super::{Carrier, Withheld, is_due};
use crate::Guess;
use crate::engine::{Opinion, Rules};
use crate::history::ShadowSource;

fn named() -> Value {
    json!({
        "parameters": { "id": { "role": "id" } },
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.id", "attribute": "address" }],
    })
}

fn rows() -> Value {
    json!({ "results": [{
        "each": "$.customers[*]", "of": "Customer", "id": "$.id", "attributes": { "address": "$.address" },
    }] })
}

fn review(spec: &Value, carrier: Carrier, message: Value) -> (Value, Option<Withheld>) {
    let mut message = message;
    let review = Trial::of(spec).about("4712").refusing(&["4711"], carrier, &mut message);
    (message, review.withheld)
}

fn row(id: &str) -> Value {
    json!({ "id": id, "address": format!("home of {id}") })
}

#[test]
fn rows_leave_the_documents_of_a_resource() {
    let part = |content: &Value| json!({ "uri": "x:y", "mimeType": "application/json", "text": content.to_string() });
    let all = json!({ "customers": [row("4711"), row("4712")], "total": 2 });
    let left = json!({ "customers": [row("4712")], "total": 1 });
    let (message, withheld) =
        review(&rows(), Carrier::Resource, json!({ "contents": [part(&all), part(&left)] }));
    assert_eq!((message, withheld), (json!({ "contents": [part(&left), part(&left)] }), None));
}

#[test]
fn a_resource_that_is_no_document_is_withheld_where_rows_are_expected() {
    for part in [
        json!({ "uri": "x:y", "blob": "VGF5bG9yIFN3aWZ0" }),
        json!({ "uri": "x:y", "text": "id,address\n4711,home" }),
        json!({ "uri": "x:y" }),
    ] {
        let (left, withheld) = review(&rows(), Carrier::Resource, json!({ "contents": [part] }));
        assert!(matches!(withheld, Some(Withheld::Shape { .. })), "{part}");
        assert_eq!(left, Value::Null);
    }
    let (_, withheld) = review(&rows(), Carrier::Resource, json!({}));
    assert!(withheld.is_some());
    let picture = json!({ "contents": [{ "uri": "x:y", "blob": "eHh4" }] });
    assert_eq!(review(&named(), Carrier::Resource, picture.clone()), (picture, None));
}

#[test]
fn a_part_of_a_resource_that_names_somebody_leaves() {
    let part = |text: &str| json!({ "uri": "x:y", "text": text });
    let message = json!({ "contents": [part("Ann Lee"), part("Taylor Swift")] });
    assert_eq!(
        review(&named(), Carrier::Resource, message).0,
        json!({ "contents": [part("Ann Lee")] })
    );
    let message = json!({ "contents": [part("Taylor Swift")] });
    assert_eq!(review(&named(), Carrier::Resource, message).1, Some(Withheld::Everything));
}

#[test]
fn prompt_messages_that_name_somebody_leave() {
    let message =
        |text: &str| json!({ "role": "user", "content": { "type": "text", "text": text } });
    let several = |texts: &[&str]| {
        let blocks: Vec<Value> =
            texts.iter().map(|text| json!({ "type": "text", "text": text })).collect();
        json!({ "role": "assistant", "content": blocks })
    };
    let all = json!({ "description": "d", "messages": [message("Ann Lee"), message("Taylor Swift"), several(&["x", "Taylor Swift"]), several(&["Taylor Swift"])] });
    let (left, withheld) = review(&named(), Carrier::Prompt, all);
    assert_eq!(withheld, None);
    assert_eq!(
        left,
        json!({ "description": "d", "messages": [message("Ann Lee"), several(&["x"])] })
    );
    let described = json!({ "description": "About Taylor Swift", "messages": [message("x")] });
    assert_eq!(
        review(&named(), Carrier::Prompt, described).0,
        json!({ "description": "[not available]", "messages": [message("x")] })
    );
}

#[test]
fn rows_leave_the_one_document_of_a_prompt() {
    let message =
        |text: &str| json!({ "role": "user", "content": { "type": "text", "text": text } });
    let all = json!({ "customers": [row("4711"), row("4712")] }).to_string();
    let left = json!({ "customers": [row("4712")] }).to_string();
    let (kept, _) = review(
        &rows(),
        Carrier::Prompt,
        json!({ "messages": [message("home of 4711 is near"), message(&all)] }),
    );
    assert_eq!(kept, json!({ "messages": [message(&left)] }));
    let (_, withheld) =
        review(&rows(), Carrier::Prompt, json!({ "messages": [message("no document")] }));
    assert!(withheld.is_some());
}

#[test]
fn completions_complete_nobody_who_may_not_be_asked_about() {
    let completion = |values: &[&str], total: u64, more: bool| json!({ "completion": { "values": values, "total": total, "hasMore": more } });
    for (given, left) in [
        (completion(&["Taylor Swift", "Ann Lee"], 2, false), completion(&["Ann Lee"], 1, false)),
        (completion(&["4711", "4712", "Bern"], 30, true), completion(&["4712", "Bern"], 29, true)),
        (completion(&["Taylor Swift"], 1, true), completion(&[], 0, false)),
        (completion(&["ORD-1001"], 7, false), completion(&[], 0, false)),
    ] {
        assert_eq!(review(&named(), Carrier::Completion, given).0, left);
    }
    let untouched = completion(&["Ann Lee", "Nashville depot", "5"], 400, true);
    let mut message = untouched;
    let reviewed = Trial::of(&named()).refusing(&["4711"], Carrier::Completion, &mut message);
    assert!(!reviewed.changed && reviewed.entries.is_empty());
    let (left, _) =
        review(&named(), Carrier::Completion, json!({ "completion": { "values": ["5"] } }));
    assert_eq!(left, json!({ "completion": { "values": ["5"] } }));
}

#[test]
fn what_could_not_be_asked_is_not_completed() {
    let mut trial = Trial::of(&named());
    trial.arguments = json!({ "argument": { "name": "id", "value": "C" }, "context": { "arguments": { "x": "1" } } });
    let mut message = json!({ "completion": { "values": ["C-100", "C-101"], "total": 2 } });
    trial.judged(Carrier::Completion, &mut message, |fact, _| {
        if &*fact.subject.id == "C-100" { Opinion::Yes } else { Opinion::Silent }
    });
    assert_eq!(message, json!({ "completion": { "values": ["C-100"], "total": 1 } }));
    trial.arguments["argument"]["name"] = json!("x");
    let mut message = json!({ "completion": { "values": ["C-101", "elsewhere"] } });
    let before = message.clone();
    trial.refusing(&[], Carrier::Completion, &mut message);
    assert_eq!(message, before);
}

#[test]
fn a_short_id_is_completed_for_nobody_either() {
    let mut message = json!({ "completion": { "values": ["5", "6"], "total": 2 } });
    Trial::of(&named()).refusing(&["5"], Carrier::Completion, &mut message);
    assert_eq!(message, json!({ "completion": { "values": ["6"], "total": 1 } }));
}

#[test]
fn errors_say_that_they_are_errors() {
    let error = json!({ "code": -32602, "message": "Taylor Swift is no valid id", "data": { "id": "4711" } });
    let (left, withheld) = review(&named(), Carrier::Error, error);
    assert_eq!(left, json!({ "code": -32602, "message": "the server reported an error" }));
    assert_eq!(withheld, None);
    let error =
        json!({ "code": -32602, "message": "bad id", "data": { "nearest": "Taylor Swift" } });
    assert_eq!(
        review(&named(), Carrier::Error, error).0,
        json!({ "code": -32602, "message": "bad id" })
    );
    let error = json!({ "code": -32602, "message": "Ann Lee: bad id", "data": { "x": 1 } });
    assert_eq!(review(&named(), Carrier::Error, error.clone()), (error, None));
}

#[test]
fn notifications_name_nobody() {
    let log = |data: Value| json!({ "level": "info", "data": data });
    assert_eq!(
        review(&named(), Carrier::Notification, log(json!("Taylor Swift found"))).1,
        Some(Withheld::Everything)
    );
    assert_eq!(
        review(&named(), Carrier::Notification, log(json!({ "x": ["Taylor Swift"] }))).1,
        Some(Withheld::Everything)
    );
    let fine = log(json!("Ann Lee found"));
    assert_eq!(review(&named(), Carrier::Notification, fine.clone()), (fine, None));
    let progress = json!({ "progressToken": 1, "progress": 2, "total": 3, "message": "Looking up Taylor Swift" });
    let (left, withheld) = review(&named(), Carrier::Notification, progress);
    assert_eq!((left, withheld), (json!({ "progressToken": 1, "progress": 2, "total": 3 }), None));
}

#[test]
fn answers_are_looked_at_where_there_is_something_to_look_for() {
    let bound = Trial::of(&named());
    let none = Guess::none();
    let due = |trial: &Trial, guess: &Guess| {
        let rules = Rules { binding: trial.binding.as_deref(), guess };
        is_due(rules, &trial.history, super::super::trial::now())
    };
    assert!(due(&bound, &none));
    assert!(!due(&Trial::of(&json!({})), &none));
    let mut unbound = Trial::unbound();
    let guess = crate::Vocabulary::new(&unbound.inferences.families).guess(["address"]);
    assert!(!due(&unbound, &guess));
    unbound.shadow("4711", "location", ShadowSource::Policy, "x/y");
    assert!(due(&unbound, &guess));
    assert!(!due(&unbound, &none));
}
