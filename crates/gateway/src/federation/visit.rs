//! One message at `/mcp`, and its way through the ordinary steps at a server.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use kenward_identity::grant::arguments_sha256;
use kenward_mcp::dialect::{Dialect, Era, encode_header_value, mirrored_name, supported};
use kenward_mcp::method::Row;
use kenward_mcp::{Limits, Message, reply};
use kenward_model::{ServerName, Target};
use serde_json::Value;

use super::sessions::{self, Federated};
use super::target;
use crate::admission::Slot;
use crate::body::AnswerBody;
use crate::clock;
use crate::gateway::Gateway;
use crate::pipeline::{self, Call, Known};
use crate::sessions::Session;
use crate::stop::Stop;
use crate::upstream::UpstreamError;

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// How the name of a header begins that repeats an argument.
const MIRROR: &str = "mcp-param-";
/// The id of our own requests where the client waits for none.
const OWN: &str = "\"kenward-initialize\"";

/// A message of a known caller, with everything that its parts need on their way.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) gateway: Arc<Gateway>,
    pub(super) known: Known,
    pub(super) head: Parts,
    pub(super) message: Message,
    pub(super) dialect: Dialect,
    pub(super) session: Option<Arc<Federated>>,
    pub(super) slot: Slot,
}

impl Visit {
    pub(super) fn named_session(&self) -> Result<Arc<Federated>, Stop> {
        sessions::named(&self.gateway, &self.known, &self.head, self.message.id())
    }

    /// The configured server of that name.
    pub(super) fn server(&self, name: &str) -> Option<ServerName> {
        let found = self.known.settings.servers.keys().find(|known| known.as_str() == name);
        found.cloned()
    }

    /// The server of that name, if the session has used it.
    pub(super) fn open_server(&self, name: &str) -> Option<ServerName> {
        self.server(name).filter(|server| self.opened(server).is_some())
    }

    /// The session at `server`, if there is one.
    pub(super) fn opened(&self, server: &ServerName) -> Option<Arc<Session>> {
        let opened = self.session.as_ref()?.opened();
        opened.into_iter().find(|behind| behind.server == *server)
    }

    /// An edited message is parsed again: what goes on has passed the same checks. A name that comes
    /// back may be longer than what stands for it here.
    pub(super) fn again(&self, bytes: Bytes) -> Result<Message, Stop> {
        let limits = &self.known.settings.limits;
        let limits = Limits { body: limits.body * 2, depth: limits.depth };
        Ok(Message::parse(bytes, &limits)?)
    }

    /// This message as a call at `server`, for decisions of which nothing is forwarded.
    pub(super) fn call_at(&self, server: &ServerName, row: &'static Row) -> Result<Call, Stop> {
        let us = || Stop::Us { id: self.id(), reference: "-".to_owned() };
        Ok(Call {
            id: clock::decision_id(self.known.time).map_err(|_| us())?,
            entry: self.known.at(server),
            message: self.message.clone(),
            row,
            dialect: self.dialect,
            session: None,
            digest: arguments_sha256(&Value::Null).map_err(|_| us())?,
            headers: HeaderMap::new(),
        })
    }

    /// The servers that may be asked this by this caller, in the order of their names: those that
    /// the caller may use for anything.
    pub(super) fn servers(&self, row: &'static Row) -> Result<Vec<ServerName>, Stop> {
        let in_force = self.gateway.live.snapshot();
        let handshake = match self.dialect.era {
            Era::Legacy => "initialize",
            Era::Modern => "server/discover",
        };
        let mut servers = Vec::new();
        for server in self.known.settings.servers.keys() {
            let call = self.call_at(server, row)?;
            let params = self.message.params();
            let may = |method| {
                let now = clock::now();
                call.judge_other(&in_force, now, method, Target::Server, params).is_allowed()
            };
            if may(handshake) && may(row.name) {
                servers.push(server.clone());
            }
        }
        Ok(servers)
    }

    /// Decides and records the message at one server of those that may be asked; where there is
    /// none, it is refused, and recorded, at the first of all.
    pub(super) async fn permitted_somewhere(&self, row: &'static Row) -> Result<(), Stop> {
        let may_be_asked = self.servers(row)?.into_iter().next();
        let server = may_be_asked.or_else(|| self.known.settings.servers.keys().next().cloned());
        match server {
            Some(server) => self.decide_at(&server, row).await,
            None => Ok(()),
        }
    }

    /// Decides and records the message at `server`, which is not asked.
    pub(super) async fn decide_at(
        &self,
        server: &ServerName,
        row: &'static Row,
    ) -> Result<(), Stop> {
        let call = self.call_at(server, row)?;
        pipeline::decided_here(&self.gateway, &call, self.slot.clone()).await
    }

    /// Sends `message` to `server` by the ordinary steps; in the legacy era within the session
    /// there, which is opened when there is none, and once more when the server has lost it.
    pub(super) async fn send(
        &self,
        server: &ServerName,
        message: Message,
    ) -> Result<Response<AnswerBody>, Stop> {
        let Some(session) = &self.session else {
            return self.once(server, message, None).await;
        };
        let behind = self.behind(session, server).await?;
        match self.once(server, message.clone(), Some(&behind)).await {
            Err(Stop::Session { status: StatusCode::NOT_FOUND, .. }) => {
                tracing::debug!(%server, "a session behind is lost and opened again");
                let behind = self.behind(session, server).await?;
                let sent = self.once(server, message, Some(&behind)).await;
                // The client's own session is not lost.
                let is_lost = matches!(sent, Err(Stop::Session { .. }));
                if is_lost { Err(self.failed(UpstreamError::SessionEnded)) } else { sent }
            }
            sent => sent,
        }
    }

    async fn once(
        &self,
        server: &ServerName,
        message: Message,
        behind: Option<&Session>,
    ) -> Result<Response<AnswerBody>, Stop> {
        let head = self.head_for(&message, behind);
        let dialect = behind.and_then(|behind| supported(behind.version)).unwrap_or(self.dialect);
        let (entry, slot) = (self.known.at(server), self.slot.clone());
        Box::pin(pipeline::onward(&self.gateway, entry, &head, (message, dialect), slot)).await
    }

    /// The headers that go with `message`: they say what it says.
    pub(super) fn head_for(&self, message: &Message, behind: Option<&Session>) -> Parts {
        let mut headers = self.head.headers.clone();
        for name in [METHOD, NAME, SESSION, VERSION] {
            headers.remove(name);
        }
        if message.method() != self.message.method() {
            let mirrors: Vec<HeaderName> =
                headers.keys().filter(|name| name.as_str().starts_with(MIRROR)).cloned().collect();
            for name in mirrors {
                headers.remove(name);
            }
        }
        let mut set = |name, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if self.dialect.era == Era::Modern {
            set(METHOD, message.method());
            if let Some(name) = mirrored_name(message) {
                set(NAME, &encode_header_value(name));
            }
        }
        if let Some(behind) = behind {
            set(SESSION, &behind.id);
            set(VERSION, behind.version);
        }
        let mut head = Request::new(()).into_parts().0;
        head.headers = headers;
        head
    }

    /// The session at `server` within the session here. One that takes long to open is opened all
    /// the same when nobody waits for it any more, and is there for the next message.
    pub(super) async fn behind(
        &self,
        session: &Arc<Federated>,
        server: &ServerName,
    ) -> Result<Arc<Session>, Stop> {
        if let Some(known) = self.opened(server) {
            return Ok(known);
        }
        let (visit, session, server) = (self.clone(), Arc::clone(session), server.clone());
        let opening = tokio::spawn(async move {
            let cell = session.cell(&server);
            let mut held = cell.lock().await;
            if let Some(known) = held.as_ref().filter(|known| !known.is_over()) {
                return Ok(Arc::clone(known));
            }
            let opened = visit.open(&session, &server).await?;
            *held = Some(Arc::clone(&opened));
            Ok(opened)
        });
        let broken = |_| self.failed(UpstreamError::Misbehaved("it opened no session"));
        opening.await.map_err(broken)?
    }

    /// Opens a session at `server` in the caller's name, as their own `initialize` would.
    async fn open(&self, session: &Federated, server: &ServerName) -> Result<Arc<Session>, Stop> {
        let id = self.message.id().and_then(|id| std::str::from_utf8(id).ok()).unwrap_or(OWN);
        let opening = self.again(session.opening.with_id(id))?;
        let answer = match self.once(server, opening, None).await {
            Ok(answer) => answer,
            // Who may not use a server learns nothing of it, not even that it is there.
            Err(Stop::Answer(_) | Stop::Scope { .. }) => return Err(self.unknown()),
            Err(other) => return Err(other),
        };
        let id = answer.headers().get(SESSION).and_then(|id| id.to_str().ok());
        let find = |id| self.gateway.sessions.find(id, &self.known.caller, server, clock::now());
        let Some(behind) = id.and_then(find) else {
            return Err(self.failed(UpstreamError::Misbehaved("it opened no session")));
        };
        if !session.add(&behind) {
            self.gateway.sessions.end(&behind);
            return Err(Stop::Session { status: StatusCode::NOT_FOUND, id: self.id() });
        }
        let initialized = reply::notification("notifications/initialized", None);
        self.tell(server, self.again(initialized)?, &behind).await;
        if let Some(level) = session.level() {
            self.tell(server, level, &behind).await;
        }
        Ok(behind)
    }

    /// Sends what nobody waits for.
    async fn tell(&self, server: &ServerName, message: Message, behind: &Session) {
        let method = message.method().to_owned();
        if self.once(server, message, Some(behind)).await.is_err() {
            tracing::debug!(%server, method, "a server did not take what was told to it");
        }
    }

    /// What a target that does not exist is answered with.
    pub(super) fn unknown(&self) -> Stop {
        match target::unknown(&self.message, self.dialect.era) {
            Some(body) => Stop::Answer(body),
            None => Stop::Status(StatusCode::FORBIDDEN),
        }
    }

    pub(super) fn failed(&self, error: UpstreamError) -> Stop {
        Stop::Upstream { id: self.id(), error, reference: "-".to_owned() }
    }

    pub(super) fn id(&self) -> Option<Vec<u8>> {
        self.message.id().map(<[u8]>::to_vec)
    }
}
