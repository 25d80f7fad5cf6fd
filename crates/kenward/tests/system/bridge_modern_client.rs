//! Promise: a client of 2026-07-28 before a server that knows nothing of it is served and guarded as
//! before any other server.

mod asking;
mod news;
mod processes;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kenward_testkit::{Answer, Era, Mcp, Received, Reply, Upstream};
use serde_json::{Value, json};

use crate::{SOON, Story};

/// The story before a server that speaks 2025-11-25 alone.
pub(crate) async fn legacy_story(change: impl FnOnce(&mut kenward_testkit::Deployment)) -> Story {
    let issuer = kenward_testkit::Issuer::start().await;
    let upstream = Upstream::start().await;
    upstream.be_legacy_only();
    let mut deployment = kenward_testkit::Deployment::deliveries(&issuer, &upstream);
    change(&mut deployment);
    let gateway = kenward_testkit::Gateway::start(crate::KENWARD, deployment).await;
    Story { issuer, upstream, gateway }
}

async fn rita_before_legacy() -> (Story, Mcp) {
    let story = legacy_story(|_| {}).await;
    let rita = story.connect("rita", Era::Modern).await;
    (story, rita)
}

/// The sessions in which messages of this method reached the server.
fn sessions(upstream: &Upstream, method: &str) -> Vec<String> {
    let session = |received: Received| received.header("mcp-session-id").map(str::to_owned);
    upstream.requests(method).into_iter().filter_map(session).collect()
}

fn of_its_era(reply: &Reply) {
    let result = reply.result();
    assert_eq!(result["resultType"], "complete", "{}", reply.http.text());
    let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "scripted", "{}", reply.http.text());
}

#[tokio::test]
async fn the_server_is_discovered_from_its_handshake() {
    let (story, rita) = rita_before_legacy().await;
    let reply = rita.request("server/discover", json!({})).await;
    of_its_era(&reply);
    let result = reply.result();
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(result["instructions"], "Use the tools.");
    assert_eq!(result["capabilities"]["resources"]["subscribe"], true);
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")));
    assert!(!reply.http.headers.contains_key("mcp-session-id"));
    rita.request("server/discover", json!({})).await;
    assert_eq!(story.upstream.requests("initialize").len(), 1);
    assert_eq!(story.upstream.requests("notifications/initialized").len(), 1);
}

#[tokio::test]
async fn lists_are_cut_and_of_their_era() {
    // What the server lists changes on the way.
    let live = |deployment: &mut kenward_testkit::Deployment| {
        deployment.config["servers"]["deliveries"]["definitions"] = json!("live");
    };
    let story = legacy_story(live).await;
    let rita = story.connect("rita", Era::Modern).await;
    let reply = rita.request("tools/list", json!({})).await;
    assert_eq!(reply.result()["resultType"], "complete", "{}", reply.http.text());
    let result = reply.result();
    assert_eq!(result["cacheScope"], "private");
    assert!(result["ttlMs"].as_u64().is_some_and(|ttl| ttl <= 1_000), "{result}");
    let tools = reply.names("tools", "name");
    assert!(tools.contains(&"track_parcel".to_owned()), "{tools:?}");
    assert!(!tools.contains(&"purge_records".to_owned()), "{tools:?}");
    for (method, list, key, seen) in [
        ("prompts/list", "prompts", "name", vec!["greeting"]),
        ("resources/list", "resources", "uri", vec!["doc://public", "doc://customer/1001"]),
        (
            "resources/templates/list",
            "resourceTemplates",
            "uriTemplate",
            vec!["doc://customer/{id}"],
        ),
    ] {
        let reply = rita.request(method, json!({})).await;
        assert_eq!(reply.result()["resultType"], "complete", "{}", reply.http.text());
        assert_eq!(reply.names(list, key), seen, "{method}");
    }
    story.upstream.set_tools(vec![
        json!({ "name": "track_parcel", "inputSchema": { "type": "object" }, "execution": { "taskSupport": "required" } }),
        json!({ "name": "set_limit", "inputSchema": { "type": "object" } }),
    ]);
    assert_eq!(rita.tools().await, ["set_limit"], "a tool that is a task alone cannot be called");
}

#[tokio::test]
async fn a_call_is_said_in_the_servers_era_and_its_answer_in_the_clients() {
    let (story, rita) = rita_before_legacy().await;
    let reply = rita.call("track_parcel", json!({ "parcel": "p", "n": 1.5 })).await;
    of_its_era(&reply);
    assert!(reply.text().contains("track_parcel did"), "{}", reply.http.text());
    let received = story.upstream.calls("track_parcel").pop().expect("a call");
    assert_eq!(received.params()["arguments"], json!({ "parcel": "p", "n": 1.5 }));
    assert!(!received.is_modern() && received.params().get("_meta").is_none());
    assert_eq!(received.header("mcp-protocol-version"), Some("2025-11-25"));
    assert_eq!(received.header("mcp-session-id"), Some("upstream-session-1"));
    assert!(received.header("mcp-method").is_none());
    assert!(received.header("txn-token").is_some(), "the grant crosses the bridge");
    assert!(!reply.http.text().contains("upstream-session"));
}

#[tokio::test]
async fn refusals_filtering_and_grants_are_the_same_across_the_bridge() {
    let (story, rita) = rita_before_legacy().await;
    let address = json!({ "street": "Main Street" });
    story.upstream.on_tool("get_customer_address", move |_| Answer::structured(&address));
    let refused = rita.call("get_customer_address", json!({ "customer_id": "4711" })).await;
    assert!(refused.is_refused(), "{}", refused.http.text());
    assert!(story.upstream.calls("get_customer_address").is_empty());
    let allowed = rita.call("get_customer_address", json!({ "customer_id": "1001" })).await;
    assert!(allowed.is_done(), "{}", allowed.http.text());
    let hidden = rita.call("no_such_tool", json!({})).await;
    assert_eq!(hidden.error_code(), Some(-32602), "{}", hidden.http.text());
    story.upstream.on_tool("list_customers", |_| {
        Answer::structured(&json!({ "customers": [
            { "id": "1001", "name": "Johnny Cash", "zip": "37201" },
            { "id": "4711", "name": "Taylor Swift", "zip": "37215" },
        ] }))
    });
    let listed = rita.call("list_customers", json!({})).await;
    let text = listed.http.text();
    assert!(text.contains("37201") && !text.contains("37215"), "{text}");
    let read = rita.request("resources/read", json!({ "uri": "doc://secret" })).await;
    assert!(read.message.get("result").is_none(), "{}", read.http.text());
    assert!(story.upstream.requests("resources/read").is_empty());
    let read = rita.request("resources/read", json!({ "uri": "doc://public" })).await;
    of_its_era(&read);
    assert_eq!(read.result()["cacheScope"], "private");
}

#[tokio::test]
async fn errors_have_the_codes_and_statuses_of_the_era() {
    let (story, rita) = rita_before_legacy().await;
    story.upstream.on("resources/read", |_| {
        let error = json!({ "jsonrpc": "2.0", "id": 999, "error": {
            "code": -32002, "message": "not here", "data": { "uri": "doc://public" } } });
        Answer::Raw(200, "application/json", error.to_string().into())
    });
    // Nobody asked under that id.
    let lost = rita.request("resources/read", json!({ "uri": "doc://public" })).await;
    assert_eq!(lost.error_code(), Some(-32603), "{}", lost.http.text());
    story.upstream.on("resources/read", |received| {
        let id = received.json()["id"].clone();
        let error = json!({ "jsonrpc": "2.0", "id": id, "error": {
            "code": -32002, "message": "not here", "data": { "uri": "doc://public" } } });
        Answer::Raw(200, "application/json", error.to_string().into())
    });
    let missing = rita.request("resources/read", json!({ "uri": "doc://public" })).await;
    assert_eq!(missing.error_code(), Some(-32602), "{}", missing.http.text());
    assert_eq!(missing.message["error"]["data"]["uri"], "doc://public");
    assert_eq!(missing.status(), 200);
    story
        .upstream
        .on("completion/complete", |_| Answer::Error(-32601, "no such method".to_owned()));
    let complete = json!({ "ref": { "type": "ref/prompt", "name": "greeting" }, "argument": { "name": "a", "value": "b" } });
    let unknown = rita.request("completion/complete", complete).await;
    assert_eq!(
        (unknown.status(), unknown.error_code()),
        (404, Some(-32601)),
        "{}",
        unknown.http.text()
    );
}

#[tokio::test]
async fn a_legacy_server_cannot_require_input_by_a_result() {
    let (story, rita) = rita_before_legacy().await;
    story.upstream.on_tool("track_parcel", |received| {
        let message = json!({ "jsonrpc": "2.0", "id": received.json()["id"], "result": {
            "resultType": "input_required", "requestState": "mine", "content": [],
        } });
        Answer::Raw(200, "application/json", message.to_string().into())
    });
    let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
    of_its_era(&reply);
}

#[tokio::test]
async fn progress_comes_under_the_clients_token_and_messages_only_when_wanted() {
    let (story, rita) = rita_before_legacy().await;
    story.upstream.on_tool("track_parcel", |received| {
        let token = received.params()["_meta"]["progressToken"].clone();
        let notify = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "method": method, "params": params });
        let events = vec![
            notify("notifications/progress", json!({ "progressToken": token, "progress": 1 })),
            notify("notifications/progress", json!({ "progressToken": "another's", "progress": 2 })),
            notify("notifications/message", json!({ "level": "warning", "data": "warned" })),
            notify("notifications/message", json!({ "level": "debug", "data": "babbled" })),
            notify("notifications/tools/list_changed", json!({})),
        ];
        Answer::Events(events, Box::new(Answer::text("done")))
    });
    let call =
        json!({ "name": "track_parcel", "arguments": {}, "_meta": { "progressToken": "mine" } });
    let reply = rita.request("tools/call", call.clone()).await;
    of_its_era(&reply);
    assert_eq!(reply.before.len(), 1, "{}", reply.http.text());
    assert_eq!(reply.before[0]["params"], json!({ "progressToken": "mine", "progress": 1 }));
    assert!(story.upstream.requests("logging/setLevel").is_empty());
    let mut wanting = call;
    wanting["_meta"]["io.modelcontextprotocol/logLevel"] = json!("info");
    let reply = rita.request("tools/call", wanting).await;
    let text = reply.http.text();
    assert!(text.contains("warned") && !text.contains("babbled"), "{text}");
    let levels = story.upstream.requests("logging/setLevel");
    assert_eq!(levels.len(), 1);
    assert_eq!(levels[0].params()["level"], "info");
}

#[tokio::test]
async fn a_client_that_goes_away_calls_its_request_off() {
    let (story, rita) = rita_before_legacy().await;
    story.upstream.on_tool("track_parcel", |received| {
        let token = received.params()["_meta"]["progressToken"].clone();
        let step = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progressToken": token, "progress": 1 } });
        Answer::Events(vec![step], Box::new(Answer::Hang))
    });
    let call = json!({ "name": "track_parcel", "arguments": {}, "_meta": { "progressToken": 1 } });
    let mut stream = rita.stream("tools/call", call).await;
    stream.next(SOON).await.message();
    drop(stream);
    let cancelled = |upstream: &Upstream| !upstream.requests("notifications/cancelled").is_empty();
    assert!(story.upstream.until(cancelled).await);
    let call = story.upstream.calls("track_parcel").pop().expect("a call");
    let cancelled = story.upstream.requests("notifications/cancelled").pop().expect("cancelled");
    assert_eq!(cancelled.params()["requestId"], call.json()["id"]);
    assert_eq!(cancelled.header("mcp-session-id"), call.header("mcp-session-id"));
}

#[tokio::test]
async fn nobody_shares_a_session_with_another() {
    let (story, rita) = rita_before_legacy().await;
    let ron = story.connect("ron", Era::Modern).await;
    for _ in 0..3 {
        // Both use the same id at the same time.
        let (first, second) = tokio::join!(
            rita.call("track_parcel", json!({ "whose": "rita" })),
            ron.call("track_parcel", json!({ "whose": "ron" })),
        );
        assert!(first.text().contains("rita") && second.text().contains("ron"));
    }
    let session_of = |whose: &str| {
        let calls = story.upstream.calls("track_parcel").into_iter();
        let theirs = calls.filter(|call| call.params()["arguments"]["whose"] == whose);
        let mut sessions: Vec<_> = theirs
            .map(|call| call.header("mcp-session-id").expect("a session").to_owned())
            .collect();
        sessions.dedup();
        sessions
    };
    let (ritas, rons) = (session_of("rita"), session_of("ron"));
    assert_eq!((ritas.len(), rons.len()), (1, 1));
    assert_ne!(ritas, rons);
    assert_eq!(story.upstream.requests("initialize").len(), 2);
}

#[tokio::test]
async fn requests_at_once_have_ids_of_their_own_in_the_session() {
    let (story, rita) = rita_before_legacy().await;
    let mut message =
        rita.message("tools/call", json!({ "name": "track_parcel", "arguments": { "n": 0 } }));
    let mut all = Vec::new();
    for number in 0..6 {
        message["id"] = json!("the same");
        message["params"]["arguments"]["n"] = json!(number);
        let (message, rita) = (message.clone(), &rita);
        all.push(Box::pin(async move { (number, rita.send(&message).await) }));
    }
    for (number, reply) in crate::together(all).await {
        assert_eq!(reply.message["id"], "the same");
        assert!(reply.text().contains(&format!(":{number}")), "{}", reply.http.text());
    }
    let calls = story.upstream.calls("track_parcel").into_iter();
    let mut ids: Vec<String> = calls.map(|call| call.json()["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
    assert_eq!(story.upstream.requests("initialize").len(), 1);
}

#[tokio::test]
async fn a_session_that_the_server_lost_is_opened_again_once() {
    let (story, rita) = rita_before_legacy().await;
    assert!(rita.call("track_parcel", json!({})).await.is_done());
    story.upstream.on_tool("track_parcel", |received| match received.header("mcp-session-id") {
        Some("upstream-session-1") => Answer::Raw(404, "text/plain", "gone".into()),
        _ => Answer::text("found"),
    });
    let reply = rita.call("track_parcel", json!({})).await;
    assert_eq!((reply.status(), reply.text().as_str()), (200, "found"), "{}", reply.http.text());
    assert_eq!(
        sessions(&story.upstream, "tools/call").last().map(String::as_str),
        Some("upstream-session-2")
    );
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    story.upstream.on_tool("track_parcel", move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Answer::Raw(404, "application/json", "{}".into())
    });
    let reply = rita.call("track_parcel", json!({})).await;
    assert_eq!(reply.error_code(), Some(-32603), "{}", reply.http.text());
    assert_eq!(tries.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_may_have_been_processed_is_not_sent_twice() {
    let (story, rita) = rita_before_legacy().await;
    story.upstream.on_tool("track_parcel", |_| Answer::Raw(500, "text/plain", "broken".into()));
    let reply = rita.call("track_parcel", json!({})).await;
    assert_eq!(reply.error_code(), Some(-32603), "{}", reply.http.text());
    assert_eq!(story.upstream.calls("track_parcel").len(), 1);
}

#[tokio::test]
async fn sessions_end_with_the_gateway() {
    let (story, rita) = rita_before_legacy().await;
    assert!(rita.call("track_parcel", json!({})).await.is_done());
    let Story { upstream, gateway, .. } = story;
    assert_eq!(gateway.stop().await.code, Some(0));
    let ended = upstream.received().into_iter().filter(|received| received.verb == "DELETE");
    let ended: Vec<_> =
        ended.filter_map(|end| end.header("mcp-session-id").map(str::to_owned)).collect();
    assert_eq!(ended, ["upstream-session-1"]);
}
