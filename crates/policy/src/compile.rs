//! Compiles policies, schema, mappings and bindings into what decisions are taken with.

mod check;
mod epoch;
mod mappings;
mod mentions;
mod parse;
mod tables;

use std::collections::HashSet;
use std::sync::Arc;

use cedar_policy_core::ast::Entity;
use kenward_disclosure::{Bindings, Inferences, Vocabulary};
use kenward_model::{Finding, Place, ServerName};

use crate::compile::check::Checker;
use crate::compile::parse::Draft;
use crate::memo::Memo;
use crate::policies::{Compiled, Policies};
use crate::rule::Rule;
use crate::schema::Schema;
use crate::schema::arguments::arguments;
use crate::schema::vocabulary::{ToolAction, is_reserved};
use crate::source::Sources;
use crate::surface::{Surface, Tool};

/// Compiles everything; see [`Policies::compile`].
pub(crate) fn compile(
    sources: &Sources,
    surface: &Surface,
    bindings: Arc<Bindings>,
    inferences: Arc<Inferences>,
) -> Result<Compiled, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut tools = tools(surface, &mut findings);
    let drafts = parse::read(&sources.policies, &mut findings);
    mentions::add(&drafts, surface, &mut tools, &mut findings);
    let offered = with_named(surface, &tools);
    let schema = match Schema::read(&sources.schemas, tools) {
        Ok(schema) => schema,
        Err(errors) => {
            findings.extend(errors);
            return Err(sorted(findings));
        }
    };
    let actions = tables::Actions::of(&schema);
    check_all(sources, &schema, &drafts, &actions, &mut findings);
    let rules: Vec<Arc<Rule>> = drafts.into_iter().map(|draft| draft.rule).collect();
    let Some(tables) = tables::build(&schema, &actions, &rules) else {
        let place = Place::whole("schema");
        findings.push(Finding::error(place, "the schema lacks its own types"));
        return Err(sorted(findings));
    };
    let vocabulary = Vocabulary::new(&inferences.families);
    let declared = mappings::Declared {
        vocabulary: &vocabulary,
        actions: &tables.object_actions,
        kinds: &tables.kinds,
        bindings: &bindings,
    };
    let servers = mappings::servers(&offered, &declared, tables.tools, &mut findings);
    if findings.iter().any(Finding::is_error) {
        return Err(sorted(findings));
    }
    let policies = Policies {
        epoch: epoch::of(sources, surface, &bindings, &inferences),
        schema_text: schema.text(),
        kinds: tables.kinds,
        servers,
        methods: tables.methods,
        unseen_tools: tables.unseen_tools,
        prompts: tables.prompts,
        resources: tables.resources,
        templates: tables.templates,
        learn: tables.learn,
        object_actions: tables.object_actions,
        bindings,
        inferences,
        vocabulary,
        memo: Memo::new(),
    };
    Ok(Compiled { policies, findings: sorted(findings) })
}

/// The surface with the tools that policies name and no server has shown yet: what is permitted by
/// name alone lets its caller in, and is refused until it is there.
fn with_named(surface: &Surface, tools: &[ToolAction]) -> Surface {
    let mut offered = surface.clone();
    for tool in tools {
        if let Some(server) = offered.servers.get_mut(&tool.server)
            && !server.tools.iter().any(|known| known.name == tool.name)
        {
            server.tools.push(Tool { name: Arc::clone(&tool.name), input_schema: None });
        }
    }
    offered
}

/// The tools that the schema declares. A server may call a tool as it likes, also so that its
/// action would be one of Kenward's own: such a tool stays unknown.
fn tools(surface: &Surface, findings: &mut Vec<Finding>) -> Vec<ToolAction> {
    let mut tools = Vec::new();
    for (server, offered) in &surface.servers {
        let mut seen = HashSet::new();
        for tool in &offered.tools {
            let typed = tool.input_schema.as_ref().map(|schema| arguments(schema));
            let action = ToolAction {
                server: server.clone(),
                name: Arc::clone(&tool.name),
                arguments: typed,
            };
            if is_reserved(&action.id()) {
                let message = "the tool cannot be used, because its action would be Kenward's own";
                findings.push(
                    Finding::warning(tool_place(server, &tool.name), message)
                        .with_help("give the server another name"),
                );
                continue;
            }
            if !seen.insert(Arc::clone(&tool.name)) {
                let message = "the tool is listed twice; the first of both counts";
                findings.push(Finding::warning(tool_place(server, &tool.name), message));
                continue;
            }
            note_opaque(&action, findings);
            tools.push(action);
        }
    }
    tools
}

fn note_opaque(tool: &ToolAction, findings: &mut Vec<Finding>) {
    let opaque = tool.arguments.as_ref().map(|arguments| arguments.opaque.as_slice());
    let Some(opaque) = opaque.filter(|paths| !paths.is_empty()) else { return };
    let names: Vec<String> = opaque.iter().take(8).map(|path| format!("`{path}`")).collect();
    let message = format!("policies see {} as the text of its JSON", names.join(", "));
    findings.push(Finding::note(tool_place(&tool.server, &tool.name), message));
}

/// How findings name a tool, which has no place in a file.
fn tool_place(server: &ServerName, tool: &str) -> Place {
    Place::whole(format!("server {server}, tool {tool}"))
}

fn check_all(
    sources: &Sources,
    schema: &Schema,
    drafts: &[Draft],
    actions: &tables::Actions,
    findings: &mut Vec<Finding>,
) {
    let unseen = schema.tools().iter().filter(|tool| tool.arguments.is_none());
    let unseen: Vec<Arc<Entity>> = unseen.filter_map(|tool| actions.mcp(&tool.id())).collect();
    let mut checker = Checker::new(schema, &sources.policies);
    for draft in drafts {
        findings.extend(checker.check(draft, &unseen));
    }
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests;
