//! Step 9, forward: spends the permit and the receipt, and sends what was decided on.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use kenward_audit::Outcome as Ending;
use kenward_mcp::dialect::Era;
use kenward_mcp::method::{self, RowKind, Treatment};
use kenward_mcp::{Limits, Message, reply, scan};
use kenward_policy::Permit;
use kenward_store::segments::Receipt;

use super::mint::Minted;
use super::{Call, Entry, Prepared, decide, mint, record, refuse, resolve};
use crate::body::AnswerBody;
use crate::bridge;
use crate::clock;
use crate::gateway::Gateway;
use crate::sessions::{Behind, Session};
use crate::settings::Transport;
use crate::stop::{Stop, bare};
use crate::upstream::{HttpRequest, Process, Program, Reply, UpstreamError, send};

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(crate) const GRANT: HeaderName = HeaderName::from_static("txn-token");
/// Where the grant stands for a server that has no headers.
pub(crate) const GRANT_MEMBER: &str = "dev.kenward/txn-token";

/// What came back, and the process that was started for it.
#[derive(Debug)]
pub(crate) struct Forwarded {
    pub(crate) reply: Reply,
    pub(crate) started: Option<Arc<Process>>,
    /// What a session keeps whose server has none.
    pub(crate) bridged: Option<bridge::Modern>,
    pub(crate) server_requests: Vec<&'static str>,
    /// The MCP resources of a listening request that the server tells no news of.
    pub(crate) unheard: Vec<String>,
}

/// Sends an allowed message. The permit and the receipt are spent: nothing can be sent twice.
pub(crate) async fn forward(
    gateway: &Arc<Gateway>,
    call: &Arc<Call>,
    permit: Permit,
    receipt: Receipt,
    prepared: Prepared,
    grant: Option<Minted>,
) -> Result<Forwarded, UpstreamError> {
    if bridge::is_needed(gateway, call).await? {
        return bridge::forward(gateway, call, permit, receipt, prepared, grant).await;
    }
    spend(permit, receipt);
    let server = call.entry.settings.servers.get(&call.entry.server);
    let server = server.ok_or(UpstreamError::Unreachable)?;
    let Prepared { body, server_requests } = prepared;
    match &server.transport {
        Transport::Http(_) => {
            let reply = send_http(call, Method::POST, body, grant).await?;
            let unheard = Vec::new();
            Ok(Forwarded { reply, started: None, bridged: None, server_requests, unheard })
        }
        Transport::Stdio { command, environment } => {
            let caller = &call.entry.caller;
            let longest = call.entry.settings.limits.event;
            let server = &call.entry.server;
            let program = Program { server, command, environment, longest };
            let (process, started) = match (&call.session, call.dialect.era) {
                (Some(session), _) => (process_of(session)?, None),
                (None, Era::Legacy) => {
                    let new = gateway.processes.start(caller, &program)?;
                    (Arc::clone(&new), Some(new))
                }
                (None, Era::Modern) => (gateway.processes.of(caller, &program)?, None),
            };
            let reply = send_line(call, &process, body, grant).await?;
            let unheard = Vec::new();
            Ok(Forwarded { reply, started, bridged: None, server_requests, unheard })
        }
    }
}

/// Ends a permit and its receipt: from here on the message is under way, once.
pub(crate) fn spend(permit: Permit, receipt: Receipt) {
    drop((permit, receipt));
}

/// Sends over Streamable HTTP: our own headers, the server's session, the credential, the grant.
pub(crate) async fn send_http(
    call: &Call,
    method: Method,
    body: Bytes,
    grant: Option<Minted>,
) -> Result<Reply, UpstreamError> {
    let server = call.entry.settings.servers.get(&call.entry.server);
    let server = server.ok_or(UpstreamError::Unreachable)?;
    let Transport::Http(uri) = &server.transport else { return Ok(Reply::NotOffered) };
    let patience = call.entry.settings.limits.answer_time;
    let headers = headers(call, grant)?;
    let request =
        HttpRequest { method, uri, headers, credential: &server.credential, body, patience };
    send(request).await
}

fn headers(call: &Call, grant: Option<Minted>) -> Result<HeaderMap, UpstreamError> {
    let mut headers = call.headers.clone();
    if call.row.name != "initialize" {
        headers.insert(VERSION, HeaderValue::from_static(call.dialect.version));
    }
    if let Some(Behind::Http(Some(id))) = call.session.as_ref().map(|session| &session.behind) {
        headers.insert(SESSION, id.clone());
    }
    if let Some(grant) = grant {
        let value = grant.header().ok_or(UpstreamError::Misbehaved("the grant is no header"))?;
        headers.insert(GRANT, value);
    }
    Ok(headers)
}

async fn send_line(
    call: &Call,
    process: &Process,
    body: Bytes,
    grant: Option<Minted>,
) -> Result<Reply, UpstreamError> {
    let limits = &call.entry.settings.limits;
    let broken = |_| UpstreamError::Misbehaved("the message cannot carry a grant");
    let body = match grant.filter(|_| call.row.kind == RowKind::Request) {
        Some(grant) => {
            let limits = Limits { body: limits.body * 2, depth: limits.depth + 2 };
            let message = Message::parse(body, &limits).map_err(broken)?;
            message.with_meta(GRANT_MEMBER, &format!("\"{}\"", grant.0))
        }
        None => body,
    };
    let meta = call.message.params().get("_meta");
    let token = meta.and_then(|meta| meta.get("progressToken")).map(ToString::to_string);
    let sending = async {
        match call.request_id() {
            Some(id) => {
                let progress = token.as_deref().map(str::as_bytes);
                let lines = process.request(id, progress, &body).await?;
                // In the legacy era whoever hangs up has not called anything off.
                Ok(Reply::Lines(lines.cancelling(call.dialect.era == Era::Modern)))
            }
            None if call.row.treatment == Treatment::Cancelled => {
                process.cancel(&call.message).await.map(|()| Reply::Accepted)
            }
            None => process.send(&body).await.map(|()| Reply::Accepted),
        }
    };
    // A process that does not read keeps nobody waiting for ever.
    let sent = tokio::time::timeout(limits.answer_time, sending).await;
    sent.unwrap_or(Err(UpstreamError::Slow))
}

fn process_of(session: &Session) -> Result<Arc<Process>, UpstreamError> {
    match &session.behind {
        Behind::Process(process) => Ok(Arc::clone(process)),
        Behind::Http(_) | Behind::Modern(_) => Err(UpstreamError::SessionEnded),
    }
}

/// A client's answer to a request of the server: decided anew, and taken once.
pub(crate) async fn answer_to_server(
    gateway: &Arc<Gateway>,
    entry: &Entry,
    head: &Parts,
    message: &Message,
) -> Result<Response<AnswerBody>, Stop> {
    let session = resolve::session_of(gateway, entry, head, message.id())?;
    let nobody_asked = Stop::Status(StatusCode::BAD_REQUEST);
    if let Some(question) = message.id().and_then(|id| session.confirmed(id)) {
        let result = message.result_span().and_then(|span| message.bytes().get(span));
        let answer = result.and_then(|json| serde_json::from_slice(json).ok());
        // Whoever asked may have given up in between.
        let _gone = question.send(answer.unwrap_or_default());
        return Ok(bare(StatusCode::ACCEPTED));
    }
    let Some(method) = message.id().and_then(|id| session.takes_answer(id)) else {
        return Err(nobody_asked);
    };
    let Some(row) = method::find(method) else { return Err(nobody_asked) };
    let Some(call) = Call::of_session(entry.clone(), message.clone(), row, session) else {
        return Err(Stop::Status(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let call = Arc::new(call);
    let in_force = gateway.live.snapshot();
    let (verdict, entries) = decide::decide(&call, &in_force);
    let receipt = record::record(gateway, &call, &in_force, &verdict)?;
    decide::keep(&call, &verdict, &entries).await?;
    let permit = refuse::unless_allowed(&call, verdict)?;
    let grant = mint::mint(gateway, &call, &permit, &in_force)?;
    let prepared = Prepared { body: message.bytes().clone(), server_requests: Vec::new() };
    let sent = match &call.session.as_ref().map(|session| &session.behind) {
        Some(Behind::Process(process)) => process.send(&prepared.body).await,
        // A modern server asked nothing under an id.
        Some(Behind::Modern(_)) => Ok(()),
        Some(Behind::Http(_)) | None => {
            forward(gateway, &call, permit, receipt, prepared, grant).await.map(|_| ())
        }
    };
    let ending = if sent.is_ok() { Ending::Delivered } else { Ending::Failed };
    crate::outcome::Outcome::new(Arc::clone(&gateway.log), call.id, None).finish(ending);
    match sent {
        Ok(()) => Ok(bare(StatusCode::ACCEPTED)),
        Err(_) => Err(Stop::Status(StatusCode::BAD_GATEWAY)),
    }
}

/// Our own answer to a request of the server: it never reached the client.
pub(crate) async fn own_answer(call: Arc<Call>, answer: Bytes) {
    let sent = match call.session.as_ref().map(|session| &session.behind) {
        Some(Behind::Process(process)) => process.send(&answer).await,
        Some(Behind::Http(_)) => send_http(&call, Method::POST, answer, None).await.map(|_| ()),
        // Whoever asked in the server's name waits here.
        Some(Behind::Modern(_)) => {
            let id = scan::shape(&answer).ok().and_then(|shape| shape.id.map(<[u8]>::to_vec));
            let asked = id.zip(call.session.as_ref());
            if let Some(question) = asked.and_then(|(id, session)| session.confirmed(&id)) {
                let _gone = question.send(serde_json::Value::Null);
            }
            Ok(())
        }
        None => Ok(()),
    };
    if let Err(error) = sent {
        tracing::debug!(%error, "the server could not be told no");
    }
}

/// Tells the server behind that a session is over, as its client told us; whether it minds or not.
pub(crate) async fn end_behind(entry: Entry, session: Arc<Session>) {
    if matches!(session.behind, Behind::Modern(_)) {
        return;
    }
    let message = br#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#;
    let message = Message::parse(Bytes::from_static(message), &Limits::default()).ok();
    let call = message.zip(method::find("ping"));
    let call = call.and_then(|(message, row)| Call::of_session(entry, message, row, session));
    if let Some(call) = call
        && let Err(error) = send_http(&call, Method::DELETE, Bytes::new(), None).await
    {
        tracing::debug!(%error, "the server did not take the end of a session");
    }
}

/// The answer that a server gets to a request that no policy lets through.
pub(crate) fn not_offered(id: &[u8]) -> Bytes {
    reply::error(Some(id), -32601, "the client does not offer this", None)
}

impl Call {
    /// A call that belongs to an open session rather than to a request of the client.
    pub(crate) fn of_session(
        entry: Entry,
        message: Message,
        row: &'static method::Row,
        session: Arc<Session>,
    ) -> Option<Self> {
        let id = clock::decision_id(entry.time).ok()?;
        let dialect = kenward_mcp::dialect::supported(session.version)?;
        let digest = kenward_identity::grant::arguments_sha256(&serde_json::Value::Null).ok()?;
        let (session, headers) = (Some(session), HeaderMap::new());
        Some(Self { id, entry, message, row, dialect, session, digest, headers })
    }
}
