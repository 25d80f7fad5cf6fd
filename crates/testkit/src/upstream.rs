//! A scriptable MCP server over HTTP that speaks both eras and keeps what it received.

mod protocol;
mod serve;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

/// A request as it arrived, byte for byte.
#[derive(Debug, Clone)]
pub struct Received {
    /// The HTTP method.
    pub verb: http::Method,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Received {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The JSON-RPC method; empty when there is none.
    pub fn method(&self) -> String {
        self.json()["method"].as_str().unwrap_or_default().to_owned()
    }

    /// The parameters.
    pub fn params(&self) -> Value {
        self.json()["params"].clone()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the message carries the metadata of 2026-07-28.
    pub fn is_modern(&self) -> bool {
        self.json().pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion").is_some()
    }
}

/// What the server does with a request.
#[derive(Clone)]
pub enum Answer {
    /// This result; what the era demands is added.
    Result(Value),
    /// A JSON-RPC error: code and message.
    Error(i32, String),
    /// These messages as events first, then the answer as the last event.
    Events(Vec<Value>, Box<Self>),
    /// This status, content type and body, whatever they are.
    Raw(u16, &'static str, Bytes),
    /// The same later.
    After(Duration, Box<Self>),
    /// The same once somebody notifies.
    When(Arc<Notify>, Box<Self>),
    /// Nothing, ever.
    Hang,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Result(_) => "Result",
            Self::Error(..) => "Error",
            Self::Events(..) => "Events",
            Self::Raw(..) => "Raw",
            Self::After(..) => "After",
            Self::When(..) => "When",
            Self::Hang => "Hang",
        })
    }
}

impl Answer {
    /// A tool result with one text.
    pub fn text(text: &str) -> Self {
        Self::Result(json!({ "content": [{ "type": "text", "text": text }] }))
    }

    /// A tool result with structured content, repeated as text as the specification asks.
    pub fn structured(content: &Value) -> Self {
        Self::Result(json!({
            "content": [{ "type": "text", "text": content.to_string() }],
            "structuredContent": content,
        }))
    }

    /// The same later.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self::After(delay, Box::new(self))
    }
}

type Script = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

/// A scriptable MCP server; it runs as long as this value lives.
#[derive(Debug)]
pub struct Upstream {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    url: String,
    lists: Mutex<HashMap<&'static str, Vec<Value>>>,
    scripts: Mutex<HashMap<String, Script>>,
    received: Mutex<Vec<Received>>,
    streams: Mutex<Vec<Stream>>,
    subscribed: Mutex<Vec<String>>,
    as_events: AtomicBool,
    modern: AtomicBool,
    legacy: AtomicBool,
    under_way: AtomicUsize,
    next_session: AtomicUsize,
}

/// A stream that a client has open to the server.
#[derive(Debug)]
struct Stream {
    chunks: mpsc::UnboundedSender<Bytes>,
    /// The id of the `subscriptions/listen` request, in the modern era.
    subscription: Option<Value>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upstream({})", self.url)
    }
}

impl Upstream {
    /// Starts a server that has nothing yet.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            url,
            lists: Mutex::default(),
            scripts: Mutex::default(),
            received: Mutex::default(),
            streams: Mutex::default(),
            subscribed: Mutex::default(),
            as_events: AtomicBool::new(false),
            modern: AtomicBool::new(true),
            legacy: AtomicBool::new(true),
            under_way: AtomicUsize::new(0),
            next_session: AtomicUsize::new(1),
        });
        let server = tokio::spawn(serve::serve(listener, Arc::clone(&shared)));
        Self { shared, server }
    }

    /// The server's endpoint.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Sets what `tools/list` answers.
    pub fn set_tools(&self, tools: Vec<Value>) {
        self.set_list("tools", tools);
    }

    /// Sets what `prompts/list` answers.
    pub fn set_prompts(&self, prompts: Vec<Value>) {
        self.set_list("prompts", prompts);
    }

    /// Sets what `resources/list` answers.
    pub fn set_resources(&self, resources: Vec<Value>) {
        self.set_list("resources", resources);
    }

    /// Sets what `resources/templates/list` answers.
    pub fn set_templates(&self, templates: Vec<Value>) {
        self.set_list("resourceTemplates", templates);
    }

    fn set_list(&self, list: &'static str, items: Vec<Value>) {
        self.shared.lists.lock().expect("lists").insert(list, items);
    }

    /// Does `script` whenever the JSON-RPC method is `method`.
    pub fn on(&self, method: &str, script: impl Fn(&Received) -> Answer + Send + Sync + 'static) {
        self.shared.scripts.lock().expect("scripts").insert(method.to_owned(), Arc::new(script));
    }

    /// Does `script` whenever the tool `tool` is called.
    pub fn on_tool(
        &self,
        tool: &str,
        script: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) {
        self.on(&format!("tools/call {tool}"), script);
    }

    /// Answers requests with a stream of events rather than with JSON.
    pub fn answer_as_events(&self, events: bool) {
        self.shared.as_events.store(events, Ordering::SeqCst);
    }

    /// Knows nothing of the modern era, as most servers of today.
    pub fn be_legacy_only(&self) {
        self.shared.modern.store(false, Ordering::SeqCst);
    }

    /// Knows nothing of the legacy era: no handshake, no sessions, no standing stream.
    pub fn be_modern_only(&self) {
        self.shared.legacy.store(false, Ordering::SeqCst);
    }

    /// Everything received so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("received").clone()
    }

    /// The calls of `tool` received so far.
    pub fn calls(&self, tool: &str) -> Vec<Received> {
        let is_call = |received: &Received| {
            received.method() == "tools/call" && received.params()["name"] == tool
        };
        self.received().into_iter().filter(is_call).collect()
    }

    /// The requests with the JSON-RPC method `method` received so far.
    pub fn requests(&self, method: &str) -> Vec<Received> {
        self.received().into_iter().filter(|received| received.method() == method).collect()
    }

    /// Forgets everything received so far.
    pub fn forget(&self) {
        self.shared.received.lock().expect("received").clear();
    }

    /// Sends a notification on all open streams.
    pub fn notify(&self, method: &str, params: &Value) {
        for stream in self.shared.streams.lock().expect("streams").iter() {
            let mut params = params.clone();
            if let Some(id) = &stream.subscription {
                params["_meta"]["io.modelcontextprotocol/subscriptionId"] = id.clone();
            }
            let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
            let _gone = stream.chunks.send(protocol::event(&message));
        }
    }

    /// Sends raw bytes on all open streams.
    pub fn push(&self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        for stream in self.shared.streams.lock().expect("streams").iter() {
            let _gone = stream.chunks.send(bytes.clone());
        }
    }

    /// Ends all open streams.
    pub fn end_streams(&self) {
        self.shared.streams.lock().expect("streams").clear();
    }

    /// The streams that somebody listens to.
    pub fn open_streams(&self) -> usize {
        let streams = self.shared.streams.lock().expect("streams");
        streams.iter().filter(|stream| !stream.chunks.is_closed()).count()
    }

    /// The URIs that somebody subscribed to.
    pub fn subscribed(&self) -> Vec<String> {
        self.shared.subscribed.lock().expect("subscribed").clone()
    }

    /// The requests that are being answered.
    pub fn under_way(&self) -> usize {
        self.shared.under_way.load(Ordering::SeqCst)
    }

    /// Waits until `holds` is true of this server; false when it is not within five seconds.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if holds(self) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        holds(self)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}
