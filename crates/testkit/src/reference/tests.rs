//! Attacks on the reference server: what the suite does not try, and what only one era may do.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Eras, Reference};
use crate::{Client, Era, Mcp, Next};

const SOON: Duration = Duration::from_secs(5);
const TASKS: &str = "io.modelcontextprotocol/tasks";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

fn client(server: &Reference, era: Era) -> Mcp {
    Mcp::new(server.url(), "/mcp", None, era)
}

/// A request of a modern client that can be asked everything and takes tasks.
async fn ask(mcp: &Mcp, method: &str, params: Value) -> Value {
    let mut message = mcp.message(method, params);
    message["params"]["_meta"][CAPABILITIES] = json!({
        "elicitation": {}, "sampling": {}, "roots": {}, "extensions": { TASKS: {} },
    });
    let mut headers = mcp.headers(&message);
    if let Some(id) = message["params"]["taskId"].as_str().filter(|_| method.starts_with("tasks/"))
    {
        headers.retain(|(name, _)| name != "mcp-name");
        headers.push(("mcp-name".to_owned(), id.to_owned()));
    }
    mcp.post(&headers, message.to_string()).await.message
}

#[tokio::test]
async fn a_server_of_one_era_refuses_the_other() {
    let modern = Reference::start(Eras::Modern).await;
    let reply = client(&modern, Era::Legacy).handshake(&json!({})).await;
    assert_eq!((reply.status(), reply.error_code()), (400, Some(-32022)));
    assert_eq!(reply.message["error"]["data"]["supported"], json!(["2026-07-28"]));
    let got = Client::new(modern.url()).get("/mcp", &[("accept", "text/event-stream")]).await;
    assert_eq!(got.status, 405);

    let legacy = Reference::start(Eras::Legacy).await;
    let reply = client(&legacy, Era::Modern).request("tools/list", json!({})).await;
    assert_eq!((reply.status(), reply.error_code()), (400, Some(-32000)));
}

#[tokio::test]
async fn another_host_or_origin_is_refused() {
    let server = Reference::start(Eras::Dual).await;
    let mcp = client(&server, Era::Modern);
    let message = mcp.message("tools/list", json!({}));
    for (name, value) in [
        ("host", "evil.example.com"),
        ("host", "127.0.0.1.evil.example.com"),
        ("origin", "http://evil.example.com"),
        ("origin", "null"),
        ("origin", "http://localhost.evil.example.com:80"),
    ] {
        let mut headers = mcp.headers(&message);
        headers.push((name.to_owned(), value.to_owned()));
        let reply = mcp.post(&headers, message.to_string()).await;
        assert_eq!(reply.status(), 403, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_session_ends_with_its_deletion_and_is_nobody_elses() {
    let server = Reference::start(Eras::Dual).await;
    let mut mcp = client(&server, Era::Legacy);
    mcp.handshake(&json!({})).await;
    assert_eq!(mcp.request("ping", json!({})).await.result(), &json!({}));
    let mut stream = mcp.listen(&[]).await;
    assert_eq!(mcp.end().await.status, 200);
    let (_, end) = stream.rest(SOON).await;
    assert_eq!(end, Next::End);
    assert_eq!(mcp.request("ping", json!({})).await.status(), 404);
    let mcp = mcp.with_session(Some("0123456789abcdef0123456789abcdef"));
    assert_eq!(mcp.request("ping", json!({})).await.status(), 404);
    let mcp = mcp.with_session(None);
    assert_eq!(mcp.request("ping", json!({})).await.status(), 400);
}

#[tokio::test]
async fn a_state_is_good_for_its_own_call_alone() {
    let server = Reference::start(Eras::Dual).await;
    let mcp = client(&server, Era::Modern);
    let call = |tool: &str, state: Option<&Value>| {
        let answer = json!({ "action": "accept", "content": { "ok": true } });
        let mut params = json!({ "name": tool, "arguments": {} });
        if let Some(state) = state {
            params["inputResponses"] = json!({ "confirm": answer });
            params["requestState"] = state.clone();
        }
        params
    };
    let (own, other) =
        ("test_input_required_result_request_state", "test_input_required_result_tampered_state");
    let first = ask(&mcp, "tools/call", call(own, None)).await;
    let state = first["result"]["requestState"].clone();
    let elsewhere = ask(&mcp, "tools/call", call(other, Some(&state))).await;
    assert_eq!(elsewhere["error"]["code"], -32602, "{elsewhere}");
    let text = state.as_str().expect("a state");
    for forged in [format!("{text}x"), text.replacen('W', "X", 1), format!("x{text}")] {
        let refused = ask(&mcp, "tools/call", call(own, Some(&json!(forged)))).await;
        assert_eq!(refused["error"]["code"], -32602, "{forged}: {refused}");
    }
    let done = ask(&mcp, "tools/call", call(own, Some(&state))).await;
    assert_eq!(done["result"]["content"][0]["text"], "state-ok", "{done}");
}

#[tokio::test]
async fn a_lost_stream_is_resumed_with_what_came_after() {
    let server = Reference::start(Eras::Dual).await;
    let mut mcp = client(&server, Era::Legacy);
    mcp.handshake(&json!({})).await;
    let params = json!({ "name": "test_reconnection", "arguments": {} });
    let mut stream = mcp.stream("tools/call", params).await;
    let (messages, end) = stream.rest(SOON).await;
    assert_eq!((messages, end), (vec![], Next::End));
    let seen = stream.seen();
    let last =
        seen.lines().find_map(|line| line.strip_prefix("id: ")).expect("an event with an id");
    let session = mcp.session().expect("a session").to_owned();
    let resume = async |last: &str| {
        let headers = [("mcp-session-id", session.as_str()), ("last-event-id", last)];
        Client::new(server.url()).get("/mcp", &headers).await
    };
    let rest = resume(last).await.text();
    assert!(rest.contains("Came back for the result."), "{rest}");
    assert_eq!(resume("99-1").await.status, 400);
}

#[tokio::test]
async fn a_subscription_hears_what_it_asked_for_and_nothing_else() {
    let server = Reference::start(Eras::Dual).await;
    let mcp = client(&server, Era::Modern);
    let wanted = json!({ "promptsListChanged": true, "resourceSubscriptions": ["test://a"] });
    let mut stream = mcp.stream("subscriptions/listen", json!({ "notifications": wanted })).await;
    let first = stream.next(SOON).await.message();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(first["params"]["notifications"], wanted);
    mcp.call("test_trigger_tool_change", json!({})).await;
    mcp.call("test_trigger_resource_update", json!({ "uri": "test://b" })).await;
    mcp.call("test_trigger_resource_update", json!({ "uri": "test://a" })).await;
    mcp.call("test_trigger_prompt_change", json!({})).await;
    let heard = stream.next(SOON).await.message();
    assert_eq!(heard["params"]["uri"], "test://a", "{heard}");
    let heard = stream.next(SOON).await.message();
    assert_eq!(heard["method"], "notifications/prompts/list_changed", "{heard}");
}

#[tokio::test]
async fn a_task_tells_of_itself_and_is_known_by_its_id_alone() {
    let server = Reference::start(Eras::Dual).await;
    let mcp = client(&server, Era::Modern);
    let call = json!({ "name": "slow_compute", "arguments": { "seconds": 0.2, "label": "x" } });
    let created = ask(&mcp, "tools/call", call).await;
    assert_eq!(created["result"]["resultType"], "task", "{created}");
    let id = created["result"]["taskId"].as_str().expect("an id").to_owned();
    let message = {
        let wanted = json!({ "notifications": { "taskIds": [id] } });
        let mut message = mcp.message("subscriptions/listen", wanted);
        message["params"]["_meta"][CAPABILITIES] = json!({ "extensions": { TASKS: {} } });
        message
    };
    let headers = mcp.headers(&message);
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let opened = mcp.http().open("POST", "/mcp", &headers, message.to_string()).await;
    let mut stream = crate::EventStream::of(opened);
    stream.next(SOON).await.message();
    let told = stream.next(SOON).await.message();
    assert_eq!(told["method"], "notifications/tasks", "{told}");
    assert_eq!(told["params"]["status"], "completed", "{told}");
    let unknown = ask(&mcp, "tasks/get", json!({ "taskId": "another" })).await;
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
}

#[tokio::test]
async fn a_header_that_does_not_say_what_its_argument_says_is_refused() {
    let server = Reference::start(Eras::Dual).await;
    let mcp = client(&server, Era::Modern);
    let params = json!({ "name": "test_headers_and_numbers", "arguments": { "shard": 42 } });
    let message = mcp.message("tools/call", params);
    for (value, status) in [(Some("42"), 200), (Some("042"), 200), (Some("43"), 400), (None, 400)] {
        let mut headers = mcp.headers(&message);
        headers.extend(value.map(|value| ("mcp-param-shard".to_owned(), value.to_owned())));
        let reply = mcp.post(&headers, message.to_string()).await;
        assert_eq!(reply.status(), status, "{value:?}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn a_legacy_client_is_asked_on_its_stream() {
    let server = Reference::start(Eras::Legacy).await;
    let mut mcp = client(&server, Era::Legacy);
    mcp.handshake(&json!({ "elicitation": {} })).await;
    let params = json!({ "name": "test_input_required_result_multi_round", "arguments": {} });
    let mut stream = mcp.stream("tools/call", params).await;
    for (field, value) in [("name", "Ada"), ("color", "blue")] {
        let question = stream.next(SOON).await.message();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let result = json!({ "action": "accept", "content": { field: value } });
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result });
        assert_eq!(mcp.send(&answer).await.status(), 202);
    }
    let done = stream.next(SOON).await.message();
    assert!(done.to_string().contains("likes"), "{done}");
    let lacking = mcp.call("test_sampling", json!({ "prompt": "p" })).await;
    assert_eq!(lacking.result()["isError"], true, "{}", lacking.http.text());
}
