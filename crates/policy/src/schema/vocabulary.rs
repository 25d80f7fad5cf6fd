//! The words that Kenward supplies: the namespace `Mcp` and what every request's context holds.

use std::sync::Arc;

use kenward_model::ServerName;
use serde_json::{Map, Value, json};

use crate::schema::arguments::Arguments;
use crate::shape::{RecordShape, Shape};

/// The entity type of users.
pub(crate) const USER: &str = "User";
/// The entity type of agents.
pub(crate) const AGENT: &str = "Mcp::Agent";
/// The entity type of groups.
pub(crate) const GROUP: &str = "Group";
/// The entity type of servers.
pub(crate) const SERVER: &str = "Mcp::Server";
/// The entity type of tools.
pub(crate) const TOOL: &str = "Mcp::Tool";
/// The entity type of prompts.
pub(crate) const PROMPT: &str = "Mcp::Prompt";
/// The entity type of MCP resources.
pub(crate) const RESOURCE: &str = "Mcp::Resource";
/// The entity type of templates of MCP resources.
pub(crate) const TEMPLATE: &str = "Mcp::ResourceTemplate";
/// The action whose members are the tools.
pub(crate) const CALL: &str = "tools/call";
/// The action of getting a prompt.
pub(crate) const GET_PROMPT: &str = "prompts/get";
/// The action of reading an MCP resource.
pub(crate) const READ: &str = "resources/read";
/// The action of learning a fact.
pub(crate) const LEARN: &str = "learn";

/// The actions on a server as a whole.
pub(crate) const SERVER_METHODS: [&str; 14] = [
    "initialize",
    "server/discover",
    "ping",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "completion/complete",
    "logging/setLevel",
    "subscriptions/listen",
    "tasks/list",
    "elicitation/create",
    "sampling/createMessage",
    "roots/list",
];

/// Whether an action of this id is Kenward's own, so that no tool can have it.
pub(crate) fn is_reserved(id: &str) -> bool {
    SERVER_METHODS.contains(&id) || [CALL, GET_PROMPT, READ, LEARN].contains(&id)
}

/// A tool as the schema declares it.
#[derive(Debug, Clone)]
pub(crate) struct ToolAction {
    pub(crate) server: ServerName,
    pub(crate) name: Arc<str>,
    /// Nothing while the tool's definition has not been seen.
    pub(crate) arguments: Option<Arguments>,
}

impl ToolAction {
    /// The id of the tool's action and of the tool itself.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }
}

/// Which requests a schema admits, for validation from different sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Whether agents are principals.
    pub(crate) agents: bool,
    /// Whether tools can be called whose definition has not been seen.
    pub(crate) unseen: bool,
}

impl Scope {
    /// Every request that can happen.
    pub(crate) const ALL: Self = Self { agents: true, unseen: true };

    pub(crate) fn principals(self) -> Value {
        if self.agents { json!([USER, AGENT]) } else { json!([USER]) }
    }
}

/// The members that the context of every request has.
pub(crate) fn common_context() -> Map<String, Value> {
    let texts = json!({ "type": "Set", "element": { "type": "String" } });
    let text = json!({ "type": "String" });
    let time = json!({ "type": "Extension", "name": "datetime" });
    let address = json!({ "type": "Extension", "name": "ipaddr" });
    let truth = json!({ "type": "Boolean" });
    [
        ("agent", json!({ "type": "Entity", "name": AGENT })),
        ("scopes", texts.clone()),
        ("groups", texts.clone()),
        ("acr", optional(text.clone())),
        ("amr", texts),
        ("auth_time", optional(time.clone())),
        ("ip", optional(address)),
        ("now", time),
        ("protocol", text.clone()),
        ("risk", optional(text)),
        ("device_compliant", optional(truth.clone())),
        ("session_revoked", truth),
    ]
    .into_iter()
    .map(|(name, kind)| (name.to_owned(), kind))
    .collect()
}

/// The namespace `Mcp`, in the JSON form of a schema. `kinds` are the types whose facts can be
/// learnt.
pub(crate) fn namespace(tools: &[ToolAction], kinds: &[String], scope: Scope) -> Value {
    let in_server = json!({ "memberOfTypes": [SERVER] });
    json!({
        "entityTypes": {
            "Server": {},
            "Tool": in_server,
            "Prompt": in_server,
            "Resource": in_server,
            "ResourceTemplate": in_server,
            "Agent": { "memberOfTypes": [GROUP] },
        },
        "actions": actions(tools, kinds, scope),
    })
}

fn actions(tools: &[ToolAction], kinds: &[String], scope: Scope) -> Map<String, Value> {
    let mut actions = Map::new();
    for method in SERVER_METHODS {
        actions.insert(method.to_owned(), action(scope, &json!([SERVER]), &common_context()));
    }
    actions.insert(GET_PROMPT.to_owned(), action(scope, &json!([PROMPT]), &common_context()));
    actions.insert(READ.to_owned(), action(scope, &json!([RESOURCE, TEMPLATE]), &common_context()));
    actions.insert(LEARN.to_owned(), action(scope, &json!(kinds), &learn_context()));
    actions.insert(CALL.to_owned(), action(scope, &json!([TOOL]), &common_context()));
    for tool in tools {
        actions.insert(tool.id(), tool_action(tool, scope));
    }
    actions
}

fn action(scope: Scope, resources: &Value, context: &Map<String, Value>) -> Value {
    json!({ "appliesTo": {
        "principalTypes": scope.principals(),
        "resourceTypes": resources,
        "context": { "type": "Record", "attributes": context },
    } })
}

fn tool_action(tool: &ToolAction, scope: Scope) -> Value {
    let mut context = common_context();
    let mut declared = match &tool.arguments {
        None if !scope.unseen => json!({}),
        None => action(scope, &json!([TOOL]), &context),
        Some(arguments) => {
            context.insert("arguments".to_owned(), record_type(&arguments.shape));
            action(scope, &json!([TOOL]), &context)
        }
    };
    if let Some(members) = declared.as_object_mut() {
        members.insert("memberOf".to_owned(), json!([{ "id": CALL }]));
    }
    declared
}

fn learn_context() -> Map<String, Value> {
    let mut context = common_context();
    for (name, kind) in [
        ("attribute", json!({ "type": "String" })),
        ("family", json!({ "type": "String" })),
        ("precision", json!({ "type": "Long" })),
        ("exact", json!({ "type": "Boolean" })),
        ("via", json!({ "type": "Entity", "name": TOOL })),
        ("inferred", json!({ "type": "Boolean" })),
    ] {
        context.insert(name.to_owned(), kind);
    }
    context
}

fn record_type(record: &RecordShape) -> Value {
    let attributes: Map<String, Value> = record
        .members
        .iter()
        .map(|(name, member)| {
            let kind = shape_type(&member.shape);
            (name.as_ref().to_owned(), if member.required { kind } else { optional(kind) })
        })
        .collect();
    json!({ "type": "Record", "attributes": attributes })
}

fn shape_type(shape: &Shape) -> Value {
    match shape {
        Shape::Bool => json!({ "type": "Boolean" }),
        Shape::Long => json!({ "type": "Long" }),
        Shape::Text | Shape::Opaque | Shape::Entity(_) | Shape::Extension(_) => {
            json!({ "type": "String" })
        }
        Shape::Set(element) => json!({ "type": "Set", "element": shape_type(element) }),
        Shape::Record(record) => record_type(record),
    }
}

fn optional(mut kind: Value) -> Value {
    if let Some(members) = kind.as_object_mut() {
        members.insert("required".to_owned(), Value::Bool(false));
    }
    kind
}
