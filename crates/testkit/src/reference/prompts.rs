//! The prompts that the suite asks for.

use serde_json::{Value, json};

use super::call::{Ask, Call, Failure, Outcome};
use super::tools::{ask_for, content};

/// The names of all prompts.
pub(super) const NAMES: [&str; 5] = [
    "test_simple_prompt",
    "test_prompt_with_arguments",
    "test_prompt_with_embedded_resource",
    "test_prompt_with_image",
    "test_input_required_result_prompt",
];

/// The prompts as `prompts/list` gives them.
pub(super) fn list() -> Vec<Value> {
    NAMES.iter().map(|name| definition(name)).collect()
}

fn definition(name: &str) -> Value {
    let argument =
        |name: &str, says: &str| json!({ "name": name, "description": says, "required": true });
    match name {
        "test_prompt_with_arguments" => json!({
            "name": name, "description": "Repeats its two arguments.",
            "arguments": [argument("arg1", "The first word."), argument("arg2", "The second word.")],
        }),
        "test_prompt_with_embedded_resource" => json!({
            "name": name, "description": "Embeds the resource that it is given.",
            "arguments": [argument("resourceUri", "The resource to embed.")],
        }),
        "test_prompt_with_image" => json!({ "name": name, "description": "Shows an image." }),
        "test_input_required_result_prompt" => {
            json!({ "name": name, "description": "Asks for its context first." })
        }
        _ => json!({ "name": name, "description": "Says one sentence." }),
    }
}

/// `prompts/get`.
pub(super) fn get(call: &Call) -> Outcome {
    let argument = |name| call.argument(name).as_str().unwrap_or_default();
    match call.name() {
        "test_simple_prompt" => messages(&[said("This is a simple prompt for testing.")]),
        "test_prompt_with_arguments" => {
            let (first, second) = (argument("arg1"), argument("arg2"));
            messages(&[said(&format!("Prompt with arguments: arg1='{first}', arg2='{second}'"))])
        }
        "test_prompt_with_embedded_resource" => {
            let resource = json!({
                "uri": argument("resourceUri"), "mimeType": "text/plain",
                "text": "Embedded resource content for testing.",
            });
            let embedded = json!({ "type": "resource", "resource": resource });
            messages(&[embedded, said("Please process the embedded resource above.")])
        }
        "test_prompt_with_image" => {
            messages(&[content::image(), said("Please analyze the image above.")])
        }
        "test_input_required_result_prompt" => {
            let question =
                ask_for("user_context", "What context should the prompt use?", "context", "string");
            match call.answers.get("user_context").filter(|answer| question.is_answered_by(answer))
            {
                None => Outcome::Ask(Ask { questions: vec![question], remembers: None }),
                Some(answer) => {
                    let context = answer["content"]["context"].as_str().unwrap_or("none");
                    messages(&[said(&format!("Use this context: {context}"))])
                }
            }
        }
        name => Outcome::Fail(Failure::invalid(format!("there is no prompt `{name}`"))),
    }
}

fn said(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn messages(contents: &[Value]) -> Outcome {
    let messages: Vec<Value> =
        contents.iter().map(|content| json!({ "role": "user", "content": content })).collect();
    Outcome::Done(json!({ "messages": messages }))
}
