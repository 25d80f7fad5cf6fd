//! Promise: where somebody has to agree, the call waits for the person or an approver, and for
//! nobody else; an answer fits one call.

use kenward_testkit::{Deployment, Era, Mcp, Next, Reply};
use serde_json::{Value, json};

use crate::{SOON, Story};

const LOYALTY: &str = r#"
@id("learn-loyalty")
permit (principal in Group::"representatives", action == Mcp::Action::"learn", resource is Customer)
when { context.attribute == "loyalty" };
"#;

fn asking(deployment: &mut Deployment) {
    deployment.add_policies(LOYALTY);
    deployment.config["disclosure"] = json!({ "ask_after": 1, "alert_after": 2 });
    deployment.config["servers"]["deliveries"]["tools"]["get_loyalty"] = json!({
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.customer_id",
                        "attribute": "loyalty" }],
    });
}

/// Rita has been refused the address of 4711; from now on somebody has to agree.
async fn start() -> Story {
    let story = Story::start_with(asking).await;
    let tool = |name: &str| {
        json!({ "name": name, "inputSchema": { "type": "object",
                "properties": { "customer_id": { "type": "string" } } } })
    };
    story.upstream.set_tools(vec![tool("get_loyalty"), tool("get_customer_address")]);
    story.upstream.on_tool("get_loyalty", |_| kenward_testkit::Answer::text("gold"));
    let rita = story.connect("rita", Era::Modern).await;
    let own = json!({ "customer_id": "4711" });
    assert!(rita.call("get_loyalty", own.clone()).await.is_done(), "nothing was tried yet");
    assert!(rita.call("get_customer_address", own).await.is_refused());
    story
}

fn loyalty(client: &Mcp, customer: &str) -> Value {
    let arguments = json!({ "customer_id": customer });
    let params = json!({ "name": "get_loyalty", "arguments": arguments });
    let mut message = client.message("tools/call", params);
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({ "elicitation": { "form": {} } });
    message
}

/// The retry of a question with an answer.
fn answered(client: &Mcp, question: &Reply, customer: &str, go_on: bool) -> Value {
    let mut message = loyalty(client, customer);
    let action = if go_on { "accept" } else { "decline" };
    message["params"]["inputResponses"] =
        json!({ "kenward": { "action": action, "content": { "go_on": go_on } } });
    message["params"]["requestState"] = question.result()["requestState"].clone();
    message
}

async fn ask(client: &Mcp) -> Reply {
    // Another customer's loyalty is unknown so far; 4711's was told before and needs nobody.
    let question = client.send(&loyalty(client, "4711")).await;
    assert_eq!(question.result()["resultType"], "input_required", "{}", question.http.text());
    question
}

#[tokio::test]
async fn the_person_agrees_through_their_own_client() {
    let story = fresh().await;
    let rita = story.connect("rita", Era::Modern).await;
    let question = ask(&rita).await;
    let asked = &question.result()["inputRequests"]["kenward"];
    assert_eq!(asked["method"], "elicitation/create");
    assert!(!asked.to_string().contains("4711"), "{asked}");
    assert!(story.upstream.calls("get_loyalty").is_empty(), "nothing was forwarded");
    let done = rita.send(&answered(&rita, &question, "4711", true)).await;
    assert!(done.is_done(), "{}", done.http.text());
    let call = story.upstream.calls("get_loyalty").pop().expect("a call");
    let params = call.params();
    assert!(params.get("requestState").is_none() && params.get("inputResponses").is_none());
    let again = rita.send(&answered(&rita, &question, "4711", true)).await;
    assert_eq!(again.error_code(), Some(-32602), "an answer is taken once");
}

#[tokio::test]
async fn an_answer_fits_no_other_call_and_no_other_person() {
    let story = fresh().await;
    let rita = story.connect("rita", Era::Modern).await;
    let question = ask(&rita).await;
    let swapped = rita.send(&answered(&rita, &question, "1002", true)).await;
    assert_eq!(swapped.error_code(), Some(-32602), "{}", swapped.http.text());
    let ron = story.connect("ron", Era::Modern).await;
    let stolen = ron.send(&answered(&ron, &question, "4711", true)).await;
    assert_eq!(stolen.error_code(), Some(-32602), "{}", stolen.http.text());
    let mut forged = answered(&rita, &question, "4711", true);
    let state = forged["params"]["requestState"].as_str().expect("a state");
    let (prefix, sealed) = state.split_once('.').expect("a prefix");
    forged["params"]["requestState"] = json!(format!("{prefix}.{}", sealed.replace('a', "b")));
    assert_eq!(rita.send(&forged).await.error_code(), Some(-32602));
    assert!(story.upstream.calls("get_loyalty").is_empty());
}

#[tokio::test]
async fn a_no_is_remembered() {
    let story = fresh().await;
    let rita = story.connect("rita", Era::Modern).await;
    let question = ask(&rita).await;
    let refused = rita.send(&answered(&rita, &question, "4711", false)).await;
    assert!(refused.is_refused() || refused.result()["resultType"] == "input_required");
    assert!(story.upstream.calls("get_loyalty").is_empty());
    let quiet = rita.call("get_loyalty", json!({ "customer_id": "4711" })).await;
    assert!(quiet.is_refused(), "{}", quiet.http.text());
}

#[tokio::test]
async fn an_older_client_is_asked_on_the_answers_stream() {
    let story = fresh().await;
    let token = story.token("rita");
    let mut rita = story.client(Some(&token), Era::Legacy);
    rita.handshake(&json!({ "elicitation": {} })).await;
    let params = json!({ "name": "get_loyalty", "arguments": { "customer_id": "4711" } });
    let mut stream = rita.stream("tools/call", params).await;
    let Next::Message(question) = stream.next_of("elicitation/create", SOON).await else {
        panic!("no question: {}", stream.seen());
    };
    assert!(!question.to_string().contains("4711"), "{question}");
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"],
        "result": { "action": "accept", "content": { "go_on": true } } });
    assert_eq!(rita.send(&answer).await.status(), 202);
    let (rest, _) = stream.rest(SOON).await;
    let text = json!(rest).to_string();
    assert!(text.contains("gold"), "{text}");
}

#[tokio::test]
async fn a_client_that_cannot_ask_leaves_it_to_an_approver() {
    let story = fresh().await;
    let rita = story.connect("rita", Era::Modern).await;
    let own = json!({ "customer_id": "4711" });
    let refused = rita.call("get_loyalty", own.clone()).await;
    assert!(refused.is_refused(), "{}", refused.http.text());
    let waiting = story.gateway.administrate("GET", "/api/v1/approvals", "").await.json();
    let id = waiting["approvals"][0]["id"].as_str().expect("a question").to_owned();
    assert_eq!(waiting["approvals"][0]["subject"]["id"], "4711", "{waiting:#}");
    let body = json!({ "verdict": "approve", "for": "1h" }).to_string();
    let path = format!("/api/v1/approvals/{id}");
    let answer = story.gateway.administrate("POST", &path, &body).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    assert!(rita.call("get_loyalty", own).await.is_done(), "approved");
}

#[tokio::test]
async fn trying_on_raises_an_alert() {
    let story = fresh().await;
    let rita = story.connect("rita", Era::Modern).await;
    for near in ["Taylor Swift", "the home of Taylor Swift"] {
        rita.call("get_dropoff_locations", json!({ "near": near })).await;
    }
    let alerts: Vec<Value> =
        story.records().await.into_iter().filter(|record| record["kind"] == "alert").collect();
    assert!(!alerts.is_empty(), "no alert");
    assert_eq!(alerts[0]["user"], "rita", "{alerts:#?}");
    assert!(alerts[0]["note"].as_str().is_some_and(|note| note.contains("location")));
}

/// As [`start`], without anything being known of the loyalty.
pub(crate) async fn fresh() -> Story {
    let story = Story::start_with(asking).await;
    let tool = |name: &str, argument: &str| {
        json!({ "name": name, "inputSchema": { "type": "object",
                "properties": { argument: { "type": "string" } } } })
    };
    story.upstream.set_tools(vec![
        tool("get_loyalty", "customer_id"),
        tool("get_customer_address", "customer_id"),
        tool("get_dropoff_locations", "near"),
    ]);
    story.upstream.on_tool("get_loyalty", |_| kenward_testkit::Answer::text("gold"));
    let rita = story.connect("rita", Era::Modern).await;
    let own = json!({ "customer_id": "4711" });
    assert!(rita.call("get_customer_address", own).await.is_refused());
    story
}

#[tokio::test]
async fn what_is_known_already_needs_nobody() {
    let story = start().await;
    let rita = story.connect("rita", Era::Modern).await;
    assert!(rita.call("get_loyalty", json!({ "customer_id": "4711" })).await.is_done());
    assert!(rita.call("get_loyalty", json!({ "customer_id": "1001" })).await.is_done());
}
