//! Looks at an MCP server as a client would: of which era it is, and which tools it has.

mod http;
mod stdio;

use std::time::Duration;

use kenward_gateway::{Credential, Transport};
use kenward_mcp::dialect::Era;
use serde_json::{Map, Value, json};

/// What a server says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The protocol version that it speaks.
    pub(crate) version: String,
    /// Its own name for itself, which nothing may rely on.
    pub(crate) name: Option<String>,
    /// Its tools, in its order.
    pub(crate) tools: Vec<SeenTool>,
}

/// A tool as its server declares it.
#[derive(Debug, Clone)]
pub(crate) struct SeenTool {
    /// The tool's name.
    pub(crate) name: String,
    /// What the server says that it does.
    pub(crate) description: Option<String>,
    /// The JSON Schema of its arguments.
    pub(crate) input_schema: Value,
}

/// Why a server could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LookError {
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the server asks for a credential (status {0})")]
    Unauthorized(u16),
    #[error("the server did not answer within {} s", PATIENCE.as_secs())]
    Slow,
    #[error("the server answered with status {0}, which no MCP endpoint does")]
    Status(u16),
    #[error("the server answered `{method}` with the error {code}: {message}")]
    Answered { method: String, code: i64, message: String },
    #[error("the server does not speak MCP: {0}")]
    Strange(String),
    #[error("the program `{program}` cannot be started: {why}")]
    Program { program: String, why: String },
    #[error("the program ended without an answer")]
    Ended,
}

/// Asks the server at `transport` for its tools.
pub(crate) async fn look(
    transport: &Transport,
    credential: &Credential,
) -> Result<Seen, LookError> {
    let mut client = Client::connect(transport, credential)?;
    let (name, version) = match client.discover().await {
        Ok(found) => found,
        Err(LookError::Unauthorized(status)) => return Err(LookError::Unauthorized(status)),
        Err(LookError::Unreachable(why)) => return Err(LookError::Unreachable(why)),
        // Whatever else it said or did not say: a server of the older era, or none at all.
        Err(_) => {
            client.end().await;
            client = Client::connect(transport, credential)?;
            client.initialize().await?
        }
    };
    let tools = client.tools().await;
    client.end().await;
    Ok(Seen { version, name, tools: tools? })
}

/// A conversation with a server.
struct Client {
    wire: Wire,
    era: Era,
    version: &'static str,
    next: u64,
}

enum Wire {
    Http(Box<http::Wire>),
    Stdio(Box<stdio::Wire>),
}

/// A message that goes out, with what the transport mirrors of it.
struct Outgoing<'m> {
    method: &'m str,
    /// The id of a request; a notification has none.
    id: Option<u64>,
    /// The protocol version that was agreed or is declared; none before there is one.
    version: Option<&'static str>,
    era: Era,
    json: Value,
}

impl Client {
    fn connect(transport: &Transport, credential: &Credential) -> Result<Self, LookError> {
        let wire = match transport {
            Transport::Http(uri) => Wire::Http(Box::new(http::Wire::new(uri, credential)?)),
            Transport::Stdio { command, environment } => {
                Wire::Stdio(Box::new(stdio::Wire::start(command, environment)?))
            }
        };
        Ok(Self { wire, era: Era::Modern, version: MODERN, next: 1 })
    }

    /// 2026-07-28: no handshake, every request says what the client is.
    async fn discover(&mut self) -> Result<(Option<String>, String), LookError> {
        let result = self.ask("server/discover", Map::new()).await?;
        let versions = result.get("supportedVersions").and_then(Value::as_array);
        let speaks = versions.is_some_and(|all| all.iter().any(|v| v.as_str() == Some(MODERN)));
        if !speaks {
            return Err(LookError::Strange(format!("it does not support {MODERN}")));
        }
        let name = result.pointer("/_meta/io.modelcontextprotocol~1serverInfo/name");
        let name = name.or_else(|| result.pointer("/serverInfo/name"));
        Ok((name.and_then(Value::as_str).map(str::to_owned), MODERN.to_owned()))
    }

    /// 2025-11-25 and older: the handshake.
    async fn initialize(&mut self) -> Result<(Option<String>, String), LookError> {
        self.era = Era::Legacy;
        self.version = LEGACY;
        let mut params = Map::new();
        params.insert("protocolVersion".to_owned(), LEGACY.into());
        params.insert("capabilities".to_owned(), json!({}));
        params.insert("clientInfo".to_owned(), client_info());
        let result = self.ask("initialize", params).await?;
        let version = result.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
        let Some(agreed) = kenward_mcp::dialect::supported(version) else {
            return Err(LookError::Strange(format!("it answers with the version `{version}`")));
        };
        self.version = agreed.version;
        self.notify("notifications/initialized").await?;
        let name = result.pointer("/serverInfo/name").and_then(Value::as_str).map(str::to_owned);
        Ok((name, agreed.version.to_owned()))
    }

    async fn tools(&mut self) -> Result<Vec<SeenTool>, LookError> {
        let mut tools = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut params = Map::new();
            if let Some(cursor) = cursor.take() {
                params.insert("cursor".to_owned(), cursor.into());
            }
            let result = match self.ask("tools/list", params).await {
                Err(LookError::Answered { code: NO_SUCH_METHOD, .. }) => return Ok(tools),
                other => other?,
            };
            let page = result.get("tools").and_then(Value::as_array);
            tools.extend(page.into_iter().flatten().filter_map(seen_tool));
            match result.get("nextCursor").and_then(Value::as_str) {
                Some(next) if tools.len() < MOST_TOOLS => cursor = Some(next.to_owned()),
                Some(_) | None => return Ok(tools),
            }
        }
        Ok(tools)
    }

    async fn ask(
        &mut self,
        method: &str,
        mut params: Map<String, Value>,
    ) -> Result<Value, LookError> {
        let id = self.next;
        self.next += 1;
        if self.era == Era::Modern {
            params.insert("_meta".to_owned(), self.meta());
        }
        let json = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let version = (method != "initialize").then_some(self.version);
        let outgoing = Outgoing { method, id: Some(id), version, era: self.era, json };
        let answer = tokio::time::timeout(PATIENCE, async {
            match &mut self.wire {
                Wire::Http(wire) => wire.exchange(&outgoing).await,
                Wire::Stdio(wire) => wire.exchange(&outgoing).await,
            }
        });
        let answer = answer.await.map_err(|_| LookError::Slow)??;
        outcome(method, answer)
    }

    async fn notify(&mut self, method: &str) -> Result<(), LookError> {
        let json = json!({ "jsonrpc": "2.0", "method": method });
        let version = Some(self.version);
        let outgoing = Outgoing { method, id: None, version, era: self.era, json };
        match &mut self.wire {
            Wire::Http(wire) => wire.exchange(&outgoing).await.map(drop),
            Wire::Stdio(wire) => wire.exchange(&outgoing).await.map(drop),
        }
    }

    fn meta(&self) -> Value {
        json!({
            "io.modelcontextprotocol/protocolVersion": self.version,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": client_info(),
        })
    }

    async fn end(&mut self) {
        match &mut self.wire {
            Wire::Http(wire) => wire.end().await,
            Wire::Stdio(wire) => wire.end().await,
        }
    }
}

fn client_info() -> Value {
    json!({ "name": "kenward", "version": env!("CARGO_PKG_VERSION") })
}

fn outcome(method: &str, mut answer: Value) -> Result<Value, LookError> {
    if let Some(error) = answer.get("error") {
        let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
        let message = message.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(LookError::Answered { method: method.to_owned(), code, message });
    }
    match answer.get_mut("result").map(Value::take) {
        Some(result @ Value::Object(_)) => Ok(result),
        Some(_) | None => Err(LookError::Strange(format!("its answer to `{method}` is no result"))),
    }
}

fn seen_tool(tool: &Value) -> Option<SeenTool> {
    Some(SeenTool {
        name: tool.get("name")?.as_str()?.to_owned(),
        description: tool.get("description").and_then(Value::as_str).map(str::to_owned),
        input_schema: tool.get("inputSchema").cloned().unwrap_or_else(|| json!({})),
    })
}

/// Whether `json` is the response to request `id`.
fn answers(json: &Value, id: u64) -> bool {
    json.get("id").and_then(Value::as_u64) == Some(id)
        && (json.get("result").is_some() || json.get("error").is_some())
}

const MODERN: &str = "2026-07-28";
const LEGACY: &str = "2025-11-25";
const NO_SUCH_METHOD: i64 = -32601;
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
const MOST_PAGES: usize = 100;
const MOST_TOOLS: usize = 10_000;
/// The most bytes of one answer.
const MOST_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests;
