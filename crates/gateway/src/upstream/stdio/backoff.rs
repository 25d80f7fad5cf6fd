//! How soon a process that keeps dying is started again: at once twice, then later and later.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Deaths in a row after which a start has to wait.
const FREE: u32 = 2;
/// The first wait, which doubles with each death.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(30);
/// A process that lived as long as this did not die of its start; deaths are forgotten after it.
const LIVED: Duration = Duration::from_mins(1);

/// The deaths of processes, by what they were started for.
#[derive(Debug)]
pub(super) struct Backoff<K>(Mutex<HashMap<K, Deaths>>);

#[derive(Debug)]
struct Deaths {
    in_a_row: u32,
    /// When another may be started.
    until: Instant,
}

impl<K> Default for Backoff<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Backoff<K> {
    /// Whether a process for `key` may be started now.
    pub(super) fn may_start(&self, key: &K, now: Instant) -> bool {
        self.lock(now).get(key).is_none_or(|deaths| deaths.until <= now)
    }

    /// A process for `key` that was `started` then has ended by itself.
    pub(super) fn died(&self, key: K, started: Instant, now: Instant) {
        let mut all = self.lock(now);
        if now.duration_since(started) >= LIVED {
            all.remove(&key);
            return;
        }
        let deaths = all.entry(key).or_insert(Deaths { in_a_row: 0, until: now });
        deaths.in_a_row = deaths.in_a_row.saturating_add(1);
        deaths.until = now + wait(deaths.in_a_row);
    }

    fn lock(&self, now: Instant) -> MutexGuard<'_, HashMap<K, Deaths>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, deaths| now.duration_since(deaths.until) < LIVED);
        all
    }
}

fn wait(in_a_row: u32) -> Duration {
    let Some(doublings) = in_a_row.checked_sub(FREE + 1) else { return Duration::ZERO };
    FIRST.saturating_mul(2_u32.saturating_pow(doublings.min(16))).min(LONGEST)
}

#[cfg(test)]
mod tests;
