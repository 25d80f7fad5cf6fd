//! The schemas of the tools' arguments.

use serde_json::{Value, json};

/// The input schema of the tool `name`.
pub(super) fn of(name: &str) -> Value {
    match name {
        "test_sampling" => object(&[("prompt", text("What to ask the model."))], &["prompt"]),
        "test_elicitation" => object(&[("message", text("What to ask the user."))], &["message"]),
        "test_trigger_resource_update" => object(&[("uri", text("Which resource."))], &[]),
        "greet" => object(&[("name", text("Whom to greet."))], &["name"]),
        "slow_compute" => object(
            &[
                ("seconds", json!({ "type": "number", "description": "How long it takes." })),
                ("label", text("What the result says.")),
            ],
            &["seconds"],
        ),
        "confirm_delete" => object(&[("filename", text("Which file."))], &["filename"]),
        "test_x_mcp_header" => object(
            &[("region", json!({ "type": "string", "x-mcp-header": "Region" }))],
            &["region"],
        ),
        "test_headers_and_numbers" => object(
            &[
                ("shard", json!({ "type": "integer", "x-mcp-header": "Shard" })),
                ("note", text("What no header repeats.")),
            ],
            &[],
        ),
        "json_schema_2020_12_tool" => vocabulary(),
        _ => object(&[], &[]),
    }
}

fn text(says: &str) -> Value {
    json!({ "type": "string", "description": says })
}

fn object(properties: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> =
        properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// References, composition and conditions: what a client or gateway may be tempted to drop.
fn vocabulary() -> Value {
    let street_and_city = json!({ "street": { "type": "string" }, "city": { "type": "string" } });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": { "$anchor": "addressDef", "type": "object", "properties": street_and_city },
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}
