//! Holds the index, the split of scopes and the slices against Cedar's own authorizer on the full
//! set of policies.

use std::sync::Arc;

use cedar_policy_core::ast::{Context, PolicySet, Request, RequestSchemaAllPass};
use cedar_policy_core::authorizer::{Authorizer, Decision};
use cedar_policy_core::entities::{Entities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::parser::parse_policyset;
use kenward_model::{EntityUid, Fact, Operation, Precision, Target};
use kenward_world::World;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::context::Detail;
use crate::decide::hearing::Hearing;
use crate::fixture::{Deployment, Question, account, caller, person, put, server, tool};
use crate::index::Pair;
use crate::reads::Reads;
use crate::{Case, Memory, Policies};

fn choice(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(texts)
}

/// A policy in text; about one in eight of the conditions can fail.
fn policy() -> impl Strategy<Value = String> {
    let effect = choice(&["permit", "permit", "permit", "forbid"]);
    let principal = choice(&[
        "principal",
        "principal",
        "principal is User",
        "principal is Mcp::Agent",
        "principal == User::\"u0\"",
        "principal == Mcp::Agent::\"desktop\"",
        "principal in Group::\"g0\"",
        "principal in Group::\"g1\"",
        "principal is User in Group::\"g2\"",
    ]);
    let action = choice(&[
        "action",
        "action",
        "action == Mcp::Action::\"deliveries/t0\"",
        "action in Mcp::Action::\"tools/call\"",
        "action in [Mcp::Action::\"deliveries/t1\", Mcp::Action::\"learn\"]",
        "action == Mcp::Action::\"learn\"",
        "action == Action::\"read\"",
        "action in Action::\"all\"",
        "action == Mcp::Action::\"prompts/get\"",
    ]);
    let resource = choice(&[
        "resource",
        "resource",
        "resource is Customer",
        "resource is Mcp::Tool",
        "resource == Customer::\"c0\"",
        "resource in Group::\"g0\"",
        "resource is Customer in Group::\"g1\"",
        "resource == Mcp::Tool::\"deliveries/t0\"",
        "resource in Mcp::Server::\"deliveries\"",
        "resource in Mcp::Server::\"elsewhere\"",
    ]);
    let condition = choice(&[
        "",
        "",
        " when { resource is Customer && resource.protected }",
        " unless { resource is Customer && resource.protected }",
        " when { resource is Customer && resource has tier && resource.tier == \"gold\" }",
        " when { resource is Customer && resource.level > 2 }",
        " when { resource is Customer && resource.level + 9223372036854775805 > 0 }",
        " when { principal is User && principal has department && principal.department == \"d\" }",
        " when { principal in Group::\"g2\" || resource in Group::\"g2\" }",
        " when { principal is User && resource is Customer && resource.assigned_to == principal }",
        " when { context.agent in Group::\"g1\" }",
        " when { context.scopes.contains(\"s\") }",
        " unless { context has ip && context.ip.isLoopback() }",
        " when { context.groups.containsAny([\"g0\", \"g9\"]) }",
        " when { action in Mcp::Action::\"tools/call\" }",
    ]);
    (effect, principal, action, resource, condition).prop_map(
        |(effect, principal, action, resource, condition)| {
            format!("{effect} ({principal}, {action}, {resource}){condition};\n")
        },
    )
}

#[derive(Debug, Clone)]
struct Scene {
    policies: Vec<String>,
    groups_of_user: Vec<String>,
    groups_of_token: Vec<String>,
    agent: Option<Vec<String>>,
    customer: Option<(bool, i64, Option<&'static str>, Vec<String>)>,
    nested: bool,
    scopes: Vec<String>,
}

fn groups() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec((0..4).prop_map(|n| format!("g{n}")), 0..3)
}

fn scene() -> impl Strategy<Value = Scene> {
    (
        prop::collection::vec(policy(), 0..14),
        groups(),
        groups(),
        prop::option::of(groups()),
        prop::option::weighted(
            0.9,
            (any::<bool>(), 0_i64..5, prop::option::of(choice(&["gold", "tin"])), groups()),
        ),
        any::<bool>(),
        prop::collection::vec(Just("s".to_owned()), 0..2),
    )
        .prop_map(
            |(policies, groups_of_user, groups_of_token, agent, customer, nested, scopes)| Scene {
                policies,
                groups_of_user,
                groups_of_token,
                agent,
                customer,
                nested,
                scopes,
            },
        )
}

impl Scene {
    fn policies(&self) -> Policies {
        let mut deployment = Deployment::small(&self.policies.concat(), Some(json!({})));
        deployment.schema = deployment.schema.replace(
            "action read, write appliesTo",
            "action all;\naction read, write in [all] appliesTo",
        );
        deployment.server().tools =
            ["t0", "t1", "t2"].iter().map(|name| tool(name, Some(json!({})))).collect();
        deployment.compile()
    }

    fn world(&self) -> World {
        let names = |groups: &[String]| groups.to_vec();
        let groups: Vec<String> = names(&self.groups_of_user);
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let mut user = person("u0", &groups);
        user["attributes"]["department"] = json!("d");
        let mut world = put(&World::empty(), user);
        if let Some(groups) = &self.agent {
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            let mut agent = person("desktop", &groups);
            agent["type"] = json!("Mcp::Agent");
            world = put(&world, agent);
        }
        if let Some((protected, level, tier, groups)) = &self.customer {
            let mut customer = account("c0", *protected, "u0", "Somebody");
            customer["attributes"]["level"] = json!(level);
            if let Some(tier) = tier {
                customer["attributes"]["tier"] = json!(tier);
            }
            let parents: Vec<Value> =
                groups.iter().map(|name| json!({ "type": "Group", "id": name })).collect();
            customer["parents"] = json!(parents);
            world = put(&world, customer);
        }
        if self.nested {
            world = put(
                &world,
                json!({ "type": "Group", "id": "g3", "attributes": {}, "parents": [{ "type": "Group", "id": "g2" }], "aliases": [] }),
            );
        }
        world
    }
}

/// What Cedar says of the full set: allowed, and without an error.
fn full(
    hearing: &Hearing<'_>,
    set: &PolicySet,
    pair: &Pair,
    principal: &Arc<cedar_policy_core::ast::Entity>,
    resource: &Arc<cedar_policy_core::ast::Entity>,
    context: &Context,
) -> bool {
    let agent = hearing.agent().expect("an agent");
    let mut slice = vec![Arc::clone(principal), Arc::clone(&pair.action), Arc::clone(resource)];
    if agent.uid() != principal.uid() {
        slice.push(agent);
    }
    let entities = Entities::new()
        .add_entities(
            slice,
            None::<&NoEntitiesSchema>,
            TCComputation::AssumeAlreadyComputed,
            Extensions::all_available(),
        )
        .expect("entities");
    let request = Request::new(
        (principal.uid().clone(), None),
        (pair.action.uid().clone(), None),
        (resource.uid().clone(), None),
        context.clone(),
        None::<&RequestSchemaAllPass>,
        Extensions::all_available(),
    )
    .expect("a request");
    let response = Authorizer::new().is_authorized(request, set, &entities);
    response.decision == Decision::Allow && response.diagnostics.errors.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn the_index_decides_as_the_full_set_does(scene in scene()) {
        let (policies, world) = (scene.policies(), scene.world());
        let set = parse_policyset(&scene.policies.concat()).expect("policies");
        let mut who = caller("u0");
        who.groups = scene.groups_of_token.iter().map(|name| name.as_str().into()).collect();
        who.scopes = scene.scopes.iter().map(|name| name.as_str().into()).collect();
        let ask = Question { policies: &policies, world: &world, caller: &who };
        let hearing = Hearing::new(&policies, ask.asker(), Memory::blank());
        let server = server();
        let fact = Fact { subject: EntityUid::new("Customer", "c0"), attribute: "a".into(), family: "f".into(), precision: Precision(1) };
        let fact_detail = Detail::Fact { fact: &fact, via: None, inferred: false };
        let customer = || hearing.object(&fact.subject);
        let target = |target: Target<'static>| {
            let params = Value::Null;
            hearing.target(&Operation { server: &server, method: "", target, params: &params })
        };
        let tools = &policies.servers[&server].tools;
        let none = Detail::None;
        let said = Detail::Mapping { said: None, claimed: None };
        for (pair, uid, resource, detail) in [
            (&tools["t0"].pair, tools["t0"].uid.clone(), target(Target::Tool("t0".into())), none),
            (&tools["t2"].pair, tools["t2"].uid.clone(), target(Target::Tool("t2".into())), none),
            (&policies.learn["Customer"], fact.subject.clone(), customer(), fact_detail),
            (&policies.learn["Depot"], EntityUid::new("Depot", "d"), hearing.object(&EntityUid::new("Depot", "d")), fact_detail),
            (&policies.object_actions["read"].kinds["Customer"], fact.subject.clone(), customer(), said),
            (&policies.object_actions["write"].kinds["Customer"], fact.subject.clone(), customer(), said),
            (&policies.prompts, EntityUid::new("Mcp::Prompt", "deliveries/p"), target(Target::Prompt("p".into())), none),
        ] {
            let resource = resource.expect("a resource");
            let everything = Reads::AGENT | Reads::SCOPES | Reads::GROUPS | Reads::IP;
            let context = hearing.context(everything, detail).expect("a context");
            let user = hearing.user().expect("a user");
            let mut expected = full(&hearing, &set, pair, &user, &resource, &context);
            if scene.agent.is_some() {
                let agent = hearing.agent().expect("an agent");
                expected &= full(&hearing, &set, pair, &agent, &resource, &context);
            }
            let answers = hearing.ask(pair, &uid, &|| Some(Arc::clone(&resource)), detail);
            prop_assert_eq!(answers.is_yes(), expected, "{:?} on {:?}", pair.action.uid(), uid);
        }
    }

    /// What is allowed is listed, and what is not listed is refused whatever the arguments are.
    #[test]
    fn lists_and_decisions_agree(scene in scene()) {
        let (policies, world) = (scene.policies(), scene.world());
        let mut who = caller("u0");
        who.groups = scene.groups_of_token.iter().map(|name| name.as_str().into()).collect();
        let ask = Question { policies: &policies, world: &world, caller: &who };
        let server = server();
        for name in ["t0", "t1", "t2"] {
            let params = json!({ "name": name, "arguments": {} });
            let operation = Operation { server: &server, method: "tools/call", target: Target::Tool(name.into()), params: &params };
            let case = Case { asker: ask.asker(), operation: &operation, memory: Memory::blank() };
            // Nothing is open here, so that both are the same question.
            prop_assert_eq!(policies.decide(&case).is_allowed(), policies.may_list(&case));
        }
    }
}
