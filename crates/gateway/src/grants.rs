//! The keys of the grants: the ring in use, its rotation and its publication.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use kenward_identity::grant::GrantKey;
use kenward_model::Timestamp;
use serde_json::json;

/// How long a key signs before another takes over.
const IN_USE: Duration = Duration::from_hours(24);
/// How long a new key is published before it signs, so that verifiers have it.
const ANNOUNCED: Duration = Duration::from_mins(5);

/// A new key is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationDue;

/// The keys that sign grants, and their public halves as published.
#[derive(Debug)]
pub struct GrantKeys {
    ring: ArcSwap<Ring>,
}

#[derive(Debug)]
struct Ring {
    /// Oldest first; never empty.
    keys: Vec<Arc<GrantKey>>,
    newest: Arc<GrantKey>,
    published: Bytes,
}

impl Ring {
    fn new(newest: Arc<GrantKey>, mut keys: Vec<Arc<GrantKey>>) -> Self {
        keys.push(Arc::clone(&newest));
        let public: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
        let published = Bytes::from(json!({ "keys": public }).to_string());
        Self { keys, newest, published }
    }
}

impl GrantKeys {
    /// A ring of `newest` and the `older` keys that verifiers may still need.
    pub fn new(newest: GrantKey, older: Vec<GrantKey>) -> Self {
        let mut older: Vec<_> = older.into_iter().map(Arc::new).collect();
        older.sort_by_key(|key| key.created());
        Self { ring: ArcSwap::from_pointee(Ring::new(Arc::new(newest), older)) }
    }

    /// The key that signs now: the newest that verifiers have had time to fetch.
    pub(crate) fn current(&self, now: Timestamp) -> Arc<GrantKey> {
        let ring = self.ring.load();
        let announced = ring.keys.iter().rev().find(|key| now.since(key.created()) >= ANNOUNCED);
        Arc::clone(announced.or_else(|| ring.keys.first()).unwrap_or(&ring.newest))
    }

    /// The published key set (RFC 7517 section 5).
    pub(crate) fn published(&self) -> Bytes {
        self.ring.load().published.clone()
    }

    /// Whether the newest key has signed for long enough.
    pub fn rotation(&self, now: Timestamp) -> Option<RotationDue> {
        (now.since(self.ring.load().newest.created()) >= IN_USE).then_some(RotationDue)
    }

    /// Adds a key; returns the ids of those that no grant in flight can still need.
    pub fn rotate(&self, newest: GrantKey, now: Timestamp) -> Vec<String> {
        let ring = self.ring.load_full();
        let signing = self.current(now);
        let is_old = |key: &Arc<GrantKey>| now.since(key.created()) >= 3 * IN_USE;
        let retired = |key: &Arc<GrantKey>| is_old(key) && key.kid() != signing.kid();
        let (gone, kept): (Vec<_>, Vec<_>) = ring.keys.iter().cloned().partition(retired);
        self.ring.store(Arc::new(Ring::new(Arc::new(newest), kept)));
        gone.iter().map(|key| key.kid().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests;
