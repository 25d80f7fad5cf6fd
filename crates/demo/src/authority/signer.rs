//! The key of the authorization server and the tokens that it signs with ES256.

use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kenward_identity::SignatureAlgorithm;
use kenward_identity::grant::GrantKey;
use kenward_model::Timestamp;
use serde_json::{Value, json};

use super::Shared;
use super::memory::Granted;
use crate::{DemoError, clock};

/// How long an access token is good.
pub(super) const ACCESS: Duration = Duration::from_mins(5);

/// A key with its public half.
pub(super) struct Signer {
    key: EncodingKey,
    kid: String,
    public: Value,
}

impl fmt::Debug for Signer {
    /// Never the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Signer {
    /// Makes a new key.
    pub(super) fn generate(now: Timestamp) -> Result<Self, DemoError> {
        kenward_identity::install_crypto();
        let pair = GrantKey::generate_for(SignatureAlgorithm::Es256, now)?;
        Ok(Self {
            key: EncodingKey::from_ec_der(pair.pkcs8()),
            kid: pair.kid().to_owned(),
            public: pair.public_jwk(),
        })
    }

    /// The published key set (RFC 7517 section 5).
    pub(super) fn key_set(&self) -> Value {
        json!({ "keys": [self.public] })
    }

    fn sign(&self, kind: &str, claims: &Value) -> Option<String> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(kind.to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key).ok()
    }
}

impl Shared {
    /// An access token for what was granted, with these of its scopes (RFC 9068).
    pub(super) fn access_token(
        &self,
        granted: &Granted,
        scopes: &[String],
        now: Timestamp,
    ) -> Option<String> {
        let claims = json!({
            "iss": self.issuer,
            "sub": granted.person,
            "aud": granted.resource,
            "client_id": granted.client,
            "scope": scopes.join(" "),
            "iat": now.as_seconds(),
            "exp": now.plus(ACCESS).as_seconds(),
            "auth_time": granted.logged_in.as_seconds(),
            "jti": clock::secret().ok()?,
        });
        self.signer.sign("at+jwt", &claims)
    }

    /// Who has logged in, for the client itself (`OpenID` Connect Core section 2).
    pub(super) fn id_token(&self, granted: &Granted, now: Timestamp) -> Option<String> {
        let name = self.people.iter().find(|person| person.id == granted.person);
        let mut claims = json!({
            "iss": self.issuer,
            "sub": granted.person,
            "aud": granted.client,
            "name": name.map(|person| &person.name),
            "iat": now.as_seconds(),
            "exp": now.plus(ACCESS).as_seconds(),
            "auth_time": granted.logged_in.as_seconds(),
        });
        if let (Some(nonce), Value::Object(members)) = (&granted.nonce, &mut claims) {
            members.insert("nonce".to_owned(), Value::from(nonce.as_str()));
        }
        self.signer.sign("JWT", &claims)
    }
}
