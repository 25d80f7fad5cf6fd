//! Tools that can be tasks: they take their time, fail, break down, or ask while they work.

use std::time::Duration;

use serde_json::Value;

use super::ask_for;
use crate::reference::call::{Ask, Call, Failure, Outcome, Question, text, tool_error};

/// The longest that anything computes: within a task, and while a client waits.
const LONGEST: Duration = Duration::from_mins(2);
const LONGEST_AT_ONCE: Duration = Duration::from_secs(5);

pub(super) async fn answer(call: &Call) -> Outcome {
    let argument = |name| call.argument(name).as_str().unwrap_or_default();
    match call.name() {
        "greet" => text(format!("Hello, {}!", argument("name"))),
        "slow_compute" => {
            let seconds = call.argument("seconds").as_f64().unwrap_or(0.0);
            let duration = Duration::try_from_secs_f64(seconds).unwrap_or_default().min(LONGEST);
            if duration > LONGEST_AT_ONCE && !call.takes_tasks() {
                return tool_error("That takes too long without a task.");
            }
            tokio::time::sleep(duration).await;
            text(format!("Computed {}.", argument("label")))
        }
        "failing_job" => tool_error("The job failed, as it always does."),
        "protocol_error_job" => Outcome::Fail(Failure::new(-32603, "the job broke down")),
        "confirm_delete" => {
            let file = argument("filename");
            let sure = ask_for("confirm", &format!("Delete {file}?"), "confirm", "boolean");
            ask_then(call, vec![sure], |_| text(format!("Deleted {file}.")))
        }
        "multi_input" => {
            let first = ask_for("first", "The first name?", "name", "string");
            let second = ask_for("second", "The second name?", "name", "string");
            ask_then(call, vec![first, second], |_| text("Took both names."))
        }
        "test_tool_with_task" => {
            let name = ask_for("user_name", "What is your name?", "name", "string");
            ask_then(call, vec![name], |answers| {
                text(format!("Worked for {}.", answers["user_name"]["content"]["name"]))
            })
        }
        name => Outcome::Fail(Failure::invalid(format!("there is no tool `{name}`"))),
    }
}

/// Asks, and does `then` with the answers.
fn ask_then(
    call: &Call,
    questions: Vec<Question>,
    then: impl FnOnce(&serde_json::Map<String, Value>) -> Outcome,
) -> Outcome {
    let answered = |question: &Question| {
        call.answers.get(question.key).is_some_and(|answer| question.is_answered_by(answer))
    };
    if questions.iter().all(answered) {
        then(&call.answers)
    } else {
        Outcome::Ask(Ask { questions, remembers: None })
    }
}
