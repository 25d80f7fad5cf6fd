use proptest::prelude::*;
use serde_json::{Value, json};

use crate::DeclaredMappings;
use crate::fixture::{Deployment, Question, account, caller, person, put, world};

/// Whether Rita is shown the tool `act`, which takes an id and an amount.
fn listed(policies: &str) -> bool {
    listed_with(policies, &|_| {})
}

fn listed_with(policies: &str, change: &dyn Fn(&mut Deployment)) -> bool {
    let schema = json!({ "type": "object", "properties": { "id": { "type": "string" }, "amount": { "type": "integer" } }, "required": ["id", "amount"] });
    let mut deployment = Deployment::small(policies, Some(schema));
    change(&mut deployment);
    let (policies, world, rita) = (deployment.compile(), world(), caller("rita"));
    let ask = Question { policies: &policies, world: &world, caller: &rita };
    let listed = ask.lists_tool("act");
    assert_eq!(listed, ask.lists_tool("act"), "and again");
    listed
}

const CALL: &str = "permit (principal, action in Mcp::Action::\"tools/call\", resource);";

#[test]
fn what_the_arguments_decide_is_listed() {
    let on = |condition: &str| {
        format!(
            "permit (principal, action == Mcp::Action::\"deliveries/act\", resource) when {{ {condition} }};"
        )
    };
    for open in [
        "context.arguments.amount < 100",
        "context.arguments.id == \"x\" && principal in Group::\"representatives\"",
        "principal in Group::\"nobody\" || context.arguments.amount < 100",
        "if context.arguments.amount < 100 then true else false",
        "!(context.arguments.id == \"x\")",
    ] {
        assert!(listed(&on(open)), "{open}");
    }
    for shut in [
        "context.arguments.amount < 100 && principal in Group::\"nobody\"",
        "principal in Group::\"nobody\" && context.arguments.amount < 100",
        "(context.arguments.amount < 100 || context.arguments.amount > 5) && context.scopes.contains(\"none\")",
        "if context.arguments.amount < 100 then principal in Group::\"nobody\" else context.scopes.contains(\"none\")",
        "!(context.arguments.amount < 100 || principal in Group::\"representatives\")",
    ] {
        assert!(!listed(&on(shut)), "{shut}");
    }
}

#[test]
fn a_forbid_hides_only_what_it_forbids_for_certain() {
    let forbid = |condition: &str| {
        format!(
            "{CALL} forbid (principal, action == Mcp::Action::\"deliveries/act\", resource) when {{ {condition} }};"
        )
    };
    assert!(listed(&forbid("context.arguments.amount > 100")));
    assert!(listed(&forbid(
        "context.arguments.amount > 100 && principal in Group::\"representatives\""
    )));
    assert!(listed(&forbid("principal in Group::\"nobody\"")));
    assert!(!listed(&forbid("principal in Group::\"representatives\"")));
    assert!(!listed(&forbid(
        "context.arguments.amount > 100 || principal in Group::\"representatives\""
    )));
    assert!(!listed(&forbid("9223372036854775807 + 1 > 0")), "one that cannot be evaluated");
}

fn mapped(deployment: &mut Deployment, id: &str) {
    deployment.bindings = json!({ "deliveries": { "act": { "mapping": {
        "evaluation": { "action": { "name": "read" }, "resource": { "type": "Customer", "id": id } },
    } } } });
}

#[test]
fn question_two_with_the_object_open() {
    let on = |rule: &str| {
        listed_with(&format!("{CALL} {rule}"), &|deployment| {
            mapped(deployment, "$params.arguments.id");
        })
    };
    assert!(!on(""), "no customer could be read");
    assert!(on(
        "permit (principal, action == Action::\"read\", resource) when { resource.assigned_to == principal };"
    ));
    assert!(on("permit (principal, action == Action::\"read\", resource == Customer::\"1001\");"));
    assert!(on("permit (principal, action == Action::\"read\", resource in Group::\"gold\");"));
    assert!(!on("permit (principal == User::\"omar\", action == Action::\"read\", resource);"));
    assert!(!on(
        "permit (principal, action == Action::\"read\", resource) when { resource.protected && principal in Group::\"nobody\" };"
    ));
    assert!(!on("permit (principal, action == Action::\"write\", resource);"));
    assert!(on(
        "permit (principal, action == Action::\"read\", resource); forbid (principal, action == Action::\"read\", resource) when { resource.protected };"
    ));
    assert!(!on(
        "permit (principal, action == Action::\"read\", resource); forbid (principal, action == Action::\"read\", resource is Customer);"
    ));
    assert!(on(
        "permit (principal, action == Action::\"read\", resource) when { context has mapping && context.mapping has case };"
    ));
}

#[test]
fn question_two_with_the_object_named() {
    let on = |id: &str| {
        listed_with(
            &format!(
                "{CALL} permit (principal, action == Action::\"read\", resource) when {{ resource.assigned_to == principal }};"
            ),
            &|deployment| mapped(deployment, id),
        )
    };
    assert!(on("1001"));
    assert!(!on("4711"), "another's");
    assert!(!on("9999"), "nobody's");
}

#[test]
fn question_three_for_what_every_call_reveals() {
    let disclosing = |role: &'static str, rule: &str| {
        listed_with(&format!("{CALL} {rule}"), &|deployment| {
            deployment.bindings = json!({ "deliveries": { "act": {
                "parameters": { "id": { "role": role } },
                "discloses": [{ "of": "Customer", "subject": "$params.arguments.id", "attribute": "address" }],
            } } });
        })
    };
    assert!(!disclosing("id", ""), "no address could be learnt");
    assert!(disclosing("text", ""), "a text may name a depot");
    let learn = |condition: &str| {
        format!(
            "permit (principal, action == Mcp::Action::\"learn\", resource is Customer) when {{ {condition} }};"
        )
    };
    assert!(disclosing("id", &learn("resource.assigned_to == principal")));
    assert!(disclosing("id", &learn("context.attribute == \"address\" && context.exact")));
    assert!(!disclosing("id", &learn("!context.exact && !resource.protected")));
    assert!(!disclosing("id", &learn("context.attribute == \"name\"")));
}

#[test]
fn rows_of_results_hide_no_tool() {
    assert!(listed_with(CALL, &|deployment| {
        deployment.bindings = json!({ "deliveries": { "act": { "results": [
            { "each": "$.structuredContent.rows[*]", "of": "Customer", "id": "$.id", "attributes": { "name": "$.name" } },
        ] } } });
    }));
}

#[test]
fn strict_mappings_stand_in_for_question_one_in_lists_too() {
    let on = |mode, policies: &str| {
        listed_with(policies, &|deployment| {
            let schema = json!({ "type": "object", "x-authzen-mapping": { "evaluation": { "action": { "name": "read" }, "resource": { "type": "Customer", "id": "$params.arguments.id" } } } });
            deployment.server().tools[0].input_schema = Some(schema.into());
            deployment.server().declared_mappings = mode;
        })
    };
    let read = "permit (principal, action == Action::\"read\", resource);";
    assert!(on(DeclaredMappings::Strict, read));
    assert!(!on(DeclaredMappings::Narrow, read));
    assert!(!on(DeclaredMappings::Strict, CALL));
    assert!(on(DeclaredMappings::Ignore, CALL));
}

#[test]
fn lists_follow_the_directory_and_the_token() {
    let policies = Deployment::deliveries().compile();
    let newcomer = caller("newcomer");
    let shows = |world: &kenward_world::World, caller: &kenward_model::Caller| {
        Question { policies: &policies, world, caller }.lists_tool("list_customers")
    };
    let before = world();
    assert!(!shows(&before, &newcomer));
    let after = put(&before, person("newcomer", &["representatives"]));
    assert!(shows(&after, &newcomer));
    assert!(!shows(&before, &newcomer), "an older snapshot answers as it did");
    let mut member = newcomer;
    member.groups = vec!["representatives".into()];
    assert!(shows(&before, &member));
}

#[test]
fn an_agent_with_rights_of_its_own_narrows_lists() {
    let (policies, rita) = (Deployment::deliveries().compile(), caller("rita"));
    let mut agent = person("desktop", &[]);
    agent["type"] = json!("Mcp::Agent");
    let world = put(&world(), agent);
    assert!(
        !Question { policies: &policies, world: &world, caller: &rita }
            .lists_tool("list_customers")
    );
}

#[test]
fn the_operations_parameters_are_not_looked_at() {
    let (policies, rita) = (Deployment::deliveries().compile(), caller("rita"));
    let world = put(&world(), account("5", true, "omar", "X"));
    let server = crate::fixture::server();
    let ask = Question { policies: &policies, world: &world, caller: &rita };
    for params in
        [Value::Null, json!({ "arguments": { "customer_id": "4711" } }), json!([1]), json!("x")]
    {
        let operation = kenward_model::Operation {
            server: &server,
            method: "tools/call",
            target: kenward_model::Target::Tool("get_customer_address".into()),
            params: &params,
        };
        assert!(
            policies.may_list(&crate::Case {
                asker: ask.asker(),
                operation: &operation,
                memory: crate::Memory::blank()
            }),
            "{params}"
        );
    }
}

/// Conditions in which the arguments and the caller's groups are mixed in every way.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(
        &[
            "context.arguments.amount < 5",
            "context.arguments.id == \"a\"",
            "context.arguments.amount + 9223372036854775800 > 0",
            "principal in Group::\"representatives\"",
            "principal in Group::\"nobody\"",
            "context.scopes.contains(\"deliveries:read\")",
            "true",
            "false",
        ][..],
    )
    .prop_map(ToOwned::to_owned);
    leaf.prop_recursive(3, 8, 3, |inner| {
        let (a, b, c) = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            (a.clone(), b.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (a.clone(), b.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.prop_map(|one| format!("!({one})")),
            (a, b, c).prop_map(|(a, b, c)| format!("(if {a} then {b} else {c})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What can be called is never hidden, and what is hidden can never be called.
    #[test]
    fn every_allowed_call_is_of_a_listed_tool(
        rules in prop::collection::vec((prop::bool::weighted(0.7), condition()), 1..4),
    ) {
        let texts: Vec<String> = rules
            .iter()
            .map(|(permits, condition)| {
                let effect = if *permits { "permit" } else { "forbid" };
                format!("{effect} (principal, action == Mcp::Action::\"deliveries/act\", resource) when {{ {condition} }};\n")
            })
            .collect();
        let schema = json!({ "type": "object", "properties": { "id": { "type": "string" }, "amount": { "type": "integer" } }, "required": ["id", "amount"] });
        let deployment = Deployment::small(&texts.concat(), Some(schema));
        let (policies, world, rita) = (deployment.compile(), world(), caller("rita"));
        let ask = Question { policies: &policies, world: &world, caller: &rita };
        let listed = ask.lists_tool("act");
        for (id, amount) in [("a", 1), ("a", 9), ("b", 1), ("b", 9), ("b", 4000)] {
            match ask.call("act", json!({ "id": id, "amount": amount })) {
                crate::Verdict::Allow(_) => prop_assert!(listed, "{}", texts.concat()),
                crate::Verdict::Refuse(no) => prop_assert_eq!(no.hidden, !listed),
            }
        }
    }
}
