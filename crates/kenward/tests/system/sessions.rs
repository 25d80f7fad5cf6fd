//! Promise: a session belongs to one user with one agent on one endpoint, and proves nothing alone.

use kenward_testkit::{Answer, Era, Mcp};
use serde_json::json;

use crate::Story;

#[tokio::test]
async fn session_ids_cannot_be_guessed_and_are_not_the_servers() {
    let story = Story::start().await;
    let first = story.connect("rita", Era::Legacy).await;
    let second = story.connect("rita", Era::Legacy).await;
    let ids = [first.session().expect("an id"), second.session().expect("an id")];
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        assert!(id.len() >= 22 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
        assert!(!id.contains("upstream-session"), "{id}");
    }
    assert!(first.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
    let call = story.upstream.calls("track_parcel").remove(0);
    assert_eq!(call.header("mcp-session-id"), Some("upstream-session-1"));
}

#[tokio::test]
async fn absent_unknown_foreign_and_ended_sessions_are_refused() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    let ron = story.connect("ron", Era::Legacy).await;
    let of_ron = ron.session().expect("an id").to_owned();
    let of_rita = rita.session().expect("an id").to_owned();
    story.upstream.forget();

    let rita = rita.with_session(None);
    assert_eq!(status(&rita).await, 400, "no session");
    let rita = rita.with_session(Some(""));
    assert!(matches!(status(&rita).await, 400 | 404), "an empty session");
    let rita = rita.with_session(Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    assert_eq!(status(&rita).await, 404, "an unknown session");
    let rita = rita.with_session(Some("upstream-session-1"));
    assert_eq!(status(&rita).await, 404, "the server's own session");
    let rita = rita.with_session(Some(&of_ron));
    assert_eq!(status(&rita).await, 404, "another's session");
    assert!(story.upstream.received().is_empty(), "something reached the server");

    assert_eq!(rita.end().await.status, 404, "ending another's session");
    assert_eq!(status(&ron).await, 200, "the other's session goes on");
    let rita = rita.with_session(Some(&of_rita));
    assert_eq!(status(&rita).await, 200);
    let ended = rita.end().await.status.as_u16();
    assert!(matches!(ended, 200 | 202 | 204), "{ended}");
    assert_eq!(status(&rita).await, 404, "an ended session");
    assert_eq!(rita.end().await.status, 404, "ending twice");
}

#[tokio::test]
async fn another_agent_of_the_same_user_has_other_sessions() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    let other = story.issuer.token("rita", &story.audience()).claim("client_id", "agent-2").sign();
    let rita = rita.with_token(Some(&other));
    assert_eq!(status(&rita).await, 404);
    let renewed = story.issuer.token("rita", &story.audience()).claim("jti", "another").sign();
    let rita = rita.with_token(Some(&renewed));
    assert_eq!(status(&rita).await, 200, "a renewed token of the same agent");
}

#[tokio::test]
async fn a_stream_needs_its_session_too() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    let of_rita = rita.session().expect("an id").to_owned();
    let ron = story.connect("ron", Era::Legacy).await.with_session(Some(&of_rita));
    assert_eq!(ron.listen(&[]).await.status(), 404);
    let ron = ron.with_session(None);
    assert_eq!(ron.listen(&[]).await.status(), 400);
    assert_eq!(rita.listen(&[]).await.status(), 200);
}

#[tokio::test]
async fn modern_requests_have_no_session_and_take_none() {
    let story = Story::start().await;
    let legacy = story.connect("rita", Era::Legacy).await;
    let of_rita = legacy.session().expect("an id").to_owned();
    let rita = story.connect("rita", Era::Modern).await.with_session(Some(&of_rita));
    let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
    assert!(reply.is_done(), "{}", reply.http.text());
    assert_eq!(reply.http.header("mcp-session-id"), "");
    let call = story.upstream.calls("track_parcel").remove(0);
    assert_eq!(call.header("mcp-session-id"), None);
}

#[tokio::test]
async fn a_session_that_the_server_lost_is_lost_for_the_client() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    story.upstream.on_tool("track_parcel", |_| Answer::Raw(404, "text/plain", "gone".into()));
    assert_eq!(status(&rita).await, 404, "the client has to begin anew");
    story.upstream.on_tool("track_parcel", |_| Answer::text("here"));
    let again = story.connect("rita", Era::Legacy).await;
    assert_eq!(status(&again).await, 200);
}

#[tokio::test]
async fn older_revisions_are_negotiated_and_unknown_ones_answered_with_ours() {
    let story = Story::start().await;
    for (asked, answered) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let token = story.token("rita");
        let mcp = story.client(Some(&token), Era::Legacy);
        let params = json!({
            "protocolVersion": asked, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" },
        });
        let reply = mcp.request("initialize", params).await;
        assert_eq!(reply.result()["protocolVersion"], answered, "{asked}");
    }
}

#[tokio::test]
async fn sessions_end_with_the_gateway() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    let Story { issuer: _issuer, upstream: _upstream, gateway } = story;
    let _gateway = gateway.restart(crate::KENWARD).await;
    assert_eq!(status(&rita).await, 404);
}

async fn status(mcp: &Mcp) -> u16 {
    mcp.call("track_parcel", json!({ "parcel": "p" })).await.status()
}
