//! From an access token to the caller whom it vouches for (RFC 9068, RFC 8725).

use std::sync::Arc;
use std::time::Duration;

use kenward_model::{Caller, EntityUid, Timestamp};
use serde_json::Value;

use crate::claims::Claims;
use crate::error::{Claim, TokenError};
use crate::jws::{Compact, Header};
use crate::{IssuerSpec, KeySet, fingerprint, json};

/// Verifies an access token of the issuer `spec` for the resource `audience`.
///
/// `audience` is the endpoint's own URL; the token's `aud` must contain it, or one of the issuer's
/// extra audiences, exactly. `leeway` is granted to the clock of the issuer in both directions.
pub fn verify(
    token: &str,
    spec: &IssuerSpec,
    keys: &KeySet,
    audience: &str,
    now: Timestamp,
    leeway: Duration,
) -> Result<Caller, TokenError> {
    let token = Compact::parse(token)?;
    let typed = is_typed(&token.header)?;
    token.verify(keys, &spec.algorithms)?;
    let claims = claims(&token)?;
    if claims.required("iss", Claim::Issuer)? != spec.issuer {
        return Err(TokenError::UnknownIssuer);
    }
    check_audience(&claims, spec, audience)?;
    let expires = check_time(&claims, now, leeway)?;
    check_kind(&claims, typed)?;
    caller(claims, spec, expires)
}

/// Who a token says has issued it, to choose whose keys to verify it with and for nothing else.
pub fn unverified_issuer(token: &str) -> Result<String, TokenError> {
    let claims = claims(&Compact::parse(token)?)?;
    claims.required("iss", Claim::Issuer).map(str::to_owned)
}

/// Which key a token says has signed it, to tell whether that key is known and for nothing else.
pub fn unverified_kid(token: &str) -> Result<Option<String>, TokenError> {
    Ok(Compact::parse(token)?.header.kid)
}

fn claims(token: &Compact<'_>) -> Result<Claims, TokenError> {
    json::parse_object(&token.payload).map(Claims).map_err(|_| TokenError::Malformed)
}

/// Whether the header says that this is an access token; it may also say nothing, but nothing else.
fn is_typed(header: &Header) -> Result<bool, TokenError> {
    match header.kind.as_deref() {
        Some("at+jwt") => Ok(true),
        Some("jwt") | None => Ok(false),
        Some(_) => Err(TokenError::TypeRefused),
    }
}

fn check_audience(claims: &Claims, spec: &IssuerSpec, audience: &str) -> Result<(), TokenError> {
    let meant = claims.texts("aud", Claim::Audience)?;
    if meant.is_empty() {
        return Err(TokenError::ClaimMissing(Claim::Audience));
    }
    let ours = |one: &Arc<str>| {
        **one == *audience || spec.audiences.iter().any(|accepted| **accepted == **one)
    };
    if meant.iter().any(ours) { Ok(()) } else { Err(TokenError::AudienceRefused) }
}

fn check_time(claims: &Claims, now: Timestamp, leeway: Duration) -> Result<Timestamp, TokenError> {
    let expires =
        claims.time("exp", Claim::Expiry)?.ok_or(TokenError::ClaimMissing(Claim::Expiry))?;
    if now >= expires.plus(leeway) {
        return Err(TokenError::Expired);
    }
    for (name, claim) in [("nbf", Claim::NotBefore), ("iat", Claim::IssuedAt)] {
        if claims.time(name, claim)?.is_some_and(|begin| begin > now.plus(leeway)) {
            return Err(TokenError::NotYetValid);
        }
    }
    Ok(expires)
}

/// Refuses what issuers sign with the same keys and what is easily taken for an access token.
fn check_kind(claims: &Claims, typed: bool) -> Result<(), TokenError> {
    // RFC 9449 section 7 and RFC 8705 section 3: without the proof such a token is a stolen one.
    if claims.has("cnf") {
        return Err(TokenError::SenderConstrained);
    }
    let says = |name: &str, access: &str| match claims.0.get(name) {
        None => None,
        Some(Value::String(kind)) => Some(kind.eq_ignore_ascii_case(access)),
        Some(_) => Some(false),
    };
    // Keycloak's and Cognito's own words for what a token is.
    let own_word = [says("typ", "Bearer"), says("token_use", "access")];
    // OpenID Connect Core section 2; of these, older issuers write `nonce` into access tokens too.
    let id_token = ["at_hash", "c_hash", "s_hash"].iter().any(|name| claims.has(name));
    let nonce = claims.has("nonce") && !typed && !own_word.contains(&Some(true));
    // RFC 8417 section 2.2: logout tokens and security events.
    let event = claims.has("events");
    if own_word.contains(&Some(false)) || id_token || nonce || event {
        return Err(TokenError::NotAccessToken);
    }
    Ok(())
}

fn caller(claims: Claims, spec: &IssuerSpec, expires: Timestamp) -> Result<Caller, TokenError> {
    let subject = Arc::from(claims.required("sub", Claim::Subject)?);
    let user = claims.required(&spec.claims.user, Claim::User)?;
    let user = match &spec.user_prefix {
        Some(prefix) => format!("{prefix}{user}"),
        None => user.to_owned(),
    };
    let mut caller = Caller {
        user: EntityUid::new("User", user),
        agent: EntityUid::new("Mcp::Agent", claims.agent(&spec.claims)?),
        issuer: Arc::from(spec.issuer.as_str()),
        subject,
        groups: claims.groups(&spec.claims)?,
        scopes: claims.scopes()?,
        acr: claims.optional("acr", Claim::Context)?.map(Arc::from),
        amr: claims.texts("amr", Claim::Methods)?,
        auth_time: claims.time("auth_time", Claim::AuthenticatedAt)?,
        expires,
        claims: Value::Object(claims.0),
        fingerprint: 0,
    };
    caller.fingerprint = fingerprint::of(&caller);
    Ok(caller)
}

#[cfg(test)]
mod tests;
