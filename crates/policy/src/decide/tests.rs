use std::sync::OnceLock;

use kenward_model::{EntityUid, Fact, Precision, Target, Timestamp};
use kenward_world::{Change, Standing, World};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fixture::{
    Deployment, Question as Ask, account, caller, customer, person, put, refusal, server, tool,
    user, world,
};
use crate::{Case, Memory};

mod mappings;
mod methods;

fn texts(refusal: &Refusal) -> Vec<&str> {
    refusal.reasons.iter().filter_map(|reason| reason.text.as_deref()).collect()
}

#[test]
fn the_story() {
    let (policies, world) = (Deployment::deliveries().compile(), world());
    let rita = caller("rita");
    let rita = Ask { policies: &policies, world: &world, caller: &rita };
    let address = |id: &str| rita.call("get_customer_address", json!({ "customer_id": id }));

    assert!(address("1001").is_allowed(), "her own customer");
    let no = refusal(address("4711"));
    assert_eq!((no.question, &no.cause, no.hidden), (Question::Fact, &Cause::Policy, false));
    assert_eq!(
        texts(&no),
        ["A protected customer's address is known to the protection desk alone."]
    );
    let no = refusal(address("1002"));
    assert_eq!((no.question, no.reasons.len()), (Question::Fact, 0), "another's customer, exactly");

    let near = |place: &str| rita.call("get_dropoff_locations", json!({ "near": place }));
    let no = refusal(near("Taylor Swift's home"));
    assert_eq!(no.question, Question::Fact);
    assert_eq!(no.basis.objects, [customer("4711")]);
    assert!(near("our Nashville depot").is_allowed());
    assert!(matches!(refusal(near("the singer's villa")).cause, Cause::Unresolved(_)));

    let omar = caller("omar");
    let omar = Ask { policies: &policies, world: &world, caller: &omar };
    assert!(omar.call("get_customer_address", json!({ "customer_id": "4711" })).is_allowed());
}

#[test]
fn a_permit_says_what_it_rests_on() {
    let (policies, world) = (Deployment::deliveries().compile(), world());
    let rita = caller("rita");
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    let verdict = ask.call("get_customer_address", json!({ "customer_id": "1001" }));
    let Verdict::Allow(permit) = &verdict else { panic!("refused") };
    let basis = permit.basis();
    assert_eq!(basis.objects, [customer("1001")]);
    assert_eq!(basis.facts.len(), 1);
    assert_eq!(basis.revision, world.revision());
    let names: Vec<&str> = basis.policies.iter().map(|name| &**name).collect();
    assert_eq!(names, ["representatives-call", "own-customers-read", "own-customers-learn"]);
}

#[test]
fn what_follows_is_asked_as_well() {
    let mut deployment = Deployment::deliveries();
    // The route itself, roughly, may be learnt by all; the exact address that follows may not.
    deployment.policies += r#"
        @id("routes") permit (principal, action == Mcp::Action::"learn", resource is Customer)
        when { context.attribute == "route" };
    "#;
    let (policies, world, rita) = (deployment.compile(), world(), caller("rita"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    let no = refusal(ask.call("get_route", json!({ "customer_id": "1002" })));
    assert_eq!(no.question, Question::Inference);
    let facts: Vec<&str> = no.basis.facts.iter().map(|fact| &*fact.attribute).collect();
    assert_eq!(facts, ["route", "address"]);
    assert!(ask.call("get_route", json!({ "customer_id": "1001" })).is_allowed());
}

#[test]
fn nothing_is_allowed_without_a_policy() {
    let mut deployment = Deployment::deliveries();
    deployment.policies = String::new();
    let (policies, world, rita) = (deployment.compile(), world(), caller("rita"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    for tool in ["get_customer_address", "delete_delivery", "list_customers"] {
        let no = refusal(ask.call(tool, json!({ "customer_id": "1001" })));
        assert!(no.hidden, "{tool}");
        assert!(!ask.lists_tool(tool), "{tool}");
    }
    for method in [
        "initialize",
        "server/discover",
        "elicitation/create",
        "sampling/createMessage",
        "roots/list",
        "subscriptions/listen",
        "logging/setLevel",
    ] {
        let no = refusal(ask.decide(method, Target::Server, &Value::Null));
        assert_eq!(no.question, Question::Operation, "{method}");
    }
    let fact = fact("address", 0);
    assert_eq!(policies.may_learn(&ask.asker(), &fact, &tool_uid(), false), Err(Vec::new()));
}

fn tool_uid() -> EntityUid {
    EntityUid::new("Mcp::Tool", "deliveries/list_customers")
}

fn fact(attribute: &str, precision: u8) -> Fact {
    Fact {
        subject: customer("1001"),
        attribute: attribute.into(),
        family: "location".into(),
        precision: Precision(precision),
    }
}

#[test]
fn unknown_servers_tools_and_methods_are_refused() {
    let (policies, world, omar) = (Deployment::deliveries().compile(), world(), caller("omar"));
    let ask = Ask { policies: &policies, world: &world, caller: &omar };
    assert!(refusal(ask.call("no_such_tool", json!({}))).hidden);
    assert!(
        refusal(ask.decide("tools/execute", Target::Tool("list_customers".into()), &Value::Null))
            .question
            == Question::Operation
    );
    refusal(ask.decide("no/such/method", Target::Server, &Value::Null));
    let other = kenward_model::ServerName::try_from("elsewhere".to_owned()).expect("a name");
    let operation = Operation {
        server: &other,
        method: "tools/list",
        target: Target::Server,
        params: &Value::Null,
    };
    assert!(
        refusal(policies.decide(&Case {
            asker: ask.asker(),
            operation: &operation,
            memory: Memory::blank()
        }))
        .hidden
    );
}

#[test]
fn hidden_is_what_no_call_could_be_allowed() {
    let (policies, world, rita) = (Deployment::deliveries().compile(), world(), caller("rita"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    let no = refusal(ask.call("delete_delivery", json!({ "customer_id": "1001" })));
    assert!(no.hidden, "only owners may ever use it");
    assert_eq!(texts(&no), ["Deliveries are deleted by their owners alone."]);
    assert!(!ask.lists_tool("delete_delivery"));
    assert!(ask.lists_tool("get_customer_address") && ask.lists_tool("list_customers"));
    assert!(!refusal(ask.call("get_customer_address", json!({ "customer_id": "4711" }))).hidden);

    let stranger = caller("stranger");
    let stranger = Ask { policies: &policies, world: &world, caller: &stranger };
    assert!(
        refusal(stranger.call("get_customer_address", json!({ "customer_id": "1001" }))).hidden
    );
}

#[test]
fn a_lacking_scope_is_named_and_hides_nothing() {
    let (policies, world) = (Deployment::deliveries().compile(), world());
    let mut rita = caller("rita");
    rita.scopes.clear();
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    let no = refusal(ask.call("get_customer_address", json!({ "customer_id": "1001" })));
    assert_eq!((&no.cause, no.hidden), (&Cause::Scope, false));
    assert_eq!(no.missing_scopes, ["deliveries:read".into()]);
    assert!(ask.lists_tool("get_customer_address"));
    assert!(ask.call("list_customers", json!({ "customer_id": "1" })).is_allowed(), "needs none");

    let mut stranger = caller("stranger");
    stranger.scopes.clear();
    let ask = Ask { policies: &policies, world: &world, caller: &stranger };
    let no = refusal(ask.call("get_customer_address", json!({ "customer_id": "1001" })));
    assert!(no.hidden && no.missing_scopes.is_empty(), "whose policy refuses, no scope would help");
}

#[test]
fn an_agent_with_rights_of_its_own_must_be_allowed_too() {
    let policies = Deployment::deliveries().compile();
    let (world, rita) = (world(), caller("rita"));
    let call = |world: &World| {
        let ask = Ask { policies: &policies, world, caller: &rita };
        ask.call("list_customers", json!({ "customer_id": "1" })).is_allowed()
    };
    let agent = |groups: &[&str]| {
        let mut agent = person("desktop", groups);
        agent["type"] = json!("Mcp::Agent");
        agent
    };
    assert!(call(&world), "an agent that the directory does not know adds nothing");
    assert!(!call(&put(&world, agent(&[]))), "one without rights takes the user's away");
    assert!(call(&put(&world, agent(&["representatives"]))));
    let stranger = caller("stranger");
    let world = put(&world, agent(&["representatives"]));
    let ask = Ask { policies: &policies, world: &world, caller: &stranger };
    refusal(ask.call("list_customers", json!({ "customer_id": "1" })));
}

#[test]
fn groups_of_the_token_count_beside_the_directory() {
    let (policies, world) = (Deployment::deliveries().compile(), world());
    let mut newcomer = caller("newcomer");
    let ask = Ask { policies: &policies, world: &world, caller: &newcomer };
    refusal(ask.call("list_customers", json!({ "customer_id": "1" })));
    newcomer.groups = vec!["representatives".into()];
    // The same fingerprint on purpose: the memo must not be fooled.
    let ask = Ask { policies: &policies, world: &world, caller: &newcomer };
    assert!(ask.call("list_customers", json!({ "customer_id": "1" })).is_allowed());
    newcomer.groups = vec!["nested".into()];
    let nested = put(
        &world,
        json!({ "type": "Group", "id": "nested", "attributes": {}, "parents": [{ "type": "Group", "id": "representatives" }], "aliases": [] }),
    );
    let ask = Ask { policies: &policies, world: &nested, caller: &newcomer };
    assert!(ask.call("list_customers", json!({ "customer_id": "1" })).is_allowed());
}

#[test]
fn standing_comes_before_everything() {
    let (policies, world, rita) = (Deployment::deliveries().compile(), world(), caller("rita"));
    let bad = [
        Standing { active: false, ..Standing::default() },
        Standing { session_revoked: true, ..Standing::default() },
    ];
    for standing in bad {
        let world = world.apply(&Change::Standing(user("rita"), standing)).expect("a change");
        let ask = Ask { policies: &policies, world: &world, caller: &rita };
        let no = refusal(ask.call("get_customer_address", json!({ "customer_id": "1001" })));
        assert_eq!((&no.cause, no.hidden), (&Cause::Standing, false));
        for method in ["ping", "tools/list", "notifications/cancelled"] {
            assert_eq!(
                refusal(ask.decide(method, Target::Server, &Value::Null)).cause,
                Cause::Standing
            );
        }
        assert!(!ask.lists_tool("get_customer_address"));
        assert!(policies.may_learn(&ask.asker(), &fact("address", 4), &tool_uid(), false).is_err());
    }
}

#[test]
fn a_forbid_that_cannot_be_evaluated_refuses() {
    let policies = r#"
        permit (principal, action == Mcp::Action::"learn", resource);
        @id("overflow") forbid (principal, action == Mcp::Action::"learn", resource is Customer)
        when { resource.level + 9223372036854775807 > 0 };
    "#;
    let policies = Deployment::small(policies, None).compile();
    let (world, rita) = (world(), caller("rita"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    assert!(policies.may_learn(&ask.asker(), &fact("name", 0), &tool_uid(), false).is_err());
    let depot = Fact { subject: EntityUid::new("Depot", "nashville"), ..fact("name", 0) };
    assert!(
        policies.may_learn(&ask.asker(), &depot, &tool_uid(), false).is_ok(),
        "it is about customers"
    );
}

#[test]
fn attributes_that_do_not_fit_the_schema_refuse_instead_of_vanishing() {
    let policies = r#"
        permit (principal, action == Mcp::Action::"learn", resource);
        forbid (principal, action == Mcp::Action::"learn", resource is Customer) when { resource.level == 5 };
        forbid (principal, action == Mcp::Action::"learn", resource is Customer)
        when { resource has tier && resource.tier == "gold" };
    "#;
    let policies = Deployment::small(policies, None).compile();
    let rita = caller("rita");
    let learns = |entity: Option<Value>| {
        let world = entity.map_or_else(World::empty, |entity| put(&World::empty(), entity));
        let ask = Ask { policies: &policies, world: &world, caller: &rita };
        policies.may_learn(&ask.asker(), &fact("name", 0), &tool_uid(), false).is_ok()
    };
    let good = account("1001", false, "rita", "Jo");
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed["attributes"][name] = value;
        Some(changed)
    };
    assert!(learns(Some(good.clone())));
    assert!(learns(with("tier", json!("silver"))));
    assert!(!learns(with("level", json!(5))));
    assert!(!learns(with("level", json!("5"))), "a string where a number must be");
    assert!(!learns(with("tier", json!(["gold"]))), "an optional one of another type");
    assert!(!learns(with("level", json!({ "__extn": { "fn": "unknown", "arg": "x" } }))));
    assert!(!learns(None), "whom nobody knows");
    assert!(learns(with("undeclared", json!({ "a": 1 }))), "what no policy can read harms nothing");
}

#[test]
fn unknown_entities_are_refused_where_anything_is_read_of_them() {
    let (policies, world, rita) = (Deployment::deliveries().compile(), world(), caller("rita"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    let unknown = refusal(ask.call("get_customer_address", json!({ "customer_id": "9999" })));
    assert_eq!((unknown.question, unknown.hidden), (Question::Fact, false));
    for odd in [
        json!({}),
        json!({ "customer_id": null }),
        json!({ "customer_id": ["1001"] }),
        json!({ "customer_id": { "id": "1001" } }),
        json!([]),
        json!("1001"),
    ] {
        refusal(ask.call("get_customer_address", odd));
    }
    let elsewhere = Fact { subject: EntityUid::new("Starship", "1"), ..fact("name", 0) };
    assert!(policies.may_learn(&ask.asker(), &elsewhere, &tool_uid(), false).is_err());
}

#[test]
fn shadow_policies_decide_on_paper_only() {
    let mut deployment = Deployment::deliveries();
    deployment.policies += r#"
        @id("paper-forbid") @mode("shadow") forbid (principal, action, resource);
        @id("paper-permit") @mode("shadow") permit (principal == User::"stranger", action, resource);
    "#;
    let (policies, world) = (deployment.compile(), world());
    let (rita, stranger) = (caller("rita"), caller("stranger"));
    let verdict = Ask { policies: &policies, world: &world, caller: &rita }
        .call("get_customer_address", json!({ "customer_id": "1001" }));
    assert!(verdict.is_allowed());
    assert_eq!(verdict.basis().shadows, ["paper-forbid".into()]);
    let no = refusal(
        Ask { policies: &policies, world: &world, caller: &stranger }
            .call("list_customers", json!({})),
    );
    assert_eq!(no.basis.shadows, ["paper-forbid".into(), "paper-permit".into()]);
}

#[test]
fn arguments_reach_policies_typed_and_are_refused_otherwise() {
    let schema = json!({
        "type": "object",
        "properties": {
            "amount": { "type": "integer" },
            "to": { "type": "object", "properties": { "country": { "type": "string" } }, "required": ["country"] },
            "tags": { "type": "array", "items": { "type": "string" } },
            "ratio": { "type": "number" },
        },
        "required": ["amount", "to"],
    });
    let policies = r#"
        permit (principal, action == Mcp::Action::"deliveries/act", resource)
        when { context.arguments.amount < 100 && context.arguments.to.country == "DE" }
        unless { context.arguments has tags && context.arguments.tags.contains("express") };
    "#;
    let policies = Deployment::small(policies, Some(schema)).compile();
    let (world, rita) = (world(), caller("rita"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    assert!(ask.lists_tool("act"));
    let good = json!({ "amount": 5, "to": { "country": "DE" }, "ratio": "unread", "more": 1 });
    assert!(ask.call("act", good.clone()).is_allowed());
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        refusal(ask.call("act", changed))
    };
    assert_eq!(with("amount", json!(500)).cause, Cause::Policy);
    assert_eq!(with("tags", json!(["express"])).cause, Cause::Policy);
    for (name, value) in [
        ("amount", json!("5")),
        ("amount", json!(5.5)),
        ("amount", json!(null)),
        ("to", json!({})),
        ("to", json!("DE")),
        ("tags", json!([1])),
        ("tags", json!("express")),
    ] {
        assert!(matches!(with(name, value.clone()).cause, Cause::Arguments(_)), "{name} = {value}");
    }
    assert!(matches!(refusal(ask.call("act", Value::Null)).cause, Cause::Arguments(_)));
}

#[test]
fn a_tool_whose_definition_is_not_known() {
    let policies = r#"
        @id("all") permit (principal, action in Mcp::Action::"tools/call", resource);
        @id("small") permit (principal, action in Mcp::Action::"tools/call", resource)
        when { context has arguments && context.arguments has amount && context.arguments.amount < 100 };
    "#;
    let (world, rita) = (world(), caller("rita"));
    let allowed = |policies: &str| {
        let policies = Deployment::small(policies, None).compile();
        Ask { policies: &policies, world: &world, caller: &rita }
            .call("act", json!({}))
            .is_allowed()
    };
    assert!(allowed(policies), "the permit that reads nothing stands");
    let forbid = r#"@id("large") forbid (principal in Group::"representatives", action, resource is Mcp::Tool)
        when { context has arguments && context.arguments has amount && context.arguments.amount > 100 };"#;
    assert!(!allowed(&format!("{policies}{forbid}")), "what it would forbid cannot be told");
    let elsewhere = forbid.replace("representatives", "interns");
    assert!(allowed(&format!("{policies}{elsewhere}")), "its scope does not concern her");
}

#[test]
fn circumstances_are_read_where_they_are_asked_for() {
    let policies = r#"
        permit (principal, action == Mcp::Action::"deliveries/act", resource)
        when { context.now < datetime("2027-02-01") && context has ip && context.ip.isInRange(ip("192.0.2.0/24")) && context.protocol == "2025-11-25" && context.scopes.contains("deliveries:read") && !(context has acr) && context.agent == Mcp::Agent::"desktop" && !context.session_revoked };
    "#;
    let policies = Deployment::small(policies, Some(json!({ "type": "object" }))).compile();
    let (world, rita, server) = (world(), caller("rita"), server());
    let params = json!({ "name": "act" });
    let operation = Operation {
        server: &server,
        method: "tools/call",
        target: Target::Tool("act".into()),
        params: &params,
    };
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    let decide = |change: &dyn Fn(&mut crate::Environment<'_>)| {
        let mut asker = ask.asker();
        change(&mut asker.environment);
        policies
            .decide(&Case { asker, operation: &operation, memory: Memory::blank() })
            .is_allowed()
    };
    assert!(decide(&|_| {}));
    assert!(!decide(&|environment| environment.now = Timestamp::from_seconds(1_900_000_000)));
    assert!(!decide(&|environment| environment.ip = None));
    assert!(!decide(
        &|environment| environment.ip = Some("198.51.100.1".parse().expect("an address"))
    ));
    assert!(!decide(&|environment| environment.protocol = "2026-07-28"));
    assert!(decide(&|_| {}), "and again: nothing was remembered that can differ");
}

#[test]
fn facts_have_all_their_sides() {
    let policies = r#"
        permit (principal, action == Mcp::Action::"learn", resource is Customer)
        when { context.attribute == "zip" && context.family == "location" && context.precision == 2 && !context.exact
               && context.via == Mcp::Tool::"deliveries/list_customers" && !context.inferred };
    "#;
    let policies = Deployment::small(policies, None).compile();
    let (world, rita) = (world(), caller("rita"));
    let ask = Ask { policies: &policies, world: &world, caller: &rita };
    let learns = |fact: &Fact, via: &EntityUid, inferred| {
        policies.may_learn(&ask.asker(), fact, via, inferred).is_ok()
    };
    let good = fact("zip", 2);
    assert!(learns(&good, &tool_uid(), false));
    assert!(!learns(&good, &tool_uid(), true));
    assert!(!learns(&good, &EntityUid::new("Mcp::Tool", "deliveries/act"), false));
    assert!(
        !learns(&good, &EntityUid::new("Mcp::Prompt", "deliveries/list_customers"), false),
        "no tool, so unknown"
    );
    assert!(!learns(&fact("zip", 0), &tool_uid(), false));
    assert!(!learns(&fact("address", 2), &tool_uid(), false));
    assert!(!learns(&Fact { family: "pay".into(), ..fact("zip", 2) }, &tool_uid(), false));
}

proptest! {
    /// No parameters whatever bring a call through that names a protected customer.
    #[test]
    fn no_shape_of_arguments_reaches_a_protected_customer(
        wrap in 0_u8..6, extra in "[a-z_]{1,8}", text in ".{0,12}",
    ) {
        let (policies, world, rita) = (cached(), world(), caller("rita"));
        let ask = Ask { policies: &policies, world: &world, caller: &rita };
        let id = match wrap {
            0 => json!("4711"),
            1 => json!(4711),
            2 => json!(["4711"]),
            3 => json!({ "id": "4711" }),
            4 => json!(format!("4711{text}")),
            _ => json!(format!("{text}4711")),
        };
        let mut arguments = json!({ "customer_id": id });
        arguments[extra.as_str()] = json!(text);
        if arguments["customer_id"] == json!("1001") {
            return Ok(());
        }
        prop_assert!(!ask.call("get_customer_address", arguments).is_allowed());
    }
}

fn cached() -> Arc<crate::Policies> {
    static POLICIES: OnceLock<Arc<crate::Policies>> = OnceLock::new();
    Arc::clone(POLICIES.get_or_init(|| Arc::new(Deployment::deliveries().compile())))
}

#[test]
fn the_epoch_names_everything_that_was_compiled() {
    let base = Deployment::deliveries();
    let epoch = |deployment: &Deployment| Arc::clone(deployment.compile().epoch());
    let first = epoch(&base);
    assert_eq!(first.len(), 64);
    assert_eq!(first, epoch(&base), "and again");
    let mut changed = base.clone();
    changed.policies += "\n";
    assert_ne!(first, epoch(&changed));
    let mut changed = base.clone();
    changed.server().tools.push(tool("more", None));
    assert_ne!(first, epoch(&changed));
    let mut changed = base;
    changed.bindings["deliveries"]["list_customers"] =
        json!({ "strip": ["$.structuredContent.a"] });
    assert_ne!(first, epoch(&changed));
}
