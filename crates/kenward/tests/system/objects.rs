//! Promise: whoever may use an operation still has to be allowed to act on each object it names.

use kenward_testkit::Era;
use serde_json::{Value, json};

use crate::Story;

#[tokio::test]
async fn a_note_is_written_for_ones_own_customer_alone() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        assert!(rita.call("add_note", note(&json!("1001"))).await.is_done(), "{era:?}");
        let reply = rita.call("add_note", note(&json!("1002"))).await;
        assert_eq!(reply.status(), 200, "{era:?}");
        assert!(reply.is_refused(), "{era:?}: {}", reply.http.text());
        assert_eq!(story.upstream.calls("add_note").len(), 1, "{era:?}");
        let ron = story.connect("ron", era).await;
        assert!(ron.call("add_note", note(&json!("1002"))).await.is_done(), "{era:?}");
    }
}

#[tokio::test]
async fn refusals_about_objects_tell_nothing_about_them() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let mut texts = Vec::new();
    // Another's, a protected one, one that does not exist, and what is no customer at all.
    for id in ["1002", "4711", "9999", "", "1001 ", "nashville", "../1001", "1001\u{0}"] {
        let reply = rita.call("add_note", note(&json!(id))).await;
        assert!(reply.is_refused(), "{id}: {}", reply.http.text());
        let decision = reply.decision();
        let reference = decision["id"].as_str().expect("a reference").to_owned();
        assert!(!reply.text().contains("own representative"), "the reason is not for the model");
        texts.push(reply.text().replace(&reference, "REFERENCE"));
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "the texts differ: {texts:#?}");
    assert!(story.upstream.calls("add_note").is_empty());
}

#[tokio::test]
async fn an_object_that_cannot_be_told_is_refused() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    for id in [json!(null), json!(["1001"]), json!({ "id": "1001" }), json!(true), json!(1001.5)] {
        let reply = rita.call("add_note", note(&id)).await;
        assert!(!reply.is_done(), "{id}: {}", reply.http.text());
    }
    let reply = rita.call("add_note", json!({ "note": "n" })).await;
    assert!(!reply.is_done(), "no customer: {}", reply.http.text());
    let reply = rita.request("tools/call", json!({ "name": "add_note" })).await;
    assert!(!reply.is_done(), "no arguments: {}", reply.http.text());
    assert!(story.upstream.calls("add_note").is_empty());
}

#[tokio::test]
async fn the_refusal_says_which_question_and_the_log_says_why() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let reply = rita.call("add_note", note(&json!("1002"))).await;
    assert_eq!(reply.decision()["question"], 2, "{}", reply.http.text());
    let id = reply.decision()["id"].clone();
    let records = story.decisions("add_note", "refuse").await;
    let record =
        records.iter().find(|record| record["id"] == id).expect("a record of the decision");
    assert_eq!(record["question"], 2);
    assert_eq!(record["user"], "rita");
    assert_eq!(record["agent"], "agent-1");
    assert!(record["objects"].to_string().contains("1002"), "{record}");
}

#[tokio::test]
async fn reasons_of_the_operation_itself_are_told() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        rita.tools().await;
        assert!(rita.call("set_limit", json!({ "amount": 100 })).await.is_done(), "{era:?}");
        let reply = rita.call("set_limit", json!({ "amount": 101 })).await;
        assert!(reply.is_refused(), "{era:?}: {}", reply.http.text());
        assert!(reply.text().contains("A limit above 100 needs a supervisor."), "{}", reply.text());
        assert_eq!(reply.decision()["question"], 1, "{}", reply.http.text());
    }
    assert_eq!(story.upstream.calls("set_limit").len(), 2);
}

#[tokio::test]
async fn arguments_that_policy_reads_must_be_what_the_schema_says() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    rita.tools().await;
    for amount in [json!("1"), json!(null), json!(1.5), json!([1]), json!(1e3), json!({})] {
        let reply = rita.call("set_limit", json!({ "amount": amount })).await;
        assert!(!reply.is_done(), "{amount}: {}", reply.http.text());
    }
    assert!(!rita.call("set_limit", json!({})).await.is_done(), "no amount");
    assert!(story.upstream.calls("set_limit").is_empty());
}

#[tokio::test]
async fn an_agent_with_rights_of_its_own_needs_them_too() {
    let story = Story::start_with(|deployment| {
        let directory = deployment.read("directory.yaml");
        let agent = "- { type: \"Mcp::Agent\", id: careful-agent }\n";
        deployment.write("directory.yaml", &format!("{directory}{agent}"));
        deployment.add_policies(
            "permit (principal == Mcp::Agent::\"careful-agent\", \
             action == Mcp::Action::\"deliveries/track_parcel\", resource);",
        );
    })
    .await;
    for era in Era::BOTH {
        let token =
            story.issuer.token("rita", &story.audience()).claim("client_id", "careful-agent");
        let token = token.sign();
        let url = story.gateway.url();
        let mcp = kenward_testkit::Mcp::connect(&url, "/mcp/deliveries", &token, era).await;
        assert_eq!(mcp.tools().await, ["track_parcel"], "{era:?}");
        assert!(mcp.call("track_parcel", json!({ "parcel": "p" })).await.is_done(), "{era:?}");
        let reply = mcp.call("add_note", note(&json!("1001"))).await;
        assert!(!reply.is_done(), "{era:?}: the user may, this agent may not");
        let mallory = story.issuer.token("mallory", &story.audience());
        let mallory = mallory.claim("client_id", "careful-agent").sign();
        let mcp = story.client(Some(&mallory), Era::Modern);
        let reply = mcp.call("track_parcel", json!({ "parcel": "p" })).await;
        assert!(!reply.is_done(), "the agent may, this user may not: {}", reply.http.text());
    }
    assert!(story.upstream.calls("add_note").is_empty());
}

fn note(customer: &Value) -> Value {
    json!({ "customer_id": customer, "note": "n" })
}
