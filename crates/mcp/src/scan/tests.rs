//! Shapes without trees.

use proptest::prelude::*;
use serde_json::json;

use super::shape;
use crate::{Kind, Limits, Message};

#[test]
fn a_result_is_seen_with_its_type() {
    let text =
        r#"{"jsonrpc":"2.0","result":{"x":[1],"result\u0054ype":"input_required"},"id":"a"}"#;
    let shape = shape(text.as_bytes()).unwrap();
    assert_eq!((shape.kind, shape.id, shape.method), (Kind::Response, Some(&b"\"a\""[..]), None));
    assert_eq!(shape.result_type.as_deref(), Some("input_required"));
    assert!(text.as_bytes()[shape.result.unwrap()].starts_with(br#"{"x":[1]"#));
    assert_eq!((shape.error, shape.params, shape.progress_token), (None, None, None));
}

#[test]
fn an_error_is_seen() {
    let text = r#"{"jsonrpc":"2.0","id":null,"error":{"code":1}}"#;
    let shape = shape(text.as_bytes()).unwrap();
    assert_eq!((shape.kind, shape.id), (Kind::Response, None));
    assert_eq!(&text.as_bytes()[shape.error.unwrap()], br#"{"code":1}"#);
}

#[test]
fn progress_tokens_are_seen_where_they_belong() {
    let text = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken": "t","progress":1}}"#;
    let progress = shape(text.as_bytes()).unwrap();
    assert_eq!((progress.kind, progress.progress_token), (Kind::Notification, Some(&b"\"t\""[..])));
    assert_eq!(progress.method.as_deref(), Some("notifications/progress"));
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"progressToken":1,"_meta":{"progressToken":7}}}"#;
    let call = shape(text.as_bytes()).unwrap();
    assert_eq!((call.kind, call.progress_token), (Kind::Request, Some(&b"7"[..])));
    let bare = shape(br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).unwrap();
    assert_eq!((bare.progress_token, bare.params), (None, None));
}

#[test]
fn ambiguous_messages_have_no_shape() {
    let bad = [
        r#"{"jsonrpc":"2.0","id":1,"result":{},"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"Result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","resultType":"task"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ResultType":"task"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":null}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progressToken":2}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{},"_meta":{"progressToken":2}}}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        "[]",
        "{",
    ];
    for text in bad {
        assert!(shape(text.as_bytes()).is_err(), "{text}");
    }
    assert!(shape(b"\xff").is_err());
}

proptest! {
    /// Every message that is parsed has a shape, and they agree.
    #[test]
    fn shapes_are_messages(kind in 0..4_usize, number in any::<i32>(), pretty: bool) {
        let value = match kind {
            0 => json!({ "jsonrpc": "2.0", "id": number, "method": "tools/list", "params": { "a": number } }),
            1 => json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": {} }),
            2 => json!({ "jsonrpc": "2.0", "id": number, "result": { "b": [number] } }),
            _ => json!({ "error": { "code": number }, "jsonrpc": "2.0", "id": "x" }),
        };
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        let message = Message::parse(text.clone().into(), &Limits::default()).unwrap();
        let shape = shape(text.as_bytes()).unwrap();
        prop_assert_eq!(shape.kind, message.kind());
        prop_assert_eq!(shape.id, message.id());
        prop_assert_eq!(shape.method.as_deref().unwrap_or_default(), message.method());
        prop_assert_eq!(shape.params, message.params_span());
        prop_assert_eq!(shape.result, message.result_span());
        prop_assert_eq!(shape.error, message.error_span());
    }
}
