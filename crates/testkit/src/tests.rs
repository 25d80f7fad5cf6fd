//! The fixtures against each other: a test is worth no more than what it is made with.

use std::time::Duration;

use serde_json::json;

use crate::load::{self, Load};
use crate::{Answer, Client, Era, Mcp, Next, Upstream, ports};

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn client_and_server_understand_each_other_in_both_eras() {
    let upstream = Upstream::start().await;
    upstream.set_tools(vec![json!({ "name": "a", "inputSchema": { "type": "object" } })]);
    for era in Era::BOTH {
        for events in [false, true] {
            upstream.answer_as_events(events);
            let mcp = Mcp::connect(upstream.url(), "/mcp", "t", era).await;
            assert_eq!(mcp.tools().await, ["a"], "{era:?} {events}");
            assert!(mcp.call("a", json!({ "x": 1 })).await.is_done(), "{era:?} {events}");
            assert_eq!(mcp.call("b", json!({})).await.error_code(), Some(-32602));
            assert_eq!(mcp.request("nothing", json!({})).await.error_code(), Some(-32601));
        }
    }
    let call = upstream.calls("a").remove(0);
    assert_eq!(call.header("authorization"), Some("Bearer t"));
}

#[tokio::test]
async fn streams_deliver_until_either_side_ends_them() {
    let upstream = Upstream::start().await;
    for era in Era::BOTH {
        let mcp = Mcp::connect(upstream.url(), "/mcp", "t", era).await;
        let mut stream = mcp.listen(&["a://b"]).await;
        assert!(upstream.until(|upstream| upstream.open_streams() == 1).await);
        upstream.notify("notifications/resources/updated", &json!({ "uri": "a://b" }));
        let news = stream.next_of("notifications/resources/updated", SOON).await.message();
        assert_eq!(news["params"]["uri"], "a://b");
        assert_eq!(stream.next(Duration::from_millis(50)).await, Next::Silence);
        drop(stream);
        assert!(upstream.until(|upstream| upstream.open_streams() == 0).await, "{era:?}");
        let mut stream = mcp.listen(&[]).await;
        upstream.end_streams();
        assert_eq!(stream.rest(SOON).await.1, Next::End, "{era:?}");
    }
}

#[tokio::test]
async fn scripts_decide_what_is_answered() {
    let upstream = Upstream::start().await;
    upstream.on_tool("raw", |_| Answer::Raw(500, "text/plain", "oh no".into()));
    upstream.on_tool("steps", |_| {
        let step = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {} });
        Answer::Events(vec![step], Box::new(Answer::text("there").after(Duration::from_millis(20))))
    });
    upstream.on_tool("hang", |_| Answer::Hang);
    let mcp = Mcp::connect(upstream.url(), "/mcp", "t", Era::Modern).await;
    assert_eq!(mcp.call("raw", json!({})).await.status(), 500);
    let steps = mcp.call("steps", json!({})).await;
    assert_eq!((steps.before.len(), steps.text().as_str()), (1, "there"));
    let hanging = mcp.call("hang", json!({}));
    assert!(tokio::time::timeout(Duration::from_millis(100), hanging).await.is_err());
    assert!(upstream.until(|upstream| upstream.under_way() == 0).await, "the client has left");
}

#[tokio::test]
async fn the_load_counts_every_answer() {
    let upstream = Upstream::start().await;
    let address = Client::new(upstream.url()).address().to_owned();
    let body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
    let request = load::request(&address, "/mcp", &[("content-type", "application/json")], body);
    let load = Load { address, request, connections: 4, duration: SOON, most: 40 };
    let measured =
        load::run(&load, |body| body.starts_with(b"{\"jsonrpc\"")).await.expect("answers");
    assert_eq!(measured.answers, 40);
    assert_eq!(upstream.requests("ping").len(), 40);
    assert!(measured.percentile(50.0) <= measured.percentile(99.0));
    let bad = load::run(&load, <[u8]>::is_empty).await;
    assert!(bad.is_err(), "an answer that is not as it should be");
}

#[test]
fn ports_are_free_and_different() {
    let (first, second) = (ports::free(), ports::free());
    assert_ne!(first, second);
    assert!(std::net::TcpListener::bind(("127.0.0.1", first)).is_ok());
}
