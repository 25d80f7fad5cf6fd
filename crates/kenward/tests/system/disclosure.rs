//! Promise: what a person may not know they do not come to know, whichever tool, wording, session,
//! client or era a model tries.

use kenward_testkit::{Answer, Era, Mcp, Reply};
use serde_json::{Value, json};

use crate::Story;

/// Ways of asking where the protected customer lives, by a tool that finds places near somebody.
const DISGUISES: &[&str] = &[
    "Taylor Swift's home",
    "taylor swift",
    "TAYLOR   SWIFT",
    "near Taylor\u{200b} Swift",
    "Tay\u{ad}lor Swift's house",
    "\u{ff34}\u{ff41}\u{ff59}\u{ff4c}\u{ff4f}\u{ff52} Swift",
    "T\u{430}ylor Swift",
    "Swift, Taylor",
    "T. Swift",
    "Tay1or Swift",
    "Taylr Swift",
    "taylorswift",
    "t a y l o r  s w i f t",
    "Ms Swift",
    "taylor@example.com",
    "the customer taylor@example.com",
    "4711",
    "customer 4711",
    "account number 4711",
    "Customer::\"4711\"",
    "the home of the singer of Shake It Off",
    "our Nashville depot and Taylor Swift's home",
    "Taylor Swift's home, not our Nashville depot",
    "VGF5bG9yIFN3aWZ0",
    "%54aylor Swift",
    "",
    " ",
    "home",
];

#[tokio::test]
async fn an_address_is_told_to_those_who_may_know_it() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        assert!(address(&rita, "1001").await.is_done(), "{era:?}: her own customer");
        let petra = story.connect("petra", era).await;
        assert!(address(&petra, "4711").await.is_done(), "{era:?}: the protection desk");
        story.upstream.forget();
        for id in ["4711", "1002", "9999"] {
            let reply = address(&rita, id).await;
            assert!(reply.is_refused(), "{era:?} {id}: {}", reply.http.text());
            assert_eq!(reply.decision()["question"], 3, "{era:?} {id}: {}", reply.http.text());
        }
        assert!(story.upstream.requests("tools/call").is_empty(), "{era:?}");
    }
}

#[tokio::test]
async fn the_other_path_to_the_same_fact_is_closed_however_it_is_worded() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        for disguise in DISGUISES {
            let reply = places(&rita, disguise).await;
            assert!(reply.is_refused(), "{era:?} `{disguise}`: {}", reply.http.text());
        }
        assert!(story.upstream.requests("tools/call").is_empty(), "{era:?}");
    }
}

#[tokio::test]
async fn what_is_nobodys_secret_stays_available() {
    let story = Story::start().await;
    story
        .upstream
        .on_tool("get_dropoff_locations", |_| Answer::structured(&json!({ "locations": [] })));
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        for near in [
            "our Nashville depot",
            "Nashville depot",
            "the NASHVILLE DEPOT",
            "nashville",
            // Her own customer, and roughly where another lives who is not protected.
            "Johnny Cash's home",
            "1001",
            "Dolly Parton",
            "dolly@example.com",
        ] {
            let reply = places(&rita, near).await;
            assert!(reply.is_done(), "{era:?} `{near}`: {}", reply.http.text());
        }
        let petra = story.connect("petra", era).await;
        assert!(places(&petra, "Taylor Swift's home").await.is_done(), "{era:?}");
    }
}

#[tokio::test]
async fn refusals_are_all_alike_and_name_nobody() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let mut texts = Vec::new();
    for near in ["Taylor Swift's home", "4711", "somebody who does not exist", "Tay1or Swift"] {
        texts.push(without_reference(&places(&rita, near).await));
    }
    for id in ["4711", "1002", "9999"] {
        texts.push(without_reference(&address(&rita, id).await));
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "the texts differ: {texts:#?}");
    for word in ["Taylor", "4711", "protect", "location", "address", "alias", "learn", "policy"] {
        assert!(!texts[0].contains(word), "`{word}`: {}", texts[0]);
    }
}

#[tokio::test]
async fn other_sessions_clients_and_moments_change_nothing() {
    let story = Story::start().await;
    for agent in ["agent-1", "agent-2"] {
        for era in Era::BOTH {
            let token =
                story.issuer.token("rita", &story.audience()).claim("client_id", agent).sign();
            for _ in 0..3 {
                let url = story.gateway.url();
                let mcp = Mcp::connect(&url, "/mcp/deliveries", &token, era).await;
                assert!(places(&mcp, "Taylor Swift").await.is_refused());
            }
        }
    }
    let rita = story.connect("rita", Era::Modern).await;
    let calls: Vec<_> = (0..20).map(|_| Box::pin(address(&rita, "4711"))).collect();
    for reply in crate::together(calls).await {
        assert!(reply.is_refused(), "{}", reply.http.text());
    }
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn extra_arguments_do_not_move_the_subject() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    for arguments in [
        json!({ "customer_id": "4711", "id": "1001" }),
        json!({ "customer_id": ["1001", "4711"] }),
        json!({ "customer_id": { "0": "1001" } }),
        json!({ "customer_id": "4711\u{0}1001" }),
        json!({ "customer_id": "1001\n4711" }),
        json!({ "Customer_id": "1001" }),
        json!({ "customer_id": null }),
        json!({}),
    ] {
        let reply = rita.call("get_customer_address", arguments.clone()).await;
        assert!(!reply.is_done(), "{arguments}: {}", reply.http.text());
    }
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn rows_and_fields_of_others_are_taken_out_of_the_answer() {
    let story = Story::start().await;
    story.upstream.on_tool("list_customers", |_| Answer::structured(&customers()));
    for events in [false, true] {
        story.upstream.answer_as_events(events);
        for era in Era::BOTH {
            let rita = story.connect("rita", era).await;
            let reply = rita.call("list_customers", json!({})).await;
            assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
            let all = reply.http.text();
            assert!(all.contains("37201"), "{era:?}: her own customer's: {all}");
            for secret in ["37202", "37203"] {
                assert!(!all.contains(secret), "{era:?}, events {events}: {secret} in {all}");
            }
            let petra = story.connect("petra", era).await;
            let reply = petra.call("list_customers", json!({})).await;
            assert!(reply.http.text().contains("37203"), "{era:?}: {}", reply.http.text());
        }
    }
}

#[tokio::test]
async fn an_answer_that_hides_its_rows_from_the_filter_is_not_delivered() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let row = &customers()["customers"][2];
    let answers = [
        ("text alone", json!({ "content": [{ "type": "text", "text": customers().to_string() }] })),
        ("rows under another name", both(&json!({ "Customers": [row] }))),
        ("an object in place of rows", both(&json!({ "customers": { "a": row } }))),
        (
            "a row without an id",
            both(&json!({ "customers": [{ "name": "Taylor Swift", "zip": "37203" }] })),
        ),
        ("an id that is a number", both(&json!({ "customers": [{ "id": 4711, "zip": "37203" }] }))),
        ("rows within rows", both(&json!({ "customers": [[row]] }))),
    ];
    for (kind, answer) in answers {
        let answered = answer.clone();
        story.upstream.on_tool("list_customers", move |_| Answer::Result(answered.clone()));
        let reply = rita.call("list_customers", json!({})).await;
        assert!(!reply.http.text().contains("37203"), "{kind}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn fields_that_measure_from_the_subject_are_stripped() {
    let story = Story::start().await;
    let found = json!({ "locations": [{ "name": "Kiosk", "distance_km": 1.375 }] });
    story.upstream.on_tool("get_dropoff_locations", move |_| Answer::structured(&found));
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let reply = places(&rita, "Dolly Parton").await;
        assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
        assert!(reply.http.text().contains("Kiosk"), "{era:?}: {}", reply.http.text());
        assert!(!reply.http.text().contains("1.375"), "{era:?}: {}", reply.http.text());
    }
}

#[tokio::test]
async fn the_log_says_what_would_have_been_told() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let reply = places(&rita, "Taylor Swift's home").await;
    let records = story.decisions("get_dropoff_locations", "refuse").await;
    let record =
        records.iter().find(|record| record["id"] == reply.decision()["id"]).expect("a record");
    assert!(matches!(record["question"].as_u64(), Some(3 | 4)), "{record}");
    let facts = record["facts"].to_string();
    assert!(facts.contains("4711") && facts.contains("nearby_places"), "{record}");
    let policies = record["policies"].to_string();
    assert!(policies.contains("protected-addresses"), "{record}");
}

fn customers() -> Value {
    json!({ "customers": [
        { "id": "1001", "name": "Johnny Cash", "zip": "37201" },
        { "id": "1002", "name": "Dolly Parton", "zip": "37202" },
        { "id": "4711", "name": "Taylor Swift", "zip": "37203" },
    ] })
}

fn both(content: &Value) -> Value {
    json!({ "content": [{ "type": "text", "text": content.to_string() }], "structuredContent": content })
}

async fn address(mcp: &Mcp, customer: &str) -> Reply {
    mcp.call("get_customer_address", json!({ "customer_id": customer })).await
}

async fn places(mcp: &Mcp, near: &str) -> Reply {
    mcp.call("get_dropoff_locations", json!({ "near": near })).await
}

fn without_reference(reply: &Reply) -> String {
    assert!(reply.is_refused(), "{}", reply.http.text());
    let decision = reply.decision();
    reply.text().replace(decision["id"].as_str().expect("a reference"), "REFERENCE")
}
