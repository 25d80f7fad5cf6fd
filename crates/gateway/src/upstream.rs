//! The servers behind: how a decided message reaches one, and what comes back.

mod http;
mod lines;
mod reach;
mod stdio;

pub(crate) use http::{Client, HttpRequest, send};
pub use reach::reach;
pub(crate) use stdio::{Lines, Process, Processes, Program};

use ::http::{HeaderMap, StatusCode};
use hyper::body::Incoming;

/// What a server answered to one message.
#[derive(Debug)]
pub(crate) enum Reply {
    /// One JSON body.
    Json {
        /// The HTTP status, which in 2026-07-28 goes with the error code.
        status: StatusCode,
        /// The headers of the answer, none of which reaches the client unasked.
        headers: HeaderMap,
        /// The body, not yet read.
        body: Incoming,
    },
    /// A stream of events.
    Events {
        /// The headers of the answer.
        headers: HeaderMap,
        /// The stream, not yet read.
        body: Incoming,
    },
    /// Messages of a process, one by one.
    Lines(Lines),
    /// Taken, without an answer.
    Accepted,
    /// The server does not offer this (a 405 to a GET).
    NotOffered,
}

/// Why a server gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("the server cannot be reached")]
    Unreachable,
    #[error("the server did not answer in time")]
    Slow,
    #[error("the client called it off")]
    CalledOff,
    #[error("the server's session has ended")]
    SessionEnded,
    #[error("the server refused our credential")]
    RefusedUs,
    #[error("the server answered with status {0}")]
    Status(u16),
    #[error("the server's answer is not what MCP allows: {0}")]
    Misbehaved(&'static str),
}
