//! A client of 2026-07-28 before a server of 2025-11-25 or earlier.
//!
//! The server wants a session, which the client knows nothing of: the gateway owns it. A session is
//! one party's on one server with one set of capabilities, and never anybody else's. What a server
//! asks its client on the stream of a call becomes a result that requires input; the call waits here
//! until the client comes back with the answer and the sealed state (2026-07-28, multi round-trip
//! requests).

mod declared;
mod exchange;
mod listen;
mod open;
mod own;
mod parked;
mod seal;
mod session;
mod sessions;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use kenward_mcp::dialect::{Era, SUPPORTED};
use kenward_mcp::method::{RowKind, Treatment};
use kenward_mcp::{reply, to_modern};
use kenward_policy::Permit;
use kenward_store::segments::Receipt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::clock;
use crate::gateway::Gateway;
use crate::pipeline::{self, Call, Forwarded, Minted, Prepared};
use crate::upstream::{Reply, UpstreamError};

use declared::Declared;
use exchange::{KEY, Terms};
use parked::{Resume, Waiting};

pub(crate) use sessions::Bridged;

/// The code for parameters that a method does not take.
const INVALID_PARAMS: i32 = -32602;
/// Messages that wait for a slow client before its server is kept waiting too.
const QUEUE: usize = 16;

/// Sends an allowed message of a modern client to a legacy server.
pub(super) async fn forward(
    gateway: &Arc<Gateway>,
    call: &Arc<Call>,
    permit: Permit,
    receipt: Receipt,
    prepared: Prepared,
    grant: Option<Minted>,
) -> Result<Forwarded, UpstreamError> {
    pipeline::spend(permit, receipt);
    let Prepared { body, server_requests } = prepared;
    if call.row.kind == RowKind::Notification {
        // Its ids mean nothing to the server; what a client gives up it tells by going away.
        return Ok(forwarded(Reply::Accepted, server_requests));
    }
    let declared = Declared::of(call, &server_requests);
    match call.row.treatment {
        Treatment::Handshake => discover(gateway, call, declared).await,
        Treatment::Listen => listen::listen(gateway, call, &body, declared, grant.as_ref()).await,
        Treatment::Call
        | Treatment::Get
        | Treatment::Read
        | Treatment::List(_)
        | Treatment::Complete
        | Treatment::Local
        | Treatment::Subscribe
        | Treatment::Level
        | Treatment::Cancelled
        | Treatment::Progress
        | Treatment::Swallow
        | Treatment::ServerRequest
        | Treatment::Delivery
        | Treatment::Refuse => {
            let state = call.message.params().get("requestState");
            let (client, answers) = mpsc::channel(QUEUE);
            let terms = Terms::of(call, server_requests.clone(), declared, client);
            match state.filter(|_| may_require_input(call)) {
                Some(state) => answered(gateway, state, &body, terms, grant).await?,
                None => begin(gateway, &body, terms, grant.as_ref()).await?,
            }
            Ok(forwarded(Reply::Lines(answers.into()), server_requests))
        }
    }
}

fn forwarded(reply: Reply, server_requests: Vec<&'static str>) -> Forwarded {
    Forwarded { reply, started: None, bridged: None, server_requests, unheard: Vec::new() }
}

/// A reply that is there already.
fn at_once(message: Bytes) -> Reply {
    let (sender, receiver) = mpsc::channel(1);
    // The receiver is in our hand and the queue is empty.
    let _sent = sender.try_send(message);
    Reply::Lines(receiver.into())
}

/// Whether the answer to `call` may ask the client for something.
fn may_require_input(call: &Call) -> bool {
    matches!(call.row.treatment, Treatment::Call | Treatment::Get | Treatment::Read)
}

/// What the server said of itself when its session was opened, as the modern era asks for it.
async fn discover(
    gateway: &Arc<Gateway>,
    call: &Arc<Call>,
    declared: Declared,
) -> Result<Forwarded, UpstreamError> {
    let session = gateway.bridged.session(gateway, call, declared).await?;
    let introduced = &session.introduced;
    let versions = SUPPORTED.iter().filter(|own| own.era == Era::Modern);
    let versions: Vec<&str> = versions.map(|own| own.version).collect();
    let mut result = json!({
        "resultType": "complete",
        "supportedVersions": versions,
        "capabilities": introduced.capabilities,
        "ttlMs": 0,
        "cacheScope": "private",
    });
    if let (Some(instructions), Some(members)) = (&introduced.instructions, result.as_object_mut())
    {
        members.insert("instructions".to_owned(), Value::from(instructions.as_str()));
    }
    let id = call.request_id().unwrap_or(b"null");
    let response = reply::result(id, &result.to_string());
    let dress = to_modern::Dress { id, cacheable: true, server: introduced.server_info.as_deref() };
    let malformed = |_| UpstreamError::Misbehaved("a malformed handshake");
    let response = to_modern::response(&response, dress).map_err(malformed)?;
    Ok(forwarded(at_once(response), Vec::new()))
}

/// Sends a request in the session of its party. One that the server does not know any more has
/// processed nothing: a new one is opened, once.
async fn begin(
    gateway: &Arc<Gateway>,
    body: &Bytes,
    terms: Terms,
    grant: Option<&Minted>,
) -> Result<(), UpstreamError> {
    let mut may_retry = true;
    loop {
        let session = gateway.bridged.session(gateway, &terms.call, terms.declared).await?;
        own::set_level(gateway, &session, &terms).await?;
        match exchange::send(&session, body, &terms.call, grant).await {
            Err(UpstreamError::SessionEnded) if may_retry => {
                session.lose();
                may_retry = false;
            }
            Err(error) => return Err(error),
            Ok(sent) => {
                exchange::start(gateway, session, sent, terms);
                return Ok(());
            }
        }
    }
}

/// A client that comes back with what it was asked for.
async fn answered(
    gateway: &Arc<Gateway>,
    state: &Value,
    body: &Bytes,
    terms: Terms,
    grant: Option<Minted>,
) -> Result<(), UpstreamError> {
    let call = &terms.call;
    let refuse = |words: &str| reply::error(call.request_id(), INVALID_PARAMS, words, None);
    let state = state.as_str().unwrap_or_default();
    let bridged = &gateway.bridged;
    let ticket = match bridged.seal.open(state, call, clock::now()) {
        Ok(ticket) => ticket,
        Err(words) => return terms.tell(refuse(words)).await,
    };
    let Some(answer) = to_modern::input_response(&call.message, KEY).map(str::to_owned) else {
        return terms.tell(refuse("`inputResponses` lacks the answer to `input`")).await;
    };
    match bridged.parked.take(&call.entry.caller, &ticket) {
        None => {
            terms.tell(refuse("the question is answered already, or has waited too long")).await
        }
        Some(Waiting::Call(waiting)) => {
            // Whoever waited may have given up in between; then the answer's channel closes.
            let _gone = waiting.send(Resume { terms, answer, grant });
            Ok(())
        }
        Some(Waiting::Visit) if exchange::accepts(&answer) => {
            begin(gateway, body, terms, grant.as_ref()).await
        }
        Some(Waiting::Visit) => {
            let words = "the server wants a page to be visited first, and it was not";
            let id = call.request_id().map(<[u8]>::to_vec);
            terms.tell(reply::error(id.as_deref(), exchange::INTERNAL, words, None)).await
        }
    }
}
