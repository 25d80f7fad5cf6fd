//! What a binding may not say, and what a compiled one tells of itself.

use std::collections::BTreeMap;

use kenward_model::{Finding, Place};
use serde_json::{Value, json};

use crate::fixtures::{binding, compile, inferences, server};
use crate::{Bindings, ServerBindings, ToolBinding};

/// The findings as `pointer: message`.
fn written(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}: {}", finding.place, finding.message)).collect()
}

fn check(spec: &Value, expected: &[&str]) {
    let found = written(&compile(spec).unwrap_err());
    assert_eq!(found, expected, "{spec}");
}

fn compile_all(specs: &Value) -> Result<Bindings, Vec<Finding>> {
    let of = |key: &str| -> BTreeMap<String, ToolBinding> {
        specs.get(key).map(|all| serde_json::from_value(all.clone()).unwrap()).unwrap_or_default()
    };
    let bindings =
        ServerBindings { tools: of("tools"), prompts: of("prompts"), resources: of("resources") };
    let specs = BTreeMap::from([(server(), bindings)]);
    Bindings::compile(&|_, item, at| Place::whole(format!("/{item}{at}")), &specs, &inferences())
}

#[test]
fn everything_that_can_be_written_has_an_effect() {
    let all = json!({
        "parameters": {
            "a": { "role": "place" }, "b": { "role": "filter" }, "c": { "role": "value" },
            "d": { "role": "text", "mode": "ignore" }, "e": { "role": "id", "type": "Order" },
        },
        "discloses": [
            { "of": "Customer", "in_result": "$.customer", "attribute": "address" },
            { "of": "Customer", "subject": ["$params.arguments.first", "$params.arguments.last"], "attribute": "zip" },
            { "of": "Customer", "subject": "$params.arguments.a", "attribute": "nearby_places", "precision": "area" },
            { "of": "Customer", "subject": "$params.arguments.d", "attribute": "route" },
            { "of": "Customer", "subject": "$params.arguments.e", "attribute": "eta" },
        ],
        "results": [
            { "each": "$.rows[*]", "of": "Customer", "id": "$.id",
              "attributes": { "zip": { "path": "$.zip", "precision": "city" }, "name": "$.name" } },
        ],
        "strip": ["$.rows[*].km", "$.structuredContent.debug"],
        "links": [{ "handle": "$.orders[*].id", "owner": "$.customer" }],
        "oracle": { "key": ["name"], "attribute": "zip", "precision": "street", "hit": "$.ok" },
        "aggregate": { "attribute": "salary", "filter": "$params.arguments.b", "count": "$.n" },
        "writes": true,
    });
    let binding = binding(&all);
    let possible: Vec<String> = binding
        .possible()
        .iter()
        .map(|fact| format!("{} {} {}", fact.of, fact.attribute, fact.precision.0))
        .collect();
    assert_eq!(
        possible,
        [
            "Customer address 0",
            "Customer eta 0",
            "Customer name 0",
            "Customer nearby_places 2",
            "Customer route 0",
            "Customer salary 0",
            "Customer zip 0",
            "Customer zip 1",
            "Customer zip 3",
        ]
    );
    assert_eq!(&*binding.results.links[0].of, "Customer", "the only type");
    assert_eq!(binding.results.rows[0].attributes[1].precision.0, 3);
    assert!(binding.filters_results() && binding.writes && binding.enforced && binding.unread_rest);
    assert_eq!((binding.misses, binding.results.aggregate.as_ref().unwrap().k), (3, 5));
    assert_eq!(binding.filters.len(), 1);
}

#[test]
fn every_problem_is_found_at_its_place() {
    check(
        &json!({
            "parameters": {
                "": { "role": "id" },
                "a/b": { "role": "handle", "type": "No Type" },
                "f": { "role": "free" },
                "g": { "role": "filter", "mode": "ignore" },
                "i": { "role": "id", "mode": "open" },
                "t": { "role": "text", "type": "Order" },
            },
            "discloses": [
                { "of": "1x", "subject": "$params.arguments.i", "attribute": "address" },
                { "of": "C", "subject": "$params.arguments.i", "attribute": "address", "precision": "aera" },
                { "of": "C", "subject": "$params.name", "attribute": "address" },
                { "of": "C", "subject": "$params.arguments.a[0]", "attribute": "address" },
                { "of": "C", "subject": "$params.arguments.", "attribute": "address" },
                { "of": "C", "subject": "$params.arguments.f", "attribute": "address" },
                { "of": "C", "attribute": "address" },
                { "of": "C", "subject": "$params.arguments.t", "in_result": "$.x", "attribute": "address" },
                { "of": "C", "subject": [], "attribute": "address" },
                { "of": "C", "subject": ["$params.arguments.t", "$params.arguments.i"], "attribute": "address" },
                { "of": "C", "in_result": "customer", "attribute": "address", "precision": "aera" },
            ],
            "strip": ["no path", "$.structuredContent["],
            "results": [
                { "each": "customers", "of": "C", "id": "id", "attributes": { "x": "@.x" } },
                { "each": "$.c[*]", "of": "C", "id": "$.id",
                  "attributes": { "zip": { "path": "zip", "precision": "nowhere" } } },
            ],
        }),
        &[
            "/parameters/: `` names no argument",
            "/parameters/a~1b/type: `No Type` is not the name of an entity type",
            "/parameters/g/mode: only a text or a place can be ignored",
            "/parameters/i/mode: only a text or a place can be open",
            "/parameters/t/type: only an id or a handle has a type of its own",
            "/discloses/0/of: `1x` is not the name of an entity type",
            "/discloses/1/precision: `location` has no precision `aera`",
            "/discloses/2/subject: `$params.name` names no argument",
            "/discloses/3/subject: `$params.arguments.a[0]` names no argument",
            "/discloses/4/subject: `$params.arguments.` names no argument",
            "/discloses/5/subject: `f` is declared as something that names nobody",
            "/discloses/6: it does not say whom it is about",
            "/discloses/7: it has both a subject and a path in the result",
            "/discloses/8/subject: it names no argument",
            "/discloses/9/subject: only texts can name a subject together",
            "/discloses/10/in_result: `customer` is not a JSONPath: parser error",
            "/discloses/10/precision: `location` has no precision `aera`",
            "/results/0/each: `customers` is not a JSONPath: parser error",
            "/results/0/id: `id` is not a JSONPath: parser error",
            "/results/0/attributes/x: `@.x` is not a JSONPath: parser error",
            "/results/1/attributes/zip/path: `zip` is not a JSONPath: parser error",
            "/results/1/attributes/zip/precision: `location` has no precision `nowhere`",
            "/strip/0: `no path` is not a JSONPath: parser error",
            "/strip/1: `$.structuredContent[` is not a JSONPath: parser error",
        ],
    );
}

#[test]
fn guesses_figures_and_links_are_checked_as_well() {
    check(
        &json!({
            "parameters": { "v": { "role": "value" } },
            "links": [{ "handle": "x", "owner": "$.y", "of": "C D", "type": "1" }],
            "oracle": { "key": [], "attribute": "zip", "of": "C", "misses": 0, "hit": "x" },
            "aggregate": { "attribute": "pay", "of": "C", "filter": "dept", "count": "n", "k": 1 },
        }),
        &[
            "/oracle/misses: an oracle that answers no wrong guess answers nothing",
            "/oracle/key: it does not say whom it is about",
            "/aggregate/filter: `dept` names no argument",
            "/links/0/handle: `x` is not a JSONPath: parser error",
            "/links/0/of: `C D` is not the name of an entity type",
            "/links/0/type: `1` is not the name of an entity type",
            "/oracle/hit: `x` is not a JSONPath: parser error",
            "/aggregate/count: `n` is not a JSONPath: parser error",
            "/aggregate/k: a figure over one subject is no figure over many",
        ],
    );
    check(
        &json!({ "parameters": { "v": { "role": "value" } },
                 "oracle": { "key": ["v"], "attribute": "zip", "of": "C" } }),
        &["/oracle/key: `v` is declared as something that names nobody"],
    );
    check(
        &json!({ "parameters": { "v": { "role": "text", "mode": "ignore" } },
                 "oracle": { "key": ["v"], "attribute": "zip", "of": "C" } }),
        &["/oracle/key: whom a guess is about cannot be ignored"],
    );
}

#[test]
fn the_type_is_the_only_one_or_must_be_written() {
    let links = json!([{ "handle": "$.h", "owner": "$.o" }]);
    check(
        &json!({ "links": links }),
        &["/links/0: it does not say about which type of entity: the bindings speak of no type"],
    );
    let row = |of: &str| json!({ "each": "$.r[*]", "of": of, "id": "$.id" });
    let one = json!({ "links": links, "results": [row("Customer")] });
    assert_eq!(&*binding(&one).results.links[0].of, "Customer");
    check(
        &json!({ "links": links, "results": [row("Customer"), row("Driver")] }),
        &[
            "/links/0: it does not say about which type of entity: the bindings speak of `Customer`, `Driver`",
        ],
    );
    // The types of the whole deployment count, not of one binding alone.
    let specs = json!({
        "tools": { "a": { "links": links }, "b": { "results": [row("Customer")] } },
        "prompts": { "p": { "results": [row("Driver")] } },
    });
    assert_eq!(compile_all(&specs).unwrap_err().len(), 1);
}

#[test]
fn prompts_and_resources_have_bindings_of_the_same_shape() {
    let told = |subject: &str| json!({ "discloses": [{ "of": "Customer", "subject": subject, "attribute": "address" }] });
    let specs = json!({
        "prompts": { "letter": told("$params.arguments.id") },
        "resources": {
            "crm://customers/{id}/address": told("$params.uri.id"),
            "crm://customers/{id}/{part}": told("$params.uri.id"),
            "crm://customers/public/address": {},
        },
    });
    let bindings = compile_all(&specs).unwrap();
    assert!(bindings.prompt(&server(), "letter").is_some());
    assert!(
        bindings.prompt(&server(), "other").is_none()
            && bindings.get(&server(), "letter").is_none()
    );
    let found = bindings.resource(&server(), "crm://customers/4711/address");
    let values: Vec<Value> = found.into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, [json!({ "id": "4711" }), json!({ "id": "4711", "part": "address" })]);
    let exact = bindings.resource(&server(), "crm://customers/public/address");
    assert_eq!(exact.len(), 3, "whatever fits has a say");
    assert!(exact[0].0.possible().is_empty(), "the exact one first");
    assert!(bindings.resource(&server(), "crm://suppliers/1/address").is_empty());
    assert_eq!(bindings.others().count(), 4);
    assert_eq!(bindings.iter().count(), 0);
}

#[test]
fn a_variable_must_be_in_the_template() {
    let told = |subject: &str| json!({ "discloses": [{ "of": "C", "subject": subject, "attribute": "address" }] });
    let specs = json!({
        "tools": { "t": told("$params.uri.id") },
        "resources": {
            "crm://a/{id}": told("$params.uri.ids"),
            "crm://b": told("$params.uri.id"),
            "crm://c/{id}": told("$params.arguments.id"),
            "crm://d/{+id}": {},
            "crm://e/{id}": { "parameters": { "ib": { "role": "handle" } } },
        },
    });
    assert_eq!(
        written(&compile_all(&specs).unwrap_err()),
        [
            "/tools/t/discloses/0/subject: `$params.uri.id` names no argument",
            "/resources/crm:~1~1a~1{id}/discloses/0/subject: the template has no variable `ids`",
            "/resources/crm:~1~1b/discloses/0/subject: the template has no variable `id`",
            "/resources/crm:~1~1c~1{id}/discloses/0/subject: `$params.arguments.id` names no argument",
            "/resources/crm:~1~1e~1{id}/parameters/ib: the template has no variable `ib`",
            "/resources/crm:~1~1d~1{+id}: `crm://d/{+id}` has `+id` where a variable should be",
        ]
    );
}

#[test]
fn certain_facts_are_told_from_possible_ones() {
    let spec = json!({
        "parameters": { "t": { "role": "text" }, "o": { "role": "text", "mode": "open" }, "h": { "role": "handle" } },
        "discloses": [
            { "of": "Customer", "subject": "$params.arguments.id", "attribute": "address" },
            { "of": "Customer", "subject": "$params.arguments.h", "attribute": "address", "precision": "area" },
            { "of": "Customer", "subject": "$params.arguments.t", "attribute": "route" },
            { "of": "Customer", "subject": "$params.arguments.o", "attribute": "eta" },
            { "of": "Customer", "subject": "$params.arguments.id", "attribute": "zip" },
            { "of": "Customer", "subject": "$params.arguments.id", "attribute": "name" },
            { "of": "Customer", "in_result": "$.who", "attribute": "name" },
        ],
        "results": [
            { "each": "$.c[*]", "of": "Customer", "id": "$.id", "attributes": { "zip": "$.zip" } },
            { "each": "$.d[*]", "of": "Driver", "id": "$.id" },
        ],
    });
    let certain = |spec: &Value| -> Vec<String> {
        binding(spec).potential().iter().map(|fact| fact.attribute.to_string()).collect()
    };
    assert_eq!(certain(&spec), ["address", "address"]);
    let mut on_paper = spec;
    on_paper["mode"] = json!("note");
    assert!(certain(&on_paper).is_empty(), "what decides on paper only stops no call");
}

#[test]
fn an_empty_binding_does_nothing() {
    let binding = binding(&json!({ "mapping": { "evaluation": {} } }));
    assert!(!binding.filters_results() && binding.possible().is_empty());
    assert_eq!(binding.mapping(), Some(&json!({ "evaluation": {} })));
}

#[test]
fn bindings_are_found_by_server_and_tool_and_read_the_same() {
    let spec = json!({ "strip": ["$.structuredContent.x"] });
    let bindings = compile(&spec).unwrap();
    assert!(bindings.get(&server(), "tool").is_some());
    assert!(bindings.get(&server(), "Tool").is_none());
    assert_eq!(bindings.iter().count(), 1);
    assert_eq!(format!("{bindings:?}"), format!("{:?}", compile(&spec).unwrap()));
    let other = compile(&json!({ "strip": ["$.structuredContent.y"] })).unwrap();
    assert_ne!(format!("{bindings:?}"), format!("{other:?}"));
    assert_eq!(Bindings::default().iter().count(), 0);
}
