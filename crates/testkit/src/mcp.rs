//! A small MCP client of either era that hides nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{Client, EventStream, Response};

/// The two ways of speaking MCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// A handshake and a session: 2025-11-25.
    Legacy,
    /// Everything in each request: 2026-07-28.
    Modern,
}

impl Era {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Legacy, Self::Modern];

    /// The revision.
    pub fn version(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Modern => "2026-07-28",
        }
    }
}

/// An MCP client with a token, on one endpoint.
#[derive(Debug)]
pub struct Mcp {
    client: Client,
    path: String,
    token: Option<String>,
    era: Era,
    session: Option<String>,
    next_id: AtomicU64,
}

/// The answer to a message.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP answer.
    pub http: Response,
    /// The JSON-RPC response; null when there is none.
    pub message: Value,
    /// What came before it on a stream.
    pub before: Vec<Value>,
}

impl Mcp {
    /// A client of `path` at `url` that has said nothing yet.
    pub fn new(url: &str, path: &str, token: Option<&str>, era: Era) -> Self {
        Self {
            client: Client::new(url),
            path: path.to_owned(),
            token: token.map(str::to_owned),
            era,
            session: None,
            next_id: AtomicU64::new(1),
        }
    }

    /// A client that is ready for requests: with a session in the legacy era.
    pub async fn connect(url: &str, path: &str, token: &str, era: Era) -> Self {
        let mut mcp = Self::new(url, path, Some(token), era);
        if era == Era::Legacy {
            let reply = mcp.handshake(&json!({})).await;
            let opened = reply.message.get("result").is_some() && mcp.session.is_some();
            assert!(opened, "initialize: {} {}", reply.http.status, reply.http.text());
        }
        mcp
    }

    /// `initialize` and `notifications/initialized`, declaring `capabilities`.
    pub async fn handshake(&mut self, capabilities: &Value) -> Reply {
        let client = json!({ "name": "testkit", "version": "1" });
        let params = json!({
            "protocolVersion": self.era.version(), "capabilities": capabilities, "clientInfo": client,
        });
        let reply = self.request("initialize", params).await;
        self.session = reply
            .http
            .headers
            .get("mcp-session-id")
            .map(|id| id.to_str().expect("ascii").to_owned());
        if reply.message.get("result").is_some() {
            self.notify("notifications/initialized", json!({})).await;
        }
        reply
    }

    /// The era.
    pub fn era(&self) -> Era {
        self.era
    }

    /// The session's id.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The same client with another session id, or none.
    #[must_use]
    pub fn with_session(mut self, session: Option<&str>) -> Self {
        self.session = session.map(str::to_owned);
        self
    }

    /// The same client with another token, or none.
    #[must_use]
    pub fn with_token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(str::to_owned);
        self
    }

    /// The HTTP client beneath.
    pub fn http(&self) -> &Client {
        &self.client
    }

    /// The endpoint's path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A request message as this client would send it.
    pub fn message(&self, method: &str, params: Value) -> Value {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": self.dress(params) })
    }

    fn dress(&self, mut params: Value) -> Value {
        if self.era == Era::Modern {
            let meta = params
                .as_object_mut()
                .expect("parameters are an object")
                .entry("_meta")
                .or_insert(json!({}));
            meta["io.modelcontextprotocol/protocolVersion"] = json!(self.era.version());
            meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
        params
    }

    /// The headers that go with `message`.
    pub fn headers(&self, message: &Value) -> Vec<(String, String)> {
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), "application/json, text/event-stream".to_owned()),
        ];
        if let Some(token) = &self.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if let Some(session) = &self.session {
            headers.push(("mcp-session-id".to_owned(), session.clone()));
        }
        if message["method"] != "initialize" {
            headers.push(("mcp-protocol-version".to_owned(), self.era.version().to_owned()));
        }
        if self.era == Era::Modern {
            let params = &message["params"];
            headers.push((
                "mcp-method".to_owned(),
                message["method"].as_str().expect("a method").to_owned(),
            ));
            let name = match message["method"].as_str() {
                Some("tools/call" | "prompts/get") => params["name"].as_str(),
                Some("resources/read") => params["uri"].as_str(),
                _ => None,
            };
            headers.extend(name.map(|name| ("mcp-name".to_owned(), name.to_owned())));
        }
        headers
    }

    /// Sends a request and reads its answer.
    pub async fn request(&self, method: &str, params: Value) -> Reply {
        let message = self.message(method, params);
        self.send(&message).await
    }

    /// Sends a message as it is, with the headers that go with it.
    pub async fn send(&self, message: &Value) -> Reply {
        self.post(&self.headers(message), message.to_string()).await
    }

    /// Sends a notification.
    pub async fn notify(&self, method: &str, params: Value) -> Reply {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": self.dress(params) });
        self.send(&message).await
    }

    /// Calls a tool.
    pub async fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.request("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// The names of the tools that are listed.
    pub async fn tools(&self) -> Vec<String> {
        let reply = self.request("tools/list", json!({})).await;
        reply.names("tools", "name")
    }

    /// Posts these bytes with these headers.
    pub async fn post(&self, headers: &[(String, String)], body: impl Into<Bytes>) -> Reply {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Reply::of(self.client.send("POST", &self.path, &headers, body).await)
    }

    /// Sends a request and reads its answer as a stream, event by event.
    pub async fn stream(&self, method: &str, params: Value) -> EventStream {
        let message = self.message(method, params);
        let headers = self.headers(&message);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let response = self.client.open("POST", &self.path, &headers, message.to_string()).await;
        EventStream::of(response)
    }

    /// Opens the stream on which the server speaks by itself: GET in the legacy era,
    /// `subscriptions/listen` for everything in the modern one, together with `uris`.
    pub async fn listen(&self, uris: &[&str]) -> EventStream {
        if self.era == Era::Modern {
            let notifications = json!({
                "toolsListChanged": true, "promptsListChanged": true,
                "resourcesListChanged": true, "resourceSubscriptions": uris,
            });
            return self
                .stream("subscriptions/listen", json!({ "notifications": notifications }))
                .await;
        }
        for uri in uris {
            let reply = self.request("resources/subscribe", json!({ "uri": uri })).await;
            assert!(
                reply.message.get("result").is_some(),
                "subscribe {uri}: {}",
                reply.http.text()
            );
        }
        let bearer = format!("Bearer {}", self.token.as_deref().unwrap_or_default());
        let mut headers = vec![
            ("accept", "text/event-stream"),
            ("authorization", bearer.as_str()),
            ("mcp-protocol-version", self.era.version()),
        ];
        headers.extend(self.session.as_deref().map(|session| ("mcp-session-id", session)));
        EventStream::of(self.client.open("GET", &self.path, &headers, Bytes::new()).await)
    }

    /// Ends the session.
    pub async fn end(&self) -> Response {
        let bearer = format!("Bearer {}", self.token.as_deref().unwrap_or_default());
        let session = self.session.as_deref().unwrap_or_default();
        let headers = [("authorization", bearer.as_str()), ("mcp-session-id", session)];
        self.client.send("DELETE", &self.path, &headers, Bytes::new()).await
    }
}

impl Reply {
    fn of(http: Response) -> Self {
        if !http.header("content-type").starts_with("text/event-stream") {
            let message = http.json();
            return Self { http, message, before: Vec::new() };
        }
        let text = http.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let mut messages: Vec<Value> =
            data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect();
        let is_response =
            |message: &Value| message.get("result").or_else(|| message.get("error")).is_some();
        let place = messages.iter().position(is_response);
        let message = place.map_or(Value::Null, |place| messages.remove(place));
        Self { http, message, before: messages }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.http.status.as_u16()
    }

    /// The result; fails the test when there is none.
    pub fn result(&self) -> &Value {
        let found = self.message.get("result");
        found.unwrap_or_else(|| panic!("no result: {} {}", self.http.status, self.http.text()))
    }

    /// The code of the error; nothing when there is none.
    pub fn error_code(&self) -> Option<i64> {
        self.message["error"]["code"].as_i64()
    }

    /// Whether a tool ran and did not fail.
    pub fn is_done(&self) -> bool {
        self.message.get("result").is_some_and(|result| result["isError"] != true)
    }

    /// Whether this is the tool result of a refusal.
    pub fn is_refused(&self) -> bool {
        let result = &self.message["result"];
        result["isError"] == true && result["_meta"].get("dev.kenward/decision").is_some()
    }

    /// What `dev.kenward/decision` says; null when it is absent.
    pub fn decision(&self) -> Value {
        let places =
            ["/result/_meta/dev.kenward~1decision", "/error/data/_meta/dev.kenward~1decision"];
        let found = places.iter().find_map(|place| self.message.pointer(place));
        found.cloned().unwrap_or(Value::Null)
    }

    /// All texts of a tool result.
    pub fn text(&self) -> String {
        let content = self.message["result"]["content"].as_array().cloned().unwrap_or_default();
        let texts = content.iter().filter_map(|item| item["text"].as_str());
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The names of the items of a list.
    pub fn names(&self, list: &str, key: &str) -> Vec<String> {
        let items = self.result()[list].as_array();
        let items = items.unwrap_or_else(|| panic!("no {list}: {}", self.http.text()));
        items.iter().map(|item| item[key].as_str().expect("a name").to_owned()).collect()
    }
}
