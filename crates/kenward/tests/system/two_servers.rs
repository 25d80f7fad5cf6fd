//! Promise: what is said to one server never reaches another, and rights on one are none on another.

use kenward_testkit::{Deployment, Era, Gateway, Issuer, Upstream};
use serde_json::json;

use crate::{KENWARD, Story};

/// The story with a second server beside the deliveries.
pub(crate) struct House {
    pub(crate) story: Story,
    pub(crate) archive: Upstream,
}

/// Starts both servers; representatives may use `look_up` of the archive and nothing else there.
pub(crate) async fn start() -> House {
    let issuer = Issuer::start().await;
    let (upstream, archive) = (Upstream::start().await, Upstream::start().await);
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    archive.set_tools(vec![tool("look_up"), tool("track_parcel")]);
    let mut deployment = Deployment::deliveries(&issuer, &upstream);
    let server = json!({ "url": archive.url(), "tools": { "look_up": {} } });
    deployment.add_server("archive", server);
    deployment.add_policies(
        r#"permit (principal in Group::"representatives", action == Mcp::Action::"archive/look_up", resource);"#,
    );
    let gateway = Gateway::start(KENWARD, deployment).await;
    House { story: Story { issuer, upstream, gateway }, archive }
}

#[tokio::test]
async fn a_right_on_one_server_is_none_on_another() {
    let house = start().await;
    for era in Era::BOTH {
        let rita = house.story.gateway.connect(&house.story.issuer, "rita", "archive", era).await;
        assert_eq!(rita.tools().await, ["look_up"], "{era:?}");
        assert!(rita.call("look_up", json!({})).await.is_done(), "{era:?}");
        let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
        assert_eq!(reply.error_code(), Some(-32602), "{era:?}: {}", reply.http.text());
    }
    assert!(house.archive.calls("track_parcel").is_empty());
    assert!(house.story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn a_session_of_one_server_does_not_exist_on_another() {
    let house = start().await;
    let gateway = &house.story.gateway;
    let deliveries = gateway.connect(&house.story.issuer, "rita", "deliveries", Era::Legacy).await;
    let archive = gateway.connect(&house.story.issuer, "rita", "archive", Era::Legacy).await;
    house.archive.forget();
    let archive = archive.with_session(deliveries.session());
    let reply = archive.call("look_up", json!({})).await;
    assert_eq!(reply.status(), 404, "{}", reply.http.text());
    assert!(house.archive.requests("tools/call").is_empty());
}

#[tokio::test]
async fn the_definitions_of_one_server_are_not_those_of_another() {
    let house = start().await;
    for era in Era::BOTH {
        let gateway = &house.story.gateway;
        let deliveries = gateway.connect(&house.story.issuer, "rita", "deliveries", era).await;
        let reply = deliveries.call("look_up", json!({})).await;
        assert_eq!(reply.error_code(), Some(-32602), "{era:?}: {}", reply.http.text());
    }
    assert!(house.story.upstream.calls("look_up").is_empty());
}
