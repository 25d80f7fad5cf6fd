//! Server-sent events: how they are written, and streams that a client can come back to.

use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// How long a client waits before it comes back, in milliseconds.
const RETRY: u32 = 250;

/// How many events of one stream are kept.
const KEPT: usize = 256;

/// One message as an event.
pub(super) fn event(message: &Value) -> Bytes {
    Bytes::from(format!("event: message\ndata: {message}\n\n"))
}

/// A stream of a session: each event has an id, and a client that lost it gets the rest by the last.
#[derive(Debug)]
pub(super) struct Stream {
    number: u64,
    /// Whether an empty event with an id opens it, as 2025-11-25 wants.
    primes: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    kept: Vec<(u64, Bytes)>,
    reader: Option<UnboundedSender<Bytes>>,
    finished: bool,
}

impl Stream {
    pub(super) fn new(number: u64, primes: bool) -> Self {
        Self { number, primes, inner: Mutex::default() }
    }

    /// Its number within the session.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Reads it from its beginning, which the client has not seen.
    pub(super) fn open(&self) -> UnboundedReceiver<Bytes> {
        let (reader, chunks) = mpsc::unbounded_channel();
        let mut inner = self.lock();
        let opening = if self.primes {
            let id = inner.take_id();
            format!("id: {}-{id}\nretry: {RETRY}\ndata: \n\n", self.number)
        } else {
            ": open\n\n".to_owned()
        };
        let _gone = reader.send(Bytes::from(opening));
        inner.read_by(reader);
        chunks
    }

    /// Reads what came after the event `last`.
    pub(super) fn resume(&self, last: u64) -> UnboundedReceiver<Bytes> {
        let (reader, chunks) = mpsc::unbounded_channel();
        let mut inner = self.lock();
        for (_, event) in inner.kept.iter().filter(|(id, _)| *id > last) {
            let _gone = reader.send(event.clone());
        }
        inner.read_by(reader);
        chunks
    }

    /// Says `message`, now or when the client comes back.
    pub(super) fn say(&self, message: &Value) {
        let mut inner = self.lock();
        let id = inner.take_id();
        let event =
            Bytes::from(format!("id: {}-{id}\nevent: message\ndata: {message}\n\n", self.number));
        if let Some(reader) = &inner.reader {
            let _gone = reader.send(event.clone());
        }
        if inner.kept.len() == KEPT {
            inner.kept.remove(0);
        }
        inner.kept.push((id, event));
    }

    /// Closes the connection; the stream goes on.
    pub(super) fn disconnect(&self) {
        self.lock().reader = None;
    }

    /// Nothing more will be said.
    pub(super) fn finish(&self) {
        let mut inner = self.lock();
        inner.finished = true;
        inner.reader = None;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("the stream")
    }
}

impl Inner {
    fn take_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn read_by(&mut self, reader: UnboundedSender<Bytes>) {
        self.reader = Some(reader).filter(|_| !self.finished);
    }
}
