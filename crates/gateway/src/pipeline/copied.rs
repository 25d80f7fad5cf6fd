//! Lists that are answered from the approved copies; the server is asked now and then.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use kenward_audit::Outcome as Ending;
use kenward_definitions::{Kind, Mode};
use kenward_live::InForce;
use kenward_mcp::dialect::Era;
use kenward_mcp::list::{self, ListKind};
use kenward_mcp::method::Treatment;
use kenward_mcp::{reply, scan, tree};
use kenward_model::Timestamp;
use kenward_policy::Permit;
use kenward_store::segments::Receipt;
use serde_json::Value;

use super::filter::{collect, failed, status_of};
use super::{Call, Forwarded, Release, Released, forward, mint, prepare, record, spend};
use crate::admission::Slot;
use crate::body::AnswerBody;
use crate::copies::{self, Age, Cut, ListOf, Shown, Whole};
use crate::gateway::Gateway;
use crate::source::Source;
use crate::stop::{Stop, json};
use crate::upstream::{Reply, UpstreamError};
use crate::{clock, definitions, lists};

/// Parameters that the method does not take.
const INVALID_PARAMS: i32 = -32602;

/// What the steps before have made.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) permit: Permit,
    pub(super) receipt: Receipt,
    pub(super) slot: Slot,
}

/// The list that `call` asks for, if it is answered from copies.
pub(super) fn kept(call: &Call) -> Option<ListKind> {
    match call.row.treatment {
        Treatment::List(kind) if call.mode() != Mode::Live => copies::kind_of(kind).map(|_| kind),
        Treatment::List(_)
        | Treatment::Call
        | Treatment::Get
        | Treatment::Read
        | Treatment::Subscribe
        | Treatment::Handshake
        | Treatment::Local
        | Treatment::Listen
        | Treatment::Complete
        | Treatment::Level
        | Treatment::Cancelled
        | Treatment::Progress
        | Treatment::Swallow
        | Treatment::ServerRequest
        | Treatment::Delivery
        | Treatment::Refuse => None,
    }
}

/// Answers a list; the server is asked where its copy is too old, once for all who wait.
pub(super) async fn answer(
    gateway: &Arc<Gateway>,
    call: Arc<Call>,
    kind: ListKind,
    allowed: Allowed,
    in_force: &InForce,
) -> Result<Response<AnswerBody>, Stop> {
    let Allowed { permit, receipt, slot } = allowed;
    let outcome = record::outcome(gateway, &call, slot);
    let generation = in_force.generation;
    let mut release = Release::new(gateway, Arc::clone(&call), generation, outcome, Vec::new());
    if call.message.params().get("cursor").is_some_and(|cursor| !cursor.is_null()) {
        release.ended(Ending::Error);
        let words = "no such page: this list comes whole";
        return Err(Stop::Answer(reply::error(call.request_id(), INVALID_PARAMS, words, None)));
    }
    let place: ListOf = (call.entry.server.clone(), kind, call.form());
    let turn = gateway.copies.turn(&place);
    let waiting = match gateway.copies.age(&place, clock::now()) {
        Age::Fresh(shown) => {
            spend(permit, receipt);
            return listed(&mut release, kind, &shown).await;
        }
        // Whoever has the turn asks; everybody else has the copy.
        Age::Old(shown) => {
            let Ok(guard) = turn.try_lock() else {
                spend(permit, receipt);
                return listed(&mut release, kind, &shown).await;
            };
            Some(guard)
        }
        Age::Unusable => {
            let patience = call.entry.settings.limits.answer_time;
            tokio::time::timeout(patience, turn.lock()).await.ok()
        }
    };
    let Some(_turn) = waiting else { return Err(failed(&mut release, UpstreamError::Slow).await) };
    if let Age::Fresh(shown) = gateway.copies.age(&place, clock::now()) {
        spend(permit, receipt);
        return listed(&mut release, kind, &shown).await;
    }
    let asked = clock::now();
    let prepared = prepare::prepare(&call, in_force)?;
    let grant = mint::mint(gateway, &call, &permit, in_force)?;
    let forwarded = forward(gateway, &call, permit, receipt, prepared, grant).await;
    let (status, first) = match response(forwarded, &call).await {
        Ok(first) => first,
        Err(error) => return Err(failed(&mut release, error).await),
    };
    if scan::shape(&first).is_ok_and(|shape| shape.result.is_none()) {
        return error(status, first, release).await;
    }
    match taken(gateway, &call, kind, (&first, asked)).await {
        Some(shown) => listed(&mut release, kind, &shown).await,
        None => Err(failed(&mut release, UpstreamError::Misbehaved("a malformed list")).await),
    }
}

/// The server's own error, as it goes to the caller.
async fn error(
    status: StatusCode,
    bytes: Bytes,
    mut release: Release,
) -> Result<Response<AnswerBody>, Stop> {
    match release.message(bytes).await {
        Released::Last(bytes) => Ok(json(status, bytes)),
        Released::Deliver(_) | Released::Nothing => {
            Err(failed(&mut release, UpstreamError::Misbehaved("no answer to a request")).await)
        }
    }
}

/// The first response of the server; what it says before it is not passed on.
async fn response(
    forwarded: Result<Forwarded, UpstreamError>,
    call: &Call,
) -> Result<(StatusCode, Bytes), UpstreamError> {
    let limits = &call.entry.settings.limits;
    let ended = UpstreamError::Misbehaved("the stream ended before the answer");
    match forwarded?.reply {
        Reply::Json { status, .. }
            if call.dialect.era == Era::Legacy && status == StatusCode::NOT_FOUND =>
        {
            Err(UpstreamError::SessionEnded)
        }
        Reply::Json { status, body, .. } => Ok((status, collect(body, limits.answer).await?)),
        Reply::Events { body, .. } => {
            let source = Source::events(body, limits.event);
            let found = definitions::response_in(source, call).await;
            found.map(|bytes| (StatusCode::OK, bytes)).ok_or(ended)
        }
        Reply::Lines(lines) => {
            let found = definitions::response_in(Source::Lines(lines), call).await;
            let era = call.dialect.era;
            let found = found.map(|bytes| (status_of(era, &bytes), bytes));
            found.ok_or(UpstreamError::SessionEnded)
        }
        Reply::Accepted | Reply::NotOffered => {
            Err(UpstreamError::Misbehaved("no answer to a request"))
        }
    }
}

/// Takes in a list that begins with the page `first`; nothing if it makes no sense.
async fn taken(
    gateway: &Arc<Gateway>,
    call: &Call,
    kind: ListKind,
    (first, asked): (&Bytes, Timestamp),
) -> Option<Arc<Shown>> {
    let server = &call.entry.server;
    let is_ours = scan::shape(first).is_ok_and(|shape| shape.id == call.request_id());
    let read = list::items(first, kind)
        .inspect_err(|error| tracing::warn!(%server, %error, "a list is not taken"));
    let (mut items, next) = read.ok().filter(|_| is_ours)?;
    if next.is_some() {
        items.extend(definitions::pages(gateway, call, kind, next).await?);
    }
    let whole = Whole { items, ttl: list::ttl_ms(first, kind), asked };
    copies::take_in(gateway, call, kind, whole).await.ok()
}

/// The list of this caller, from the copies that are approved.
async fn listed(
    release: &mut Release,
    kind: ListKind,
    shown: &Shown,
) -> Result<Response<AnswerBody>, Stop> {
    if let Some(refusal) = release.withdrawn().await {
        return Ok(json(StatusCode::OK, refusal));
    }
    let gateway = Arc::clone(&release.gateway);
    let call = Arc::clone(&release.call);
    let key = lists::cut_key(&call, kind);
    let generation = gateway.live.load().generation;
    let known = gateway.copies.cut.get(&key);
    let is_good = |cut: &Arc<Cut>| cut.generation == generation && cut.of == shown.asked;
    let cut = known.filter(is_good).unwrap_or_else(|| {
        let cut = Arc::new(made(&gateway, &call, kind, shown));
        gateway.copies.cut.insert(key, Arc::clone(&cut));
        cut
    });
    release.ended(if cut.is_whole { Ending::Delivered } else { Ending::Filtered });
    let id = call.request_id().unwrap_or(b"null");
    let theirs = std::str::from_utf8(&cut.theirs).unwrap_or("{}");
    Ok(json(StatusCode::OK, reply::result(id, theirs)))
}

fn made(gateway: &Gateway, call: &Call, kind: ListKind, shown: &Shown) -> Cut {
    let in_force = gateway.live.snapshot();
    let shelf = in_force.shelves.get(&call.entry.server);
    let now = clock::now();
    let is_modern = call.dialect.era == Era::Modern;
    let mut theirs =
        String::from(if is_modern { "{\"resultType\":\"complete\",\"" } else { "{\"" });
    theirs.push_str(kind.member());
    theirs.push_str("\":[");
    let mut count = 0_usize;
    for name in &shown.names {
        let entry = copies::kind_of(kind).and_then(|of| shelf?.get(call.form(), of, name));
        let Some(served) = entry.and_then(|entry| entry.served()) else { continue };
        if lists::is_listed(call, &in_force, now, kind, name) {
            theirs.push_str(if count == 0 { "" } else { "," });
            theirs.push_str(served);
            count += 1;
        }
    }
    theirs.push(']');
    if is_modern {
        theirs.push_str(",\"ttlMs\":");
        theirs.push_str(&shown.ttl.to_string());
        theirs.push_str(",\"cacheScope\":\"private\"");
    }
    theirs.push('}');
    Cut {
        generation: in_force.generation,
        of: shown.asked,
        theirs: Bytes::from(theirs),
        is_whole: count == shown.names.len(),
    }
}

/// What a caller reads of a server's instructions.
#[derive(Debug)]
pub(super) enum Instructions {
    /// What the server says now.
    AsTheyAre,
    /// The approved copy.
    Served(Value),
    /// Nothing: what the server says is not approved.
    Withheld,
}

/// Looks at the instructions in the answer to a handshake.
pub(super) async fn instructions(release: &Release, answer: &Bytes) -> Instructions {
    let (gateway, call) = (&release.gateway, &release.call);
    if call.mode() == Mode::Live {
        return Instructions::AsTheyAre;
    }
    let depth = call.entry.settings.limits.depth;
    let Ok(said) = tree::read(answer, depth) else { return Instructions::Withheld };
    let Some(said) = said.pointer("/result/instructions") else { return Instructions::AsTheyAre };
    let text = said.to_string();
    if copies::see(gateway, call, Kind::Instructions, &[("", &text, None)]).await.is_err() {
        return Instructions::Withheld;
    }
    let in_force = gateway.live.load();
    let Some(shelf) = in_force.shelves.get(&call.entry.server) else {
        return Instructions::Withheld;
    };
    let withheld = shelf.withholds(call.mode(), call.form(), Kind::Instructions, "");
    let entry = shelf.get(call.form(), Kind::Instructions, "").filter(|_| withheld.is_none());
    let served = entry.and_then(|entry| serde_json::from_str(entry.served()?).ok());
    served.map_or(Instructions::Withheld, Instructions::Served)
}
