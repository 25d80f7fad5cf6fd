//! A small MCP client of both eras that keeps every byte it receives.

mod reply;
mod stream;

use std::sync::{Arc, Mutex, PoisonError};

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderName, HeaderValue, Method, Request, Uri};
use bytes::Bytes;
use http_body_util::Full;
use kenward_mcp::dialect::{Era, encode_header_value};
use kenward_mcp::{Limits, sse};
use serde_json::{Map, Value, json};

use crate::http::{Answer, Http};

pub(crate) use reply::Reply;
pub(crate) use stream::{Next, Stream};

const MODERN: &str = "2026-07-28";
const LEGACY: &str = "2025-11-25";
const SESSION: &str = "mcp-session-id";

/// Every byte that came in, to be searched afterwards.
#[derive(Debug, Default)]
pub(crate) struct Tape(Mutex<Vec<u8>>);

impl Tape {
    pub(crate) fn keep(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Those of `words` that came in, in whatever case.
    pub(crate) fn find<'w>(&self, words: &'w [String]) -> Vec<&'w str> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept).to_lowercase();
        words
            .iter()
            .filter(|word| text.contains(&word.to_lowercase()))
            .map(String::as_str)
            .collect()
    }
}

/// Whom a client speaks for and to whom.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) person: &'static str,
    pub(crate) agent: &'static str,
    pub(crate) era: Era,
    /// The MCP endpoint.
    pub(crate) url: String,
    pub(crate) token: String,
}

/// A client at work.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) role: Role,
    http: Http,
    session: Option<String>,
    last_id: u64,
    tape: Arc<Tape>,
}

impl Client {
    /// Connects; in the legacy era with a handshake and a session of its own.
    pub(crate) async fn connect(role: Role, tape: Arc<Tape>) -> Result<Self, String> {
        let mut client = Self { role, http: Http::new(), session: None, last_id: 0, tape };
        if client.role.era == Era::Legacy {
            client.begin_session().await?;
        }
        Ok(client)
    }

    /// Calls a tool.
    pub(crate) async fn call(&mut self, tool: &str, arguments: &Value) -> Result<Reply, String> {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// The names of the tools that are offered.
    pub(crate) async fn tools(&mut self) -> Result<Vec<String>, String> {
        let reply = self.ask("tools/list", json!({})).await?;
        let tools = reply.result().and_then(|result| result.get("tools")?.as_array());
        let tools = tools.ok_or_else(|| format!("tools/list answers {}", reply.short()))?;
        let names = tools.iter().filter_map(|tool| tool.get("name")?.as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// Sends a request and reads the answer to its end.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Result<Reply, String> {
        let request = self.request(method, params)?;
        let answer = self.http.send(request).await.map_err(|error| error.to_string())?;
        self.take(&answer);
        Reply::read(answer.status.as_u16(), &last_message(&answer)?)
    }

    /// Opens a stream of updates (2026-07-28, subscriptions).
    pub(crate) async fn listen(&mut self, uri: &str) -> Result<Stream, String> {
        let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": [uri] });
        let request = self.request("subscriptions/listen", json!({ "notifications": wanted }))?;
        let response = self.http.open(request).await.map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(format!("subscriptions/listen answers status {}", response.status()));
        }
        Ok(Stream::new(response.into_body(), Arc::clone(&self.tape)))
    }

    async fn begin_session(&mut self) -> Result<(), String> {
        let params = json!({
            "protocolVersion": LEGACY,
            "capabilities": {},
            "clientInfo": self.client_info(),
        });
        let request = self.request("initialize", params)?;
        let answer = self.http.send(request).await.map_err(|error| error.to_string())?;
        self.take(&answer);
        let session = answer.headers.get(SESSION).and_then(|value| value.to_str().ok());
        self.session = session.map(str::to_owned);
        let reply = Reply::read(answer.status.as_u16(), &last_message(&answer)?)?;
        if reply.result().is_none() {
            return Err(format!("initialize answers {}", reply.short()));
        }
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let request = self.post(&initialized, &[])?;
        self.http.send(request).await.map_err(|error| error.to_string())?;
        Ok(())
    }

    fn request(&mut self, method: &str, mut params: Value) -> Result<Request<Full<Bytes>>, String> {
        self.last_id += 1;
        let mut mirrored: Vec<(&str, String)> = Vec::new();
        if let (Era::Modern, Value::Object(members)) = (self.role.era, &mut params) {
            members.insert("_meta".to_owned(), Value::Object(self.meta()));
            mirrored.push(("mcp-method", method.to_owned()));
            let name = members.get("name").or_else(|| members.get("uri")).and_then(Value::as_str);
            mirrored.extend(name.map(|name| ("mcp-name", encode_header_value(name))));
        }
        let message =
            json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params });
        self.post(&message, &mirrored)
    }

    fn post(
        &self,
        message: &Value,
        mirrored: &[(&str, String)],
    ) -> Result<Request<Full<Bytes>>, String> {
        let uri = Uri::try_from(&self.role.url).map_err(|error| error.to_string())?;
        let mut request = Request::new(Full::new(Bytes::from(message.to_string())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        let version = if self.role.era == Era::Modern { MODERN } else { LEGACY };
        let mut headers = vec![
            (CONTENT_TYPE.as_str(), "application/json".to_owned()),
            (ACCEPT.as_str(), "application/json, text/event-stream".to_owned()),
            (AUTHORIZATION.as_str(), format!("Bearer {}", self.role.token)),
        ];
        if message.get("method").and_then(Value::as_str) != Some("initialize") {
            headers.push(("mcp-protocol-version", version.to_owned()));
        }
        headers.extend(self.session.clone().map(|session| (SESSION, session)));
        headers.extend(mirrored.iter().cloned());
        for (name, value) in headers {
            let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
            let value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }

    fn meta(&self) -> Map<String, Value> {
        let mut meta = Map::new();
        for (name, value) in [
            ("protocolVersion", Value::from(MODERN)),
            ("clientCapabilities", json!({})),
            ("clientInfo", self.client_info()),
        ] {
            meta.insert(format!("io.modelcontextprotocol/{name}"), value);
        }
        meta
    }

    fn client_info(&self) -> Value {
        json!({ "name": self.role.agent, "version": env!("CARGO_PKG_VERSION") })
    }

    fn take(&self, answer: &Answer) {
        for (name, value) in &answer.headers {
            self.tape.keep(name.as_str().as_bytes());
            self.tape.keep(value.as_bytes());
        }
        self.tape.keep(&answer.body);
    }
}

/// The message of a JSON answer, or the last one of a stream.
fn last_message(answer: &Answer) -> Result<Bytes, String> {
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
        return Ok(answer.body.clone());
    }
    let mut decoder = sse::Decoder::new();
    decoder.push(&answer.body, &Limits::default()).map_err(|error| error.to_string())?;
    let events = std::iter::from_fn(|| decoder.next());
    let last = events.filter(|event| !event.data.is_empty()).last();
    last.map(|event| event.data).ok_or_else(|| "the stream of an answer is empty".to_owned())
}
