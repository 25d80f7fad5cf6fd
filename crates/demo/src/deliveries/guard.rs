//! Whom the service trusts: a call is answered if a grant of the gateway fits it (Transaction Tokens).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ::http::{Request, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::Full;
use kenward_identity::TokenError;
use kenward_identity::grant::{self, GrantError};
use kenward_model::{Target, Timestamp};
use serde_json::Value;

use super::Guard;
use crate::clock;
use crate::http::Http;

/// Why a call is not trusted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Distrust {
    #[error("this service takes calls from its gateway alone, with a grant")]
    NoGrant,
    #[error("the grant is not good: {0}")]
    NotGood(GrantError),
    #[error("the gateway's keys cannot be had")]
    NoKeys,
    #[error("the grant is for another {0}")]
    OtherCall(&'static str),
    #[error("the grant has been used before")]
    Spent,
}

/// A call, as far as a grant speaks of it.
#[derive(Debug)]
pub(super) struct Call<'c> {
    pub(super) method: &'c str,
    pub(super) target: &'c Target<'c>,
    pub(super) arguments: &'c Value,
    /// The endpoint that it came to.
    pub(super) endpoint: &'c str,
}

/// Checks grants and remembers which were used.
#[derive(Debug)]
pub(super) struct Keeper {
    guard: Guard,
    http: Http,
    keys: Mutex<Option<Value>>,
    /// When each used grant has ended at the latest.
    spent: Mutex<HashMap<String, Timestamp>>,
}

impl Keeper {
    pub(super) fn new(guard: Guard) -> Self {
        Self { guard, http: Http::new(), keys: Mutex::default(), spent: Mutex::default() }
    }

    /// The claims of `token`, if it is a grant for this very call that was never used before.
    pub(super) async fn check(
        &self,
        token: Option<&str>,
        call: &Call<'_>,
    ) -> Result<Value, Distrust> {
        let token = token.ok_or(Distrust::NoGrant)?;
        let claims = self.verify(token).await?;
        fits(&claims, call)?;
        self.spend(&claims, clock::now())?;
        Ok(claims)
    }

    /// Verifies with the keys at hand; with fresh ones when the grant names a key not among them.
    async fn verify(&self, token: &str) -> Result<Value, Distrust> {
        let known = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(keys) = known {
            match self.verify_with(token, &keys) {
                Err(GrantError::Token(error)) if is_unknown_key(&error) => {}
                verified => return verified.map_err(Distrust::NotGood),
            }
        }
        let keys = self.fetch().await.ok_or(Distrust::NoKeys)?;
        let verified = self.verify_with(token, &keys);
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys);
        verified.map_err(Distrust::NotGood)
    }

    fn verify_with(&self, token: &str, keys: &Value) -> Result<Value, GrantError> {
        grant::verify(token, keys, &self.guard.trust_domain, clock::now())
    }

    async fn fetch(&self) -> Option<Value> {
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = Uri::try_from(&self.guard.jwks).ok()?;
        let answer = self.http.send(request).await.ok()?;
        serde_json::from_slice(&answer.body).ok().filter(|_| answer.status.is_success())
    }

    fn spend(&self, claims: &Value, now: Timestamp) -> Result<(), Distrust> {
        let txn = claims.get("txn").and_then(Value::as_str).ok_or(Distrust::OtherCall("call"))?;
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.retain(|_, until| now < *until);
        // No grant lives longer than five minutes; twice that covers every clock.
        let until = now.plus(std::time::Duration::from_mins(10));
        match spent.insert(txn.to_owned(), until) {
            None => Ok(()),
            Some(_) => Err(Distrust::Spent),
        }
    }
}

/// The header of a token, decoded.
pub(super) fn header(token: &str) -> Value {
    let bytes = token.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null)
}

/// Whether the grant is for this call: the same method, target, server and arguments.
fn fits(claims: &Value, call: &Call<'_>) -> Result<(), Distrust> {
    let says = |name: &str| claims.pointer(&format!("/tctx/{name}")).and_then(Value::as_str);
    if says("method") != Some(call.method) {
        return Err(Distrust::OtherCall("method"));
    }
    if says("server") != Some(call.endpoint) {
        return Err(Distrust::OtherCall("server"));
    }
    let member = match call.target {
        Target::Server => None,
        Target::Tool(_) => Some("tool"),
        Target::Prompt(_) => Some("prompt"),
        Target::Resource(_) => Some("uri"),
        Target::ResourceTemplate(_) => Some("uri_template"),
    };
    if member.and_then(says) != call.target.name() {
        return Err(Distrust::OtherCall("target"));
    }
    if !grant::fits_arguments(claims, call.arguments) {
        return Err(Distrust::OtherCall("set of arguments"));
    }
    Ok(())
}

fn is_unknown_key(error: &TokenError) -> bool {
    error.is_unknown_key()
}
