//! What each method does, in both eras.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::{Call, Failure, Outcome, TASKS};
use super::{Server, prompts, resources, skills, tasks, tools};
use crate::Era;

/// What the server says about itself.
pub(super) const INSTRUCTIONS: &str =
    "A server for tests: every tool does what its description says.";

/// What can be completed, in the order of relevance.
const WORDS: [&str; 5] = ["paris", "park", "party", "test", "testing"];

/// What this server can do.
pub(super) fn capabilities(era: Era) -> Value {
    let mut capabilities = json!({
        "tools": { "listChanged": true },
        "prompts": { "listChanged": true },
        "resources": { "listChanged": true, "subscribe": true },
        "completions": {}, "logging": {},
    });
    if era == Era::Modern {
        capabilities["extensions"] =
            json!({ TASKS: {}, skills::EXTENSION: { "directoryRead": true } });
    }
    capabilities
}

/// Does what a request asks for.
pub(super) async fn answer(server: &Arc<Server>, call: Call) -> Outcome {
    let done = match call.method.as_str() {
        "tools/call" => return tools::call(server, call).await,
        "prompts/get" => return prompts::get(&call),
        "tools/list" => page(&call, "tools", &tools::list(call.era)),
        "prompts/list" => page(&call, "prompts", &prompts::list()),
        "resources/list" => page(&call, "resources", &resources::list()),
        "resources/templates/list" => page(&call, "resourceTemplates", &resources::templates()),
        "resources/read" => resources::read(&call),
        "completion/complete" => Ok(complete(&call.params)),
        _ if call.era == Era::Legacy => Err(Failure::unknown_method(&call.method)),
        "server/discover" => Ok(json!({
            "supportedVersions": server.eras.versions(),
            "capabilities": capabilities(call.era),
            "instructions": INSTRUCTIONS,
        })),
        "tasks/get" | "tasks/update" | "tasks/cancel" => tasks::manage(server, &call),
        "skills/list" | "skills/get" | "resources/directory/read" => skills::answer(&call),
        _ => Err(Failure::unknown_method(&call.method)),
    };
    done.map_or_else(Outcome::Fail, Outcome::Done)
}

/// A list that is complete on its first page.
fn page(call: &Call, member: &str, items: &[Value]) -> Result<Value, Failure> {
    match call.params.get("cursor") {
        Some(_) => Err(Failure::invalid("there is no such page")),
        None => Ok(json!({ member: items })),
    }
}

fn complete(params: &Value) -> Value {
    let begun = params["argument"]["value"].as_str().unwrap_or_default();
    let values: Vec<&str> = WORDS.into_iter().filter(|word| word.starts_with(begun)).collect();
    json!({ "completion": { "values": values, "total": values.len(), "hasMore": false } })
}
