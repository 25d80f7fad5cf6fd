//! The path of a message: ten steps in order, each consuming what the one before it made.
//!
//! | # | step | makes | fails as |
//! |---|---|---|---|
//! | 1 | [`accept`] | the endpoint, from a place that may ask | 403, 404 |
//! | 2 | [`authenticate`] | the caller | 401 with a challenge |
//! | 3 | [`parse`] | the message, from bytes that are kept | 400, 413, -32700, -32600, -32020 |
//! | 4 | [`admit`] | a slot among the caller's calls | 429 |
//! | 5 | [`resolve`] | the call: row, target, session, digest | -32601, -32602, 400, 404 |
//! | 6 | [`decide`] | a permit, or a refusal | the refusal, as data |
//! | 7 | [`record`] | a receipt: the decision is in the log | -32603 |
//! | 8 | [`mint`] | the grant for this one call | -32603 |
//! | 9 | [`forward`] | the server's reply | -32603 |
//! | 10 | [`filter`] | what of it this caller may see | withheld, and said so |
//!
//! The caller is known before the body is read: nobody unknown makes us parse anything.

mod accept;
mod admit;
mod authenticate;
mod beside;
mod call;
mod copied;
mod decide;
mod embedded;
mod filter;
mod forward;
mod handshake;
mod mint;
mod parse;
mod prepare;
mod record;
mod refuse;
mod release;
mod resolve;
mod review;

use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use kenward_mcp::dialect::Dialect;
use kenward_mcp::method::Treatment;
use kenward_mcp::{Kind, Message};
use kenward_policy::{Refusal, Verdict};

use crate::admission::Slot;
use crate::body::AnswerBody;
use crate::gateway::Gateway;
use crate::stepup::{self, Way};
use crate::stop::{self, Stop, bare};
use crate::{documents, federation, streams};

pub(crate) use admit::admit;
pub(crate) use authenticate::{Entry, Known};
pub(crate) use beside::may_hear;
pub(crate) use call::Call;
pub(crate) use embedded::Scout;
pub(crate) use filter::{collect, event_stream};
pub(crate) use forward::Forwarded;
pub(crate) use forward::{
    GRANT, GRANT_MEMBER, answer_to_server, end_behind, forward, not_offered, send_http, spend,
};
pub(crate) use mint::{Minted, mint as mint_grant};
pub(crate) use parse::parse;
pub(crate) use prepare::Prepared;
pub(crate) use record::withheld;
pub(crate) use refuse::refusal_body;
use release::Released;
pub(crate) use release::{Release, permitted_request, server_request};

/// Answers one HTTP request.
pub(crate) async fn answer(
    gateway: &Arc<Gateway>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    route(gateway, peer, request).await.unwrap_or_else(Stop::into_response)
}

async fn route(
    gateway: &Arc<Gateway>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Stop> {
    let (head, body) = request.into_parts();
    let settings = gateway.settings();
    let server = match accept::accept(&head, &settings)? {
        accept::Accepted::Mcp(server) => server,
        accept::Accepted::All => {
            let known = authenticate::authenticate_at_all(gateway, settings, peer, &head).await?;
            return federation::answer(gateway, known, head, body).await;
        }
        accept::Accepted::Document(document) => {
            return Ok(documents::answer(gateway, &settings, &head.method, &document));
        }
    };
    let entry = authenticate::authenticate(gateway, settings, server, peer, &head).await?;
    match head.method {
        Method::POST => post(gateway, entry, head, body).await,
        Method::GET => streams::standing(gateway, entry, &head).await,
        Method::DELETE => end_session(gateway, &entry, &head),
        _ => Err(Stop::Status(StatusCode::METHOD_NOT_ALLOWED)),
    }
}

/// Steps 3 to 10, for a posted message.
async fn post(
    gateway: &Arc<Gateway>,
    entry: Entry,
    head: Parts,
    body: Incoming,
) -> Result<Response<AnswerBody>, Stop> {
    let (message, dialect) = parse(&entry.settings, &head, body).await?;
    let slot = admit(gateway, &entry.caller, &message)?;
    if message.kind() == Kind::Response {
        return answer_to_server(gateway, &entry, &head, &message).await;
    }
    onward(gateway, entry, &head, (message, dialect), slot).await
}

/// Steps 5 to 10.
pub(crate) async fn onward(
    gateway: &Arc<Gateway>,
    entry: Entry,
    head: &Parts,
    (message, dialect): (Message, Dialect),
    slot: Slot,
) -> Result<Response<AnswerBody>, Stop> {
    let call = resolve::resolve(gateway, entry, head, message, dialect).await?;
    let call = Arc::new(stepup::take_answer(gateway, call).await?);
    decided(gateway, call, slot).await
}

/// Steps 6 and 7 for a message that is answered here, whatever its row says.
pub(crate) async fn decided_here(gateway: &Gateway, call: &Call, slot: Slot) -> Result<(), Stop> {
    let in_force = gateway.live.snapshot();
    let (verdict, entries) = decide::decide(call, &in_force);
    let receipt = record::record(gateway, call, &in_force, &verdict)?;
    decide::keep(call, &verdict, &entries).await?;
    spend(refuse::unless_allowed(call, verdict)?, receipt);
    record::closed_here(gateway, call, slot);
    Ok(())
}

/// Steps 6 to 10, for a call that is known.
async fn decided(
    gateway: &Arc<Gateway>,
    call: Arc<Call>,
    slot: Slot,
) -> Result<Response<AnswerBody>, Stop> {
    let in_force = gateway.live.snapshot();
    let (verdict, entries) = decide::decide(&call, &in_force);
    let receipt = record::record(gateway, &call, &in_force, &verdict)?;
    decide::keep(&call, &verdict, &entries).await?;
    record::alert(gateway, &call, &verdict);
    let permit = match verdict {
        Verdict::Refuse(refusal) if refusal.ask.is_some() => {
            return somebody_agrees(gateway, call, slot, refusal).await;
        }
        Verdict::Refuse(_) | Verdict::Allow(_) => refuse::unless_allowed(&call, verdict)?,
    };
    if let Some(answer) = resolve::answered_here(&call) {
        record::closed_here(gateway, &call, slot);
        return Ok(answer);
    }
    if let Some(kind) = copied::kept(&call) {
        let allowed = copied::Allowed { permit, receipt, slot };
        return copied::answer(gateway, call, kind, allowed, &in_force).await;
    }
    let prepared = prepare::prepare(&call, &in_force)?;
    let grant = mint::mint(gateway, &call, &permit, &in_force)?;
    let outcome = record::outcome(gateway, &call, slot);
    if call.row.treatment == Treatment::Listen {
        let opening = streams::Opening { permit, receipt, prepared, grant, outcome };
        return streams::listen(gateway, call, opening).await;
    }
    let expects = permit.expects().to_vec();
    let forwarded = forward(gateway, &call, permit, receipt, prepared, grant).await;
    let release = Release::new(gateway, call, in_force.generation, outcome, expects);
    filter::filter(forwarded, release).await
}

/// The person is asked where their client can do it; an approver may agree as well.
async fn somebody_agrees(
    gateway: &Arc<Gateway>,
    call: Arc<Call>,
    slot: Slot,
    refusal: Refusal,
) -> Result<Response<AnswerBody>, Stop> {
    let refused = || Stop::Answer(refusal_body(&call, &refusal));
    let Some(ask) = refusal.ask.as_deref() else { return Err(refused()) };
    stepup::tell_approvers(gateway, &call, ask).await;
    match stepup::way(&call) {
        Way::Result => Err(Stop::Answer(stepup::question(gateway, &call, ask, &refusal))),
        Way::Stream => Ok(stepup::ask_on_stream(gateway, call, refusal, slot)),
        Way::None => Err(refused()),
    }
}

/// A call that somebody has agreed to, decided again from the beginning as a decision of its own.
pub(crate) async fn again(gateway: &Arc<Gateway>, call: &Call, slot: Slot) -> Response<AnswerBody> {
    let us =
        || Stop::Us { id: call.request_id().map(<[u8]>::to_vec), reference: call.id.to_string() };
    let answered = match call.anew() {
        Some(call) => Box::pin(decided(gateway, Arc::new(call), slot)).await,
        None => Err(us()),
    };
    answered.unwrap_or_else(Stop::into_response)
}

/// Steps 6 to 9 for a message of our own that is sent in the name of a caller.
pub(crate) async fn send_own(gateway: &Arc<Gateway>, call: &Arc<Call>) -> Option<Forwarded> {
    let in_force = gateway.live.snapshot();
    let (verdict, entries) = decide::decide(call, &in_force);
    let receipt = record::record(gateway, call, &in_force, &verdict).ok()?;
    decide::keep(call, &verdict, &entries).await.ok()?;
    let permit = refuse::unless_allowed(call, verdict).ok()?;
    let prepared = prepare::prepare(call, &in_force).ok()?;
    let grant = mint::mint(gateway, call, &permit, &in_force).ok()?;
    forward(gateway, call, permit, receipt, prepared, grant).await.ok()
}

/// One more round of a call that was allowed before: decided, recorded and kept like the first. The
/// last word to the client where it is not allowed any more.
pub(crate) async fn another_round(
    gateway: &Gateway,
    call: &Call,
) -> Result<Option<Minted>, bytes::Bytes> {
    let us = |_| stop::failure(call.request_id(), &call.id.to_string());
    let in_force = gateway.live.snapshot();
    let (verdict, entries) = decide::decide(call, &in_force);
    let receipt = record::record(gateway, call, &in_force, &verdict).map_err(us)?;
    decide::keep(call, &verdict, &entries).await.map_err(us)?;
    record::alert(gateway, call, &verdict);
    match verdict {
        Verdict::Refuse(refusal) => Err(refusal_body(call, &refusal)),
        Verdict::Allow(permit) => {
            let grant = mint::mint(gateway, call, &permit, &in_force).map_err(us)?;
            spend(permit, receipt);
            Ok(grant)
        }
    }
}

/// The decision that opens a stream, and the grant for it: steps 6 to 8.
pub(crate) fn open_stream(
    gateway: &Gateway,
    call: &Call,
    in_force: &kenward_live::InForce,
) -> Result<(kenward_policy::Permit, kenward_store::segments::Receipt, Option<Minted>), Stop> {
    // A stream tells nothing by itself: what it delivers is decided then.
    let (verdict, _nothing) = decide::decide(call, in_force);
    let receipt = record::record(gateway, call, in_force, &verdict)?;
    let permit = refuse::unless_allowed(call, verdict)?;
    let grant = mint::mint(gateway, call, &permit, in_force)?;
    Ok((permit, receipt, grant))
}

/// The session that a GET or a DELETE names.
pub(crate) fn session_of(
    gateway: &Gateway,
    entry: &Entry,
    head: &Parts,
) -> Result<Arc<crate::sessions::Session>, Stop> {
    resolve::session_of(gateway, entry, head, None)
}

fn end_session(
    gateway: &Gateway,
    entry: &Entry,
    head: &Parts,
) -> Result<Response<AnswerBody>, Stop> {
    let session = resolve::session_of(gateway, entry, head, None)?;
    gateway.sessions.end(&session);
    tokio::spawn(end_behind(entry.clone(), session));
    Ok(bare(StatusCode::NO_CONTENT))
}
