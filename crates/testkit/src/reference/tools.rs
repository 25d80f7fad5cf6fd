//! The tools that the suite asks for: which there are, and what is done with a call of one.

mod asking;
pub(super) mod content;
mod schema;
mod talking;
mod working;

use std::sync::Arc;

use serde_json::{Value, json};

pub(super) use asking::ask_for;

use super::call::{Call, Failure, Outcome, TASKS};
use super::{Server, tasks};
use crate::Era;

/// A tool.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    says: &'static str,
    work: Work,
}

/// Whether a call becomes a task where the client takes tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    AtOnce,
    /// A task, or at once for a client that takes none.
    Offered,
    /// A task or nothing.
    Required,
    /// A task or nothing, but the questions come before it.
    RequiredAfterInput,
}

const fn tool(name: &'static str, says: &'static str) -> Tool {
    Tool { name, says, work: Work::AtOnce }
}

const fn task(name: &'static str, says: &'static str, work: Work) -> Tool {
    Tool { name, says, work }
}

/// All tools, in the order in which they are listed.
#[rustfmt::skip] // one tool a line, whatever its length
pub(super) static ALL: [Tool; 37] = [
    tool("test_simple_text", "Says one sentence."),
    tool("test_image_content", "Gives an image."),
    tool("test_audio_content", "Gives a sound."),
    tool("test_embedded_resource", "Gives a resource."),
    tool("test_multiple_content_types", "Gives a text, an image and a resource."),
    tool("test_error_handling", "Always fails."),
    tool("json_schema_2020_12_tool", "Has a schema with much of the vocabulary of 2020-12."),
    tool("test_x_mcp_header", "Has arguments that headers repeat."),
    tool("test_tool_with_logging", "Logs three times."),
    tool("test_logging_tool", "Logs three times, if the request wants logs."),
    tool("test_tool_with_progress", "Reports its progress."),
    tool("test_reconnection", "Closes its stream before it is done."),
    tool("test_trigger_tool_change", "Announces that the tools have changed."),
    tool("test_trigger_prompt_change", "Announces that the prompts have changed."),
    tool("test_trigger_resource_update", "Announces that a resource has changed."),
    tool("test_sampling", "Asks the client's model."),
    tool("test_elicitation", "Asks the user for a name and an address."),
    tool("test_elicitation_sep1034_defaults", "Asks the user with defaults of every type."),
    tool("test_elicitation_sep1330_enums", "Asks the user to choose in every way."),
    tool("test_streaming_elicitation", "Asks the user while it streams."),
    tool("test_missing_capability", "Needs a client that offers sampling."),
    tool("test_input_required_result_elicitation", "Asks the user for a name."),
    tool("test_input_required_result_sampling", "Asks the client's model for a capital."),
    tool("test_input_required_result_list_roots", "Asks the client for its roots."),
    tool("test_input_required_result_request_state", "Asks, and remembers that it did."),
    tool("test_input_required_result_multiple_inputs", "Asks three things at once."),
    tool("test_input_required_result_multi_round", "Asks twice, one after the other."),
    tool("test_input_required_result_tampered_state", "Asks, and trusts no state but its own."),
    tool("test_input_required_result_capabilities", "Asks only what the client can answer."),
    tool("greet", "Greets somebody."),
    task("slow_compute", "Computes for some seconds.", Work::Offered),
    task("failing_job", "Runs, and reports a failure.", Work::Required),
    task("protocol_error_job", "Breaks down.", Work::Required),
    task("confirm_delete", "Asks the user before it goes on.", Work::Offered),
    task("multi_input", "Asks the user two things at once.", Work::Offered),
    task("test_tool_with_task", "Asks first and works then.", Work::RequiredAfterInput),
    tool("test_headers_and_numbers", "Has a number that a header repeats."),
];

/// The tools as `tools/list` gives them.
///
/// Those that are nothing but tasks are not there for clients that know no tasks.
pub(super) fn list(era: Era) -> Vec<Value> {
    let shown =
        |tool: &&Tool| era == Era::Modern || matches!(tool.work, Work::AtOnce | Work::Offered);
    let definition = |tool: &Tool| {
        json!({
            "name": tool.name, "description": tool.says, "inputSchema": schema::of(tool.name),
        })
    };
    ALL.iter().filter(shown).map(definition).collect()
}

/// The arguments of a tool that headers repeat, with the last part of the header's name.
pub(super) fn mirrored(name: &str) -> Vec<(String, String)> {
    let schema = schema::of(name);
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let mirrored = properties.into_iter().filter_map(|(property, schema)| {
        Some((property, schema.get("x-mcp-header")?.as_str()?.to_owned()))
    });
    mirrored.collect()
}

/// `tools/call`: the result, or a task that will have it.
pub(super) async fn call(server: &Arc<Server>, call: Call) -> Outcome {
    let name = call.name();
    let Some(tool) = ALL.iter().find(|tool| tool.name == name) else {
        return Outcome::Fail(Failure::invalid(format!("there is no tool `{name}`")));
    };
    match tool.work {
        Work::Offered if call.takes_tasks() => tasks::begin(server, call),
        Work::AtOnce | Work::Offered => run(server, &call).await,
        Work::Required | Work::RequiredAfterInput if call.era == Era::Legacy => {
            Outcome::Fail(Failure::invalid(format!("there is no tool `{name}`")))
        }
        Work::Required | Work::RequiredAfterInput if !call.takes_tasks() => {
            Outcome::Fail(Failure::lacking(&json!({ "extensions": { TASKS: {} } })))
        }
        Work::Required => tasks::begin(server, call),
        Work::RequiredAfterInput => match run(server, &call).await {
            Outcome::Ask(ask) => Outcome::Ask(ask),
            Outcome::Done(_) | Outcome::Fail(_) => tasks::begin(server, call),
        },
    }
}

/// Does what the tool does.
pub(super) async fn run(server: &Arc<Server>, call: &Call) -> Outcome {
    let name = call.name();
    if let Some(outcome) = content::answer(name).or_else(|| asking::answer(call)) {
        return outcome;
    }
    if let Some(outcome) = talking::answer(server, call).await {
        return outcome;
    }
    working::answer(call).await
}
