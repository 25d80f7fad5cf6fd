//! Promise: each endpoint is a resource of its own, with metadata of its own, and a token for one is
//! not good for another.

use kenward_testkit::{Era, Mcp};
use serde_json::json;

use crate::Story;
use crate::two_servers;

#[tokio::test]
async fn the_metadata_of_an_endpoint_names_it_and_its_issuers() {
    let story = Story::start().await;
    let path = "/.well-known/oauth-protected-resource/mcp/deliveries";
    let response = story.gateway.http().get(path, &[]).await;
    assert_eq!(response.status, 200);
    assert!(response.header("content-type").starts_with("application/json"));
    let metadata = response.json();
    assert_eq!(metadata["resource"], json!(story.audience()));
    assert_eq!(metadata["authorization_servers"], json!([story.issuer.url()]));
    assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
    assert_eq!(metadata["scopes_supported"], json!(["deliveries:export"]));
}

#[tokio::test]
async fn what_does_not_exist_has_no_metadata_and_no_endpoint() {
    let story = Story::start().await;
    let token = story.token("rita");
    let paths = [
        "/.well-known/oauth-protected-resource/mcp/nowhere",
        "/mcp/nowhere",
        "/mcp/deliveries/",
        "/mcp/deliveries/../deliveries",
        "/mcp/Deliveries",
        "/mcp/deliveries%2f",
        "/mcp/%64eliveries",
        "//mcp/deliveries",
        "/MCP/deliveries",
        "/",
    ];
    for path in paths {
        let mcp = Mcp::new(&story.gateway.url(), path, Some(&token), Era::Modern);
        let reply = mcp.call("track_parcel", json!({ "parcel": "p" })).await;
        assert_eq!(reply.status(), 404, "{path}: {}", reply.http.text());
    }
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn the_metadata_needs_no_token_and_takes_no_other_method() {
    let story = Story::start().await;
    let path = "/.well-known/oauth-protected-resource/mcp/deliveries";
    for method in ["POST", "PUT", "DELETE"] {
        let response = story.gateway.http().send(method, path, &[], "{}").await;
        assert_eq!(response.status, 405, "{method}: {}", response.text());
    }
}

#[tokio::test]
async fn a_token_for_one_server_is_not_good_for_another() {
    let house = two_servers::start().await;
    let for_deliveries = house.story.gateway.token(&house.story.issuer, "rita", "deliveries");
    let for_archive = house.story.gateway.token(&house.story.issuer, "rita", "archive");
    let url = house.story.gateway.url();
    for era in Era::BOTH {
        for (path, good, bad) in [
            ("/mcp/deliveries", &for_deliveries, &for_archive),
            ("/mcp/archive", &for_archive, &for_deliveries),
        ] {
            let mcp = Mcp::connect(&url, path, good, era).await;
            assert!(mcp.request("tools/list", json!({})).await.is_done(), "{path} {era:?}");
            // Inside the very session that the good token opened.
            let mcp = mcp.with_token(Some(bad));
            let reply = mcp.request("tools/list", json!({})).await;
            assert_eq!(reply.status(), 401, "{path} {era:?}: {}", reply.http.text());
        }
    }
}

#[tokio::test]
async fn another_audience_is_accepted_where_the_configuration_says_so() {
    let story = Story::start_with(|deployment| {
        deployment.config["issuers"][0]["audiences"] = json!(["api://deliveries"]);
    })
    .await;
    for (audience, status) in [("api://deliveries", 200), ("api://archive", 401)] {
        let token = story.issuer.token("rita", audience).sign();
        let mcp = story.client(Some(&token), Era::Modern);
        let reply = mcp.call("track_parcel", json!({ "parcel": "p" })).await;
        assert_eq!(reply.status(), status, "{audience}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn a_list_of_audiences_with_ours_among_them_is_good() {
    let story = Story::start().await;
    let token = story.issuer.token("rita", "x").claim("aud", json!(["other", story.audience()]));
    let mcp = story.client(Some(&token.sign()), Era::Modern);
    assert!(mcp.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
}
