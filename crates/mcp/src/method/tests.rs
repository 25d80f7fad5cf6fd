//! The table is complete, sorted and closed.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use kenward_model::Target;
use serde_json::{Value, json};

use super::{Direction, Eras, Row, RowKind, TABLE, TargetKind, Treatment, admit, find, target};
use crate::dialect::Era;
use crate::{EnvelopeError, Limits, Message};

const SCHEMAS: [(&str, Era); 2] =
    [("schema-2025-11-25.json", Era::Legacy), ("schema-2026-07-28.json", Era::Modern)];

#[test]
fn the_table_is_sorted_and_every_row_is_found() {
    assert!(TABLE.is_sorted_by(|a, b| a.name < b.name));
    for row in TABLE {
        assert_eq!(find(row.name), Some(row));
        assert_eq!(find(&row.name.to_uppercase()), None);
        assert_eq!(find(&format!("{} ", row.name)), None);
        assert_eq!(row.kind == RowKind::Notification, row.name.starts_with("notifications/"));
    }
    assert_eq!(find(""), None);
}

/// The official schemas lie in `data/mcp` beside this workspace or where `MCP_SCHEMAS` says.
#[test]
fn every_method_of_both_schemas_has_a_row() {
    for (name, era) in SCHEMAS {
        let Some(schema) = schema(name) else {
            println!("skipped: {name} is not there");
            continue;
        };
        let definitions = schema["$defs"].as_object().unwrap();
        let mut seen = 0;
        for (title, definition) in definitions {
            let Some(method) = definition["properties"]["method"]["const"].as_str() else {
                continue;
            };
            let row = find(method).unwrap_or_else(|| panic!("`{method}` has no row"));
            let is_message =
                definition["properties"].get("id").is_some() || row.kind == RowKind::Notification;
            assert!(!is_message || row.eras.includes(era), "`{method}` is a message in {era:?}");
            assert_eq!(title.ends_with("Notification"), row.kind == RowKind::Notification);
            seen += 1;
        }
        assert!(seen > 20, "{name} has only {seen} methods");
        for (union, direction) in [
            ("ClientRequest", Direction::ToServer),
            ("ServerRequest", Direction::ToClient),
            ("ClientNotification", Direction::ToServer),
            ("ServerNotification", Direction::ToClient),
        ] {
            for method in members(definitions, union) {
                assert!(find(method).unwrap().permits(era, direction), "{union}: `{method}`");
            }
        }
    }
}

#[test]
fn the_extensions_have_rows_too() {
    let extensions = [
        ("notifications/tasks", Eras::Modern),
        ("resources/directory/read", Eras::Modern),
        ("skills/get", Eras::Modern),
        ("skills/list", Eras::Modern),
        ("tasks/cancel", Eras::Both),
        ("tasks/get", Eras::Both),
        ("tasks/update", Eras::Modern),
    ];
    for (name, eras) in extensions {
        assert_eq!(find(name).map(|row| row.eras), Some(eras), "{name}");
    }
}

#[test]
fn what_cannot_be_policed_yet_is_refused() {
    for row in TABLE {
        let is_refused = row.name.starts_with("tasks/")
            || row.name.starts_with("skills/")
            || row.name.starts_with("notifications/tasks")
            || row.name == "resources/directory/read";
        assert_eq!(row.treatment == Treatment::Refuse, is_refused, "{}", row.name);
    }
}

fn admitted(method: &str, era: Era, direction: Direction) -> Result<&'static Row, EnvelopeError> {
    let row = find(method);
    let id = if row.is_none_or(|row| row.kind == RowKind::Request) { "\"id\":9," } else { "" };
    let text = format!("{{\"jsonrpc\":\"2.0\",{id}\"method\":\"{method}\"}}");
    let message = Message::parse(Bytes::from(text), &Limits::default()).unwrap();
    admit(&message, era, direction)
}

#[test]
fn only_rows_of_the_era_and_direction_are_admitted() {
    let (to_server, to_client) = (Direction::ToServer, Direction::ToClient);
    for era in [Era::Legacy, Era::Modern] {
        assert_eq!(admitted("tools/call", era, to_server).unwrap().treatment, Treatment::Call);
        assert!(admitted("tools/call", era, to_client).is_err());
        assert!(admitted("tasks/get", era, to_server).is_err());
        assert!(admitted("skills/list", era, to_server).is_err());
        assert!(admitted("elicitation/create", era, to_server).is_err());
        assert!(admitted("Tools/call", era, to_server).is_err());
        assert!(admitted("vendor/anything", era, to_client).is_err());
    }
    assert!(admitted("elicitation/create", Era::Legacy, to_client).is_ok());
    assert!(admitted("elicitation/create", Era::Modern, to_client).is_err());
    assert!(admitted("initialize", Era::Modern, to_server).is_err());
    assert!(admitted("server/discover", Era::Legacy, to_server).is_err());
}

#[test]
fn what_is_not_admitted_does_not_exist() {
    let to_server = Direction::ToServer;
    let error = admitted("vendor/anything", Era::Modern, to_server).unwrap_err();
    assert_eq!((error.code(), error.status(), error.id()), (-32601, 404, Some(&b"9"[..])));
    let error = admitted("vendor/anything", Era::Legacy, to_server).unwrap_err();
    assert_eq!((error.code(), error.status()), (-32601, 200));
    // A refused method is answered as one that does not exist.
    let refused = admitted("tasks/list", Era::Legacy, to_server).unwrap_err();
    assert_eq!((refused.code(), refused.status()), (error.code(), error.status()));
}

#[test]
fn a_response_has_no_row() {
    let text = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    let message = Message::parse(text, &Limits::default()).unwrap();
    assert!(admit(&message, Era::Legacy, Direction::ToServer).is_err());
}

#[test]
fn targets_are_named_by_the_parameters() {
    let params = json!({ "name": "n", "uri": "u", "taskId": "t" });
    let aim = |method: &str| target(find(method).unwrap(), &params);
    assert_eq!(aim("tools/call").unwrap(), Target::Tool("n".into()));
    assert_eq!(aim("prompts/get").unwrap(), Target::Prompt("n".into()));
    for method in ["resources/read", "resources/subscribe", "notifications/resources/updated"] {
        assert_eq!(aim(method).unwrap(), Target::Resource("u".into()));
    }
    for method in ["tools/list", "initialize", "subscriptions/listen", "elicitation/create"] {
        assert_eq!(aim(method).unwrap(), Target::Server);
    }
}

#[test]
fn references_are_prompts_or_templates() {
    let row = find("completion/complete").unwrap();
    let prompt = json!({ "ref": { "type": "ref/prompt", "name": "p" } });
    assert_eq!(target(row, &prompt).unwrap(), Target::Prompt("p".into()));
    let template = json!({ "ref": { "type": "ref/resource", "uri": "f:///{x}" } });
    assert_eq!(target(row, &template).unwrap(), Target::ResourceTemplate("f:///{x}".into()));
    let bad = [
        json!({}),
        json!({ "ref": "p" }),
        json!({ "ref": { "type": "ref/other", "name": "p" } }),
        json!({ "ref": { "type": "ref/prompt", "uri": "p" } }),
        json!({ "ref": { "type": "ref/resource", "name": "p" } }),
        json!({ "ref": { "name": "p" } }),
    ];
    for params in bad {
        assert_eq!(target(row, &params).unwrap_err().code(), -32602, "{params}");
    }
}

#[test]
fn a_target_that_is_not_named_is_an_error() {
    for params in [Value::Null, json!({}), json!({ "name": 7, "uri": null })] {
        for method in ["tools/call", "prompts/get", "resources/read", "resources/unsubscribe"] {
            let error = target(find(method).unwrap(), &params).unwrap_err();
            assert_eq!((error.code(), error.status()), (-32602, 200));
        }
    }
}

#[test]
fn a_task_is_nobodys_target() {
    let row = Row {
        name: "tasks/get",
        kind: RowKind::Request,
        eras: Eras::Both,
        direction: Direction::Either,
        target: TargetKind::Task,
        treatment: Treatment::Call,
    };
    assert_eq!(target(&row, &json!({ "taskId": "t" })).unwrap_err().code(), -32601);
}

fn schema(name: &str) -> Option<Value> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/mcp");
    let place = option_env!("MCP_SCHEMAS").map_or(beside, Into::into);
    let text = fs::read_to_string(place.join(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// The methods of the messages that a definition unites.
fn members<'s>(definitions: &'s serde_json::Map<String, Value>, union: &str) -> Vec<&'s str> {
    let Some(definition) = definitions.get(union) else { return Vec::new() };
    let own = definition["properties"]["method"]["const"].as_str();
    let parts = definition["anyOf"].as_array().into_iter().flatten();
    let names = parts.filter_map(|part| part["$ref"].as_str()?.rsplit('/').next());
    let methods =
        names.filter_map(|name| definitions[name]["properties"]["method"]["const"].as_str());
    own.into_iter().chain(methods).collect()
}
