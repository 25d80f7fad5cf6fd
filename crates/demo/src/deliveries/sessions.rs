//! The sessions of legacy clients (2025-11-25, transports, session management).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most sessions at once; beyond that, all that were ever made are forgotten.
const MOST: usize = 10_000;

/// The sessions, each with the URIs that it has subscribed to.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: Mutex<HashMap<String, Vec<String>>>,
}

impl Sessions {
    pub(super) fn begin(&self, id: String) {
        let mut open = self.lock();
        if open.len() >= MOST {
            open.clear();
        }
        open.insert(id, Vec::new());
    }

    pub(super) fn is_open(&self, id: &str) -> bool {
        self.lock().contains_key(id)
    }

    pub(super) fn uris(&self, id: &str) -> Vec<String> {
        self.lock().get(id).cloned().unwrap_or_default()
    }

    /// Subscribes to `uri`, or ends that; gives what the session is subscribed to then.
    pub(super) fn subscribe(&self, id: &str, uri: &str, wanted: bool) -> Vec<String> {
        let mut open = self.lock();
        let Some(uris) = open.get_mut(id) else { return Vec::new() };
        uris.retain(|known| known != uri);
        if wanted {
            uris.push(uri.to_owned());
        }
        uris.clone()
    }

    /// Ends a session; says whether there was one.
    pub(super) fn end(&self, id: &str) -> bool {
        self.lock().remove(id).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<String>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
