//! Access tokens, good ones and bad ones of every kind.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use serde_json::{Map, Value, json};

use crate::{SigningKey, base64url};

/// A JWT (RFC 9068) that can be bent before it is signed.
#[derive(Debug, Clone)]
pub struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    seal: Seal,
}

#[derive(Debug, Clone)]
enum Seal {
    Key(Arc<SigningKey>),
    Nothing,
    Secret(Vec<u8>),
    Spoilt(Arc<SigningKey>),
}

impl Token {
    /// A token as `issuer` would give it to the agent `agent-1` for five minutes.
    pub fn new(issuer: &str, user: &str, audience: &str, key: Arc<SigningKey>) -> Self {
        let now = now();
        let claims = json!({
            "iss": issuer, "sub": user, "aud": audience, "client_id": "agent-1",
            "iat": now, "exp": now + 300, "jti": format!("{user}-{now}"),
        });
        let header = json!({ "typ": "at+jwt" });
        let (Value::Object(claims), Value::Object(header)) = (claims, header) else {
            unreachable_object()
        };
        Self { header, claims, seal: Seal::Key(Arc::clone(&key)) }.signed_by(key)
    }

    /// Sets a claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a claim.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a member of the header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a member of the header.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Ends `seconds` from now; negative for a token that has ended.
    #[must_use]
    pub fn expires_in(self, seconds: i64) -> Self {
        self.claim("exp", now() + seconds)
    }

    /// Signs with `key` and says so in the header.
    #[must_use]
    pub fn signed_by(self, key: Arc<SigningKey>) -> Self {
        let mut token = self.header("alg", key.algorithm().name()).header("kid", key.kid());
        token.seal = Seal::Key(key);
        token
    }

    /// Signs with `key` under the header of another: whoever looks at the header alone is fooled.
    #[must_use]
    pub fn forged_by(mut self, key: Arc<SigningKey>) -> Self {
        self.seal = Seal::Key(key);
        self
    }

    /// `alg: none` and no signature (RFC 8725 section 2.1).
    #[must_use]
    pub fn unsigned(self) -> Self {
        let mut token = self.header("alg", "none");
        token.seal = Seal::Nothing;
        token
    }

    /// HMAC with the bytes of a public key (RFC 8725 section 2.1).
    #[must_use]
    pub fn hmac_of(self, secret: &[u8]) -> Self {
        let mut token = self.header("alg", "HS256");
        token.seal = Seal::Secret(secret.to_vec());
        token
    }

    /// Signed, then one bit of the signature flipped.
    #[must_use]
    pub fn spoilt(mut self) -> Self {
        if let Seal::Key(key) = self.seal {
            self.seal = Seal::Spoilt(key);
        }
        self
    }

    /// The token as it is sent.
    pub fn sign(self) -> String {
        let header = base64url(Value::Object(self.header).to_string().as_bytes());
        let claims = base64url(Value::Object(self.claims).to_string().as_bytes());
        let message = format!("{header}.{claims}");
        let signature = match self.seal {
            Seal::Key(key) => key.sign(message.as_bytes()),
            Seal::Nothing => Vec::new(),
            Seal::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
                hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
            }
            Seal::Spoilt(key) => {
                let mut signature = key.sign(message.as_bytes());
                signature[7] ^= 1;
                signature
            }
        };
        format!("{message}.{}", base64url(&signature))
    }
}

/// Seconds since the epoch.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_secs()).expect("a clock before the end of time")
}

fn unreachable_object() -> ! {
    panic!("an object literal is an object")
}
