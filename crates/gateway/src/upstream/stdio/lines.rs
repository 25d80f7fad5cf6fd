//! What a process answers to one request, under the ids of whoever asked.
//!
//! Several clients of one party share a process and know nothing of each other: each request goes on
//! under a number of its own, and what comes back gets back the id and the token it came with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use kenward_mcp::{Kind, Limits, Message};
use serde_json::Value;
use tokio::sync::mpsc;

use super::router::{Router, SUBSCRIPTION};
use crate::upstream::UpstreamError;
use crate::upstream::lines::as_line;

/// Nothing that was let in is nested deeper, with what we add.
const DEEPEST: usize = 128;

/// The numbers of the requests under way, with the raw ids that they came with.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    under_way: Mutex<(u64, HashMap<u64, Vec<u8>>)>,
}

impl Numbers {
    pub(super) fn take(&self, id: &[u8]) -> u64 {
        let mut under_way = self.lock();
        under_way.0 += 1;
        let number = under_way.0;
        under_way.1.insert(number, id.to_vec());
        number
    }

    /// The number of the request that came with the id `id`; nothing when there is none, or more
    /// than one.
    pub(super) fn of(&self, id: &Value) -> Option<u64> {
        let under_way = self.lock();
        let mut same = under_way.1.iter().filter(|(_, raw)| {
            serde_json::from_slice::<Value>(raw).is_ok_and(|known| known == *id)
        });
        let first = same.next().map(|(number, _)| *number);
        first.filter(|_| same.next().is_none())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().1.is_empty()
    }

    fn give_back(&self, number: u64) {
        self.lock().1.remove(&number);
    }

    fn lock(&self) -> MutexGuard<'_, (u64, HashMap<u64, Vec<u8>>)> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Messages of a process, one by one.
#[derive(Debug)]
pub(crate) struct Lines {
    lines: mpsc::Receiver<Bytes>,
    /// The request that they belong to; nothing for a standing stream.
    own: Option<Own>,
}

/// A request under way; when it is dropped before its answer, nobody waits for that any more.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) number: u64,
    /// The raw id and progress token that the request came with.
    pub(super) id: Vec<u8>,
    pub(super) progress: Option<Vec<u8>>,
    pub(super) router: Arc<Router>,
    pub(super) numbers: Arc<Numbers>,
    pub(super) input: mpsc::Sender<Bytes>,
    /// Whether the process is told when nobody waits any more.
    pub(super) cancels: bool,
    pub(super) answered: bool,
}

/// Messages that belong to no request of a process: its standing stream, or words of our own.
impl From<mpsc::Receiver<Bytes>> for Lines {
    fn from(lines: mpsc::Receiver<Bytes>) -> Self {
        Self { lines, own: None }
    }
}

impl Lines {
    pub(super) fn of(lines: mpsc::Receiver<Bytes>, own: Own) -> Self {
        Self { lines, own: Some(own) }
    }

    /// The process is told when these are dropped before the answer (2026-07-28, cancellation).
    pub(crate) fn cancelling(mut self, cancels: bool) -> Self {
        if let Some(own) = &mut self.own {
            own.cancels = cancels;
        }
        self
    }

    /// The next message; nothing at the end. Safe to be cancelled.
    pub(crate) async fn recv(&mut self) -> Option<Bytes> {
        loop {
            let line = self.lines.recv().await?;
            let Some(own) = &mut self.own else { return Some(line) };
            if let Some(line) = own.as_asked(line) {
                return Some(line);
            }
            tracing::warn!("a message of a process makes no sense");
        }
    }
}

impl Own {
    /// The request under its number.
    pub(super) fn outgoing(&self, message: &Bytes) -> Result<Bytes, UpstreamError> {
        let number = self.number.to_string();
        let broken = || UpstreamError::Misbehaved("the message cannot be numbered");
        let message = parse(message).ok_or_else(broken)?;
        let numbered = message.with_id(&number);
        // Not every request wants to hear of its progress.
        if self.progress.is_none() || message.params().pointer("/_meta/progressToken").is_none() {
            return Ok(numbered);
        }
        let edited = parse(&numbered).and_then(|message| {
            message.with_params_member(&["_meta", "progressToken"], Some(&number))
        });
        edited.ok_or_else(broken)
    }

    /// The message with the id, token or tag that the request came with.
    fn as_asked(&mut self, line: Bytes) -> Option<Bytes> {
        let message = parse(&line)?;
        match message.kind() {
            Kind::Response => {
                self.answered = true;
                Some(message.with_id(std::str::from_utf8(&self.id).ok()?))
            }
            Kind::Notification => {
                let id = std::str::from_utf8(&self.id).ok()?;
                let tagged = message.with_params_member(&["_meta", SUBSCRIPTION], Some(id));
                let Some(progress) = &self.progress else { return Some(tagged.unwrap_or(line)) };
                let token = std::str::from_utf8(progress).ok()?;
                let edited = message.with_params_member(&["progressToken"], Some(token));
                Some(edited.or(tagged).unwrap_or(line))
            }
            Kind::Request => Some(line),
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.numbers.give_back(self.number);
        if self.answered {
            return;
        }
        self.router.forget(self.number.to_string().as_bytes());
        if self.cancels {
            let number = self.number;
            let message = format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{number}}}}}"#
            );
            // A process that does not read does not hear this either.
            let _unheard = self.input.try_send(as_line(&Bytes::from(message)));
        }
    }
}

/// The message as it may be edited; messages of ours and of servers that have been looked at.
pub(super) fn parse(bytes: &Bytes) -> Option<Message> {
    Message::parse(bytes.clone(), &Limits { body: bytes.len(), depth: DEEPEST }).ok()
}

#[cfg(test)]
mod tests;
