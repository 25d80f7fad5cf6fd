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
pub(crate) struct Stream {
    body: Incoming,
    decoder: sse::Decoder,
    tape: Arc<Tape>,
}

/// What came next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Next {
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
    pub(crate) fn new(body: Incoming, tape: Arc<Tape>) -> Self {
        Self { body, decoder: sse::Decoder::new(), tape }
    }

    /// The next message, for which `patience` is waited at most.
    pub(crate) async fn next(&mut self, patience: Duration) -> Next {
        tokio::time::timeout(patience, self.message()).await.unwrap_or(Next::Silence)
    }

    async fn message(&mut self) -> Next {
        loop {
            let mut events = std::iter::from_fn(|| self.decoder.next());
            if let Some(message) = events.find_map(|event| serde_json::from_slice(&event.data).ok())
            {
                return Next::Message(message);
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
