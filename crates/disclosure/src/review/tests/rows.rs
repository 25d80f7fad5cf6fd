//! Rows, the counts around them, and what repeats them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::trial::Trial;
use super::super::{Carrier, Withheld};
use crate::engine::Opinion;

fn spec() -> Value {
    json!({ "results": [{
        "each": "$.customers[*]", "of": "Customer", "id": "$.id",
        "attributes": { "name": "$.name", "zip": "$.zip" },
    }] })
}

fn row(id: &str) -> Value {
    json!({ "id": id, "name": format!("Name{id}x"), "zip": format!("Zip{id}x") })
}

#[expect(clippy::needless_pass_by_value, reason = "contents are written where they are given")]
fn refuse(spec: &Value, refused: &[&str], content: Value) -> Value {
    let mut result = json!({ "structuredContent": content });
    let review = Trial::of(spec).refusing(refused, Carrier::Tool, &mut result);
    assert_eq!(review.withheld, None, "{result}");
    result["structuredContent"].take()
}

#[test]
fn rows_are_known_by_id_and_by_name_however_these_are_written() {
    let named = json!({ "results": [{
        "each": "$.rows[*]", "of": "Customer", "id": "$.customer", "attributes": { "zip": "$.zip" },
    }] });
    let zip = |customer: &Value| json!({ "customer": customer, "zip": "12345" });
    for customer in [
        json!("4711"),
        json!(4711),
        json!("Taylor Swift"),
        json!("taylor  SWIFT"),
        json!("Swift, Taylor"),
        json!("T\u{430}ylor Sw\u{456}ft"),
        json!("Mr Taylor Swift (private)"),
        json!("ORD-1001"),
        json!("taylor@example.com"),
        json!({ "type": "Customer", "id": "4711" }),
    ] {
        let content =
            json!({ "rows": [zip(&customer), zip(&json!("4712")), zip(&json!("Ann Lee"))] });
        let left = refuse(&named, &["4711"], content);
        assert_eq!(
            left,
            json!({ "rows": [zip(&json!("4712")), zip(&json!("Ann Lee"))] }),
            "{customer}"
        );
    }
}

#[test]
fn whoever_may_be_meant_must_be_permitted() {
    let content = json!({ "customers": [row("John Smith"), row("4713")] });
    assert_eq!(refuse(&spec(), &["4714"], content.clone()), json!({ "customers": [row("4713")] }));
    assert_eq!(refuse(&spec(), &["4711"], content.clone()), content);
}

#[test]
fn a_row_of_which_it_cannot_be_told_whom_it_is_about_leaves() {
    let odd = |id: Value| json!({ "id": id, "name": "secret", "zip": "secret" });
    let content = json!({ "customers": [odd(json!(null)), odd(json!("")), odd(json!("--")), row("1")], "total": 4 });
    assert_eq!(refuse(&spec(), &[], content), json!({ "customers": [row("1")], "total": 1 }));
}

#[test]
fn a_row_twice_leaves_twice_and_is_asked_about_once() {
    let content = json!({ "customers": [row("2"), row("1"), row("2")], "count": 3 });
    assert_eq!(refuse(&spec(), &["2"], content), json!({ "customers": [row("1")], "count": 1 }));
}

#[test]
fn counts_are_corrected_wherever_they_stand() {
    let content = json!({
        "customers": [row("1"), row("2"), row("3")],
        "total": 3, "rowCount": "3", "hits": 3.0,
        "meta": { "pagination": { "total_results": 3, "pages": 3, "page": 3, "per_page": 1 } },
        "other": { "customers": [1, 2, 3], "total": 3 },
        "limit": 3, "ms": 3, "account": 3, "discount": 3,
        "summary": "Showing 3 customers", "address": "3 Main Street",
    });
    let left = refuse(&spec(), &["2"], content);
    assert_eq!(
        left,
        json!({
            "customers": [row("1"), row("3")],
            "total": 2, "rowCount": "2", "hits": 2,
            "meta": { "pagination": { "total_results": 2, "pages": 2, "page": 3, "per_page": 1 } },
            "other": { "customers": [1, 2, 3], "total": 3 },
            "limit": 3, "ms": 3, "account": 3, "discount": 3,
            "summary": "[not available]", "address": "3 Main Street",
        })
    );
}

#[test]
fn totals_of_all_pages_lose_what_leaves_this_one() {
    let content = json!({
        "customers": [row("1"), row("2")], "totalCount": 41, "total": 41, "page": 1, "pageSize": 2,
        "totalPages": 21, "customerCount": 41,
    });
    let left = refuse(&spec(), &["2"], content);
    assert_eq!(left["totalCount"], 40);
    assert_eq!(left["total"], 40);
    assert_eq!(left["totalPages"], 20);
    assert_eq!((left["page"].clone(), left["pageSize"].clone()), (json!(1), json!(2)));
}

#[test]
fn sums_and_means_over_refused_rows_leave_with_them() {
    let content = json!({
        "customers": [row("1"), row("2")], "average_pay": 90.5, "total_pay": 181, "maxPay": 100,
        "stats": { "sum": 181 }, "maximal": 7, "minute": 5,
    });
    let left = refuse(&spec(), &["2"], content.clone());
    assert_eq!(left, json!({ "customers": [row("1")], "stats": {}, "maximal": 7, "minute": 5 }));
    assert_eq!(refuse(&spec(), &[], content.clone()), content);
    let only_zip = Trial::of(&spec());
    let mut result = json!({ "structuredContent": content });
    only_zip.judged(Carrier::Tool, &mut result, |fact, _| {
        if &*fact.attribute == "zip" { Opinion::No } else { Opinion::Yes }
    });
    assert_eq!(result["structuredContent"].get("total_pay"), None);
}

#[test]
fn what_repeats_a_refused_row_leaves_too() {
    let content = json!({
        "customers": [row("1"), row("2")],
        "summary": "The second one lives in zip2X.",
        "first": "Name1x",
    });
    let mut result = json!({
        "structuredContent": content,
        "content": [{ "type": "text", "text": "2 results: Name1x, Name2x" }, { "type": "image", "data": "" }],
        "_meta": { "hint": "see NAME2X", "count": 2, "trace": "abc" },
    });
    Trial::of(&spec()).refusing(&["2"], Carrier::Tool, &mut result);
    assert_eq!(result["structuredContent"]["customers"], json!([row("1")]));
    assert_eq!(result["structuredContent"]["first"], "Name1x");
    assert_eq!(result["_meta"]["trace"], "abc");
    let told = result.to_string().to_lowercase();
    assert!(!told.contains("zip2x") && !told.contains("name2x"), "{told}");
    assert!(!told.contains("2 results") && !told.contains("image"), "{told}");
}

#[test]
fn a_text_that_says_more_than_the_structured_content_is_filtered_too() {
    let text = |value: &Value| json!({ "type": "text", "text": value.to_string() });
    let content = json!({ "customers": [row("1")], "total": 1 });
    let more = json!({ "customers": [row("1"), row("2")], "total": 2 });
    let other = json!({ "status": "ok" });
    let mut result = json!({ "structuredContent": content, "content": [text(&content), text(&more), text(&other)] });
    Trial::of(&spec()).refusing(&["2"], Carrier::Tool, &mut result);
    assert_eq!(
        result,
        json!({ "structuredContent": content, "content": [text(&content), text(&content), text(&other)] })
    );
}

#[test]
fn a_row_of_another_shape_withholds_all() {
    for content in [
        json!({ "customers": [row("1"), { "ID": "2", "name": "x" }] }),
        json!({ "customers": [row("1"), ["2"]] }),
        json!({ "customers": [row("1"), { "id": true, "name": "x" }] }),
        json!({ "customers": [row("1"), { "id": 4.5, "name": "x" }] }),
        json!({ "customers": { "a": { "ID": "2" } } }),
    ] {
        let mut result = json!({ "structuredContent": content });
        let review = Trial::of(&spec()).refusing(&[], Carrier::Tool, &mut result);
        assert!(matches!(review.withheld, Some(Withheld::Shape { .. })), "{result}");
        assert!(!review.entries.iter().any(|entry| matches!(entry, crate::Entry::Learnt(_))));
    }
}

#[test]
fn ten_thousand_rows_take_a_moment() {
    let rows: Vec<Value> = (0..10_000).map(|n| row(&format!("N{n}"))).collect();
    let mut result = json!({ "structuredContent": { "customers": rows, "total": 10_000 } });
    let review = Trial::of(&spec()).judged(Carrier::Tool, &mut result, |fact, _| {
        if fact.subject.id.ends_with('7') { Opinion::Silent } else { Opinion::Yes }
    });
    assert_eq!(review.withheld, None);
    assert_eq!(result["structuredContent"]["total"], 9_000);
    assert_eq!(result["structuredContent"]["customers"].as_array().unwrap().len(), 9_000);
}

#[test]
fn what_is_allowed_stays_as_it_is() {
    let contents = [
        json!({ "customers": [row("4711"), row("4712")], "total": 2, "avg": 1, "note": "Nashville depot" }),
        json!({ "customers": [], "total": 0 }),
    ];
    for content in contents {
        let before = json!({ "content": [{ "type": "text", "text": "2 rows" }], "structuredContent": content });
        let mut result = before.clone();
        let review = Trial::of(&spec()).refusing(&[], Carrier::Tool, &mut result);
        assert!(!review.changed && review.removed.is_empty());
        assert_eq!(result.to_string(), before.to_string());
    }
}

#[test]
fn whoever_is_told_of_in_part_is_named_in_their_own_row_alone() {
    let note = |id: &str, note: &str| json!({ "id": id, "name": "x", "zip": "y", "note": note });
    let content = json!({ "customers": [
        note("4711", "Taylor Swift likes tea"), note("4712", "Taylor Swift lives next door"), note("4712", "Ann Lee is in"),
    ] });
    let mut result = json!({ "structuredContent": content });
    Trial::of(&spec()).judged(Carrier::Tool, &mut result, |fact, _| {
        let refused = &*fact.subject.id == "4711" && &*fact.attribute == "zip";
        if refused { Opinion::Silent } else { Opinion::Yes }
    });
    let first = json!({ "id": "4711", "name": "x", "note": "Taylor Swift likes tea" });
    let left = json!({ "customers": [first, note("4712", "Ann Lee is in")] });
    assert_eq!(result["structuredContent"], left);
}

#[test]
fn whoever_has_a_row_may_be_named_in_the_text() {
    let spec = json!({
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.id", "attribute": "address" }],
        "results": [{ "each": "$.customers[*]", "of": "Customer", "id": "$.id", "attributes": { "name": "$.name" } }],
    });
    let content = json!({ "customers": [{ "id": "4712", "name": "Ann Lee" }] });
    let before = json!({ "structuredContent": content, "content": [{ "type": "text", "text": "Found Ann Lee" }] });
    let mut result = before.clone();
    Trial::of(&spec).about("4711").judged(Carrier::Tool, &mut result, |fact, _| {
        if &*fact.attribute == "name" { Opinion::Yes } else { Opinion::Silent }
    });
    assert_eq!(result, before);
}

#[test]
fn an_empty_page_counts_nothing() {
    let mut result = json!({ "structuredContent": { "customers": [], "total": 1, "limit": 0 } });
    Trial::of(&spec()).refusing(&["2"], Carrier::Tool, &mut result);
    assert_eq!(result, json!({ "structuredContent": { "customers": [], "limit": 0 } }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No value of a refused row survives anywhere, however often the answer repeats it.
    #[test]
    fn refused_values_survive_nowhere(
        rows in prop::collection::vec((0_u8..8, "[a-z]{4,8}", "[a-z]{4,8} [0-9]{3,5}"), 1..10),
        refused in prop::collection::btree_set(0_u8..8, 0..6),
        quoted in 0_usize..10,
    ) {
        let rows: Vec<Value> = rows.iter().map(|(n, name, zip)| {
            json!({ "id": format!("R{n}R"), "name": format!("q{name}{n}q"), "zip": format!("w{zip}{n}") })
        }).collect();
        let quote = &rows[quoted % rows.len()];
        let quote = format!("e.g. {} of {}.", quote["zip"].as_str().unwrap(), quote["name"].as_str().unwrap());
        let content = json!({ "customers": rows, "example": quote, "total": rows.len() });
        let mut result = json!({
            "content": [{ "type": "text", "text": content.to_string() }, { "type": "text", "text": quote }],
            "structuredContent": content,
            "_meta": { "example": quote },
        });
        let ids: Vec<String> = refused.iter().map(|n| format!("R{n}R")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let review = Trial::of(&spec()).refusing(&ids, Carrier::Tool, &mut result);
        prop_assert_eq!(review.withheld, None);
        let told = result.to_string();
        let (gone, kept): (Vec<&Value>, Vec<&Value>) =
            rows.iter().partition(|row| ids.contains(&row["id"].as_str().unwrap()));
        for row in gone {
            for field in ["id", "name", "zip"] {
                prop_assert!(!told.contains(row[field].as_str().unwrap()), "{} in {}", row, told);
            }
        }
        prop_assert_eq!(&result["structuredContent"]["customers"], &json!(kept));
        prop_assert_eq!(&result["structuredContent"]["total"], &json!(kept.len()));
    }
}
