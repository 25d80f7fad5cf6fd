//! The servers and tools that policies name, against those that there are.
//!
//! A tool that a policy names may be one that its server has not shown yet or no longer has. That
//! is worth a warning and not an error: no server can make a deployment's policies unusable by
//! taking a tool away.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy_core::ast::{EntityUID, ExprKind, Literal};
use kenward_model::{Finding, Place, ServerName};

use crate::compile::parse::Draft;
use crate::diagnostic::nearest;
use crate::rule::{Constraint, Rule};
use crate::schema::vocabulary::{SERVER, TOOL, ToolAction, is_reserved};
use crate::surface::Surface;

/// The type of Kenward's own actions.
const ACTION: &str = "Mcp::Action";

/// Adds to `tools` what policies name beside them, and warns of it.
pub(super) fn add(
    drafts: &[Draft],
    surface: &Surface,
    tools: &mut Vec<ToolAction>,
    findings: &mut Vec<Finding>,
) {
    let known: BTreeSet<String> = tools.iter().map(ToolAction::id).collect();
    let mut added = BTreeSet::new();
    let rules = drafts.iter().map(|draft| &draft.rule);
    for (rule, uid) in rules.flat_map(|rule| named(rule).into_iter().map(move |uid| (rule, uid))) {
        let kind = uid.entity_type().to_string();
        let id: &str = uid.eid().as_ref();
        if kind == SERVER {
            check_server(id, surface, &rule.place, findings);
        }
        if kind == TOOL && !known.contains(id) {
            findings.push(unknown_tool(id, &known, &rule.place));
        }
        let own = kind != ACTION || is_reserved(id);
        let missing = split(id, surface).filter(|_| !own && !known.contains(id));
        let Some((server, name)) = missing else { continue };
        findings.push(unknown_tool(id, &known, &rule.place));
        if added.insert(id.to_owned()) {
            let name = Arc::from(name);
            tools.push(ToolAction { server: server.clone(), name, arguments: None });
        }
    }
}

/// The server and the tool, when the server exists.
fn split<'i, 's>(id: &'i str, surface: &'s Surface) -> Option<(&'s ServerName, &'i str)> {
    let (server, tool) = id.split_once('/')?;
    let server = surface.servers.keys().find(|name| name.as_str() == server)?;
    Some((server, tool))
}

fn check_server(id: &str, surface: &Surface, place: &Place, findings: &mut Vec<Finding>) {
    let mut known = surface.servers.keys().map(ServerName::as_str);
    if known.any(|name| name == id) {
        return;
    }
    let near = nearest(id, surface.servers.keys().map(ServerName::as_str));
    findings.push(warning(place, format!("there is no server `{id}`"), near));
}

fn unknown_tool(id: &str, known: &BTreeSet<String>, place: &Place) -> Finding {
    let near = nearest(id, known.iter().map(String::as_str));
    warning(place, format!("no tool `{id}` is known"), near)
}

fn warning(place: &Place, message: String, near: Option<&str>) -> Finding {
    let finding = Finding::warning(place.clone(), message);
    match near {
        Some(near) => finding.with_help(format!("did you mean `{near}`?")),
        None => finding,
    }
}

/// Every entity that a rule names, each once.
fn named(rule: &Rule) -> BTreeSet<EntityUID> {
    let mut named: BTreeSet<EntityUID> =
        rule.actions.iter().flatten().map(|uid| uid.as_ref().clone()).collect();
    for constraint in [&rule.principal, &rule.resource] {
        if let Constraint::Equal(uid) | Constraint::In(uid) | Constraint::IsIn(_, uid) = constraint
        {
            named.insert(uid.as_ref().clone());
        }
    }
    let condition = rule.condition.iter().flat_map(|condition| condition.subexpressions());
    for node in condition {
        if let ExprKind::Lit(Literal::EntityUID(uid)) = node.expr_kind() {
            named.insert(uid.as_ref().clone());
        }
    }
    named
}
