//! Promise: an allowed call reaches the server with who is calling and what exactly was allowed,
//! sealed in a token that lives for seconds and fits that call alone.

use kenward_identity::grant;
use kenward_model::Timestamp;
use kenward_testkit::{Era, Received, base64url};
use serde_json::{Value, json};

use crate::Story;

#[tokio::test]
async fn a_grant_says_who_calls_and_what() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let arguments = json!({ "z": 1, "parcel": "\u{e9}", "a": { "y": 1e2, "x": [true, null] } });
        let reply = rita.call("track_parcel", arguments.clone()).await;
        assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
        let call = story.upstream.calls("track_parcel").pop().expect("a call");
        let claims = verified(&story, &call).await;
        assert_eq!(claims["sub"], "rita");
        assert_eq!(claims["act"]["sub"], "agent-1");
        assert_eq!(claims["aud"], "example.com");
        assert_eq!(claims["tctx"]["method"], "tools/call");
        assert_eq!(claims["tctx"]["tool"], "track_parcel");
        assert_eq!(claims["tctx"]["args_hash"]["value"], hash(&arguments), "{claims}");
        // The RFC 8785 form, worked out by hand: sorted names, shortest numbers.
        let canonical: Value = serde_json::from_str(
            "{\"a\":{\"x\":[true,null],\"y\":100},\"parcel\":\"\u{e9}\",\"z\":1}",
        )
        .expect("json");
        assert_eq!(hash(&canonical), hash(&arguments));
        let life = claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat");
        assert!((1..=30).contains(&life), "{life} s");
        let protocol =
            claims["rctx"]["mcp_protocol"].as_str().or_else(|| claims["rctx"]["protocol"].as_str());
        assert_eq!(protocol, Some(era.version()), "{claims}");
    }
}

#[tokio::test]
async fn the_grants_number_is_the_decisions() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    for _ in 0..3 {
        rita.call("track_parcel", json!({ "parcel": "p" })).await;
    }
    let mut numbers = Vec::new();
    for call in story.upstream.calls("track_parcel") {
        numbers.push(verified(&story, &call).await["txn"].clone());
    }
    let allowed = story.decisions("track_parcel", "allow").await;
    let recorded: Vec<Value> = allowed.iter().map(|record| record["id"].clone()).collect();
    assert_eq!(numbers, recorded);
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "every call has a number of its own");
    let bytes = grant::arguments_sha256(&json!({ "parcel": "p" })).expect("a hash");
    let hex = bytes.map(|byte| format!("{byte:02x}")).concat();
    for record in &allowed {
        assert_eq!(record["arguments_sha256"], hex, "{record}");
    }
}

#[tokio::test]
async fn a_grant_goes_with_everything_that_is_forwarded() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        rita.tools().await;
        rita.request("prompts/get", json!({ "name": "greeting" })).await;
        rita.request("resources/read", json!({ "uri": "doc://public" })).await;
        for method in ["prompts/get", "resources/read"] {
            let received = story.upstream.requests(method).pop().expect("a request");
            let claims = verified(&story, &received).await;
            assert_eq!(claims["sub"], "rita", "{method}");
            assert_eq!(claims["tctx"]["method"], method);
        }
        for received in story.upstream.received() {
            let grants = received.headers.get_all("txn-token").iter().count();
            // What the gateway asks on its own account is nobody's call.
            assert!(grants <= 1, "{}", received.method());
        }
    }
}

#[tokio::test]
async fn the_objects_of_a_call_stand_in_its_grant() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let arguments = json!({ "customer_id": "1001", "note": "n" });
    assert!(rita.call("add_note", arguments).await.is_done());
    let claims = verified(&story, &story.upstream.calls("add_note").remove(0)).await;
    let resources = claims["tctx"]["resource"].to_string();
    assert!(resources.contains("Customer") && resources.contains("1001"), "{claims}");
}

#[tokio::test]
async fn a_grant_fits_its_call_alone() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    rita.call("track_parcel", json!({ "parcel": "p" })).await;
    let call = story.upstream.calls("track_parcel").remove(0);
    let token = call.header("txn-token").expect("a grant").to_owned();
    let keys = keys(&story).await;
    // 30 s and what clocks may differ.
    let later = now().plus(std::time::Duration::from_mins(1));
    assert!(grant::verify(&token, &keys, "example.com", later).is_err(), "a minute later");
    assert!(grant::verify(&token, &keys, "example.org", now()).is_err(), "another trust domain");
    let (rest, signature) = token.rsplit_once('.').expect("a signature");
    let spoilt = format!("{rest}.{}", signature.chars().rev().collect::<String>());
    assert!(grant::verify(&spoilt, &keys, "example.com", now()).is_err(), "a spoilt signature");
    // It is no access token, neither here nor as such.
    let client = story.client(Some(&token), Era::Modern);
    assert_eq!(client.call("track_parcel", json!({ "parcel": "p" })).await.status(), 401);
    assert!(!token.contains(story.token("rita").split('.').nth(1).expect("claims")));
}

#[tokio::test]
async fn a_server_that_wants_none_gets_none() {
    let story = Story::start_with(|deployment| {
        deployment.config["servers"]["deliveries"]["grant"] = json!(false);
    })
    .await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        assert!(rita.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
    }
    let with_grant = |received: &Received| received.header("txn-token").is_some();
    assert!(!story.upstream.received().iter().any(with_grant));
}

#[tokio::test]
async fn the_keys_outlive_the_gateway_and_are_published_without_their_secrets() {
    let story = Story::start().await;
    let before = keys(&story).await;
    let all = before["keys"].as_array().expect("keys");
    assert!(!all.is_empty());
    for key in all {
        for secret in ["d", "p", "q", "k"] {
            assert!(key.get(secret).is_none(), "{key}");
        }
        assert!(key["kid"].is_string(), "{key}");
    }
    let Story { issuer, upstream, gateway } = story;
    let gateway = gateway.restart(crate::KENWARD).await;
    let story = Story { issuer, upstream, gateway };
    assert_eq!(keys(&story).await, before, "services keep the keys that they know");
}

pub(crate) async fn verified(story: &Story, received: &Received) -> Value {
    let token = received
        .header("txn-token")
        .unwrap_or_else(|| panic!("no grant with {}", received.method()));
    let keys = keys(story).await;
    grant::verify(token, &keys, "example.com", now()).expect("a grant that is valid")
}

async fn keys(story: &Story) -> Value {
    story.gateway.http().get("/.well-known/jwks.json", &[]).await.json()
}

fn hash(arguments: &Value) -> String {
    base64url(&grant::arguments_sha256(arguments).expect("a hash"))
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_micros(i64::try_from(since.expect("a clock").as_micros()).expect("a clock"))
}
