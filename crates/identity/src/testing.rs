//! Keys that sign whatever a test wants, well-formed or not.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::KeySet;

/// A private key of a test issuer.
pub(crate) struct TestKey {
    pair: Pair,
    kid: &'static str,
}

enum Pair {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl TestKey {
    pub(crate) fn p256(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { pair: Pair::P256(pair), kid }
    }

    pub(crate) fn p384(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        Self { pair: Pair::P384(pair), kid }
    }

    pub(crate) fn ed25519(kid: &'static str) -> Self {
        Self { pair: Pair::Ed25519(Ed25519KeyPair::generate().unwrap()), kid }
    }

    pub(crate) fn rsa(kid: &'static str) -> Self {
        Self { pair: Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()), kid }
    }

    /// The public key without `alg`, so that only its type binds it.
    pub(crate) fn jwk(&self) -> Value {
        let point = |bytes: &[u8], crv| {
            let (x, y) = bytes[1..].split_at((bytes.len() - 1) / 2);
            json!({ "kty": "EC", "crv": crv, "x": base64(x), "y": base64(y), "kid": self.kid })
        };
        match &self.pair {
            Pair::P256(pair) => point(pair.public_key().as_ref(), "P-256"),
            Pair::P384(pair) => point(pair.public_key().as_ref(), "P-384"),
            Pair::Ed25519(pair) => json!({
                "kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key().as_ref()),
                "kid": self.kid,
            }),
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                json!({
                    "kty": "RSA", "kid": self.kid,
                    "n": base64(n.big_endian_without_leading_zero()),
                    "e": base64(e.big_endian_without_leading_zero()),
                })
            }
        }
    }

    pub(crate) fn key_set(&self) -> KeySet {
        key_set(&[self.jwk()])
    }

    /// A header that is right for this key.
    pub(crate) fn header(&self) -> Value {
        let algorithm = match &self.pair {
            Pair::P256(_) => "ES256",
            Pair::P384(_) => "ES384",
            Pair::Ed25519(_) => "EdDSA",
            Pair::Rsa(_) => "RS256",
        };
        json!({ "alg": algorithm, "kid": self.kid, "typ": "at+jwt" })
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    /// Signs any two texts as they are.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", base64(header.as_bytes()), base64(payload.as_bytes()));
        let signature = self.signature(header, signed.as_bytes());
        format!("{signed}.{}", base64(&signature))
    }

    fn signature(&self, header: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::P256(pair) | Pair::P384(pair) => {
                pair.sign(&random, message).unwrap().as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let pss = header.contains("PS256");
                let padding: &dyn aws_lc_rs::signature::RsaEncoding =
                    if pss { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

pub(crate) fn key_set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The object with one member set, or without it where the value is null.
pub(crate) fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut changed = object.clone();
    let members = changed.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    changed
}

/// The JSON value in one part of a token; null where there is none.
pub(crate) fn decode(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// The text with the character at `place` replaced by `new`.
pub(crate) fn changed(text: &str, place: usize, new: &str) -> String {
    let (before, rest) = text.split_at(place);
    let mut after = rest.chars();
    after.next();
    format!("{before}{new}{}", after.as_str())
}
