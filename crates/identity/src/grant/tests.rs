//! Grants: one call, one trust domain, seconds; everything else is refused.

mod forgery;

use std::borrow::Cow;
use std::time::Duration;

use jsonwebtoken::jwk::ThumbprintHash;
use kenward_model::{DecisionId, EntityUid, Revision, Target, Timestamp};
use serde_json::{Value, json};

use super::{Grant, GrantError, GrantKey, arguments_sha256, fits_arguments, mint, verify};
use crate::SignatureAlgorithm;

const DOMAIN: &str = "corp.example";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const TOOL: Target<'static> = Target::Tool(Cow::Borrowed("get_customer"));

fn seconds_later(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(NOW.as_seconds() + seconds)
}

fn arguments() -> Value {
    json!({ "id": "4711", "limit": 20 })
}

fn grant() -> Grant<'static> {
    Grant {
        issuer: "https://gw.corp.example",
        trust_domain: DOMAIN,
        txn: DecisionId::new(NOW, &[7; 10]),
        user: "rita",
        agent: "desk",
        requesting_workload: "spiffe://corp.example/mcp-gateway",
        scope: "mcp.tools.call",
        method: "tools/call",
        server_url: "https://mcp.example/crm",
        target: &TOOL,
        arguments_sha256: arguments_sha256(&arguments()).unwrap(),
        resources: &[],
        policy_epoch: "9f86",
        revision: Revision(17),
        ip: Some("10.0.0.1".parse().unwrap()),
        authentication: Some("mfa"),
        protocol: "2026-07-28",
        lifetime: Duration::from_secs(30),
    }
}

fn published(keys: &[&GrantKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.public_jwk()).collect::<Vec<_>>() })
}

#[test]
fn a_grant_says_everything_about_the_call() {
    let key = GrantKey::generate(NOW).unwrap();
    let resources = [EntityUid::new("Customer", "4711")];
    let grant = Grant { resources: &resources, ..grant() };
    let token = mint(&key, &grant, NOW).unwrap();
    let claims = verify(&token, &published(&[&key]), DOMAIN, NOW).unwrap();
    let txn = grant.txn.to_string();
    let expected = json!({
        "iss": "https://gw.corp.example", "aud": DOMAIN,
        "iat": NOW.as_seconds(), "exp": NOW.as_seconds() + 30, "txn": txn,
        "sub": "rita", "act": { "sub": "desk" },
        "req_wl": "spiffe://corp.example/mcp-gateway", "scope": "mcp.tools.call",
        "tctx": {
            "method": "tools/call", "server": "https://mcp.example/crm", "tool": "get_customer",
            "args_hash": { "alg": "sha-256", "canon": "RFC8785",
                           "value": "sAtvzTjcu5VjQfOfLKPbIjcoP6-AW4exnyUJP8g_gwk" },
            "resource": [{ "type": "Customer", "id": "4711" }],
            "decision": { "id": txn, "policy_epoch": "9f86", "revision": 17 },
        },
        "rctx": { "req_ip": "10.0.0.1", "authn": "mfa", "mcp_protocol": "2026-07-28",
                  "client": "desk" },
    });
    assert_eq!(claims, expected);
}

#[test]
fn another_library_verifies_it_with_either_algorithm() {
    for (algorithm, theirs) in [
        (SignatureAlgorithm::Es256, jsonwebtoken::Algorithm::ES256),
        (SignatureAlgorithm::EdDsa, jsonwebtoken::Algorithm::EdDSA),
    ] {
        let key = GrantKey::generate_for(algorithm, NOW).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let token = mint(&key, &grant(), NOW).unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("txntoken+jwt"));
        assert_eq!(header.kid.as_deref(), Some(key.kid()));
        assert_eq!(header.alg, theirs);
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.public_jwk()).unwrap();
        assert_eq!(jwk.thumbprint(ThumbprintHash::SHA256).unwrap(), key.kid());
        let mut validation = jsonwebtoken::Validation::new(theirs);
        validation.set_audience(&[DOMAIN]);
        validation.validate_exp = false;
        let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let claims = jsonwebtoken::decode::<Value>(&token, &decoding, &validation).unwrap().claims;
        assert_eq!(claims, verify(&token, &published(&[&key]), DOMAIN, NOW).unwrap());
    }
}

#[test]
fn the_thumbprint_is_that_of_rfc_8037_appendix_a_3() {
    let members = super::key::PublicMembers {
        crv: "Ed25519",
        kty: "OKP",
        x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
        y: None,
    };
    assert_eq!(members.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn a_key_is_the_same_after_it_was_kept() {
    for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa] {
        let key = GrantKey::generate_for(algorithm, NOW).unwrap();
        let kept = GrantKey::from_pkcs8(key.pkcs8(), NOW).unwrap();
        assert_eq!((kept.kid(), kept.created()), (key.kid(), NOW));
        assert_eq!(kept.public_jwk(), key.public_jwk());
        let token = mint(&kept, &grant(), NOW).unwrap();
        verify(&token, &published(&[&key]), DOMAIN, NOW).unwrap();
    }
    for bytes in [&b""[..], b"\x30\x00", &[0; 64]] {
        let unreadable = GrantKey::from_pkcs8(bytes, NOW).unwrap_err();
        assert!(matches!(unreadable, GrantError::KeyUnreadable));
    }
    let other = GrantKey::generate_for(SignatureAlgorithm::Rs256, NOW);
    assert!(matches!(other, Err(GrantError::Algorithm(SignatureAlgorithm::Rs256))));
}

#[test]
fn neither_the_public_key_nor_the_debug_form_holds_the_private_key() {
    for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa] {
        let key = GrantKey::generate_for(algorithm, NOW).unwrap();
        let jwk = key.public_jwk();
        assert!(jwk.get("d").is_none() && jwk["use"] == "sig" && jwk["kid"] == key.kid());
        let debug = format!("{key:?}");
        assert!(debug.contains(key.kid()) && !debug.contains("pkcs8"), "{debug}");
    }
}

#[test]
fn a_grant_fits_its_arguments_alone() {
    let key = GrantKey::generate(NOW).unwrap();
    let token = mint(&key, &grant(), NOW).unwrap();
    let claims = verify(&token, &published(&[&key]), DOMAIN, NOW).unwrap();
    assert!(fits_arguments(&claims, &json!({ "limit": 2e1, "id": "4711" })));
    for other in [
        json!({ "id": "4712", "limit": 20 }),
        json!({ "id": 4711, "limit": 20 }),
        json!({ "id": "4711", "limit": 20, "more": null }),
        json!({ "id": "4711", "limit": 21 }),
        json!({ "id": "4711" }),
        json!({ "id": "4711", "limit": 9_007_199_254_740_993_u64 }),
        Value::Null,
    ] {
        assert!(!fits_arguments(&claims, &other), "{other}");
    }
    assert!(!fits_arguments(&json!({}), &arguments()));
    let mut weaker = claims;
    weaker["tctx"]["args_hash"]["alg"] = json!("md5");
    assert!(!fits_arguments(&weaker, &arguments()));
}

#[test]
fn integers_on_which_readers_differ_have_no_digest() {
    let digest = |id: u64| arguments_sha256(&json!({ "id": id }));
    assert!(matches!(digest(9_007_199_254_740_993), Err(GrantError::Arguments)));
    assert!(matches!(digest(9_007_199_254_740_992), Err(GrantError::Arguments)));
    assert_ne!(digest(9_007_199_254_740_991).unwrap(), digest(9_007_199_254_740_990).unwrap());
}

#[test]
fn every_kind_of_target_has_its_own_member() {
    let key = GrantKey::generate(NOW).unwrap();
    let named = |name: &'static str| Cow::Borrowed(name);
    for (target, member) in [
        (Target::Server, None),
        (Target::Tool(named("x")), Some("tool")),
        (Target::Prompt(named("x")), Some("prompt")),
        (Target::Resource(named("x")), Some("uri")),
        (Target::ResourceTemplate(named("x")), Some("uri_template")),
    ] {
        let token = mint(&key, &Grant { target: &target, ..grant() }, NOW).unwrap();
        let claims = verify(&token, &published(&[&key]), DOMAIN, NOW).unwrap();
        let present: Vec<&str> = ["tool", "prompt", "uri", "uri_template"]
            .into_iter()
            .filter(|name| claims["tctx"].get(name).is_some_and(|value| value == "x"))
            .collect();
        assert_eq!(present, member.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_grant_lives_for_seconds() {
    let key = GrantKey::generate(NOW).unwrap();
    let keys = published(&[&key]);
    let lasting = |lifetime| mint(&key, &Grant { lifetime, ..grant() }, NOW);
    for wrong in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(301)] {
        assert!(matches!(lasting(wrong), Err(GrantError::Lifetime)), "{wrong:?}");
    }
    let token = lasting(Duration::from_secs(30)).unwrap();
    verify(&token, &keys, DOMAIN, seconds_later(34)).unwrap();
    let late = verify(&token, &keys, DOMAIN, seconds_later(35)).unwrap_err();
    assert!(matches!(late, GrantError::Expired));
    verify(&token, &keys, DOMAIN, seconds_later(-5)).unwrap();
    let early = verify(&token, &keys, DOMAIN, seconds_later(-6)).unwrap_err();
    assert!(matches!(early, GrantError::NotYetValid));
}

#[test]
fn names_with_quotes_stay_inside_their_claims() {
    let key = GrantKey::generate(NOW).unwrap();
    let user = "rita\",\"sub\":\"root\\";
    let token = mint(&key, &Grant { user, ..grant() }, NOW).unwrap();
    let claims = verify(&token, &published(&[&key]), DOMAIN, NOW).unwrap();
    assert_eq!(claims["sub"], user);
}
