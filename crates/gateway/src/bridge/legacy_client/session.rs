//! What the gateway keeps of a session whose server has none.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::{Notify, watch};

/// A client's description of itself that is longer is not passed on, in bytes.
const LONGEST_INFO: usize = 4 << 10;

/// The session's side towards a modern server: what each request says again.
#[derive(Debug)]
pub(crate) struct Modern {
    /// What the client can do and policy lets through, as JSON.
    pub(super) capabilities: String,
    /// Who the client says that it is, as JSON.
    pub(super) client_info: Option<String>,
    /// Whether the client takes its person to a page.
    pub(super) opens_pages: bool,
    /// The level of log messages, as JSON.
    level: Mutex<Option<String>>,
    /// The requests under way, by the client's raw id.
    under_way: Mutex<HashMap<Vec<u8>, Arc<Notify>>>,
    /// Counts the changes of what the session follows.
    followed: watch::Sender<u64>,
}

impl Modern {
    /// What `initialize` says of the client; its capabilities are those that policy lets through.
    pub(super) fn of(params: &Value) -> Self {
        let mut capabilities = params.get("capabilities").cloned().unwrap_or_default();
        let opens_pages = capabilities.pointer("/elicitation/url").is_some();
        if let Some(roots) = capabilities.get_mut("roots") {
            // Nobody could tell a modern server that they changed.
            *roots = Value::Object(serde_json::Map::new());
        }
        let capabilities =
            if capabilities.is_object() { capabilities.to_string() } else { "{}".to_owned() };
        let info = params.get("clientInfo").filter(|info| info.is_object());
        let client_info = info.map(Value::to_string).filter(|info| info.len() <= LONGEST_INFO);
        Self {
            capabilities,
            client_info,
            opens_pages,
            level: Mutex::default(),
            under_way: Mutex::default(),
            followed: watch::Sender::new(0),
        }
    }

    pub(super) fn set_level(&self, level: &str) {
        *lock(&self.level) = Some(Value::from(level).to_string());
    }

    pub(super) fn level(&self) -> Option<String> {
        lock(&self.level).clone()
    }

    /// Notes the request `id` as under way; nothing when one with this id is already.
    pub(super) fn begin(&self, id: &[u8]) -> Option<Arc<Notify>> {
        let mut under_way = lock(&self.under_way);
        if under_way.contains_key(id) {
            return None;
        }
        let signal = Arc::new(Notify::new());
        under_way.insert(id.to_vec(), Arc::clone(&signal));
        Some(signal)
    }

    /// The request `id` is over.
    pub(super) fn end(&self, id: &[u8]) {
        lock(&self.under_way).remove(id);
    }

    /// The client does not want the request `id` any more.
    pub(super) fn call_off(&self, id: &[u8]) {
        if let Some(signal) = lock(&self.under_way).get(id) {
            signal.notify_one();
        }
    }

    /// What the session follows has changed.
    pub(crate) fn follows_others(&self) {
        self.followed.send_modify(|changes| *changes += 1);
    }

    pub(super) fn followed(&self) -> watch::Receiver<u64> {
        self.followed.subscribe()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
