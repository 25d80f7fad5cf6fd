//! What may not be learnt leaves a result by every way in which it could be told.

use kenward_model::Fact;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::engine::Opinion;
use crate::review::trial::Trial;
use crate::review::{Carrier, Review, Withheld};

fn customers() -> Value {
    json!({ "results": [{
        "each": "$.structuredContent.customers[*]", "of": "Customer", "id": "$.id",
        "attributes": { "name": "$.name", "zip": "$.address.zip" },
    }] })
}

fn row(id: &str) -> Value {
    json!({ "id": id, "name": format!("name of {id}"), "address": { "zip": format!("zip of {id}") } })
}

fn text(value: &Value) -> Value {
    json!({ "type": "text", "text": value.to_string() })
}

fn filter(spec: &Value, result: &Value, may_learn: impl Fn(&Fact) -> bool) -> (Value, Review) {
    let mut filtered = result.clone();
    let outcome = Trial::of(spec).judged(Carrier::Tool, &mut filtered, |fact, _| {
        if may_learn(fact) { Opinion::Yes } else { Opinion::Silent }
    });
    (filtered, outcome)
}

fn is_untouched(outcome: &Review) -> bool {
    !outcome.changed && outcome.withheld.is_none() && outcome.removed.is_empty()
}

fn about(id: &'static str) -> impl Fn(&Fact) -> bool {
    move |fact: &Fact| &*fact.subject.id != id
}

fn only_names(fact: &Fact) -> bool {
    &*fact.attribute == "name"
}

#[test]
fn a_refused_row_leaves_with_its_counts_and_its_text() {
    let content = json!({ "customers": [row("1"), row("2"), row("3")], "total": 3, "Row-Count": 3, "page": 3 });
    let result = json!({
        "content": [text(&content), { "type": "text", "text": "Found name of 2 and others" }, { "type": "image", "data": "" }],
        "structuredContent": content,
        "isError": false,
    });
    let (filtered, outcome) = filter(&customers(), &result, about("2"));
    let left = json!({ "customers": [row("1"), row("3")], "total": 2, "Row-Count": 2, "page": 3 });
    assert_eq!(
        filtered,
        json!({ "content": [text(&left)], "structuredContent": left, "isError": false })
    );
    let removed: Vec<String> = outcome
        .removed
        .iter()
        .map(|f| format!("{} {} {}", f.subject.id, f.attribute, f.family))
        .collect();
    assert_eq!(removed, ["2 name name", "2 zip location"]);
    assert_eq!(outcome.withheld, None);
    assert!(!filtered.to_string().contains("of 2"));
}

#[test]
fn a_refused_field_leaves_and_the_row_stays_in_order() {
    let result = json!({ "content": [], "structuredContent": { "customers": [row("1"), row("2")], "total": 2 } });
    let (filtered, outcome) = filter(&customers(), &result, only_names);
    let rows = &filtered["structuredContent"]["customers"];
    assert_eq!(
        *rows,
        json!([
            { "id": "1", "name": "name of 1", "address": {} },
            { "id": "2", "name": "name of 2", "address": {} },
        ])
    );
    let keys: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "name", "address"]);
    assert_eq!(filtered["structuredContent"]["total"], 2);
    assert_eq!(outcome.removed.len(), 2);
}

#[test]
fn what_is_allowed_is_left_byte_for_byte() {
    let content = json!({ "customers": [row("1")], "total": 1 });
    let result = json!({ "content": [{ "type": "text", "text": "some words" }], "structuredContent": content });
    let (_, outcome) = filter(&customers(), &result, |_| true);
    assert!(is_untouched(&outcome));
}

#[test]
fn an_empty_list_is_an_answer() {
    let result = json!({ "content": [], "structuredContent": { "customers": [], "total": 0 } });
    let (_, outcome) = filter(&customers(), &result, |_| false);
    assert!(is_untouched(&outcome));
}

/// None of these has the shape that the binding describes: nothing may be left of it.
#[test]
fn another_shape_is_withheld_whole() {
    let secret = "zip of 2";
    for result in [
        json!({ "structuredContent": { "clients": [row("2")] } }),
        json!({ "structuredContent": { "customers": secret } }),
        json!({ "structuredContent": { "customers": null, "x": secret } }),
        json!({ "structuredContent": [row("2")] }),
        json!({ "structuredContent": null, "content": [text(&json!({ "customers": [row("2")] }))] }),
        json!({ "structuredContent": { "customers": [{ "ID": "2", "name": "n", "address": { "zip": secret } }] } }),
        json!({ "structuredContent": { "customers": [{ "id": { "x": 2 }, "name": "n", "address": { "zip": secret } }] } }),
        json!({ "structuredContent": { "customers": [{ "id": 2.5, "name": "n", "address": { "zip": secret } }] } }),
        json!({ "structuredContent": { "customers": [{ "id": "2", "name": "n", "address": { "postcode": secret } }] } }),
        json!({ "structuredContent": { "customers": [secret] } }),
        json!({ "content": [{ "type": "text", "text": format!("the zip is {secret}") }] }),
        json!({ "content": [{ "type": "text", "text": format!("\"{secret}\"") }] }),
        json!({ "content": [{ "type": "text", "text": row("2").to_string() }, { "type": "text", "text": row("3").to_string() }] }),
        json!({ "content": [{ "type": "resource", "resource": { "uri": "a:b", "text": secret } }] }),
        json!({ "content": secret }),
        json!({ "task": { "taskId": "t", "x": secret } }),
        json!([secret]),
        json!(secret),
    ] {
        let (filtered, outcome) = filter(&customers(), &result, |_| true);
        assert!(matches!(outcome.withheld, Some(Withheld::Shape { .. })), "{result}");
        assert_eq!(filtered, json!({ "content": [], "isError": true }), "{result}");
    }
    let (_, outcome) =
        filter(&customers(), &json!({ "structuredContent": { "clients": [] } }), |_| true);
    let path = "$.structuredContent.customers[*]".into();
    assert_eq!(outcome.withheld, Some(Withheld::Shape { path }));
}

#[test]
fn an_optional_field_may_be_absent_from_some_rows() {
    let bare = json!({ "id": "9", "name": "n" });
    let result = json!({ "structuredContent": { "customers": [row("1"), bare] } });
    let (_, outcome) = filter(&customers(), &result, |_| true);
    assert!(is_untouched(&outcome));
}

#[test]
fn a_row_about_nobody_leaves() {
    let nobody = json!({ "id": null, "name": "secret", "address": { "zip": "secret" } });
    let result = json!({ "structuredContent": { "customers": [nobody, row("1")], "count": 2 } });
    let (filtered, outcome) = filter(&customers(), &result, |_| true);
    assert_eq!(filtered, json!({ "structuredContent": { "customers": [row("1")], "count": 1 } }));
    assert!(outcome.removed.is_empty());
}

#[test]
fn a_text_that_is_the_only_account_is_filtered_like_structured_content() {
    let content = json!({ "customers": [row("1"), row("2")], "total": 2 });
    let left = json!({ "customers": [row("1")], "total": 1 });
    let result = json!({ "content": [{ "type": "text", "text": "Here you are, name of 2:" }, text(&content)] });
    let (filtered, _) = filter(&customers(), &result, about("2"));
    assert_eq!(filtered, json!({ "content": [text(&left)] }));
    let pretty = json!({ "content": [{ "type": "text", "text": format!("{content:#}") }] });
    let (filtered, _) = filter(&customers(), &pretty, about("2"));
    assert_eq!(filtered["content"][0]["text"], format!("{left:#}"));
    let (_, outcome) = filter(&customers(), &result, |_| true);
    assert!(is_untouched(&outcome));
}

#[test]
fn an_error_says_that_it_is_one_and_nothing_else() {
    let result = json!({ "content": [{ "type": "text", "text": "no such zip of 2" }], "isError": true, "_meta": { "x": "zip of 2" } });
    let (filtered, outcome) = filter(&customers(), &result, |_| true);
    assert_eq!(outcome.withheld, None);
    assert_eq!(
        filtered,
        json!({ "content": [{ "type": "text", "text": "the server reported an error" }], "isError": true })
    );
}

#[test]
fn stripped_fields_leave_whoever_asks() {
    let spec = json!({ "strip": ["$.structuredContent.locations[*].distance_km"] });
    let content = json!({ "locations": [{ "name": "a", "distance_km": 1 }, { "name": "b", "distance_km": 2 }], "count": 2 });
    let left = json!({ "locations": [{ "name": "a" }, { "name": "b" }], "count": 2 });
    let result = json!({ "content": [text(&content)], "structuredContent": content });
    let (filtered, outcome) = filter(&spec, &result, |_| panic!("stripping asks nobody"));
    assert_eq!(filtered, json!({ "content": [text(&left)], "structuredContent": left }));
    assert!(outcome.removed.is_empty());

    let renamed = json!({ "structuredContent": { "locations": [{ "name": "a", "km": 1 }] } });
    let (_, outcome) = filter(&spec, &renamed, |_| true);
    assert!(outcome.withheld.is_some());
    let empty = json!({ "structuredContent": { "locations": [] } });
    assert!(is_untouched(&filter(&spec, &empty, |_| true).1));
}

#[test]
fn a_result_that_is_one_refused_row_is_withheld() {
    let spec = json!({ "results": [{ "each": "$.structuredContent", "of": "Customer", "id": "$.id", "attributes": { "zip": "$.zip" } }] });
    let result = json!({ "content": [{ "type": "text", "text": "zip" }], "structuredContent": { "id": 2, "zip": "z" } });
    let (filtered, outcome) = filter(&spec, &result, |_| false);
    assert_eq!(outcome.withheld, Some(Withheld::Everything));
    assert_eq!(outcome.removed.len(), 1);
    assert_eq!(filtered, json!({ "content": [], "isError": true }));
    let only_text = json!({ "content": [text(&json!({ "id": 2, "zip": "z" }))] });
    assert_eq!(filter(&spec, &only_text, |_| false).1.withheld, Some(Withheld::Everything));
}

#[test]
fn rows_without_attributes_reveal_their_id() {
    let spec = json!({ "results": [{ "each": "$.structuredContent.ids[*]", "of": "Customer", "id": "$" }] });
    let result = json!({ "structuredContent": { "ids": ["1", "2", 3], "size": 3 } });
    let (filtered, outcome) = filter(&spec, &result, |fact| {
        assert_eq!(&*fact.attribute, "id");
        fact.subject.id.as_ref() != "2"
    });
    assert_eq!(filtered, json!({ "structuredContent": { "ids": ["1", 3], "size": 2 } }));
    assert_eq!(outcome.removed.len(), 1);
}

#[test]
fn a_row_about_several_is_refused_when_any_is() {
    let spec = json!({ "results": [{
        "each": "$.structuredContent.trips[*]", "of": "Customer", "id": "$.riders[*].id", "attributes": { "route": "$.route" },
    }] });
    let trip = |ids: &[&str]| json!({ "riders": ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>(), "route": "r" });
    let result = json!({ "structuredContent": { "trips": [trip(&["1", "2"]), trip(&["1"])] } });
    let (filtered, _) = filter(&spec, &result, about("2"));
    assert_eq!(filtered, json!({ "structuredContent": { "trips": [trip(&["1"])] } }));
}

#[test]
fn several_rules_and_nested_lists_agree_on_counts() {
    let spec = json!({
        "results": [
            { "each": "$.structuredContent.groups[*].members[*]", "of": "Customer", "id": "$.id" },
            { "each": "$.structuredContent.owners", "of": "Customer", "id": "$.id", "attributes": { "pay": "$.pay" } },
        ],
        "strip": ["$.structuredContent.groups[*].hint"],
    });
    let member = |id: &str| json!({ "id": id });
    let result = json!({ "structuredContent": {
        "groups": [
            { "hint": 1, "members": [member("1"), member("2")], "count": 2 },
            { "hint": 1, "members": [member("2"), member("3"), member("2")], "count": 3 },
        ],
        "total": 5,
        "owners": { "id": "2", "pay": 1 },
    } });
    let (filtered, _) = filter(&spec, &result, about("2"));
    assert_eq!(
        filtered,
        json!({ "structuredContent": {
        "groups": [{ "members": [member("1")], "count": 1 }, { "members": [member("3")], "count": 1 }],
        "total": 2,
    } })
    );
}

#[test]
fn two_rules_over_the_same_rows_correct_a_count_once() {
    let rule =
        |of: &str, id: &str| json!({ "each": "$.structuredContent.rows[*]", "of": of, "id": id });
    let spec = json!({ "results": [rule("Customer", "$.c"), rule("Driver", "$.d")] });
    let row = |c: &str, d: &str| json!({ "c": c, "d": d });
    let result = json!({ "structuredContent": {
        "rows": [row("2", "9"), row("1", "2"), row("1", "9"), row("2", "2")], "count": 4,
    } });
    let (filtered, _) = filter(&spec, &result, about("2"));
    assert_eq!(filtered, json!({ "structuredContent": { "rows": [row("1", "9")], "count": 1 } }));
}

#[test]
fn a_question_is_asked_once() {
    let mut result =
        json!({ "structuredContent": { "customers": [row("1"), row("1"), row("1")] } });
    let mut asked = 0;
    Trial::of(&customers()).judged(Carrier::Tool, &mut result, |_, _| {
        asked += 1;
        Opinion::Yes
    });
    assert_eq!(asked, 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nothing of a refused subject is anywhere in what is delivered, and all the rest is.
    #[test]
    fn refused_rows_leave_no_trace(rows in prop::collection::vec((0_u8..6, any::<bool>()), 0..12), refused in prop::collection::btree_set(0_u8..6, 0..6), structured in any::<bool>()) {
        let rows: Vec<Value> = rows.iter().map(|(n, text)| {
            let mut row = row(&format!("<9{n}>"));
            if *text { row["extra"] = json!(format!("more of <9{n}>")); }
            row
        }).collect();
        let content = json!({ "customers": rows, "total": rows.len() });
        let mut result = json!({ "content": [text(&content)] });
        if structured { result["structuredContent"] = content; }
        let refused: Vec<String> = refused.iter().map(|n| format!("<9{n}>")).collect();
        let (filtered, outcome) = filter(&customers(), &result, |fact| !refused.contains(&fact.subject.id.to_string()));
        prop_assert_eq!(&outcome.withheld, &None);
        let delivered = filtered.to_string();
        for id in &refused {
            prop_assert!(!delivered.contains(id), "{}", delivered);
        }
        let kept: Vec<&Value> = rows.iter().filter(|row| !refused.contains(&row["id"].as_str().unwrap().to_owned())).collect();
        let account: Value = serde_json::from_str(filtered["content"][0]["text"].as_str().unwrap()).unwrap();
        prop_assert_eq!(&account, &json!({ "customers": kept, "total": kept.len() }));
        if structured { prop_assert_eq!(&account, &filtered["structuredContent"]); }
    }
}
