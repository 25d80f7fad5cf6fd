//! The endpoint `/mcp`: all servers as one, without a path of its own.
//!
//! A message is read, its target found ([`target`]), and the message, with nothing but that name or
//! URI changed, takes the ordinary steps at that one server ([`visit`]): there it is decided,
//! recorded, granted, forwarded and filtered as it would be at `/mcp/<server>`. On the way out only
//! what was renamed on the way in, or could be taken for another server's, gets its name here
//! ([`outward`]). Lists ([`lists`]) and streams ([`streams`]) are asked of every server that the
//! caller may use, each in the ordinary way, and merged.

mod cursor;
mod handshake;
mod lists;
mod marks;
mod merge;
mod naming;
mod outward;
mod sessions;
mod streams;
mod target;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use kenward_mcp::Kind;
use kenward_mcp::dialect::{Era, supported};
use kenward_mcp::method::{self, Direction, Row, Treatment};
use kenward_mcp::{EnvelopeError, Message, reply};
use kenward_model::ServerName;
use moka::sync::Cache;
use serde_json::Value;

use crate::body::AnswerBody;
use crate::clock::NoEntropy;
use crate::gateway::Gateway;
use crate::party;
use crate::pipeline::{self, Known};
use crate::stop::{Stop, bare, json};

use cursor::Cursors;
use sessions::Sessions;
use visit::Visit;

/// How long one server may keep what is asked of all of them waiting.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it is remembered which server a request went to, so that it can be called off there.
const UNDER_WAY: Duration = Duration::from_hours(1);
/// Requests and names that are remembered at most.
const LARGEST: u64 = 50_000;
/// How often a server is asked at most for what a shortened name may stand for.
const PAUSE: Duration = Duration::from_secs(2);

/// A request under way: whose it is, in which session, and its id.
type Request = (u64, Arc<str>, String);

/// What the endpoint of all servers keeps.
#[derive(Debug)]
pub(crate) struct Federation {
    cursors: Cursors,
    pub(crate) sessions: Sessions,
    under_way: Cache<Request, ServerName>,
    /// What shortened names stand for, by list and name.
    names: Cache<(&'static str, String), (ServerName, Arc<str>)>,
    /// Which lists were asked for a moment ago to learn that.
    asked: Cache<(ServerName, &'static str), ()>,
}

impl Federation {
    pub(crate) fn new(sessions_per_party: usize, idle: Duration) -> Result<Self, NoEntropy> {
        Ok(Self {
            cursors: Cursors::new()?,
            sessions: Sessions::new(sessions_per_party, idle),
            under_way: Cache::builder().max_capacity(LARGEST).time_to_live(UNDER_WAY).build(),
            names: Cache::new(LARGEST),
            asked: Cache::builder().max_capacity(LARGEST).time_to_live(PAUSE).build(),
        })
    }
}

/// Answers one request of a known caller.
pub(crate) async fn answer(
    gateway: &Arc<Gateway>,
    known: Known,
    head: Parts,
    body: Incoming,
) -> Result<Response<AnswerBody>, Stop> {
    match head.method {
        Method::POST => Box::pin(post(gateway, known, head, body)).await,
        Method::GET => Box::pin(streams::standing(gateway, known, head)).await,
        Method::DELETE => {
            let session = sessions::named(gateway, &known, &head, None)?;
            for behind in gateway.federation.sessions.end(&gateway.sessions, &session) {
                let entry = known.at(&behind.server);
                tokio::spawn(pipeline::end_behind(entry, behind));
            }
            Ok(bare(StatusCode::NO_CONTENT))
        }
        _ => Err(Stop::Status(StatusCode::METHOD_NOT_ALLOWED)),
    }
}

async fn post(
    gateway: &Arc<Gateway>,
    known: Known,
    head: Parts,
    body: Incoming,
) -> Result<Response<AnswerBody>, Stop> {
    let (message, dialect) = pipeline::parse(&known.settings, &head, body).await?;
    let slot = pipeline::admit(gateway, &known.caller, &message)?;
    let gateway = Arc::clone(gateway);
    let mut visit = Visit { gateway, known, head, message, dialect, session: None, slot };
    if visit.message.kind() == Kind::Response {
        visit.session = Some(visit.named_session()?);
        return answer_to_server(&visit).await;
    }
    let row = method::admit(&visit.message, dialect.era, Direction::ToServer)?;
    let aimed = method::target(row, visit.message.params());
    aimed.map_err(|error| error.answering(visit.message.id()))?;
    if dialect.era == Era::Legacy && row.name != "initialize" {
        let session = visit.named_session()?;
        visit.dialect = supported(session.version).unwrap_or(dialect);
        visit.session = Some(session);
    }
    dispatch(&visit, row).await
}

async fn dispatch(visit: &Visit, row: &'static Row) -> Result<Response<AnswerBody>, Stop> {
    match row.treatment {
        Treatment::Handshake => handshake::answer(visit, row).await,
        Treatment::Local => {
            visit.permitted_somewhere(row).await?;
            let body = reply::result(visit.message.id().unwrap_or(b"null"), "{}");
            Ok(json(StatusCode::OK, body))
        }
        Treatment::List(kind) => lists::list(visit, row, kind).await,
        Treatment::Call
        | Treatment::Get
        | Treatment::Read
        | Treatment::Subscribe
        | Treatment::Complete => single(visit, row).await,
        Treatment::Listen => streams::listen(visit, row).await,
        Treatment::Level => level(visit).await,
        Treatment::Cancelled => cancelled(visit).await,
        Treatment::Progress => progress(visit).await,
        Treatment::Swallow => Ok(bare(StatusCode::ACCEPTED)),
        Treatment::ServerRequest | Treatment::Delivery | Treatment::Refuse => {
            let error = EnvelopeError::unknown_method(row.name, visit.dialect.era);
            Err(error.answering(visit.message.id()).into())
        }
    }
}

/// A message that is aimed at something of one server.
async fn single(visit: &Visit, row: &'static Row) -> Result<Response<AnswerBody>, Stop> {
    let Some(aim) = target::find(visit, row).await? else {
        return Err(target::nowhere(visit, row));
    };
    if let Some(request) = request(visit, visit.message.id()) {
        visit.gateway.federation.under_way.insert(request, aim.server.clone());
    }
    let sent = visit.send(&aim.server, aim.message).await;
    let response = sent.unwrap_or_else(Stop::into_response);
    Ok(outward::response(aim.told, response).await)
}

/// The key under which a request of this caller is remembered.
fn request(visit: &Visit, id: Option<&[u8]>) -> Option<Request> {
    let id: Value = serde_json::from_slice(id?).ok()?;
    let session = visit.session.as_ref().map(|session| Arc::clone(&session.id));
    Some((party::number(&visit.known.caller), session.unwrap_or_default(), id.to_string()))
}

/// A request is called off where it went; one that is not known is over already.
async fn cancelled(visit: &Visit) -> Result<Response<AnswerBody>, Stop> {
    let id = visit.message.params().get("requestId").map(Value::to_string);
    let request = request(visit, id.as_deref().map(str::as_bytes));
    let server = request.and_then(|request| visit.gateway.federation.under_way.get(&request));
    match server {
        Some(server) => visit.send(&server, visit.message.clone()).await,
        None => Ok(bare(StatusCode::ACCEPTED)),
    }
}

/// How far the client has come with a request of a server, which gave it a token of its own.
async fn progress(visit: &Visit) -> Result<Response<AnswerBody>, Stop> {
    let token = visit.message.params().get("progressToken").map(Value::to_string);
    let token = token.and_then(|token| marks::id_inward(token.as_bytes()));
    let Some((server, token)) = token else { return Ok(bare(StatusCode::ACCEPTED)) };
    let Some(server) = visit.open_server(&server) else { return Ok(bare(StatusCode::ACCEPTED)) };
    let edited = visit.message.with_params_member(&["progressToken"], Some(&token));
    let message = edited.map(|bytes| visit.again(bytes)).transpose()?;
    match message {
        Some(message) => visit.send(&server, message).await,
        None => Ok(bare(StatusCode::ACCEPTED)),
    }
}

/// The client's answer to a request of one server, or to a question of ours about one.
async fn answer_to_server(visit: &Visit) -> Result<Response<AnswerBody>, Stop> {
    let nobody_asked = || Stop::Status(StatusCode::BAD_REQUEST);
    let marked = visit.message.id().and_then(marks::id_inward);
    let (server, id) = marked.ok_or_else(nobody_asked)?;
    let server = visit.open_server(&server).ok_or_else(nobody_asked)?;
    let session = visit.opened(&server).ok_or_else(nobody_asked)?;
    let message: Message = visit.again(visit.message.with_id(&id))?;
    let head = visit.head_for(&message, Some(&session));
    pipeline::answer_to_server(&visit.gateway, &visit.known.at(&server), &head, &message).await
}

/// The level of log messages holds for the servers that are in use, and for those that will be.
async fn level(visit: &Visit) -> Result<Response<AnswerBody>, Stop> {
    if let Some(session) = &visit.session {
        session.set_level(visit.message.clone());
        let servers = session.opened().into_iter().map(|behind| behind.server.clone());
        let told = servers.map(|server| async move {
            let sent = visit.send(&server, visit.message.clone());
            if tokio::time::timeout(PATIENCE, sent).await.is_err() {
                tracing::warn!(%server, "a server did not take the level of log messages in time");
            }
        });
        futures_util::future::join_all(told).await;
    }
    Ok(json(StatusCode::OK, reply::result(visit.message.id().unwrap_or(b"null"), "{}")))
}
