//! An open stream of events.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use kenward_mcp::{Limits, sse};
use serde_json::Value;

use super::Tape;

/// The stream.
pub(in crate::player) struct Stream {
    body: Incoming,
    decoder: sse::Decoder,
    tape: Arc<Tape>,
}

/// What came next.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::player) enum Next {
    /// A message.
    Message(Value),
    /// The other side has ended the stream.
    Ended,
    /// Nothing, for as long as was waited.
    Silence,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl Stream {
    pub(super) fn new(body: Incoming, tape: Arc<Tape>) -> Self {
        Self { body, decoder: sse::Decoder::new(), tape }
    }

    /// The next message, for which `patience` is waited at most.
    pub(in crate::player) async fn next(&mut self, patience: Duration) -> Next {
        tokio::time::timeout(patience, self.message()).await.unwrap_or(Next::Silence)
    }

    async fn message(&mut self) -> Next {
        loop {
            while let Some(event) = self.decoder.next() {
                if let Ok(message) = serde_json::from_slice(&event.data) {
                    return Next::Message(message);
                }
            }
            let Some(Ok(frame)) = self.body.frame().await else { return Next::Ended };
            let Ok(data) = frame.into_data() else { continue };
            self.tape.keep(&data);
            if self.decoder.push(&data, &Limits::default()).is_err() {
                return Next::Ended;
            }
        }
    }
}
