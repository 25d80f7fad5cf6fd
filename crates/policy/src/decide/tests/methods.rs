use kenward_model::Target;
use serde_json::Value;

use crate::fixture::{Deployment, Question as Ask, caller, refusal, world};

#[test]
fn server_methods() {
    let (policies, world) = (Deployment::deliveries().compile(), world());
    let (rita, stranger) = (caller("rita"), caller("stranger"));
    let decide = |caller: &kenward_model::Caller, method: &str| {
        Ask { policies: &policies, world: &world, caller }
            .decide(method, Target::Server, &Value::Null)
            .is_allowed()
    };
    for method in [
        "ping",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "notifications/initialized",
    ] {
        assert!(decide(&rita, method) && decide(&stranger, method), "{method}");
    }
    for method in ["initialize", "server/discover", "subscriptions/listen", "logging/setLevel"] {
        assert!(decide(&rita, method), "{method}: she may use something");
        assert!(!decide(&stranger, method), "{method}: may use nothing");
    }
    for method in [
        "elicitation/create",
        "sampling/createMessage",
        "roots/list",
        "tasks/list",
        "completion/complete",
    ] {
        assert!(!decide(&rita, method), "{method}: needs a permit");
    }
    let mut deployment = Deployment::deliveries();
    deployment.policies += r#"
        permit (principal, action == Mcp::Action::"elicitation/create", resource == Mcp::Server::"deliveries");
        permit (principal == User::"stranger", action == Mcp::Action::"initialize", resource);
        forbid (principal == User::"rita", action in [Mcp::Action::"initialize", Mcp::Action::"tools/list"], resource);
    "#;
    let policies = deployment.compile();
    let decide = |caller: &kenward_model::Caller, method: &str| {
        Ask { policies: &policies, world: &world, caller }
            .decide(method, Target::Server, &Value::Null)
            .is_allowed()
    };
    assert!(decide(&rita, "elicitation/create"));
    assert!(decide(&stranger, "initialize"));
    assert!(
        !decide(&rita, "initialize") && !decide(&rita, "tools/list"),
        "a forbid counts everywhere"
    );
}

#[test]
fn prompts_resources_and_templates_are_decided_by_their_own_action() {
    let mut deployment = Deployment::deliveries();
    deployment.policies = r#"
        permit (principal == User::"rita", action == Mcp::Action::"prompts/get", resource == Mcp::Prompt::"deliveries/greet");
        permit (principal == User::"rita", action == Mcp::Action::"resources/read", resource == Mcp::ResourceTemplate::"deliveries/file:///{path}");
        permit (principal == User::"rita", action == Mcp::Action::"resources/read", resource == Mcp::Resource::"deliveries/file:///open");
    "#.to_owned();
    let (policies, world) = (deployment.compile(), world());
    let (rita, omar) = (caller("rita"), caller("omar"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    assert!(ask.decide("prompts/get", Target::Prompt("greet".into()), &Value::Null).is_allowed());
    assert!(
        ask.decide("completion/complete", Target::Prompt("greet".into()), &Value::Null)
            .is_allowed()
    );
    assert!(
        refusal(ask.decide("prompts/get", Target::Prompt("other".into()), &Value::Null)).hidden
    );
    for method in [
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "notifications/resources/updated",
    ] {
        assert!(
            ask.decide(method, Target::Resource("file:///open".into()), &Value::Null).is_allowed()
        );
        assert!(
            refusal(ask.decide(method, Target::Resource("file:///secret".into()), &Value::Null))
                .hidden
        );
    }
    assert!(ask.lists(Target::ResourceTemplate("file:///{path}".into())));
    assert!(
        !ask.lists(Target::Resource("file:///{path}".into())),
        "a right on a template is no right on a URI"
    );
    assert!(
        ask.decide("initialize", Target::Server, &Value::Null).is_allowed(),
        "she may use a prompt"
    );
    let ask = Ask { policies: &policies, world: &world, caller: &omar };
    refusal(ask.decide("initialize", Target::Server, &Value::Null));
}

#[test]
fn a_right_on_another_servers_items_opens_nothing_here() {
    let mut deployment = Deployment::deliveries();
    deployment.policies = r#"
        permit (principal, action == Mcp::Action::"prompts/get", resource == Mcp::Prompt::"elsewhere/greet");
        permit (principal, action == Mcp::Action::"resources/read", resource in Mcp::Server::"elsewhere");
    "#.to_owned();
    let (policies, world, rita) = (deployment.compile(), world(), caller("rita"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    refusal(ask.decide("initialize", Target::Server, &Value::Null));
}
