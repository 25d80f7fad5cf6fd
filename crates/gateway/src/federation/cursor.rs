//! Where the merged lists go on: the servers' own cursors, sealed for one party and one list.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kenward_mcp::dialect::Era;
use kenward_mcp::list::ListKind;
use kenward_model::Caller;

use crate::clock::{self, NoEntropy};

/// The longest cursor of a server that is taken along, in bytes.
pub(super) const LONGEST: usize = 16 << 10;

/// The next page of each server that has one, by its name.
pub(super) type Positions = BTreeMap<String, String>;

/// Seals and opens cursors with a key that lives as long as the process.
pub(super) struct Cursors {
    key: RandomizedNonceKey,
}

impl fmt::Debug for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursors(…)")
    }
}

/// What a cursor is good for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) caller: &'a Caller,
    pub(super) kind: ListKind,
    pub(super) era: Era,
}

impl Cursors {
    pub(super) fn new() -> Result<Self, NoEntropy> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &clock::entropy::<32>()?);
        Ok(Self { key: key.map_err(|_| NoEntropy)? })
    }

    /// The cursor for `positions`; nothing when the system has no entropy.
    pub(super) fn seal(&self, scope: &Scope<'_>, positions: &Positions) -> Option<String> {
        let mut text = serde_json::to_vec(positions).ok()?;
        let sealed = self.key.seal_in_place_append_tag(Aad::from(scope.bytes()), &mut text);
        let nonce = sealed.ok()?;
        let whole = [nonce.as_ref().as_slice(), &text].concat();
        Some(URL_SAFE_NO_PAD.encode(whole))
    }

    /// The positions in a cursor that was made here, for this party and this list.
    pub(super) fn open(&self, scope: &Scope<'_>, cursor: &str) -> Option<Positions> {
        let whole = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (nonce, sealed) = whole.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let text = self.key.open_in_place(nonce, Aad::from(scope.bytes()), &mut sealed).ok()?;
        serde_json::from_slice(text).ok()
    }
}

impl Scope<'_> {
    fn bytes(&self) -> Vec<u8> {
        let Self { caller, kind, era } = self;
        let era = match era {
            Era::Legacy => "legacy",
            Era::Modern => "modern",
        };
        let party = (&caller.issuer, &caller.user, &caller.agent);
        serde_json::to_vec(&(party, kind.member(), era)).unwrap_or_default()
    }
}
