//! What an answer tells of whoever stands in it, and what becomes of the history.

use kenward_model::{Fact, Precision};
use serde_json::{Value, json};

use super::super::trial::{Trial, decision, fact, now};
use super::super::{Carrier, Review, Withheld};
use crate::engine::Opinion;
use crate::fixtures::customer;
use crate::history::{Entry, History, Learnt};
use crate::inferences::Inferences;

fn order() -> Value {
    json!({
        "parameters": { "order_id": { "role": "handle" } },
        "discloses": [{ "of": "Customer", "in_result": "$.customer", "attribute": "address" }],
        "links": [{ "handle": "$.order", "owner": "$.customer", "of": "Customer" }],
    })
}

fn learnt(review: &Review) -> Vec<(String, String)> {
    let entries = review.entries.iter().filter_map(|entry| {
        if let Entry::Learnt(learnt) = entry { Some(&learnt.fact) } else { None }
    });
    entries.map(|fact| (fact.subject.id.to_string(), fact.attribute.to_string())).collect()
}

#[test]
fn an_answer_about_somebody_refused_is_withheld_and_remembered() {
    for who in [json!("4711"), json!(4711), json!("Taylor Swift"), json!(["4712", "4711"])] {
        let mut result =
            json!({ "structuredContent": { "order": "X-1", "customer": who, "street": "Main" } });
        let mut trial = Trial::of(&order());
        trial.expects.deferred = true;
        let review = trial.refusing(&["4711"], Carrier::Tool, &mut result);
        assert_eq!(review.withheld, Some(Withheld::Everything), "{who}");
        assert_eq!(result, json!({ "content": [], "isError": true }));
        assert!(review.disclosed.is_empty() && learnt(&review).is_empty());
        let [Entry::Refused(shadow)] = review.entries.as_slice() else { panic!("{who}") };
        assert_eq!(shadow.subject, Some(customer("4711")));
        assert_eq!(&*shadow.family, "location");
        assert_eq!(shadow.fact.as_ref().map(|fact| &*fact.attribute), Some("address"));
        assert_eq!(shadow.tools, ["deliveries/tool".into()]);
        assert!(!review.links.is_empty(), "the gateway knows whose the order is all the same");
    }
}

#[test]
fn an_answer_about_somebody_permitted_is_left_and_kept_in_mind() {
    let before =
        json!({ "structuredContent": { "order": "X-1", "customer": 4712, "street": "Main" } });
    let mut result = before.clone();
    let mut trial = Trial::of(&order());
    trial.expects.deferred = true;
    let review = trial.refusing(&["4711"], Carrier::Tool, &mut result);
    assert_eq!(result, before);
    assert_eq!(learnt(&review), [("4712".to_owned(), "address".to_owned())]);
    assert_eq!(review.disclosed.len(), 1);
    for entry in &review.entries {
        trial.history.apply(entry);
    }
    assert!(trial.history.knows(&fact("4712", "address", &trial.inferences)));
    let again = trial.refusing(&["4711"], Carrier::Tool, &mut result);
    assert!(again.entries.is_empty(), "the same answer again is nothing new");
}

#[test]
fn an_answer_that_does_not_say_whom_it_is_about_is_withheld() {
    for content in [
        json!({ "order": "X-1", "street": "Main" }),
        json!({ "order": "X-1", "customer": null, "street": "Main" }),
        json!({ "order": "X-1", "customer": "", "street": "Main" }),
        json!({ "order": "X-1", "customer": { "x": 1 }, "street": "Main" }),
        json!({ "order": "X-1", "customer": [], "street": "Main" }),
    ] {
        let mut result = json!({ "structuredContent": content });
        let review = Trial::of(&order()).refusing(&[], Carrier::Tool, &mut result);
        assert!(review.withheld.is_some(), "{content}");
    }
}

#[test]
fn a_handle_that_was_let_through_needs_an_owner_in_the_answer() {
    let spec = json!({ "results": [{
        "each": "$.rows[*]", "of": "Customer", "id": "$.id", "attributes": { "address": "$.address" },
    }] });
    let row = |id: &str| json!({ "id": id, "address": "x" });
    for (rows, withheld) in [
        (json!([]), true),
        (json!([row("4712")]), false),
        (json!([row("4712"), row("4711")]), true),
    ] {
        let mut result = json!({ "structuredContent": { "rows": rows } });
        let mut trial = Trial::of(&spec);
        trial.expects.deferred = true;
        let review = trial.refusing(&["4711"], Carrier::Tool, &mut result);
        assert_eq!(review.withheld.is_some(), withheld, "{rows}");
    }
}

#[test]
fn a_list_loses_the_elements_that_tell_of_somebody_refused() {
    let spec = json!({ "discloses": [{ "of": "Customer", "in_result": "$.orders[*].customer", "attribute": "address" }] });
    let order = |who: &str| json!({ "customer": who, "street": "Main" });
    let mut result =
        json!({ "structuredContent": { "orders": [order("4711"), order("4712")], "count": 2 } });
    let review = Trial::of(&spec).refusing(&["4711"], Carrier::Tool, &mut result);
    assert_eq!(review.withheld, None);
    assert_eq!(result, json!({ "structuredContent": { "orders": [order("4712")], "count": 1 } }));
}

#[test]
fn handles_are_linked_to_the_owner_in_their_own_row() {
    let spec = json!({ "links": [
        { "handle": "$.orders[*].id", "owner": "$.orders[*].customer", "of": "Customer", "type": "Order" },
    ] });
    let mut result = json!({ "structuredContent": { "orders": [
        { "id": "A-1", "customer": "4711" }, { "id": 2, "customer": "Ann Lee" }, { "id": "A-3" }, { "id": "A-4", "customer": "John Smith" },
    ] } });
    let trial = Trial::of(&spec);
    let review = trial.refusing(&[], Carrier::Tool, &mut result);
    let key = |handle: &str| trial.handles.key(Some("Order"), &crate::fixtures::server(), handle);
    let owners = |handle: &str| -> Vec<String> {
        let links = review.links.iter().filter(|link| link.handle == key(handle));
        links.map(|link| link.owner.id.to_string()).collect()
    };
    assert_eq!(owners("A-1"), ["4711"]);
    assert_eq!(owners("2"), ["4712"]);
    assert!(owners("A-3").is_empty());
    assert_eq!(owners("A-4"), ["4713", "4714"]);
    let mut trial = Trial::of(&spec);
    for link in review.links {
        trial.handles.insert(link.handle, link.owner);
    }
    assert!(trial.refusing(&[], Carrier::Tool, &mut result).links.is_empty());
}

#[test]
fn an_owner_above_all_rows_owns_all_handles() {
    let spec =
        json!({ "links": [{ "handle": "$.orders[*]", "owner": "$.customer", "of": "Customer" }] });
    let mut result =
        json!({ "structuredContent": { "customer": "4711", "orders": ["A-1", 2, null, ""] } });
    let review = Trial::of(&spec).refusing(&[], Carrier::Tool, &mut result);
    assert_eq!(review.links.len(), 2);
}

const MOSAIC: &str = "
families:
  location: { scale: [exact, area], attributes: [address, street, zip] }
inferences:
  - { then: { attribute: address }, if: [street, zip] }
  - { id: paper, then: { attribute: identity }, if: [hair], mode: note }
";

fn mosaic() -> Trial {
    let spec = json!({ "results": [{
        "each": "$.rows[*]", "of": "Customer", "id": "$.id",
        "attributes": { "hair": "$.hair", "street": "$.street", "zip": "$.zip" },
    }] });
    Trial { inferences: Inferences::read("inferences.yaml", MOSAIC).unwrap(), ..Trial::of(&spec) }
}

fn no_address(fact: &Fact, _: bool) -> Opinion {
    if matches!(&*fact.attribute, "address" | "identity") { Opinion::Silent } else { Opinion::Yes }
}

#[test]
fn attributes_stay_as_long_as_nothing_follows_that_is_refused() {
    let row = |id: &str| json!({ "id": id, "hair": "red", "street": "Main", "zip": "12345" });
    let mut result = json!({ "structuredContent": { "rows": [row("4712"), row("4713")] } });
    let review = mosaic().judged(Carrier::Tool, &mut result, no_address);
    let left = |id: &str| json!({ "id": id, "hair": "red", "street": "Main" });
    assert_eq!(result["structuredContent"]["rows"], json!([left("4712"), left("4713")]));
    assert!(review.notes.iter().any(|note| note.contains("paper")), "{:?}", review.notes);
    assert!(!learnt(&review).iter().any(|(_, attribute)| attribute == "zip"));
}

#[test]
fn what_was_told_before_counts_over_rows_and_answers() {
    let split = json!([{ "id": "4712", "street": "Main" }, { "id": "4712", "zip": "12345" }, { "id": "4713", "zip": "12345", "hair": "x" }]);
    let mut result = json!({ "structuredContent": { "rows": split } });
    mosaic().judged(Carrier::Tool, &mut result, no_address);
    let left =
        json!([{ "id": "4712", "street": "Main" }, { "id": "4713", "zip": "12345", "hair": "x" }]);
    assert_eq!(result["structuredContent"]["rows"], left);

    let mut trial = mosaic();
    trial.learn("4712", "zip", 8);
    let row = json!([{ "id": "4712", "hair": "x", "zip": "1", "street": "Main" }]);
    let mut result = json!({ "structuredContent": { "rows": row } });
    trial.judged(Carrier::Tool, &mut result, no_address);
    assert_eq!(
        result["structuredContent"]["rows"],
        json!([{ "id": "4712", "hair": "x", "zip": "1" }])
    );
    trial.settings.ledger = false;
    let mut result = json!({ "structuredContent": { "rows": [{ "id": "4712", "hair": "x", "zip": "1" }, { "id": "1", "street": "x" }] } });
    assert!(!trial.judged(Carrier::Tool, &mut result, no_address).changed);
}

#[test]
fn what_concerns_the_person_is_theirs_unless_forbidden() {
    let mut trial = mosaic();
    trial.person = customer("4712");
    let row = json!([{ "id": "4712", "hair": "x", "street": "Main", "zip": "1" }]);
    let before = json!({ "structuredContent": { "rows": row } });
    let mut result = before.clone();
    trial.judged(Carrier::Tool, &mut result, |_, _| Opinion::Silent);
    assert_eq!(result, before);
    trial.judged(Carrier::Tool, &mut result, |_, _| Opinion::No);
    assert_eq!(result["structuredContent"]["rows"], json!([]));
}

#[test]
fn only_what_something_reads_is_kept_of_rows() {
    let mut result = json!({ "structuredContent": { "rows": [{ "id": "4712", "hair": "x", "street": "Main", "zip": "1" }] } });
    let trial = Trial { inferences: Inferences::none(), ..mosaic() };
    let review = trial.refusing(&[], Carrier::Tool, &mut result);
    assert!(review.entries.is_empty());
    assert_eq!(review.disclosed.len(), 3);
    let review = mosaic().refusing(&[], Carrier::Tool, &mut result);
    assert_eq!(learnt(&review).len(), 3);
}

#[test]
fn a_budget_ends_in_the_middle_of_a_list() {
    const BUDGET: &str = "
families:
  location: { scale: [exact], attributes: [zip, street], budget: { subjects: 2, within: 1d } }
inferences: []
";
    let inferences = Inferences::read("inferences.yaml", BUDGET).unwrap();
    let mut trial = Trial { inferences, ..mosaic() };
    trial.learn("600", "zip", 8);
    let row = |id: &str| json!({ "id": id, "zip": "1", "street": "x", "hair": "red" });
    let mut result =
        json!({ "structuredContent": { "rows": [row("4712"), row("4713"), row("600")] } });
    trial.refusing(&[], Carrier::Tool, &mut result);
    let rows = result["structuredContent"]["rows"].as_array().unwrap();
    let with_zip: Vec<&str> = rows
        .iter()
        .filter(|row| row.get("zip").is_some())
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    assert_eq!(with_zip, ["4712", "600"]);
}

#[test]
fn precise_attributes_are_asked_at_their_precision() {
    let spec = json!({ "results": [{
        "each": "$.rows[*]", "of": "Customer", "id": "$.id",
        "attributes": { "address": { "path": "$.city", "precision": "city" } },
    }] });
    let mut result = json!({ "structuredContent": { "rows": [{ "id": "1", "city": "Bern" }] } });
    let mut asked = Vec::new();
    Trial::of(&spec).judged(Carrier::Tool, &mut result, |fact, _| {
        asked.push(fact.precision);
        Opinion::Yes
    });
    assert_eq!(asked, [Precision(3)]);
}

#[test]
fn a_binding_on_paper_changes_nothing_and_says_what_it_would() {
    let spec = json!({
        "mode": "note",
        "results": [{ "each": "$.rows[*]", "of": "Customer", "id": "$.id", "attributes": { "nearby_places": "$.n" } }],
    });
    let before = json!({ "structuredContent": { "rows": [{ "id": "4711", "n": "x" }] } });
    let mut result = before.clone();
    let review = Trial::of(&spec).refusing(&["4711"], Carrier::Tool, &mut result);
    assert_eq!(result, before);
    assert!(review.removed.is_empty() && review.withheld.is_none());
    assert!(review.notes.iter().any(|note| note.contains("nearby_places")), "{:?}", review.notes);
    assert_eq!(learnt(&review), [("4711".to_owned(), "nearby_places".to_owned())], "it was told");
}

#[test]
fn a_full_ledger_makes_room_for_what_may_be_forgotten_or_takes_nothing() {
    let spec = json!({ "discloses": [{ "of": "Customer", "in_result": "$.customer", "attribute": "address" }] });
    let full = |may_be_forgotten: bool| {
        let mut trial = Trial::of(&spec);
        for n in 0..crate::MOST_LEARNT {
            let id = format!("{}{n}", if may_be_forgotten { "old" } else { "held" });
            trial.learn(&id, "address", 8);
        }
        let mut result = json!({ "structuredContent": { "customer": "4712" } });
        trial.judged(Carrier::Tool, &mut result, |fact, _| {
            if fact.subject.id.starts_with("held") { Opinion::Silent } else { Opinion::Yes }
        })
    };
    let review = full(true);
    assert_eq!(review.withheld, None);
    assert!(matches!(review.entries.as_slice(), [Entry::Forgotten(..), Entry::Learnt(_)]));
    assert_eq!(full(false).withheld, Some(Withheld::Full));
}

mod oracles {
    use super::*;

    fn check(hit: Option<&str>) -> Value {
        let mut oracle =
            json!({ "key": ["id"], "attribute": "zip", "of": "Customer", "misses": 3 });
        if let Some(hit) = hit {
            oracle["hit"] = json!(hit);
        }
        json!({ "parameters": { "id": { "role": "id" }, "zip": { "role": "value" } }, "oracle": oracle })
    }

    /// The attributes that are reserved beside the guess, after the answer.
    fn answer(hit: Option<&str>, carrier: Carrier, result: &Value) -> (bool, bool, Vec<String>) {
        let mut trial = Trial::of(&check(hit)).about("4712");
        let reserve = |attribute: &str| Learnt {
            fact: fact("4712", attribute, &trial.inferences),
            first: now(),
            last: now(),
            via: "deliveries/tool".into(),
            decision: decision(),
            answers: vec![trial.answer],
        };
        let reserved = Entry::Reserved(decision(), vec![reserve("zip"), reserve("name")]);
        trial.history.apply(&reserved);
        let review = trial.refusing(&["4711"], carrier, &mut result.clone());
        let mut after: History = trial.history.clone();
        review.entries.iter().for_each(|entry| after.apply(entry));
        after.apply(&Entry::Confirmed(decision()));
        let zip = fact("4712", "zip", &trial.inferences);
        let missed = after.misses(&zip.subject, &zip.attribute) == 1;
        let known = after.known(&zip.subject).map(|row| row.fact.attribute.to_string()).collect();
        (missed, after.knows(&zip), known)
    }

    #[test]
    fn a_right_guess_is_learnt_and_a_wrong_one_counted() {
        let structured = |content: Value| json!({ "structuredContent": content, "content": [] });
        let (hit, miss, both) = ((false, true), (true, false), (true, true));
        for (path, result, expected) in [
            (Some("$.match"), structured(json!({ "match": true })), hit),
            (Some("$.match"), structured(json!({ "match": false })), miss),
            (Some("$.match"), structured(json!({ "match": null, "x": 1 })), miss),
            (Some("$.found[*]"), structured(json!({ "found": [{ "x": 1 }] })), hit),
            (Some("$.found[*]"), structured(json!({ "found": [] })), miss),
            (None, structured(json!({ "rows": [], "count": 0 })), miss),
            (None, structured(json!({ "rows": [1] })), hit),
            (None, json!({ "content": [{ "type": "text", "text": "[]" }] }), miss),
            (None, json!({ "content": [{ "type": "text", "text": "[7]" }] }), hit),
            (None, json!({ "content": [{ "type": "text", "text": "no such" }] }), both),
            (None, json!({ "content": [] }), miss),
            (
                None,
                json!({ "content": [{ "type": "text", "text": "wrong" }], "isError": true }),
                both,
            ),
        ] {
            let (missed, known, all) = answer(path, Carrier::Tool, &result);
            assert_eq!((missed, known), expected, "{result}");
            assert!(
                all.contains(&"name".to_owned()),
                "the rest of the reservation stays: {result}"
            );
        }
        let (missed, known, _) =
            answer(None, Carrier::Error, &json!({ "code": 1, "message": "x" }));
        assert_eq!((missed, known), both);
    }
}
