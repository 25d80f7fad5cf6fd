//! What a call asks to be reminded of, sealed so that a client can carry it and cannot change it.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::unguessable;
use crate::base64url;

/// The key under which states are sealed; it lives as long as the server.
pub(super) struct Seal(hmac::Key);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    pub(super) fn new() -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, unguessable().as_bytes()))
    }

    /// Seals `remembers` for `subject`.
    pub(super) fn close(&self, subject: &str, remembers: &Value) -> String {
        let text = json!([subject, remembers]).to_string();
        let tag = hmac::sign(&self.0, text.as_bytes());
        format!("{}.{}", base64url(text.as_bytes()), base64url(tag.as_ref()))
    }

    /// What was sealed for `subject`; nothing when a byte of it is not ours, or it was for another.
    pub(super) fn open(&self, subject: &str, sealed: &str) -> Option<Value> {
        let (text, tag) = sealed.split_once('.')?;
        let (text, tag) = (decode(text)?, decode(tag)?);
        hmac::verify(&self.0, &text, &tag).ok()?;
        let Ok(Value::Array(parts)) = serde_json::from_slice(&text) else { return None };
        let [of, remembers] = parts.as_slice() else { return None };
        (of == subject).then(|| remembers.clone())
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}
