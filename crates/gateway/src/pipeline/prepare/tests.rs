use bytes::Bytes;
use kenward_mcp::{Limits, Message};
use proptest::prelude::*;
use serde_json::Value;

use super::{Prepared, prepare};
use crate::tests::{LEGACY, MODERN, call, in_force};

const ELICIT: &str = r#"@id("elicit")
    permit (principal, action == Mcp::Action::"elicitation/create", resource);"#;

fn prepared(version: &str, text: &str, rules: &str) -> Prepared {
    prepare(&call("ann", version, text), &in_force(rules)).expect("a message")
}

fn body(version: &str, text: &str, rules: &str) -> String {
    String::from_utf8(prepared(version, text, rules).body.to_vec()).expect("text")
}

/// A modern call whose `_meta` holds `members`, with odd blanks that have to stay.
fn modern(members: &str) -> String {
    format!(
        "{{ \"jsonrpc\":\"2.0\",\t\"id\" : 10 ,\"method\":\"tools/call\", \"params\" : {{\"name\":\"track\" , \"arguments\":{{\"n\":1.50,\"s\":\"\\u0041\"}} , \"_meta\" : {{{members}}} }} }}"
    )
}

const VERSION: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
const CAPABILITIES: &str = r#""io.modelcontextprotocol/clientCapabilities""#;

#[test]
fn a_message_that_holds_nothing_of_this_goes_on_byte_for_byte() {
    for members in [
        String::new(),
        VERSION.to_owned(),
        format!("{VERSION} , {CAPABILITIES}: {{ }}"),
        format!(r#"{VERSION},{CAPABILITIES}:{{"other":{{"elicitation":1}}}}"#),
        r#""progressToken": 1.0 ,"dev.kenwardx/a":1,"Dev.kenward/a":2,"x/dev.kenward/a":3"#
            .to_owned(),
    ] {
        let text = modern(&members);
        assert_eq!(body(MODERN, &text, ""), text);
    }
    let nested = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"track","arguments":{"_meta":{"dev.kenward/a":1},"capabilities":{"roots":{}}}}}"#;
    assert_eq!(body(LEGACY, nested, ""), nested, "arguments are the tool's own");
}

#[test]
fn our_own_members_are_taken_out_and_nothing_else() {
    let kept = r#""a" : 1"#;
    for forged in [
        r#""dev.kenward/txn-token":"x""#,
        r#""dev.kenward/":{}"#,
        r#""dev.kenward/decision" : { "verdict" : [ "allow" , "}" ] }"#,
        r#""\u0064ev.kenward/txn-token":"x""#,
        r#""dev.kenward\/txn-token":"x""#,
        r#""dev\u002ekenward\u002ftxn-token":"x""#,
        r#""dev.kenward/\ud83d\ude00":"x""#,
        r#""dev.kenward/ü\"quoted\"":"x""#,
    ] {
        for members in [forged.to_owned(), format!("{kept},{forged}"), format!("{forged},{kept}")] {
            for version in [MODERN, LEGACY] {
                let text = modern(&members);
                let left = body(version, &text, "");
                let value: Value = serde_json::from_str(&left).expect("JSON");
                let meta = value["params"]["_meta"].as_object().expect("what is left of it");
                assert!(meta.keys().all(|name| name == "a"), "{left}");
                assert_eq!(meta.len(), usize::from(members.contains(kept)), "{left}");
                let (before, rest) = text.split_once(&members).expect("the members");
                assert!(left.starts_with(before) && left.ends_with(rest), "{left}");
            }
        }
    }
}

#[test]
fn several_forged_members_are_all_taken_out() {
    let members: Vec<String> = (0..20).map(|n| format!(r#""dev.kenward/{n}":{n}"#)).collect();
    let left = body(MODERN, &modern(&members.join(" , ")), "");
    assert!(!left.contains("kenward"), "{left}");
}

#[test]
fn duplicates_do_not_bring_a_member_back() {
    for text in [
        modern(r#""dev.kenward/a":1,"dev.kenward/a":2"#),
        modern(r#""dev.kenward/a":1,"\u0064ev.kenward/a":2"#),
        modern(&format!(r#"{CAPABILITIES}:{{"roots":{{}},"roots":{{}}}}"#)),
        modern(&format!(r#"{CAPABILITIES}:{{}},{CAPABILITIES}:{{"roots":{{}}}}"#)),
        modern("\"a\":1").replace("\"_meta\"", "\"_meta\":{},\"_meta\""),
        modern("\"a\":1").replace("\"params\"", "\"params\":{},\"params\""),
    ] {
        let parsed = Message::parse(Bytes::from(text.clone()), &Limits::default());
        assert!(parsed.is_err(), "{text}");
    }
}

#[test]
fn capabilities_pass_where_policy_permits_what_they_allow() {
    let members = format!(
        r#"{VERSION},{CAPABILITIES}: {{ "elicitation":{{"form":{{}}}} ,"sampling": {{}},"roots":{{"listChanged":true}}, "tasks":{{}},"experimental":{{"x":1}},"extensions":{{}}, "other":{{}} }}"#
    );
    let text = modern(&members);
    let none = prepared(MODERN, &text, "");
    assert!(none.server_requests.is_empty());
    let none: Value = serde_json::from_slice(&none.body).expect("JSON");
    let left = |value: &Value| {
        value["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"].clone()
    };
    assert_eq!(left(&none), serde_json::json!({ "other": {} }));
    let some = prepared(MODERN, &text, ELICIT);
    assert_eq!(some.server_requests, ["elicitation/create"]);
    let some: Value = serde_json::from_slice(&some.body).expect("JSON");
    assert_eq!(left(&some), serde_json::json!({ "elicitation": { "form": {} }, "other": {} }));
}

#[test]
fn a_capability_in_disguise_is_the_same_capability() {
    let members = format!(
        r#"{VERSION},"io.modelcontextprotocol\/client\u0043apabilities":{{"\u0072oots":{{}},"samp\u006cing":{{}}}}"#
    );
    let left = body(MODERN, &modern(&members), ELICIT);
    let value: Value = serde_json::from_str(&left).expect("JSON");
    let meta = &value["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    assert_eq!(*meta, serde_json::json!({}), "{left}");
}

#[test]
fn a_policy_for_nobody_passes_no_capability_on() {
    let rules = ELICIT.replace("principal,", "principal == User::\"bob\",");
    let text = modern(&format!(r#"{VERSION},{CAPABILITIES}:{{"elicitation":{{}}}}"#));
    let prepared = prepared(MODERN, &text, &rules);
    assert!(prepared.server_requests.is_empty());
    assert!(!String::from_utf8_lossy(&prepared.body).contains("elicitation"));
}

#[test]
fn a_handshake_asks_for_what_is_spoken_and_may_be_asked() {
    let text = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{ "protocolVersion" : "1999-01-01","capabilities":{"roots":{"listChanged":true} , "elicitation":{}},"clientInfo":{"name":"c","version":"1"}}}"#;
    let expected =
        text.replace("1999-01-01", LEGACY).replace(r#""roots":{"listChanged":true} ,"#, "");
    let prepared = prepared(LEGACY, text, ELICIT);
    assert_eq!(prepared.server_requests, ["elicitation/create"]);
    assert_eq!(String::from_utf8(prepared.body.to_vec()).expect("text"), expected);
    let spoken = text.replace("1999-01-01", LEGACY);
    assert!(body(LEGACY, &spoken, "").contains(LEGACY));
}

proptest! {
    /// Whatever else is in `_meta`, in whatever order: only ours goes, and the rest keeps its bytes.
    #[test]
    fn the_rest_keeps_its_bytes(names in prop::collection::hash_set("[a-z]{1,6}", 0..6), ours in prop::collection::hash_set("[a-z]{0,4}", 0..4), seed in any::<u64>()) {
        let foreign = names.iter().map(|name| (format!("\"x/{name}\" : [1.0, \"{name}\"]"), true));
        let forged = ours.iter().map(|name| (format!("\"dev.kenward/{name}\":{{\"{name}\":1e2}}"), false));
        let mut all: Vec<(String, bool)> = foreign.chain(forged).collect();
        let length = all.len();
        for place in 1..length {
            all.swap(place, usize::try_from(seed % 97).unwrap_or(0) * place % (place + 1));
        }
        let members: Vec<&str> = all.iter().map(|(member, _)| member.as_str()).collect();
        let text = modern(&members.join(","));
        let left = body(MODERN, &text, "");
        prop_assert!(!left.contains("dev.kenward/"), "{left}");
        for (member, stays) in &all {
            prop_assert_eq!(left.contains(member), *stays, "{}", left);
        }
        let (whole, rest): (Value, Value) = (serde_json::from_str(&text).expect("JSON"), serde_json::from_str(&left).expect("JSON"));
        prop_assert_eq!(&whole["params"]["arguments"], &rest["params"]["arguments"]);
        prop_assert_eq!(rest["params"]["_meta"].as_object().map(serde_json::Map::len), Some(names.len()));
    }
}
