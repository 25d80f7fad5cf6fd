//! Which era a server speaks: asked once, with nothing of a caller in the question, and remembered.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use kenward_mcp::dialect::{Era, supported};
use kenward_mcp::tree;
use kenward_model::ServerName;
use serde_json::Value;

use crate::gateway::Gateway;
use crate::pipeline::{Call, collect};
use crate::settings::{ServerEra, ServerSettings, Transport};
use crate::source::Source;
use crate::upstream::{HttpRequest, Process, Program, Reply, UpstreamError, send};

/// What is asked (2026-07-28, server/discover). A legacy server has never heard of it.
const QUESTION: &[u8] = br#"{"jsonrpc":"2.0","id":"kenward-era","method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"kenward","version":"1"}}}}"#;
/// Sent to a process behind the question: whatever it says to this shows that it is awake.
const AWAKE: &[u8] = br#"{"jsonrpc":"2.0","id":"kenward-awake","method":"ping"}"#;
/// How long a server over HTTP may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a process may take to say anything at all.
const START: Duration = Duration::from_secs(8);
/// How long a process that is awake may take; then its silence is an answer.
const SILENCE: Duration = Duration::from_secs(2);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;
/// The deepest answer that is read.
const DEPTH: usize = 64;
/// Errors that only a server of 2026-07-28 answers with: a header that disagrees, a capability
/// that is missing, a version that is not spoken.
const MODERN_ERRORS: [i64; 3] = [-32020, -32021, -32022];

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    /// One era.
    Only(Era),
    /// Both; each client is answered in its own.
    Both,
}

impl Speaks {
    /// The era in which a client of `own` is best served.
    fn to(self, own: Era) -> Era {
        match self {
            Self::Only(era) => era,
            Self::Both => own,
        }
    }
}

/// What the servers speak, as far as they were asked.
#[derive(Debug, Default)]
pub(crate) struct Eras {
    known: ArcSwap<BTreeMap<ServerName, Speaks>>,
    /// One question at a time for each server.
    turns: Mutex<HashMap<ServerName, Arc<tokio::sync::Mutex<()>>>>,
}

impl Eras {
    /// The era in which the server of `call` is to be spoken to: the client's own where the server
    /// knows it. A server that nobody asked yet is asked.
    ///
    /// # Errors
    /// The server cannot be reached, or it refuses our credential.
    pub(crate) async fn of(&self, gateway: &Gateway, call: &Call) -> Result<Era, UpstreamError> {
        let (name, own) = (&call.entry.server, call.dialect.era);
        let settings = &call.entry.settings;
        let server = settings.servers.get(name).ok_or(UpstreamError::Unreachable)?;
        match server.era {
            ServerEra::Modern => return Ok(Era::Modern),
            ServerEra::Legacy => return Ok(Era::Legacy),
            ServerEra::Auto => {}
        }
        if let Some(speaks) = self.known(name) {
            return Ok(speaks.to(own));
        }
        let turn = self.turn(name);
        let _mine = turn.lock().await;
        if let Some(speaks) = self.known(name) {
            return Ok(speaks.to(own));
        }
        let told = match &server.transport {
            Transport::Http(_) => ask_http(server).await?,
            Transport::Stdio { command, environment } => {
                let longest = settings.limits.event;
                let program = Program { server: name, command, environment, longest };
                let process = gateway.processes.start(&call.entry.caller, &program)?;
                ask_process(&process).await
            }
        };
        let Some(speaks) = told else {
            // Nobody is worse off than without the question: the next call asks again.
            tracing::warn!(server = %name, "the server did not show which revisions it speaks");
            return Ok(own);
        };
        tracing::info!(server = %name, ?speaks, "the server showed which revisions it speaks");
        self.note(name, Some(speaks));
        Ok(speaks.to(own))
    }

    /// The next call asks `server` again: what is known of it may have changed.
    pub(crate) fn forget(&self, server: &ServerName) {
        if self.known(server).is_some() {
            self.note(server, None);
        }
    }

    /// Every server is asked again: the configuration has changed.
    pub(crate) fn forget_all(&self) {
        self.known.store(Arc::default());
    }

    fn known(&self, server: &ServerName) -> Option<Speaks> {
        self.known.load().get(server).copied()
    }

    fn note(&self, server: &ServerName, speaks: Option<Speaks>) {
        self.known.rcu(|known| {
            let mut known = BTreeMap::clone(known);
            match speaks {
                Some(speaks) => known.insert(server.clone(), speaks),
                None => known.remove(server),
            };
            known
        });
    }

    fn turn(&self, server: &ServerName) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(server.clone()).or_default())
    }
}

/// What a server over HTTP shows; nothing when its answer shows nothing.
async fn ask_http(server: &ServerSettings) -> Result<Option<Speaks>, UpstreamError> {
    let Transport::Http(uri) = &server.transport else { return Ok(None) };
    let mut headers = HeaderMap::new();
    headers.insert("mcp-protocol-version", HeaderValue::from_static("2026-07-28"));
    headers.insert("mcp-method", HeaderValue::from_static("server/discover"));
    let (method, body) = (Method::POST, Bytes::from_static(QUESTION));
    let credential = &server.credential;
    let request = HttpRequest { method, uri, headers, credential, body, patience: PATIENCE };
    match send(request).await {
        Ok(Reply::Json { body, .. }) => {
            let reading = tokio::time::timeout(PATIENCE, collect(body, LONGEST)).await;
            Ok(reading.ok().and_then(Result::ok).map(|answer| sort(&answer)))
        }
        Ok(Reply::Events { body, .. }) => {
            let source = Source::events(body, LONGEST);
            let reading = tokio::time::timeout(PATIENCE, answer_of(source)).await;
            Ok(reading.ok().flatten().map(|answer| sort(&answer)))
        }
        // What is refused without a word of MCP is not understood.
        Ok(Reply::Accepted | Reply::NotOffered | Reply::Lines(_))
        | Err(UpstreamError::SessionEnded | UpstreamError::Status(400..=499)) => {
            Ok(Some(Speaks::Only(Era::Legacy)))
        }
        Err(UpstreamError::Status(_) | UpstreamError::Slow | UpstreamError::Misbehaved(_)) => {
            Ok(None)
        }
        Err(
            error @ (UpstreamError::Unreachable
            | UpstreamError::RefusedUs
            | UpstreamError::CalledOff),
        ) => Err(error),
    }
}

async fn answer_of(mut source: Source) -> Option<Bytes> {
    while let Some(Ok(event)) = source.next().await {
        if !event.data.is_empty() {
            return Some(event.data);
        }
    }
    None
}

/// What a process of its own shows: its answer, or its silence once it is awake. One that ends is a
/// legacy one, which may do so when its first message is no `initialize`.
async fn ask_process(process: &Process) -> Option<Speaks> {
    let id = |id: &'static str| format!("\"{id}\"").into_bytes();
    let asking = process.request(&id("kenward-era"), None, &Bytes::from_static(QUESTION)).await;
    let waking = process.request(&id("kenward-awake"), None, &Bytes::from_static(AWAKE)).await;
    let (Ok(mut answer), Ok(mut awake)) = (asking, waking) else { return None };
    let legacy = Speaks::Only(Era::Legacy);
    let speaks = tokio::select! {
        biased;
        answer = answer.recv() => Some(answer.map_or(legacy, |answer| sort(&answer))),
        awake = awake.recv() => match awake {
            None => Some(legacy),
            Some(_) => match tokio::time::timeout(SILENCE, answer.recv()).await {
                Ok(Some(answer)) => Some(sort(&answer)),
                Ok(None) | Err(_) => Some(legacy),
            },
        },
        () = tokio::time::sleep(START) => None,
    };
    process.end();
    speaks
}

/// What an answer to the question shows. No single code says that a server is a legacy one: only
/// what a modern server alone could have said makes it a modern one.
fn sort(answer: &[u8]) -> Speaks {
    let Ok(answer) = tree::read(answer, DEPTH) else { return Speaks::Only(Era::Legacy) };
    if let Some(versions) = answer.pointer("/result/supportedVersions").and_then(Value::as_array) {
        return spoken(versions);
    }
    let code = answer.pointer("/error/code").and_then(Value::as_i64);
    if !code.is_some_and(|code| MODERN_ERRORS.contains(&code)) {
        return Speaks::Only(Era::Legacy);
    }
    let versions = answer.pointer("/error/data/supported").and_then(Value::as_array);
    versions.map_or(Speaks::Only(Era::Modern), |versions| spoken(versions))
}

/// What a list of revisions shows; one without any that is spoken here is a modern server's.
fn spoken(versions: &[Value]) -> Speaks {
    let eras = versions.iter().filter_map(Value::as_str).filter_map(supported);
    let eras: Vec<Era> = eras.map(|dialect| dialect.era).collect();
    match (eras.contains(&Era::Modern), eras.contains(&Era::Legacy)) {
        (true, true) => Speaks::Both,
        (false, true) => Speaks::Only(Era::Legacy),
        (true | false, false) => Speaks::Only(Era::Modern),
    }
}
