//! Tools that need answers of the client. Each is a function of the answers so far.

use serde_json::{Value, json};

use crate::reference::call::{Ask, Call, Outcome, Question, text};

pub(super) fn answer(call: &Call) -> Option<Outcome> {
    let name = call.name();
    let asked = match name {
        "test_sampling" => {
            let prompt = call.argument("prompt").as_str().unwrap_or_default();
            vec![sample("sampled", prompt, 100)]
        }
        "test_elicitation" => vec![who_are_you(call)],
        "test_elicitation_sep1034_defaults" => vec![defaults()],
        "test_elicitation_sep1330_enums" => vec![choices()],
        "test_streaming_elicitation" => {
            call.progress(0, 1);
            vec![ask_for("confirmed", "Go on?", "ok", "boolean")]
        }
        "test_missing_capability" => vec![sample("sampled", "Say anything.", 10)],
        "test_input_required_result_elicitation" => vec![your_name()],
        "test_input_required_result_sampling" => {
            vec![sample("capital_question", "What is the capital of France?", 100)]
        }
        "test_input_required_result_list_roots" => vec![roots()],
        "test_input_required_result_multiple_inputs" => {
            vec![your_name(), sample("greeting", "Generate a greeting", 50), roots()]
        }
        "test_input_required_result_request_state"
        | "test_input_required_result_tampered_state" => {
            vec![ask_for("confirm", "Please confirm", "ok", "boolean")]
        }
        "test_input_required_result_multi_round" => return Some(two_rounds(call)),
        "test_input_required_result_capabilities" => return Some(what_it_can(call)),
        _ => return None,
    };
    let reminds = matches!(
        name,
        "test_input_required_result_request_state"
            | "test_input_required_result_tampered_state"
            | "test_input_required_result_multiple_inputs"
    );
    if reminds && call.remembered.is_none() || !all_answered(call, &asked) {
        let remembers = reminds.then(|| json!({ "asked": true }));
        return Some(Outcome::Ask(Ask { questions: asked, remembers }));
    }
    Some(text(told(call, name)))
}

fn all_answered(call: &Call, asked: &[Question]) -> bool {
    let answered = |question: &Question| {
        call.answers.get(question.key).is_some_and(|answer| question.is_answered_by(answer))
    };
    asked.iter().all(answered)
}

/// What the tool says once it knows everything.
fn told(call: &Call, name: &str) -> String {
    let answer = |key: &str| call.answers.get(key).cloned().unwrap_or_default();
    match name {
        "test_sampling" | "test_missing_capability" => {
            format!("LLM response: {}", answer("sampled")["content"]["text"])
        }
        "test_elicitation" => format!("User response: {}", outcome(&answer("who"))),
        "test_elicitation_sep1034_defaults" | "test_elicitation_sep1330_enums" => {
            format!("Elicitation completed: {}", outcome(&answer("form")))
        }
        "test_input_required_result_elicitation" => {
            let name = answer("user_name")["content"]["name"].clone();
            format!("Hello, {}!", name.as_str().unwrap_or("stranger"))
        }
        "test_input_required_result_sampling" => {
            format!("The model says: {}", answer("capital_question")["content"]["text"])
        }
        "test_input_required_result_list_roots" => {
            format!("The roots are {}", answer("client_roots")["roots"])
        }
        "test_input_required_result_request_state" => "state-ok".to_owned(),
        _ => "Everything was answered.".to_owned(),
    }
}

fn outcome(answer: &Value) -> String {
    format!(
        "action={}, content={}",
        answer["action"].as_str().unwrap_or_default(),
        answer["content"]
    )
}

fn two_rounds(call: &Call) -> Outcome {
    let round = call.remembered.as_ref().and_then(|state| state["round"].as_u64()).unwrap_or(0);
    let name = ask_for("step1", "Step 1: What is your name?", "name", "string");
    let color = ask_for("step2", "Step 2: What is your favorite color?", "color", "string");
    let ask = |question: Question, state: Value| {
        Outcome::Ask(Ask { questions: vec![question], remembers: Some(state) })
    };
    match round {
        1 if all_answered(call, std::slice::from_ref(&name)) => {
            let name = &call.answers["step1"]["content"]["name"];
            ask(color, json!({ "round": 2, "name": name }))
        }
        2 if all_answered(call, std::slice::from_ref(&color)) => {
            let name = call.remembered.as_ref().map(|state| state["name"].clone());
            let name = name.unwrap_or_default();
            let color = &call.answers["step2"]["content"]["color"];
            text(format!("{name} likes {color}"))
        }
        2 => ask(color, call.remembered.clone().unwrap_or_default()),
        _ => ask(name, json!({ "round": 1 })),
    }
}

/// Asks for what the client can answer, and for nothing else.
fn what_it_can(call: &Call) -> Outcome {
    let all = [your_name(), sample("greeting", "Generate a greeting", 50), roots()];
    let possible: Vec<Question> =
        all.into_iter().filter(|question| call.can(question.capability())).collect();
    if all_answered(call, &possible) {
        return text(format!("Asked {} questions.", possible.len()));
    }
    Outcome::Ask(Ask { questions: possible, remembers: None })
}

/// A form with one required field.
pub(in crate::reference) fn ask_for(
    key: &'static str,
    message: &str,
    field: &str,
    kind: &str,
) -> Question {
    elicit(key, message, &json!({ field: { "type": kind } }), &[field])
}

fn elicit(key: &'static str, message: &str, properties: &Value, required: &[&str]) -> Question {
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    let params = json!({ "message": message, "requestedSchema": schema });
    Question { key, method: "elicitation/create", params }
}

fn sample(key: &'static str, prompt: &str, tokens: u32) -> Question {
    let message = json!({ "role": "user", "content": { "type": "text", "text": prompt } });
    let params = json!({ "messages": [message], "maxTokens": tokens });
    Question { key, method: "sampling/createMessage", params }
}

fn roots() -> Question {
    Question { key: "client_roots", method: "roots/list", params: json!({}) }
}

fn your_name() -> Question {
    ask_for("user_name", "What is your name?", "name", "string")
}

fn who_are_you(call: &Call) -> Question {
    let message = call.argument("message").as_str().unwrap_or("Who are you?");
    let properties = json!({
        "username": { "type": "string", "description": "The user's name" },
        "email": { "type": "string", "description": "The user's address" },
    });
    elicit("who", message, &properties, &["username", "email"])
}

fn defaults() -> Question {
    let properties = json!({
        "name": { "type": "string", "default": "John Doe" },
        "age": { "type": "integer", "default": 30 },
        "score": { "type": "number", "default": 95.5 },
        "status": {
            "type": "string", "enum": ["active", "inactive", "pending"], "default": "active",
        },
        "verified": { "type": "boolean", "default": true },
    });
    elicit("form", "Is this right?", &properties, &[])
}

fn choices() -> Question {
    let options = ["option1", "option2", "option3"];
    let titled = json!([
        { "const": "value1", "title": "First" },
        { "const": "value2", "title": "Second" },
        { "const": "value3", "title": "Third" },
    ]);
    let properties = json!({
        "untitledSingle": { "type": "string", "enum": options },
        "titledSingle": { "type": "string", "oneOf": titled },
        "legacyEnum": {
            "type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"],
        },
        "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
        "titledMulti": { "type": "array", "items": { "anyOf": titled } },
    });
    elicit("form", "Which of these?", &properties, &[])
}
