//! Joins each tool with its mapping, its binding and its scopes, and checks them on the schema.

use std::collections::HashMap;
use std::sync::Arc;

use kenward_disclosure::{Bindings, CompiledBinding, Vocabulary};
use kenward_model::{Finding, ServerName};

use crate::compile::tables::ToolTable;
use crate::compile::tool_place;
use crate::diagnostic::nearest;
use crate::mapping::{DECLARED, Mapping};
use crate::policies::{ObjectAction, Server, Tool, ToolMapping};
use crate::schema::kinds::Kinds;
use crate::surface::{self, DeclaredMappings, ServerSurface, Surface};

type ToolTables = HashMap<(ServerName, Arc<str>), ToolTable>;
type ObjectActions = HashMap<Arc<str>, ObjectAction>;

/// What mappings and bindings are checked on.
pub(super) struct Declared<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) actions: &'a ObjectActions,
    pub(super) kinds: &'a Kinds,
    pub(super) bindings: &'a Bindings,
}

/// The servers with their tools.
pub(super) fn servers(
    surface: &Surface,
    declared: &Declared<'_>,
    mut tables: ToolTables,
    findings: &mut Vec<Finding>,
) -> HashMap<ServerName, Server> {
    let mut servers = HashMap::new();
    for (name, offered) in &surface.servers {
        let mut tools = HashMap::new();
        for tool in &offered.tools {
            let key = (name.clone(), Arc::clone(&tool.name));
            let Some(ToolTable { uid, entity, pair }) = tables.remove(&key) else { continue };
            let binding = declared.bindings.get(name, &tool.name).cloned();
            let mapping = declared.mapping(name, offered, tool, binding.as_deref(), findings);
            declared.check_binding(name, &tool.name, binding.as_deref(), findings);
            let scopes = offered.scopes.iter().filter(|rule| rule.covers(&tool.name));
            let scopes = scopes.cloned().collect();
            let guess = declared.vocabulary.guess(words(tool));
            let made = Tool { uid, entity, pair, mapping, binding, guess, scopes };
            tools.insert(Arc::clone(&tool.name), made);
        }
        servers.insert(name.clone(), Server { tools, scopes: offered.scopes.clone() });
    }
    servers
}

/// The words by which it is guessed what a tool reveals: its name and those of its arguments.
fn words(tool: &surface::Tool) -> impl Iterator<Item = &str> {
    let properties = tool.input_schema.as_ref().and_then(|schema| schema.get("properties"));
    let properties = properties.and_then(serde_json::Value::as_object);
    let arguments = properties.into_iter().flat_map(serde_json::Map::keys).map(String::as_str);
    std::iter::once(&*tool.name).chain(arguments)
}

impl Declared<'_> {
    /// The mapping of a tool: the configuration's before the server's own.
    fn mapping(
        &self,
        server: &ServerName,
        offered: &ServerSurface,
        tool: &surface::Tool,
        binding: Option<&CompiledBinding>,
        findings: &mut Vec<Finding>,
    ) -> ToolMapping {
        let place = || tool_place(server, &tool.name);
        if let Some(configured) = binding.and_then(CompiledBinding::mapping) {
            return self.compile(configured).map_or_else(
                |problem| {
                    findings.push(Finding::error(place(), format!("the mapping: {problem}")));
                    ToolMapping::Broken(problem)
                },
                ToolMapping::Beside,
            );
        }
        let own = tool.input_schema.as_ref().and_then(|schema| schema.get(DECLARED));
        let Some(own) = own else { return ToolMapping::None };
        let made = match offered.declared_mappings {
            DeclaredMappings::Ignore => return ToolMapping::None,
            DeclaredMappings::Narrow => self.compile(own).map(ToolMapping::Beside),
            DeclaredMappings::Strict => self.compile(own).map(ToolMapping::Instead),
        };
        made.unwrap_or_else(|problem| {
            let message = format!("the mapping that the server declares: {problem}");
            findings.push(
                Finding::warning(place(), message).with_help(
                    "every call is refused; configure a mapping, or ignore declared ones",
                ),
            );
            ToolMapping::Broken(problem)
        })
    }

    fn compile(&self, mapping: &serde_json::Value) -> Result<Mapping, String> {
        let compiled = Mapping::compile(mapping).map_err(|error| error.to_string())?;
        for (action, kind) in compiled.named() {
            self.check_pair(action, kind)?;
        }
        Ok(compiled)
    }

    fn check_pair(&self, action: Option<&str>, kind: Option<&str>) -> Result<(), String> {
        if let Some(name) = action {
            let known = self.actions.keys().map(|key| &**key);
            let declared = self.actions.get(name);
            let declared = declared.ok_or_else(|| {
                format!("the schema declares no action `{name}` for users{}", hint(name, known))
            })?;
            if let Some(kind) = kind.filter(|kind| !declared.kinds.contains_key(*kind)) {
                let known = declared.kinds.keys().map(|key| &**key);
                return Err(format!("`{name}` does not apply to `{kind}`{}", hint(kind, known)));
            }
        }
        match kind {
            Some(kind) if self.kinds.get(kind).is_none() => Err(format!(
                "the schema has no entity type `{kind}`{}",
                hint(kind, self.kinds.names())
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// A disclosure about a type that the schema lacks could only ever be refused.
    fn check_binding(
        &self,
        server: &ServerName,
        tool: &str,
        binding: Option<&CompiledBinding>,
        findings: &mut Vec<Finding>,
    ) {
        for fact in binding.into_iter().flat_map(CompiledBinding::possible) {
            if self.kinds.get(&fact.of).is_none() {
                let message =
                    format!("it discloses about `{}`, a type that the schema lacks", fact.of);
                let finding = Finding::error(tool_place(server, tool), message);
                let near = nearest(&fact.of, self.kinds.names());
                findings.push(match near {
                    Some(near) => finding.with_help(format!("did you mean `{near}`?")),
                    None => finding.with_help("declare it in a *.cedarschema file"),
                });
            }
        }
    }
}

fn hint<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
