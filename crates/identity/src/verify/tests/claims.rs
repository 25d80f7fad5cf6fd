//! Issuer, audience, time and kind of a token.

use kenward_model::Timestamp;
use serde_json::{Value, json};

use super::super::verify;
use super::{AUDIENCE, ISSUER, LEEWAY, NOW, check, check_as, claims, outcome};
use crate::testing::{TestKey, with};
use crate::{Claim, IssuerSpec, TokenError};

#[test]
fn the_claims_that_make_a_caller_must_be_there_and_well_formed() {
    for (name, claim) in [
        ("iss", Claim::Issuer),
        ("aud", Claim::Audience),
        ("exp", Claim::Expiry),
        ("sub", Claim::Subject),
        ("client_id", Claim::Agent),
    ] {
        let missing = outcome(&with(&claims(), name, Value::Null)).unwrap_err();
        assert_eq!(missing, TokenError::ClaimMissing(claim));
        for bad in [json!(""), json!({}), json!(true), json!([7]), json!(["a", null])] {
            let refused = outcome(&with(&claims(), name, bad.clone())).unwrap_err();
            assert_eq!(refused, TokenError::ClaimMalformed(claim), "{name}: {bad}");
        }
    }
    let null = claims().to_string().replace("\"rita\"", "null");
    let key = TestKey::p256("k1");
    let refused = check(&key.sign(&key.header().to_string(), &null), &key.key_set());
    assert_eq!(refused.unwrap_err(), TokenError::ClaimMalformed(Claim::Subject));
}

#[test]
fn the_issuer_is_the_same_to_the_byte() {
    for other in ["https://idp.example.com/", "https://IDP.example.com", "https://evil.example"] {
        let refused = outcome(&with(&claims(), "iss", json!(other))).unwrap_err();
        assert_eq!(refused, TokenError::UnknownIssuer);
    }
    let list = outcome(&with(&claims(), "iss", json!([ISSUER]))).unwrap_err();
    assert_eq!(list, TokenError::ClaimMalformed(Claim::Issuer));
}

#[test]
fn the_audience_is_this_endpoint_exactly() {
    for good in [json!(AUDIENCE), json!([AUDIENCE]), json!(["https://other.example", AUDIENCE])] {
        outcome(&with(&claims(), "aud", good)).unwrap();
    }
    for bad in [
        json!("https://gw.example.com/mcp/crm/"),
        json!("https://gw.example.com/mcp"),
        json!("https://gw.example.com/mcp/CRM"),
        json!("https://gw.example.com/mcp/crm?x"),
        json!("https://gw.example.com"),
        json!("*"),
        json!(["https://other.example"]),
    ] {
        let refused = outcome(&with(&claims(), "aud", bad.clone())).unwrap_err();
        assert_eq!(refused, TokenError::AudienceRefused, "{bad}");
    }
    let none = outcome(&with(&claims(), "aud", json!([]))).unwrap_err();
    assert_eq!(none, TokenError::ClaimMissing(Claim::Audience));
}

#[test]
fn configured_audiences_are_accepted_and_no_others() {
    let key = TestKey::p256("k1");
    let mut spec = IssuerSpec::new(ISSUER);
    spec.audiences = vec!["api://kenward".to_owned()];
    let token = key.token(&with(&claims(), "aud", json!("api://kenward")));
    assert_eq!(check(&token, &key.key_set()).unwrap_err(), TokenError::AudienceRefused);
    check_as(&token, &spec, &key.key_set()).unwrap();
    let longer = key.token(&with(&claims(), "aud", json!("api://kenward2")));
    assert!(check_as(&longer, &spec, &key.key_set()).is_err());
}

#[test]
fn an_empty_audience_matches_nothing() {
    let key = TestKey::p256("k1");
    let spec = IssuerSpec::new(ISSUER);
    for aud in [json!(""), json!([""])] {
        let token = key.token(&with(&claims(), "aud", aud));
        let now = Timestamp::from_seconds(NOW);
        assert!(verify(&token, &spec, &key.key_set(), "", now, LEEWAY).is_err());
    }
}

#[test]
fn the_times_hold_to_the_second_with_the_leeway() {
    let times = |exp: i64, nbf: i64, iat: i64| {
        let claims = with(&with(&claims(), "exp", json!(exp)), "nbf", json!(nbf));
        outcome(&with(&claims, "iat", json!(iat))).map(drop)
    };
    assert_eq!(times(NOW - 29, NOW, NOW), Ok(()));
    assert_eq!(times(NOW - 30, NOW, NOW), Err(TokenError::Expired));
    assert_eq!(times(NOW + 300, NOW + 30, NOW), Ok(()));
    assert_eq!(times(NOW + 300, NOW + 31, NOW), Err(TokenError::NotYetValid));
    assert_eq!(times(NOW + 300, NOW, NOW + 30), Ok(()));
    assert_eq!(times(NOW + 300, NOW, NOW + 31), Err(TokenError::NotYetValid));
}

#[test]
fn times_that_are_no_times_are_refused() {
    for (name, claim) in [
        ("exp", Claim::Expiry),
        ("nbf", Claim::NotBefore),
        ("iat", Claim::IssuedAt),
        ("auth_time", Claim::AuthenticatedAt),
    ] {
        for bad in [
            json!("1900000000"),
            json!(-1),
            json!(-0.5),
            json!(NOW * 1000),
            json!(1e300),
            json!(u64::MAX),
            json!([NOW]),
        ] {
            let refused = outcome(&with(&claims(), name, bad.clone())).unwrap_err();
            assert_eq!(refused, TokenError::ClaimMalformed(claim), "{name}: {bad}");
        }
    }
    let fraction = outcome(&with(&claims(), "exp", json!(1_800_000_100.9))).unwrap();
    assert_eq!(fraction.expires, Timestamp::from_seconds(1_800_000_100));
}

#[test]
fn other_tokens_of_the_same_issuer_are_refused() {
    let untyped = |extra: &[(&str, Value)]| {
        let key = TestKey::p256("k1");
        let header = with(&key.header(), "typ", json!("JWT")).to_string();
        let claims =
            extra.iter().fold(claims(), |claims, (name, value)| with(&claims, name, value.clone()));
        check(&key.sign(&header, &claims.to_string()), &key.key_set()).map(drop)
    };
    assert_eq!(untyped(&[]), Ok(()));
    for (name, value) in [
        ("nonce", json!("n")),
        ("at_hash", json!("h")),
        ("c_hash", json!("h")),
        ("s_hash", json!("h")),
        ("typ", json!("ID")),
        ("typ", json!("Refresh")),
        ("typ", json!("Offline")),
        ("typ", json!("Logout")),
        ("typ", json!(7)),
        ("token_use", json!("id")),
        ("events", json!({})),
    ] {
        assert_eq!(untyped(&[(name, value)]), Err(TokenError::NotAccessToken), "{name}");
    }
    assert_eq!(untyped(&[("typ", json!("Bearer")), ("nonce", json!("n"))]), Ok(()));
    assert_eq!(untyped(&[("token_use", json!("access"))]), Ok(()));
    let both = [("typ", json!("Bearer")), ("token_use", json!("id"))];
    assert_eq!(untyped(&both), Err(TokenError::NotAccessToken));
    let at_hash = outcome(&with(&claims(), "at_hash", json!("h"))).unwrap_err();
    assert_eq!(at_hash, TokenError::NotAccessToken);
    outcome(&with(&claims(), "nonce", json!("n"))).unwrap();
}

#[test]
fn a_token_that_is_bound_to_a_key_is_not_taken_without_the_proof() {
    for bound in [json!({ "jkt": "x" }), json!({ "x5t#S256": "x" }), json!({})] {
        let refused = outcome(&with(&claims(), "cnf", bound)).unwrap_err();
        assert_eq!(refused, TokenError::SenderConstrained);
    }
}

#[test]
fn a_description_is_a_constant_that_fits_a_header() {
    let secret = "s3cret";
    let token = with(&with(&claims(), "sub", json!([secret])), "iss", json!(ISSUER));
    let error = outcome(&token).unwrap_err();
    assert!(!error.to_string().contains(secret) && !error.description().contains(secret));
    assert!(error.description().bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"'));
}
