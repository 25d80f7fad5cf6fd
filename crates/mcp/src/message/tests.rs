//! Attacks on the envelope, and edits that must change one thing.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{EnvelopeError, Kind, Limits, Message};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","arguments":{"id":"4711"}}}"#;

fn parse(text: &str) -> Result<Message, EnvelopeError> {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
}

fn refused(text: &str) -> EnvelopeError {
    parse(text).expect_err(text)
}

fn call(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#)
}

#[test]
fn a_call_is_read_and_its_bytes_are_kept() {
    let message = parse(CALL).unwrap();
    assert_eq!(message.kind(), Kind::Request);
    assert_eq!(message.method(), "tools/call");
    assert_eq!(message.row().unwrap().name, "tools/call");
    assert_eq!(message.id(), Some(&b"1"[..]));
    assert_eq!(message.bytes(), CALL.as_bytes());
    assert_eq!(message.params()["arguments"]["id"], "4711");
    let params = message.params_span().unwrap();
    assert_eq!(&message.bytes()[params], r#"{"name":"get","arguments":{"id":"4711"}}"#.as_bytes());
    assert_eq!((message.result_span(), message.error_span()), (None, None));
}

#[test]
fn the_method_is_what_it_says_and_not_how_it_is_spelled() {
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"tools\/c\u0061ll","params":{"name":"x"}}"#;
    assert_eq!(parse(text).unwrap().row().unwrap().name, "tools/call");
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"Tools/call"}"#;
    let message = parse(text).unwrap();
    assert_eq!((message.method(), message.row()), ("Tools/call", None));
}

#[test]
fn notifications_and_responses_are_told_apart() {
    let text = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let message = parse(text).unwrap();
    assert_eq!((message.kind(), message.id()), (Kind::Notification, None));
    assert_eq!(message.params(), &Value::Null);

    let text = r#"{"jsonrpc":"2.0","id":"a","result":{"x":1}}"#;
    let message = parse(text).unwrap();
    assert_eq!((message.kind(), message.method()), (Kind::Response, ""));
    assert_eq!(&message.bytes()[message.result_span().unwrap()], br#"{"x":1}"#);
    assert_eq!((message.params_span(), message.error_span()), (None, None));

    let text = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#;
    let message = parse(text).unwrap();
    assert_eq!((message.kind(), message.id()), (Kind::Response, None));
    assert!(message.error_span().is_some() && message.result_span().is_none());
}

#[test]
fn broken_json_is_a_parse_error() {
    let broken = [
        "",
        " ",
        "{",
        "nonsense",
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"} {}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping",}"#,
        "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1e999}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\ud800"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":01}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}"#,
    ];
    for text in broken {
        let error = refused(text);
        assert_eq!((error.code(), error.status()), (-32700, 400), "{text}");
    }
    let latin = Bytes::from_static(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p\xE9\"}");
    assert_eq!(Message::parse(latin, &Limits::default()).unwrap_err().code(), -32700);
}

#[test]
fn what_is_no_message_is_an_invalid_request() {
    let invalid = [
        "[]",
        "3",
        "null",
        "\"text\"",
        "{}",
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"params":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":"no"}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","extra":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"data":{"a":1,"\u0061":2}}}"#,
    ];
    for text in invalid {
        let error = refused(text);
        assert_eq!((error.code(), error.status()), (-32600, 400), "{text}");
    }
}

#[test]
fn ids_are_strings_or_integers_and_stay_as_they_are_written() {
    for id in ["0", "-1", "\"\"", "\"a\\u0062\"", "123456789012345678901234567890"] {
        let message =
            parse(&format!(r#"{{"jsonrpc":"2.0","id": {id} ,"method":"ping"}}"#)).unwrap();
        assert_eq!(message.id(), Some(id.as_bytes()));
    }
    let long = format!("\"{}\"", "x".repeat(2000));
    let bad = ["null", "1.0", "1e3", "true", "[]", "{}", "\"\\ud800\"", &long];
    for id in bad {
        let error = refused(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
        assert_eq!((error.code(), error.id()), (-32600, None), "{id}");
    }
}

#[test]
fn a_request_cannot_pose_as_a_notification_nor_the_other_way_round() {
    assert_eq!(refused(&CALL.replace("\"id\":1,", "")).code(), -32600);
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"notifications/cancelled"}"#;
    assert_eq!(refused(text).code(), -32600);
}

#[test]
fn case_variants_of_the_envelope_are_refused() {
    let members = ["jsonrpc", "id", "method", "params"];
    for member in members {
        for variant in [member.to_uppercase(), capital(member)] {
            let beside = CALL.replacen('{', &format!("{{\"{variant}\":1,"), 1);
            let instead = CALL.replacen(&format!("\"{member}\""), &format!("\"{variant}\""), 1);
            assert_eq!(refused(&beside).code(), -32600, "{beside}");
            assert_eq!(refused(&instead).code(), -32600, "{instead}");
        }
    }
    for member in ["Result", "ERROR"] {
        let text = CALL.replacen('{', &format!("{{\"{member}\":{{}},"), 1);
        assert_eq!(refused(&text).code(), -32600);
    }
}

#[test]
fn duplicates_are_refused_at_any_depth_and_in_any_spelling() {
    let duplicates = [
        CALL.replacen('{', r#"{"id":2,"#, 1),
        CALL.replacen('{', r#"{"method":"ping","#, 1),
        CALL.replacen('{', r#"{"\u006dethod":"ping","#, 1),
        CALL.replacen('{', r#"{"params":{},"#, 1),
        CALL.replacen('{', r#"{"jsonrpc":"2.0","#, 1),
        call(r#"{"name":"a","name":"b"}"#),
        call(r#"{"name":"a","n\u0061me":"b"}"#),
        call(r#"{"name":"a","arguments":{},"arguments":{"x":1}}"#),
        call(r#"{"name":"a","arguments":{"id":"1","id":"2"}}"#),
        call(r#"{"name":"a","arguments":{"id":"1","\u0069d":"2"}}"#),
        call(r#"{"name":"a","arguments":{"x":[[{"y":{"z":1,"z":1}}]]}}"#),
        call(r#"{"name":"a","_meta":{"k":1,"k":2}}"#),
    ];
    for text in duplicates {
        let error = refused(&text);
        assert_eq!(error.code(), -32600, "{text}");
        assert!(error.message().contains("duplicate"), "{}", error.message());
    }
}

#[test]
fn an_error_answers_the_id_unless_there_are_two() {
    let text = r#"{"jsonrpc":"2.0","id":"q7","method":"tools/call","params":{"a":1,"a":2}}"#;
    assert_eq!(refused(text).id(), Some(&b"\"q7\""[..]));
    let text = r#"{"id":5,"jsonrpc":"2.0","method":"tools/call","oops":1}"#;
    assert_eq!(refused(text).id(), Some(&b"5"[..]));
    assert_eq!(refused(r#"{"id":5,"id":6,"jsonrpc":"2.0","method":"ping"}"#).id(), None);
}

#[test]
fn limits_hold() {
    let limits = Limits { body: CALL.len(), depth: 3 };
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    assert!(Message::parse(bytes(CALL), &limits).is_ok());

    let error = Message::parse(bytes(&format!("{CALL} ")), &limits).unwrap_err();
    assert_eq!((error.code(), error.status()), (-32600, 413));

    let shallow = Limits { depth: 2, ..limits };
    assert_eq!(Message::parse(bytes(CALL), &shallow).unwrap_err().code(), -32600);
    let none = Limits { depth: 0, ..limits };
    assert!(Message::parse(bytes(CALL), &none).is_err());

    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for depth in [61, 62, 100_000] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let read = parse(&call(&format!(r#"{{"name":"a","x":{nested}}}"#)));
            assert_eq!(read.is_ok(), depth <= 62, "{open} {depth}");
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"x":{nested}}}}}"#);
            assert_eq!(parse(&text).is_ok(), depth <= 62, "{open} {depth}");
        }
    }
}

#[test]
fn a_small_message_does_not_become_a_huge_tree() {
    let many = "0,".repeat(1 << 18);
    let error = refused(&call(&format!(r#"{{"name":"a","x":[{many}0]}}"#)));
    assert_eq!((error.code(), error.message().contains("too many")), (-32600, true));
}

#[test]
fn debugging_shows_nothing_of_what_is_said() {
    let shown = format!("{:?}", parse(CALL).unwrap());
    assert!(shown.contains("tools/call") && !shown.contains("4711"), "{shown}");
}

#[test]
fn errors_repeat_little_of_what_was_sent() {
    let text = CALL.replacen('{', &format!("{{\"{}\":1,", "é".repeat(10_000)), 1);
    assert!(refused(&text).message().len() < 400);
}

#[test]
fn numbers_stay_as_they_are_written() {
    let text = call(r#"{"name":"a","arguments":{"x":12345678901234567890123,"y":1.10e2,"z":-0}}"#);
    let message = parse(&text).unwrap();
    assert_eq!(message.bytes(), text.as_bytes());
    assert_eq!(message.with_id("2"), text.replacen(":1,", ":2,", 1).as_bytes());
}

#[test]
fn metadata_is_made_added_or_replaced() {
    let cases = [
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"ping"} "#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"k":7}}} "#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"ping","params":{ },"id":1}"#,
            r#"{"jsonrpc":"2.0","method":"ping","params":{"_meta":{"k":7} },"id":1}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{ "a" : 1.0 }}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"k":7}, "a" : 1.0 }}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"j":[1, 2]}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"k":7,"j":[1, 2]}}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"\u006b" : {"x":1} }}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"\u006b" : 7 }}}"#,
        ),
    ];
    for (before, after) in cases {
        assert_eq!(parse(before).unwrap().with_meta("k", "7"), after.as_bytes());
    }
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    assert_eq!(parse(response).unwrap().with_meta("k", "7"), response.as_bytes());
    let odd = parse(cases[0].0).unwrap().with_meta("a\"b", "7");
    let odd = Message::parse(odd, &Limits::default()).unwrap();
    assert_eq!(odd.params()["_meta"]["a\"b"], 7);
}

#[test]
fn one_member_is_replaced_or_removed() {
    let text = call(r#"{ "name" : "a" , "arguments":{"x":1, "y":[2] ,"z":3},"_meta":{"k":1}}"#);
    let message = parse(&text).unwrap();
    let cases: [(&[&str], Option<&str>, &str); 7] = [
        (
            &["name"],
            Some("\"b\""),
            r#"{ "name" : "b" , "arguments":{"x":1, "y":[2] ,"z":3},"_meta":{"k":1}}"#,
        ),
        (&["name"], None, r#"{ "arguments":{"x":1, "y":[2] ,"z":3},"_meta":{"k":1}}"#),
        (&["_meta"], None, r#"{ "name" : "a" , "arguments":{"x":1, "y":[2] ,"z":3}}"#),
        (
            &["_meta", "k"],
            None,
            r#"{ "name" : "a" , "arguments":{"x":1, "y":[2] ,"z":3},"_meta":{}}"#,
        ),
        (
            &["arguments", "x"],
            None,
            r#"{ "name" : "a" , "arguments":{ "y":[2] ,"z":3},"_meta":{"k":1}}"#,
        ),
        (
            &["arguments", "y"],
            None,
            r#"{ "name" : "a" , "arguments":{"x":1 ,"z":3},"_meta":{"k":1}}"#,
        ),
        (
            &["arguments", "z"],
            Some("{}"),
            r#"{ "name" : "a" , "arguments":{"x":1, "y":[2] ,"z":{}},"_meta":{"k":1}}"#,
        ),
    ];
    for (path, json, after) in cases {
        let edited = message.with_params_member(path, json).unwrap();
        assert_eq!(edited, call(after).as_bytes(), "{path:?}");
    }
    let absent: [&[&str]; 5] =
        [&[], &["no"], &["no", "k"], &["name", "k"], &["arguments", "y", "k"]];
    for path in absent {
        assert_eq!(message.with_params_member(path, None), None, "{path:?}");
        assert_eq!(message.with_params_member(path, Some("1")), None, "{path:?}");
    }
}

proptest! {
    /// What the strict reader accepts is what an ordinary one reads, at the spans that it gives.
    #[test]
    fn the_tree_is_the_bytes(arguments in arguments(), id in 0_i64..100) {
        let params = json!({ "name": "tool", "arguments": arguments });
        let text = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        for text in [text.to_string(), format!("{text:#}")] {
            let message = parse(&text).unwrap();
            prop_assert_eq!(message.params(), &params);
            let span = message.params_span().unwrap();
            prop_assert_eq!(read(&message.bytes()[span]), params.clone());
        }
    }

    /// Edits change what they say and nothing else.
    #[test]
    fn edits_are_exact(arguments in arguments(), name in ".{0,8}", value in arguments()) {
        let params = json!({ "name": "tool", "arguments": { "first": arguments, "second": 2 } });
        let text = json!({ "jsonrpc": "2.0", "method": "tools/call", "id": 1, "params": params });
        let message = parse(&format!("{text:#}")).unwrap();
        let json = value.to_string();

        let edited = read(&message.with_params_member(&["arguments", "first"], Some(&json)).unwrap());
        let mut expected = text.clone();
        expected["params"]["arguments"]["first"] = value.clone();
        prop_assert_eq!(&edited, &expected);

        let edited = read(&message.with_params_member(&["arguments", "first"], None).unwrap());
        let mut expected = text.clone();
        expected["params"]["arguments"] = json!({ "second": 2 });
        prop_assert_eq!(&edited, &expected);

        let edited = read(&message.with_meta(&name, &json));
        let mut expected = text;
        expected["params"]["_meta"] = json!({ name: value });
        prop_assert_eq!(&edited, &expected);
    }

    /// Whatever comes in, nothing panics.
    #[test]
    fn noise_is_refused(noise in proptest::collection::vec(any::<u8>(), 0..64), at in 0..90_usize) {
        let limits = Limits::default();
        prop_assert!(Message::parse(Bytes::from(noise.clone()), &limits).is_err());
        let mut text = CALL.as_bytes().to_vec();
        text.splice(at..at, noise);
        if let Ok(message) = Message::parse(Bytes::from(text), &limits) {
            prop_assert_eq!(&read(message.bytes())["params"], message.params());
        }
    }
}

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// Trees whose member names differ in more than case.
fn arguments() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1.0e300..1.0e300_f64).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 24, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map("[a-z0-9 \"\\\\é\n]{0,4}", inner, 0..24)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}
