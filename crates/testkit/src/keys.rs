//! Signing keys of an issuer, made anew for each test, and their public halves as JWKs (RFC 7517).

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// How a key signs (RFC 7518 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256.
    Es256,
    /// RSA, PKCS #1 v1.5.
    Rs256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The name in a JWS header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A private key with its id.
pub struct SigningKey {
    kid: String,
    pair: Pair,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

impl SigningKey {
    /// Makes a key.
    pub fn generate(kid: &str, algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::Es256 => Pair::Es256(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("an EC key"),
            ),
            Algorithm::Rs256 => {
                Pair::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
            }
            Algorithm::EdDsa => Pair::EdDsa(Ed25519KeyPair::generate().expect("an Ed25519 key")),
        };
        Self { kid: kid.to_owned(), pair }
    }

    /// The key's id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Es256(_) => Algorithm::Es256,
            Pair::Rs256(_) => Algorithm::Rs256,
            Pair::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    /// The signature of `message` as a JWS has it.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let entropy = SystemRandom::new();
        match &self.pair {
            Pair::Es256(pair) => pair.sign(&entropy, message).expect("signing").as_ref().to_vec(),
            Pair::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &entropy, message, &mut signature).expect("signing");
                signature
            }
        }
    }

    /// The public key as raw bytes, for attacks that use it as a secret.
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Es256(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Rs256(pair) => pair.public_key().as_ref().to_vec(),
            Pair::EdDsa(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        let public = self.public_bytes();
        let mut jwk = match &self.pair {
            Pair::Es256(_) => json!({
                "kty": "EC", "crv": "P-256",
                "x": base64url(&public[1..33]), "y": base64url(&public[33..65]),
            }),
            Pair::EdDsa(_) => json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&public) }),
            Pair::Rs256(_) => {
                let (modulus, exponent) = rsa_numbers(&public);
                json!({ "kty": "RSA", "n": base64url(modulus), "e": base64url(exponent) })
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm().name());
        jwk
    }
}

/// Base64url without padding (RFC 4648 section 5).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017 appendix A.1.1): a sequence of two integers.
fn rsa_numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let (_, sequence, _) = der_value(der);
    let (_, modulus, rest) = der_value(sequence);
    let (_, exponent, _) = der_value(rest);
    (modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent)
}

/// Tag, content and what follows, of the first value in `der`.
fn der_value(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let first = usize::from(der[1]);
    let (length, start) = if first < 0x80 {
        (first, 2)
    } else {
        let count = first & 0x7f;
        let bytes = &der[2..2 + count];
        (bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)), 2 + count)
    };
    (der[0], &der[start..start + length], &der[start + length..])
}
