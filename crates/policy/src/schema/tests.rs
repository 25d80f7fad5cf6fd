use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::ValidatorSchema;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixture::Deployment;
use crate::schema::arguments::arguments;
use crate::shape::Shape;

#[test]
fn the_printed_schema_is_the_schema() {
    let text = Deployment::deliveries().compile().schema_text();
    let (parsed, _) = ValidatorSchema::from_cedarschema_str(&text, Extensions::all_available())
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let names: Vec<String> = parsed.entity_type_names().map(ToString::to_string).collect();
    for expected in
        ["User", "Group", "Customer", "Mcp::Agent", "Mcp::Tool", "Mcp::ResourceTemplate"]
    {
        assert!(names.iter().any(|name| name == expected), "{expected} in {names:?}");
    }
    for expected in
        ["deliveries/get_customer_address", "tools/call", "learn", "arguments", "session_revoked"]
    {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
}

#[test]
fn users_and_groups_exist_without_a_schema() {
    let mut deployment =
        Deployment::small("permit (principal in Group::\"x\", action, resource);", None);
    deployment.schema = String::new();
    let text = deployment.compile().schema_text();
    assert!(
        text.contains("entity User in [Group]") || text.contains("entity User in Group"),
        "{text}"
    );
}

fn member(schema: &Value, name: &str) -> (Shape, bool) {
    let found = arguments(schema);
    let member = found.shape.members.get(name).unwrap_or_else(|| panic!("no {name}")).clone();
    (member.shape, member.required)
}

#[test]
fn json_schema_becomes_cedar_types() {
    let property = |schema: Value| json!({ "type": "object", "properties": { "x": schema }, "required": ["x"] });
    let shape = |schema: Value| member(&property(schema), "x");
    assert_eq!(shape(json!({ "type": "string", "enum": ["a"] })), (Shape::Text, true));
    assert_eq!(shape(json!({ "type": "integer" })), (Shape::Long, true));
    assert_eq!(shape(json!({ "type": "boolean" })), (Shape::Bool, true));
    assert_eq!(shape(json!({ "type": ["string", "null"] })), (Shape::Text, false));
    assert_eq!(shape(json!({ "enum": ["a", "b"] })), (Shape::Text, true));
    assert_eq!(shape(json!({ "const": "a" })), (Shape::Text, true));
    for opaque in [
        json!(true),
        json!({}),
        json!({ "type": "number" }),
        json!({ "type": ["string", "integer"] }),
        json!({ "anyOf": [] }),
        json!({ "type": "object" }),
        json!({ "enum": ["a", 1] }),
        json!({ "type": "array" }),
        json!({ "type": "array", "items": {}, "prefixItems": [] }),
        json!({ "$ref": "#/nowhere" }),
        json!({ "$ref": "https://example.com" }),
        json!({ "type": "null" }),
        json!({ "type": "strange" }),
    ] {
        assert_eq!(shape(opaque.clone()).0, Shape::Opaque, "{opaque}");
    }
    assert!(matches!(
        shape(json!({ "type": "array", "items": { "type": "integer" } })).0,
        Shape::Set(_)
    ));
    assert!(matches!(
        shape(json!({ "type": "object", "properties": { "y": true } })).0,
        Shape::Record(_)
    ));
    let referring = json!({ "type": "object", "properties": { "x": { "$ref": "#/$defs/id" } }, "$defs": { "id": { "type": "string" } } });
    assert_eq!(member(&referring, "x"), (Shape::Text, false));
}

#[test]
fn schemas_from_servers_are_bounded() {
    let looping = json!({ "type": "object", "properties": { "x": { "$ref": "#/properties/x" } } });
    assert_eq!(member(&looping, "x").0, Shape::Opaque);
    let nested = json!({ "type": "object", "properties": { "x": { "$ref": "#" } } });
    let found = arguments(&nested);
    assert!(!found.opaque.is_empty(), "a schema that contains itself ends");
    let wide: serde_json::Map<String, Value> =
        (0..5_000).map(|n| (format!("p{n}"), json!({ "type": "string" }))).collect();
    assert!(arguments(&json!({ "properties": wide })).shape.members.len() <= 1_000);
    // Two references at each of eight levels.
    let bomb = json!({ "$defs": { "n": { "type": "object", "properties": { "a": { "$ref": "#/$defs/n" }, "b": { "$ref": "#/$defs/n" } } } }, "properties": { "x": { "$ref": "#/$defs/n" } } });
    assert!(arguments(&bomb).opaque.len() < 5_000);
}

fn json_value() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("object"),
        Just("array"),
        Just("string"),
        Just("integer"),
        Just("null"),
        Just("#"),
        Just("#/properties"),
        Just("x")
    ];
    let leaf = prop_oneof![
        words.prop_map(|word| json!(word)),
        any::<bool>().prop_map(|truth| json!(truth)),
        any::<i64>().prop_map(|number| json!(number))
    ];
    leaf.prop_recursive(5, 60, 5, |inner| {
        let key = prop_oneof![
            Just("type"),
            Just("properties"),
            Just("items"),
            Just("required"),
            Just("enum"),
            Just("$ref"),
            Just("x")
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key, inner), 0..5).prop_map(|members| Value::Object(
                members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a server declares, the schema can be built and printed.
    #[test]
    fn no_input_schema_breaks_the_deployment(schema in json_value()) {
        let deployment = Deployment::small("permit (principal, action in Mcp::Action::\"tools/call\", resource);", Some(schema));
        let compiled = deployment.try_compile();
        prop_assert!(compiled.is_ok(), "{:?}", compiled.err());
    }
}
