//! What is decided by: a hundred policies, a thousand inferences, and what the tools tell.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use kenward_disclosure::{Bindings, Inferences, ServerBindings, ToolBinding};
use kenward_model::{Place, ServerName};
use kenward_policy::{Policies, ServerSurface, SourceFile, Sources, Surface, Tool};
use serde_json::{Value, json};

use crate::random::Random;

/// Ten families of ten attributes each.
pub(crate) const FAMILIES: usize = 10;
pub(crate) const ATTRIBUTES: usize = 100;
/// How many inferences there are.
pub(crate) const INFERENCES: usize = 1_000;
/// How many Cedar policies there are.
pub(crate) const POLICIES: usize = 100;

/// The tool without a binding, with which the others are compared.
pub(crate) const PLAIN: &str = "look_up_plain";
/// A tool of which the binding does not say what its argument `note` is.
pub(crate) const UNDECLARED: &str = "look_up";
/// The same, of which the binding says that `note` names nobody.
pub(crate) const FREE: &str = "look_up_free";
/// A tool that answers with rows.
pub(crate) const ROWS: &str = "all_of_them";

pub(crate) fn attribute(number: usize) -> String {
    format!("a{number:02}")
}

pub(crate) fn family(number: usize) -> String {
    format!("f{number}")
}

pub(crate) fn server() -> ServerName {
    ServerName::try_from("bench".to_owned()).expect("a name")
}

/// Everything, compiled.
pub(crate) fn policies() -> Policies {
    let inferences = Inferences::read("inferences.yaml", &inferences());
    let inferences = inferences.unwrap_or_else(|flaws| panic!("{flaws:?}"));
    let place = |_: &ServerName, _: &str, _: &str| Place::whole("kenward.yaml");
    let bindings = Bindings::compile(&place, &bindings(), &inferences);
    let bindings = bindings.unwrap_or_else(|flaws| panic!("{flaws:?}"));
    let file = |path: &str, text: String| SourceFile { path: path.to_owned(), text };
    let sources = Sources {
        schemas: vec![file("bench.cedarschema", SCHEMA.to_owned())],
        policies: vec![file("bench.cedar", cedar())],
    };
    let compiled =
        Policies::compile(&sources, &surface(), Arc::new(bindings), Arc::new(inferences));
    compiled.unwrap_or_else(|flaws| panic!("{flaws:?}")).policies
}

const SCHEMA: &str = "entity Customer in [Group] { protected: Bool, assigned_to: User };\n";

/// Three policies that matter here, and the others of a house with many departments.
fn cedar() -> String {
    let mut text = "\
        permit (principal in Group::\"representatives\", action in Mcp::Action::\"tools/call\", resource in Mcp::Server::\"bench\");\n\
        permit (principal in Group::\"representatives\", action == Mcp::Action::\"learn\", resource is Customer)\n\
        when { !resource.protected || context.family == \"f9\" };\n\
        forbid (principal, action == Mcp::Action::\"learn\", resource is Customer)\n\
        when { resource.protected && context.family == \"f0\" } unless { principal in Group::\"desk\" };\n"
        .to_owned();
    for number in 3..POLICIES {
        let (action, resource) = match number % 4 {
            0 | 1 => ("action == Mcp::Action::\"learn\"", "resource is Customer"),
            2 => ("action in Mcp::Action::\"tools/call\"", "resource in Mcp::Server::\"bench\""),
            _ => {
                ("action == Mcp::Action::\"resources/read\"", "resource in Mcp::Server::\"bench\"")
            }
        };
        let _infallible = writeln!(
            text,
            "permit (principal in Group::\"department-{number}\", {action}, {resource})\n\
             when {{ context.groups.contains(\"shift-{number}\") }};",
        );
    }
    text
}

/// Every attribute of the upper half follows from some of two to four attributes before it.
fn inferences() -> String {
    let families: BTreeMap<String, Value> = (0..FAMILIES)
        .map(|number| {
            let theirs = (0..ATTRIBUTES).filter(|one| one % FAMILIES == number).map(attribute);
            let theirs: Vec<String> = theirs.collect();
            let scale = ["exact", "fine", "coarse"];
            let budget = json!({ "subjects": 1_000_000, "within": "1d", "then": "ask" });
            (family(number), json!({ "scale": scale, "attributes": theirs, "budget": budget }))
        })
        .collect();
    let mut random = Random::new(1);
    let inferences: Vec<Value> = (0..INFERENCES)
        .map(|_| {
            let then = ATTRIBUTES / 2 + random.below(ATTRIBUTES / 2);
            let mut premises: Vec<usize> =
                (0..2 + random.below(3)).map(|_| random.below(then)).collect();
            premises.sort_unstable();
            premises.dedup();
            let premises: Vec<String> = premises.into_iter().map(attribute).collect();
            json!({ "of": "Customer", "then": { "attribute": attribute(then) }, "if": premises })
        })
        .collect();
    json!({ "families": families, "inferences": inferences }).to_string()
}

fn bindings() -> BTreeMap<ServerName, ServerBindings> {
    let subject = "$params.arguments.who";
    let discloses = json!([
        { "of": "Customer", "subject": subject, "attribute": attribute(0) },
        { "of": "Customer", "subject": subject, "attribute": attribute(1), "precision": "fine" },
    ]);
    let who = json!({ "role": "text", "mode": "closed" });
    let tools = json!({
        UNDECLARED: { "parameters": { "who": who }, "discloses": discloses },
        FREE: {
            "parameters": { "who": who, "note": { "role": "free" } },
            "discloses": discloses,
        },
        ROWS: { "results": [{
            "each": "$.customers[*]",
            "of": "Customer",
            "id": "$.id",
            "attributes": {
                attribute(0): "$.street",
                attribute(1): "$.plan",
                attribute(2): { "path": "$.since", "precision": "fine" },
            },
        }] },
    });
    let tools: BTreeMap<String, ToolBinding> = serde_json::from_value(tools).expect("bindings");
    BTreeMap::from([(server(), ServerBindings { tools, ..ServerBindings::default() })])
}

fn surface() -> Surface {
    let text = json!({ "type": "string" });
    let schema = json!({ "type": "object", "properties": { "who": text, "note": text } });
    let schema = Arc::new(schema);
    let tool = |name: &str| Tool { name: name.into(), input_schema: Some(Arc::clone(&schema)) };
    let tools = [PLAIN, UNDECLARED, FREE, ROWS].map(tool).to_vec();
    let offered = ServerSurface { tools, ..ServerSurface::default() };
    Surface { servers: BTreeMap::from([(server(), offered)]) }
}
