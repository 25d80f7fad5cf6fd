use kenward_mcp::list::ListKind;
use serde_json::{Value, json};

use super::{Asked, LISTS, MOST_URIS};
use crate::sessions::{Behind, Opening, Sessions};
use crate::tests::{LEGACY, MODERN, at, call, caller, in_force, server};

const RULES: &str = r#"
@id("a")
permit (principal, action == Mcp::Action::"resources/read", resource == Mcp::Resource::"deliveries/doc://a");
@id("b")
permit (principal, action == Mcp::Action::"resources/read", resource == Mcp::Resource::"deliveries/doc://b");
"#;

fn listening(notifications: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": { "notifications": notifications } })
        .to_string()
}

/// What is honoured of a request for `notifications`, and what of it goes on to the server.
fn asked(notifications: &Value, rules: &str) -> (Asked, Value, Value) {
    let call = call("ann", MODERN, &listening(notifications));
    let asked = Asked::of(&call, &in_force(rules));
    let body = asked.narrowed(&call, call.message.bytes().clone()).expect("a message");
    let sent: Value = serde_json::from_slice(&body).expect("JSON");
    let honoured = asked.honoured();
    (asked, honoured, sent["params"]["notifications"].clone())
}

#[test]
fn only_what_may_be_read_is_followed_and_asked_for() {
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": ["doc://a", "doc://x", "doc://a/", "doc://A", "doc://b", "doc://a"] });
    let (asked, honoured, sent) = asked(&wanted, RULES);
    let both = json!({ "toolsListChanged": true, "resourceSubscriptions": ["doc://a", "doc://b"] });
    assert_eq!(honoured, both);
    assert_eq!(sent, both);
    assert!(asked.carries_uri("doc://a") && asked.has_uris());
    assert!(!asked.carries_uri("doc://x") && !asked.carries_uri("doc://A"));
}

#[test]
fn a_refused_uri_and_no_uri_at_all_are_told_apart_by_nothing() {
    let (_, refused, sent) = asked(&json!({ "resourceSubscriptions": ["doc://x"] }), RULES);
    let (none, nothing, _) = asked(&json!({ "resourceSubscriptions": [] }), RULES);
    assert_eq!(refused, nothing);
    assert_eq!(sent, json!({ "resourceSubscriptions": [] }));
    assert!(!none.has_uris());
}

#[test]
fn a_list_is_carried_only_when_it_was_asked_for_in_so_many_words() {
    for (place, (_, member, _)) in LISTS.into_iter().enumerate() {
        let (one, honoured, _) = asked(&json!({ member: true }), "");
        assert_eq!(honoured, json!({ member: true }));
        for other in 0..LISTS.len() {
            assert_eq!(one.carries_list(other), other == place, "{member}");
        }
        assert!(!one.carries_list(LISTS.len()), "there is no such list");
        for no in [json!(false), json!("true"), json!(1), json!({}), Value::Null] {
            let (none, honoured, _) = asked(&json!({ member: no }), "");
            assert!(!none.carries_list(place), "{member}: {no}");
            assert_eq!(honoured, json!({}));
        }
    }
    assert_eq!(
        LISTS.map(|(kind, ..)| kind),
        [ListKind::Tools, ListKind::Prompts, ListKind::Resources]
    );
}

#[test]
fn odd_shapes_ask_for_nothing_and_nothing_of_them_goes_on() {
    for odd in [
        json!("doc://a"),
        json!({ "doc://a": true }),
        json!([["doc://a"], { "uri": "doc://a" }, 1, null]),
    ] {
        let (asked, honoured, sent) = asked(&json!({ "resourceSubscriptions": odd }), RULES);
        assert!(!asked.has_uris());
        assert_eq!(honoured, json!({}));
        assert_eq!(sent, json!({ "resourceSubscriptions": [] }), "{odd}");
    }
}

#[test]
fn the_number_of_followed_uris_is_bounded() {
    let all =
        r#"@id("all") permit (principal, action == Mcp::Action::"resources/read", resource);"#;
    let uris: Vec<String> = (0..MOST_URIS + 5).map(|number| format!("doc://{number:05}")).collect();
    let (asked, _, sent) = asked(&json!({ "resourceSubscriptions": uris }), all);
    assert_eq!(sent["resourceSubscriptions"].as_array().map(Vec::len), Some(MOST_URIS));
    assert!(
        asked.carries_uri("doc://00000") && !asked.carries_uri(&format!("doc://{MOST_URIS:05}"))
    );
}

#[test]
fn a_right_that_is_lost_is_dropped_and_does_not_come_back_by_itself() {
    let call = call(
        "ann",
        MODERN,
        &listening(&json!({ "resourceSubscriptions": ["doc://a", "doc://b"] })),
    );
    let mut asked = Asked::of(&call, &in_force(RULES));
    let (only_a, _) = RULES.split_once("@id(\"b\")").expect("two rules");
    asked.shrink(&call, &in_force(only_a));
    assert_eq!(asked.honoured(), json!({ "resourceSubscriptions": ["doc://a"] }));
    asked.shrink(&call, &in_force(RULES));
    assert!(!asked.carries_uri("doc://b"), "its server was told to stop long ago");
    asked.shrink(&call, &in_force(""));
    assert!(!asked.has_uris());
}

#[test]
fn the_rest_of_the_request_goes_on_byte_for_byte() {
    let text = "{\"jsonrpc\":\"2.0\" ,\"id\":1 ,\"method\":\"subscriptions/listen\",\"params\":{ \"_meta\": {\"n\":1.50} ,\"notifications\":{ \"toolsListChanged\":true , \"resourceSubscriptions\": [ \"doc://x\" ], \"new\" : [1.0] } }}";
    let call = call("ann", MODERN, text);
    let asked = Asked::of(&call, &in_force(RULES));
    let body = asked.narrowed(&call, call.message.bytes().clone()).expect("a message");
    assert_eq!(
        String::from_utf8(body.to_vec()).expect("text"),
        text.replace("[ \"doc://x\" ]", "[]")
    );
}

#[test]
fn a_session_follows_what_it_subscribes_to_and_carries_every_list() {
    let sessions = Sessions::new(1, std::time::Duration::from_mins(1));
    let opening = Opening {
        can_elicit: false,
        server: server(),
        version: LEGACY,
        behind: Behind::Http(None),
        server_requests: Vec::new(),
    };
    let session = sessions.open(&caller("ann"), opening, at(0)).expect("entropy");
    let mut asked = Asked::everything(&session);
    assert!((0..LISTS.len()).all(|place| asked.carries_list(place)));
    assert!(!asked.carries_uri("doc://a") && !asked.has_uris());
    session.subscribe("doc://a");
    assert!(asked.carries_uri("doc://a") && !asked.carries_uri("doc://b"));
    asked.shrink(&call("ann", MODERN, &listening(&json!({}))), &in_force(""));
    session.unsubscribe("doc://a");
    assert!(!asked.carries_uri("doc://a"));
    assert_eq!(asked.honoured(), json!({}));
}
