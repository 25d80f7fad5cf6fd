//! Verifying a grant, as a service behind the gateway does.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kenward_model::Timestamp;
use serde_json::Value;

use super::{GrantError, LONGEST, TYPE, arguments_sha256};
use crate::claims::Claims;
use crate::error::{Claim, TokenError};
use crate::jws::Compact;
use crate::{KeySet, SignatureAlgorithm, json};

/// How far the clocks within a trust domain may differ: a service behind the gateway may be slow.
const TOLERANCE: Duration = Duration::from_secs(5);
/// What grants may be signed with.
const ALGORITHMS: [SignatureAlgorithm; 2] = [SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa];

/// Verifies a grant with the published keys `jwks` and gives its claims.
///
/// That the grant is of this very call is for the service to see: compare `tctx` with the call, its
/// arguments by [`fits_arguments`], and accept each `txn` once.
pub fn verify(
    token: &str,
    jwks: &Value,
    trust_domain: &str,
    now: Timestamp,
) -> Result<Value, GrantError> {
    let keys = KeySet::from_value(jwks)?;
    let token = Compact::parse(token)?;
    if token.header.kind.as_deref() != Some(TYPE) {
        return Err(TokenError::TypeRefused.into());
    }
    if token.header.kid.is_none() {
        return Err(TokenError::KeyUnknown.into());
    }
    token.verify(&keys, &ALGORITHMS)?;
    let claims = json::parse_object(&token.payload).map_err(|_| TokenError::Malformed)?;
    let claims = Claims(claims);
    check_claims(&claims, trust_domain)?;
    check_time(&claims, now)?;
    Ok(Value::Object(claims.0))
}

/// Whether the grant with these `claims` is for a call with these `arguments`, null for none.
pub fn fits_arguments(claims: &Value, arguments: &Value) -> bool {
    let Some(hash) = claims.pointer("/tctx/args_hash") else { return false };
    let says = |name: &str, value: &str| hash.get(name).is_some_and(|said| said == value);
    arguments_sha256(arguments).is_ok_and(|digest| {
        says("alg", "sha-256")
            && says("canon", "RFC8785")
            && says("value", &URL_SAFE_NO_PAD.encode(digest))
    })
}

fn check_claims(claims: &Claims, trust_domain: &str) -> Result<(), GrantError> {
    for name in ["txn", "sub", "scope", "req_wl"] {
        let text = claims.0.get(name).and_then(Value::as_str);
        if text.is_none_or(str::is_empty) {
            return Err(GrantError::Claim(name));
        }
    }
    // Exactly one audience: a list could name others to whom the grant might be passed on.
    let audience = claims.0.get("aud").and_then(Value::as_str).ok_or(GrantError::Claim("aud"))?;
    if audience == trust_domain { Ok(()) } else { Err(GrantError::TrustDomain) }
}

fn check_time(claims: &Claims, now: Timestamp) -> Result<(), GrantError> {
    let time = |name, claim| claims.time(name, claim).ok().flatten().ok_or(GrantError::Claim(name));
    let issued = time("iat", Claim::IssuedAt)?;
    let expires = time("exp", Claim::Expiry)?;
    if now >= expires.plus(TOLERANCE) {
        return Err(GrantError::Expired);
    }
    if issued > now.plus(TOLERANCE) {
        return Err(GrantError::NotYetValid);
    }
    if expires.since(issued) > LONGEST { Err(GrantError::Lifetime) } else { Ok(()) }
}
