//! Streams that stay open: each delivery is decided when it is made, and a lost right ends them.
//!
//! In the legacy era a session has a standing stream (GET); in the modern era a caller listens
//! (`subscriptions/listen`). Both are one thing here: a source upstream, a [`Watch`] that knows what
//! the caller may still have, and news of our own when a change of rights changes the caller's lists.

mod asked;
mod run;
mod watch;

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};
use kenward_audit::Outcome as Ending;
use kenward_mcp::{Limits, Message, method};
use kenward_policy::Permit;
use kenward_store::segments::Receipt;

use crate::admission::Slot;
use crate::body::AnswerBody;
use crate::gateway::Gateway;
use crate::outcome::Outcome;
use crate::pipeline::{self, Call, Entry, Forwarded, Minted, Prepared};
use crate::source::Source;
use crate::stop::Stop;
use crate::upstream::{Reply, UpstreamError};

use asked::Asked;
pub(crate) use asked::may_follow;
use run::Stream;
use watch::Watch;

/// The steps before, as a listening request brings them along.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) permit: Permit,
    pub(crate) receipt: Receipt,
    pub(crate) prepared: Prepared,
    pub(crate) grant: Option<Minted>,
    pub(crate) outcome: Outcome,
}

/// The standing stream of a session (2025-11-25, transports, listening for messages).
pub(crate) async fn standing(
    gateway: &Arc<Gateway>,
    entry: Entry,
    head: &Parts,
) -> Result<Response<AnswerBody>, Stop> {
    let session = pipeline::session_of(gateway, &entry, head)?;
    let slot = admit(gateway, &entry, None)?;
    let failed = || Stop::Us { id: None, reference: "-".to_owned() };
    let message = br#"{"jsonrpc":"2.0","id":0,"method":"subscriptions/listen","params":{}}"#;
    let message = Message::parse(Bytes::from_static(message), &Limits::default())?;
    let row = method::find("subscriptions/listen").ok_or_else(failed)?;
    let mut call =
        Call::of_session(entry, message, row, Arc::clone(&session)).ok_or_else(failed)?;
    if let Some(last) = head.headers.get("last-event-id") {
        call.headers.insert("last-event-id", last.clone());
    }
    let changes = gateway.live.subscribe();
    let in_force = gateway.live.snapshot();
    let (permit, receipt, grant) = pipeline::open_stream(gateway, &call, &in_force)?;
    let outcome = Outcome::new(Arc::clone(&gateway.log), call.id, None);
    let source = match &session.behind {
        crate::sessions::Behind::Process(process) => Source::Lines(process.listen()),
        crate::sessions::Behind::Modern(_) => {
            pipeline::spend(permit, receipt);
            crate::bridge::standing(gateway, &call, grant)
        }
        crate::sessions::Behind::Http(_) => {
            pipeline::spend(permit, receipt);
            let sent = pipeline::send_http(&call, Method::GET, Bytes::new(), grant).await;
            source_of(gateway, &call, sent)?
        }
    };
    let asked = Asked::everything(&session);
    let watch = Watch::new(gateway, Arc::new(call), asked, in_force);
    Ok(Stream::start(source, watch, changes, outcome, slot))
}

/// A stream that a modern request asks for (2026-07-28, subscriptions).
pub(crate) async fn listen(
    gateway: &Arc<Gateway>,
    call: Arc<Call>,
    opening: Opening,
) -> Result<Response<AnswerBody>, Stop> {
    let Opening { permit, receipt, mut prepared, grant, outcome } = opening;
    let slot = admit(gateway, &call.entry, call.request_id())?;
    let changes = gateway.live.subscribe();
    let in_force = gateway.live.snapshot();
    let mut asked = Asked::of(&call, &in_force);
    prepared.body = asked.narrowed(&call, prepared.body)?;
    let sent = pipeline::forward(gateway, &call, permit, receipt, prepared, grant).await;
    let sent = sent.map(|Forwarded { reply, unheard, .. }| {
        asked.leave_out(&unheard);
        reply
    });
    let source = source_of(gateway, &call, sent)?;
    let watch = Watch::new(gateway, call, asked, in_force);
    Ok(Stream::start(source, watch, changes, outcome, slot))
}

fn admit(gateway: &Gateway, entry: &Entry, id: Option<&[u8]>) -> Result<Slot, Stop> {
    gateway.streams.enter(&entry.caller).map_err(|_| Stop::TooMany { id: id.map(<[u8]>::to_vec) })
}

/// A server that offers no stream is silent: we still have news of our own.
fn source_of(
    gateway: &Gateway,
    call: &Call,
    sent: Result<Reply, UpstreamError>,
) -> Result<Source, Stop> {
    let id = || call.request_id().filter(|_| call.session.is_none()).map(<[u8]>::to_vec);
    match sent {
        Ok(Reply::Events { body, .. }) => {
            Ok(Source::events(body, call.entry.settings.limits.event))
        }
        Ok(Reply::Lines(lines)) => Ok(Source::Lines(lines)),
        Ok(Reply::NotOffered | Reply::Accepted | Reply::Json { .. }) => Ok(Source::Silent),
        Err(error) => {
            if let (UpstreamError::SessionEnded, Some(session)) = (&error, &call.session) {
                gateway.sessions.end(session);
            }
            Outcome::new(Arc::clone(&gateway.log), call.id, None).finish(Ending::Failed);
            Err(Stop::Upstream { id: id(), error, reference: call.id.to_string() })
        }
    }
}
