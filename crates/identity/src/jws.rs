//! A signed token in its compact form (RFC 7515 section 3.1), before anything in it is believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::error::TokenError;
use crate::keys::KeySet;
use crate::{SignatureAlgorithm, json};

/// How long a token may be, in bytes.
const LONGEST: usize = 32 * 1024;

/// Header members that are never accepted: they bring a key along or change what the rest means
/// (RFC 7515 sections 4.1.2, 4.1.3, 4.1.5, 4.1.6 and 4.1.11, RFC 7797, RFC 7516).
const REFUSED: [&str; 8] = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "enc", "zip"];

/// The three parts of a token.
#[derive(Debug)]
pub(crate) struct Compact<'t> {
    pub(crate) header: Header,
    /// The second part, decoded; nothing is said of what it contains.
    pub(crate) payload: Vec<u8>,
    signed: &'t str,
    signature: &'t str,
}

/// What counts of a token's header.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: String,
    pub(crate) kid: Option<String>,
    /// The media type, in lower case and without `application/` (RFC 7515 section 4.1.9).
    pub(crate) kind: Option<String>,
}

impl<'t> Compact<'t> {
    /// Takes a token apart and refuses what no token may have.
    pub(crate) fn parse(token: &'t str) -> Result<Self, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        // A further dot (five parts are an encrypted token) is no base64url.
        let header = Header::parse(&decode(header)?)?;
        let payload = decode(payload)?;
        Ok(Self { header, payload, signed, signature })
    }

    /// Verifies the signature with the key that `keys` has for this token.
    pub(crate) fn verify(
        &self,
        keys: &KeySet,
        allowed: &[SignatureAlgorithm],
    ) -> Result<(), TokenError> {
        // SECURITY: the token's own `alg` only selects among what the issuer is allowed and the
        // key is bound to (tests `verify::tests::algorithms` and `wycheproof`).
        let algorithm = SignatureAlgorithm::named(&self.header.algorithm)
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or(TokenError::AlgorithmRefused)?;
        let key = keys.choose(self.header.kid.as_deref(), algorithm)?;
        let message = self.signed.as_bytes();
        let implementation = algorithm.implementation();
        match jsonwebtoken::crypto::verify(self.signature, message, key.material(), implementation)
        {
            Ok(true) => Ok(()),
            // Without a `kid` a new key cannot be told from a wrong signature.
            Ok(false) if self.header.kid.is_none() => Err(TokenError::KeyUnknown),
            Ok(false) => Err(TokenError::SignatureWrong),
            Err(_) => Err(TokenError::Malformed),
        }
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, TokenError> {
        let members = json::parse_object(bytes).map_err(|_| TokenError::Malformed)?;
        if REFUSED.iter().any(|name| members.contains_key(*name)) {
            return Err(TokenError::HeaderRefused);
        }
        Ok(Self {
            algorithm: text(&members, "alg")?.ok_or(TokenError::Malformed)?.to_owned(),
            kid: text(&members, "kid")?.map(str::to_owned),
            kind: text(&members, "typ")?.map(media_type),
        })
    }
}

fn media_type(written: &str) -> String {
    let written = written.to_ascii_lowercase();
    match written.strip_prefix("application/") {
        // RFC 7515 section 4.1.9: the prefix is left out only where no other slash follows.
        Some(rest) if !rest.contains('/') => rest.to_owned(),
        Some(_) | None => written,
    }
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, TokenError> {
    match members.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(TokenError::Malformed),
    }
}

/// Strict base64url: no padding, no other characters, no stray bits at the end.
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests;
