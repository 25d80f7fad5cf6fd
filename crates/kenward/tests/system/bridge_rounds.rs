//! Promise: what a server asks before it answers, a client with a session is asked, if policy lets
//! the question through; and each round is decided on its own.

use std::time::Duration;

use kenward_testkit::{Answer, Era, EventStream, Mcp, Next, Received};
use serde_json::{Value, json};

use crate::bridge_legacy_client::start_with;
use crate::{SOON, Story, grants};

const PERMIT: &str = "permit (principal in Group::\"representatives\", \
                      action in [Mcp::Action::\"elicitation/create\", Mcp::Action::\"roots/list\"], \
                      resource == Mcp::Server::\"deliveries\");";

#[tokio::test]
async fn a_question_is_asked_and_its_answer_goes_back_with_the_servers_state() {
    let story = start_with(|deployment| deployment.add_policies(PERMIT)).await;
    story.upstream.on_tool("track_parcel", |received| match answers(received) {
        None => ask(&[("q", elicitation()), ("r", json!({ "method": "roots/list" }))], "state-1"),
        Some(answers) => Answer::text(&answers.to_string()),
    });
    let rita = client(&story, &json!({ "elicitation": {}, "roots": {}, "sampling": {} })).await;
    let mut stream = call(&rita).await;
    let question = stream.next(SOON).await.message();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    assert_eq!(question["params"]["message"], "Which one?");
    let roots = stream.next(SOON).await.message();
    assert_eq!(roots["method"], "roots/list", "{roots}");

    let accept = json!({ "action": "accept", "content": { "ok": true } });
    let ron = story.connect("ron", Era::Legacy).await;
    assert!(ron.send(&response(&question, &accept)).await.status() >= 400, "another's session");
    let ron = ron.with_session(rita.session());
    assert_eq!(ron.send(&response(&question, &accept)).await.status(), 404, "another's name");
    let made_up = response(&json!({ "id": "kenward-1" }), &accept);
    assert!(rita.send(&made_up).await.status() >= 400, "an answer to no question");
    assert_eq!(story.upstream.calls("track_parcel").len(), 1, "nothing went on");

    assert_eq!(rita.send(&response(&question, &accept)).await.status(), 202);
    assert_eq!(rita.send(&response(&roots, &json!({ "roots": [] }))).await.status(), 202);
    let (rest, _) = stream.rest(SOON).await;
    let told = rest.last().expect("an answer");
    assert!(told.to_string().contains("accept"), "{rest:?}");
    assert!(rita.send(&response(&question, &accept)).await.status() >= 400, "the same again");

    let calls = story.upstream.calls("track_parcel");
    assert_eq!(calls.len(), 2);
    let (first, second) = (&calls[0], &calls[1]);
    let declared = &first.params()["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    assert_eq!(declared, &json!({ "elicitation": {}, "roots": {} }), "sampling is not permitted");
    assert_eq!(second.params()["requestState"], "state-1");
    assert_eq!(second.params()["inputResponses"], json!({ "q": accept, "r": { "roots": [] } }));
    assert_eq!(second.params()["arguments"], first.params()["arguments"]);
    assert_ne!(first.json()["id"], second.json()["id"]);
    let (one, two) =
        (grants::verified(&story, first).await, grants::verified(&story, second).await);
    assert_ne!(one["txn"], two["txn"], "each round has a grant of its own");
    let ids: Vec<Value> = story
        .decisions("track_parcel", "allow")
        .await
        .iter()
        .map(|record| record["id"].clone())
        .collect();
    assert_eq!(ids, [one["txn"].clone(), two["txn"].clone()], "each round is a decision");
}

#[tokio::test]
async fn what_was_not_permitted_or_not_declared_is_not_asked() {
    let story = start_with(|deployment| deployment.add_policies(PERMIT)).await;
    let all = json!({ "elicitation": {}, "sampling": {} });
    let sampling = json!({ "method": "sampling/createMessage", "params": { "messages": [] } });
    let page = |url: &str| {
        json!({ "method": "elicitation/create",
                "params": { "mode": "url", "url": url, "message": "Which one?" } })
    };
    for (declared, question) in [
        (&all, sampling),
        (&json!({}), elicitation()),
        (&all, json!({ "method": "tools/call", "params": { "name": "purge_records" } })),
        (&all, json!({ "method": "evil/method" })),
        (&all, page("https://example.com/")),
        (&json!({ "elicitation": { "url": {} } }), page("http://example.com/")),
        (&json!({ "elicitation": { "url": {} } }), page("javascript:alert(1)")),
    ] {
        story.upstream.forget();
        let also = elicitation();
        let words = question.to_string();
        story.upstream.on_tool("track_parcel", move |_| {
            ask(&[("a", question.clone()), ("b", also.clone())], "s")
        });
        let rita = client(&story, declared).await;
        let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
        assert_eq!(reply.error_code(), Some(-32603), "{words}: {}", reply.http.text());
        assert!(reply.before.is_empty(), "{words}: {}", reply.http.text());
        assert_eq!(story.upstream.calls("track_parcel").len(), 1, "{words}");
    }
}

#[tokio::test]
async fn a_person_is_led_to_a_page_that_is_protected() {
    let story = start_with(|deployment| deployment.add_policies(PERMIT)).await;
    story.upstream.on_tool("track_parcel", |received| match answers(received) {
        None => ask(
            &[(
                "q",
                json!({ "method": "elicitation/create", "params": {
                "mode": "url", "url": "https://example.com/pay", "message": "Pay." } }),
            )],
            "s",
        ),
        Some(_) => Answer::text("paid"),
    });
    let rita = client(&story, &json!({ "elicitation": { "form": {}, "url": {} } })).await;
    let mut stream = call(&rita).await;
    let question = stream.next(SOON).await.message();
    assert!(question["params"]["elicitationId"].as_str().is_some_and(|id| id.len() > 20));
    rita.send(&response(&question, &json!({ "action": "accept" }))).await;
    let (rest, _) = stream.rest(SOON).await;
    assert!(rest.last().expect("an answer").to_string().contains("paid"), "{rest:?}");
}

#[tokio::test]
async fn a_server_that_asks_without_end_is_stopped() {
    let story = start_with(|deployment| deployment.add_policies(PERMIT)).await;
    story.upstream.on_tool("track_parcel", |_| ask(&[("q", elicitation())], "again"));
    let rita = client(&story, &json!({ "elicitation": {} })).await;
    let mut stream = call(&rita).await;
    let last = loop {
        let message = stream.next(SOON).await.message();
        if message.get("method").is_none() {
            break message;
        }
        rita.send(&response(&message, &json!({ "action": "decline" }))).await;
    };
    assert_eq!(last["error"]["code"], -32603, "{last}");
    assert_eq!(story.upstream.calls("track_parcel").len(), 9);
}

#[tokio::test]
async fn a_round_that_asks_for_nothing_is_simply_made() {
    let story = start_with(|_| {}).await;
    story.upstream.on_tool("track_parcel", |received| {
        match received.params()["requestState"].as_str() {
            Some("ready") => Answer::text("done"),
            _ => Answer::Result(json!({ "resultType": "input_required", "requestState": "ready" })),
        }
    });
    let rita = client(&story, &json!({})).await;
    let reply = rita.call("track_parcel", json!({ "parcel": "p" })).await;
    assert!(reply.is_done(), "{}", reply.http.text());
    assert_eq!(story.upstream.calls("track_parcel").len(), 2);
}

#[tokio::test]
async fn a_state_that_a_client_makes_up_does_not_reach_the_server() {
    let story = start_with(|_| {}).await;
    let rita = client(&story, &json!({})).await;
    let call = json!({ "name": "track_parcel", "arguments": { "parcel": "p" },
        "requestState": "forged", "inputResponses": { "q": { "action": "accept" } },
        "_meta": { "io.modelcontextprotocol/clientCapabilities": { "sampling": {} } } });
    let reply = rita.request("tools/call", call).await;
    assert!(reply.is_done(), "{}", reply.http.text());
    let params = story.upstream.calls("track_parcel").pop().expect("a call").params();
    assert!(params.get("requestState").is_none() && params.get("inputResponses").is_none());
    assert_eq!(params["_meta"]["io.modelcontextprotocol/clientCapabilities"], json!({}));
}

#[tokio::test]
async fn a_right_that_is_lost_between_two_rounds_ends_the_call() {
    let story = start_with(|deployment| deployment.add_policies(PERMIT)).await;
    story.upstream.on_tool("track_parcel", |_| ask(&[("q", elicitation())], "s"));
    let rita = client(&story, &json!({ "elicitation": {} })).await;
    let mut stream = call(&rita).await;
    let question = stream.next(SOON).await.message();
    let forbid = "forbid (principal, action in Mcp::Action::\"tools/call\", resource);";
    let before = story.gateway.deployment().read("policies/deliveries.cedar");
    story.gateway.deployment().replace("policies/deliveries.cedar", &format!("{before}\n{forbid}"));
    let other = story.connect("rita", Era::Modern).await;
    let changed =
        crate::until(|| async { !other.call("set_limit", json!({ "amount": 5 })).await.is_done() });
    assert!(changed.await, "{}", story.gateway.log());
    story.upstream.forget();
    rita.send(&response(&question, &json!({ "action": "accept" }))).await;
    let (rest, _) = stream.rest(SOON).await;
    let last = rest.last().expect("an answer").to_string();
    assert!(last.contains("dev.kenward/decision") || last.contains("error"), "{last}");
    assert!(story.upstream.calls("track_parcel").is_empty(), "the second round was sent");
}

#[tokio::test]
async fn a_session_that_ends_ends_its_rounds() {
    let story = start_with(|deployment| deployment.add_policies(PERMIT)).await;
    story.upstream.on_tool("track_parcel", |_| ask(&[("q", elicitation())], "s"));
    let rita = client(&story, &json!({ "elicitation": {} })).await;
    let mut stream = call(&rita).await;
    let question = stream.next(SOON).await.message();
    rita.end().await;
    let (rest, last) = stream.rest(SOON).await;
    assert_eq!((rest.len(), last), (1, Next::End), "{rest:?}");
    assert_eq!(rest[0]["error"]["code"], -32603, "{rest:?}");
    let late = rita.send(&response(&question, &json!({ "action": "accept" }))).await;
    assert_eq!(late.status(), 404);
    assert_eq!(story.upstream.calls("track_parcel").len(), 1);
}

#[tokio::test]
async fn a_round_does_not_outlive_the_token_of_its_call() {
    let story = start_with(|deployment| {
        deployment.add_policies(PERMIT);
        deployment.config["limits"] = json!({ "leeway": "0s" });
    })
    .await;
    story.upstream.on_tool("track_parcel", |_| ask(&[("q", elicitation())], "s"));
    let token = story.issuer.token("rita", &story.audience()).expires_in(3).sign();
    let mut rita = story.client(Some(&token), Era::Legacy);
    rita.handshake(&json!({ "elicitation": {} })).await;
    let mut stream = call(&rita).await;
    let question = stream.next(SOON).await.message();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let rita = rita.with_token(Some(&story.token("rita")));
    let answer = rita.send(&response(&question, &json!({ "action": "accept" }))).await;
    assert_eq!(answer.status(), 202, "{}", answer.http.text());
    let (rest, _) = stream.rest(SOON).await;
    let words = rest.last().expect("an answer")["error"]["message"].to_string();
    assert!(words.contains("expired"), "{rest:?}");
    assert_eq!(story.upstream.calls("track_parcel").len(), 1, "the second round was sent");
}

#[tokio::test]
async fn a_question_tells_nothing_that_an_answer_may_not() {
    let story = start_with(|deployment| deployment.add_policies(PERMIT)).await;
    story.upstream.on_tool("list_customers", |_| {
        let mut question = elicitation();
        question["params"]["message"] = json!("Shall Taylor Swift be listed, who lives at 37201?");
        ask(&[("q", question)], "s")
    });
    let rita = client(&story, &json!({ "elicitation": {} })).await;
    // Another tool with a binding may ask what tells nothing.
    story.upstream.on_tool("add_note", |_| ask(&[("q", elicitation())], "s"));
    let arguments = json!({ "customer_id": "1001", "note": "n" });
    let call = json!({ "name": "add_note", "arguments": arguments });
    let question = rita.stream("tools/call", call).await.next(SOON).await.message();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    let reply = rita.call("list_customers", json!({})).await;
    assert_eq!(reply.error_code(), Some(-32603), "{}", reply.http.text());
    assert!(!reply.http.text().contains("37201"), "{}", reply.http.text());
    assert_eq!(story.upstream.calls("list_customers").len(), 1);
}

/// A client of rita's that declares `capabilities`.
async fn client(story: &Story, capabilities: &Value) -> Mcp {
    let token = story.token("rita");
    let mut rita = story.client(Some(&token), Era::Legacy);
    let reply = rita.handshake(capabilities).await;
    assert!(rita.session().is_some(), "{}", reply.http.text());
    rita
}

async fn call(rita: &Mcp) -> EventStream {
    rita.stream("tools/call", json!({ "name": "track_parcel", "arguments": { "parcel": "p" } }))
        .await
}

fn answers(received: &Received) -> Option<Value> {
    received.params().get("inputResponses").cloned()
}

fn ask(questions: &[(&str, Value)], state: &str) -> Answer {
    let asked: serde_json::Map<String, Value> =
        questions.iter().map(|(name, asked)| ((*name).to_owned(), asked.clone())).collect();
    Answer::Result(json!({
        "resultType": "input_required", "requestState": state, "inputRequests": asked,
    }))
}

fn elicitation() -> Value {
    json!({ "method": "elicitation/create", "params": {
        "message": "Which one?",
        "requestedSchema": { "type": "object", "properties": { "ok": { "type": "boolean" } } },
    } })
}

fn response(question: &Value, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": question["id"], "result": result })
}
