//! One session with a legacy server, owned by the gateway in the name of one party.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use kenward_mcp::{Limits, Message, reply};
use kenward_model::ServerName;
use serde_json::{Value, json};

use super::listen::News;
use crate::pipeline::{Call, GRANT, GRANT_MEMBER, Minted};
use crate::settings::{Credential, ServerSettings, Settings, Transport};
use crate::upstream::{HttpRequest, Process, Reply, UpstreamError, send};

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// How the server is spoken to.
#[derive(Debug)]
pub(super) enum Wire {
    /// Streamable HTTP, with the session's id where the server gave one.
    Http(Option<HeaderValue>),
    /// A process of the session's own.
    Process(Arc<Process>),
}

/// What the server said of itself.
#[derive(Debug)]
pub(super) struct Introduced {
    pub(super) version: &'static str,
    pub(super) capabilities: Value,
    pub(super) instructions: Option<String>,
    /// `serverInfo`, as JSON.
    pub(super) server_info: Option<String>,
}

/// A session; it is ended when nobody holds it any more.
#[derive(Debug)]
pub(super) struct ServerSession {
    pub(super) settings: Arc<Settings>,
    pub(super) server: ServerName,
    pub(super) wire: Wire,
    pub(super) introduced: Introduced,
    /// The level of log messages that the server was told last.
    pub(super) level: tokio::sync::Mutex<Option<String>>,
    /// The URIs that the server was asked to tell news of, and by how many streams.
    pub(super) subscribed: tokio::sync::Mutex<HashMap<String, usize>>,
    pub(super) news: News,
    next_id: AtomicU64,
    over: AtomicBool,
}

impl ServerSession {
    pub(super) fn new(
        settings: Arc<Settings>,
        server: ServerName,
        wire: Wire,
        introduced: Introduced,
    ) -> Self {
        Self {
            settings,
            server,
            wire,
            introduced,
            level: tokio::sync::Mutex::default(),
            subscribed: tokio::sync::Mutex::default(),
            news: News::default(),
            next_id: AtomicU64::new(1),
            over: AtomicBool::new(false),
        }
    }

    /// An id that no other request in this session has; progress is told under it, too.
    pub(super) fn next_id(&self) -> String {
        self.next_id.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Whether the session is still good for `call`: it lives, and its server is configured as it
    /// was.
    pub(super) fn serves(&self, call: &Call) -> bool {
        let lives = match &self.wire {
            Wire::Http(_) => true,
            Wire::Process(process) => process.lives(),
        };
        let now = call.entry.settings.servers.get(&self.server);
        let is_same = match (self.behind(), now) {
            (Some(then), Some(now)) => is_same(then, now),
            _ => false,
        };
        lives && is_same && !self.over.load(Ordering::Relaxed)
    }

    /// The server does not know the session any more: nobody else begins anything in it.
    pub(super) fn lose(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Sends the request with the raw id `id`, and gives what comes back.
    pub(super) async fn request(
        &self,
        id: &str,
        body: Bytes,
        grant: Option<&Minted>,
        headers: HeaderMap,
    ) -> Result<Reply, UpstreamError> {
        match &self.wire {
            Wire::Http(session) => {
                let reply = self.post(body, grant, headers).await?;
                match &reply {
                    Reply::Json { status: StatusCode::NOT_FOUND, .. } if session.is_some() => {
                        Err(UpstreamError::SessionEnded)
                    }
                    Reply::Json { .. }
                    | Reply::Events { .. }
                    | Reply::Lines(_)
                    | Reply::Accepted
                    | Reply::NotOffered => Ok(reply),
                }
            }
            Wire::Process(process) => {
                let body = self.with_grant(body, grant)?;
                let sending = process.request(id.as_bytes(), Some(id.as_bytes()), &body);
                // A process that does not read keeps nobody waiting for ever.
                let sent = tokio::time::timeout(self.settings.limits.answer_time, sending).await;
                let lines = sent.unwrap_or(Err(UpstreamError::Slow))?;
                Ok(Reply::Lines(lines.cancelling(true)))
            }
        }
    }

    /// Sends a message that is not answered.
    pub(super) async fn tell(
        &self,
        body: Bytes,
        grant: Option<&Minted>,
    ) -> Result<(), UpstreamError> {
        match &self.wire {
            Wire::Http(_) => self.post(body, grant, HeaderMap::new()).await.map(|_| ()),
            Wire::Process(process) => {
                let sending = process.send(&body);
                let sent = tokio::time::timeout(self.settings.limits.answer_time, sending).await;
                sent.unwrap_or(Err(UpstreamError::Slow))
            }
        }
    }

    /// Opens the stream on which the server speaks by itself, or goes on with the one that broke
    /// off behind the event `after`.
    pub(super) async fn listen(
        &self,
        after: Option<&str>,
        grant: Option<&Minted>,
    ) -> Result<Reply, UpstreamError> {
        let Wire::Http(_) = &self.wire else { return Ok(Reply::NotOffered) };
        let mut headers = self.headers(grant)?;
        if let Some(after) = after.and_then(|after| HeaderValue::from_str(after).ok()) {
            headers.insert("last-event-id", after);
        }
        self.send(Method::GET, Bytes::new(), headers).await
    }

    /// Answers a request of the server that does not reach the client.
    pub(super) async fn answer_here(&self, id: &[u8], method: &str) {
        let answer = match method {
            "ping" => reply::result(id, "{}"),
            _ => crate::pipeline::not_offered(id),
        };
        if let Err(error) = self.tell(answer, None).await {
            tracing::debug!(%error, "the server could not be told no");
        }
    }

    /// Tells the server that nobody waits for the answer to `id` any more; a process hears it when
    /// its lines are dropped.
    pub(super) async fn call_off(&self, id: &str) {
        if matches!(self.wire, Wire::Process(_)) {
            return;
        }
        let id: Value = serde_json::from_str(id).unwrap_or_default();
        let params = json!({ "requestId": id, "reason": "the client has gone" }).to_string();
        let message = reply::notification("notifications/cancelled", Some(&params));
        if let Err(error) = self.tell(message, None).await {
            tracing::debug!(%error, "a call could not be called off");
        }
    }

    /// Ends the session: the server is told, a process is ended.
    pub(super) async fn end(&self) {
        if let Some(farewell) = self.farewell() {
            farewell.await;
        }
    }

    /// What tells the server that the session is over, if that is still to be done.
    fn farewell(&self) -> Option<impl Future<Output = ()> + Send + 'static> {
        if self.over.swap(true, Ordering::Relaxed) {
            return None;
        }
        match &self.wire {
            Wire::Process(process) => {
                process.end();
                None
            }
            Wire::Http(None) => None,
            Wire::Http(Some(_)) => {
                let (settings, server) = (Arc::clone(&self.settings), self.server.clone());
                let headers = self.headers(None).ok()?;
                Some(part(settings, server, headers))
            }
        }
    }

    fn behind(&self) -> Option<&ServerSettings> {
        self.settings.servers.get(&self.server)
    }

    async fn post(
        &self,
        body: Bytes,
        grant: Option<&Minted>,
        more: HeaderMap,
    ) -> Result<Reply, UpstreamError> {
        let mut headers = self.headers(grant)?;
        headers.extend(more);
        self.send(Method::POST, body, headers).await
    }

    async fn send(
        &self,
        method: Method,
        body: Bytes,
        headers: HeaderMap,
    ) -> Result<Reply, UpstreamError> {
        let behind = self.behind().ok_or(UpstreamError::Unreachable)?;
        sent(behind, method, body, headers, self.settings.limits.answer_time).await
    }

    fn headers(&self, grant: Option<&Minted>) -> Result<HeaderMap, UpstreamError> {
        let mut headers = with_grant(grant)?;
        headers.insert(VERSION, HeaderValue::from_static(self.introduced.version));
        if let Wire::Http(Some(id)) = &self.wire {
            headers.insert(SESSION, id.clone());
        }
        Ok(headers)
    }

    fn with_grant(&self, body: Bytes, grant: Option<&Minted>) -> Result<Bytes, UpstreamError> {
        match grant {
            Some(grant) => granted_line(body, grant, &self.settings),
            None => Ok(body),
        }
    }
}

impl Drop for ServerSession {
    fn drop(&mut self) {
        // Without a runtime the gateway itself is at its end.
        if let (Some(farewell), Ok(runtime)) =
            (self.farewell(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(farewell);
        }
    }
}

/// Tells a server that a session with these headers is over, whether it minds or not.
async fn part(settings: Arc<Settings>, server: ServerName, headers: HeaderMap) {
    let Some(behind) = settings.servers.get(&server) else { return };
    let patience = settings.limits.answer_time;
    let ended = sent(behind, Method::DELETE, Bytes::new(), headers, patience).await;
    if let Err(error) = ended {
        tracing::debug!(%error, "the server did not take the end of a session");
    }
}

/// The headers that carry a grant.
pub(super) fn with_grant(grant: Option<&Minted>) -> Result<HeaderMap, UpstreamError> {
    let mut headers = HeaderMap::new();
    if let Some(grant) = grant {
        let value = grant.header().ok_or(UpstreamError::Misbehaved("the grant is no header"))?;
        headers.insert(GRANT, value);
    }
    Ok(headers)
}

/// The request with the grant where it stands for a server that has no headers.
pub(super) fn granted_line(
    body: Bytes,
    grant: &Minted,
    settings: &Settings,
) -> Result<Bytes, UpstreamError> {
    let broken = |_| UpstreamError::Misbehaved("the message cannot carry a grant");
    let limits = &settings.limits;
    let limits = Limits { body: limits.body * 2, depth: limits.depth + 2 };
    let message = Message::parse(body, &limits).map_err(broken)?;
    Ok(message.with_meta(GRANT_MEMBER, &format!("\"{}\"", grant.0)))
}

/// Sends over Streamable HTTP to `behind`.
pub(super) async fn sent(
    behind: &ServerSettings,
    method: Method,
    body: Bytes,
    headers: HeaderMap,
    patience: std::time::Duration,
) -> Result<Reply, UpstreamError> {
    let Transport::Http(uri) = &behind.transport else { return Ok(Reply::NotOffered) };
    let credential = &behind.credential;
    send(HttpRequest { method, uri, headers, credential, body, patience }).await
}

/// Whether both are the same server, asked in the same name.
fn is_same(then: &ServerSettings, now: &ServerSettings) -> bool {
    let transport = match (&then.transport, &now.transport) {
        (Transport::Http(then), Transport::Http(now)) => then == now,
        (
            Transport::Stdio { command: then, environment: before },
            Transport::Stdio { command: now, environment: after },
        ) => then == now && before == after,
        (Transport::Http(_) | Transport::Stdio { .. }, _) => false,
    };
    let credential = match (&then.credential, &now.credential) {
        (Credential::None, Credential::None) => true,
        (Credential::Bearer(then), Credential::Bearer(now)) => then == now,
        (Credential::None | Credential::Bearer(_), _) => false,
    };
    transport && credential
}
