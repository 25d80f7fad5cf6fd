//! Grants that nobody made, and other tokens in their place.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{GrantError, GrantKey, mint, verify};
use super::{DOMAIN, NOW, grant, published};
use crate::testing::{TestKey, changed, with};
use crate::{IssuerSpec, KeySet, TokenError};

fn claims() -> Value {
    let now = NOW.as_seconds();
    json!({ "aud": DOMAIN, "iat": now, "exp": now + 30, "txn": "t", "sub": "rita", "scope": "s",
            "req_wl": "w" })
}

/// What becomes of a token of a key that the service trusts for grants.
fn outcome(key: &TestKey, header: &Value, claims: &Value) -> Result<Value, GrantError> {
    let token = key.sign(&header.to_string(), &claims.to_string());
    verify(&token, &json!({ "keys": [key.jwk()] }), DOMAIN, NOW)
}

fn header(key: &TestKey) -> Value {
    with(&key.header(), "typ", json!("txntoken+jwt"))
}

#[test]
fn a_grant_of_an_unpublished_key_is_refused() {
    let (ours, theirs) = (GrantKey::generate(NOW).unwrap(), GrantKey::generate(NOW).unwrap());
    let token = mint(&theirs, &grant(), NOW).unwrap();
    let refused = verify(&token, &published(&[&ours]), DOMAIN, NOW).unwrap_err();
    assert!(matches!(refused, GrantError::Token(TokenError::KeyUnknown)));
    verify(&token, &published(&[&ours, &theirs]), DOMAIN, NOW).unwrap();
    let renamed = with(&ours.public_jwk(), "kid", json!(theirs.kid()));
    let refused = verify(&token, &json!({ "keys": [renamed] }), DOMAIN, NOW).unwrap_err();
    assert!(matches!(refused, GrantError::Token(TokenError::SignatureWrong)));
    assert!(matches!(verify(&token, &json!({}), DOMAIN, NOW), Err(GrantError::Keys(_))));
}

#[test]
fn a_grant_is_good_in_its_own_trust_domain() {
    let key = GrantKey::generate(NOW).unwrap();
    let token = mint(&key, &grant(), NOW).unwrap();
    for other in ["", "corp.example.", "CORP.example", "sub.corp.example", "example"] {
        let refused = verify(&token, &published(&[&key]), other, NOW).unwrap_err();
        assert!(matches!(refused, GrantError::TrustDomain), "{other}");
    }
    let key = TestKey::p256("k");
    let listed = with(&claims(), "aud", json!([DOMAIN]));
    let refused = outcome(&key, &header(&key), &listed).unwrap_err();
    assert!(matches!(refused, GrantError::Claim("aud")));
}

#[test]
fn no_other_token_passes_for_a_grant() {
    let key = TestKey::p256("k");
    outcome(&key, &header(&key), &claims()).unwrap();
    for kind in [json!("at+jwt"), json!("JWT"), json!("txntoken"), json!(""), Value::Null] {
        let refused = outcome(&key, &with(&key.header(), "typ", kind), &claims()).unwrap_err();
        assert!(matches!(refused, GrantError::Token(TokenError::TypeRefused)));
    }
    let nameless = with(&header(&key), "kid", Value::Null);
    let refused = outcome(&key, &nameless, &claims()).unwrap_err();
    assert!(matches!(refused, GrantError::Token(TokenError::KeyUnknown)));
    let embedded = with(&header(&key), "jwk", key.jwk());
    let refused = outcome(&key, &embedded, &claims()).unwrap_err();
    assert!(matches!(refused, GrantError::Token(TokenError::HeaderRefused)));
    for other in [TestKey::rsa("k"), TestKey::p384("k")] {
        let refused = outcome(&other, &header(&other), &claims()).unwrap_err();
        assert!(matches!(refused, GrantError::Token(TokenError::AlgorithmRefused)));
    }
}

#[test]
fn a_grant_is_no_access_token() {
    let key = GrantKey::generate(NOW).unwrap();
    let token = mint(&key, &grant(), NOW).unwrap();
    let keys = KeySet::parse(published(&[&key]).to_string().as_bytes()).unwrap();
    let spec = IssuerSpec::new(grant().issuer);
    let refused = crate::verify(&token, &spec, &keys, DOMAIN, NOW, Duration::ZERO).unwrap_err();
    assert_eq!(refused, TokenError::TypeRefused);
}

#[test]
fn every_required_claim_is_required() {
    let key = TestKey::ed25519("k");
    outcome(&key, &header(&key), &claims()).unwrap();
    for name in ["aud", "iat", "exp", "txn", "sub", "scope", "req_wl"] {
        for bad in [Value::Null, json!(""), json!([]), json!({})] {
            let refused = outcome(&key, &header(&key), &with(&claims(), name, bad.clone()));
            let refused = refused.unwrap_err();
            let expected = matches!(refused, GrantError::Claim(missing) if missing == name);
            let other_domain = name == "aud" && matches!(refused, GrantError::TrustDomain);
            assert!(expected || other_domain, "{name}: {bad}: {refused}");
        }
    }
    let long = with(&claims(), "exp", json!(NOW.as_seconds() + 301));
    let refused = outcome(&key, &header(&key), &long).unwrap_err();
    assert!(matches!(refused, GrantError::Lifetime));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_character_of_a_grant_can_be_changed(place in any::<prop::sample::Index>(), new in "[A-Za-z0-9_.-]") {
        let key = GrantKey::generate(NOW).unwrap();
        let token = mint(&key, &grant(), NOW).unwrap();
        let changed = changed(&token, place.index(token.len()), &new);
        prop_assume!(changed != token);
        prop_assert!(verify(&changed, &published(&[&key]), DOMAIN, NOW).is_err());
    }
}
