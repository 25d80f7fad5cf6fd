use std::sync::Arc;

use bytes::Bytes;
use kenward_mcp::list::{ListError, ListKind};
use serde_json::{Value, json};

use super::{LARGEST, Listed, release, result_of, take_in};
use crate::Gateway;
use crate::pipeline::Call;
use crate::tests::{MODERN, call, desk, gateway, named, server, tool};

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;

fn page(tools: &Value) -> Bytes {
    let text = json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": tools } }).to_string();
    Bytes::from(text)
}

fn definition(name: &str, arguments: &Value) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object", "properties": arguments } })
}

#[test]
fn names_of_one_list_are_bounded_and_the_first_ones_stay() {
    let listed = Listed::default();
    let names: Vec<String> = (0..LARGEST + 100).map(|number| format!("{number:05}")).collect();
    for part in names.chunks(1_000) {
        listed.remember(&server(), ListKind::Tools, part.iter().map(String::as_str));
    }
    let known = listed.names(&server(), ListKind::Tools);
    assert_eq!(known.len(), LARGEST);
    assert!(known.iter().zip(&names).all(|(known, name)| **known == **name));
    let endless = std::iter::repeat("again");
    listed.remember(&named("other"), ListKind::Tools, endless);
    assert_eq!(listed.names(&named("other"), ListKind::Tools), [Arc::from("again")]);
}

#[test]
fn lists_of_other_kinds_and_servers_are_other_lists() {
    let listed = Listed::default();
    listed.remember(&server(), ListKind::Tools, ["a", "a", "b"].into_iter());
    assert_eq!(listed.names(&server(), ListKind::Tools).len(), 2);
    for kind in [ListKind::Prompts, ListKind::Resources, ListKind::Templates] {
        assert!(listed.names(&server(), kind).is_empty());
    }
    assert!(listed.names(&named("other"), ListKind::Tools).is_empty());
}

#[test]
fn a_page_is_new_once_whatever_its_id() {
    let listed = Listed::default();
    let response =
        |id: u32, result: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
    let new = |id, result: &str| {
        listed.is_new("epoch", &server(), ListKind::Tools, response(id, result).as_bytes())
    };
    assert!(new(1, r#"{"tools":[]}"#));
    assert!(!new(2, r#"{"tools":[]}"#));
    assert!(new(1, r#"{"tools":[ ]}"#), "other bytes are another page");
    let text = response(1, r#"{"tools":[]}"#);
    assert!(listed.is_new("epoch", &named("other"), ListKind::Tools, text.as_bytes()));
    assert!(listed.is_new("epoch", &server(), ListKind::Prompts, text.as_bytes()));
    for nothing in ["", "{", r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#] {
        assert!(
            !listed.is_new("epoch", &server(), ListKind::Tools, nothing.as_bytes()),
            "{nothing:?}"
        );
    }
}

#[test]
fn pages_are_bounded_whatever_a_server_makes_up() {
    let listed = Listed::default();
    for number in 0..LARGEST * 2 + 10 {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"number":{number}}}}}"#);
        assert!(listed.is_new("epoch", &server(), ListKind::Tools, text.as_bytes()));
        assert!(listed.pages.lock().expect("the pages").len() <= LARGEST);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_teaches_names_and_definitions_and_shows_only_what_may_be_used() {
    const RULES: &str = r#"@id("track")
        permit (principal, action == Mcp::Action::"deliveries/track", resource);"#;
    let folder = tempfile::tempdir().expect("a folder");
    let house = gateway(folder.path(), desk(RULES, vec![tool("track", None)])).await;
    let asked = call("ann", MODERN, LIST);
    let response = page(&json!([definition("track", &json!({})), definition("purge", &json!({}))]));
    let shown = cut(&house, &asked, ListKind::Tools, &response).await.expect("a list");
    let shown: Value = serde_json::from_slice(&shown).expect("JSON");
    let names: Vec<_> = shown["result"]["tools"]
        .as_array()
        .expect("tools")
        .iter()
        .map(|tool| tool["name"].clone())
        .collect();
    assert_eq!(names, ["track"]);
    let in_force = house.live.snapshot();
    for name in ["track", "purge"] {
        assert!(in_force.is_defined(&server(), name), "{name}");
    }
    assert_eq!(house.listed.names(&server(), ListKind::Tools).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_cut_anew_for_every_caller_place_and_set_of_rules() {
    const RULES: &str = r#"@id("at-home")
        permit (principal == User::"ann", action == Mcp::Action::"deliveries/track", resource)
        when { context has ip && context.ip.isInRange(ip("127.0.0.0/8")) };"#;
    let folder = tempfile::tempdir().expect("a folder");
    let house = gateway(folder.path(), desk(RULES, vec![tool("track", None)])).await;
    let response = page(&json!([definition("track", &json!({}))]));
    let shows = async |asked: &Call| {
        let shown = cut(&house, asked, ListKind::Tools, &response).await.expect("a list");
        String::from_utf8_lossy(&shown).contains("track")
    };
    let (home, bob) = (call("ann", MODERN, LIST), call("bob", MODERN, LIST));
    let mut away = call("ann", MODERN, LIST);
    away.entry.ip = "192.0.2.1".parse().expect("an address");
    for _ in 0..2 {
        assert!(shows(&home).await);
        assert!(!shows(&bob).await, "another user");
        assert!(!shows(&away).await, "the same user from elsewhere");
    }
    house.live.adopt(desk("", vec![tool("track", None)])).await.expect("other policies");
    assert!(!shows(&home).await, "the right is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_page_teaches_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = gateway(folder.path(), desk("", Vec::new())).await;
    let asked = call("ann", MODERN, LIST);
    let before = house.live.snapshot().generation;
    for tools in [json!({}), json!([1]), json!([{ "title": "no name" }]), json!([{ "name": 7 }])] {
        let response = page(&tools);
        assert!(cut(&house, &asked, ListKind::Tools, &response).await.is_err(), "{tools}");
        assert!(cut(&house, &asked, ListKind::Tools, &response).await.is_err(), "again: {tools}");
    }
    assert_eq!(house.live.snapshot().generation, before);
    assert!(house.listed.names(&server(), ListKind::Tools).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_that_the_policies_did_not_bear_are_taken_in_once_they_do() {
    const WEIGHT: &str = r#"@id("track")
        permit (principal, action == Mcp::Action::"deliveries/track", resource)
        when { context.arguments has weight && context.arguments.weight < 10 };"#;
    let folder = tempfile::tempdir().expect("a folder");
    let first = desk(
        WEIGHT,
        vec![tool(
            "track",
            Some(json!({
                "type": "object", "properties": { "weight": { "type": "integer" } },
            })),
        )],
    );
    let house = gateway(folder.path(), first).await;
    let asked = call("ann", MODERN, LIST);
    let response = page(&json!([
        definition("track", &json!({ "weight": { "type": "string" } })),
        definition("purge", &json!({})),
    ]));
    take_in(&house, &asked, ListKind::Tools, &response).await.expect("a page");
    assert!(!house.live.snapshot().is_defined(&server(), "purge"), "the policies do not bear it");
    let open =
        r#"@id("track") permit (principal, action == Mcp::Action::"deliveries/track", resource);"#;
    house.live.adopt(desk(open, vec![tool("track", None)])).await.expect("other policies");
    take_in(&house, &asked, ListKind::Tools, &response).await.expect("a page");
    assert!(house.live.snapshot().is_defined(&server(), "purge"), "now they do");
}

/// The page as the path of a call has it cut.
async fn cut(
    gateway: &Gateway,
    call: &Call,
    kind: ListKind,
    response: &Bytes,
) -> Result<Bytes, ListError> {
    let place = result_of(response).unwrap_or_default();
    release(gateway, call, kind, response, place).await
}
