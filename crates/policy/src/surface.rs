//! What the servers behind offer, as far as the decision has to know it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kenward_model::ServerName;
use serde_json::Value;

/// A tool of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// The name that the server gave it.
    pub name: Arc<str>,
    /// Its `inputSchema`; nothing while its definition has not been seen.
    pub input_schema: Option<Arc<Value>>,
}

/// What becomes of a mapping that a server declares in `inputSchema["x-authzen-mapping"]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeclaredMappings {
    /// It is asked in addition to everything else, so that it can only narrow.
    #[default]
    Narrow,
    /// It replaces the default mapping of the call, as COAZ-MCP section 2.4 has it: for such a
    /// tool it stands in for question 1.
    Strict,
    /// It is not looked at.
    Ignore,
}

/// Which tools need a scope, and what the scope means to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeRule {
    /// The scope.
    pub scope: Arc<str>,
    /// The tools that need it: names in which `*` stands for any run of characters.
    pub tools: Vec<String>,
    /// What it allows, in words for a consent page.
    pub says: Arc<str>,
}

/// What one server offers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerSurface {
    /// Its tools, seen or only configured.
    pub tools: Vec<Tool>,
    /// What becomes of the mappings that it declares.
    pub declared_mappings: DeclaredMappings,
    /// The scopes of its tools. A tool that several rules name needs all of their scopes.
    pub scopes: Vec<ScopeRule>,
}

/// What all servers offer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surface {
    /// By the server's name in the configuration.
    pub servers: BTreeMap<ServerName, ServerSurface>,
}

impl ScopeRule {
    /// Whether the rule names `tool`.
    pub fn covers(&self, tool: &str) -> bool {
        self.tools.iter().any(|glob| glob_matches(glob, tool))
    }
}

/// Whether `text` matches `glob`, in which `*` stands for any run of characters. Linear in the
/// product of both lengths at worst, without recursion.
fn glob_matches(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests;
