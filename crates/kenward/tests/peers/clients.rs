//! Clients of others at the deliveries: what they list, call and are refused.

use kenward_testkit::{Deployment, Gateway, Issuer, Upstream};
use serde_json::{Value, json};

use crate::KENWARD;
use crate::installed::Peers;

#[tokio::test]
async fn the_first_typescript_sdk() {
    story("sdk_client.mjs", &["legacy"]).await;
}

#[tokio::test]
async fn the_second_typescript_sdk_in_both_eras() {
    story("sdk2_client.mjs", &["legacy", "modern"]).await;
}

#[tokio::test]
async fn fastmcp_in_both_eras() {
    story("fastmcp_client.py", &["legacy", "modern"]).await;
}

#[tokio::test]
async fn clients_with_sessions_before_a_server_that_knows_none() {
    for script in ["sdk_client.mjs", "sdk2_client.mjs", "fastmcp_client.py"] {
        story_before(script, &["legacy"], Upstream::be_modern_only).await;
    }
}

/// Plays the story through a client script.
async fn story(script: &str, eras: &[&str]) {
    story_before(script, eras, |_| {}).await;
}

/// Plays the story before a server that is `changed` from the usual one.
async fn story_before(script: &str, eras: &[&str], change: fn(&Upstream)) {
    let Some(peers) = Peers::find() else { return };
    let issuer = Issuer::start().await;
    let upstream = Upstream::start().await;
    change(&upstream);
    let gateway = Gateway::start(KENWARD, Deployment::deliveries(&issuer, &upstream)).await;
    let url = gateway.deployment().audience("deliveries");
    let token = gateway.token(&issuer, "rita", "deliveries");
    for era in eras {
        upstream.forget();
        let outcomes = peers.carry_out(script, &[&url, &token, &plan().to_string(), era]).await;
        judge(script, era, &outcomes);
        assert_eq!(upstream.calls("track_parcel").len(), 1, "{script} {era}");
        assert!(upstream.calls("get_dropoff_locations").is_empty(), "{script} {era}");
        assert!(upstream.calls("purge_records").is_empty(), "{script} {era}");
        let call = upstream.calls("track_parcel").remove(0);
        let is_modern = *era == "modern" || !upstream.knows_sessions();
        assert_eq!(call.is_modern(), is_modern, "{script} {era}");
        assert_eq!(call.header("authorization"), None, "{script} {era}");
    }
}

pub(crate) fn plan() -> Value {
    json!([
        { "op": "tools" },
        { "op": "call", "name": "track_parcel", "arguments": { "parcel": "p-1" } },
        { "op": "call", "name": "get_dropoff_locations", "arguments": { "near": "Taylor Swift's home" } },
        { "op": "call", "name": "purge_records" },
        { "op": "prompts" },
        { "op": "prompt", "name": "greeting" },
        { "op": "prompt", "name": "secret_plan" },
        { "op": "resources" },
        { "op": "read", "uri": "doc://public" },
        { "op": "read", "uri": "doc://secret" },
    ])
}

fn judge(script: &str, era: &str, outcomes: &[Value]) {
    let place = format!("{script} {era}: {}", json!(outcomes));
    let [tools, track, near, purge, prompts, greeting, plan, resources, public, secret] = outcomes
    else {
        panic!("{place}")
    };
    let tools = tools["ok"].to_string();
    assert!(tools.contains("track_parcel") && !tools.contains("purge_records"), "{place}");
    assert!(track["ok"].to_string().contains("p-1"), "{place}");
    assert_eq!(near["ok"]["isError"], true, "{place}");
    assert!(
        purge["error"]["message"].as_str().is_some_and(|text| text.contains("unknown tool")),
        "{place}"
    );
    assert_eq!(prompts["ok"], json!(["greeting"]), "{place}");
    assert!(greeting["ok"].to_string().contains("the prompt greeting"), "{place}");
    assert!(plan["error"].is_object(), "{place}");
    assert_eq!(resources["ok"], json!(["doc://public", "doc://customer/1001"]), "{place}");
    assert!(public["ok"].to_string().contains("the text of doc://public"), "{place}");
    assert!(secret["error"].is_object(), "{place}");
}
