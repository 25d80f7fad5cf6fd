//! Servers that answer truthfully from the tables of their domain.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kenward_testkit::{Answer, Received, Upstream};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::tables::{AnswerSpec, Found, Row, Tables};
use crate::template::{Scope, as_text};

/// What a server offers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Offers {
    pub(crate) tools: BTreeMap<String, ToolOffer>,
    pub(crate) prompts: BTreeMap<String, Offer>,
    /// By their URI.
    pub(crate) resources: BTreeMap<String, Offer>,
    /// By their URI template; they answer for URIs that no resource has.
    pub(crate) templates: BTreeMap<String, Offer>,
    /// Values for the completion of a prompt or a template.
    pub(crate) completions: BTreeMap<String, Completion>,
}

/// A tool.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolOffer {
    /// The description.
    pub(crate) says: String,
    /// The JSON type of each argument; with `?` when it may be left out, `strings` for a list.
    pub(crate) input: BTreeMap<String, String>,
    /// Names in the structured content, as the output schema declares them.
    #[serde(default)]
    pub(crate) output: Vec<String>,
    /// `x-authzen-mapping` of the input schema.
    pub(crate) mapping: Option<Value>,
    pub(crate) answer: AnswerSpec,
}

/// A prompt, an MCP resource or a template.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Offer {
    pub(crate) says: String,
    #[serde(default)]
    pub(crate) input: Vec<String>,
    pub(crate) answer: AnswerSpec,
}

/// Completion from a column.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Completion {
    pub(crate) from: String,
    /// What each value is made of.
    pub(crate) value: String,
    /// The column that has to begin with what was typed.
    pub(crate) begins: String,
}

/// Lets `upstream` offer and answer everything.
pub(crate) fn offer(upstream: &Upstream, offers: &Offers, tables: &Arc<Tables>) {
    upstream.set_tools(offers.tools.iter().map(|(name, tool)| tool.definition(name)).collect());
    upstream
        .set_prompts(offers.prompts.iter().map(|(name, prompt)| prompt.definition(name)).collect());
    let named = |key: &'static str| move |(uri, offer): (&String, &Offer)| json!({ key: uri, "name": uri, "description": offer.says });
    upstream.set_resources(offers.resources.iter().map(named("uri")).collect());
    upstream.set_templates(offers.templates.iter().map(named("uriTemplate")).collect());
    for (name, tool) in &offers.tools {
        let (answer, tables) = (tool.answer.clone(), Arc::clone(tables));
        upstream.on_tool(name, move |received| call(&answer, &tables, received));
    }
    for (name, prompt) in &offers.prompts {
        let (answer, tables) = (prompt.answer.clone(), Arc::clone(tables));
        upstream.on(&format!("prompts/get {name}"), move |received| {
            message(&answer, &tables, &object(&received.params()["arguments"]))
        });
    }
    let (known, tables_of) = (offers.clone(), Arc::clone(tables));
    upstream.on("resources/read", move |received| {
        read(&known, &tables_of, received.params()["uri"].as_str().unwrap_or_default())
    });
    let (completions, tables) = (offers.completions.clone(), Arc::clone(tables));
    upstream.on("completion/complete", move |received| complete(&completions, &tables, received));
}

impl ToolOffer {
    fn definition(&self, name: &str) -> Value {
        let kind = |kind: &String| match kind.trim_end_matches('?') {
            "strings" => json!({ "type": "array", "items": { "type": "string" } }),
            "any" => json!({}),
            kind => json!({ "type": kind }),
        };
        let properties: Map<String, Value> =
            self.input.iter().map(|(name, spec)| (name.clone(), kind(spec))).collect();
        let required =
            self.input.iter().filter(|(_, kind)| !kind.ends_with('?')).map(|(name, _)| name);
        let mut schema = json!({
            "type": "object", "properties": properties, "required": required.collect::<Vec<_>>(),
        });
        if let Some(mapping) = &self.mapping {
            schema["x-authzen-mapping"] = mapping.clone();
        }
        let mut tool = json!({ "name": name, "description": self.says, "inputSchema": schema });
        if !self.output.is_empty() {
            let properties: Map<String, Value> =
                self.output.iter().map(|name| (name.clone(), json!({}))).collect();
            tool["outputSchema"] = json!({ "type": "object", "properties": properties });
        }
        tool
    }
}

impl Offer {
    fn definition(&self, name: &str) -> Value {
        let arguments: Vec<Value> =
            self.input.iter().map(|name| json!({ "name": name, "required": true })).collect();
        json!({ "name": name, "description": self.says, "arguments": arguments })
    }
}

fn call(answer: &AnswerSpec, tables: &Tables, received: &Received) -> Answer {
    let params = received.params();
    if let Some(question) = &answer.ask
        && received.is_modern()
        && params.get("requestState").is_none()
    {
        return Answer::Result(json!({
            "resultType": "input_required", "requestState": params["arguments"].to_string(),
            "inputRequests": { "confirm": { "method": "elicitation/create", "params": {
                "mode": "form", "message": question,
                "requestedSchema": { "type": "object", "properties": { "ok": { "type": "boolean" } } },
            } } },
        }));
    }
    let arguments = object(&params["arguments"]);
    let said = match answer.find(tables, &arguments) {
        Found::Content(content) => Answer::structured(&content),
        Found::Text(text) => Answer::text(&text),
        Found::Failure(text) => Answer::Result(json!({
            "isError": true, "content": [{ "type": "text", "text": text }],
        })),
        Found::Denied(status) => {
            Answer::Raw(status, "text/plain", Bytes::from_static(b"forbidden"))
        }
    };
    let said = match answer.delay {
        0 => said,
        delay => said.after(Duration::from_millis(delay)),
    };
    if answer.before.is_empty() {
        return said;
    }
    let row = answer.first_row(tables, &arguments);
    let scope = Scope { row: &row, arguments: &arguments };
    Answer::Events(
        answer.before.iter().map(|message| notification(message, scope)).collect(),
        Box::new(said),
    )
}

fn notification(message: &Value, scope: Scope<'_>) -> Value {
    let mut filled = scope.fill(message);
    filled["jsonrpc"] = json!("2.0");
    filled
}

fn message(answer: &AnswerSpec, tables: &Tables, arguments: &Row) -> Answer {
    let text = match answer.find(tables, arguments) {
        Found::Content(content) => content.to_string(),
        Found::Text(text) => text,
        Found::Failure(text) => return Answer::Error(-32602, text),
        Found::Denied(status) => return Answer::Raw(status, "text/plain", Bytes::new()),
    };
    let content = json!({ "type": "text", "text": text });
    Answer::Result(json!({ "messages": [{ "role": "user", "content": content }] }))
}

fn read(offers: &Offers, tables: &Tables, uri: &str) -> Answer {
    let known = offers.resources.get(uri).map(|offer| (offer, Row::new()));
    let expanded = || {
        offers
            .templates
            .iter()
            .find_map(|(template, offer)| Some((offer, variables(template, uri)?)))
    };
    let Some((offer, arguments)) = known.or_else(expanded) else {
        return Answer::Error(-32002, "resource not found".to_owned());
    };
    let (kind, text) = match offer.answer.find(tables, &arguments) {
        Found::Content(content) => ("application/json", content.to_string()),
        Found::Text(text) => ("text/plain", text),
        Found::Failure(text) => return Answer::Error(-32002, text),
        Found::Denied(status) => return Answer::Raw(status, "text/plain", Bytes::new()),
    };
    Answer::Result(json!({ "contents": [{ "uri": uri, "mimeType": kind, "text": text }] }))
}

/// The variables of a URI, as a service routes it: escapes are undone.
fn variables(template: &str, uri: &str) -> Option<Row> {
    let mut variables = Row::new();
    let (mut template, mut uri) = (template, uri);
    while let Some((before, after)) = template.split_once('{') {
        uri = uri.strip_prefix(before)?;
        let (name, beyond) = after.split_once('}')?;
        let end = match beyond.chars().next() {
            Some(next) => uri.find(next)?,
            None => uri.len(),
        };
        let value = uri[..end].replace("%20", " ").replace('+', " ");
        variables.insert(name.to_owned(), Value::String(value));
        (template, uri) = (beyond, &uri[end..]);
    }
    (template == uri).then_some(variables)
}

fn complete(
    completions: &BTreeMap<String, Completion>,
    tables: &Tables,
    received: &Received,
) -> Answer {
    let params = received.params();
    let of = ["name", "uri"].into_iter().find_map(|key| params["ref"][key].as_str());
    let typed = params["argument"]["value"].as_str().unwrap_or_default().to_lowercase();
    let none = Map::new();
    let values: Vec<String> = of
        .and_then(|of| completions.get(of))
        .map(|completion| {
            let rows = tables[&completion.from].iter().filter(|row| {
                let held = row.get(&completion.begins).map(as_text).unwrap_or_default();
                held.to_lowercase().starts_with(&typed)
            });
            rows.map(|row| Scope { row, arguments: &none }.text(&completion.value))
                .take(20)
                .collect()
        })
        .unwrap_or_default();
    Answer::Result(
        json!({ "completion": { "values": values, "total": values.len(), "hasMore": false } }),
    )
}

fn object(value: &Value) -> Row {
    value.as_object().cloned().unwrap_or_default()
}
