use serde_json::{Value, json};

use crate::DeclaredMappings;
use crate::fixture::{Deployment, Question as Ask, caller, refusal, world};
use crate::verdict::Cause;

/// A deployment whose tool declares `mapping`.
fn declaring(mapping: &Value, mode: DeclaredMappings, policies: &str) -> Deployment {
    let schema = json!({ "type": "object", "properties": { "id": { "type": "string" } }, "x-authzen-mapping": mapping });
    let mut deployment = Deployment::small(policies, Some(schema));
    deployment.server().declared_mappings = mode;
    deployment
}

const ON_CUSTOMERS: &str = r#"
    permit (principal, action == Action::"read", resource is Customer) when { resource.assigned_to == principal };
"#;
const ON_TOOLS: &str = r#"permit (principal, action in Mcp::Action::"tools/call", resource);"#;

fn reading() -> Value {
    json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Customer", "id": "$params.arguments.id" } } })
}

#[test]
fn a_declared_mapping_narrows_replaces_or_is_ignored() {
    let (world, rita) = (world(), caller("rita"));
    let call = |mode, policies: &str, id: &str| {
        let policies = declaring(&reading(), mode, policies).compile();
        Ask { policies: &policies, world: &world, caller: &rita }
            .call("act", json!({ "id": id }))
            .is_allowed()
    };
    let both = format!("{ON_CUSTOMERS}{ON_TOOLS}");
    assert!(
        call(DeclaredMappings::Narrow, &both, "1001")
            && !call(DeclaredMappings::Narrow, &both, "1002")
    );
    assert!(
        !call(DeclaredMappings::Narrow, ON_CUSTOMERS, "1001"),
        "question 1 stands whatever the server says"
    );
    assert!(!call(DeclaredMappings::Narrow, ON_TOOLS, "1001"));
    assert!(
        call(DeclaredMappings::Strict, ON_CUSTOMERS, "1001")
            && !call(DeclaredMappings::Strict, ON_CUSTOMERS, "1002")
    );
    assert!(
        call(DeclaredMappings::Ignore, ON_TOOLS, "1002")
            && !call(DeclaredMappings::Ignore, ON_CUSTOMERS, "1001")
    );
}

#[test]
fn the_configured_mapping_wins_over_the_declared_one() {
    let mut deployment = declaring(
        &json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Customer", "id": "1001" } } }),
        DeclaredMappings::Strict,
        &format!("{ON_CUSTOMERS}{ON_TOOLS}"),
    );
    deployment.bindings = json!({ "deliveries": { "act": { "mapping": reading() } } });
    let (policies, world, rita) = (deployment.compile(), world(), caller("rita"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    assert!(ask.call("act", json!({ "id": "1001" })).is_allowed());
    refusal(ask.call("act", json!({ "id": "1002" })));
}

#[test]
fn a_declared_mapping_that_cannot_be_used_refuses_every_call() {
    let (world, rita) = (world(), caller("rita"));
    for mapping in [
        json!({}),
        json!({ "evaluation": { "action": { "name": "destroy" }, "resource": { "type": "Customer", "id": "1" } } }),
        json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Starship", "id": "1" } } }),
        json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Depot", "id": "1" } } }),
        json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Customer", "id": "$nonsense(" } } }),
    ] {
        for mode in [DeclaredMappings::Narrow, DeclaredMappings::Strict] {
            let deployment = declaring(&mapping, mode, &format!("{ON_CUSTOMERS}{ON_TOOLS}"));
            let compiled = deployment.try_compile().expect("a server cannot break the deployment");
            assert!(!compiled.findings.is_empty());
            let ask = Ask { policies: &compiled.policies, world: &world, caller: &rita };
            let no = refusal(ask.call("act", json!({ "id": "1001" })));
            assert!(matches!(no.cause, Cause::Mapping(_)), "{mapping}");
            assert!(no.hidden);
        }
    }
}

#[test]
fn what_a_mapping_says_is_typed_and_what_it_claims_is_apart() {
    let mapping = json!({ "evaluation": {
        "action": { "name": "read" },
        "resource": { "type": "Customer", "id": "$params.arguments.id", "properties": { "vip": "$params.arguments.vip" } },
        "context": { "case": "$params.arguments.case", "agent": "$token.?client_id" },
    } });
    let rules = format!(
        r#"{ON_TOOLS}
        permit (principal, action == Action::"read", resource is Customer)
        when {{ context has mapping && context.mapping has case && context.mapping.case == "C-1" }}
        unless {{ context has claimed && context.claimed has resource && context.claimed.resource has vip && context.claimed.resource.vip }};
    "#
    );
    let policies = declaring(&mapping, DeclaredMappings::Narrow, &rules).compile();
    let (world, rita) = (world(), caller("rita"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    let call = |case: Value, vip: Value| {
        ask.call("act", json!({ "id": "1001", "case": case, "vip": vip }))
    };
    assert!(call(json!("C-1"), json!(false)).is_allowed());
    assert_eq!(refusal(call(json!("C-2"), json!(false))).question, kenward_model::Question::Object);
    assert_eq!(refusal(call(json!("C-1"), json!(true))).cause, Cause::Policy);
    assert!(matches!(refusal(call(json!(7), json!(false))).cause, Cause::Mapping(_)));
    assert!(matches!(refusal(call(json!("C-1"), json!("no"))).cause, Cause::Mapping(_)));
    assert!(
        matches!(refusal(ask.call("act", json!({ "id": "1001" }))).cause, Cause::Mapping(_)),
        "a missing key"
    );
}

#[test]
fn every_evaluation_must_be_permitted() {
    let mapping = json!({ "evaluations": {
        "resource": { "type": "Customer", "id": "$params.arguments.id" },
        "evaluations": [{ "action": { "name": "read" } }, { "action": { "name": "write" } }],
        "options": { "evaluations_semantic": "permit_on_first_permit" },
    } });
    let (world, rita) = (world(), caller("rita"));
    let call = |rules: &str| {
        let policies = declaring(&mapping, DeclaredMappings::Strict, rules).compile();
        Ask { policies: &policies, world: &world, caller: &rita }
            .call("act", json!({ "id": "1001" }))
            .is_allowed()
    };
    assert!(!call(ON_CUSTOMERS), "reading alone");
    assert!(call(&format!("{ON_CUSTOMERS}{}", ON_CUSTOMERS.replace("read", "write"))));
}
