//! Tools whose result is always the same.

use serde_json::{Value, json};

use crate::reference::call::{Outcome, text, tool_error};

/// One red pixel, as base64.
pub(in crate::reference) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";

/// One millisecond of silence, as base64.
const WAV: &str = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";

pub(super) fn answer(name: &str) -> Option<Outcome> {
    Some(match name {
        "test_simple_text" => text("This is a simple text response for testing."),
        "test_image_content" => items(&json!([image()])),
        "test_audio_content" => {
            items(&json!([{ "type": "audio", "data": WAV, "mimeType": "audio/wav" }]))
        }
        "test_embedded_resource" => items(&json!([embedded(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        )])),
        "test_multiple_content_types" => items(&json!([
            { "type": "text", "text": "Multiple content types test:" },
            image(),
            embedded(
                "test://mixed-content-resource",
                "application/json",
                r#"{"test":"data","value":123}"#,
            ),
        ])),
        "test_error_handling" => tool_error("This tool intentionally returns an error for testing"),
        "json_schema_2020_12_tool" => text("The arguments fit the schema."),
        "test_x_mcp_header" | "test_headers_and_numbers" => {
            text("The headers agree with the arguments.")
        }
        _ => return None,
    })
}

/// The image as content.
pub(in crate::reference) fn image() -> Value {
    json!({ "type": "image", "data": PNG, "mimeType": "image/png" })
}

fn embedded(uri: &str, kind: &str, text: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "mimeType": kind, "text": text } })
}

fn items(content: &Value) -> Outcome {
    Outcome::Done(json!({ "content": content }))
}
