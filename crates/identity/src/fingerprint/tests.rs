//! Fields cannot run into each other; what is in the fingerprint of a token is tested with tokens.

use std::sync::Arc;

use kenward_model::{Caller, EntityUid, Timestamp};
use serde_json::json;

use super::of;

fn caller() -> Caller {
    Caller {
        user: EntityUid::new("User", "rita"),
        agent: EntityUid::new("Mcp::Agent", "desk"),
        issuer: "https://idp.example".into(),
        subject: "rita".into(),
        groups: vec!["a".into(), "b".into()],
        scopes: Vec::new(),
        acr: None,
        amr: Vec::new(),
        auth_time: None,
        expires: Timestamp::from_seconds(1),
        claims: json!({ "sub": "rita" }),
        fingerprint: 0,
    }
}

fn texts(texts: &[&str]) -> Vec<Arc<str>> {
    texts.iter().map(|text| Arc::from(*text)).collect()
}

#[test]
fn the_same_caller_has_the_same_fingerprint_whenever_the_token_ends() {
    let later = Caller { expires: Timestamp::from_seconds(9), fingerprint: 7, ..caller() };
    assert_eq!(of(&caller()), of(&later));
}

#[test]
fn fields_do_not_run_into_each_other() {
    let all = [
        caller(),
        Caller { groups: texts(&["ab"]), ..caller() },
        Caller { groups: texts(&["a"]), scopes: texts(&["b"]), ..caller() },
        Caller { groups: Vec::new(), scopes: texts(&["a", "b"]), ..caller() },
        Caller { groups: texts(&["b", "a"]), ..caller() },
        Caller { acr: Some("x".into()), ..caller() },
        Caller { amr: texts(&["x"]), ..caller() },
        Caller { auth_time: Some(Timestamp::from_seconds(0)), ..caller() },
        Caller { user: EntityUid::new("Userr", "ita"), ..caller() },
        Caller {
            user: EntityUid::new("User", "desk"),
            agent: EntityUid::new("Mcp::Agent", "rita"),
            ..caller()
        },
        Caller { issuer: "https://idp.exampl".into(), subject: "erita".into(), ..caller() },
        Caller { subject: "root".into(), ..caller() },
        Caller { issuer: "https://other.example".into(), ..caller() },
        Caller { claims: json!({ "sub": "rita", "x": null }), ..caller() },
        Caller { claims: json!({ "sub": "rita", "x": { "exp": 1 } }), ..caller() },
        Caller { claims: json!({ "sub": "rita", "x": { "exp": 2 } }), ..caller() },
    ];
    let mut fingerprints: Vec<u64> = all.iter().map(of).collect();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), all.len());
}
