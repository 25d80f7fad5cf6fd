use serde_json::json;

use super::Modern;

#[test]
fn a_session_keeps_what_its_client_said_and_what_a_server_can_use_of_it() {
    let params = json!({
        "capabilities": { "roots": { "listChanged": true }, "elicitation": { "url": {} } },
        "clientInfo": { "name": "c", "version": "1" },
    });
    let modern = Modern::of(&params);
    assert_eq!(modern.capabilities, r#"{"roots":{},"elicitation":{"url":{}}}"#);
    assert_eq!(modern.client_info.as_deref(), Some(r#"{"name":"c","version":"1"}"#));
    assert!(modern.opens_pages);
    let bare = Modern::of(&json!({ "capabilities": 3, "clientInfo": "x" }));
    assert_eq!((bare.capabilities.as_str(), bare.client_info), ("{}", None));
    let long = Modern::of(&json!({ "clientInfo": { "name": "x".repeat(5_000) } }));
    assert_eq!(long.client_info, None, "it would go with every request");
}

#[tokio::test]
async fn only_the_request_that_is_named_is_called_off() {
    let modern = Modern::of(&json!({}));
    let one = modern.begin(b"1").expect("a request");
    let other = modern.begin(b"\"1\"").expect("a text is another id than a number");
    assert!(modern.begin(b"1").is_none(), "an id is under way once");
    modern.call_off(b"3");
    modern.call_off(b"1");
    one.notified().await;
    let quiet = std::time::Duration::from_millis(20);
    assert!(tokio::time::timeout(quiet, other.notified()).await.is_err());
    modern.end(b"1");
    assert!(modern.begin(b"1").is_some());
}

#[tokio::test]
async fn a_change_of_what_is_followed_is_seen_by_the_standing_stream() {
    let modern = Modern::of(&json!({}));
    let changes = modern.followed();
    modern.follows_others();
    assert!(changes.has_changed().unwrap_or(false));
    modern.set_level("info");
    assert_eq!(modern.level().as_deref(), Some("\"info\""));
}
