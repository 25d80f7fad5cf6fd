//! Only what is renamed changes, wherever a result may name an MCP resource.

use super::*;

fn far(uri: &str) -> String {
    format!("far:{uri}")
}

fn renamed(result: &str) -> String {
    let response = Bytes::from(format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{result}}}"));
    let text = String::from_utf8(uris(&response, &far).to_vec()).unwrap();
    let inner = text.strip_prefix("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":").unwrap();
    inner.strip_suffix('}').unwrap().to_owned()
}

#[test]
fn an_item_gets_another_name_and_nothing_else() {
    let json = r#"{ "inputSchema":{"name":"x"} ,"name" : "tr\u0061ck", "n":1.50 }"#;
    let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
    let item = item(&raw, ListKind::Tools, "a__\"track");
    assert_eq!(item, r#"{ "inputSchema":{"name":"x"} ,"name" : "a__\"track", "n":1.50 }"#);
}

#[test]
fn links_embedded_resources_and_contents_are_renamed() {
    let cases = [
        (
            r#"{"content":[{"type":"resource_link","uri":"u:1","name":"uri"},{"type":"text","text":"u:1"}]}"#,
            r#"{"content":[{"type":"resource_link","uri":"far:u:1","name":"uri"},{"type":"text","text":"u:1"}]}"#,
        ),
        (
            r#"{"content":[{"uri":"u:1","type":"resource_lin\u006b"}]}"#,
            r#"{"content":[{"uri":"far:u:1","type":"resource_lin\u006b"}]}"#,
        ),
        (
            r#"{"content":[{"type":"resource","resource":{"text":"t","uri":"u:\n"}}],"structuredContent":{"uri":"u"}}"#,
            r#"{"content":[{"type":"resource","resource":{"text":"t","uri":"far:u:\n"}}],"structuredContent":{"uri":"u"}}"#,
        ),
        (
            r#"{"contents":[{"uri":"u:1"},{"uri":"u:2"}]}"#,
            r#"{"contents":[{"uri":"far:u:1"},{"uri":"far:u:2"}]}"#,
        ),
        (
            r#"{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"u"}}}]}"#,
            r#"{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"far:u"}}}]}"#,
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"resource_link","uri":"u"}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"resource_link","uri":"far:u"}]}]}"#,
        ),
        // Whichever of two a reader takes.
        (
            r#"{"contents":[{"uri":"u:1","\u0075ri":"u:2"}]}"#,
            r#"{"contents":[{"uri":"far:u:1","\u0075ri":"far:u:2"}]}"#,
        ),
    ];
    for (result, expected) in cases {
        assert_eq!(renamed(result), expected);
    }
}

#[test]
fn what_names_no_resource_stays_byte_for_byte() {
    for result in [
        r#"{"content":[{"type":"text","uri":"u","text":"{\"uri\":\"u\"}"}] , "_meta":{"uri":"u"}}"#,
        r#"{"content":"uri","contents":3,"messages":[{"uri":"u"}]}"#,
        r#"{"structuredContent":{"contents":[{"uri":"u"}]},"uri":"u"}"#,
        r#"{"contents":[{"uri":5}]}"#,
    ] {
        assert_eq!(renamed(result), result);
    }
    let other = Bytes::from_static(b"no message");
    assert_eq!(uris(&other, &far), other);
    let error = Bytes::from_static(
        br#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m","data":{"uri":"u"}}}"#,
    );
    assert_eq!(uris(&error, &far), error);
}
