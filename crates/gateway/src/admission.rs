//! How much of the gateway one party may hold at once: calls under way and open streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kenward_model::Caller;

use crate::party;

/// Independent locks, so that parties do not wait for each other.
const SHARDS: usize = 16;

/// The counters of all parties that hold something now.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    limit: usize,
    shards: Arc<[Mutex<HashMap<u64, usize>>; SHARDS]>,
}

/// One unit held; given back when the last clone is dropped. A message that is passed to several
/// servers holds one.
#[derive(Debug, Clone)]
#[must_use]
pub(crate) struct Slot {
    _held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    admission: Admission,
    party: u64,
}

/// The party holds as much as it may.
#[derive(Debug)]
pub(crate) struct Full;

impl Admission {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, shards: Arc::new(std::array::from_fn(|_| Mutex::default())) }
    }

    /// A slot for the party of `caller`, or the news that it holds as many as it may.
    pub(crate) fn enter(&self, caller: &Caller) -> Result<Slot, Full> {
        let party = party::number(caller);
        self.with_count(party, |count| {
            if *count >= self.limit {
                return Err(Full);
            }
            *count += 1;
            Ok(Slot { _held: Arc::new(Held { admission: self.clone(), party }) })
        })
        .unwrap_or(Err(Full))
    }

    fn leave(&self, party: u64) {
        self.with_count(party, |count| *count = count.saturating_sub(1));
    }

    /// Runs `change` on the party's count; parties that hold nothing cost nothing.
    fn with_count<T>(&self, party: u64, change: impl FnOnce(&mut usize) -> T) -> Option<T> {
        let index = usize::try_from(party % 16).ok()?;
        let mut shard = self.shards.get(index)?.lock().unwrap_or_else(PoisonError::into_inner);
        let count = shard.entry(party).or_default();
        let result = change(count);
        if *count == 0 {
            shard.remove(&party);
        }
        Some(result)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.admission.leave(self.party);
    }
}

#[cfg(test)]
mod tests;
