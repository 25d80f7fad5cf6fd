//! Which revision of the protocol a message over HTTP speaks, and whether its headers agree.

mod header;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::error::quote;
use crate::method::Eras;
use crate::{EnvelopeError, Kind, Message};

pub use header::{HeaderError, decode_header_value, encode_header_value};

/// The two ways of speaking MCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Era {
    /// A handshake and a session: revision 2025-11-25 and earlier.
    Legacy,
    /// No state, everything in each request: revision 2026-07-28.
    Modern,
}

/// A revision that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dialect {
    /// Its era.
    pub era: Era,
    /// The date that names it.
    pub version: &'static str,
}

/// All revisions that are spoken here, the newest first.
pub const SUPPORTED: &[Dialect] = &[
    Dialect { era: Era::Modern, version: "2026-07-28" },
    Dialect { era: Era::Legacy, version: "2025-11-25" },
    Dialect { era: Era::Legacy, version: "2025-06-18" },
    OLDEST,
];

/// The names of [`SUPPORTED`], as errors and `server/discover` list them.
pub const VERSIONS: &[&str] = &["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"];

/// What a client speaks that says nothing (MCP 2025-11-25, transports, protocol version header).
const OLDEST: Dialect = Dialect { era: Era::Legacy, version: "2025-03-26" };

/// What `initialize` is answered with when the client's own revision is not spoken here.
const LATEST_LEGACY: Dialect = Dialect { era: Era::Legacy, version: "2025-11-25" };

const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The headers of a request that concern the protocol, as received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeaderView<'a> {
    /// `MCP-Protocol-Version`.
    pub version: Option<&'a str>,
    /// `Mcp-Method`.
    pub method: Option<&'a str>,
    /// `Mcp-Name`.
    pub name: Option<&'a str>,
    /// `Mcp-Session-Id`.
    pub session: Option<&'a str>,
}

/// The revision that a posted message speaks.
///
/// A message with the protocol version in its `_meta` is modern, and its headers must say what its
/// body says (MCP 2026-07-28, transports, request metadata). Everything else is legacy. For
/// `initialize` the version is the one to negotiate; a legacy message without a version header
/// speaks the one of its session, or 2025-03-26 if it has none.
pub fn classify(headers: &HeaderView<'_>, message: &Message) -> Result<Dialect, EnvelopeError> {
    sort(headers, message).map_err(|error| error.answering(message.id()))
}

/// The revision named `version`, if it is spoken here.
pub fn supported(version: &str) -> Option<Dialect> {
    SUPPORTED.iter().copied().find(|dialect| dialect.version == version)
}

/// The revision to answer `initialize` with (MCP 2025-11-25, lifecycle, version negotiation).
pub fn negotiate(requested: &str) -> Dialect {
    let own = supported(requested).filter(|dialect| dialect.era == Era::Legacy);
    own.unwrap_or(LATEST_LEGACY)
}

/// The header `Mcp-Name` of a message, before encoding; nothing for methods that have none.
pub fn mirrored_name(message: &Message) -> Option<&str> {
    message.params().get(name_member(message.method())?).and_then(Value::as_str)
}

fn sort(headers: &HeaderView<'_>, message: &Message) -> Result<Dialect, EnvelopeError> {
    let meta = message.params().get("_meta").and_then(Value::as_object);
    if let Some((meta, version)) = meta.and_then(|meta| Some((meta, meta.get(META_VERSION)?))) {
        return modern(headers, message, meta, version);
    }
    if message.method() == "initialize" {
        return initialize(message);
    }
    let dialect = headers.version.map_or(Ok(OLDEST), |version| {
        supported(version).ok_or_else(|| EnvelopeError::version(version, VERSIONS))
    })?;
    match dialect.era {
        Era::Legacy => legacy(message).map(|()| dialect),
        Era::Modern => bare(headers, message).map(|()| dialect),
    }
}

/// A request that exists in the modern era alone says its version, or nobody knows what it means.
fn legacy(message: &Message) -> Result<(), EnvelopeError> {
    match message.row().map(|row| row.eras) {
        Some(Eras::Modern) => Err(missing(META_VERSION)),
        Some(Eras::Legacy | Eras::Both) | None => Ok(()),
    }
}

/// A message whose header alone says that it is modern.
fn bare(headers: &HeaderView<'_>, message: &Message) -> Result<(), EnvelopeError> {
    match message.kind() {
        Kind::Request => Err(missing(META_VERSION)),
        Kind::Notification => mirrors_method(headers, message),
        Kind::Response => Err(EnvelopeError::invalid("clients post no responses in this revision")),
    }
}

fn initialize(message: &Message) -> Result<Dialect, EnvelopeError> {
    let requested = message.params().get("protocolVersion").and_then(Value::as_str);
    let missing = || EnvelopeError::params("member `protocolVersion` must be a string");
    requested.map(negotiate).ok_or_else(missing)
}

fn modern(
    headers: &HeaderView<'_>,
    message: &Message,
    meta: &Map<String, Value>,
    version: &Value,
) -> Result<Dialect, EnvelopeError> {
    let Some(version) = version.as_str() else {
        return Err(EnvelopeError::metadata(format!("member `{META_VERSION}` must be a string")));
    };
    // Mismatched comes before unsupported, as the official conformance suite has it.
    agree("MCP-Protocol-Version", headers.version, version)?;
    let dialect = supported(version).filter(|dialect| dialect.era == Era::Modern);
    let dialect = dialect.ok_or_else(|| EnvelopeError::version(version, VERSIONS))?;
    mirrors_method(headers, message)?;
    mirrors_name(headers, message)?;
    let has_capabilities = meta.get(META_CAPABILITIES).is_some_and(Value::is_object);
    if message.kind() == Kind::Request && !has_capabilities {
        return Err(missing(META_CAPABILITIES));
    }
    Ok(dialect)
}

/// `Mcp-Method` is required of requests. The specification says nothing of notifications; theirs
/// must be true when it is there.
fn mirrors_method(headers: &HeaderView<'_>, message: &Message) -> Result<(), EnvelopeError> {
    if headers.method.is_none() && message.kind() == Kind::Notification {
        return Ok(());
    }
    agree("Mcp-Method", headers.method, message.method())
}

fn mirrors_name(headers: &HeaderView<'_>, message: &Message) -> Result<(), EnvelopeError> {
    match (name_member(message.method()), mirrored_name(message), headers.name) {
        (None, _, _) | (Some(_), None, None) => Ok(()),
        (Some(_), Some(name), header) => agree("Mcp-Name", header, name),
        (Some(member), None, Some(_)) => Err(EnvelopeError::header(format!(
            "header `Mcp-Name` names what `params.{member}` does not"
        ))),
    }
}

/// The member of `params` that `Mcp-Name` mirrors.
fn name_member(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}

fn agree(name: &str, header: Option<&str>, body: &str) -> Result<(), EnvelopeError> {
    let Some(header) = header else {
        return Err(EnvelopeError::header(format!("header `{name}` is missing")));
    };
    let value = decode_header_value(header)
        .map_err(|error| EnvelopeError::header(format!("header `{name}` {error}")))?;
    if value == body {
        return Ok(());
    }
    let (value, body) = (quote(&value), quote(body));
    Err(EnvelopeError::header(format!("header `{name}` is `{value}`, the body says `{body}`")))
}

fn missing(member: &str) -> EnvelopeError {
    EnvelopeError::metadata(format!("member `_meta[\"{member}\"]` is missing or malformed"))
}
