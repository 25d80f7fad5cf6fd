//! A listening request before a legacy server: its standing stream and its subscriptions.

use kenward_testkit::{Era, Next};
use serde_json::json;

use super::legacy_story;
use crate::{QUIET, SOON};

const PUBLIC: &str = "doc://public";

#[tokio::test]
async fn news_come_tagged_and_only_those_that_were_asked_for() {
    let story = legacy_story(|_| {}).await;
    let rita = story.connect("rita", Era::Modern).await;
    let asked = json!({ "notifications": {
        "toolsListChanged": true, "resourceSubscriptions": [PUBLIC, "doc://secret"],
    } });
    let message = rita.message("subscriptions/listen", asked.clone());
    let id = message["id"].as_u64().expect("a number") + 1;
    let mut stream = rita.stream("subscriptions/listen", asked).await;
    let first = stream.next(SOON).await.message();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
    let honoured = json!({ "toolsListChanged": true, "resourceSubscriptions": [PUBLIC] });
    assert_eq!(first["params"]["notifications"], honoured);
    assert_eq!(story.upstream.subscribed(), [PUBLIC]);
    assert!(story.upstream.until(|upstream| upstream.open_streams() == 1).await);
    let tag = json!({ "io.modelcontextprotocol/subscriptionId": id });
    story.upstream.notify("notifications/prompts/list_changed", &json!({}));
    story.upstream.notify("notifications/message", &json!({ "level": "error", "data": "evil" }));
    story.upstream.notify("notifications/resources/updated", &json!({ "uri": "doc://secret" }));
    story.upstream.notify("notifications/resources/updated", &json!({ "uri": PUBLIC }));
    let updated = stream.next(SOON).await.message();
    assert_eq!(updated["params"], json!({ "uri": PUBLIC, "_meta": tag }), "{}", stream.seen());
    story.upstream.notify("notifications/tools/list_changed", &json!({}));
    let changed = stream.next(SOON).await.message();
    assert_eq!(changed["method"], "notifications/tools/list_changed");
    assert_eq!(changed["params"]["_meta"], tag);
    drop(stream);
    assert!(story.upstream.until(|upstream| upstream.subscribed().is_empty()).await);
    assert!(story.upstream.until(|upstream| upstream.open_streams() == 0).await);
}

#[tokio::test]
async fn streams_of_one_party_share_what_they_follow() {
    let story = legacy_story(|_| {}).await;
    let rita = story.connect("rita", Era::Modern).await;
    let asked = json!({ "notifications": { "resourceSubscriptions": [PUBLIC] } });
    let mut first = rita.stream("subscriptions/listen", asked.clone()).await;
    let mut second = rita.stream("subscriptions/listen", asked).await;
    for stream in [&mut first, &mut second] {
        stream.next_of("notifications/subscriptions/acknowledged", SOON).await.message();
    }
    assert_eq!(story.upstream.open_streams(), 1);
    assert_eq!(story.upstream.requests("resources/subscribe").len(), 1);
    drop(first);
    story.upstream.notify("notifications/resources/updated", &json!({ "uri": PUBLIC }));
    second.next_of("notifications/resources/updated", SOON).await.message();
    assert_eq!(story.upstream.subscribed(), [PUBLIC], "the other still follows it");
}

#[tokio::test]
async fn a_right_that_is_lost_ends_the_news_of_it() {
    let story = legacy_story(|_| {}).await;
    let rita = story.connect("rita", Era::Modern).await;
    let mut stream = rita.listen(&[PUBLIC, "doc://customer/1001"]).await;
    stream.next(SOON).await.message();
    let forbid = "forbid (principal, action == Mcp::Action::\"resources/read\", \
                  resource == Mcp::Resource::\"deliveries/doc://public\");";
    story.gateway.deployment().add_policies(forbid);
    let withdrawn = crate::until(|| async {
        rita.request("resources/read", json!({ "uri": PUBLIC }))
            .await
            .message
            .get("result")
            .is_none()
    });
    assert!(withdrawn.await);
    story.upstream.notify("notifications/resources/updated", &json!({ "uri": PUBLIC }));
    let uri = json!({ "uri": "doc://customer/1001" });
    story.upstream.notify("notifications/resources/updated", &uri);
    let next = stream.next_of("notifications/resources/updated", SOON).await.message();
    assert_eq!(next["params"]["uri"], "doc://customer/1001", "{}", stream.seen());
}

#[tokio::test]
async fn a_server_without_subscriptions_is_not_said_to_honour_them() {
    let story = legacy_story(|_| {}).await;
    story.upstream.on("initialize", |received| {
        kenward_testkit::Answer::Result(json!({
            "protocolVersion": received.params()["protocolVersion"],
            "capabilities": { "resources": {} }, "serverInfo": { "name": "plain", "version": "1" },
        }))
    });
    let rita = story.connect("rita", Era::Modern).await;
    let mut stream = rita.listen(&[PUBLIC]).await;
    let first = stream.next(SOON).await.message();
    assert!(first["params"]["notifications"].get("resourceSubscriptions").is_none(), "{first}");
    assert!(story.upstream.subscribed().is_empty());
}

#[tokio::test]
async fn a_request_on_the_standing_stream_reaches_nobody() {
    let story = legacy_story(|_| {}).await;
    let rita = story.connect("rita", Era::Modern).await;
    let mut stream = rita.listen(&[]).await;
    stream.next(SOON).await.message();
    assert!(story.upstream.until(|upstream| upstream.open_streams() == 1).await);
    let question = json!({ "jsonrpc": "2.0", "id": "s", "method": "roots/list" });
    story.upstream.push(format!("data: {question}\n\n"));
    assert_eq!(stream.next(QUIET).await, Next::Silence, "{}", stream.seen());
    let told = |_: &kenward_testkit::Upstream| {
        let all = story.upstream.received().into_iter().map(|received| received.json());
        all.filter(|message| message["error"]["code"] == -32601).count() == 1
    };
    assert!(story.upstream.until(told).await);
}
