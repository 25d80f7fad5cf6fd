//! One MCP message to be decided: server, method, target and arguments.

use std::borrow::Cow;

use crate::{EntityUid, ServerName};

/// What an operation is aimed at, beside its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'m> {
    /// The server itself: initialize, lists, logging.
    Server,
    /// A tool, by the name that the server gave it.
    Tool(Cow<'m, str>),
    /// A prompt, by the name that the server gave it.
    Prompt(Cow<'m, str>),
    /// An MCP resource, by its exact URI.
    Resource(Cow<'m, str>),
    /// A template of MCP resources, by its exact text.
    ResourceTemplate(Cow<'m, str>),
}

impl Target<'_> {
    /// The name, URI or template; nothing for the server itself.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Server => None,
            Self::Tool(name)
            | Self::Prompt(name)
            | Self::Resource(name)
            | Self::ResourceTemplate(name) => Some(name),
        }
    }

    /// The Cedar entity that stands for this target of `server`.
    pub fn uid(&self, server: &ServerName) -> EntityUid {
        let kind = match self {
            Self::Server => return EntityUid::new("Mcp::Server", server.shared()),
            Self::Tool(_) => "Mcp::Tool",
            Self::Prompt(_) => "Mcp::Prompt",
            Self::Resource(_) => "Mcp::Resource",
            Self::ResourceTemplate(_) => "Mcp::ResourceTemplate",
        };
        EntityUid::new(kind, format!("{server}/{}", self.name().unwrap_or_default()))
    }
}

/// An MCP message as the decision sees it.
#[derive(Debug, Clone)]
pub struct Operation<'m> {
    /// The server that would answer.
    pub server: &'m ServerName,
    /// The method, for example `tools/call`.
    pub method: &'m str,
    /// What it is aimed at.
    pub target: Target<'m>,
    /// The whole `params` object, parsed with duplicates refused; null when absent.
    pub params: &'m serde_json::Value,
}

impl Operation<'_> {
    /// The `arguments` member of the parameters; null when absent.
    pub fn arguments(&self) -> &serde_json::Value {
        self.params.get("arguments").unwrap_or(&serde_json::Value::Null)
    }
}
