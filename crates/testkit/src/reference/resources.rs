//! The resources that the suite asks for, and the files of the skill.

use serde_json::{Value, json};

use super::call::{Call, Failure};
use super::skills;
use super::tools::content::PNG;
use crate::Era;

const TEMPLATE: &str = "test://template/{id}/data";

/// The resources as `resources/list` gives them.
pub(super) fn list() -> Vec<Value> {
    let one = |uri: &str, name: &str, says: &str, kind: &str| json!({ "uri": uri, "name": name, "description": says, "mimeType": kind });
    vec![
        one("test://static-text", "static-text", "A text that never changes.", "text/plain"),
        one("test://static-binary", "static-binary", "An image that never changes.", "image/png"),
        one(
            "test://watched-resource",
            "watched",
            "A text that can be subscribed to.",
            "text/plain",
        ),
        skills::resource(),
    ]
}

/// The templates as `resources/templates/list` gives them.
pub(super) fn templates() -> Vec<Value> {
    vec![json!({
        "uriTemplate": TEMPLATE, "name": "template",
        "description": "Data about whatever id it is asked for.", "mimeType": "application/json",
    })]
}

/// `resources/read`.
pub(super) fn read(call: &Call) -> Result<Value, Failure> {
    let uri = call.params["uri"].as_str().ok_or_else(|| Failure::invalid("`uri` is missing"))?;
    let code = if call.era == Era::Modern { -32602 } else { -32002 };
    let missing =
        || Failure::new(code, "there is no such resource").with_data(json!({ "uri": uri }));
    contents(uri).map(|contents| json!({ "contents": [contents] })).ok_or_else(missing)
}

fn contents(uri: &str) -> Option<Value> {
    let text = |text: &str| json!({ "uri": uri, "mimeType": "text/plain", "text": text });
    Some(match uri {
        "test://static-text" => text("This is the content of the static text resource."),
        "test://static-binary" => json!({ "uri": uri, "mimeType": "image/png", "blob": PNG }),
        "test://watched-resource" => text("This is the content of the watched resource."),
        "test://embedded-resource" => text("This is an embedded resource content."),
        "test://mixed-content-resource" => json!({
            "uri": uri, "mimeType": "application/json", "text": r#"{"test":"data","value":123}"#,
        }),
        _ => {
            let id = uri
                .strip_prefix("test://template/")
                .and_then(|rest| rest.strip_suffix("/data"))
                .filter(|id| !id.is_empty() && !id.contains('/'));
            let Some(id) = id else { return skills::contents(uri) };
            let data =
                json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
            json!({ "uri": uri, "mimeType": "application/json", "text": data.to_string() })
        }
    })
}
