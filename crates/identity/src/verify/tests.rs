//! Access tokens: everything that must be so is tried otherwise.

mod algorithms;
mod caller;
mod claims;

use std::time::Duration;

use kenward_model::{Caller, Timestamp};
use serde_json::{Value, json};

use super::verify;
use crate::testing::TestKey;
use crate::{IssuerSpec, KeySet, TokenError};

const ISSUER: &str = "https://idp.example.com";
const AUDIENCE: &str = "https://gw.example.com/mcp/crm";
const NOW: i64 = 1_800_000_000;
const LEEWAY: Duration = Duration::from_secs(30);

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "rita", "aud": AUDIENCE, "client_id": "desk",
        "iat": NOW - 10, "exp": NOW + 300, "jti": "1", "scope": "crm:read crm:write",
    })
}

fn check(token: &str, keys: &KeySet) -> Result<Caller, TokenError> {
    check_as(token, &IssuerSpec::new(ISSUER), keys)
}

fn check_as(token: &str, spec: &IssuerSpec, keys: &KeySet) -> Result<Caller, TokenError> {
    verify(token, spec, keys, AUDIENCE, Timestamp::from_seconds(NOW), LEEWAY)
}

/// What becomes of a token with these claims when all else is right.
fn outcome(claims: &Value) -> Result<Caller, TokenError> {
    let key = TestKey::p256("k1");
    check(&key.token(claims), &key.key_set())
}
