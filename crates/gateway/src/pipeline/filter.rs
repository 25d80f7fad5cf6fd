//! Step 10, filter: turns a server's reply into the answer, with everything passing the one gate.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use kenward_audit::Outcome as Ending;
use kenward_mcp::dialect::Era;
use kenward_mcp::method::{RowKind, Treatment};
use kenward_mcp::sse::{self, Event};
use kenward_mcp::to_modern;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep_until, timeout, timeout_at};

use super::handshake::{self, Opened};
use super::{Forwarded, Release, Released, Scout};
use crate::body::{AnswerBody, PassedThrough};
use crate::sessions::Behind;
use crate::source::Source;
use crate::stop::{Stop, bare, json};
use crate::upstream::{Lines, Reply, UpstreamError};

/// Events that wait for a slow client before its server is kept waiting too; each may be large.
const QUEUE: usize = 2;
/// How much of an answer is looked at as a whole before the rest of it can flow, in bytes.
const LOOKED_AT: usize = 64 << 10;

pub(super) async fn filter(
    forwarded: Result<Forwarded, UpstreamError>,
    mut release: Release,
) -> Result<Response<AnswerBody>, Stop> {
    let forwarded = match forwarded {
        Ok(forwarded) => forwarded,
        Err(error) => return Err(failed(&mut release, error).await),
    };
    if release.call.row.kind == RowKind::Notification {
        release.ended(Ending::Delivered);
        return Ok(bare(StatusCode::ACCEPTED));
    }
    let Forwarded { reply, started, bridged, server_requests, unheard: _ } = forwarded;
    release.may_ask_for(&server_requests);
    if release.call.row.treatment == Treatment::Handshake {
        let opened = Opened { started, bridged, server_requests };
        return handshake::finish(reply, opened, release).await;
    }
    match reply {
        Reply::Json { status, headers, body } => whole(status, &headers, body, release).await,
        Reply::Events { body, .. } => {
            let longest = release.call.entry.settings.limits.event;
            Ok(stream(Source::events(body, longest), release, None))
        }
        Reply::Lines(lines) => from_process(lines, release).await,
        Reply::Accepted | Reply::NotOffered => {
            Err(failed(&mut release, UpstreamError::Misbehaved("no answer to a request")).await)
        }
    }
}

/// A server that gave no usable answer; a session that ended there ends here.
pub(super) async fn failed(release: &mut Release, error: UpstreamError) -> Stop {
    release.came_to_nothing(&error).await;
    let id = release.call.request_id().map(<[u8]>::to_vec);
    match (&error, &release.call.session) {
        (UpstreamError::SessionEnded, Some(session)) => {
            release.gateway.sessions.end(session);
            match session.behind {
                Behind::Http(_) | Behind::Modern(_) => {
                    Stop::Session { status: StatusCode::NOT_FOUND, id }
                }
                // The process died over this very call; the next one finds no session.
                Behind::Process(_) => {
                    Stop::Upstream { id, error, reference: release.call.id.to_string() }
                }
            }
        }
        _ => Stop::Upstream { id, error, reference: release.call.id.to_string() },
    }
}

async fn whole(
    status: StatusCode,
    headers: &HeaderMap,
    body: Incoming,
    mut release: Release,
) -> Result<Response<AnswerBody>, Stop> {
    let is_legacy = release.call.dialect.era == Era::Legacy;
    if is_legacy && status == StatusCode::NOT_FOUND {
        return Err(failed(&mut release, UpstreamError::SessionEnded).await);
    }
    let limits = &release.call.entry.settings.limits;
    let (largest, patience) = (limits.answer, limits.answer_time);
    let begun = if status == StatusCode::OK && release.is_transparent() {
        within(patience, begin(body, largest)).await
    } else {
        within(patience, collect(body, largest)).await.map(Begun::Whole)
    };
    let bytes = match begun {
        Ok(Begun::Whole(bytes)) => bytes,
        Ok(Begun::Large(passed)) => return Ok(pass_through(headers, passed, release).await),
        Err(error) => return Err(failed(&mut release, error).await),
    };
    match release.message(bytes).await {
        Released::Last(bytes) => Ok(json(status, bytes)),
        Released::Deliver(_) | Released::Nothing => {
            Err(failed(&mut release, UpstreamError::Misbehaved("no answer to a request")).await)
        }
    }
}

/// An answer after its first piece.
enum Begun {
    /// It ended, or something in it calls for a look.
    Whole(Bytes),
    /// It is large and there was nothing to look at so far.
    Large(Box<PassedThrough>),
}

/// Reads as much as is looked at as a whole; what is larger and shows nothing can flow.
async fn begin(mut body: Incoming, largest: usize) -> Result<Begun, UpstreamError> {
    let mut scout = Scout::default();
    let mut ahead = VecDeque::new();
    let mut length = 0;
    let mut shows = false;
    while length < LOOKED_AT && !shows {
        let Some(frame) = body.frame().await else { return Ok(Begun::Whole(joined(ahead))) };
        let frame = frame.map_err(|_| UpstreamError::Misbehaved("an answer that broke off"))?;
        if let Ok(data) = frame.into_data() {
            length += data.len();
            shows = scout.sees(&data);
            ahead.push_back(data);
        }
    }
    if shows {
        let rest = collect(body, largest).await?;
        ahead.push_back(rest);
        return Ok(Begun::Whole(joined(ahead)));
    }
    Ok(Begun::Large(Box::new(PassedThrough { ahead, upstream: body, scout, outcome: None })))
}

/// The pieces as one; a single one is not copied.
fn joined(mut pieces: VecDeque<Bytes>) -> Bytes {
    match (pieces.pop_front(), pieces.is_empty()) {
        (None, _) => Bytes::new(),
        (Some(only), true) => only,
        (Some(first), false) => {
            let mut whole = first.to_vec();
            for piece in &pieces {
                whole.extend_from_slice(piece);
            }
            Bytes::from(whole)
        }
    }
}

/// The bytes of the server, piece by piece, after one last look at the decision.
async fn pass_through(
    headers: &HeaderMap,
    mut passed: Box<PassedThrough>,
    mut release: Release,
) -> Response<AnswerBody> {
    if let Some(refusal) = release.withdrawn().await {
        return json(StatusCode::OK, refusal);
    }
    passed.outcome = release.take_outcome();
    let mut response = Response::new(AnswerBody::PassedThrough(passed));
    let kind = headers.get(CONTENT_TYPE).cloned();
    let kind = kind.unwrap_or_else(|| HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// What a server takes too long for has failed.
pub(super) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, UpstreamError>>,
) -> Result<T, UpstreamError> {
    timeout(patience, work).await.unwrap_or(Err(UpstreamError::Slow))
}

pub(crate) async fn collect(body: Incoming, largest: usize) -> Result<Bytes, UpstreamError> {
    let collected = Limited::new(body, largest).collect().await;
    let broken = |_| UpstreamError::Misbehaved("an answer that broke off or is too large");
    collected.map(http_body_util::Collected::to_bytes).map_err(broken)
}

/// A process that answers at once gets a JSON answer made of it; otherwise a stream.
async fn from_process(
    mut lines: Lines,
    mut release: Release,
) -> Result<Response<AnswerBody>, Stop> {
    loop {
        let patience = release.call.entry.settings.limits.answer_time;
        let line = match timeout(patience, lines.recv()).await {
            Ok(Some(line)) => line,
            Ok(None) => return Err(failed(&mut release, UpstreamError::SessionEnded).await),
            Err(_) => return Err(failed(&mut release, UpstreamError::Slow).await),
        };
        match release.message(line).await {
            Released::Last(bytes) => {
                return Ok(json(status_of(release.call.dialect.era, &bytes), bytes));
            }
            Released::Deliver(bytes) => {
                return Ok(stream(Source::Lines(lines), release, Some(bytes)));
            }
            Released::Nothing => {}
        }
    }
}

/// The status of an answer that came without one (2026-07-28, transports).
pub(super) fn status_of(era: Era, bytes: &[u8]) -> StatusCode {
    match era {
        Era::Legacy => StatusCode::OK,
        Era::Modern => StatusCode::from_u16(to_modern::status(bytes)).unwrap_or(StatusCode::OK),
    }
}

fn stream(source: Source, release: Release, first: Option<Bytes>) -> Response<AnswerBody> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(pump(source, release, sender, first));
    event_stream(receiver)
}

/// A stream of events to the client, without anything in between keeping it.
pub(crate) fn event_stream(events: mpsc::Receiver<Bytes>) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::Events(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    headers.insert(unbuffered, HeaderValue::from_static("no"));
    response
}

/// Passes a server's messages through the gate until the response, or until one side is gone.
async fn pump(
    mut source: Source,
    mut release: Release,
    client: mpsc::Sender<Bytes>,
    first: Option<Bytes>,
) {
    if let Some(bytes) = first
        && client.send(sse::data(&bytes)).await.is_err()
    {
        return;
    }
    // A legacy server that gives its events ids may close the stream and go on in another one.
    let is_legacy = release.call.dialect.era == Era::Legacy;
    let mut resumable = false;
    let limits = release.call.entry.settings.limits.clone();
    let end = Instant::now() + limits.answer_life;
    let mut silent_until = Instant::now() + limits.answer_time;
    let beat = limits.heartbeat();
    let mut heartbeat = interval_at(Instant::now() + beat, beat);
    loop {
        let event = tokio::select! {
            event = source.next() => event,
            () = client.closed() => {
                release.ended(Ending::Cancelled);
                return;
            }
            () = sleep_until(silent_until.min(end)) => Some(Err(UpstreamError::Slow)),
            _ = heartbeat.tick() => {
                // A client that is gone, or has no room, is noticed elsewhere.
                let _full = client.try_send(Bytes::from_static(b": alive\n\n"));
                continue;
            }
        };
        silent_until = Instant::now() + limits.answer_time;
        let (bytes, last) = match event {
            Some(Ok(event)) if event.data.is_empty() => {
                resumable |= is_legacy && event.id.is_some();
                (sse::encode(&event), false)
            }
            Some(Ok(event)) => match pass(&mut release, &mut resumable, event).await {
                Some(passed) => passed,
                None => continue,
            },
            Some(Err(error)) => (sse::data(&release.broke_off(&error).await), true),
            None if resumable => {
                release.ended(Ending::Delivered);
                return;
            }
            None => {
                let error = UpstreamError::Misbehaved("the stream ended before the answer");
                (sse::data(&release.broke_off(&error).await), true)
            }
        };
        // A server that never ends is not let go on for ever by a client that takes no more.
        let until = if last { Instant::now() + limits.answer_time } else { end };
        match timeout_at(until, client.send(bytes)).await {
            Ok(Ok(())) if !last => {}
            Err(_late) if !last => {
                let farewell = sse::data(&release.broke_off(&UpstreamError::Slow).await);
                // It is heard by a client that is slow, and by no other.
                let _unheard = timeout(limits.answer_time, client.send(farewell)).await;
                return;
            }
            Ok(_) | Err(_) => return,
        }
    }
}

async fn pass(release: &mut Release, resumable: &mut bool, event: Event) -> Option<(Bytes, bool)> {
    let Event { data, id, .. } = &event;
    *resumable |= release.call.dialect.era == Era::Legacy && id.is_some();
    let (data, last) = match release.message(data.clone()).await {
        Released::Deliver(data) => (data, false),
        Released::Last(data) => (data, true),
        Released::Nothing => return None,
    };
    Some((sse::encode(&Event { data, ..event }), last))
}
