//! Promise: what is allowed arrives at the server byte for byte, and its answer at the client.

use bytes::Bytes;
use kenward_testkit::{Answer, Era};
use serde_json::json;

use crate::Story;

/// Arguments in the strangest form that is still one JSON object without duplicates.
const STRANGE: &str = "{ \"parcel\" :\t\"p\\u00e9\\/\\ud83d\\ude00 \u{20ac}\\u0000\", \"weight\":1.0,\
    \"big\":12345678901234567890123, \"small\":1e-7,\"deep\":[[[{ \"\":null }]]],\"tab\":\"\\t\" }";

#[tokio::test]
async fn the_bytes_of_a_call_arrive_as_they_were_sent() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        let meta = match era {
            Era::Legacy => "{ \"progressToken\" : 7 , \"com.example/x\":{\"y\" : 1.50} }",
            Era::Modern => {
                "{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
                  \"com.example/x\":{\"y\" : 1.50}, \
                  \"io.modelcontextprotocol/clientCapabilities\":{ }}"
            }
        };
        let body = format!(
            " {{\"params\":{{\"name\":\"track_parcel\",\"arguments\":{STRANGE},\"unknown\":[1,2 ],\
             \"_meta\":{meta}}},\r\n \"method\":\"tools/call\",\"jsonrpc\":\"2.0\",\"id\":\"a\\nb\"}}"
        );
        let message = serde_json::from_str(&body).expect("a message");
        let reply = rita.post(&rita.headers(&message), body.clone()).await;
        assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
        assert_eq!(reply.message["id"], json!("a\nb"));
        let calls = story.upstream.calls("track_parcel");
        assert_eq!(calls.len(), 1, "{era:?}");
        assert_eq!(String::from_utf8_lossy(&calls[0].body), body, "{era:?}");
    }
}

#[tokio::test]
async fn the_headers_of_the_protocol_arrive_and_say_what_the_body_says() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let params = json!({ "name": "track_parcel", "arguments": { "parcel": "p" } });
    let message = rita.message("tools/call", params);
    let mut headers = rita.headers(&message);
    headers.push(("mcp-param-region".to_owned(), "eu".to_owned()));
    assert!(rita.post(&headers, message.to_string()).await.is_done());
    let call = story.upstream.calls("track_parcel").remove(0);
    for (name, value) in [
        ("mcp-method", "tools/call"),
        ("mcp-name", "track_parcel"),
        ("mcp-protocol-version", "2026-07-28"),
        ("content-type", "application/json"),
        // A parameter that nobody in between knows is passed on (2026-07-28, request metadata).
        ("mcp-param-region", "eu"),
    ] {
        assert_eq!(call.header(name), Some(value), "{name}");
    }
    let accept = call.header("accept").unwrap_or_default();
    assert!(
        accept.contains("application/json") && accept.contains("text/event-stream"),
        "{accept}"
    );
    let legacy = story.connect("rita", Era::Legacy).await;
    assert!(legacy.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
    let call = story.upstream.calls("track_parcel").pop().expect("a call");
    assert_eq!(call.header("mcp-protocol-version"), Some("2025-11-25"));
}

#[tokio::test]
async fn the_bytes_of_an_answer_arrive_as_they_were_sent() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let kind = if era == Era::Modern { "\"resultType\":\"complete\"," } else { "" };
        let content = format!(
            "{{{kind}\"content\":[{{\"type\":\"text\",\"text\":\"\\u00e9\"}},{{\"type\":\"odd\",\"x\":1.0}}],\
             \"structuredContent\":{{\"n\":12345678901234567890123}} ,\"future\":{{}}}}"
        );
        let answered = content.clone();
        story.upstream.on_tool("track_parcel", move |received| {
            let id = received.json()["id"].clone();
            let body = format!("{{ \"result\":{answered},\"id\" : {id},\"jsonrpc\":\"2.0\" }}");
            Answer::Raw(200, "application/json", Bytes::from(body))
        });
        let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
        assert!(reply.http.text().contains(&content), "{era:?}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn answers_as_events_arrive_in_order_with_what_came_before() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.on_tool("track_parcel", |received| {
            let token = received.params()["_meta"]["progressToken"].clone();
            let progress = |n: u32| {
                json!({ "jsonrpc": "2.0", "method": "notifications/progress",
                        "params": { "progressToken": token, "progress": n, "total": 3 } })
            };
            Answer::Events((1..=3).map(progress).collect(), Box::new(Answer::text("there")))
        });
        let params = json!({
            "name": "track_parcel", "arguments": { "parcel": "p" }, "_meta": { "progressToken": "t" },
        });
        let reply = rita.request("tools/call", params).await;
        assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
        let progress: Vec<_> =
            reply.before.iter().map(|m| m["params"]["progress"].clone()).collect();
        assert_eq!(progress, [json!(1), json!(2), json!(3)], "{era:?}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn large_messages_pass_both_ways() {
    let story = Story::start().await;
    let large = "x".repeat(3 << 20);
    story.upstream.on_tool("track_parcel", |received| {
        let parcel = received.params()["arguments"]["parcel"].as_str().expect("text").to_owned();
        Answer::text(&parcel)
    });
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let reply = rita.call("track_parcel", json!({ "parcel": large })).await;
        assert!(reply.is_done(), "{era:?}: {}", reply.status());
        assert_eq!(reply.text().len(), large.len(), "{era:?}");
    }
}

#[tokio::test]
async fn many_calls_at_once_get_their_own_answers() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let call = |n: u32| rita.call("track_parcel", json!({ "parcel": format!("p{n}") }));
        // One client, so that the ids differ, all under way at once.
        let replies = crate::together((0..40).map(|n| Box::pin(call(n))).collect()).await;
        for (n, reply) in replies.iter().enumerate() {
            assert!(reply.text().contains(&format!("\"p{n}\"")), "{}", reply.http.text());
        }
    }
}
