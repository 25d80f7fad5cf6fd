use kenward_model::{EntityUid, Fact, Precision};
use serde_json::json;

use super::*;
use crate::fixture::{Deployment, Question as Ask, caller, customer, server, world};
use crate::surface::DeclaredMappings;

#[test]
fn methods_need_a_permit_or_not() {
    let policies = Deployment::deliveries().compile();
    for method in ["ping", "tools/list", "initialize", "logging/setLevel", "no/such"] {
        assert!(policies.needs_no_permit(method), "{method}");
    }
    for method in ["elicitation/create", "sampling/createMessage", "completion/complete"] {
        assert!(!policies.needs_no_permit(method), "{method}");
    }
}

#[test]
fn a_strict_mapping_of_the_server_stands_in_for_question_one() {
    let declared = json!({
        "type": "object",
        "properties": { "customer_id": { "type": "string" } },
        "x-authzen-mapping": { "evaluation": {
            "action": { "name": "read" },
            "resource": { "type": "Customer", "id": "$params.arguments.customer_id" },
        } },
    });
    let mut deployment = Deployment::small("", Some(declared));
    assert!(deployment.compile().asks_for_use(&server(), "act"));
    deployment.server().declared_mappings = DeclaredMappings::Strict;
    assert!(!deployment.compile().asks_for_use(&server(), "act"));
    assert!(!deployment.compile().asks_for_use(&server(), "no_such_tool"));
}

#[test]
fn acting_is_asked_alone() {
    let (policies, world) = (Deployment::deliveries().compile(), world());
    let reads = |who: &str, kind: &str| {
        let caller = caller(who);
        let ask = Ask { policies: &policies, world: &world, caller: &caller };
        let evaluation = Evaluation {
            action: "read".to_owned(),
            resource: EntityUid::new(kind, "1001"),
            context: None,
            claimed: None,
        };
        policies.may_act(&ask.asker(), &evaluation)
    };
    assert!(reads("rita", "Customer"));
    assert!(!reads("nobody", "Customer"));
    assert!(!reads("rita", "Depot"), "the action does not apply to it");
}

fn learns(rules: &str) -> bool {
    let mut deployment = Deployment::deliveries();
    deployment.policies = format!(
        "permit (principal, action == Mcp::Action::\"learn\", resource is Customer); {rules}"
    );
    let (policies, world) = (deployment.compile(), world());
    let rita = caller("rita");
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    let fact = Fact {
        subject: customer("1001"),
        attribute: "address".into(),
        family: "location".into(),
        precision: Precision::EXACT,
    };
    let via = EntityUid::new("Mcp::Tool", "deliveries/get_customer_address");
    policies.may_learn(&ask.asker(), &fact, &via, false).is_ok()
}

#[test]
fn a_tool_that_tells_is_in_its_server() {
    assert!(learns(""));
    let forbid = |condition: &str| {
        format!(
            "forbid (principal, action == Mcp::Action::\"learn\", resource) when {{ {condition} }};"
        )
    };
    assert!(!learns(&forbid("context.via in Mcp::Server::\"deliveries\"")));
    assert!(learns(&forbid("context.via in Mcp::Server::\"other\"")));
    assert!(!learns(&forbid("!(context.via in Mcp::Server::\"other\")")));
}

#[test]
fn what_a_mapping_names_is_in_its_groups() {
    let mut deployment = Deployment::deliveries();
    deployment.schema = deployment.schema.replace("case?: String", "owner?: User");
    deployment.policies = r#"
        permit (principal, action == Action::"read", resource is Customer);
        forbid (principal, action == Action::"read", resource is Customer)
        when { context has mapping && context.mapping has owner &&
               context.mapping.owner in Group::"protection-desk" };
    "#
    .to_owned();
    let (policies, world) = (deployment.compile(), world());
    let rita = caller("rita");
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    let reads = |owner: &str| {
        let evaluation = Evaluation {
            action: "read".to_owned(),
            resource: customer("1001"),
            context: Some(json!({ "owner": { "type": "User", "id": owner } })),
            claimed: None,
        };
        policies.may_act(&ask.asker(), &evaluation)
    };
    assert!(reads("rita"));
    assert!(!reads("omar"));
}
