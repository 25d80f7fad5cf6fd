//! Promise: a tool that policy allows and the token's scope does not is shown, and its call answered
//! with the scope that it needs.

use kenward_testkit::{Era, Mcp};
use serde_json::json;

use crate::Story;

#[tokio::test]
async fn the_missing_scope_is_named() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        assert!(rita.tools().await.contains(&"export_all".to_owned()), "{era:?}");
        let reply = rita.call("export_all", json!({})).await;
        assert_eq!(reply.status(), 403, "{era:?}: {}", reply.http.text());
        let challenge = reply.http.header("www-authenticate");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{era:?}: {challenge}");
        assert!(challenge.contains("scope=\"deliveries:export\""), "{era:?}: {challenge}");
        assert!(challenge.contains("resource_metadata=\""), "{era:?}: {challenge}");
    }
    assert!(story.upstream.calls("export_all").is_empty());
    assert_eq!(story.decisions("export_all", "refuse").await.len(), 2);
}

#[tokio::test]
async fn the_scope_opens_the_tool() {
    let story = Story::start().await;
    for (scope, done) in [
        ("deliveries:export", true),
        ("openid deliveries:export profile", true),
        ("deliveries:exports", false),
        ("Deliveries:Export", false),
        ("deliveries", false),
        ("deliveries:*", false),
        ("", false),
    ] {
        let token = story.issuer.token("rita", &story.audience()).claim("scope", scope).sign();
        let rita = Mcp::connect(&story.gateway.url(), "/mcp/deliveries", &token, Era::Modern).await;
        let reply = rita.call("export_all", json!({})).await;
        assert_eq!(reply.is_done(), done, "`{scope}`: {}", reply.http.text());
    }
}

#[tokio::test]
async fn a_scope_is_no_right() {
    let story = Story::start().await;
    let token =
        story.issuer.token("mallory", &story.audience()).claim("scope", "deliveries:export");
    let mallory = story.client(Some(&token.sign()), Era::Modern);
    assert!(mallory.tools().await.is_empty());
    let reply = mallory.call("export_all", json!({})).await;
    assert_eq!(reply.error_code(), Some(-32602), "{}", reply.http.text());
    assert_eq!(reply.http.header("www-authenticate"), "", "no scope would help");
    assert!(story.upstream.calls("export_all").is_empty());
}

#[tokio::test]
async fn groups_in_the_token_count_where_the_issuer_may_state_them() {
    let story = Story::start().await;
    let token = story.issuer.token("newcomer", &story.audience());
    let in_group = token.clone().claim("groups", json!(["representatives"])).sign();
    let newcomer = story.client(Some(&in_group), Era::Modern);
    assert!(newcomer.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
    for groups in
        [json!([]), json!("representatives and more"), json!({ "representatives": true }), json!(7)]
    {
        let without = token.clone().claim("groups", groups.clone()).sign();
        let newcomer = story.client(Some(&without), Era::Modern);
        let reply = newcomer.call("track_parcel", json!({ "parcel": "p" })).await;
        assert!(!reply.is_done(), "{groups}: {}", reply.http.text());
    }
    let silent = Story::start_with(|deployment| {
        deployment.config["issuers"][0]["claims"] = json!({ "user": "sub" });
    })
    .await;
    let token = silent.issuer.token("newcomer", &silent.audience());
    let token = token.claim("groups", json!(["representatives"])).sign();
    let newcomer = silent.client(Some(&token), Era::Modern);
    assert!(!newcomer.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
}
