//! Which action an operation is, by its method and its target.

use kenward_model::{Operation, Target};

use crate::index::Pair;
use crate::policies::{Policies, Tool};

/// How an operation is decided.
pub(crate) enum Route<'p> {
    /// All questions about a tool.
    Tool(&'p Tool),
    /// Question 1 about a prompt, an MCP resource, a template, or a server that needs a permit.
    Item(&'p Pair),
    /// Allowed in good standing unless forbidden; what is listed is decided item by item.
    Housekeeping(&'p Pair),
    /// Allowed by a permit, or to whoever may use anything of the server.
    Opening(&'p Pair),
    /// A notification, which good standing suffices for.
    Nothing,
    /// No such server, tool or method.
    Unknown {
        /// Whether the server exists.
        server: bool,
    },
}

impl<'p> Route<'p> {
    pub(crate) fn of(policies: &'p Policies, operation: &Operation<'_>) -> Self {
        let Some(server) = policies.servers.get(operation.server) else {
            return Self::Unknown { server: false };
        };
        let unknown = Self::Unknown { server: true };
        match (&operation.target, operation.method) {
            (Target::Server, method) => Self::of_server(policies, method),
            (Target::Tool(name), method) if on_tool(method) => {
                server.tools.get(&**name).map_or(unknown, Self::Tool)
            }
            (Target::Prompt(_), method) if on_prompt(method) => Self::Item(&policies.prompts),
            (Target::Resource(_), method) if on_resource(method) => Self::Item(&policies.resources),
            (Target::ResourceTemplate(_), method) if on_resource(method) => {
                Self::Item(&policies.templates)
            }
            (
                Target::Tool(_)
                | Target::Prompt(_)
                | Target::Resource(_)
                | Target::ResourceTemplate(_),
                _,
            ) => unknown,
        }
    }

    fn of_server(policies: &'p Policies, method: &str) -> Self {
        let pair = policies.methods.get(method);
        match (method, pair) {
            (_, None) if method.starts_with("notifications/") => Self::Nothing,
            (
                "ping"
                | "tools/list"
                | "prompts/list"
                | "resources/list"
                | "resources/templates/list",
                Some(pair),
            ) => Self::Housekeeping(pair),
            (
                "initialize" | "server/discover" | "subscriptions/listen" | "logging/setLevel",
                Some(pair),
            ) => Self::Opening(pair),
            (_, Some(pair)) => Self::Item(pair),
            (_, None) => Self::Unknown { server: true },
        }
    }
}

/// Calling a tool, whatever follows from the call, and listing it.
fn on_tool(method: &str) -> bool {
    matches!(method, "tools/call" | "tools/list")
        || method.starts_with("tasks/")
        || method.starts_with("notifications/")
}

fn on_prompt(method: &str) -> bool {
    matches!(method, "prompts/get" | "prompts/list" | "completion/complete")
        || method.starts_with("notifications/")
}

fn on_resource(method: &str) -> bool {
    matches!(
        method,
        "resources/read"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "resources/list"
            | "resources/templates/list"
            | "subscriptions/listen"
            | "completion/complete"
    ) || method.starts_with("notifications/")
}
