//! Grants: Transaction Tokens (draft-ietf-oauth-transaction-tokens-10) that fit one call alone.
//!
//! The gateway mints one for every call that it forwards; a service verifies it and compares it
//! with the call that it received. It is no access token and nobody accepts it as one.

mod key;
mod mint;
mod verify;

use std::net::IpAddr;
use std::time::Duration;

use kenward_model::{DecisionId, EntityUid, Revision, Target};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use key::GrantKey;
pub use mint::mint;
pub use verify::{fits_arguments, verify};

use crate::TokenError;
use crate::canonical::{self, Numbers};
use crate::keys::KeySetError;

/// The header's `typ` (section 5.1 of the draft).
const TYPE: &str = "txntoken+jwt";
/// How long a grant may live: "minutes or less".
const LONGEST: Duration = Duration::from_mins(5);

/// What a grant says of one call.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The gateway's own URL.
    pub issuer: &'a str,
    /// The trust domain within which the grant is good: its audience.
    pub trust_domain: &'a str,
    /// The decision that it rests on, the same as in the audit log.
    pub txn: DecisionId,
    /// The user's id, as the directory uses it.
    pub user: &'a str,
    /// The agent's id, as the directory uses it.
    pub agent: &'a str,
    /// Who asks for the grant: the gateway as a workload.
    pub requesting_workload: &'a str,
    /// What the grant is for, for example `mcp.tools.call`.
    pub scope: &'a str,
    /// The MCP method.
    pub method: &'a str,
    /// The URL of the server that the call goes to.
    pub server_url: &'a str,
    /// What the call is aimed at.
    pub target: &'a Target<'a>,
    /// The digest of the exact arguments, see [`arguments_sha256`].
    pub arguments_sha256: [u8; 32],
    /// The objects that the call was found to touch.
    pub resources: &'a [EntityUid],
    /// The policies that it was decided by.
    pub policy_epoch: &'a str,
    /// The revision of the directory that it was decided on.
    pub revision: Revision,
    /// Where the call came from.
    pub ip: Option<IpAddr>,
    /// How the user was authenticated (`acr`).
    pub authentication: Option<&'a str>,
    /// The version of MCP that the client speaks.
    pub protocol: &'a str,
    /// How long the grant lives: at least a second, at most five minutes.
    pub lifetime: Duration,
}

/// Why a grant cannot be made, or is not good.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The crypto library could not make a key.
    #[error("no key for grants could be made")]
    KeyNotMade,
    /// The bytes are no private key of P-256 or Ed25519 in PKCS #8.
    #[error("the key for grants cannot be read")]
    KeyUnreadable,
    /// Keys for grants are ES256 or `EdDSA`.
    #[error("grants are not signed with `{0}`")]
    Algorithm(crate::SignatureAlgorithm),
    /// The crypto library could not sign.
    #[error("the grant could not be signed")]
    NotSigned,
    /// The claims could not be written.
    #[error("the grant could not be written")]
    NotWritten,
    /// The lifetime is below a second or above five minutes.
    #[error("a grant lives for 1 to 300 seconds")]
    Lifetime,
    /// The arguments have no canonical form: an integer is 2^53 or beyond, or they are nested too
    /// deeply.
    #[error(
        "the arguments have no canonical form: an integer is too large, or the nesting too deep"
    )]
    Arguments,
    /// The keys to verify with are no key set.
    #[error(transparent)]
    Keys(#[from] KeySetError),
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A claim that every grant has is missing or has the wrong form.
    #[error("the grant's claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// It is good in another trust domain.
    #[error("the grant is for another trust domain")]
    TrustDomain,
    /// It has ended.
    #[error("the grant has expired")]
    Expired,
    /// It has not begun.
    #[error("the grant is not valid yet")]
    NotYetValid,
}

/// The SHA-256 of the canonical form (RFC 8785) of a call's `arguments`; null when it has none.
///
/// Two calls have the same digest only if their arguments mean the same to every reader. Where
/// readers differ, on integers from 2^53 on (RFC 7493 section 2.2), there is no digest.
pub fn arguments_sha256(arguments: &Value) -> Result<[u8; 32], GrantError> {
    let mut bytes = Vec::with_capacity(256);
    canonical::write(arguments, Numbers::Double, &mut bytes).map_err(|_| GrantError::Arguments)?;
    Ok(Sha256::digest(&bytes).into())
}

#[cfg(test)]
mod tests;
