//! An issuer's published keys (RFC 7517), each bound to the algorithms that it may verify.

mod check;
mod roca;

use std::collections::BTreeMap;

use jsonwebtoken::DecodingKey;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::canonical::{self, Numbers};
use crate::error::TokenError;
use crate::{SignatureAlgorithm, install_crypto, json};

/// How large a key set may be, in bytes.
const LARGEST: usize = 512 * 1024;
/// How many keys a set may have.
const MOST: usize = 256;

/// The keys that an issuer publishes. Keys that cannot be trusted are remembered as such, so that
/// a token signed with one is told apart from a token signed with a key not yet seen.
#[derive(Debug, Clone)]
pub struct KeySet {
    named: BTreeMap<String, Entry>,
    unnamed: Vec<Entry>,
    generation: u64,
}

/// Why a document is not a key set.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// It is larger than any key set needs to be.
    #[error("the key set is larger than {LARGEST} bytes")]
    TooLarge,
    /// It has more keys than any issuer needs.
    #[error("the key set has more than {MOST} keys")]
    TooMany,
    /// It is not strict JSON.
    #[error("the key set is not JSON without duplicates: {0}")]
    Syntax(#[from] serde_json::Error),
    /// It is JSON, but not a set of keys.
    #[error("the key set is not an object with an array `keys` of objects")]
    Shape,
}

/// Why a published key verifies nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// Two keys bear the same `kid`.
    #[error("another key has the same `kid`")]
    Duplicate,
    /// A secret of HMAC, which everybody who can verify could also sign with.
    #[error("it is a symmetric key")]
    Symmetric,
    /// The private half is published with it: anybody can sign.
    #[error("its private part is published")]
    Private,
    /// Its `use` or `key_ops` is not verification.
    #[error("it is not meant for signatures")]
    OtherUse,
    /// Its `kty`, `crv` or `alg` is one that is not supported.
    #[error("its type, curve or algorithm is not supported")]
    Unsupported,
    /// Its `alg` does not go with its `kty` and `crv`.
    #[error("its algorithm does not fit its type")]
    Mismatch,
    /// A member is absent, of the wrong type, or not strict base64url of the right length.
    #[error("its member `{0}` is missing or malformed")]
    Malformed(&'static str),
    /// The point is not on the curve.
    #[error("it is not a point of its curve")]
    NotOnCurve,
    /// An RSA modulus outside 2048 to 8192 bits.
    #[error("its modulus has {0} bits, not 2048 to 8192")]
    Size(usize),
    /// An RSA exponent that is even, below 65537 or above 33 bits.
    #[error("its exponent is not accepted")]
    Exponent,
    /// An RSA modulus made by the flawed generator of CVE-2017-15361.
    #[error("its modulus is weak (CVE-2017-15361)")]
    Roca,
}

impl KeySet {
    /// Reads a JSON Web Key Set (RFC 7517 section 5). A key that cannot be trusted does not spoil
    /// the others; see [`KeySet::problems`].
    pub fn parse(jwks: &[u8]) -> Result<Self, KeySetError> {
        if jwks.len() > LARGEST {
            return Err(KeySetError::TooLarge);
        }
        Self::from_value(&json::parse(jwks)?)
    }

    pub(crate) fn from_value(document: &Value) -> Result<Self, KeySetError> {
        install_crypto();
        let listed = document.get("keys").and_then(Value::as_array).ok_or(KeySetError::Shape)?;
        if listed.len() > MOST {
            return Err(KeySetError::TooMany);
        }
        let generation = generation(document).ok_or(KeySetError::Shape)?;
        let mut set = Self { named: BTreeMap::new(), unnamed: Vec::new(), generation };
        for jwk in listed {
            set.insert(jwk.as_object().ok_or(KeySetError::Shape)?);
        }
        Ok(set)
    }

    /// Whether a key with this `kid` is published, whether or not it can be trusted.
    pub fn has(&self, kid: &str) -> bool {
        self.named.contains_key(kid)
    }

    /// A digest of the content: another number when anything in the set has changed.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether no key of the set can verify anything.
    pub fn is_empty(&self) -> bool {
        self.entries().all(|(_, entry)| matches!(entry, Entry::Refused(_)))
    }

    /// The keys that verify nothing, by their `kid` where they have one, with the reason.
    pub fn problems(&self) -> impl Iterator<Item = (Option<&str>, &KeyProblem)> {
        self.entries().filter_map(|(kid, entry)| match entry {
            Entry::Refused(problem) => Some((kid, problem)),
            Entry::Usable(_) => None,
        })
    }

    /// The key that must have signed a token with this `kid` and `algorithm`.
    pub(crate) fn choose(
        &self,
        kid: Option<&str>,
        algorithm: SignatureAlgorithm,
    ) -> Result<&Key, TokenError> {
        let Some(kid) = kid else { return self.only(algorithm) };
        match self.named.get(kid) {
            None => Err(TokenError::KeyUnknown),
            Some(Entry::Refused(_)) => Err(TokenError::KeyRefused),
            Some(Entry::Usable(key)) if key.verifies(algorithm) => Ok(key),
            Some(Entry::Usable(_)) => Err(TokenError::AlgorithmRefused),
        }
    }

    fn only(&self, algorithm: SignatureAlgorithm) -> Result<&Key, TokenError> {
        let mut able = self.entries().filter_map(|(_, entry)| match entry {
            Entry::Usable(key) if key.verifies(algorithm) => Some(key),
            Entry::Usable(_) | Entry::Refused(_) => None,
        });
        let key = able.next().ok_or(TokenError::KeyUnknown)?;
        if able.next().is_some() { Err(TokenError::KeyAmbiguous) } else { Ok(key) }
    }

    fn insert(&mut self, jwk: &serde_json::Map<String, Value>) {
        let checked = check::check(jwk);
        let entry = match checked {
            Ok(key) => Entry::Usable(key),
            Err(problem) => Entry::Refused(problem),
        };
        match jwk.get("kid") {
            None => self.unnamed.push(entry),
            Some(Value::String(kid)) => {
                self.named
                    .entry(kid.clone())
                    .and_modify(|held| held.clash(&entry))
                    .or_insert(entry);
            }
            Some(_) => self.unnamed.push(Entry::Refused(KeyProblem::Malformed("kid"))),
        }
    }

    fn entries(&self) -> impl Iterator<Item = (Option<&str>, &Entry)> {
        let named = self.named.iter().map(|(kid, entry)| (Some(kid.as_str()), entry));
        named.chain(self.unnamed.iter().map(|entry| (None, entry)))
    }
}

/// A key that can be trusted, with the algorithms that it is bound to.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    algorithms: Vec<SignatureAlgorithm>,
    material: DecodingKey,
}

impl Key {
    pub(crate) fn verifies(&self, algorithm: SignatureAlgorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    pub(crate) fn material(&self) -> &DecodingKey {
        &self.material
    }
}

#[derive(Debug, Clone)]
enum Entry {
    Usable(Key),
    Refused(KeyProblem),
}

impl Entry {
    /// Another key has the same `kid`. One for encryption does no harm beside one for signatures;
    /// of two that could both sign, neither can be told from the other.
    fn clash(&mut self, other: &Self) {
        let harmless = |entry: &Self| {
            matches!(entry, Self::Refused(KeyProblem::OtherUse | KeyProblem::Unsupported))
        };
        if harmless(self) {
            *self = other.clone();
        } else if !harmless(other) {
            *self = Self::Refused(KeyProblem::Duplicate);
        }
    }
}

fn generation(document: &Value) -> Option<u64> {
    let mut bytes = Vec::new();
    canonical::write(document, Numbers::Exact, &mut bytes).ok()?;
    Some(canonical::first_64_bits(&Sha256::digest(&bytes).into()))
}

#[cfg(test)]
mod tests;
