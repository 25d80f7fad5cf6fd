//! One request under way at a legacy server: what comes back is said in the modern era, and what
//! the server asks in between waits for the client to come back with the answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Uri};
use hyper::body::Incoming;
use kenward_mcp::list::ListKind;
use kenward_mcp::method::{self, Treatment};
use kenward_mcp::scan::{self, Shape, ShapeKind};
use kenward_mcp::to_modern::{self, Asked, Dress, Visit};
use kenward_mcp::{reply, tree};
use kenward_model::Target;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::declared::Declared;
use super::may_require_input;
use super::parked::{PATIENCE, Resume, Ticket, Waiting};
use super::session::ServerSession;
use crate::clock::{self, NoEntropy};
use crate::gateway::Gateway;
use crate::pipeline::{self, Call, Minted};
use crate::source::Source;
use crate::upstream::{Reply, UpstreamError};

/// The code for what failed on this side of the client.
pub(super) const INTERNAL: i32 = -32603;
/// The code for a capability that the client did not declare (2026-07-28, error codes).
const MISSING_CAPABILITY: i32 = -32021;
/// The name of the server's question among those of a result.
pub(super) const KEY: &str = "input";
const LEVEL: &str = "io.modelcontextprotocol/logLevel";
const ELICIT: &str = "elicitation/create";
/// How often a stream that a server closes on the way is gone on with (2025-11-25, transports).
const MOST_STREAMS: usize = 100;
/// How long a server may want us to wait before that.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// On what terms the client gets the answer; those of its last request count.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) call: Arc<Call>,
    /// What the server may ask the client for.
    server_requests: Vec<&'static str>,
    pub(super) declared: Declared,
    client: mpsc::Sender<Bytes>,
}

impl Terms {
    pub(super) fn of(
        call: &Arc<Call>,
        server_requests: Vec<&'static str>,
        declared: Declared,
        client: mpsc::Sender<Bytes>,
    ) -> Self {
        Self { call: Arc::clone(call), server_requests, declared, client }
    }

    /// Answers without the server.
    pub(super) async fn tell(&self, message: Bytes) -> Result<(), UpstreamError> {
        // A client that has gone needs no answer.
        let _gone = self.client.send(message).await;
        Ok(())
    }

    /// The least severe log messages that the client wants; nothing when it wants none.
    pub(super) fn level_name(&self) -> Option<&str> {
        let meta = self.call.message.params().get("_meta")?;
        meta.get(LEVEL)?.as_str()
    }

    fn id(&self) -> &[u8] {
        self.call.request_id().unwrap_or(b"null")
    }

    /// The raw progress token that the client knows.
    fn progress_token(&self) -> Option<String> {
        let meta = self.call.message.params().get("_meta")?;
        meta.get("progressToken").map(ToString::to_string)
    }
}

/// Whether the client's answer to an elicitation agrees.
pub(super) fn accepts(answer: &str) -> bool {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    answer.get("action").and_then(Value::as_str) == Some("accept")
}

/// A request that has been sent, and the beginning of its answer.
#[derive(Debug)]
pub(super) struct Sent {
    under_way: UnderWay,
    coming: Coming,
}

#[derive(Debug)]
enum Coming {
    Whole(Incoming),
    Source(Source),
}

/// A request that nobody has answered yet. Dropped so, the server hears that nobody waits any more.
#[derive(Debug)]
struct UnderWay {
    session: Arc<ServerSession>,
    id: String,
    is_over: bool,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (session, id) = (Arc::clone(&self.session), std::mem::take(&mut self.id));
            runtime.spawn(async move { session.call_off(&id).await });
        }
    }
}

/// Says the request in the legacy era and sends it.
pub(super) async fn send(
    session: &Arc<ServerSession>,
    body: &Bytes,
    call: &Call,
    grant: Option<&Minted>,
) -> Result<Sent, UpstreamError> {
    let id = session.next_id();
    let malformed = |_| UpstreamError::Misbehaved("no message can be made for it");
    let said = to_modern::request(body, &id, &id).map_err(malformed)?;
    let mut under_way = UnderWay { session: Arc::clone(session), id, is_over: false };
    let reply = session.request(&under_way.id, said, grant, traces(call)).await;
    // What was not answered in time may still be worked at.
    under_way.is_over = !matches!(reply, Ok(_) | Err(UpstreamError::Slow));
    let longest = session.settings.limits.event;
    let coming = match reply? {
        Reply::Json { body, .. } => Coming::Whole(body),
        Reply::Events { body, .. } => Coming::Source(Source::events(body, longest)),
        Reply::Lines(lines) => Coming::Source(Source::Lines(lines)),
        Reply::Accepted | Reply::NotOffered => {
            under_way.is_over = true;
            return Err(UpstreamError::Misbehaved("no answer to a request"));
        }
    };
    Ok(Sent { under_way, coming })
}

/// The headers of tracing; those that repeat the body are unknown to the server.
fn traces(call: &Call) -> HeaderMap {
    let is_trace = |name: &str| matches!(name, "traceparent" | "tracestate");
    let mut kept = HeaderMap::new();
    for (name, value) in call.headers.iter().filter(|(name, _)| is_trace(name.as_str())) {
        kept.append(name.clone(), value.clone());
    }
    kept
}

/// Lets the answer come in a task of its own.
pub(super) fn start(gateway: &Arc<Gateway>, session: Arc<ServerSession>, sent: Sent, terms: Terms) {
    let Sent { under_way, coming } = sent;
    let exchange = Exchange { gateway: Arc::clone(gateway), session, terms, under_way };
    tokio::spawn(exchange.run(coming));
}

struct Exchange {
    gateway: Arc<Gateway>,
    session: Arc<ServerSession>,
    terms: Terms,
    under_way: UnderWay,
}

/// From where a stream that was closed on the way goes on.
#[derive(Default)]
struct Mark {
    after: Option<String>,
    pause: Duration,
    streams: usize,
}

impl Exchange {
    async fn run(mut self, coming: Coming) {
        match coming {
            Coming::Whole(body) => self.whole(body).await,
            Coming::Source(source) => self.follow(source).await,
        }
    }

    async fn whole(&mut self, body: Incoming) {
        let largest = self.session.settings.limits.answer;
        let bytes = tokio::select! {
            biased;
            () = self.terms.client.closed() => return,
            bytes = pipeline::collect(body, largest) => bytes,
        };
        self.under_way.is_over = true;
        if let Ok(bytes) = bytes {
            self.take(bytes).await;
        }
    }

    async fn follow(&mut self, source: Source) {
        let mut mark = Mark::default();
        let mut streams = Some(source);
        while let Some(mut source) = streams {
            if !self.read(&mut source, &mut mark).await {
                return;
            }
            streams = self.again(&mut mark).await;
        }
        self.under_way.is_over = true;
    }

    /// Takes what comes on one stream; true when it ended before the answer.
    async fn read(&mut self, source: &mut Source, mark: &mut Mark) -> bool {
        loop {
            let event = tokio::select! {
                biased;
                () = self.terms.client.closed() => return false,
                event = source.next() => event,
            };
            let Some(Ok(event)) = event else { return true };
            mark.after = event.id.or_else(|| mark.after.take());
            mark.pause = event.retry.map_or(mark.pause, Duration::from_millis);
            if !event.data.is_empty() && !self.take(event.data).await {
                return false;
            }
        }
    }

    /// The rest of a stream that the server closed before the answer, if it said where that is.
    async fn again(&self, mark: &mut Mark) -> Option<Source> {
        let after = mark.after.clone()?;
        mark.streams += 1;
        if mark.streams > MOST_STREAMS {
            return None;
        }
        let next = async {
            tokio::time::sleep(mark.pause.min(LONGEST_PAUSE)).await;
            self.session.listen(Some(&after), None).await
        };
        let next = tokio::select! {
            () = self.terms.client.closed() => return None,
            next = next => next,
        };
        match next {
            Ok(Reply::Events { body, .. }) => {
                Some(Source::events(body, self.session.settings.limits.event))
            }
            Ok(Reply::Json { .. } | Reply::Lines(_) | Reply::Accepted | Reply::NotOffered)
            | Err(_) => None,
        }
    }

    /// Takes one message of the server; false when it was the last one.
    async fn take(&mut self, data: Bytes) -> bool {
        let Ok(shape) = scan::shape(&data) else {
            tracing::warn!(server = %self.session.server, "the server sent no JSON-RPC message");
            return false;
        };
        match shape.kind {
            ShapeKind::Response => {
                let is_ours = shape.id.is_none_or(|id| id == self.under_way.id.as_bytes());
                if !is_ours {
                    tracing::warn!(server = %self.session.server, "an answer that nobody asked for");
                    return true;
                }
                self.under_way.is_over = true;
                if let Some(said) = self.answer(&data, shape.error.is_some()) {
                    // A client that has gone needs no answer.
                    let _gone = self.terms.client.send(said).await;
                }
                false
            }
            ShapeKind::Notification => match self.notification(&shape, &data) {
                Some(said) => self.terms.client.send(said).await.is_ok(),
                None => true,
            },
            ShapeKind::Request => match to_modern::question(&data, self.depth()) {
                Ok(asked) if self.may_ask(&asked) => self.park(asked).await,
                Ok(asked) => {
                    self.session.answer_here(&asked.id, &asked.method).await;
                    true
                }
                Err(_) => {
                    self.session.answer_here(shape.id.unwrap_or(b"null"), "").await;
                    true
                }
            },
        }
    }

    fn depth(&self) -> usize {
        self.session.settings.limits.depth
    }

    /// The answer as the modern era has it; nothing when there is none to be made of it.
    fn answer(&self, data: &Bytes, is_error: bool) -> Option<Bytes> {
        if is_error && let Some(visits) = to_modern::visits(data, self.depth()) {
            return visits.first().map(|visit| self.visit(visit));
        }
        let cacheable = match self.terms.call.row.treatment {
            Treatment::List(_) | Treatment::Read => true,
            Treatment::Handshake
            | Treatment::Local
            | Treatment::Call
            | Treatment::Get
            | Treatment::Subscribe
            | Treatment::Listen
            | Treatment::Complete
            | Treatment::Level
            | Treatment::Cancelled
            | Treatment::Progress
            | Treatment::Swallow
            | Treatment::ServerRequest
            | Treatment::Delivery
            | Treatment::Refuse => false,
        };
        let server = self.session.introduced.server_info.as_deref();
        let dress = Dress { id: self.terms.id(), cacheable, server };
        let said = to_modern::response(data, dress).ok()?;
        let is_tools = self.terms.call.row.treatment == Treatment::List(ListKind::Tools);
        if is_error || !is_tools {
            return Some(said);
        }
        // A list that is malformed is found so by the one gate.
        Some(to_modern::without_tasks(&said).unwrap_or(said))
    }

    fn notification(&self, shape: &Shape<'_>, data: &Bytes) -> Option<Bytes> {
        let name = shape.method.as_deref().unwrap_or_default();
        match name {
            "notifications/progress" => {
                let is_ours = shape.progress_token == Some(self.under_way.id.as_bytes());
                let token = self.terms.progress_token().filter(|_| is_ours)?;
                to_modern::progress(data, token.as_bytes()).ok()
            }
            "notifications/message" => {
                let wanted = self.terms.level_name().and_then(to_modern::severity)?;
                let params = shape.params.clone().and_then(|place| data.get(place));
                let params = tree::read(params?, self.depth()).ok()?;
                let level = params.get("level")?.as_str().and_then(to_modern::severity)?;
                (level >= wanted).then(|| data.clone())
            }
            _ => {
                // News that come along belong to whoever listens.
                if name.ends_with("/list_changed") || name.ends_with("/updated") {
                    self.session.news.tell(data.clone());
                }
                None
            }
        }
    }

    /// Whether the question may reach the client: it declared so on this request, and policy
    /// permits it now.
    fn may_ask(&self, asked: &Asked) -> bool {
        let Terms { call, server_requests, declared, .. } = &self.terms;
        let row = method::find(&asked.method);
        let row = row.filter(|row| row.treatment == Treatment::ServerRequest);
        let Some(row) = row.filter(|row| server_requests.contains(&row.name)) else { return false };
        let can = match &asked.url {
            Some(url) => declared.can_visit() && is_good(url),
            None => row.name != ELICIT || declared.can_fill_forms(),
        };
        let uses_tools = row.name == "sampling/createMessage" && uses_tools(&asked.json);
        let can = can && (!uses_tools || declared.can_sample_with_tools());
        let in_force = self.gateway.live.snapshot();
        let (now, params) = (clock::now(), Value::Null);
        let verdict = || call.judge_other(&in_force, now, row.name, Target::Server, &params);
        can && may_require_input(call) && verdict().is_allowed()
    }

    /// Puts the question to the client as a result and waits for its next request; false when
    /// nobody came.
    async fn park(&mut self, asked: Asked) -> bool {
        let (sender, waiting) = oneshot::channel();
        let Ok((ticket, said)) = self.requires(&asked.json, Waiting::Call(sender)) else {
            return false;
        };
        if self.terms.client.send(said).await.is_err() {
            self.gateway.bridged.parked.take(&self.terms.call.entry.caller, &ticket);
            return false;
        }
        let Ok(Ok(resume)) = tokio::time::timeout(PATIENCE, waiting).await else {
            self.gateway.bridged.parked.take(&self.terms.call.entry.caller, &ticket);
            return false;
        };
        let Resume { terms, answer, grant } = resume;
        self.terms = terms;
        let answer = reply::result(&asked.id, &answer);
        let told = self.session.tell(answer, grant.as_ref()).await;
        if let Err(error) = &told {
            tracing::debug!(%error, "the server did not take an answer");
        }
        told.is_ok()
    }

    /// The result that asks for input, and under which ticket `waiting` waits for it.
    fn requires(&self, question: &str, waiting: Waiting) -> Result<(Ticket, Bytes), NoEntropy> {
        let call = &self.terms.call;
        let (ticket, expires) = (clock::entropy()?, clock::now().plus(PATIENCE));
        let state = self.gateway.bridged.seal.seal(call, ticket, expires)?;
        let parked = &self.gateway.bridged.parked;
        parked.enter(&call.entry.caller, ticket, expires, waiting);
        let state = Value::from(state);
        let result = format!(
            "{{\"resultType\":\"input_required\",\"inputRequests\":{{\"{KEY}\":{question}}},\
             \"requestState\":{state}}}"
        );
        Ok((ticket, reply::result(self.terms.id(), &result)))
    }

    /// What becomes of an error that wants a page to be visited first, which the modern era does
    /// not have: a result that asks for the visit, where the client can and policy lets it.
    fn visit(&self, visit: &Visit) -> Bytes {
        let Terms { call, declared, server_requests, .. } = &self.terms;
        let fail = |words: &str| reply::error(Some(self.terms.id()), INTERNAL, words, None);
        let is_permitted = server_requests.contains(&ELICIT) && may_require_input(call);
        if !is_good(&visit.url) {
            return fail("the server wants a page to be visited that cannot be");
        }
        if is_permitted && declared.can_visit() {
            let asked = self.requires(&visit.json().to_string(), Waiting::Visit);
            return match asked {
                Ok((_, said)) => said,
                Err(_) => fail("the server wants a page to be visited that cannot be"),
            };
        }
        if Declared::of(call, &[ELICIT]).can_visit() {
            return fail("the server wants a page to be visited, which policy does not permit");
        }
        let words = "the server wants a page to be visited first";
        let data = json!({ "requiredCapabilities": { "elicitation": { "url": {} } } });
        reply::error(Some(self.terms.id()), MISSING_CAPABILITY, words, Some(&data))
    }
}

/// Whether a person can be sent to `url`: over TLS, and to where it says.
pub(super) fn is_good(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let is_plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    is_plain && uri.scheme_str() == Some("https")
}

fn uses_tools(question: &str) -> bool {
    let question: Value = serde_json::from_str(question).unwrap_or_default();
    ["/params/tools", "/params/toolChoice"].iter().any(|at| question.pointer(at).is_some())
}
