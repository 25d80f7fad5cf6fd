//! Each doubt, once where it is raised and once where it is not.

use std::fs;

use kenward_model::{Finding, ServerName, Severity};
use kenward_policy::Tool;
use serde_json::{Value, json};

use super::statements::statements;
use crate::config::{Config, Definitions, load};

/// What a test says; the rest is good.
struct Written {
    tools: Value,
    more: &'static str,
    policies: &'static str,
    directory: &'static str,
    inferences: &'static str,
    known: Vec<Tool>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            tools: json!({}),
            more: "",
            policies: LEARN,
            directory: "- { type: Customer, id: \"1\", aliases: [Ann Lee] }\n",
            inferences: "families:\n  location: { scale: [exact], attributes: [address] }\n",
            known: Vec::new(),
        }
    }
}

const LEARN: &str = "permit (principal in Group::\"g\", action == Mcp::Action::\"learn\", resource) \
                     when { context.family == \"location\" };\n";

impl Written {
    fn findings(&self) -> Vec<Finding> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let config = format!(
            "issuers: [{{ issuer: https://idp.example.com }}]\nservers:\n  crm:\n    url: http://127.0.0.1:9/mcp\n    \
             tools: {}\ndirectory: directory.yaml\ninferences: inferences.yaml\n{}",
            self.tools, self.more
        );
        fs::create_dir(folder.path().join("policies")).unwrap();
        write("kenward.yaml", &config);
        write("directory.yaml", self.directory);
        write("inferences.yaml", self.inferences);
        write("policies/a.cedar", self.policies);
        write("policies/a.cedarschema", "entity Customer;\n");
        let server = ServerName::try_from("crm".to_owned()).unwrap();
        let known = |_: &Config| Ok(Definitions::from([(server.clone(), self.known.clone())]));
        let loaded = load(&folder.path().join("kenward.yaml"), Some(&|_| None), &known);
        loaded.unwrap().findings
    }

    fn raises(&self, severity: Severity, text: &str) {
        let findings = self.findings();
        let found = findings.iter().filter(|finding| finding.message.contains(text));
        let found: Vec<&Finding> = found.collect();
        assert_eq!(found.len(), 1, "{text}: {findings:?}");
        assert_eq!(found[0].severity, severity, "{findings:?}");
        assert!(found[0].place.source.contains(".yaml"), "{findings:?}");
    }

    fn is_clean(&self) {
        let findings = self.findings();
        assert!(findings.is_empty(), "{findings:?}");
    }
}

fn address(parameters: &Value) -> Value {
    let told =
        json!({ "of": "Customer", "subject": "$params.arguments.who", "attribute": "address" });
    json!({ "get_address": { "parameters": parameters, "discloses": [told] } })
}

fn closed() -> Value {
    address(&json!({ "who": { "role": "text" } }))
}

fn known(name: &str, arguments: &Value) -> Tool {
    let schema = json!({ "type": "object", "properties": arguments });
    Tool { name: name.into(), input_schema: Some(schema.into()) }
}

#[test]
fn a_good_binding_raises_nothing() {
    let who = json!({ "who": { "type": "string" } });
    Written { tools: closed(), ..Written::default() }.is_clean();
    let known = vec![known("get_address", &who), known("ping", &json!({}))];
    Written { tools: closed(), known, ..Written::default() }.is_clean();
}

#[test]
fn tools_that_sound_like_a_family_and_are_not_bound() {
    let written = |tools| Written { tools, ..Written::default() };
    let text = "nobody has said what these reveal: `plan_route` (location)";
    written(json!({ "plan_route": {}, "ping": {} })).is_clean();
    let seen = vec![known("plan_route", &json!({}))];
    Written { known: seen, ..Written::default() }.raises(Severity::Note, text);
    let by_argument = vec![known("plan", &json!({ "address": { "type": "string" } }))];
    Written { known: by_argument, ..Written::default() }
        .raises(Severity::Note, "`plan` (location)");
    written(json!({ "ping": {} })).is_clean();
    written(json!({ "plan_route": { "parameters": { "stops": { "role": "free" } } } })).is_clean();
}

#[test]
fn texts_that_may_name_somebody_unseen() {
    for mode in ["open", "ignore"] {
        let tools = address(&json!({ "who": { "role": "text", "mode": mode } }));
        let text = format!("`who` is `{mode}`, and the tool reveals `address`");
        Written { tools: tools.clone(), ..Written::default() }.raises(Severity::Warning, &text);
        // No policy decides on that family.
        let policies = "permit (principal in Group::\"g\", action == Mcp::Action::\"learn\", resource) \
                        when { context.attribute == \"name\" };\n";
        let written = Written { tools, policies, ..Written::default() };
        let findings = written.findings();
        assert!(!findings.iter().any(|f| f.message.contains("is not protected")), "{findings:?}");
    }
}

#[test]
fn attributes_of_no_family() {
    let inferences = "families:\n  health: { scale: [exact], attributes: [diagnosis] }\n";
    let policies = "permit (principal, action == Mcp::Action::\"learn\", resource);\n";
    let written = Written { tools: closed(), inferences, policies, ..Written::default() };
    written.raises(Severity::Note, "no family claims `address`");
    Written { tools: closed(), inferences: "families: {}\n", policies, ..Written::default() }
        .is_clean();
    let mut tools = closed();
    tools["get_address"]["discloses"][0]["attribute"] = json!("name");
    Written { tools, policies, inferences, ..Written::default() }.is_clean();
}

#[test]
fn nothing_that_permits_to_learn() {
    let text = "nothing permits to learn anything";
    let policies = "permit (principal, action in Mcp::Action::\"tools/call\", resource);\n\
                    // permit (principal, action, resource);\n\
                    forbid (principal, action == Mcp::Action::\"learn\", resource);\n";
    Written { tools: closed(), policies, ..Written::default() }.raises(Severity::Warning, text);
    Written { policies, ..Written::default() }.is_clean();
    let policies = "permit (principal, action, resource);\n";
    Written { tools: closed(), policies, ..Written::default() }.is_clean();
}

#[test]
fn types_that_the_directory_does_not_know() {
    let directory = "- { type: Group, id: g }\n";
    let written = Written { tools: closed(), directory, ..Written::default() };
    written.raises(Severity::Note, "no directory file has an entity of the type `Customer`");
    Written { directory, ..Written::default() }.is_clean();
}

#[test]
fn arguments_that_the_tool_does_not_have() {
    let seen = |arguments: Value| vec![known("get_address", &arguments)];
    let written =
        |arguments| Written { tools: closed(), known: seen(arguments), ..Written::default() };
    let misspelt = written(json!({ "whom": { "type": "string" } }));
    misspelt.raises(Severity::Warning, "the tool has no argument `who`");
    let helps = misspelt.findings().into_iter().filter_map(|finding| finding.help);
    assert_eq!(helps.collect::<Vec<_>>(), ["did you mean `whom`?"]);
    written(json!({ "who": { "type": "string" } })).is_clean();
    // What lies inside of something open cannot be told.
    let told =
        json!({ "of": "Customer", "subject": "$params.arguments.a.b", "attribute": "address" });
    let tools = json!({ "get_address": { "discloses": [told] } });
    let open = seen(json!({ "a": { "$ref": "#/$defs/A" } }));
    let open = Written { tools: tools.clone(), known: open, ..Written::default() }.findings();
    assert!(!open.iter().any(|finding| finding.message.contains("argument")), "{open:?}");
    let inside = json!({ "a": { "type": "object", "properties": { "c": { "type": "string" } } } });
    let written = Written { tools, known: seen(inside), ..Written::default() };
    written.raises(Severity::Warning, "the tool has no argument `a.b`");
}

#[test]
fn tools_that_the_server_does_not_have() {
    let seen = vec![known("get_addresses", &json!({}))];
    let written = Written { tools: closed(), known: seen, ..Written::default() };
    written.raises(Severity::Warning, "the server `crm` has shown no tool `get_address`");
    Written { tools: closed(), ..Written::default() }.is_clean();
}

#[test]
fn subjects_without_a_name() {
    let directory = "- { type: Customer, id: \"1\", aliases: [Ann Lee] }\n\
                     - { type: Customer, id: \"2\" }\n- { type: Customer, id: \"3\" }\n- { type: User, id: u }\n";
    let written = Written { tools: closed(), directory, ..Written::default() };
    written.raises(Severity::Note, "2 of 3 entities of `Customer` have no alias, such as `2`");
    Written { directory, ..Written::default() }.is_clean();
}

#[test]
fn policies_are_read_as_far_as_their_text_tells() {
    let text = "@id(\"permit (action, x)\") forbid (principal, action in [Mcp::Action::\"a\", \
                Mcp::Action::\"learn\"], resource) when { context.family == \"hea\\\"lth\" }; // permit(action)\n\
                permit (principal, action == Mcp::Action::\"x/learn\", resource);\npermit(principal,action,resource);";
    let read = statements(text);
    let shape: Vec<(bool, bool)> = read.iter().map(|one| (one.permits, one.is_on_learn)).collect();
    assert_eq!(shape, [(false, true), (true, false), (true, true)]);
    assert!(read[0].speaks_of(&["hea\"lth"]) && !read[0].speaks_of(&["health"]));
    assert!(!read[1].speaks_of(&["health"]) && read[2].speaks_of(&["health"]));
}
