//! A counterexample as a story that can be replayed: YAML in the form that `kenward test` plays.

use kenward_disclosure::Families;
use kenward_model::Timestamp;
use serde_json::{Map, Value, json};

use crate::environment::{Asked, Environment};
use crate::example::Example;
use crate::replay::{self, Scene};

/// The story of a scene; what a step cannot state stands in comments.
pub(crate) fn told(
    title: &str,
    example: &Example,
    environment: &Environment,
    scene: &Scene,
    families: &Families,
) -> String {
    let mut lines = vec![format!("story: {}", json!(title)), "given:".to_owned()];
    let caller = &scene.caller;
    lines.push(format!("  user: {}", json!(caller.user.id)));
    if !caller.groups.is_empty() {
        lines.push(format!("  groups: {}", json!(caller.groups)));
    }
    lines.push(format!("  agent: {}", json!(caller.agent.id)));
    if !scene.directory.is_empty() {
        lines.push("  directory:".to_owned());
        let records = scene.directory.iter().filter_map(|record| serde_json::to_value(record).ok());
        lines.extend(records.map(|record| format!("    - {record}")));
    }
    lines.push(format!("  context: {}", Value::Object(context(scene))));
    lines.extend(unsaid(example, scene).into_iter().map(|what| format!("# {what}")));
    if let Some((word, step, more)) = step(example, environment, families) {
        lines.push("steps:".to_owned());
        lines.push(format!("  - {word}: {step}"));
        lines.extend(more.map(|arguments| format!("    arguments: {arguments}")));
        lines.push("    expect: refuse".to_owned());
    } else {
        lines.push("# No step says this; the question is:".to_owned());
        lines.extend(example.lines().into_iter().map(|line| format!("#   {line}")));
        lines.push("steps: []".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

fn context(scene: &Scene) -> Map<String, Value> {
    let caller = &scene.caller;
    let mut context = Map::new();
    let mut put = |name: &str, value: Value| context.insert(name.to_owned(), value);
    put("scopes", json!(caller.scopes));
    if let Some(acr) = &caller.acr {
        put("acr", json!(acr));
    }
    if !caller.amr.is_empty() {
        put("amr", json!(caller.amr));
    }
    if let Some(time) = caller.auth_time.and_then(written) {
        put("auth_time", time);
    }
    if let Some(ip) = scene.ip {
        put("ip", json!(ip.to_string()));
    }
    if let Some(now) = written(scene.now) {
        put("now", now);
    }
    put("protocol", json!(scene.protocol));
    context
}

fn written(time: Timestamp) -> Option<Value> {
    jiff::Timestamp::from_microsecond(time.as_micros()).ok().map(|time| json!(time.to_string()))
}

/// What the request states and a story has no word for.
fn unsaid(example: &Example, scene: &Scene) -> Vec<String> {
    let mut all = Vec::new();
    if example.context.get("inferred") == Some(&Value::Bool(true)) {
        all.push(
            "The fact is not told but follows (context.inferred), which no step says.".to_owned(),
        );
    }
    if let Some(risk) = &scene.standing.risk {
        all.push(format!("The user's risk is {}, which no story says.", json!(risk)));
    }
    if let Some(compliant) = scene.standing.device_compliant {
        all.push(format!("context.device_compliant is {compliant}, which no story says."));
    }
    all
}

type Step = (&'static str, Value, Option<Value>);

fn step(example: &Example, environment: &Environment, families: &Families) -> Option<Step> {
    let resource = &example.resource;
    let arguments = || {
        let arguments = example.context.get("arguments").cloned();
        Some(arguments.unwrap_or_else(|| json!({})))
    };
    match &environment.asked {
        Asked::Learn => {
            let fact = replay::fact(example).ok()?;
            let precision = families.precision_name(&fact.family, fact.precision)?;
            let via = example.reference("via")?;
            let learn = json!({ "subject": resource, "attribute": fact.attribute,
                                "precision": precision, "via": via.id });
            Some(("learn", learn, None))
        }
        Asked::Tool { .. } => Some(("call", json!(resource.id), arguments())),
        Asked::Prompt => Some(("prompt", json!(resource.id), None)),
        Asked::Read if &*resource.kind == "Mcp::Resource" => {
            Some(("read", json!(resource.id), None))
        }
        Asked::Read | Asked::AnyTool | Asked::Server { .. } | Asked::Object => None,
    }
}
