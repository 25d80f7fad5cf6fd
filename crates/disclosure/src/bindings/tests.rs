//! What a binding may not say, and what a compiled one tells of itself.

use serde_json::{Value, json};

use crate::fixtures::{binding, compile};
use crate::{Bindings, ToolBinding};

/// The findings as `pointer: message`.
fn findings(spec: &Value) -> Vec<String> {
    let findings = compile(spec).unwrap_err();
    findings.iter().map(|finding| format!("{}: {}", finding.place, finding.message)).collect()
}

fn check(spec: &Value, expected: &[&str]) {
    let found = findings(spec);
    assert_eq!(found, expected, "{spec}");
}

/// A key that has no effect is refused, never ignored.
#[test]
fn what_does_not_work_yet_is_refused() {
    check(
        &json!({
            "links": [], "oracle": { "key": ["name"] }, "aggregate": {},
            "parameters": {
                "a": { "role": "place" }, "b": { "role": "filter" }, "c": { "role": "value" },
                "d": { "role": "text", "mode": "ignore" },
            },
            "discloses": [{ "of": "Customer", "in_result": "$.customer", "attribute": "address" }],
        }),
        &[
            "/links: `links` is not supported yet",
            "/oracle: `oracle` is not supported yet",
            "/aggregate: `aggregate` is not supported yet",
            "/discloses/0/in_result: `in_result` is not supported yet",
            "/parameters/a/role: `role: place` is not supported yet",
            "/parameters/b/role: `role: filter` is not supported yet",
            "/parameters/c/role: `role: value` is not supported yet",
            "/parameters/d/mode: `mode: ignore` is not supported yet",
            "/discloses/0/subject: `` names no argument",
        ],
    );
}

#[test]
fn every_problem_is_found_at_its_place() {
    check(
        &json!({
            "parameters": {
                "": { "role": "id" },
                "a/b": { "role": "handle", "type": "No Type" },
                "i": { "role": "id", "mode": "open" },
                "t": { "role": "text", "type": "Order" },
                "f": { "role": "free" },
            },
            "discloses": [
                { "of": "1x", "subject": "$params.arguments.i", "attribute": "address" },
                { "of": "C", "subject": "$params.arguments.i", "attribute": "address", "precision": "aera" },
                { "of": "C", "subject": "$params.name", "attribute": "address" },
                { "of": "C", "subject": "$params.arguments.a[0]", "attribute": "address" },
                { "of": "C", "subject": "$params.arguments.", "attribute": "address" },
                { "of": "C", "subject": "$params.arguments.f", "attribute": "address" },
            ],
            "strip": ["$.locations[*].km", "no path", "$.structuredContent["],
            "results": [{ "each": "$.customers[*]", "of": "C", "id": "id", "attributes": { "x": "@.x" } }],
        }),
        &[
            "/parameters/: `` names no argument",
            "/parameters/a~1b/type: `No Type` is not the name of an entity type",
            "/parameters/i/mode: only a text can be open",
            "/parameters/t/type: only a handle has a type of its own",
            "/discloses/0/of: `1x` is not the name of an entity type",
            "/discloses/1/precision: `location` has no precision `aera`",
            "/discloses/2/subject: `$params.name` names no argument",
            "/discloses/3/subject: `$params.arguments.a[0]` names no argument",
            "/discloses/4/subject: `$params.arguments.` names no argument",
            "/discloses/5/subject: `f` is declared as something that names nobody",
            "/results/0/each: `$.customers[*]` does not begin at the structured content of the result",
            "/results/0/id: `id` is not a JSONPath: parser error",
            "/results/0/attributes/x: `@.x` is not a JSONPath: parser error",
            "/strip/0: `$.locations[*].km` does not begin at the structured content of the result",
            "/strip/1: `no path` is not a JSONPath: parser error",
            "/strip/2: `$.structuredContent[` is not a JSONPath: parser error",
        ],
    );
    let help = compile(&json!({ "strip": ["$.locations[*].km"] })).unwrap_err();
    assert_eq!(help[0].help.as_deref(), Some("write $.structuredContent.locations[*].km"));
}

#[test]
fn unknown_keys_do_not_deserialise() {
    for bad in [
        json!({ "disclose": [] }),
        json!({ "parameters": { "x": { "role": "Id" } } }),
        json!({ "parameters": { "x": { "mode": "closed" } } }),
        json!({ "discloses": [{ "of": "C", "subject": "s", "attribute": "a", "precison": "x" }] }),
        json!({ "results": [{ "each": "$", "of": "C" }] }),
    ] {
        assert!(serde_json::from_value::<ToolBinding>(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn certain_facts_are_told_from_possible_ones() {
    let binding = binding(&json!({
        "parameters": { "t": { "role": "text" }, "o": { "role": "text", "mode": "open" }, "h": { "role": "handle" } },
        "discloses": [
            { "of": "Customer", "subject": "$params.arguments.id", "attribute": "address" },
            { "of": "Customer", "subject": "$params.arguments.h", "attribute": "address", "precision": "area" },
            { "of": "Customer", "subject": "$params.arguments.t", "attribute": "route" },
            { "of": "Customer", "subject": "$params.arguments.o", "attribute": "eta" },
        ],
        "results": [
            { "each": "$.structuredContent.c[*]", "of": "Customer", "id": "$.id", "attributes": { "zip": "$.zip" } },
            { "each": "$.structuredContent.d[*]", "of": "Driver", "id": "$.id" },
        ],
    }));
    let certain: Vec<&str> = binding.potential().iter().map(|fact| &*fact.attribute).collect();
    assert_eq!(certain, ["address", "address"]);
    let possible: Vec<(&str, &str)> =
        binding.possible().iter().map(|fact| (&*fact.of, &*fact.attribute)).collect();
    assert_eq!(
        possible,
        [
            ("Customer", "address"),
            ("Customer", "address"),
            ("Customer", "eta"),
            ("Customer", "route"),
            ("Customer", "zip"),
            ("Driver", "id"),
        ]
    );
    assert!(binding.filters_results());
}

#[test]
fn an_empty_binding_does_nothing() {
    let binding = binding(&json!({ "mapping": { "evaluation": {} } }));
    assert!(!binding.filters_results());
    assert_eq!(binding.mapping(), Some(&json!({ "evaluation": {} })));
    let mut result = json!({ "content": [] });
    let outcome = binding.filter_result(&mut result, &mut |_| panic!("nothing is asked"));
    assert!(!outcome.changed && outcome.removed.is_empty() && outcome.withheld.is_none());
    assert_eq!(result, json!({ "content": [] }));
}

#[test]
fn bindings_are_found_by_server_and_tool_and_read_the_same() {
    let spec = json!({ "strip": ["$.structuredContent.x"] });
    let bindings = compile(&spec).unwrap();
    let server = crate::fixtures::server();
    assert!(bindings.get(&server, "tool").is_some());
    assert!(bindings.get(&server, "Tool").is_none());
    assert_eq!(bindings.iter().count(), 1);
    assert_eq!(format!("{bindings:?}"), format!("{:?}", compile(&spec).unwrap()));
    let other = compile(&json!({ "strip": ["$.structuredContent.y"] })).unwrap();
    assert_ne!(format!("{bindings:?}"), format!("{other:?}"));
    assert_eq!(Bindings::default().iter().count(), 0);
}
