//! Which reader each message of a process belongs to.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use kenward_mcp::scan::{self, Shape, ShapeKind};
use serde_json::Value;
use tokio::sync::mpsc;

/// The member of news that says which stream they belong to.
pub(super) const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
/// Messages waiting for one slow reader; then they are dropped with a word in the log.
const QUEUE: usize = 64;

/// The readers of a process: requests under way, and at most one standing stream.
#[derive(Debug, Default)]
pub(super) struct Router {
    readers: Mutex<Readers>,
}

#[derive(Debug, Default)]
struct Readers {
    /// The process is gone: nobody will ever be answered.
    closed: bool,
    /// By raw request id.
    requests: HashMap<Vec<u8>, Reader>,
    stream: Option<mpsc::Sender<Bytes>>,
    order: u64,
}

#[derive(Debug)]
struct Reader {
    sender: mpsc::Sender<Bytes>,
    /// The raw progress token of the request.
    progress: Option<Vec<u8>>,
    order: u64,
    /// It is the news of a stream: nothing else belongs to it.
    listens: bool,
}

impl Router {
    /// Registers the request `id`; nothing when that id is under way already or the process is
    /// gone.
    pub(super) fn expect(
        &self,
        id: &[u8],
        progress: Option<&[u8]>,
    ) -> Option<mpsc::Receiver<Bytes>> {
        let mut readers = self.lock();
        if readers.closed || readers.requests.contains_key(id) {
            return None;
        }
        let (sender, receiver) = mpsc::channel(QUEUE);
        readers.order += 1;
        let reader = Reader {
            sender,
            progress: progress.map(<[u8]>::to_vec),
            order: readers.order,
            listens: false,
        };
        readers.requests.insert(id.to_vec(), reader);
        Some(receiver)
    }

    /// The request `id` opens a stream: news that carry its id belong to it, and nothing else.
    pub(super) fn listens(&self, id: &[u8]) {
        if let Some(reader) = self.lock().requests.get_mut(id) {
            reader.listens = true;
        }
    }

    /// Forgets the request `id`, whose reader has gone.
    pub(super) fn forget(&self, id: &[u8]) {
        self.lock().requests.remove(id);
    }

    /// Becomes the reader of everything that belongs to no request; an earlier one ends.
    pub(super) fn listen(&self) -> mpsc::Receiver<Bytes> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let mut readers = self.lock();
        if !readers.closed {
            readers.stream = Some(sender);
        }
        receiver
    }

    /// Whether the process is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Gives `line` to the reader that it belongs to.
    pub(super) fn deliver(&self, line: Bytes) {
        let Ok(shape) = scan::shape(&line) else {
            tracing::warn!("a process wrote a line that is no message");
            return;
        };
        let mut readers = self.lock();
        let reader = match shape.kind {
            ShapeKind::Response => readers.take(&shape),
            ShapeKind::Notification | ShapeKind::Request => readers
                .related(&shape, &line)
                // The last place is the response's.
                .filter(|reader| reader.capacity() > 1 || reader.is_closed()),
        };
        drop(readers);
        match reader {
            Some(reader) if reader.try_send(line).is_err() => {
                tracing::warn!("a message of a process found its reader full or gone");
            }
            Some(_) => {}
            None => tracing::debug!("a message of a process found no reader"),
        }
    }

    /// Ends all readers: the process is gone.
    pub(super) fn close(&self) {
        *self.lock() = Readers { closed: true, ..Readers::default() };
    }

    fn lock(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readers {
    /// The reader of a response, which is its last message.
    fn take(&mut self, shape: &Shape<'_>) -> Option<mpsc::Sender<Bytes>> {
        self.requests.remove(shape.id?).map(|reader| reader.sender)
    }

    /// The reader of a notification or a request of the server: by progress token; otherwise the
    /// request under way that came last, as the specification wants server requests to belong to
    /// one; news about lists and MCP resources go to the standing stream.
    fn related(&self, shape: &Shape<'_>, line: &[u8]) -> Option<mpsc::Sender<Bytes>> {
        let method = shape.method.as_deref().unwrap_or_default();
        if let Some(token) = shape.progress_token {
            let owner =
                self.requests.values().find(|reader| reader.progress.as_deref() == Some(token));
            return owner.map(|reader| reader.sender.clone());
        }
        let is_news = method.ends_with("/list_changed") || method.ends_with("/updated");
        if is_news && let Some(tag) = tag(shape, line) {
            let owner = self.requests.get(&*tag).filter(|reader| reader.listens);
            return owner.map(|reader| reader.sender.clone());
        }
        let called = self.requests.values().filter(|reader| !reader.listens);
        let latest = called.max_by_key(|reader| reader.order);
        let latest = latest.filter(|_| !is_news).map(|reader| reader.sender.clone());
        latest.or_else(|| self.stream.clone())
    }
}

/// The raw id of the stream that news belong to (2026-07-28, subscriptions).
fn tag(shape: &Shape<'_>, line: &[u8]) -> Option<Vec<u8>> {
    let params: Value = serde_json::from_slice(line.get(shape.params.clone()?)?).ok()?;
    Some(params.get("_meta")?.get(SUBSCRIPTION)?.to_string().into_bytes())
}

#[cfg(test)]
mod tests;
