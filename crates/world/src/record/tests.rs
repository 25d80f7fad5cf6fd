//! What a record may not say.

use serde_json::{Value, json};

use super::EntityRecord;

fn record(value: Value) -> EntityRecord {
    serde_json::from_value(value).unwrap()
}

fn pointers(value: Value) -> Vec<String> {
    record(value).flaws().into_iter().map(|flaw| flaw.pointer).collect()
}

#[test]
fn a_good_record_has_no_flaw_and_comes_back_as_it_was() {
    let value = json!({
        "type": "Acme::Customer", "id": "4711",
        "attributes": {
            "protected": true, "visits": 12, "tags": ["a", "b"], "home": { "city": "N" },
            "rep": { "__entity": { "type": "User", "id": "rita" } },
            "score": { "__extn": { "fn": "decimal", "arg": "1.5" } },
        },
        "parents": [{ "type": "Group", "id": "customers" }],
        "aliases": ["Taylor Swift"],
    });
    let record = record(value.clone());
    assert_eq!(record.flaws(), []);
    assert_eq!(serde_json::to_value(&record).unwrap(), value);
}

#[test]
fn every_flaw_is_found_at_its_place() {
    let found = pointers(json!({
        "type": "not a type", "id": "",
        "attributes": {
            "none": null, "half": 0.5, "big": 9_223_372_036_854_775_808_u64,
            "a/b": [1, null],
            "who": { "__entity": { "type": "User" } },
            "what": { "__entity": { "type": "", "id": "x" } },
            "fn": { "__extn": { "arg": "1" } },
        },
        "parents": [{ "type": "1Group", "id": "" }],
        "aliases": ["...", "a b c d e f g h i j k l m n o p q", "x".repeat(2000)],
    }));
    let expected = [
        "/type",
        "/id",
        "/parents/0/type",
        "/parents/0/id",
        "/aliases/0",
        "/aliases/1",
        "/aliases/2",
        "/attributes/none",
        "/attributes/half",
        "/attributes/big",
        "/attributes/a~1b/1",
        "/attributes/who",
        "/attributes/what/__entity/type",
        "/attributes/fn",
    ];
    assert_eq!(found, expected);
}

#[test]
fn values_without_end_are_cut_off() {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert_eq!(pointers(json!({ "type": "A", "id": "1", "attributes": { "x": deep } })).len(), 1);
}

#[test]
fn a_key_that_stands_twice_is_refused_at_any_depth() {
    for attributes in [r#"{"a":1,"a":2}"#, r#"{"a":{"b":1,"b":2}}"#, r#"{"a":[{"b":1,"b":1}]}"#] {
        let text = format!(r#"{{"type":"A","id":"1","attributes":{attributes}}}"#);
        let error = serde_json::from_str::<EntityRecord>(&text).unwrap_err().to_string();
        assert!(error.contains("duplicate field"), "{error}");
    }
    assert!(serde_json::from_str::<EntityRecord>(r#"{"type":"A","type":"B","id":"1"}"#).is_err());
}

#[test]
fn unknown_keys_and_other_shapes_are_refused() {
    for text in [
        r#"{"type":"A","id":"1","alias":["x"]}"#,
        r#"{"type":"A","id":1}"#,
        r#"{"type":"A","id":"1","attributes":[]}"#,
        r#"{"type":"A","id":"1","attributes":null}"#,
        r#"{"type":"A"}"#,
    ] {
        assert!(serde_json::from_str::<EntityRecord>(text).is_err(), "{text}");
    }
}
