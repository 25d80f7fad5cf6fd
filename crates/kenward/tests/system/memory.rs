//! Promise: what a person was told and was refused counts, whatever the client, session, agent, era
//! or day, also after the gateway was killed; and for nobody else.

use bytes::Bytes;
use kenward_testkit::{Deployment, Era, Gateway, Mcp, Reply};
use serde_json::{Value, json};

use crate::{KENWARD, Story, together};

/// Who knows when the van comes and the postcode, knows the house.
const INFERENCES: &str = r"
families:
  location:
    scale: [exact, street, area, city, region]
    attributes: [address, nearby_places, zip, eta]
inferences:
  - { id: van-and-postcode, then: { attribute: address }, if: [eta, zip] }
  - { then: { attribute: address, precision: area }, if: [nearby_places] }
";

fn remembering(deployment: &mut Deployment) {
    deployment.write("inferences.yaml", INFERENCES);
    let telling = |attribute: &str| {
        json!({ "discloses": [{ "of": "Customer", "subject": "$params.arguments.customer_id",
                                "attribute": attribute, "precision": "area" }] })
    };
    let tools = &mut deployment.config["servers"]["deliveries"]["tools"];
    tools["get_eta"] = telling("eta");
    tools["get_zip"] = telling("zip");
    tools["list_orders"] = json!({
        "links": [{ "handle": "$.orders[*].id", "owner": "$.orders[*].customer", "of": "Customer",
                    "type": "Order" }],
    });
    tools["get_order"] = json!({
        "parameters": { "order": { "role": "handle", "type": "Order" } },
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.order",
                        "attribute": "address" }],
    });
}

async fn start() -> Story {
    let story = Story::start_with(remembering).await;
    let tool = |name: &str, argument: &str| {
        json!({ "name": name, "inputSchema": { "type": "object",
                "properties": { argument: { "type": "string" } } } })
    };
    let tools = [
        tool("get_eta", "customer_id"),
        tool("get_zip", "customer_id"),
        tool("list_orders", "day"),
        tool("get_order", "order"),
        tool("suggest_lockers", "around"),
        tool("get_customer_address", "customer_id"),
    ];
    story.upstream.set_tools(tools.to_vec());
    story
}

async fn about(client: &Mcp, tool: &str, customer: &str) -> Reply {
    client.call(tool, json!({ "customer_id": customer })).await
}

#[tokio::test]
async fn two_harmless_answers_that_make_a_third_are_not_both_given() {
    let story = start().await;
    for era in Era::BOTH {
        // Each era has a person of its own, so that the histories do not meet.
        let (user, other) = if era == Era::Modern { ("rita", "1002") } else { ("ron", "1001") };
        let client = story.connect(user, era).await;
        assert!(about(&client, "get_eta", other).await.is_done(), "{era:?}");
        assert!(about(&client, "get_eta", other).await.is_done(), "{era:?}: the same again");
        let refused = about(&client, "get_zip", other).await;
        assert!(refused.is_refused(), "{era:?}: {}", refused.http.text());
        assert_eq!(refused.decision()["question"], 4, "{era:?}");
        let own = if user == "rita" { "1001" } else { "1002" };
        assert!(about(&client, "get_eta", own).await.is_done(), "{era:?}: their own customer");
        assert!(about(&client, "get_zip", own).await.is_done(), "{era:?}: their own customer");
        assert!(about(&client, "get_eta", other).await.is_done(), "{era:?}: known already");
    }
}

#[tokio::test]
async fn the_history_is_the_persons_through_every_client_and_kill() {
    let story = start().await;
    let rita = story.connect("rita", Era::Modern).await;
    assert!(about(&rita, "get_zip", "1002").await.is_done());
    let legacy = story.connect("rita", Era::Legacy).await;
    assert!(about(&legacy, "get_eta", "1002").await.is_refused(), "another era");
    let petra = story.connect("petra", Era::Modern).await;
    assert!(about(&petra, "get_eta", "1002").await.is_done(), "somebody else");
    let Story { issuer, upstream, gateway } = story;
    let gateway: Gateway = gateway.killed_and_restarted(KENWARD).await;
    let story = Story { issuer, upstream, gateway };
    let rita = story.connect("rita", Era::Modern).await;
    assert!(about(&rita, "get_eta", "1002").await.is_refused(), "after a kill");
}

#[tokio::test]
async fn of_many_calls_at_once_no_two_slip_through() {
    let story = start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let call = |n: usize| {
        let tool = if n.is_multiple_of(2) { "get_eta" } else { "get_zip" };
        Box::pin(about(&rita, tool, "1002"))
    };
    let replies = together((0..16).map(call).collect()).await;
    let done = |parity: usize| {
        let of = replies.iter().enumerate().filter(|(n, _)| n % 2 == parity);
        of.filter(|(_, reply)| reply.is_done()).count()
    };
    let (etas, zips) = (done(0), done(1));
    assert!(etas == 0 || zips == 0, "{etas} and {zips}");
    assert!(etas + zips > 0, "one of both may be had");
}

#[tokio::test]
async fn a_call_that_brought_nothing_back_told_nothing() {
    let story = start().await;
    story
        .upstream
        .on_tool("get_eta", |_| kenward_testkit::Answer::Raw(503, "text/plain", Bytes::new()));
    let rita = story.connect("rita", Era::Modern).await;
    assert!(!about(&rita, "get_eta", "1002").await.is_done());
    assert!(about(&rita, "get_zip", "1002").await.is_done(), "nothing was told before");
}

#[tokio::test]
async fn after_a_refusal_a_tool_that_nobody_described_is_no_way_round() {
    let story = start().await;
    for era in Era::BOTH {
        let user = if era == Era::Modern { "rita" } else { "ron" };
        let client = story.connect(user, era).await;
        let lockers =
            async |around: &str| client.call("suggest_lockers", json!({ "around": around })).await;
        assert!(lockers("Broadway").await.is_done(), "{era:?}: nothing was refused yet");
        assert!(about(&client, "get_customer_address", "4711").await.is_refused());
        for text in ["Taylor Swift", "taylr swift", "T a y l o r  S w i f t", "her place", ""] {
            let reply = lockers(text).await;
            assert!(reply.is_refused(), "{era:?} `{text}`: {}", reply.http.text());
            assert!(!reply.http.text().contains("4711"), "{era:?} `{text}`");
        }
        assert!(lockers("our Nashville depot").await.is_done(), "{era:?}: a depot");
        assert!(lockers("Dolly Parton").await.is_done(), "{era:?}: another customer");
    }
    let petra = story.connect("petra", Era::Modern).await;
    let reply = petra.call("suggest_lockers", json!({ "around": "Taylor Swift" })).await;
    assert!(reply.is_done(), "another's refusal concerns nobody else");
}

#[tokio::test]
async fn a_handle_is_a_name_once_an_answer_has_said_whose_it_is() {
    let story = start().await;
    let orders = json!({ "orders": [ { "id": "A-17", "customer": "4711" },
                                     { "id": "A-18", "customer": "1001" } ] });
    story.upstream.on_tool("list_orders", move |_| kenward_testkit::Answer::structured(&orders));
    let rita = story.connect("rita", Era::Modern).await;
    let order = async |id: &str| rita.call("get_order", json!({ "order": id })).await;
    assert!(order("A-18").await.is_refused(), "nobody knows yet whose it is");
    assert!(rita.call("list_orders", json!({ "day": "monday" })).await.is_done());
    assert!(order("A-18").await.is_done(), "her own customer's");
    assert!(order("a 18").await.is_done(), "however it is written");
    assert!(order("A-17").await.is_refused(), "the protected customer's");
}

#[tokio::test]
async fn a_refusal_of_the_server_itself_closes_other_paths_too() {
    let story = start().await;
    story.upstream.on_tool("get_customer_address", |_| {
        kenward_testkit::Answer::Raw(403, "text/plain", Bytes::new())
    });
    let rita = story.connect("rita", Era::Modern).await;
    assert!(!about(&rita, "get_customer_address", "1001").await.is_done());
    assert!(about(&rita, "get_eta", "1001").await.is_refused(), "the same family");
    assert!(about(&rita, "get_eta", "1002").await.is_done(), "another customer");
    story.upstream.on_tool("get_customer_address", |_| kenward_testkit::Answer::text("12 Elm St"));
    assert!(about(&rita, "get_customer_address", "1001").await.is_done(), "it may ask again");
}

#[tokio::test]
async fn the_record_says_how_it_was_found() {
    let story = start().await;
    let rita = story.connect("rita", Era::Modern).await;
    about(&rita, "get_eta", "1002").await;
    about(&rita, "get_zip", "1002").await;
    let refused: Value = story.decisions("get_zip", "refuse").await.pop().expect("a record");
    let chain = refused["chain"].to_string();
    assert!(chain.contains("customer_id") && chain.contains("1002"), "{refused:#}");
    assert!(chain.contains("van-and-postcode") && chain.contains("eta"), "{refused:#}");
}
