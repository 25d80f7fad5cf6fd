//! Whose handles are: learnt from results, and kept as keyed hashes alone.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use kenward_model::{EntityUid, ServerName};
use kenward_world::words;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most handles that are kept; the oldest go first, and are unknown from then on.
pub const MOST_HANDLES: usize = 1_000_000;

/// A handle, as a keyed hash of its kind or server and of its text in normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HandleKey(pub [u8; 16]);

/// A handle that a result has linked to its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// The handle.
    pub handle: HandleKey,
    /// Whose it is.
    pub owner: EntityUid,
    /// Through what that was learnt: `<server>/<tool>`.
    pub via: Arc<str>,
}

/// The owners of handles.
#[derive(Clone)]
pub struct Handles {
    key: [u8; 32],
    owners: HashMap<HandleKey, Vec<EntityUid>>,
    order: VecDeque<HandleKey>,
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handles").field("len", &self.owners.len()).finish_non_exhaustive()
    }
}

impl Handles {
    /// No handles; `key` makes their hashes.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, owners: HashMap::new(), order: VecDeque::new() }
    }

    /// The key of a handle: one of a known kind is the same on every server, any other belongs to
    /// its server alone.
    pub fn key(&self, kind: Option<&str>, server: &ServerName, handle: &str) -> HandleKey {
        let (scope, name) = kind.map_or(("server", server.as_str()), |kind| ("kind", kind));
        let mut hash = Sha256::new();
        hash.update(self.key);
        for part in [scope, name, &words::normalise(handle)] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut key = [0; 16];
        key.copy_from_slice(digest.first_chunk::<16>().unwrap_or(&[0; 16]));
        HandleKey(key)
    }

    /// Everybody to whom the handle was linked: more than one where servers disagree.
    pub fn owners(&self, key: HandleKey) -> &[EntityUid] {
        self.owners.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Links a handle to its owner; false when that was known.
    pub fn insert(&mut self, key: HandleKey, owner: EntityUid) -> bool {
        let owners = self.owners.entry(key).or_default();
        if owners.contains(&owner) {
            return false;
        }
        if owners.is_empty() {
            self.order.push_back(key);
        }
        owners.push(owner);
        while self.owners.len() > MOST_HANDLES
            && let Some(oldest) = self.order.pop_front()
        {
            self.owners.remove(&oldest);
        }
        true
    }

    /// How many handles are known.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether no handle is known.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }
}

#[cfg(test)]
mod tests;
