//! Promise: a client of the revisions with sessions gets the same rights and the same refusals
//! before a server that knows no sessions.

use std::sync::Arc;

use kenward_testkit::{Answer, Deployment, Era, Mcp, Next};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{QUIET, SOON, Story, grants, until};

/// The deliveries, whose server speaks 2026-07-28 alone.
pub(crate) async fn start() -> Story {
    start_with(|_| {}).await
}

pub(crate) async fn start_with(change: impl FnOnce(&mut Deployment)) -> Story {
    let story = Story::start_with(change).await;
    story.upstream.be_modern_only();
    story
}

#[tokio::test]
async fn a_session_is_made_of_what_the_server_says_of_itself() {
    let story = start().await;
    story.upstream.on("server/discover", |_| {
        Answer::Result(json!({
            "supportedVersions": ["2026-07-28"], "ttlMs": 5, "cacheScope": "public",
            "capabilities": { "tools": {}, "logging": {}, "extensions": { "x/y": {} }, "tasks": {} },
            "instructions": "Use the tools.",
            "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "modern", "version": "3" } },
        }))
    });
    for (asked, answered) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let token = story.token("rita");
        let rita = story.client(Some(&token), Era::Legacy);
        let params = json!({
            "protocolVersion": asked, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" },
        });
        let reply = rita.request("initialize", params).await;
        let result = reply.result();
        assert_eq!(result["protocolVersion"], answered, "{asked}");
        assert_eq!(result["serverInfo"], json!({ "name": "modern", "version": "3" }));
        assert_eq!(result["instructions"], "Use the tools.");
        let offered = json!({ "tools": { "listChanged": true }, "logging": {} });
        assert_eq!(result["capabilities"], offered);
        assert!(reply.http.header("mcp-session-id").len() >= 22);
    }
    assert!(story.upstream.requests("initialize").is_empty(), "the server has no handshake");
    let asked = story.upstream.requests("server/discover");
    let of_rita = asked.last().expect("a question");
    assert_eq!(of_rita.header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(of_rita.header("mcp-method"), Some("server/discover"));
    assert_eq!(grants::verified(&story, of_rita).await["tctx"]["method"], "server/discover");
    // The first one, which nobody asked for, says nothing of anybody.
    assert_eq!(asked.first().expect("a question").header("txn-token"), None);
}

#[tokio::test]
async fn a_server_that_cannot_or_must_not_be_asked_opens_no_session() {
    let story = start().await;
    story.upstream.on("server/discover", |received| match received.header("txn-token") {
        None => Answer::Result(json!({ "supportedVersions": ["2026-07-28"] })),
        Some(_) => Answer::Error(-32603, "the secret of the server".to_owned()),
    });
    let token = story.token("rita");
    let mut rita = story.client(Some(&token), Era::Legacy);
    let reply = rita.handshake(&json!({})).await;
    assert!(reply.error_code().is_some(), "{}", reply.http.text());
    assert!(rita.session().is_none() && !reply.http.text().contains("secret"));
}

#[tokio::test]
async fn every_kind_of_request_crosses() {
    let story = start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    let tools = rita.tools().await;
    assert!(tools.contains(&"track_parcel".to_owned()), "{tools:?}");
    assert!(!tools.contains(&"purge_records".to_owned()), "{tools:?}");
    let arguments = json!({ "parcel": "\u{e9}", "a": [1.5, null] });
    let reply = rita.call("track_parcel", arguments.clone()).await;
    assert!(reply.is_done() && reply.status() == 200, "{}", reply.http.text());
    assert!(!reply.http.text().contains("resultType"), "{}", reply.http.text());
    let call = story.upstream.calls("track_parcel").pop().expect("a call");
    assert_eq!(call.header("mcp-method"), Some("tools/call"));
    assert_eq!(call.header("mcp-name"), Some("track_parcel"));
    assert_eq!(call.header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(call.header("mcp-session-id"), None);
    assert_eq!(call.params()["arguments"], arguments);
    let meta = call.params()["_meta"].clone();
    assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "testkit");
    assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({}));
    let claims = grants::verified(&story, &call).await;
    assert_eq!((&claims["sub"], &claims["tctx"]["method"]), (&json!("rita"), &json!("tools/call")));
    let resources = rita.request("resources/list", json!({})).await;
    assert!(!resources.http.text().contains("doc://secret"), "{}", resources.http.text());
    for (method, params) in [
        ("resources/read", json!({ "uri": "doc://public" })),
        ("prompts/get", json!({ "name": "greeting" })),
        ("ping", json!({})),
    ] {
        let reply = rita.request(method, params).await;
        assert!(reply.message.get("result").is_some(), "{method}: {}", reply.http.text());
        for modern in ["resultType", "ttlMs", "cacheScope"] {
            assert!(!reply.http.text().contains(modern), "{method}: {}", reply.http.text());
        }
    }
    assert!(story.upstream.requests("ping").is_empty());
    assert_eq!(rita.notify("notifications/roots/list_changed", json!({})).await.status(), 202);
    assert!(story.upstream.requests("notifications/initialized").is_empty());
    assert!(matches!(rita.end().await.status.as_u16(), 200 | 202 | 204));
    assert_eq!(rita.call("track_parcel", json!({ "parcel": "p" })).await.status(), 404);
}

#[tokio::test]
async fn arguments_that_headers_repeat_are_repeated() {
    let story = start().await;
    story.upstream.set_tools(vec![json!({ "name": "track_parcel", "inputSchema": {
        "type": "object", "properties": { "parcel": { "type": "string", "x-mcp-header": "Parcel" } },
    } })]);
    let rita = story.connect("rita", Era::Legacy).await;
    assert!(rita.call("track_parcel", json!({ "parcel": "Z\u{fc}rich" })).await.is_done());
    let call = story.upstream.calls("track_parcel").pop().expect("a call");
    assert_eq!(call.header("mcp-param-parcel"), Some("=?base64?WsO8cmljaA==?="));
}

#[tokio::test]
async fn refusals_shadows_and_filtered_answers_are_those_of_every_client() {
    let story = start().await;
    let rows = json!({ "customers": [
        { "id": "1001", "name": "Johnny Cash", "zip": "38101" },
        { "id": "4711", "name": "Taylor Swift", "zip": "37201" },
    ] });
    story.upstream.on_tool("list_customers", move |_| Answer::structured(&rows));
    let rita = story.connect("rita", Era::Legacy).await;
    let listed = rita.call("list_customers", json!({})).await;
    assert!(listed.is_done(), "{}", listed.http.text());
    assert!(listed.http.text().contains("38101"), "{}", listed.http.text());
    assert!(!listed.http.text().contains("37201"), "{}", listed.http.text());
    story.upstream.forget();
    let address = rita.call("get_customer_address", json!({ "customer_id": "4711" })).await;
    assert!(address.is_refused(), "{}", address.http.text());
    let around = rita.call("get_dropoff_locations", json!({ "near": "Tay1or Swift" })).await;
    assert!(around.is_refused(), "{}", around.http.text());
    let hidden = rita.call("purge_records", json!({})).await;
    assert_eq!(hidden.error_code(), Some(-32602), "{}", hidden.http.text());
    assert!(story.upstream.requests("tools/call").is_empty(), "something reached the server");
    let own = rita.call("get_customer_address", json!({ "customer_id": "1001" })).await;
    assert!(own.is_done(), "{}", own.http.text());
}

#[tokio::test]
async fn errors_are_those_that_the_client_knows() {
    let story = start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    let answer = |status: u16, code: i64, data: &Value| {
        let error = json!({ "code": code, "message": "words", "data": data });
        move |received: &kenward_testkit::Received| {
            let body = json!({ "jsonrpc": "2.0", "id": received.json()["id"], "error": error });
            Answer::Raw(status, "application/json", body.to_string().into())
        }
    };
    story.upstream.on("resources/read", answer(404, -32602, &json!({ "uri": "doc://public" })));
    let reply = rita.request("resources/read", json!({ "uri": "doc://public" })).await;
    assert_eq!((reply.status(), reply.error_code()), (200, Some(-32002)));
    for (status, code, told) in
        [(404, -32601, -32601), (400, -32020, -32603), (400, -32022, -32603), (400, -7, -7)]
    {
        story.upstream.on_tool("track_parcel", answer(status, code, &json!({})));
        let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
        assert_eq!((reply.status(), reply.error_code()), (200, Some(told)), "{code}");
    }
    story.upstream.on_tool("track_parcel", answer(400, -32021, &json!({})));
    let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
    assert_eq!((reply.status(), &reply.result()["isError"]), (200, &json!(true)));
    story.upstream.on_tool("track_parcel", |_| {
        Answer::Result(json!({ "resultType": "task", "task": { "taskId": "t" } }))
    });
    let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
    assert_eq!(reply.error_code(), Some(-32603), "{}", reply.http.text());
}

#[tokio::test]
async fn progress_is_told_under_the_clients_own_token() {
    let story = start().await;
    story.upstream.on_tool("track_parcel", |received| {
        let token = received.params()["_meta"]["progressToken"].clone();
        let progress = |token: &Value, words: &str| {
            json!({ "jsonrpc": "2.0", "method": "notifications/progress",
                    "params": { "progressToken": token, "progress": 1, "message": words } })
        };
        let told = vec![progress(&token, "half"), progress(&json!(7), "evil")];
        Answer::Events(told, Box::new(Answer::text("done")))
    });
    let rita = story.connect("rita", Era::Legacy).await;
    let call = json!({ "name": "track_parcel", "arguments": { "parcel": "p" },
                       "_meta": { "progressToken": 7 } });
    let reply = rita.request("tools/call", call).await;
    assert!(reply.is_done(), "{}", reply.http.text());
    assert_eq!(reply.before.len(), 1, "{}", reply.http.text());
    let told = &reply.before[0]["params"];
    assert_eq!((&told["progressToken"], &told["message"]), (&json!(7), &json!("half")));
    let upstream = story.upstream.calls("track_parcel").pop().expect("a call");
    assert_ne!(upstream.params()["_meta"]["progressToken"], 7);
}

#[tokio::test]
async fn the_level_of_a_session_goes_with_its_requests_alone() {
    let story = start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    let other = story.connect("rita", Era::Legacy).await;
    let set = |level: &str| json!({ "level": level });
    assert_eq!(rita.request("logging/setLevel", set("loud")).await.error_code(), Some(-32602));
    let reply = rita.request("logging/setLevel", set("warning")).await;
    assert_eq!(reply.result(), &json!({}), "{}", reply.http.text());
    for (mcp, level) in [(&rita, json!("warning")), (&other, Value::Null)] {
        assert!(mcp.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
        let call = story.upstream.calls("track_parcel").pop().expect("a call");
        assert_eq!(call.params()["_meta"]["io.modelcontextprotocol/logLevel"], level);
    }
    assert!(story.upstream.requests("logging/setLevel").is_empty());
}

#[tokio::test]
async fn a_call_that_is_called_off_or_left_alone_is_not_waited_for() {
    let story = start().await;
    let rita = Arc::new(story.connect("rita", Era::Legacy).await);
    let ron = story.connect("ron", Era::Legacy).await;
    story.upstream.on_tool("track_parcel", |_| Answer::Hang);
    let message = rita
        .message("tools/call", json!({ "name": "track_parcel", "arguments": { "parcel": "p" } }));
    let id = message["id"].clone();
    let waiting = {
        let rita = Arc::clone(&rita);
        tokio::spawn(async move { rita.send(&message).await })
    };
    assert!(story.upstream.until(|upstream| upstream.under_way() == 1).await);
    let off = json!({ "requestId": id });
    assert_eq!(ron.notify("notifications/cancelled", off.clone()).await.status(), 202);
    tokio::time::sleep(QUIET).await;
    assert_eq!(story.upstream.under_way(), 1, "another's word ends nothing");
    assert_eq!(rita.notify("notifications/cancelled", off).await.status(), 202);
    assert!(story.upstream.until(|upstream| upstream.under_way() == 0).await);
    let reply = waiting.await.expect("an answer");
    assert_eq!(reply.error_code(), Some(-32603), "{}", reply.http.text());
    // A stream that its client leaves is called off, too.
    story.upstream.on_tool("track_parcel", |_| {
        let said = json!({ "jsonrpc": "2.0", "method": "notifications/message",
                           "params": { "level": "info", "data": "x" } });
        Answer::Events(vec![said], Box::new(Answer::Hang))
    });
    let call = json!({ "name": "track_parcel", "arguments": { "parcel": "p" } });
    let mut stream = rita.stream("tools/call", call).await;
    stream.next(SOON).await.message();
    drop(stream);
    let gone = until(|| async {
        let records = story.records().await;
        let cancelled = |record: &Value| record["outcome"] == "cancelled";
        records.iter().any(cancelled)
    });
    assert!(gone.await, "the call of a client that went away did not end");
}

#[tokio::test]
async fn news_of_what_a_session_follows_reach_its_stream() {
    const UPDATED: &str = "notifications/resources/updated";
    let story = start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    let mut stream = rita.listen(&["doc://public"]).await;
    assert!(followed(&story, &["doc://public"]).await, "{:?}", asked_for(&story));
    let refused = rita.request("resources/subscribe", json!({ "uri": "doc://secret" })).await;
    assert!(refused.error_code().is_some(), "{}", refused.http.text());
    story.upstream.notify(UPDATED, &json!({ "uri": "doc://secret" }));
    story.upstream.notify(UPDATED, &json!({ "uri": "doc://customer/1001" }));
    story.upstream.notify(UPDATED, &json!({ "uri": "doc://public" }));
    let news = stream.next_of(UPDATED, SOON).await.message();
    assert_eq!(news["params"], json!({ "uri": "doc://public" }), "without the server's own tag");
    assert!(
        rita.request("resources/subscribe", json!({ "uri": "doc://customer/1001" }))
            .await
            .error_code()
            .is_none()
    );
    assert!(
        followed(&story, &["doc://customer/1001", "doc://public"]).await,
        "{:?}",
        asked_for(&story)
    );
    assert!(
        story.upstream.until(|upstream| upstream.open_streams() == 1).await,
        "one stream for all"
    );
    story.upstream.notify(UPDATED, &json!({ "uri": "doc://customer/1001" }));
    let news = stream.next_of(UPDATED, SOON).await.message();
    assert_eq!(news["params"]["uri"], "doc://customer/1001");
    assert!(
        rita.request("resources/unsubscribe", json!({ "uri": "doc://public" }))
            .await
            .error_code()
            .is_none()
    );
    assert!(followed(&story, &["doc://customer/1001"]).await, "{:?}", asked_for(&story));
    story.upstream.notify("notifications/tools/list_changed", &json!({}));
    let news = stream.next_of("notifications/tools/list_changed", SOON).await;
    assert!(matches!(news, Next::Message(_)), "{news:?}");
    assert!(!stream.seen().contains("subscriptionId") && !stream.seen().contains("secret"));
    drop(stream);
    assert!(story.upstream.until(|upstream| upstream.open_streams() == 0).await);
}

#[tokio::test]
async fn a_server_of_both_eras_is_spoken_to_in_the_clients_own() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    assert!(rita.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
    let call = story.upstream.calls("track_parcel").pop().expect("a call");
    assert!(!call.is_modern() && call.header("mcp-session-id").is_some());
}

#[tokio::test]
async fn the_configuration_can_say_what_a_server_speaks() {
    let story = Story::start_with(|deployment| {
        deployment.config["servers"]["deliveries"]["era"] = json!("modern");
    })
    .await;
    let rita = story.connect("rita", Era::Legacy).await;
    assert!(rita.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
    assert!(story.upstream.calls("track_parcel").pop().expect("a call").is_modern());
    assert_eq!(story.upstream.requests("server/discover").len(), 1, "nobody had to ask");
}

#[tokio::test]
async fn sessions_of_others_are_none() {
    let story = start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    let ron = story.connect("ron", Era::Legacy).await.with_session(rita.session());
    assert_eq!(status(&ron).await, 404);
    assert_eq!(status(&rita).await, 200);
    let again = Arc::new(Notify::new());
    let signal = Arc::clone(&again);
    story.upstream.on_tool("track_parcel", move |_| {
        Answer::When(Arc::clone(&signal), Box::new(Answer::text("done")))
    });
    let message = rita
        .message("tools/call", json!({ "name": "track_parcel", "arguments": { "parcel": "p" } }));
    let rita = Arc::new(rita);
    let first = {
        let (rita, message) = (Arc::clone(&rita), message.clone());
        tokio::spawn(async move { rita.send(&message).await })
    };
    assert!(story.upstream.until(|upstream| upstream.under_way() == 1).await);
    let twin = rita.send(&message).await;
    assert_eq!(twin.error_code(), Some(-32603), "an id that is under way: {}", twin.http.text());
    again.notify_one();
    assert!(first.await.expect("an answer").is_done());
}

async fn status(mcp: &Mcp) -> u16 {
    mcp.call("track_parcel", json!({ "parcel": "p" })).await.status()
}

/// Whether the server is asked for news of these alone in the end.
async fn followed(story: &Story, uris: &[&str]) -> bool {
    story.upstream.until(|_| asked_for(story) == json!(uris)).await
}

fn asked_for(story: &Story) -> Value {
    let asked = story.upstream.requests("subscriptions/listen").pop();
    asked.map_or(Value::Null, |asked| {
        asked.params()["notifications"]["resourceSubscriptions"].clone()
    })
}
