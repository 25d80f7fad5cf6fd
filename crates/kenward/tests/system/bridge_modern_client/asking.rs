//! What a server asks on the stream of a call comes as a result that requires input, and its state
//! is good for one answer, to one call, of one party.

use std::sync::Arc;

use kenward_testkit::{Answer, Era, Mcp, Reply};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::legacy_story;
use crate::Story;

const PERMIT: &str = "permit (principal in Group::\"representatives\", \
                      action == Mcp::Action::\"elicitation/create\", \
                      resource == Mcp::Server::\"deliveries\");";

/// A story in which `track_parcel` asks, waits for the signal, and is done.
async fn asking() -> (Story, Arc<Notify>) {
    let story = legacy_story(|deployment| deployment.add_policies(PERMIT)).await;
    let signal = Arc::new(Notify::new());
    let waiting = Arc::clone(&signal);
    story.upstream.on_tool("track_parcel", move |_| {
        let then = Answer::When(Arc::clone(&waiting), Box::new(Answer::text("done")));
        Answer::Events(vec![elicitation("s1")], Box::new(then))
    });
    (story, signal)
}

fn elicitation(id: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": {
        "message": "Which door?", "_meta": { "x": 1 },
        "requestedSchema": { "type": "object", "properties": { "ok": { "type": "boolean" } } },
    } })
}

fn call(mcp: &Mcp, capabilities: &Value, arguments: &Value) -> Value {
    let mut message =
        mcp.message("tools/call", json!({ "name": "track_parcel", "arguments": arguments }));
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
    message
}

fn parcel() -> Value {
    json!({ "parcel": "p" })
}

async fn ask(mcp: &Mcp) -> Reply {
    mcp.send(&call(mcp, &json!({ "elicitation": {} }), &parcel())).await
}

fn state_of(asked: &Reply) -> String {
    assert_eq!(asked.result()["resultType"], "input_required", "{}", asked.http.text());
    asked.result()["requestState"].as_str().expect("a state").to_owned()
}

/// The same call again with an answer.
fn retry(mcp: &Mcp, state: &str, arguments: &Value) -> Value {
    let mut message = call(mcp, &json!({ "elicitation": {} }), arguments);
    message["params"]["requestState"] = json!(state);
    message["params"]["inputResponses"] =
        json!({ "input": { "action": "accept", "content": { "ok": true } } });
    message
}

/// The answers of clients that reached the server.
fn answers(story: &Story) -> Vec<Value> {
    let all = story.upstream.received().into_iter().map(|received| received.json());
    all.filter(|message| message.get("result").is_some()).collect()
}

#[tokio::test]
async fn a_question_becomes_required_input_and_the_call_goes_on_with_the_answer() {
    let (story, signal) = asking().await;
    let rita = story.connect("rita", Era::Modern).await;
    let asked = ask(&rita).await;
    let question = &asked.result()["inputRequests"]["input"];
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Which door?");
    assert!(question["params"].get("_meta").is_none());
    let declared = story.upstream.requests("initialize").pop().expect("a handshake").params();
    assert_eq!(declared["capabilities"], json!({ "elicitation": { "form": {} } }));
    let state = state_of(&asked);
    let going = async {
        assert!(story.upstream.until(|_| !answers(&story).is_empty()).await);
        signal.notify_one();
    };
    let again = retry(&rita, &state, &parcel());
    let (done, ()) = tokio::join!(rita.send(&again), going);
    assert_eq!(done.text(), "done", "{}", done.http.text());
    assert_eq!(done.message["id"], again["id"]);
    assert_eq!(done.result()["resultType"], "complete");
    let answer = answers(&story).pop().expect("the answer");
    assert_eq!((&answer["id"], &answer["result"]["content"]["ok"]), (&json!("s1"), &json!(true)));
    assert_eq!(story.upstream.calls("track_parcel").len(), 1, "the call itself is made once");
    let replayed = rita.send(&retry(&rita, &state, &parcel())).await;
    assert_eq!(replayed.error_code(), Some(-32602), "{}", replayed.http.text());
    assert_eq!(answers(&story).len(), 1);
    assert_eq!(story.decisions("track_parcel", "allow").await.len(), 3, "each is a decision");
}

#[tokio::test]
async fn a_state_is_good_for_nothing_else() {
    let (story, _signal) = asking().await;
    let rita = story.connect("rita", Era::Modern).await;
    let state = state_of(&ask(&rita).await);
    let ron = story.connect("ron", Era::Modern).await;
    let middle = state.len() / 2;
    let mut tampered = state.clone().into_bytes();
    tampered[middle] = if tampered[middle] == b'A' { b'B' } else { b'A' };
    let tampered = String::from_utf8(tampered).expect("text");
    let mut elsewhere = retry(&rita, &state, &json!({ "amount": 1 }));
    elsewhere["params"]["name"] = json!("set_limit");
    let mut unanswered = retry(&rita, &state, &parcel());
    unanswered["params"]["inputResponses"] = json!({ "another": { "action": "accept" } });
    let mut no_text = retry(&rita, &state, &parcel());
    no_text["params"]["requestState"] = json!(7);
    for (who, message, what) in [
        (&ron, retry(&ron, &state, &parcel()), "another's"),
        (&rita, retry(&rita, &tampered, &parcel()), "tampered"),
        (&rita, retry(&rita, &state, &json!({ "parcel": "q" })), "other arguments"),
        (&rita, elsewhere, "another tool"),
        (&rita, retry(&rita, "opaque", &parcel()), "made up"),
        (&rita, unanswered, "no answer"),
        (&rita, no_text, "no text"),
    ] {
        let reply = who.send(&message).await;
        assert_eq!(reply.error_code(), Some(-32602), "{what}: {}", reply.http.text());
        assert!(answers(&story).is_empty(), "{what} reached the server");
    }
    assert_eq!(story.upstream.calls("track_parcel").len(), 1);
    assert!(story.upstream.calls("set_limit").is_empty());
}

#[tokio::test]
async fn the_retry_is_decided_anew() {
    let (story, _signal) = asking().await;
    let rita = story.connect("rita", Era::Modern).await;
    let state = state_of(&ask(&rita).await);
    story.gateway.deployment().add_policies(
        "forbid (principal, action == Mcp::Action::\"deliveries/track_parcel\", resource);",
    );
    let tool = "track_parcel".to_owned();
    let refused = crate::until(|| async { !rita.tools().await.contains(&tool) });
    assert!(refused.await);
    let reply = rita.send(&retry(&rita, &state, &parcel())).await;
    assert!(!reply.is_done(), "{}", reply.http.text());
    assert!(answers(&story).is_empty(), "an answer without a right reached the server");
}

#[tokio::test]
async fn nothing_is_asked_that_was_not_declared_or_permitted() {
    let (story, signal) = asking().await;
    let rita = story.connect("rita", Era::Modern).await;
    signal.notify_one();
    let silent = rita.send(&call(&rita, &json!({}), &parcel())).await;
    assert_eq!(silent.text(), "done", "{}", silent.http.text());
    assert!(!silent.http.text().contains("Which door"));
    let told = |story: &Story| {
        let all = story.upstream.received().into_iter().map(|received| received.json());
        all.filter(|message| message["error"]["code"] == -32601).count()
    };
    assert!(story.upstream.until(|_| told(&story) == 1).await, "the server hears no");
    let (bare, signal) = (legacy_story(|_| {}).await, Arc::new(Notify::new()));
    let waiting = Arc::clone(&signal);
    bare.upstream.on_tool("track_parcel", move |_| {
        let then = Answer::When(Arc::clone(&waiting), Box::new(Answer::text("done")));
        Answer::Events(vec![elicitation("s1")], Box::new(then))
    });
    signal.notify_one();
    let rita = bare.connect("rita", Era::Modern).await;
    let unpermitted = ask(&rita).await;
    assert_eq!(unpermitted.text(), "done", "{}", unpermitted.http.text());
    let declared = bare.upstream.requests("initialize").pop().expect("a handshake").params();
    assert_eq!(declared["capabilities"], json!({}));
}

#[tokio::test]
async fn a_page_to_visit_first_becomes_required_input() {
    let story = legacy_story(|deployment| deployment.add_policies(PERMIT)).await;
    let visited = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_visited = Arc::clone(&visited);
    story.upstream.on_tool("track_parcel", move |received| {
        if is_visited.load(std::sync::atomic::Ordering::SeqCst) {
            return Answer::text("done");
        }
        let page = json!({ "mode": "url", "elicitationId": "e", "message": "Sign in", "url": "https://a.example/in" });
        let error = json!({ "jsonrpc": "2.0", "id": received.json()["id"], "error": {
            "code": -32042, "message": "sign in first", "data": { "elicitations": [page] } } });
        Answer::Raw(200, "application/json", error.to_string().into())
    });
    let rita = story.connect("rita", Era::Modern).await;
    let cannot = ask(&rita).await;
    assert_eq!(
        (cannot.status(), cannot.error_code()),
        (400, Some(-32021)),
        "{}",
        cannot.http.text()
    );
    let able = json!({ "elicitation": { "form": {}, "url": {} } });
    let asked = rita.send(&call(&rita, &able, &parcel())).await;
    let question = &asked.result()["inputRequests"]["input"];
    assert_eq!(
        question["params"],
        json!({ "mode": "url", "message": "Sign in", "url": "https://a.example/in" })
    );
    let state = state_of(&asked);
    visited.store(true, std::sync::atomic::Ordering::SeqCst);
    let done = rita.send(&retry(&rita, &state, &parcel())).await;
    assert_eq!(done.text(), "done", "{}", done.http.text());
    let replayed = rita.send(&retry(&rita, &state, &parcel())).await;
    assert_eq!(replayed.error_code(), Some(-32602), "{}", replayed.http.text());
}

#[tokio::test]
async fn a_ping_of_the_server_is_answered_here() {
    let story = legacy_story(|_| {}).await;
    story.upstream.on_tool("track_parcel", |_| {
        let ping = json!({ "jsonrpc": "2.0", "id": "alive?", "method": "ping" });
        Answer::Events(vec![ping], Box::new(Answer::text("done")))
    });
    let rita = story.connect("rita", Era::Modern).await;
    let reply = rita.call("track_parcel", parcel()).await;
    assert!(!reply.http.text().contains("ping"), "{}", reply.http.text());
    assert!(story.upstream.until(|_| !answers(&story).is_empty()).await);
    assert_eq!(answers(&story)[0]["id"], "alive?");
}
