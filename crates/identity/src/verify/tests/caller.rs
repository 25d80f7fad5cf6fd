//! Who the caller is, from which claims, and under which fingerprint.

use kenward_model::{EntityUid, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ISSUER, NOW, check, check_as, claims, outcome};
use crate::testing::{TestKey, with};
use crate::{Claim, IssuerSpec, TokenError};

fn outcome_as(spec: &IssuerSpec, claims: &Value) -> Result<kenward_model::Caller, TokenError> {
    let key = TestKey::p256("k1");
    check_as(&key.token(claims), spec, &key.key_set())
}

fn grouped(claim: &str) -> IssuerSpec {
    let mut spec = IssuerSpec::new(ISSUER);
    spec.claims.groups = Some(claim.to_owned());
    spec
}

#[test]
fn the_caller_is_what_the_claims_say() {
    let mut spec = grouped("groups");
    spec.user_prefix = Some("acme/".to_owned());
    let claims = [
        ("groups", json!(["representatives", "everybody"])),
        ("acr", json!("urn:mfa")),
        ("amr", json!(["pwd", "otp"])),
        ("auth_time", json!(NOW - 60)),
    ]
    .into_iter()
    .fold(claims(), |claims, (name, value)| with(&claims, name, value));
    let caller = outcome_as(&spec, &claims).unwrap();
    assert_eq!(caller.user, EntityUid::new("User", "acme/rita"));
    assert_eq!(caller.agent, EntityUid::new("Mcp::Agent", "desk"));
    assert_eq!((&*caller.issuer, &*caller.subject), (ISSUER, "rita"));
    assert_eq!(caller.groups, ["representatives".into(), "everybody".into()]);
    assert!(caller.has_scope("crm:read") && caller.has_scope("crm:write"));
    assert_eq!(caller.scopes.len(), 2);
    assert_eq!(caller.acr.as_deref(), Some("urn:mfa"));
    assert_eq!(caller.amr, ["pwd".into(), "otp".into()]);
    assert_eq!(caller.auth_time, Some(Timestamp::from_seconds(NOW - 60)));
    assert_eq!(caller.expires, Timestamp::from_seconds(NOW + 300));
    assert_eq!(caller.claims, claims);
}

#[test]
fn the_agent_is_client_id_and_otherwise_azp() {
    let agent = |claims: &Value| outcome(claims).map(|caller| caller.agent.id.to_string());
    let both = with(&claims(), "azp", json!("other"));
    assert_eq!(agent(&both).unwrap(), "desk");
    assert_eq!(agent(&with(&both, "client_id", Value::Null)).unwrap(), "other");
    let malformed = agent(&with(&both, "client_id", json!(7))).unwrap_err();
    assert_eq!(malformed, TokenError::ClaimMalformed(Claim::Agent));
}

#[test]
fn users_and_groups_come_from_the_configured_claims() {
    let mut spec = grouped("/realm_access/roles");
    spec.claims.user = "https://acme.example/id".to_owned();
    spec.claims.agent = "/act/sub".to_owned();
    let claims = [
        ("realm_access", json!({ "roles": ["clerks"] })),
        ("https://acme.example/id", json!("r-17")),
        ("act", json!({ "sub": "bot" })),
    ]
    .into_iter()
    .fold(claims(), |claims, (name, value)| with(&claims, name, value));
    let caller = outcome_as(&spec, &claims).unwrap();
    assert_eq!((&*caller.user.id, &*caller.agent.id, &*caller.subject), ("r-17", "bot", "rita"));
    assert_eq!(caller.groups, ["clerks".into()]);
    let without = with(&claims, "https://acme.example/id", Value::Null);
    let missing = outcome_as(&spec, &without).unwrap_err();
    assert_eq!(missing, TokenError::ClaimMissing(Claim::User));
}

#[test]
fn groups_that_nobody_configured_are_not_believed() {
    let caller = outcome(&with(&claims(), "groups", json!(["admins"]))).unwrap();
    assert!(caller.groups.is_empty());
}

#[test]
fn groups_that_are_left_out_refuse_the_token() {
    let spec = grouped("groups");
    for (name, value) in [("_claim_names", json!({ "groups": "src1" })), ("hasgroups", json!(true))]
    {
        let refused = outcome_as(&spec, &with(&claims(), name, value)).unwrap_err();
        assert_eq!(refused, TokenError::GroupsLeftOut);
    }
    for bad in [json!({ "a": 1 }), json!(7), json!(["a", 7]), json!([""])] {
        let refused = outcome_as(&spec, &with(&claims(), "groups", bad)).unwrap_err();
        assert_eq!(refused, TokenError::ClaimMalformed(Claim::Groups));
    }
    let other = json!({ "address": "src1" });
    outcome_as(&spec, &with(&claims(), "_claim_names", other)).unwrap();
}

#[test]
fn scopes_are_read_from_both_claims_that_are_in_use() {
    let scopes = |claims: &Value| {
        outcome(claims).unwrap().scopes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let without = with(&claims(), "scope", Value::Null);
    assert!(scopes(&without).is_empty());
    assert_eq!(scopes(&with(&without, "scp", json!("a b"))), ["a", "b"]);
    assert_eq!(scopes(&with(&without, "scp", json!(["a", "b"]))), ["a", "b"]);
    assert_eq!(scopes(&with(&claims(), "scp", json!("admin"))), ["crm:read", "crm:write"]);
    let malformed = outcome(&with(&claims(), "scope", json!({ "a": 1 }))).unwrap_err();
    assert_eq!(malformed, TokenError::ClaimMalformed(Claim::Scope));
}

#[test]
fn a_renewed_token_has_the_same_fingerprint() {
    let first = outcome(&claims()).unwrap();
    let renewed =
        [("exp", json!(NOW + 900)), ("iat", json!(NOW)), ("nbf", json!(NOW)), ("jti", json!("2"))]
            .into_iter()
            .fold(claims(), |claims, (name, value)| with(&claims, name, value));
    let renewed = outcome(&renewed).unwrap();
    assert_eq!(first.fingerprint, renewed.fingerprint);
    assert_ne!(first.expires, renewed.expires);
}

#[test]
fn every_right_is_in_the_fingerprint() {
    let key = TestKey::p256("k1");
    let keys = key.key_set();
    let base = check(&key.token(&claims()), &keys).unwrap().fingerprint;
    for (name, value) in [
        ("sub", json!("root")),
        ("client_id", json!("other")),
        ("scope", json!("crm:read")),
        ("scope", json!("crm:write crm:read")),
        ("acr", json!("mfa")),
        ("amr", json!(["mfa"])),
        ("auth_time", json!(NOW)),
        ("groups", json!(["admins"])),
        ("department", json!("sales")),
        ("nested", json!({ "exp": 1 })),
        ("big", json!(9_007_199_254_740_993_u64)),
    ] {
        let changed = with(&claims(), name, value);
        let other = check(&key.token(&changed), &keys).unwrap().fingerprint;
        assert_ne!(base, other, "{name}");
    }
    let one = with(&claims(), "n", json!(9_007_199_254_740_993_u64));
    let two = with(&claims(), "n", json!(9_007_199_254_740_992_u64));
    let fingerprint = |claims| check(&key.token(claims), &keys).unwrap().fingerprint;
    assert_ne!(fingerprint(&one), fingerprint(&two));
}

#[test]
fn trust_in_the_groups_and_the_prefix_are_in_the_fingerprint() {
    let claims = with(&claims(), "groups", json!(["a"]));
    let plain = outcome(&claims).unwrap().fingerprint;
    assert_ne!(plain, outcome_as(&grouped("groups"), &claims).unwrap().fingerprint);
    let mut prefixed = IssuerSpec::new(ISSUER);
    prefixed.user_prefix = Some("x".to_owned());
    assert_ne!(plain, outcome_as(&prefixed, &claims).unwrap().fingerprint);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_the_claims_does_not_count(
        extra in prop::collection::btree_map("[a-z]{9,12}", any::<i64>(), 1..5),
    ) {
        let mut forth = claims();
        let mut back = json!({});
        for (name, value) in &extra {
            forth = with(&forth, name, json!(value));
        }
        for (name, value) in forth.as_object().unwrap().iter().rev() {
            back = with(&back, name, value.clone());
        }
        prop_assert_ne!(forth.to_string(), back.to_string());
        let (forth, back) = (outcome(&forth).unwrap(), outcome(&back).unwrap());
        prop_assert_eq!(forth.fingerprint, back.fingerprint);
    }
}
