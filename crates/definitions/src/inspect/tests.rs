//! Definitions that are attacks, and honest ones that look a little like them.

use serde_json::{Value, json};

use super::{Rejection, Twins, inspect, is_twin};
use crate::Kind;

fn tool(name: &str, rest: Value) -> Result<(), Rejection> {
    let mut definition = rest;
    definition["name"] = json!(name);
    inspect(Kind::Tool, name, &definition.to_string()).map(drop)
}

#[test]
fn names_that_no_tool_has() {
    for name in ["", "a b", "a/b", "pаy", "a\u{200b}b", "naïve", &"x".repeat(129)] {
        assert_eq!(tool(name, json!({})), Err(Rejection::Name), "{name:?}");
    }
    for name in ["a", "A-z_0.9", &"x".repeat(128)] {
        assert_eq!(tool(name, json!({})), Ok(()), "{name:?}");
    }
    assert!(inspect(Kind::Prompt, "a b/ü", r#"{"name":"a b/ü"}"#).is_ok());
    assert!(inspect(Kind::Prompt, "a\u{202e}b", r#"{"name":"x"}"#).is_err());
    assert!(inspect(Kind::Template, "", r#"{"uriTemplate":""}"#).is_err());
}

#[test]
fn schemas_of_somebody_else() {
    for to in ["https://evil.example/s.json", "file:///etc/passwd", "other.json#/x", "//evil/x", ""]
    {
        for member in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let schema = json!({ "inputSchema": { "properties": { "a": { member: to } } } });
            assert_eq!(tool("t", schema), Err(Rejection::RemoteRef(to.to_owned())), "{to}");
        }
    }
    let own = json!({ "inputSchema": { "properties": { "$ref": { "type": "string" },
        "a": { "$ref": "#/$defs/a" } }, "$defs": { "a": {} } } });
    assert_eq!(tool("t", own), Ok(()));
}

#[test]
fn definitions_that_are_too_much() {
    let mut deep = json!({});
    for _ in 0..40 {
        deep = json!({ "properties": deep });
    }
    assert_eq!(tool("t", json!({ "inputSchema": deep })), Err(Rejection::Deep));
    assert_eq!(tool("t", json!({ "enum": vec![1; 2_001] })), Err(Rejection::Many));
    let large = json!({ "description": "x".repeat(64 << 10) });
    assert_eq!(tool("t", large), Err(Rejection::Large));
    assert_eq!(tool("t", json!({ "enum": vec![1; 1_900] })), Ok(()));
}

#[test]
fn text_that_is_none() {
    assert_eq!(tool("t", json!({ "description": "a\0b" })), Err(Rejection::Text));
    let surrogate = r#"{"name":"t","description":"\ud800"}"#;
    assert_eq!(inspect(Kind::Tool, "t", surrogate).map(drop), Err(Rejection::Text));
    let member = json!({ "inputSchema": { "properties": { "a\u{200b}": {} } } });
    assert_eq!(tool("t", member), Err(Rejection::Member));
}

#[test]
fn twins_are_found_and_relatives_are_not() {
    for (one, other) in [("Pay", "pay"), ("pay_l", "pay_1"), ("O0", "00"), ("form", "forrn")] {
        assert!(is_twin(one, other), "{one} {other}");
        let mut twins = Twins::default();
        assert_eq!(twins.add(one), None);
        assert_eq!(twins.add(one), None, "the same name is no twin");
        assert_eq!(twins.add(other), Some(one.to_owned()));
    }
    for (one, other) in [("pay", "pay"), ("pay", "pays"), ("get_a", "get-a"), ("a1", "a2")] {
        assert!(!is_twin(one, other), "{one} {other}");
    }
}
