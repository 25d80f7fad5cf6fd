//! Results that name others than those who were asked about.

use serde_json::{Value, json};

use super::super::trial::Trial;
use super::super::{Carrier, Withheld};
use crate::history::ShadowSource;

/// A tool that tells where the customer of its argument lives, and of nobody else.
fn spec() -> Value {
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

fn refused(result: Value) -> (Value, Option<Withheld>) {
    let mut result = result;
    let review = Trial::of(&spec()).about("4712").refusing(&["4711"], Carrier::Tool, &mut result);
    (result, review.withheld)
}

#[test]
fn somebody_else_in_a_list_leaves_it() {
    let stop = |who: &str| json!({ "recipient": who, "street": "Main" });
    let content =
        json!({ "stops": [stop("Ann Lee"), stop("Taylor Swift"), stop("depot")], "count": 3 });
    let text = json!({ "type": "text", "text": content.to_string() });
    let (left, withheld) = refused(json!({ "content": [text], "structuredContent": content }));
    assert_eq!(withheld, None);
    let kept = json!({ "stops": [stop("Ann Lee"), stop("depot")], "count": 2 });
    assert_eq!(left["structuredContent"], kept);
    assert_eq!(left["content"][0]["text"], kept.to_string());
}

#[test]
fn names_are_found_wherever_they_hide() {
    for hidden in [
        json!({ "note": "also TAYLOR\u{200b} SWIFT" }),
        json!({ "note": "Swift, Taylor lives next door" }),
        json!({ "deep": { "er": { "n": { "o": "near Taylor Swift" } } } }),
        json!({ "Taylor Swift": "12 Main Street" }),
        json!({ "by_customer": { "4711": { "street": "Main" } } }),
        json!({ "customer_id": 4711 }),
        json!({ "customerId": "4711" }),
        json!({ "raw": "{\"c\":\"\\u0054aylor Swift\"}" }),
        json!({ "raw": "[{\"c\":\"[\\\"\\\\u0054aylor Swift\\\"]\"}]" }),
        json!({ "order": "ORD-1001" }),
        json!({ "mail": "taylor@example.com" }),
    ] {
        let (left, _) =
            refused(json!({ "structuredContent": { "a": 1, "b": [hidden], "c": "kept" } }));
        assert_eq!(
            left,
            json!({ "structuredContent": { "a": 1, "b": [], "c": "kept" } }),
            "{hidden}"
        );
    }
}

#[test]
fn only_the_innermost_element_leaves() {
    let deep =
        json!({ "customer_ids": [[4711, 4712], [4712]], "er": [["x", { "n": "Taylor Swift" }]] });
    let (left, _) = refused(json!({ "structuredContent": deep }));
    let kept = json!({ "customer_ids": [[4712], [4712]], "er": [["x"]] });
    assert_eq!(left["structuredContent"], kept);
}

#[test]
fn a_text_outside_of_lists_is_replaced_and_a_name_takes_its_object_with_it() {
    let (left, _) =
        refused(json!({ "structuredContent": { "street": "Main", "note": "near Taylor Swift" } }));
    assert_eq!(left["structuredContent"], json!({ "street": "Main", "note": "[not available]" }));
    let content = json!({ "structuredContent": { "rep": "x", "who": { "name": "Taylor Swift", "street": "Main" } } });
    let mut result = content;
    Trial::of(&spec()).refusing(&["4711"], Carrier::Tool, &mut result);
    assert_eq!(result, json!({ "structuredContent": { "rep": "x" } }));
    let mut flat = json!({ "structuredContent": { "name": "Taylor Swift", "street": "Main" } });
    let review = Trial::of(&spec()).refusing(&["4711"], Carrier::Tool, &mut flat);
    assert_eq!(review.withheld, Some(Withheld::Everything));
    let mut only = json!({ "structuredContent": { "note": "ask Taylor Swift" } });
    let review = Trial::of(&spec()).about("4712").refusing(&["4711"], Carrier::Tool, &mut only);
    assert_eq!(review.withheld, Some(Withheld::Everything));
}

#[test]
fn a_text_block_that_names_somebody_leaves_with_the_pictures() {
    let text = |text: &str| json!({ "type": "text", "text": text });
    let picture = json!({ "type": "image", "data": "eHh4", "mimeType": "image/png" });
    let resource = json!({ "type": "resource", "resource": { "uri": "a:b", "text": "Taylor Swift, Main Street" } });
    let (left, withheld) =
        refused(json!({ "content": [text("Ann Lee"), text("Taylor Swift"), picture, resource] }));
    assert_eq!((left, withheld), (json!({ "content": [text("Ann Lee")] }), None));
    let (left, withheld) = refused(json!({ "content": [text("Taylor Swift")] }));
    assert_eq!(withheld, Some(Withheld::Everything));
    assert_eq!(left, json!({ "content": [], "isError": true }));
}

#[test]
fn an_error_that_names_somebody_is_an_error_and_nothing_else() {
    let (left, withheld) = refused(
        json!({ "isError": true, "content": [{ "type": "text", "text": "no Taylor Swift here" }] }),
    );
    assert_eq!(withheld, None);
    assert_eq!(
        left,
        json!({ "isError": true, "content": [{ "type": "text", "text": "the server reported an error" }] })
    );
}

#[test]
fn meta_is_searched_too() {
    let (left, _) = refused(json!({
        "content": [{ "type": "text", "text": "ok" }],
        "_meta": { "vendor/next": "Taylor Swift", "vendor/ms": 4711, "list": [{ "id": "4711", "customer": "4711" }, 2] },
    }));
    assert_eq!(
        left,
        json!({
            "content": [{ "type": "text", "text": "ok" }],
            "_meta": { "vendor/next": "[not available]", "vendor/ms": 4711, "list": [2] },
        })
    );
}

#[test]
fn a_note_in_a_permitted_row_takes_the_row() {
    let row = |note: &str| json!({ "id": "4712", "address": "5 Elm", "note": note });
    let mut result = json!({ "structuredContent": { "customers": [row("see Taylor Swift"), row("Ann Lee herself")] } });
    Trial::of(&rows()).refusing(&["4711"], Carrier::Tool, &mut result);
    assert_eq!(result, json!({ "structuredContent": { "customers": [row("Ann Lee herself")] } }));
    // A field may say of its row what it is bound to say.
    let named = json!({ "id": "4713", "address": "Taylor Swift" });
    let mut result = json!({ "structuredContent": { "customers": [named] } });
    let review = Trial::of(&rows()).refusing(&["4711"], Carrier::Tool, &mut result);
    assert!(!review.changed);
}

#[test]
fn whom_the_answer_is_about_and_places_may_be_named() {
    for (subject, content) in [
        ("4712", json!({ "customer": "Ann Lee", "id": 4712, "street": "Taylor Swift Way 4" })),
        ("4712", json!({ "depot": "Nashville depot", "amount": 4711, "order": "ORD-1002" })),
        // The other John Smith is not meant.
        ("4713", json!({ "customer": "John Smith", "stops": ["John Smith", "depot"] })),
    ] {
        let mut result = json!({ "structuredContent": content });
        let review = Trial::of(&spec()).about(subject).refusing(
            &["4711", "4714"],
            Carrier::Tool,
            &mut result,
        );
        assert!(!review.changed, "{content}");
    }
}

#[test]
fn texts_that_are_too_long_to_be_read_leave() {
    let long = "x ".repeat(40_000);
    let (left, _) = refused(json!({ "structuredContent": { "a": "kept", "b": long } }));
    assert_eq!(left["structuredContent"], json!({ "a": "kept", "b": "[not available]" }));
    let many: Vec<String> = (0..100).map(|n| format!("{n}{}", "y".repeat(60_000))).collect();
    let (left, _) = refused(json!({ "structuredContent": { "a": "kept", "b": many } }));
    assert!(left["structuredContent"]["b"].as_array().unwrap().len() < 80);
}

#[test]
fn deep_nesting_hides_nobody() {
    let mut deep = json!("Taylor Swift");
    for level in 0..100 {
        deep = if level % 2 == 0 { json!({ "x": deep }) } else { json!([deep]) };
    }
    let (left, _) = refused(json!({ "structuredContent": { "a": "kept", "deep": [deep] } }));
    assert!(!left.to_string().contains("Swift"), "{left}");
}

mod under_a_shadow {
    use super::*;
    use crate::vocabulary::Vocabulary;

    /// A tool that nobody has described, after the address of 4711 was refused.
    fn trial(source: ShadowSource) -> Trial {
        let mut trial = Trial::unbound();
        trial.guess = Vocabulary::new(&trial.inferences.families).guess(["get_address"]);
        assert!(trial.guess.touches("location"));
        trial.shadow("4711", "location", source, "deliveries/other");
        trial
    }

    #[test]
    fn the_refused_subject_leaves_the_answers_of_guessed_tools() {
        let stops =
            json!([{ "who": "Taylor Swift", "at": "Main" }, { "who": "Ann Lee", "at": "Elm" }]);
        let mut result = json!({ "structuredContent": { "stops": stops, "count": 2 } });
        trial(ShadowSource::Policy).refusing(&["4711"], Carrier::Tool, &mut result);
        assert_eq!(
            result["structuredContent"],
            json!({ "stops": [{ "who": "Ann Lee", "at": "Elm" }], "count": 1 })
        );
    }

    #[test]
    fn a_disguise_hides_nobody() {
        for disguised in [
            "VGF5bG9yIFN3aWZ0",
            "54 61 79 6c 6f 72 20 53 77 69 66 74",
            "Taylor%20Swift",
            "Taylr Swift",
            "taylorswift",
            "t a y l o r s w i f t",
            "tfiws rolyat",
            "{\"a\":\"VGF5bG9yIFN3aWZ0\"}",
        ] {
            let mut result = json!({ "structuredContent": { "found": [disguised, "Ann Lee"] } });
            trial(ShadowSource::Policy).refusing(&["4711"], Carrier::Tool, &mut result);
            assert_eq!(result["structuredContent"]["found"], json!(["Ann Lee"]), "{disguised}");
        }
    }

    #[test]
    fn it_may_be_named_once_its_fact_may_be_learnt_unless_others_refused_it() {
        for (source, stays) in [
            (ShadowSource::Policy, true),
            (ShadowSource::Approval, true),
            (ShadowSource::Upstream, false),
            (ShadowSource::Hidden, false),
        ] {
            let mut result = json!({ "content": [{ "type": "text", "text": "x" }, { "type": "text", "text": "Taylor Swift" }] });
            let review = trial(source).refusing(&[], Carrier::Tool, &mut result);
            assert_eq!(!review.changed, stays, "{source:?}");
        }
    }

    #[test]
    fn other_subjects_and_other_tools_are_left_alone() {
        let before = json!({ "content": [{ "type": "text", "text": "Ann Lee, Elm Street" }] });
        let mut result = before.clone();
        trial(ShadowSource::Policy).refusing(&["4711"], Carrier::Tool, &mut result);
        assert_eq!(result, before);
        let before = json!({ "content": [{ "type": "text", "text": "Taylor Swift" }] });
        let mut result = before.clone();
        let mut elsewhere = trial(ShadowSource::Policy);
        elsewhere.guess = crate::Guess::none();
        elsewhere.refusing(&["4711"], Carrier::Tool, &mut result);
        assert_eq!(result, before);
    }

    #[test]
    fn a_bound_tool_tells_nothing_of_others_who_were_refused() {
        let spec = json!({ "discloses": [{ "of": "Driver", "in_result": "$.driver", "attribute": "route" }] });
        let mut trial = Trial::of(&spec);
        trial.shadow("4711", "location", ShadowSource::Policy, "deliveries/other");
        let mut result =
            json!({ "structuredContent": { "driver": "D", "stops": ["depot", "Taylor Swift"] } });
        trial.refusing(&["4711"], Carrier::Tool, &mut result);
        assert_eq!(result, json!({ "structuredContent": { "driver": "D", "stops": ["depot"] } }));
    }

    #[test]
    fn a_bound_tool_tells_nothing_that_a_server_refused_elsewhere() {
        let mut trial = Trial::of(&rows());
        let row = |id: &str| json!({ "id": id, "address": "x" });
        trial.shadow("4711", "location", ShadowSource::Upstream, "deliveries/other");
        let before = json!({ "structuredContent": { "customers": [row("4711"), row("4712")] } });
        let mut result = before.clone();
        trial.refusing(&[], Carrier::Tool, &mut result);
        assert_eq!(result, json!({ "structuredContent": { "customers": [row("4712")] } }));
        let mut same_tool = Trial::of(&rows());
        same_tool.shadow("4711", "location", ShadowSource::Upstream, "deliveries/tool");
        let mut result = before.clone();
        same_tool.refusing(&[], Carrier::Tool, &mut result);
        assert_eq!(result, before);
    }
}
