//! What a configuration names, known even when the file breaks its own schema.

use std::collections::BTreeMap;

use serde_json::Value;

use kenward_disclosure::ToolBinding;
use kenward_model::ServerName;
use kenward_policy::{DeclaredMappings, ScopeRule};

use super::file::{ConfigFile, MappingsWord, ServerFile};

/// The names in a configuration that lead to other files, and the servers with their tools.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    /// The policy folder.
    pub(crate) policies: String,
    /// The directory files, with the JSON Pointer of each.
    pub(crate) directory: Vec<(String, String)>,
    /// The inferences.
    pub(crate) inferences: Option<String>,
    /// The servers whose names are good.
    pub(crate) servers: BTreeMap<ServerName, OutlinedServer>,
}

/// A server as the policies see it.
#[derive(Debug, Clone)]
pub(crate) struct OutlinedServer {
    /// The tools that have a binding, or would have one.
    pub(crate) tools: BTreeMap<String, ToolBinding>,
    /// What its prompts reveal.
    pub(crate) prompts: BTreeMap<String, ToolBinding>,
    /// What its MCP resources reveal, by URI or template.
    pub(crate) resources: BTreeMap<String, ToolBinding>,
    /// What its own mappings can do.
    pub(crate) declared_mappings: DeclaredMappings,
    /// Which scopes its tools need.
    pub(crate) scopes: Vec<ScopeRule>,
}

impl Outline {
    /// The outline of a file that was read.
    pub(crate) fn of(file: ConfigFile) -> Self {
        let directory = file.directory.with_pointers();
        Self {
            directory: directory.into_iter().map(|(at, path)| (at, path.to_owned())).collect(),
            policies: file.policies,
            inferences: file.inferences,
            servers: file
                .servers
                .into_iter()
                .filter_map(|(name, server)| {
                    Some((ServerName::try_from(name).ok()?, server.into()))
                })
                .collect(),
        }
    }

    /// As much as can be told of a text that breaks the schema but is still YAML. Bindings are
    /// left out: what is wrong may be in them.
    pub(crate) fn guess(source: &str, text: &str) -> Option<Self> {
        let unset = |_: &str| Some(String::new());
        let value = kenward_document::read::<Value>(source, text, Some(&unset)).ok()?.value;
        let file = value.as_object()?;
        let string = |key: &str| file.get(key).and_then(Value::as_str).map(str::to_owned);
        let directory = match file.get("directory") {
            Some(Value::String(path)) => vec![(String::new(), path.clone())],
            Some(Value::Array(paths)) => {
                paths.iter().filter_map(|p| Some((String::new(), p.as_str()?.to_owned()))).collect()
            }
            _ => Vec::new(),
        };
        let servers = file.get("servers").and_then(Value::as_object);
        Some(Self {
            policies: string("policies").unwrap_or_else(ConfigFile::default_policies),
            directory,
            inferences: string("inferences"),
            servers: servers
                .into_iter()
                .flatten()
                .filter_map(|(name, of)| {
                    Some((ServerName::try_from(name.clone()).ok()?, guess(of)))
                })
                .collect(),
        })
    }
}

impl From<ServerFile> for OutlinedServer {
    fn from(server: ServerFile) -> Self {
        let rule = |(scope, of): (String, super::file::ScopeFile)| ScopeRule {
            scope: scope.into(),
            tools: of.tools,
            says: of.says.into(),
        };
        Self {
            tools: server.tools,
            prompts: server.prompts,
            resources: server.resources,
            declared_mappings: match server.declared_mappings {
                MappingsWord::Narrow => DeclaredMappings::Narrow,
                MappingsWord::Strict => DeclaredMappings::Strict,
                MappingsWord::Ignore => DeclaredMappings::Ignore,
            },
            scopes: server.scopes.into_iter().map(rule).collect(),
        }
    }
}

fn guess(server: &Value) -> OutlinedServer {
    let tools = server.get("tools").and_then(Value::as_object);
    OutlinedServer {
        tools: tools
            .into_iter()
            .flatten()
            .map(|(t, _)| (t.clone(), ToolBinding::default()))
            .collect(),
        prompts: BTreeMap::new(),
        resources: BTreeMap::new(),
        declared_mappings: DeclaredMappings::Narrow,
        scopes: Vec::new(),
    }
}
