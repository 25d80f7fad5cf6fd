//! The messages of a server one by one, however they arrive.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use kenward_mcp::Limits;
use kenward_mcp::sse::{Decoder, Event};

use crate::upstream::{Lines, UpstreamError};

/// Where messages come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A stream of server-sent events.
    Events { body: Incoming, decoder: Box<Decoder>, limits: Limits },
    /// The lines of a process.
    Lines(Lines),
    /// Nothing ever comes: the server offers no such stream, and we alone have news.
    Silent,
}

impl Source {
    pub(crate) fn events(body: Incoming, longest: usize) -> Self {
        let limits = Limits { body: longest, ..Limits::default() };
        Self::Events { body, decoder: Box::default(), limits }
    }

    /// The next message with the event that carried it; nothing at the end. Safe to be cancelled.
    pub(crate) async fn next(&mut self) -> Option<Result<Event, UpstreamError>> {
        match self {
            Self::Silent => std::future::pending().await,
            Self::Lines(lines) => {
                lines.recv().await.map(|data| Ok(Event { data, ..Event::default() }))
            }
            Self::Events { body, decoder, limits } => loop {
                match decoder.next() {
                    // MCP has events of one type; others are for nobody, and their name is a text.
                    Some(Event { event: Some(kind), .. }) if kind != "message" => continue,
                    Some(event) => return Some(Ok(event)),
                    None => {}
                }
                let Ok(frame) = body.frame().await? else {
                    return Some(Err(UpstreamError::Misbehaved("the stream broke off")));
                };
                if let Ok(data) = frame.into_data()
                    && decoder.push(&data, limits).is_err()
                {
                    return Some(Err(UpstreamError::Misbehaved("the stream is malformed")));
                }
            },
        }
    }
}
