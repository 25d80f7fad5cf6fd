//! One number for equal rights to ask: verdicts are remembered by it, so it must not collide.

use kenward_model::{Caller, EntityUid};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::canonical::{self, Numbers};

/// The claims that differ from token to token although the rights are the same.
const PASSING: [&str; 4] = ["exp", "iat", "nbf", "jti"];

/// The first 64 bits of SHA-256 over everything in `caller` but when its token begins and ends.
///
/// The order of the claims does not count, every other difference does.
pub fn of(caller: &Caller) -> u64 {
    let mut fields = Fields(Sha256::new());
    fields.text("kenward caller 1");
    fields.entity(&caller.user);
    fields.entity(&caller.agent);
    fields.text(&caller.issuer);
    fields.text(&caller.subject);
    fields.texts(caller.groups.iter());
    fields.texts(caller.scopes.iter());
    fields.texts(caller.acr.iter());
    fields.texts(caller.amr.iter());
    let authenticated = caller.auth_time.map(|time| time.as_micros().to_be_bytes());
    fields.bytes(authenticated.as_ref().map_or(&[], <[u8; 8]>::as_slice));
    fields.bytes(&lasting(&caller.claims));
    canonical::first_64_bits(&fields.0.finalize().into())
}

/// Every field is preceded by its length, so that no two callers give the same bytes.
struct Fields(Sha256);

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn entity(&mut self, uid: &EntityUid) {
        self.text(&uid.kind);
        self.text(&uid.id);
    }

    fn texts<'a>(&mut self, texts: impl ExactSizeIterator<Item = &'a std::sync::Arc<str>>) {
        self.length(texts.len());
        texts.for_each(|text| self.text(text));
    }

    fn length(&mut self, length: usize) {
        self.0.update(u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
    }
}

/// The canonical bytes of the claims without the passing ones.
fn lasting(claims: &Value) -> Vec<u8> {
    let mut kept = claims.clone();
    if let Value::Object(members) = &mut kept {
        members.retain(|name, _| !PASSING.contains(&name.as_str()));
    }
    let mut bytes = Vec::with_capacity(512);
    if canonical::write(&kept, Numbers::Exact, &mut bytes).is_err() {
        // Only nesting beyond what a token can have: then the claims as they are, order and all.
        bytes = kept.to_string().into_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests;
