//! Environments: a type of principal, an action and a type of resource, of which requests are.

use std::collections::BTreeSet;

use cedar_policy::{EntityUid as CedarUid, RequestEnv, Schema};
use cedar_policy_core::validator::ValidatorActionId;
use cedar_policy_core::validator::types::Type;
use kenward_model::ServerName;
use kenward_policy::Policies;

/// One kind of request.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    pub(crate) request: RequestEnv,
    pub(crate) asked: Asked,
    seen: bool,
}

/// Which question of the gateway it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Whether a tool may be called; `asked` is false where a mapping stands in for the question.
    Tool { server: ServerName, tool: String, asked: bool },
    /// Whether a tool that is not known yet could be called: until it is, no call is decided.
    AnyTool,
    /// Whether a prompt may be fetched.
    Prompt,
    /// Whether an MCP resource may be read.
    Read,
    /// Whether a fact may be learnt.
    Learn,
    /// Whether a method of a server may be used; `free` needs no permit.
    Server { method: String, free: bool },
    /// Whether somebody may act on an object.
    Object,
}

impl Environment {
    /// The environment; nothing when no such request is ever decided.
    pub(crate) fn of(
        request: RequestEnv,
        groups: &BTreeSet<CedarUid>,
        schema: &Schema,
        policies: &Policies,
    ) -> Option<Self> {
        let principal = request.principal().to_string();
        if principal != USER && principal != AGENT {
            return None;
        }
        let kind = request.action().type_name().to_string();
        let id = request.action().id().unescaped();
        let calls = |group: &CedarUid| group.id().unescaped() == CALL;
        let asked = match (kind.as_str(), id) {
            ("Action", _) => Asked::Object,
            (MCP_ACTION, CALL) => Asked::AnyTool,
            (MCP_ACTION, "prompts/get") => Asked::Prompt,
            (MCP_ACTION, "resources/read") => Asked::Read,
            (MCP_ACTION, "learn") => Asked::Learn,
            (MCP_ACTION, id) if groups.iter().any(calls) => {
                let (server, tool) = id.split_once('/')?;
                let server = ServerName::try_from(server.to_owned()).ok()?;
                let asked = policies.asks_for_use(&server, tool);
                Asked::Tool { server, tool: tool.to_owned(), asked }
            }
            (MCP_ACTION, method) => {
                let free = policies.needs_no_permit(method);
                Asked::Server { method: method.to_owned(), free }
            }
            // Actions in other namespaces are not asked by anything.
            (_, _) => return None,
        };
        let seen = has_arguments(schema, request.action());
        Some(Self { request, asked, seen })
    }

    /// Whether the principal is an agent.
    pub(crate) fn is_agents(&self) -> bool {
        self.request.principal().to_string() == AGENT
    }

    /// Whether whatever no policy forbids is allowed.
    pub(crate) fn needs_no_permit(&self) -> bool {
        match &self.asked {
            Asked::Tool { asked, .. } => !asked,
            Asked::Server { free, .. } => *free,
            Asked::AnyTool | Asked::Prompt | Asked::Read | Asked::Learn | Asked::Object => false,
        }
    }

    /// Whether no policy is asked at all.
    pub(crate) fn is_unasked(&self) -> bool {
        matches!(self.asked, Asked::Tool { asked: false, .. })
    }

    /// Whether it is a tool whose definition has not been seen.
    pub(crate) fn is_unseen(&self) -> bool {
        matches!(self.asked, Asked::Tool { .. } | Asked::AnyTool) && !self.seen
    }

    /// The environment's name, which no other one has; users come before agents.
    pub(crate) fn key(&self) -> String {
        let (request, by) = (&self.request, u8::from(self.is_agents()));
        format!("{} {} {by}", request.action(), request.resource())
    }

    /// The environment in words.
    pub(crate) fn words(&self) -> String {
        let by = if self.is_agents() { ", by an agent of its own rights" } else { "" };
        let resource = self.request.resource();
        let what = match &self.asked {
            Asked::Tool { server, tool, .. } => format!("call {server}/{tool}"),
            Asked::AnyTool => "call a tool that is not known yet".to_owned(),
            Asked::Prompt => "get a prompt".to_owned(),
            Asked::Read => format!("read {resource}"),
            Asked::Learn => format!("learn about {resource}"),
            Asked::Server { method, .. } => method.clone(),
            Asked::Object => format!("{} on {resource}", self.request.action().id().unescaped()),
        };
        format!("{what}{by}")
    }
}

/// Whether the action's requests have arguments, as far as the schema says.
fn has_arguments(schema: &Schema, action: &CedarUid) -> bool {
    let declared = schema.as_ref().get_action_id(action.as_ref());
    match declared.and_then(ValidatorActionId::context) {
        Some(Type::Record { attrs, .. }) => attrs.get_attr("arguments").is_some(),
        Some(_) | None => false,
    }
}

pub(crate) const USER: &str = "User";
pub(crate) const AGENT: &str = "Mcp::Agent";
const MCP_ACTION: &str = "Mcp::Action";
const CALL: &str = "tools/call";
