//! Promise: without a valid token of an accepted issuer nothing happens, and the answer says where
//! to get one.

use std::sync::Arc;

use kenward_testkit::{Algorithm, Era, Mcp, Reply, SigningKey, Token};
use serde_json::json;

use crate::Story;

#[tokio::test]
async fn a_request_without_a_token_is_told_where_to_get_one() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let reply = story.client(None, era).request("tools/list", json!({})).await;
        assert_eq!(reply.status(), 401);
        let challenge = reply.http.header("www-authenticate");
        let metadata = format!(
            "resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp/deliveries\"",
            story.gateway.url()
        );
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        assert!(challenge.contains(&metadata), "{challenge}");
        // RFC 6750 section 3.1: no error code when no token was sent.
        assert!(!challenge.contains("error="), "{challenge}");
    }
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn good_tokens_of_every_algorithm_are_accepted() {
    let story = Story::start().await;
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa] {
        let key = story.issuer.key_of(algorithm);
        let token = story.issuer.token("rita", &story.audience()).signed_by(key).sign();
        // The key is newer than the keys that the gateway knows: it looks for it, with pauses.
        let taken = crate::until(async || track(&story, &token).await.is_done()).await;
        assert!(taken, "{algorithm:?}");
    }
}

#[tokio::test]
async fn bad_tokens_of_every_kind_are_refused_and_nothing_reaches_the_server() {
    let story = Story::start().await;
    let good = || story.issuer.token("rita", &story.audience());
    assert!(track(&story, &good().sign()).await.is_done());
    story.upstream.forget();
    let stranger = Arc::new(SigningKey::generate("es-1", Algorithm::Es256));
    let public = story.issuer.key().public_bytes();
    let in_a_while = now() + 3_600;
    let other = story.gateway.deployment().audience("archive");
    let bad: Vec<(&str, Token)> = vec![
        ("no signature", good().unsigned()),
        ("hmac with the public key", good().hmac_of(&public)),
        ("hmac with nothing", good().hmac_of(&[])),
        ("another's key under the same id", good().forged_by(Arc::clone(&stranger))),
        ("one bit of the signature", good().spoilt()),
        ("another algorithm in the header", good().header("alg", "RS256")),
        ("an algorithm that does not exist", good().header("alg", "ES256K")),
        ("an unknown key id", good().header("kid", "nobody")),
        ("a key in the header", good().header("jwk", stranger.jwk()).forged_by(stranger)),
        ("a critical extension", good().header("crit", json!(["exp"]))),
        ("ended an hour ago", good().expires_in(-3_600)),
        ("ended longer ago than clocks differ", good().expires_in(-40)),
        ("not yet valid", good().claim("nbf", in_a_while)),
        ("issued in the future", good().claim("iat", in_a_while).expires_in(7_200)),
        ("no end", good().without("exp")),
        ("an end that is text", good().claim("exp", "tomorrow")),
        ("no user", good().without("sub")),
        ("an empty user", good().claim("sub", "")),
        ("a user that is a number", good().claim("sub", 7)),
        ("no audience", good().without("aud")),
        ("another server's audience", good().claim("aud", other)),
        ("the gateway's root as audience", good().claim("aud", story.gateway.url())),
        ("a longer audience", good().claim("aud", format!("{}/x", story.audience()))),
        ("an audience in another case", good().claim("aud", story.audience().to_uppercase())),
        ("audiences without ours", good().claim("aud", json!(["a", "b"]))),
        ("audiences that are numbers", good().claim("aud", json!([1, 2]))),
        ("no issuer", good().without("iss")),
        ("an issuer that we do not know", good().claim("iss", "https://idp.example.net")),
        ("an issuer with a slash more", good().claim("iss", format!("{}/", story.issuer.url()))),
        ("a token for logging out", good().header("typ", "logout+jwt")),
        ("a transaction token", good().header("typ", "txntoken+jwt")),
    ];
    for (kind, token) in bad {
        let token = token.sign();
        let reply = track(&story, &token).await;
        assert_refused(&reply, &token, kind);
    }
    assert!(story.upstream.requests("tools/call").is_empty(), "something reached the server");
}

#[tokio::test]
async fn broken_credentials_of_every_shape_are_refused() {
    let story = Story::start().await;
    let good = story.token("rita");
    let parts: Vec<&str> = good.split('.').collect();
    let shapes = vec![
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {good}"),
        format!("DPoP {good}"),
        good.clone(),
        format!("Bearer {good} {good}"),
        format!("Bearer {good},"),
        format!("Bearer {}.{}", parts[0], parts[1]),
        format!("Bearer {good}.{}", parts[2]),
        format!("Bearer .{}.{}", parts[1], parts[2]),
        format!("Bearer {}.{}.", parts[0], parts[1]),
        format!("Bearer {}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("Bearer {}.{}.{}", parts[0], "!".repeat(20), parts[2]),
        format!("Bearer {}", "a".repeat(20_000)),
        "Bearer e30.e30.e30".to_owned(),
        "Bearer \u{e9}".to_owned(),
    ];
    for shape in shapes {
        let reply = call_with(&story, &[&shape]).await;
        // A header that is too long may be refused as such (RFC 6585 section 5).
        let refused = matches!(reply.status(), 400 | 401 | 431);
        assert!(refused, "{:.60}: {} {}", shape, reply.status(), reply.http.text());
    }
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn two_credentials_are_none() {
    let story = Story::start().await;
    let (good, bad) = (format!("Bearer {}", story.token("rita")), "Bearer x.y.z".to_owned());
    for pair in [[&good, &bad], [&bad, &good], [&good, &good]] {
        let reply = call_with(&story, &[pair[0], pair[1]]).await;
        assert!(matches!(reply.status(), 400 | 401), "{}", reply.http.text());
    }
    let path = format!("/mcp/deliveries?access_token={}", story.token("rita"));
    let mcp = Mcp::new(&story.gateway.url(), &path, None, Era::Modern);
    let reply = mcp.call("track_parcel", json!({ "parcel": "p" })).await;
    assert_eq!(reply.status(), 401, "a token in the query: {}", reply.http.text());
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case_and_clocks_may_differ_a_little() {
    let story = Story::start().await;
    let token = story.token("rita");
    for scheme in ["bearer", "BEARER"] {
        let reply = call_with(&story, &[&format!("{scheme} {token}")]).await;
        assert!(reply.is_done(), "{scheme}: {}", reply.http.text());
    }
    let ended = story.issuer.token("rita", &story.audience()).expires_in(-10).sign();
    assert!(track(&story, &ended).await.is_done(), "ended within the leeway of 30 s");
}

#[tokio::test]
async fn every_request_needs_its_token_inside_a_session_too() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Legacy).await;
    assert!(rita.call("track_parcel", json!({ "parcel": "p" })).await.is_done());
    story.upstream.forget();
    let expired = story.issuer.token("rita", &story.audience()).expires_in(-60).sign();
    let rita = rita.with_token(None);
    assert_eq!(rita.call("track_parcel", json!({ "parcel": "p" })).await.status(), 401);
    let rita = rita.with_token(Some(&expired));
    assert_eq!(rita.call("track_parcel", json!({ "parcel": "p" })).await.status(), 401);
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_found_and_unknown_keys_do_not_flood_the_issuer() {
    let story = Story::start().await;
    assert!(track(&story, &story.token("rita")).await.is_done());
    story.issuer.rotate("es-2");
    let found = crate::until(async || track(&story, &story.token("rita")).await.is_done()).await;
    assert!(found, "a token of the new key");
    let before = story.issuer.fetches();
    for attempt in 0..20 {
        let token = story.issuer.token("rita", &story.audience());
        let token = token.header("kid", format!("made-up-{attempt}")).sign();
        assert_eq!(track(&story, &token).await.status(), 401);
    }
    let fetched = story.issuer.fetches() - before;
    assert!(fetched <= 3, "20 made-up key ids led to {fetched} requests to the issuer");
}

#[tokio::test]
async fn keys_from_a_file_need_no_network() {
    let story = Story::start_with(|deployment| {
        deployment.config["issuers"][0]["jwks"] = json!("file:jwks.json");
        deployment.config["issuers"][0]["issuer"] = json!("https://idp.example.com");
        let key = Arc::new(SigningKey::generate("file-key", Algorithm::Es256));
        deployment.write("jwks.json", &json!({ "keys": [key.jwk()] }).to_string());
        KEY.with(|place| place.set(key).expect("set once"));
    })
    .await;
    let key = KEY.with(|place| Arc::clone(place.get().expect("a key")));
    let token = Token::new("https://idp.example.com", "rita", &story.audience(), key);
    assert!(track(&story, &token.sign()).await.is_done());
    assert_eq!(track(&story, &story.token("rita")).await.status(), 401);
}

thread_local! {
    static KEY: std::cell::OnceCell<Arc<SigningKey>> = const { std::cell::OnceCell::new() };
}

async fn track(story: &Story, token: &str) -> Reply {
    story.client(Some(token), Era::Modern).call("track_parcel", json!({ "parcel": "p" })).await
}

/// A call with these values of `Authorization`.
async fn call_with(story: &Story, credentials: &[&str]) -> Reply {
    let mcp = story.client(None, Era::Modern);
    let params = json!({ "name": "track_parcel", "arguments": { "parcel": "p" } });
    let message = mcp.message("tools/call", params);
    let mut headers = mcp.headers(&message);
    for credential in credentials {
        headers.push(("authorization".to_owned(), (*credential).to_owned()));
    }
    mcp.post(&headers, message.to_string()).await
}

fn assert_refused(reply: &Reply, token: &str, kind: &str) {
    assert_eq!(reply.status(), 401, "{kind}: {}", reply.http.text());
    let challenge = reply.http.header("www-authenticate");
    assert!(challenge.contains("error=\"invalid_token\""), "{kind}: {challenge}");
    assert!(challenge.contains("resource_metadata="), "{kind}: {challenge}");
    let said = format!("{challenge} {}", reply.http.text());
    let claims = token.split('.').nth(1).expect("claims");
    assert!(!said.contains(claims), "{kind}: the answer repeats the token");
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("a clock").as_secs()).expect("a clock")
}
