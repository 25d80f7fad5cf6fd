use proptest::prelude::*;
use serde_json::json;

use super::{Scout, remove_unreadable, shows, uri_of};
use crate::tests::{MODERN, call, in_force};

#[test]
fn a_sign_is_seen_however_the_body_is_cut() {
    let body =
        br#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"resource","resource":{}}]}}"#;
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

/// Pieces of which answers are made, signs and halves of signs among them.
const PIECES: [&str; 10] = [
    "\"resource\"",
    "\"input_required\"",
    "\\u00",
    "\"resour",
    "ce\"",
    "\"input_requ",
    "ired\"",
    "\\u",
    "0",
    " ",
];

proptest! {
    /// What is cut into pieces is seen exactly when the whole shows it, wherever it is cut.
    #[test]
    fn the_scout_sees_what_the_whole_shows_however_it_is_cut(
        parts in prop::collection::vec(0..PIECES.len(), 0..12),
        sizes in prop::collection::vec(0_usize..20, 1..40),
    ) {
        let whole: String = parts.into_iter().map(|part| PIECES[part]).collect();
        let (mut scout, mut seen, mut rest) = (Scout::default(), false, whole.as_bytes());
        let mut sizes = sizes.into_iter().chain(std::iter::repeat(1));
        while !rest.is_empty() {
            let (piece, left) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
            seen |= scout.sees(piece);
            rest = left;
        }
        prop_assert_eq!(seen, shows(whole.as_bytes()), "{}", whole);
    }
}

#[test]
fn what_may_not_be_read_is_taken_out_and_all_else_stays() {
    const RULES: &str = r#"@id("a")
        permit (principal, action == Mcp::Action::"resources/read", resource == Mcp::Resource::"deliveries/doc://a");"#;
    let rules = in_force(RULES);
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"track","arguments":{}}}"#;
    let asked = call("ann", MODERN, text);
    let carried =
        |uri: &str| json!({ "type": "resource", "resource": { "uri": uri, "text": "t" } });
    let link = json!({ "type": "resource_link", "uri": "doc://b" });
    let words = json!({ "type": "text", "text": "doc://b" });
    let mut result = json!({ "content": [carried("doc://a"), carried("doc://b"), carried("doc://A"), link, words] });
    assert!(remove_unreadable(&asked, &rules, &mut result).removed);
    assert_eq!(result, json!({ "content": [carried("doc://a"), link, words] }));
    assert!(!remove_unreadable(&asked, &rules, &mut result).removed, "nothing is left to take");
    let mut messages = json!({ "messages": [
        { "role": "user", "content": carried("doc://b") }, { "role": "user", "content": carried("doc://a") },
    ] });
    assert!(remove_unreadable(&asked, &rules, &mut messages).removed);
    assert_eq!(messages["messages"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_resource_that_was_asked_for_is_no_other() {
    let rules = in_force("");
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"doc://a"}}"#;
    let asked = call("ann", MODERN, text);
    let item = |uri: &str| json!({ "uri": uri, "text": "t" });
    let mut result = json!({ "contents": [item("doc://a"), item("doc://a/"), item("doc://a#x"), item("doc://b")] });
    assert!(remove_unreadable(&asked, &rules, &mut result).removed);
    assert_eq!(result, json!({ "contents": [item("doc://a")] }));
}
