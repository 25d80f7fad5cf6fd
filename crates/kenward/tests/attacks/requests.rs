//! Steps as requests of the protocol.

use serde_json::{Value, json};

use crate::cases::Step;

/// The method and the parameters of a step.
pub(crate) fn request(step: &Step, last: &Value) -> (String, Value) {
    let arguments = Value::Object(step.arguments.clone());
    let mut params = json!({});
    let method = if let Some(target) = &step.call {
        params = json!({ "name": rest(target), "arguments": arguments });
        "tools/call".to_owned()
    } else if let Some(target) = &step.read {
        params["uri"] = json!(rest(target));
        "resources/read".to_owned()
    } else if let Some(target) = &step.prompt {
        params = json!({ "name": rest(target), "arguments": arguments });
        "prompts/get".to_owned()
    } else if let Some(target) = &step.complete {
        params = completion(rest(target), step);
        "completion/complete".to_owned()
    } else if let Some(target) = &step.list {
        match rest(target) {
            "templates" => "resources/templates/list".to_owned(),
            list => format!("{list}/list"),
        }
    } else {
        params = arguments;
        rest(step.send.as_deref().expect("a step that asks")).to_owned()
    };
    for (name, value) in &step.with {
        params[name] = value.clone();
    }
    if step.retry {
        params["requestState"] = last["result"]["requestState"].clone();
        params["inputResponses"] =
            json!({ "confirm": { "action": "accept", "content": { "ok": true } } });
    }
    (method, params)
}

fn completion(of: &str, step: &Step) -> Value {
    let of = if of.contains("://") {
        json!({ "type": "ref/resource", "uri": of })
    } else {
        json!({ "type": "ref/prompt", "name": of })
    };
    let (name, value) = step.arguments.iter().next().expect("an argument to complete");
    json!({ "ref": of, "argument": { "name": name, "value": value } })
}

fn rest(target: &str) -> &str {
    target.split_once('/').map_or(target, |(_, rest)| rest)
}
