//! What is written for servers of every kind, and that it passes its own check.

use std::fs;
use std::path::Path;

use kenward_model::ServerName;
use serde_json::{Value, json};

use super::propose::{Proposal, Subject, propose};
use super::render::{Draft, server_name};
use super::{Reach, transport};
use crate::config::{self, Config, Definitions};
use crate::look::{Seen, SeenTool};

fn tool(name: &str, description: &str, properties: &Value) -> SeenTool {
    SeenTool {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        input_schema: json!({ "type": "object", "properties": properties }),
    }
}

fn seen(tools: Vec<SeenTool>) -> Seen {
    Seen { version: "2025-11-25".to_owned(), name: Some("Acme".to_owned()), tools }
}

/// Writes the files and gives what a check says of them.
fn check(folder: &Path, draft: &Draft<'_>) -> Vec<String> {
    fs::create_dir_all(folder.join("policies")).unwrap();
    fs::write(folder.join("kenward.yaml"), draft.configuration()).unwrap();
    fs::write(folder.join("directory.yaml"), draft.directory()).unwrap();
    fs::write(folder.join("policies/a.cedar"), draft.policies()).unwrap();
    let environment =
        |name: &str| matches!(name, "TOKEN" | "PATH" | "HOME").then(|| "abc".to_owned());
    let nothing = |_: &Config| Ok(Definitions::new());
    let loaded = config::load(&folder.join("kenward.yaml"), Some(&environment), &nothing);
    let findings = loaded.map_or_else(|findings| findings, |loaded| loaded.findings);
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_written_passes_its_own_check() {
    let name = ServerName::try_from("acme".to_owned()).unwrap();
    let nasty = vec![
        tool("get_customer_address", "Where they live.", &json!({ "customer_id": {} })),
        tool("ping: {x}\n- y", "a\u{202e}b\u{1b}[31m\nservers: {}", &json!({})),
        tool("true", "\u{2028}listen: x", &json!({ "${TOKEN}": {} })),
        tool("null", "", &json!({ "a\": b # id": {} })),
        tool("true", "the same name again", &json!({})),
        tool("caf\u{e9} \u{1f600} \u{7f}\u{85}", "x", &json!({})),
        tool("123", "numbers", &json!({ "near": {} })),
        tool("", "no name", &json!({})),
    ];
    for (reach, tools, token_env) in [
        (Reach::Url("http://127.0.0.1:9/mcp?a=b&c=%20".to_owned()), nasty.clone(), Some("TOKEN")),
        (
            Reach::Command(vec!["a b".to_owned(), "${HOME}".to_owned(), "\"x\\".to_owned()]),
            nasty,
            None,
        ),
        (Reach::Url("http://127.0.0.1:9".to_owned()), Vec::new(), None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let seen = seen(tools);
        let draft = Draft {
            name: &name,
            reach: &reach,
            seen: &seen,
            issuer: "https://idp.example.com/a?b",
            group: "gr\u{fc}n \"\\ # ${x}",
            token_env,
        };
        let draft = Draft { issuer: "https://idp.example.com/a", ..draft };
        assert_eq!(check(folder.path(), &draft), [""; 0], "{}", draft.configuration());
    }
}

#[test]
fn proposals_become_good_configuration_when_taken() {
    let name = ServerName::try_from("acme".to_owned()).unwrap();
    let seen = seen(vec![
        tool("get_customer_address", "", &json!({ "customer_id": {} })),
        tool("get_dropoff_locations", "", &json!({ "near": {} })),
    ]);
    let reach = Reach::Url("http://127.0.0.1:9".to_owned());
    let draft = Draft {
        name: &name,
        reach: &reach,
        seen: &seen,
        issuer: "https://i/",
        group: "g",
        token_env: None,
    };
    let text = draft.configuration();
    let taken: Vec<String> = text
        .lines()
        .filter(|line| !line.ends_with(": {}"))
        .map(|line| {
            let proposed = ["# get_", "#   parameters:", "#   discloses:"];
            let trimmed = line.trim_start();
            if proposed.iter().any(|start| trimmed.starts_with(start)) {
                line.replacen("# ", "", 1)
            } else {
                line.to_owned()
            }
        })
        .collect();
    let file = kenward_document::read::<config::ConfigFile>("k", &taken.join("\n"), None).unwrap();
    let tools = &file.value.servers["acme"].tools;
    assert_eq!(tools.len(), 2);
    assert!(tools.values().all(|tool| tool.discloses.len() == 1 && tool.parameters.len() == 1));
}

#[test]
fn guesses_follow_the_words() {
    let subject = |parameter: &str, kind: &str, is_id| {
        Some(Subject { parameter: parameter.to_owned(), kind: kind.to_owned(), is_id })
    };
    let proposal = |attribute: &str, family, subject| {
        Some(Proposal { attribute: attribute.to_owned(), family, subject })
    };
    for (name, properties, expected) in [
        (
            "getCustomerAddress",
            json!({ "customerId": {} }),
            proposal("address", "location", subject("customerId", "Customer", true)),
        ),
        (
            "get_dropoff_locations",
            json!({ "near": {} }),
            proposal("locations", "location", subject("near", "Person", false)),
        ),
        (
            "employee_salaries",
            json!({ "name": {} }),
            proposal("salaries", "pay", subject("name", "Employee", false)),
        ),
        ("find", json!({ "zip": {} }), proposal("zip", "location", None)),
        ("list_orders", json!({ "page": {} }), None),
        ("ping", json!({}), None),
        ("mapper", json!({ "id": {} }), None),
    ] {
        assert_eq!(propose(&tool(name, "", &properties)), expected, "{name}");
    }
}

#[test]
fn a_server_gets_a_name_that_fits() {
    let url = Reach::Url("https://mcp.example.com:8443/x".to_owned());
    let command = |words: &[&str]| Reach::Command(words.iter().map(|w| (*w).to_owned()).collect());
    let named = |own, reach: &Reach| server_name(own, reach).unwrap().to_string();
    assert_eq!(named(Some("Acme Deliveries __ 2"), &url), "acme-deliveries-2");
    assert_eq!(named(Some("\u{65e5}\u{672c}"), &url), "mcp-example-com");
    assert_eq!(named(None, &Reach::Url("http://127.0.0.1:9001/mcp".to_owned())), "server");
    assert_eq!(named(None, &command(&["npx", "-y", "@scope/thing-server"])), "thing-server");
    assert_eq!(named(None, &command(&["python3", "/opt/serve.py", "-v"])), "serve");
    assert_eq!(named(Some(&"long".repeat(40)), &url).len(), 32);
}

#[test]
fn targets_are_urls_or_commands() {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert!(matches!(transport(&words(&["http://h/mcp"])), Ok((Reach::Url(_), _))));
    let (reach, _) = transport(&words(&["npx -y some-server"])).unwrap();
    assert!(matches!(reach, Reach::Command(command) if command == ["npx", "-y", "some-server"]));
    let (reach, _) = transport(&words(&["./run", "a b"])).unwrap();
    let Reach::Command(command) = reach else { panic!("no command") };
    assert!(command[0].starts_with('/') && command[1] == "a b");
    assert!(transport(&words(&["ftp://h/mcp"])).is_err());
    assert!(transport(&words(&["  "])).is_err());
}
