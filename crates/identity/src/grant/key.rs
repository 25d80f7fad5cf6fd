//! The keys that sign grants.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kenward_model::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{GrantError, TYPE};
use crate::SignatureAlgorithm;

/// What new keys sign with: measured on one core with aws-lc, a grant costs 15 us with `EdDSA` and
/// 20 us with ES256, and its signature is verified in 44 us and 57 us.
const DEFAULT: SignatureAlgorithm = SignatureAlgorithm::EdDsa;

/// A private key that signs grants, with everything about it that can be prepared.
pub struct GrantKey {
    pair: Pair,
    kid: String,
    public_jwk: Value,
    created: Timestamp,
    pkcs8: Vec<u8>,
    /// The token's first part with its dot, the same for every grant.
    pub(super) header: String,
}

enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl GrantKey {
    /// Makes a new key for `EdDSA`, the faster of the two.
    pub fn generate(now: Timestamp) -> Result<Self, GrantError> {
        Self::generate_for(DEFAULT, now)
    }

    /// Makes a new key for `algorithm`, ES256 or `EdDSA`.
    pub fn generate_for(algorithm: SignatureAlgorithm, now: Timestamp) -> Result<Self, GrantError> {
        let random = SystemRandom::new();
        let pkcs8 = match algorithm {
            SignatureAlgorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            }
            SignatureAlgorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random),
            SignatureAlgorithm::Es384
            | SignatureAlgorithm::Rs256
            | SignatureAlgorithm::Rs384
            | SignatureAlgorithm::Rs512
            | SignatureAlgorithm::Ps256
            | SignatureAlgorithm::Ps384
            | SignatureAlgorithm::Ps512 => return Err(GrantError::Algorithm(algorithm)),
        };
        let pkcs8 = pkcs8.map_err(|_| GrantError::KeyNotMade)?;
        Self::from_pkcs8(pkcs8.as_ref(), now)
    }

    /// Reads a key that was kept, of either algorithm (PKCS #8, RFC 5958).
    pub fn from_pkcs8(der: &[u8], created: Timestamp) -> Result<Self, GrantError> {
        let pair = Pair::read(der).ok_or(GrantError::KeyUnreadable)?;
        let members = pair.public_members().ok_or(GrantError::KeyUnreadable)?;
        let kid = members.thumbprint();
        let algorithm = pair.algorithm().name();
        let header = json!({ "typ": TYPE, "alg": algorithm, "kid": kid }).to_string();
        Ok(Self {
            public_jwk: members.jwk(&kid, algorithm),
            header: format!("{}.", URL_SAFE_NO_PAD.encode(header)),
            pair,
            kid,
            created,
            pkcs8: der.to_vec(),
        })
    }

    /// The private key, to be kept where only the gateway reads.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The key's id: its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// When it was made.
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// What it signs with.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.pair.algorithm()
    }

    /// The public half as a JSON Web Key, to be published.
    pub fn public_jwk(&self) -> Value {
        self.public_jwk.clone()
    }

    /// Appends the signature of `message`, as base64url, to `out`.
    pub(super) fn sign(&self, message: &[u8], out: &mut String) -> Result<(), GrantError> {
        let signature = match &self.pair {
            Pair::Es256(pair) => pair.sign(&SystemRandom::new(), message),
            Pair::EdDsa(pair) => pair.try_sign(message),
        };
        let signature = signature.map_err(|_| GrantError::NotSigned)?;
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), out);
        Ok(())
    }
}

impl fmt::Debug for GrantKey {
    /// Never the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm())
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

impl Pair {
    fn read(der: &[u8]) -> Option<Self> {
        let es256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der);
        es256
            .map(Self::Es256)
            .or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Self::EdDsa))
            .ok()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::Es256(_) => SignatureAlgorithm::Es256,
            Self::EdDsa(_) => SignatureAlgorithm::EdDsa,
        }
    }

    fn public_members(&self) -> Option<PublicMembers> {
        match self {
            Self::Es256(pair) => {
                // SEC 1 section 2.3.3: 4, then both coordinates.
                let point = pair.public_key().as_ref().strip_prefix(&[4])?;
                let (x, y) = point.split_at_checked(32).filter(|(_, y)| y.len() == 32)?;
                let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
                Some(PublicMembers { crv: "P-256", kty: "EC", x, y: Some(y) })
            }
            Self::EdDsa(pair) => {
                let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
                Some(PublicMembers { crv: "Ed25519", kty: "OKP", x, y: None })
            }
        }
    }
}

/// The members of a public key that identify it, in the order of RFC 7638 section 3.2.
pub(super) struct PublicMembers {
    pub(super) crv: &'static str,
    pub(super) kty: &'static str,
    pub(super) x: String,
    pub(super) y: Option<String>,
}

impl PublicMembers {
    /// The key's thumbprint (RFC 7638, for Ed25519 RFC 8037 section 2).
    pub(super) fn thumbprint(&self) -> String {
        let Self { crv, kty, x, y } = self;
        let canonical = match y {
            Some(y) => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#),
            None => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}"}}"#),
        };
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    fn jwk(&self, kid: &str, algorithm: &str) -> Value {
        let mut jwk = json!({
            "kty": self.kty, "crv": self.crv, "x": self.x,
            "kid": kid, "alg": algorithm, "use": "sig",
        });
        if let (Some(y), Value::Object(members)) = (&self.y, &mut jwk) {
            members.insert("y".to_owned(), Value::from(y.as_str()));
        }
        jwk
    }
}
