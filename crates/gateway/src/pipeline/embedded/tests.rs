use super::{Scout, uri_of};
use serde_json::json;

#[test]
fn a_sign_is_seen_however_the_body_is_cut() {
    let body = br#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"resource","resource":{}}]}}"#;
    for size in 1..body.len() {
        let mut scout = Scout::default();
        let seen = body.chunks(size).filter(|chunk| scout.sees(chunk)).count();
        assert!(seen > 0, "in pieces of {size}");
    }
}

#[test]
fn letters_in_disguise_are_a_sign_and_ordinary_text_is_none() {
    let sees = |text: &str| Scout::default().sees(text.as_bytes());
    assert!(sees(r#"{"type":"\u0072esource"}"#));
    assert!(sees(r#"{"resultType":"input_required"}"#));
    assert!(!sees(r#"{"type":"text","text":"a resource of \"resource\" kind"}"#));
}

#[test]
fn the_resource_of_an_item_is_found_wherever_the_protocol_puts_it() {
    let embedded = json!({ "type": "resource", "resource": { "uri": "doc://a" } });
    assert_eq!(uri_of(&embedded), Some("doc://a"));
    assert_eq!(uri_of(&json!({ "role": "user", "content": embedded })), Some("doc://a"));
    assert_eq!(uri_of(&json!({ "uri": "doc://b", "text": "t" })), Some("doc://b"));
    assert_eq!(uri_of(&json!({ "type": "resource_link", "uri": "doc://c" })), None);
    assert_eq!(uri_of(&json!({ "type": "text", "text": "t" })), None);
}
