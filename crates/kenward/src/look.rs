//! Looks at an MCP server as a client would: of which era it is, and what it offers.

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
    /// Its prompts, in its order.
    pub(crate) prompts: Vec<SeenPrompt>,
    /// The URIs of its MCP resources and the templates of such, in its order.
    pub(crate) resources: Vec<String>,
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
    /// The JSON Schema of its structured content, when it has one.
    pub(crate) output_schema: Option<Value>,
}

/// A prompt as its server declares it.
#[derive(Debug, Clone)]
pub(crate) struct SeenPrompt {
    /// The prompt's name.
    pub(crate) name: String,
    /// The names of its arguments.
    pub(crate) arguments: Vec<String>,
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

/// Asks the server at `transport` for its tools, prompts and MCP resources.
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
    let listed = client.listed().await;
    client.end().await;
    let Listed { tools, prompts, resources } = listed?;
    Ok(Seen { version, name, tools, prompts, resources })
}

/// What a server lists.
struct Listed {
    tools: Vec<SeenTool>,
    prompts: Vec<SeenPrompt>,
    resources: Vec<String>,
}

/// A conversation with a server.
struct Client {
    wire: Wire,
    capabilities: Value,
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
        Ok(Self { wire, capabilities: Value::Null, era: Era::Modern, version: MODERN, next: 1 })
    }

    /// 2026-07-28: no handshake, every request says what the client is.
    async fn discover(&mut self) -> Result<(Option<String>, String), LookError> {
        let result = self.ask("server/discover", Map::new()).await?;
        let versions = result.get("supportedVersions").and_then(Value::as_array);
        let speaks = versions.is_some_and(|all| all.iter().any(|v| v.as_str() == Some(MODERN)));
        if !speaks {
            return Err(LookError::Strange(format!("it does not support {MODERN}")));
        }
        self.capabilities = result.get("capabilities").cloned().unwrap_or_default();
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
        self.capabilities = result.get("capabilities").cloned().unwrap_or_default();
        self.notify("notifications/initialized").await?;
        let name = result.pointer("/serverInfo/name").and_then(Value::as_str).map(str::to_owned);
        Ok((name, agreed.version.to_owned()))
    }

    /// Tools are asked for in any case; the rest only of a server that says that it has it.
    async fn listed(&mut self) -> Result<Listed, LookError> {
        let tools = self.all("tools/list", "tools").await?;
        let tools = tools.iter().filter_map(seen_tool).collect();
        let mut prompts = Vec::new();
        if self.capabilities.get("prompts").is_some() {
            prompts = self.all("prompts/list", "prompts").await?;
        }
        let mut resources = Vec::new();
        if self.capabilities.get("resources").is_some() {
            let listed = self.all("resources/list", "resources").await?;
            let templates = self.all("resources/templates/list", "resourceTemplates").await?;
            let named = |resource: &Value, key| Some(resource.get(key)?.as_str()?.to_owned());
            resources.extend(listed.iter().filter_map(|resource| named(resource, "uri")));
            resources.extend(templates.iter().filter_map(|one| named(one, "uriTemplate")));
        }
        Ok(Listed { tools, prompts: prompts.iter().filter_map(seen_prompt).collect(), resources })
    }

    /// Everything of a list, page by page.
    async fn all(&mut self, method: &str, member: &str) -> Result<Vec<Value>, LookError> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut params = Map::new();
            if let Some(cursor) = cursor.take() {
                params.insert("cursor".to_owned(), cursor.into());
            }
            let mut result = match self.ask(method, params).await {
                Err(LookError::Answered { code: NO_SUCH_METHOD, .. }) => return Ok(all),
                other => other?,
            };
            if let Some(Value::Array(page)) = result.get_mut(member).map(Value::take) {
                all.extend(page);
            }
            match result.get("nextCursor").and_then(Value::as_str) {
                Some(next) if all.len() < MOST_LISTED => cursor = Some(next.to_owned()),
                Some(_) | None => return Ok(all),
            }
        }
        Ok(all)
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
        output_schema: tool.get("outputSchema").cloned(),
    })
}

fn seen_prompt(prompt: &Value) -> Option<SeenPrompt> {
    let arguments = prompt.get("arguments").and_then(Value::as_array);
    let named = |argument: &Value| Some(argument.get("name")?.as_str()?.to_owned());
    Some(SeenPrompt {
        name: prompt.get("name")?.as_str()?.to_owned(),
        arguments: arguments.into_iter().flatten().filter_map(named).collect(),
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
const MOST_LISTED: usize = 10_000;
/// The most bytes of one answer.
const MOST_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests;
