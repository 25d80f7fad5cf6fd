//! What is written for servers of every kind, and that it passes its own check.

use std::fs;
use std::path::Path;

use kenward_model::{ServerName, Severity};
use serde_json::{Value, json};

use super::render::{Draft, server_name};
use super::{Proposals, Reach, outlines, propose, told, transport};
use crate::config::{self, Config, Definitions};
use crate::look::{Seen, SeenPrompt, SeenTool};

fn tool(name: &str, description: &str, properties: &Value) -> SeenTool {
    SeenTool {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        input_schema: json!({ "type": "object", "properties": properties }),
        output_schema: None,
    }
}

fn seen(tools: Vec<SeenTool>) -> Seen {
    Seen {
        version: "2025-11-25".to_owned(),
        name: Some("Acme".to_owned()),
        tools,
        prompts: vec![SeenPrompt {
            name: "bill: {".to_owned(),
            arguments: vec!["email".to_owned()],
        }],
        resources: vec!["acme://customers/{id}/address".to_owned(), "nonsense {".to_owned()],
    }
}

/// Writes the files and gives what a check says of them, but for notes.
fn check(folder: &Path, draft: &Draft<'_>) -> Vec<String> {
    fs::create_dir_all(folder.join("policies")).unwrap();
    fs::write(folder.join("kenward.yaml"), draft.configuration()).unwrap();
    fs::write(folder.join("directory.yaml"), draft.directory()).unwrap();
    fs::write(folder.join("policies/a.cedar"), draft.policies()).unwrap();
    if let (Some(inferences), Some(schema)) = (draft.inferences(), draft.schema()) {
        fs::write(folder.join("inferences.yaml"), inferences).unwrap();
        fs::write(folder.join("policies/a.cedarschema"), schema).unwrap();
    }
    let environment =
        |name: &str| matches!(name, "TOKEN" | "PATH" | "HOME").then(|| "abc".to_owned());
    let nothing = |_: &Config| Ok(Definitions::new());
    let loaded = config::load(&folder.join("kenward.yaml"), Some(&environment), &nothing);
    let findings = loaded.map_or_else(|findings| findings, |loaded| loaded.findings);
    let findings = findings.iter().filter(|finding| finding.severity > Severity::Note);
    findings.map(ToString::to_string).collect()
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
            proposals: &propose(&outlines(&seen)),
            issuer: "https://idp.example.com/a?b",
            group: "gr\u{fc}n \"\\ # ${x}",
            token_env,
        };
        let draft = Draft { issuer: "https://idp.example.com/a", ..draft };
        assert_eq!(check(folder.path(), &draft), [""; 0], "{}", draft.configuration());
        let folder = tempfile::tempdir().unwrap();
        let without = Draft { proposals: &Proposals::default(), ..draft };
        assert_eq!(check(folder.path(), &without), [""; 0], "{}", without.configuration());
        assert!(!without.configuration().contains("proposed"));
    }
}

#[test]
fn proposals_are_written_as_they_were_made() {
    let name = ServerName::try_from("acme".to_owned()).unwrap();
    let mut seen = seen(vec![
        tool("get_customer_address", "", &json!({ "customer_id": {} })),
        tool("get_dropoff_locations", "", &json!({ "near": {} })),
        tool("verify_pin", "", &json!({ "customer": {}, "pin": {} })),
        tool("plan_route", "", &json!({ "city": {} })),
        tool("ping", "", &json!({})),
    ]);
    let row = json!({ "properties": { "id": {}, "customer_id": {}, "zip": {} } });
    let listed = json!({ "properties": { "orders": { "items": row } } });
    seen.tools
        .push(SeenTool { output_schema: Some(listed), ..tool("list_orders", "", &json!({})) });
    let proposals = propose(&outlines(&seen));
    let reach = Reach::Url("http://127.0.0.1:9".to_owned());
    let draft = Draft {
        name: &name,
        reach: &reach,
        seen: &seen,
        proposals: &proposals,
        issuer: "https://i/",
        group: "g",
        token_env: None,
    };
    let text = draft.configuration();
    let unset = |_: &str| None;
    let file = kenward_document::read::<config::ConfigFile>("k", &text, Some(&unset)).unwrap();
    let server = &file.value.servers["acme"];
    let bound = server.tools.iter().filter(|(name, _)| *name != "ping");
    let bound: Vec<_> = bound.map(|(name, binding)| (name.clone(), binding.clone())).collect();
    assert_eq!(bound, proposals.bindings.tools.clone().into_iter().collect::<Vec<_>>(), "{text}");
    assert_eq!(bound.len(), 4);
    assert_eq!(server.resources, proposals.bindings.resources);
    assert_eq!(server.resources.len(), 1);
    assert_eq!(text.matches("# proposed: read and correct").count(), 5, "{text}");
    // What is not sure stands in a comment, and what sounds like nothing as it is.
    assert!(text.contains("# plan_route: {}") && text.contains("      ping: {}"), "{text}");
    let read = kenward_document::read::<kenward_disclosure::InferencesFile>;
    let inferences = read("i", &draft.inferences().unwrap(), None).unwrap();
    assert_eq!(inferences.value, proposals.inferences);
    assert!(draft.schema().unwrap().contains("entity Customer;"));
    let told = told(Path::new("k.yaml"), &draft);
    assert!(
        told.contains("Proposed: what get_customer_address, ") && told.contains("acme-readers"),
        "{told}"
    );
    assert!(told.contains("Not sure: what ") && told.contains("plan_route"), "{told}");
}

#[test]
fn nobody_may_learn_anything_by_what_is_written() {
    let name = ServerName::try_from("acme".to_owned()).unwrap();
    let seen = seen(vec![tool("get_customer_address", "", &json!({ "customer_id": {} }))]);
    let proposals = propose(&outlines(&seen));
    let reach = Reach::Url("http://127.0.0.1:9".to_owned());
    let (seen, proposals) = (&seen, &proposals);
    let (issuer, token_env) = ("https://i/", None);
    let draft =
        Draft { name: &name, reach: &reach, seen, proposals, issuer, group: "g", token_env };
    let policies = draft.policies();
    let active: Vec<&str> = policies.lines().filter(|line| !line.starts_with("//")).collect();
    let learn = active.iter().position(|line| line.contains("learn")).unwrap();
    assert!(active[learn - 1].contains("Group::\"acme-readers\""), "{policies}");
    assert!(
        !draft.directory().lines().any(|line| line.contains("parents") && !line.starts_with('#'))
    );
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
