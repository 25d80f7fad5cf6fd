//! Attacks by spelling.

use serde_json::{Map, Value, json};

use super::{ARGUMENT, CONTEXT, META, NOTIFICATIONS, PARAMS, REF, check, of};

#[test]
fn the_lists_are_sorted() {
    for list in [PARAMS, META, REF, ARGUMENT, CONTEXT, NOTIFICATIONS] {
        assert!(list.is_sorted(), "{list:?}");
    }
}

#[test]
fn known_members_pass_and_unknown_ones_too() {
    let params = json!({
        "name": "x", "_meta": { "progressToken": 1, "com.example/Name": 1 }, "x-vendor": { "Name": 1 },
        "ref": { "type": "ref/prompt", "name": "n", "title": "t" },
        "arguments": { "Name": 1, "_META": 2, "Arguments": { "a": 1, "A": 2 } },
    });
    assert_eq!(check(&params), Ok(()));
    assert_eq!(check(&Value::Null), Ok(()));
}

#[test]
fn variants_are_refused_wherever_the_protocol_names_members() {
    let attacks = [
        json!({ "name": "allowed", "Name": "secret" }),
        json!({ "NAME": "secret" }),
        json!({ "name": "x", "Arguments": {} }),
        json!({ "name": "x", "argumentſ": {} }),
        json!({ "taſkId": "x" }),
        json!({ "tas\u{212a}Id": "x" }),
        json!({ "URI": "file:///etc/passwd" }),
        json!({ "_Meta": {} }),
        json!({ "requeststate": "x" }),
        json!({ "_meta": { "io.modelcontextprotocol/ProtocolVersion": "x" } }),
        json!({ "_meta": { "IO.modelcontextprotocol/logLevel": "x" } }),
        json!({ "_meta": { "ProgressToken": "x" } }),
        json!({ "ref": { "type": "ref/prompt", "name": "a", "NAME": "b" } }),
        json!({ "argument": { "name": "a", "Value": "b" } }),
        json!({ "notifications": { "ResourceSubscriptions": ["x"] } }),
    ];
    for params in attacks {
        assert_eq!(check(&params).unwrap_err().code(), -32600, "{params}");
    }
}

#[test]
fn arguments_that_differ_only_in_case_are_refused_few_or_many() {
    let mut arguments = Map::new();
    for count in 0..40 {
        let mut attacked = arguments.clone();
        attacked.insert("customer_id".to_owned(), json!("4712"));
        assert_eq!(check(&json!({ "name": "x", "arguments": attacked })), Ok(()));
        for twin in ["Customer_ID", "cuſtomer_id", "CUSTOMER_ID"] {
            let mut attacked = attacked.clone();
            attacked.insert(twin.to_owned(), json!("4711"));
            let error = check(&json!({ "name": "x", "arguments": attacked })).unwrap_err();
            assert_eq!(error.code(), -32600, "{count} {twin}");
        }
        arguments.insert(format!("argument_{count}"), json!(count));
    }
}

#[test]
fn metadata_is_an_object() {
    for meta in [json!(null), json!("x"), json!([])] {
        let error = check(&json!({ "_meta": meta })).unwrap_err();
        assert_eq!((error.code(), error.status()), (-32602, 400));
    }
}

#[test]
fn a_name_is_no_variant_of_itself() {
    assert_eq!(of("name", PARAMS), None);
    assert_eq!(of("naMe", PARAMS), Some("name"));
    assert_eq!(of("nama", PARAMS), None);
}
