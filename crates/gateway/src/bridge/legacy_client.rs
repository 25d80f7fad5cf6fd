//! A client of 2025-11-25 or earlier before a server of 2026-07-28: the gateway makes the session
//! that the server does not have, and asks the client what the server wants to know.

mod conversation;
mod handshake;
mod questions;
mod send;
mod session;
mod standing;

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use kenward_mcp::method::{RowKind, Treatment};
use kenward_mcp::{Limits, Message, reply};
use kenward_policy::Permit;
use kenward_store::segments::Receipt;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::gateway::Gateway;
use crate::pipeline::{self, Call, Forwarded, Minted, Prepared};
use crate::sessions::Behind;
use crate::upstream::{Reply, UpstreamError};

pub(crate) use session::Modern;
pub(crate) use standing::standing;

/// The code for parameters that a method does not take.
const INVALID_PARAMS: i32 = -32602;
/// The levels of log messages (2025-11-25, utilities, logging).
const LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// Sends what a legacy client may say to a modern server, in that server's words.
pub(super) async fn forward(
    gateway: &Arc<Gateway>,
    call: &Arc<Call>,
    permit: Permit,
    receipt: Receipt,
    prepared: Prepared,
    grant: Option<Minted>,
) -> Result<Forwarded, UpstreamError> {
    let Prepared { body, server_requests } = prepared;
    let clean = clean(call, body)?;
    if call.row.name == "initialize" {
        // The grant is for what is asked, which is something else now.
        drop(grant);
        let opened = handshake::open(gateway, call, &permit, clean.as_ref()).await;
        pipeline::spend(permit, receipt);
        let (answer, modern) = opened?;
        return Ok(Forwarded { bridged: modern, server_requests, ..here(answer) });
    }
    pipeline::spend(permit, receipt);
    let modern = modern(call)?;
    match (call.row.kind, call.row.treatment) {
        (RowKind::Notification, treatment) => {
            if treatment == Treatment::Cancelled {
                let id = call.message.params().get("requestId").map(ToString::to_string);
                modern.call_off(id.unwrap_or_default().as_bytes());
            }
            Ok(Forwarded { reply: Reply::Accepted, ..here(Bytes::new()) })
        }
        (RowKind::Request, Treatment::Level) => Ok(here(level(call, modern))),
        // The standing stream asks the server for what the session follows.
        (RowKind::Request, Treatment::Subscribe) => Ok(here(reply::result(id(call), "{}"))),
        (RowKind::Request, _) => {
            let lines = conversation::start(gateway, call, clean, grant).await?;
            Ok(Forwarded { reply: Reply::Lines(lines.into()), ..here(Bytes::new()) })
        }
    }
}

/// Whether `call` belongs to a session that the gateway made for a modern server.
pub(super) fn is_bridged(call: &Call) -> bool {
    modern(call).is_ok()
}

fn modern(call: &Call) -> Result<&Modern, UpstreamError> {
    match call.session.as_ref().map(|session| &session.behind) {
        Some(Behind::Modern(modern)) => Ok(modern),
        Some(Behind::Http(_) | Behind::Process(_)) | None => Err(UpstreamError::SessionEnded),
    }
}

/// The message as it may go on, where something had to be taken out of it.
fn clean(call: &Call, body: Bytes) -> Result<Option<Message>, UpstreamError> {
    if body == *call.message.bytes() {
        return Ok(None);
    }
    let limits = &call.entry.settings.limits;
    let limits = Limits { body: limits.body, depth: limits.depth };
    let broken = |_| UpstreamError::Misbehaved("the message cannot be said in its era");
    Message::parse(body, &limits).map(Some).map_err(broken)
}

/// An answer of our own, which passes the gate like any other.
fn here(answer: Bytes) -> Forwarded {
    let (sender, lines) = mpsc::channel(1);
    // The channel is new and has room for one.
    let _room = sender.try_send(answer);
    let reply = Reply::Lines(lines.into());
    Forwarded {
        reply,
        started: None,
        bridged: None,
        server_requests: Vec::new(),
        unheard: Vec::new(),
    }
}

fn id(call: &Call) -> &[u8] {
    call.request_id().unwrap_or(b"null")
}

/// The level is the session's: each request says it to the server.
fn level(call: &Call, modern: &Modern) -> Bytes {
    let level = call.message.params().get("level").and_then(Value::as_str);
    if let Some(level) = level.filter(|level| LEVELS.contains(level)) {
        modern.set_level(level);
        return reply::result(id(call), "{}");
    }
    let words = format!("member `level` must be one of {}", LEVELS.join(", "));
    reply::error(Some(id(call)), INVALID_PARAMS, &words, None)
}

/// How a posted message is sent.
const POST: Method = Method::POST;
