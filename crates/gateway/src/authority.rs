//! The issuers that are trusted, their keys, and the tokens already verified.

mod fetch;
mod issuer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kenward_identity::{IssuerSpec, KeySet, TokenError, unverified_issuer, verify};
use kenward_model::{Caller, Timestamp};
use moka::sync::Cache;
use sha2::{Digest, Sha256};

pub(crate) use fetch::get;
use issuer::Issuer;

use crate::upstream::Client;

/// Tokens remembered at most; each costs about 2 KB.
const REMEMBERED_TOKENS: u64 = 20_000;

/// Why nobody can be called a caller.
#[derive(Debug)]
pub(crate) enum NotAuthenticated {
    /// No bearer token at all.
    Missing,
    /// The token is not good, for a reason that may be told.
    Refused(TokenError),
    /// The keys of the issuer are not there, so nothing can be verified.
    KeysUnavailable,
}

/// An issuer whose keys could not be had.
#[derive(Debug, Clone)]
pub struct IssuerProblem {
    /// The issuer as configured.
    pub issuer: String,
    /// What went wrong.
    pub problem: String,
}

impl fmt::Display for IssuerProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the keys of issuer `{}` cannot be had: {}", self.issuer, self.problem)
    }
}

/// The issuers that are trusted, with their keys as last seen.
#[derive(Debug)]
pub struct Issuers {
    trusted: Vec<Issuer>,
    leeway: Duration,
    verified: Cache<[u8; 32], Arc<Verified>>,
}

/// A token that was verified, with what the verification rested on.
#[derive(Debug)]
struct Verified {
    caller: Arc<Caller>,
    keys: u64,
}

impl Issuers {
    /// Trusts the issuers of `specs`; relative key files are looked for beside `base`.
    pub fn new(specs: Vec<IssuerSpec>, base: &Path, leeway: Duration) -> Self {
        let client = Client::new();
        let trusted =
            specs.into_iter().map(|spec| Issuer::new(spec, base, client.clone())).collect();
        Self { trusted, leeway, verified: Cache::new(REMEMBERED_TOKENS) }
    }

    /// Takes over the keys that `before` had for the same issuers: a reload while one is away loses
    /// nobody.
    pub fn inherit(&self, before: &Self) {
        for issuer in &self.trusted {
            let same = before.trusted.iter().find(|old| old.spec == issuer.spec);
            if let Some(old) = same {
                issuer.inherit(old);
            }
        }
    }

    /// Gets the keys of all issuers at once; what cannot be had comes back.
    pub async fn refresh(&self, now: Timestamp) -> Vec<IssuerProblem> {
        let all = self.trusted.iter().map(|issuer| issuer.refresh(now));
        futures_util::future::join_all(all).await.into_iter().filter_map(Result::err).collect()
    }

    /// Gets the keys of those issuers whose keys have grown old.
    pub async fn refresh_stale(&self, now: Timestamp) -> Vec<IssuerProblem> {
        let stale = self.trusted.iter().filter(|issuer| issuer.is_stale(now));
        let all = stale.map(|issuer| issuer.refresh(now));
        futures_util::future::join_all(all).await.into_iter().filter_map(Result::err).collect()
    }

    /// The issuers without keys: nobody whom they vouch for can call.
    pub fn missing(&self) -> Vec<String> {
        let without = self.trusted.iter().filter(|issuer| issuer.keys().is_none());
        without.map(|issuer| issuer.spec.issuer.clone()).collect()
    }

    /// The issuers' own names, for the metadata of every protected resource.
    pub fn names(&self) -> Vec<String> {
        self.trusted.iter().map(|issuer| issuer.spec.issuer.clone()).collect()
    }

    /// Who presents `token` at the endpoint that is `audience`.
    ///
    /// A token that was verified before is not verified again until it ends or its key goes.
    pub(crate) async fn authenticate(
        &self,
        token: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Arc<Caller>, NotAuthenticated> {
        let digest = remembered_as(token, audience);
        if let Some(verified) = self.verified.get(&digest) {
            if self.still_holds(&verified, now) {
                return Ok(Arc::clone(&verified.caller));
            }
            self.verified.invalidate(&digest);
        }
        let name = unverified_issuer(token).map_err(NotAuthenticated::Refused)?;
        let issuer = self
            .trusted
            .iter()
            .find(|issuer| issuer.spec.issuer == name)
            .ok_or(NotAuthenticated::Refused(TokenError::UnknownIssuer))?;
        let (caller, keys) = self.verify(issuer, token, audience, now).await?;
        let caller = Arc::new(caller);
        let verified = Verified { caller: Arc::clone(&caller), keys: keys.generation() };
        self.verified.insert(digest, Arc::new(verified));
        Ok(caller)
    }

    async fn verify(
        &self,
        issuer: &Issuer,
        token: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<(Caller, Arc<KeySet>), NotAuthenticated> {
        let keys = match issuer.keys() {
            Some(keys) => keys,
            None => issuer.newer_keys(now).await.ok_or(NotAuthenticated::KeysUnavailable)?,
        };
        match verify(token, &issuer.spec, &keys, audience, now, self.leeway) {
            Ok(caller) => Ok((caller, keys)),
            Err(error) if error.is_unknown_key() => {
                let Some(keys) = issuer.newer_keys(now).await else {
                    return Err(NotAuthenticated::Refused(error));
                };
                let again = verify(token, &issuer.spec, &keys, audience, now, self.leeway);
                again.map(|caller| (caller, keys)).map_err(NotAuthenticated::Refused)
            }
            Err(error) => Err(NotAuthenticated::Refused(error)),
        }
    }

    fn still_holds(&self, verified: &Verified, now: Timestamp) -> bool {
        let caller = &verified.caller;
        let same_keys = self
            .trusted
            .iter()
            .find(|issuer| issuer.spec.issuer == *caller.issuer)
            .and_then(Issuer::keys)
            .is_some_and(|keys| keys.generation() == verified.keys);
        same_keys && now < caller.expires.plus(self.leeway)
    }
}

/// What a token is remembered as: never the token itself.
fn remembered_as(token: &str, audience: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(audience.as_bytes());
    hasher.update([0]);
    hasher.update(token.as_bytes());
    hasher.finalize().into()
}
