//! Promise: nothing is allowed because something failed, and a failure behind us is said as one.

use std::time::Duration;

use bytes::Bytes;
use kenward_testkit::{Answer, Deployment, Era, Gateway, Issuer, Mcp, Upstream};
use serde_json::{Value, json};

use crate::{KENWARD, Story, until};

#[tokio::test]
async fn a_server_that_is_gone_is_our_failure_with_a_reference() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let legacy = story.connect("rita", Era::Legacy).await;
    assert!(tracks(&rita).await && tracks(&legacy).await);
    let Story { issuer: _issuer, upstream, gateway: _gateway } = story;
    drop(upstream);
    for mcp in [rita, legacy] {
        let reply = mcp.call("track_parcel", json!({ "parcel": "p" })).await;
        assert_eq!(reply.error_code(), Some(-32603), "{:?}: {}", mcp.era(), reply.http.text());
        assert!(!reply.http.text().contains("127.0.0.1"), "{}", reply.http.text());
        assert!(reference(&reply.message), "{}", reply.http.text());
    }
}

#[tokio::test]
async fn answers_that_make_no_sense_are_not_passed_on() {
    let story = Story::start().await;
    let mut passed_on = Vec::new();
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        for (kind, answer) in nonsense() {
            story.upstream.on_tool("track_parcel", move |_| answer.clone());
            let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
            let text = reply.http.text();
            if text.contains("evil") || reply.error_code() != Some(-32603) {
                passed_on.push(format!("{era:?}, {kind}: {} {text}", reply.status()));
            }
        }
        story.upstream.on_tool("track_parcel", |_| Answer::text("well again"));
        assert!(tracks(&rita).await, "{era:?}");
    }
    assert!(passed_on.is_empty(), "{passed_on:#?}");
}

#[tokio::test]
async fn errors_of_the_server_are_its_own() {
    let story = Story::start().await;
    story.upstream.on_tool("track_parcel", |_| Answer::Error(-32000, "out of parcels".to_owned()));
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
        assert_eq!(reply.error_code(), Some(-32000), "{era:?}: {}", reply.http.text());
        assert!(reply.http.text().contains("out of parcels"), "{era:?}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn a_server_that_does_not_want_us_is_no_challenge_to_the_client() {
    let story = Story::start().await;
    for status in [401, 403] {
        story
            .upstream
            .on_tool("track_parcel", move |_| Answer::Raw(status, "text/plain", "no".into()));
        for era in Era::BOTH {
            let rita = story.connect("rita", era).await;
            let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
            assert_eq!(reply.error_code(), Some(-32603), "{status} {era:?}: {}", reply.http.text());
            assert_eq!(reply.http.header("www-authenticate"), "");
        }
    }
}

#[tokio::test]
async fn one_slow_server_does_not_slow_others() {
    let house = crate::two_servers::start().await;
    house.story.upstream.on_tool("track_parcel", |_| Answer::Hang);
    let gateway = &house.story.gateway;
    let slow = gateway.connect(&house.story.issuer, "rita", "deliveries", Era::Modern).await;
    let fast = gateway.connect(&house.story.issuer, "rita", "archive", Era::Modern).await;
    let stuck: Vec<_> =
        (0..50).map(|_| Box::pin(slow.call("track_parcel", json!({ "parcel": "p" })))).collect();
    let quick = async {
        assert!(house.story.upstream.until(|upstream| upstream.under_way() == 50).await);
        let started = std::time::Instant::now();
        assert!(fast.call("look_up", json!({})).await.is_done());
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    };
    tokio::select! {
        _ = crate::together(stuck) => panic!("the server does not answer"),
        () = quick => {}
    }
}

#[tokio::test]
async fn an_issuer_that_is_away_at_the_start_is_reported() {
    let issuer = Issuer::start().await;
    let upstream = Upstream::start().await;
    let deployment = Deployment::deliveries(&issuer, &upstream);
    issuer.set_down(true);
    let refused = Gateway::start_in_vain(KENWARD, &deployment).await;
    assert_eq!(refused.code, Some(1), "{}", refused.said());
    assert!(refused.said().contains(issuer.url()), "{}", refused.said());
    issuer.set_down(false);
    issuer.claim_to_be("https://idp.example.net");
    let refused = Gateway::start_in_vain(KENWARD, &deployment).await;
    assert_eq!(refused.code, Some(1), "metadata of another issuer: {}", refused.said());
}

#[tokio::test]
async fn an_issuer_that_is_away_lets_nobody_in_and_comes_back() {
    let issuer = Issuer::start().await;
    let upstream = Upstream::start().await;
    let mut deployment = Deployment::deliveries(&issuer, &upstream);
    deployment.arguments.push("--allow-unreachable".to_owned());
    issuer.set_down(true);
    let gateway = Gateway::start_anyway(KENWARD, deployment).await;
    let story = Story { issuer, upstream, gateway };
    assert_eq!(story.gateway.admin().get("/readyz", &[]).await.status, 503);
    let rita = story.client(Some(&story.token("rita")), Era::Modern);
    let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
    assert!(matches!(reply.status(), 401 | 503), "{}", reply.http.text());
    assert!(story.upstream.requests("tools/call").is_empty());
    story.issuer.set_down(false);
    assert!(until(async || tracks(&rita).await).await, "{}", story.gateway.log());
    assert_eq!(story.gateway.admin().get("/readyz", &[]).await.status, 200);
    // Keys that are known go on being good while the issuer is away again.
    story.issuer.set_down(true);
    assert!(tracks(&rita).await);
    let unknown = story.issuer.token("rita", &story.audience()).header("kid", "new").sign();
    let reply = story.client(Some(&unknown), Era::Modern).call("track_parcel", json!({})).await;
    assert!(matches!(reply.status(), 401 | 503), "{}", reply.http.text());
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_reported_before_anything_runs() {
    let issuer = Issuer::start().await;
    let upstream = Upstream::start().await;
    let deployment = Deployment::deliveries(&issuer, &upstream);
    drop(upstream);
    let refused = Gateway::start_in_vain(KENWARD, &deployment).await;
    assert_eq!(refused.code, Some(1), "{}", refused.said());
    assert!(refused.said().contains("deliveries"), "{}", refused.said());
}

#[tokio::test]
async fn the_gateway_stops_in_good_order_with_calls_under_way() {
    let story = Story::start().await;
    story
        .upstream
        .on_tool("track_parcel", |_| Answer::text("late").after(Duration::from_millis(800)));
    let rita = story.connect("rita", Era::Modern).await;
    let mut stream = rita.listen(&["doc://public"]).await;
    assert!(story.upstream.until(|upstream| upstream.open_streams() == 1).await);
    let Story { issuer: _issuer, upstream, gateway } = story;
    let call = rita.call("track_parcel", json!({ "parcel": "p" }));
    let stop = async {
        assert!(upstream.until(|upstream| upstream.under_way() == 1).await);
        let started = std::time::Instant::now();
        let ended = gateway.stop().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    };
    let (reply, ()) = tokio::join!(call, stop);
    assert!(reply.is_done(), "a call under way is finished: {}", reply.http.text());
    let (_, last) = stream.rest(Duration::from_secs(2)).await;
    assert_eq!(last, kenward_testkit::Next::End);
}

#[tokio::test]
async fn a_panic_in_no_request_takes_the_others_down() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    // Whatever strange thing somebody sends, the process lives and serves the next one.
    for path in ["/%", "/%ff", "/mcp/%00", "/mcp/deliveries?%", "/\u{7f}", "/mcp//", "/..%2f.."] {
        let text =
            format!("POST {path} HTTP/1.1\r\nhost: {}\r\n\r\n", story.gateway.http().address());
        story.gateway.http().raw(text.as_bytes()).await;
    }
    assert!(tracks(&rita).await);
    assert!(!story.gateway.log().contains("panicked"), "{}", story.gateway.log());
}

async fn tracks(mcp: &Mcp) -> bool {
    mcp.call("track_parcel", json!({ "parcel": "p" })).await.is_done()
}

/// Whether an error carries a reference for those who run the gateway.
fn reference(message: &Value) -> bool {
    let text = message["error"].to_string();
    let is_reference = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    text.split(|c: char| !c.is_ascii_hexdigit() && c != '-').any(is_reference)
}

fn nonsense() -> Vec<(&'static str, Answer)> {
    let json_body = |text: &str| Answer::Raw(200, "application/json", Bytes::from(text.to_owned()));
    let events = |text: &str| Answer::Raw(200, "text/event-stream", Bytes::from(text.to_owned()));
    vec![
        ("no json", json_body("evil")),
        ("nothing", json_body("")),
        ("half a message", json_body("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"evil\":")),
        ("an array", json_body("[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"evil\":1}}]")),
        (
            "another id",
            json_body("{\"jsonrpc\":\"2.0\",\"id\":\"evil\",\"result\":{\"content\":[]}}"),
        ),
        ("no id", json_body("{\"jsonrpc\":\"2.0\",\"result\":{\"content\":[],\"x\":\"evil\"}}")),
        ("a request", json_body("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"evil\"}")),
        ("a page", Answer::Raw(200, "text/html", Bytes::from_static(b"<h1>evil</h1>"))),
        ("a failure", Answer::Raw(500, "text/plain", Bytes::from_static(b"evil at line 7"))),
        ("a redirect", Answer::Raw(302, "text/plain", Bytes::from_static(b"evil"))),
        ("a stream without an answer", events(": evil\n\n")),
        ("a stream of nonsense", events("data: evil\n\n")),
        (
            "a stream that ends early",
            events("data: {\"jsonrpc\":\"2.0\",\"method\":\"evil/x\"}\n\n"),
        ),
        ("no text", json_body("\u{0}\u{1}evil")),
    ]
}
