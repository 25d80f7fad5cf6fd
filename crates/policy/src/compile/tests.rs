use serde_json::json;

use crate::fixture::{Deployment, POLICIES, SCHEMA, said, tool};

/// Findings of a deployment with these policies and a tool that takes an amount.
fn findings(policies: &str) -> Vec<kenward_model::Finding> {
    let schema = json!({ "type": "object", "properties": { "amount": { "type": "integer" } }, "required": ["amount"] });
    Deployment::small(policies, Some(schema)).findings()
}

fn only(policies: &str) -> kenward_model::Finding {
    let found = findings(policies);
    assert_eq!(found.len(), 1, "{}", said(&found));
    found.into_iter().next().expect("one finding")
}

#[test]
fn good_policies_give_no_findings() {
    let found = Deployment::deliveries().findings();
    assert!(found.is_empty(), "{}", said(&found));
    assert!(
        POLICIES.contains("resource.assigned_to == principal"),
        "also where an agent's type differs"
    );
}

#[test]
fn an_unknown_attribute_is_found_with_its_place_and_the_nearest_name() {
    let finding = only(
        "permit (principal, action == Mcp::Action::\"learn\", resource is Customer)\nwhen { resource.protcted };",
    );
    assert_eq!(finding.place.to_string(), "rules.cedar:2:8");
    assert!(finding.is_error());
    assert!(finding.message.contains("protcted"), "{finding}");
    assert!(finding.help.as_deref().is_some_and(|help| help.contains("`protected`")), "{finding}");
}

#[test]
fn mistakes_are_errors_with_line_and_column() {
    let learn = "permit (principal, action == Mcp::Action::\"learn\", resource is Customer)\nwhen";
    for (policy, place, words) in [
        ("permit (principal, action, resource)", "rules.cedar:1:37", "unexpected end"),
        ("permit (principle, action, resource);", "rules.cedar:1:9", "principle"),
        (&format!("{learn} {{ context.atribute == \"x\" }};"), "rules.cedar:2:8", "atribute"),
        (&format!("{learn} {{ resource.level == \"x\" }};"), "rules.cedar:2:8", "not compatible"),
        (&format!("{learn} {{ resource.tier == \"x\" }};"), "rules.cedar:2:8", "tier"),
        (
            &format!("{learn} {{ resource.assigned_to.department == \"x\" }};"),
            "rules.cedar:2:8",
            "",
        ),
        (&format!("{learn} {{ User::\"a\" has department }};"), "rules.cedar:2:8", ""),
        ("permit (principal in Grup::\"x\", action, resource);", "rules.cedar:1:22", "Grup"),
        ("permit (principal, action == Action::\"raed\", resource);", "rules.cedar:1:30", "raed"),
        ("permit (principal == ?principal, action, resource);", "rules.cedar:1:1", "template"),
        ("@mode(\"shade\") permit (principal, action, resource);", "rules.cedar:1:1", "`shade`"),
        (
            "permit (principal, action == Mcp::Action::\"deliveries/act\", resource) when { context.arguments.amont > 1 };",
            "rules.cedar:1:78",
            "amont",
        ),
    ] {
        let found = findings(policy);
        let error = found.iter().find(|finding| finding.is_error());
        let error = error.unwrap_or_else(|| panic!("{policy} is accepted: {}", said(&found)));
        assert_eq!(error.place.to_string(), place, "{policy}: {error}");
        assert!(error.message.contains(words), "{policy}: {error}");
        assert!(!error.message.ends_with('.') && !error.message.contains("policy0"), "{error}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let found = findings(
        "permit (principal in Grup::\"x\", action, resource);\n\
         permit (principal, action == Mcp::Action::\"learn\", resource is Customer) when { resource.protcted };\n\
         @id(\"a\") permit (principal, action, resource);\n\
         @id(\"a\") forbid (principal, action, resource);",
    );
    let lines: Vec<usize> = found.iter().map(|finding| finding.place.line).collect();
    assert_eq!(lines, [1, 2, 4], "{}", said(&found));
}

#[test]
fn tools_and_servers_that_nobody_knows_are_warned_of() {
    for (policy, words, near) in [
        (
            "permit (principal, action == Mcp::Action::\"deliveries/atc\", resource);",
            "`deliveries/atc`",
            "`deliveries/act`",
        ),
        (
            "permit (principal, action, resource == Mcp::Tool::\"deliveries/atc\");",
            "`deliveries/atc`",
            "`deliveries/act`",
        ),
        (
            "permit (principal, action, resource in Mcp::Server::\"delivries\");",
            "`delivries`",
            "`deliveries`",
        ),
        (
            "permit (principal, action, resource) when { resource in Mcp::Server::\"delivries\" };",
            "`delivries`",
            "`deliveries`",
        ),
    ] {
        let found = findings(policy);
        let one = found.iter().find(|one| one.message.contains(words));
        let one = one.unwrap_or_else(|| panic!("{policy}: {}", said(&found)));
        assert!(!one.is_error(), "a server that takes a tool away breaks nothing: {one}");
        assert!(one.help.as_deref().is_some_and(|help| help.contains(near)), "{one}");
    }
    let compiled = Deployment::small("permit (principal, action == Mcp::Action::\"deliveries/gone\", resource) when { context.arguments.amount > 1 };", None).try_compile();
    let compiled = compiled.unwrap_or_else(|errors| panic!("{}", said(&errors)));
    assert!(compiled.findings.iter().any(|one| one.message.starts_with("unchecked")));
    assert!(
        compiled.policies.servers[&crate::fixture::server()].tools.contains_key("gone"),
        "what a policy names is asked about before a server has shown it"
    );
    let elsewhere =
        findings("permit (principal, action == Mcp::Action::\"delivries/act\", resource);");
    assert!(elsewhere.iter().any(kenward_model::Finding::is_error), "servers are configured here");
}

#[test]
fn duplicate_ids_name_both_places() {
    let finding = only(
        "@id(\"one\")\npermit (principal, action, resource);\n@id(\"one\")\nforbid (principal, action, resource);",
    );
    assert!(finding.is_error() && finding.message.contains("`one`"));
    assert_eq!(finding.place.line, 3);
    assert!(
        finding.help.as_deref().is_some_and(|help| help.contains("rules.cedar:1:1")),
        "{finding}"
    );
    let unnamed =
        findings("permit (principal, action, resource);\nforbid (principal, action, resource);");
    assert!(unnamed.is_empty(), "policies without an id have names of their own");
}

#[test]
fn doubtful_policies_are_warned_of() {
    for (policy, words) in [
        ("@reasn(\"x\") permit (principal, action, resource);", "reasn"),
        (
            "permit (principal, action == Mcp::Action::\"learn\", resource == Mcp::Server::\"deliveries\");",
            "",
        ),
        (
            "permit (principal, action == Mcp::Action::\"learn\", resource is Customer) when { principal has department && principal.department == \"x\" && false };",
            "",
        ),
    ] {
        let finding = only(policy);
        assert!(!finding.is_error() && finding.message.contains(words), "{finding}");
    }
}

#[test]
fn an_attribute_that_agents_lack_is_a_warning_and_one_that_users_lack_an_error() {
    let policy = |kind: &str, attribute: &str| {
        format!(
            "permit (principal{kind}, action == Mcp::Action::\"learn\", resource is Customer) when {{ principal has {attribute} && principal.{attribute} == \"x\" }};"
        )
    };
    assert!(findings(&policy("", "department")).is_empty(), "`has` guards it");
    let schema = SCHEMA.replace("department?", "department");
    let mut deployment = Deployment::small(
        "permit (principal, action == Mcp::Action::\"learn\", resource is Customer) when { principal.department == \"x\" };",
        None,
    );
    deployment.schema = schema;
    let found = deployment.findings();
    assert!(found.len() == 1 && !found[0].is_error(), "{}", said(&found));
    assert!(
        found[0].message.contains("agent")
            && found[0].help.as_deref().is_some_and(|help| help.contains("principal is User")),
        "{}",
        found[0]
    );
    deployment.policies = deployment.policies.replace("principal,", "principal is Mcp::Agent,");
    assert!(
        deployment.findings().iter().any(kenward_model::Finding::is_error),
        "where agents are meant"
    );
}

#[test]
fn what_cannot_be_checked_yet_is_unchecked_and_not_wrong() {
    let reading = "permit (principal, action == Mcp::Action::\"deliveries/act\", resource) when { context.arguments.amount > 1 };";
    let found = Deployment::small(reading, None).findings();
    assert_eq!(found.len(), 1, "{}", said(&found));
    assert!(!found[0].is_error() && found[0].message.starts_with("unchecked"), "{}", found[0]);
    assert_eq!(found[0].place.to_string(), "rules.cedar:1:1");

    let mut mixed = Deployment::small(
        "permit (principal, action in Mcp::Action::\"tools/call\", resource) when { context.arguments.wrong > 1 };",
        None,
    );
    mixed.server().tools.push(tool(
        "seen",
        Some(json!({ "type": "object", "properties": { "amount": { "type": "integer" } } })),
    ));
    assert!(
        mixed.findings().iter().any(kenward_model::Finding::is_error),
        "what is known is checked"
    );
    assert!(findings(reading).is_empty());
}

#[test]
fn schema_mistakes_are_placed() {
    for (schema, words) in [
        ("entity Customer {", "unexpected end"),
        ("entity A;\nentity A;", "A"),
        ("entity Customer { owner: Persn };", "Persn"),
        ("namespace Mcp { entity Thing; }", "`Mcp`"),
        ("namespace Mcp::Inner { entity Thing; }", "`Mcp::Inner`"),
        (
            "entity Customer;\naction read appliesTo { principal: User, resource: Customer, context: { now: Long } };",
            "`now`",
        ),
        (
            "entity Customer;\naction read appliesTo { principal: User, resource: Customer, context: { case: String } };",
            "`case`",
        ),
        ("entity Customer tags String;", "tags"),
    ] {
        let mut deployment = Deployment::small("", None);
        deployment.schema = schema.to_owned();
        let found = deployment.findings();
        let error = found.first().unwrap_or_else(|| panic!("{schema} is accepted"));
        assert!(error.is_error() && error.message.contains(words), "{schema}: {}", said(&found));
        assert_eq!(error.place.source, "objects.cedarschema");
        assert!(error.place.line > 0, "{error}");
        assert!(error.place.line == 1 || schema.contains('\n'), "{error}");
    }
}

#[test]
fn contexts_by_name_are_completed_too() {
    let mut deployment = Deployment::small(
        "permit (principal, action == Action::\"read\", resource) when { context has mapping && context.mapping.case == \"x\" && context.protocol == \"y\" };",
        None,
    );
    deployment.schema = "type Said = { case: String };\ntype Ctx = { mapping?: Said };\nentity Customer;\naction read appliesTo { principal: User, resource: Customer, context: Ctx };".to_owned();
    let found = deployment.findings();
    assert!(found.is_empty(), "{}", said(&found));
    deployment.schema =
        deployment.schema.replace("type Ctx = { mapping?: Said }", "type Ctx = String");
    assert!(deployment.findings().iter().any(kenward_model::Finding::is_error));
}

#[test]
fn mappings_and_bindings_must_fit_the_schema() {
    for (mapping, words) in [
        (
            json!({ "evaluation": { "action": { "name": "raed" }, "resource": { "type": "Customer", "id": "1" } } }),
            "`read`",
        ),
        (
            json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Custmer", "id": "1" } } }),
            "`Customer`",
        ),
        (
            json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Depot", "id": "1" } } }),
            "does not apply",
        ),
        (
            json!({ "evaluation": { "action": { "name": "$params.name" }, "resource": { "type": "Custmer", "id": "1" } } }),
            "`Customer`",
        ),
        (json!({ "evaluation": { "action": { "name": "read" } } }), "resource"),
        (json!({ "evaluations": { "evaluations": 3 } }), "list"),
    ] {
        let mut deployment = Deployment::small("", Some(json!({ "type": "object" })));
        deployment.bindings = json!({ "deliveries": { "act": { "mapping": mapping } } });
        let found = deployment.findings();
        assert!(
            found.iter().any(|one| one.is_error() && one.message.contains(words)),
            "{mapping}: {}",
            said(&found)
        );
    }
    let mut deployment = Deployment::small("", Some(json!({ "type": "object" })));
    deployment.bindings = json!({ "deliveries": { "act": { "discloses": [{ "of": "Custmer", "subject": "$params.arguments.id", "attribute": "x" }] } } });
    let found = deployment.findings();
    assert!(
        found
            .iter()
            .any(|one| one.is_error() && one.help.as_deref() == Some("did you mean `Customer`?")),
        "{}",
        said(&found)
    );
}

#[test]
fn a_tool_cannot_take_the_name_of_an_action_of_kenward() {
    use std::collections::BTreeMap;

    use kenward_model::ServerName;

    let mut deployment = Deployment::small(
        "permit (principal, action == Mcp::Action::\"tools/list\", resource);",
        None,
    );
    let offered = crate::ServerSurface {
        tools: vec![tool("list", None), tool("call", None), tool("fine", None)],
        ..crate::ServerSurface::default()
    };
    let name = ServerName::try_from("tools".to_owned()).expect("a name");
    deployment.surface.servers = BTreeMap::from([(name.clone(), offered)]);
    let compiled = deployment.try_compile().expect("a server cannot break the deployment");
    assert_eq!(compiled.findings.len(), 2, "{}", said(&compiled.findings));
    let tools = &compiled.policies.servers[&name].tools;
    assert_eq!(tools.keys().map(|key| &**key).collect::<Vec<_>>(), ["fine"]);
}

#[test]
fn a_tool_that_is_listed_twice_is_warned_of() {
    let mut deployment = Deployment::small("", Some(json!({ "type": "object" })));
    deployment.server().tools.push(tool("act", None));
    let found = deployment.findings();
    assert!(found.len() == 1 && found[0].message.contains("twice"), "{}", said(&found));
}

#[test]
fn odd_names_of_tools_and_arguments_do_no_harm() {
    let schema = json!({ "type": "object", "properties": { "a \"b\"\\": { "type": "string" }, "": { "type": "integer" }, "__entity": { "type": "string" }, "$ref": { "type": "string" } } });
    let mut deployment = Deployment::small(
        "permit (principal, action in Mcp::Action::\"tools/call\", resource);",
        None,
    );
    deployment.server().tools = ["a/b", "quo\"te", "new\nline", "", "ünïcode", "a\\b"]
        .iter()
        .map(|name| tool(name, Some(schema.clone())))
        .collect();
    let compiled = deployment.try_compile().unwrap_or_else(|errors| panic!("{}", said(&errors)));
    assert!(compiled.findings.is_empty(), "{}", said(&compiled.findings));
    assert_eq!(compiled.policies.servers[&crate::fixture::server()].tools.len(), 6);
}
