//! Answers are valid messages and tell nothing.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    envelope, error, notification, refused, refused_tool, result, unknown_prompt, unknown_resource,
    unknown_tool,
};
use crate::dialect::Era;
use crate::{EnvelopeError, Kind, scan};

const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

fn read(bytes: &[u8]) -> Value {
    scan::shape(bytes).unwrap();
    crate::tree::read(bytes, 64).unwrap()
}

#[test]
fn errors_have_what_they_were_given() {
    let data = json!({ "a": 1 });
    let expected = json!({ "jsonrpc": "2.0", "id": "x",
        "error": { "code": -32603, "message": "no \"quotes\"", "data": { "a": 1 } } });
    assert_eq!(read(&error(Some(b"\"x\""), -32603, "no \"quotes\"", Some(&data))), expected);
    let bare = error(None, -32700, "x", None);
    assert_eq!(bare, r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}}"#);
    assert_eq!(scan::shape(&bare).unwrap().kind, Kind::Response);
}

#[test]
fn an_envelope_error_is_answered_in_full() {
    let refusal = EnvelopeError::version("2099-01-01", &["2026-07-28"]).answering(Some(b"7"));
    let reply = read(&envelope(&refusal));
    assert_eq!((&reply["id"], &reply["error"]["code"]), (&json!(7), &json!(-32022)));
    assert_eq!(reply["error"]["data"]["requested"], "2099-01-01");
}

#[test]
fn a_refused_tool_is_a_result_for_the_model() {
    let decision = json!({ "id": "0199", "question": 3 });
    for era in ERAS {
        let bytes = refused_tool(b"1", era, "not allowed", &decision);
        let reply = &read(&bytes)["result"];
        assert_eq!(reply["content"], json!([{ "type": "text", "text": "not allowed" }]));
        assert_eq!(reply["isError"], true);
        assert_eq!(reply["_meta"]["dev.kenward/decision"], decision);
        let kind = scan::shape(&bytes).unwrap().result_type;
        assert_eq!(kind.as_deref(), (era == Era::Modern).then_some("complete"));
    }
}

#[test]
fn any_other_refusal_is_an_error_outside_the_reserved_range() {
    let reply = read(&refused(b"1", "not allowed", &json!({ "id": "0199" })));
    assert_eq!(reply["error"]["code"], -31403);
    assert_eq!(reply["error"]["data"]["_meta"]["dev.kenward/decision"]["id"], "0199");
}

#[test]
fn what_does_not_exist_has_the_code_of_its_era() {
    for era in ERAS {
        assert_eq!(read(&unknown_tool(b"1", era, "x"))["error"]["code"], -32602);
        assert_eq!(read(&unknown_prompt(b"1", era, "x"))["error"]["code"], -32602);
        let reply = read(&unknown_resource(b"1", era, "file:///x"));
        let code = if era == Era::Modern { -32602 } else { -32002 };
        assert_eq!(reply["error"]["code"], code);
        assert_eq!(reply["error"]["data"], json!({ "uri": "file:///x" }));
    }
}

#[test]
fn results_and_notifications_are_whole() {
    assert_eq!(result(b"\"a\"", "{}"), r#"{"jsonrpc":"2.0","id":"a","result":{}}"#);
    assert_eq!(notification("a/b", None), r#"{"jsonrpc":"2.0","method":"a/b"}"#);
    let bytes = notification("a/b", Some("{}"));
    assert_eq!(bytes, r#"{"jsonrpc":"2.0","method":"a/b","params":{}}"#);
}

proptest! {
    /// Whatever a text contains, the answer is one valid message that says it.
    #[test]
    fn texts_cannot_break_out(text in any::<String>()) {
        let reply = read(&error(Some(b"1"), 1, &text, None));
        prop_assert_eq!(&reply["error"]["message"], &json!(text));
        for era in ERAS {
            let reply = read(&refused_tool(b"1", era, &text, &json!({ "t": text })));
            prop_assert_eq!(&reply["result"]["content"][0]["text"], &json!(text));
            read(&unknown_tool(b"1", era, &text));
            read(&unknown_resource(b"1", era, &text));
        }
        read(&notification(&text, None));
    }
}
