//! Promise: an open stream delivers what its reader may read now, not what they might once.

use std::time::Duration;

use kenward_testkit::{Era, Gateway, Next};
use serde_json::json;

use crate::{QUIET, SOON, Story, until};

const UPDATED: &str = "notifications/resources/updated";
const TOOLS: &str = "notifications/tools/list_changed";

#[tokio::test]
async fn updates_of_what_may_be_read_are_delivered_and_no_others() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let mut stream = rita.listen(&["doc://public"]).await;
        assert!(stream.is_events(), "{era:?}: {}", stream.status());
        assert!(story.upstream.until(|upstream| upstream.open_streams() > 0).await, "{era:?}");
        for uri in ["doc://secret", "doc://customer/1001", "doc://customer/4711", "doc://public"] {
            story.upstream.notify(UPDATED, &json!({ "uri": uri }));
        }
        let update = stream.next_of(UPDATED, SOON).await.message();
        assert_eq!(update["params"]["uri"], "doc://public", "{era:?}: {}", stream.seen());
        assert_eq!(
            stream.next_of(UPDATED, QUIET).await,
            Next::Silence,
            "{era:?}: {}",
            stream.seen()
        );
        story.upstream.end_streams();
    }
}

#[tokio::test]
async fn a_subscription_is_acknowledged_for_what_may_be_read_alone() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let mut stream = rita.listen(&["doc://secret", "doc://public", "doc://nothing"]).await;
    let first = stream.next(SOON).await.message();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    let honoured = &first["params"]["notifications"]["resourceSubscriptions"];
    assert_eq!(*honoured, json!(["doc://public"]), "{first}");
    let id = &first["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
    assert!(!id.is_null(), "{first}");
    let asked = story.upstream.requests("subscriptions/listen").pop().expect("a request");
    let asked = &asked.params()["notifications"]["resourceSubscriptions"];
    assert_eq!(*asked, json!(["doc://public"]), "the server is asked for no more");
}

#[tokio::test]
async fn a_right_that_is_withdrawn_stops_the_stream_at_once() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        rita.tools().await;
        let mut stream = rita.listen(&["doc://public"]).await;
        assert!(story.upstream.until(|upstream| upstream.open_streams() > 0).await);
        story.upstream.notify(UPDATED, &json!({ "uri": "doc://public" }));
        stream.next_of(UPDATED, SOON).await.message();
        set_groups(&story.gateway, &[]).await;
        story.upstream.notify(UPDATED, &json!({ "uri": "doc://public" }));
        let (rest, last) = stream.rest(SOON).await;
        let methods: Vec<_> = rest.iter().map(|message| message["method"].clone()).collect();
        assert!(!methods.contains(&json!(UPDATED)), "{era:?}: {methods:?}");
        assert!(methods.contains(&json!(TOOLS)), "{era:?}: the list has changed: {methods:?}");
        assert_eq!(last, Next::End, "{era:?}: nothing is left of the stream");
        assert!(story.upstream.until(|upstream| upstream.open_streams() == 0).await, "{era:?}");
        set_groups(&story.gateway, &["representatives"]).await;
    }
}

#[tokio::test]
async fn a_right_that_is_gained_is_announced() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        // Only who has seen a list can be told that it changed.
        assert!(!rita.tools().await.contains(&"purge_records".to_owned()), "{era:?}");
        let mut stream = rita.listen(&[]).await;
        set_groups(&story.gateway, &["representatives", "admins"]).await;
        let news = stream.next_of(TOOLS, SOON).await;
        assert!(matches!(news, Next::Message(_)), "{era:?}: {news:?} after {}", stream.seen());
        assert!(rita.tools().await.contains(&"purge_records".to_owned()), "{era:?}");
        set_groups(&story.gateway, &["representatives"]).await;
        let news = stream.next_of(TOOLS, SOON).await;
        assert!(matches!(news, Next::Message(_)), "{era:?}: {news:?}");
    }
}

#[tokio::test]
async fn changes_that_do_not_concern_a_reader_are_not_announced() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let mut stream = rita.listen(&[]).await;
    stream.next(SOON).await.message();
    let body = r#"{"type":"User","id":"ron","attributes":{},"parents":[],"aliases":[]}"#;
    own_user(&story.gateway, "somebody-else", body).await;
    assert_eq!(stream.next(QUIET).await, Next::Silence, "{}", stream.seen());
}

#[tokio::test]
async fn a_stream_ends_with_the_callers_standing() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let dora = start_dora(&story, era).await;
        let mut stream = dora.listen(&["doc://public"]).await;
        assert!(story.upstream.until(|upstream| upstream.open_streams() > 0).await);
        let body = r#"{"type":"User","id":"dora","attributes":{"active":false},"parents":[{"type":"Group","id":"representatives"}],"aliases":[]}"#;
        own_user(&story.gateway, "dora", body).await;
        let (_, last) = stream.rest(SOON).await;
        assert_eq!(last, Next::End, "{era:?}");
        let reply = dora.call("track_parcel", json!({ "parcel": "p" })).await;
        assert!(!reply.is_done(), "{era:?}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let story = Story::start_with(|deployment| {
        deployment.config["limits"] = json!({ "leeway": "0s" });
    })
    .await;
    for era in Era::BOTH {
        let token = story.issuer.token("rita", &story.audience()).expires_in(3).sign();
        let url = story.gateway.url();
        let rita = kenward_testkit::Mcp::connect(&url, "/mcp/deliveries", &token, era).await;
        let mut stream = rita.listen(&["doc://public"]).await;
        assert!(stream.is_events(), "{era:?}");
        let (_, last) = stream.rest(SOON).await;
        assert_eq!(last, Next::End, "{era:?}");
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    let mut stream = rita.listen(&[]).await;
    rita.end().await;
    let (_, last) = stream.rest(SOON).await;
    assert_eq!(last, Next::End);
    assert!(story.upstream.until(|upstream| upstream.open_streams() == 0).await);
}

#[tokio::test]
async fn a_client_that_goes_away_is_not_listened_for() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let stream = rita.listen(&["doc://public"]).await;
        assert!(story.upstream.until(|upstream| upstream.open_streams() == 1).await, "{era:?}");
        drop(stream);
        assert!(story.upstream.until(|upstream| upstream.open_streams() == 0).await, "{era:?}");
    }
}

#[tokio::test]
async fn open_streams_are_bounded_for_each_caller() {
    let story = Story::start_with(|deployment| {
        deployment.config["limits"] = json!({ "streams": 2 });
    })
    .await;
    let rita = story.connect("rita", Era::Modern).await;
    let first = rita.listen(&[]).await;
    let second = rita.listen(&[]).await;
    assert!(first.is_events() && second.is_events());
    let third = rita.listen(&[]).await;
    assert_eq!(third.status(), 429);
    let ron = story.connect("ron", Era::Modern).await;
    assert!(ron.listen(&[]).await.is_events(), "another caller has a share of their own");
    drop(first);
    assert!(until(|| async { rita.listen(&[]).await.is_events() }).await, "a place is free again");
}

#[tokio::test]
async fn what_nobody_asked_for_or_nobody_knows_is_not_delivered() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let mut stream = rita.listen(&["doc://public"]).await;
        assert!(story.upstream.until(|upstream| upstream.open_streams() > 0).await);
        story.upstream.notify("notifications/evil", &json!({ "uri": "doc://public" }));
        story.upstream.notify("notifications/tasks", &json!({ "taskId": "t" }));
        story.upstream.notify(UPDATED, &json!({ "uri": ["doc://public"] }));
        story.upstream.notify(UPDATED, &json!({}));
        story.upstream.push("data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":\"evil\"}}\n\n");
        story.upstream.push("data: {\"jsonrpc\":\"2.0\",\"id\":99,\"method\":\"roots/list\"}\n\n");
        story.upstream.notify(UPDATED, &json!({ "uri": "doc://public" }));
        let update = stream.next_of(UPDATED, SOON).await;
        assert_eq!(update.message()["params"]["uri"], "doc://public", "{era:?}");
        for forbidden in ["evil", "notifications/tasks", "roots/list"] {
            assert!(!stream.seen().contains(forbidden), "{era:?}: {}", stream.seen());
        }
        story.upstream.end_streams();
    }
}

#[tokio::test]
async fn nonsense_on_a_stream_is_never_passed_on() {
    let story = Story::start().await;
    for nonsense in [
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"doc://public\",\"uri\":\"doc://secret\"}}\n\n",
        "data: not json at all: evil\n\n",
        "data: [{\"jsonrpc\":\"2.0\",\"method\":\"evil\"}]\n\n",
        "data: \"evil\"\n\n",
    ] {
        let rita = story.connect("rita", Era::Modern).await;
        let mut stream = rita.listen(&["doc://public"]).await;
        assert!(story.upstream.until(|upstream| upstream.open_streams() > 0).await);
        story.upstream.push(nonsense);
        let news = stream.next_of(UPDATED, QUIET).await;
        assert!(!matches!(news, Next::Message(_)), "{nonsense}: {news:?}");
        assert!(!stream.seen().contains("evil"), "{}", stream.seen());
        story.upstream.end_streams();
    }
}

#[tokio::test]
async fn a_client_that_leaves_during_a_modern_call_cancels_it() {
    let story = Story::start().await;
    story.upstream.on_tool("track_parcel", |_| kenward_testkit::Answer::Hang);
    let rita = story.connect("rita", Era::Modern).await;
    let call = tokio::time::timeout(
        Duration::from_millis(500),
        rita.stream(
            "tools/call",
            json!({ "name": "track_parcel", "arguments": { "parcel": "p" } }),
        ),
    );
    assert!(call.await.is_err(), "the server does not answer");
    assert!(
        story.upstream.until(|upstream| upstream.under_way() == 0).await,
        "it still works on it"
    );
}

/// Gives rita these groups by the directory file, which owns her, and waits until it is so.
pub(crate) async fn set_groups(gateway: &Gateway, groups: &[&str]) {
    let directory = gateway.deployment().read("directory.yaml");
    let parents: Vec<String> =
        groups.iter().map(|group| format!("{{ type: Group, id: {group} }}")).collect();
    let line = format!("- {{ type: User, id: rita, parents: [ {} ] }}", parents.join(", "));
    let changed: Vec<String> = directory
        .lines()
        .map(|known| if known.contains("id: rita, ") { line.clone() } else { known.to_owned() })
        .collect();
    let before = revision(gateway).await;
    gateway.deployment().replace("directory.yaml", &changed.join("\n"));
    let changed = until(|| async { revision(gateway).await > before }).await;
    assert!(changed, "the directory was not read again: {}", gateway.log());
}

async fn revision(gateway: &Gateway) -> u64 {
    let answer = gateway.administrate("GET", "/api/v1/entities/User/rita", "").await;
    answer.json()["revision"].as_u64().unwrap_or_else(|| panic!("no revision: {}", answer.text()))
}

async fn own_user(gateway: &Gateway, id: &str, body: &str) {
    let body = body.replace("\"id\":\"ron\"", &format!("\"id\":\"{id}\""));
    let answer = gateway.administrate("PUT", &format!("/api/v1/entities/User/{id}"), &body).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

/// A representative whom the admin API owns.
async fn start_dora(story: &Story, era: Era) -> kenward_testkit::Mcp {
    let body = r#"{"type":"User","id":"dora","attributes":{},"parents":[{"type":"Group","id":"representatives"}],"aliases":[]}"#;
    own_user(&story.gateway, "dora", body).await;
    story.connect("dora", era).await
}
