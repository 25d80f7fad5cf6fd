//! Who is calling and what goes on downstream: tokens, keys, metadata and grants.
//!
//! Pure: time and keys are arguments, nothing is fetched, nothing is remembered. The one source of
//! randomness is the crypto library's own, for making and using the keys of grants.

mod algorithm;
mod canonical;
pub mod challenge;
mod claims;
mod error;
mod fingerprint;
pub mod grant;
mod issuer;
mod json;
mod jws;
mod keys;
pub mod metadata;
#[cfg(test)]
mod testing;
mod url;
mod verify;
#[cfg(test)]
mod wycheproof;

pub use algorithm::SignatureAlgorithm;
pub use error::{Claim, TokenError};
pub use fingerprint::of as fingerprint;
pub use issuer::{ClaimNames, IssuerSpec};
pub use keys::{KeyProblem, KeySet, KeySetError};
pub use verify::{unverified_issuer, unverified_kid, verify};

/// Chooses the crypto library for token signatures, once for the whole process.
///
/// `main` calls it first, so that a second provider linked by accident cannot make the first
/// verification fail; [`KeySet::parse`] calls it again, which changes nothing.
pub fn install_crypto() {
    // Err means that a provider is installed already: ours, since nothing else installs one.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}
