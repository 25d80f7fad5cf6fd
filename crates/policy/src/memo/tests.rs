//! Tries to make a remembered answer differ from one that was just found.

use kenward_model::{Caller, EntityUid, Fact, Precision, Timestamp};
use kenward_world::{Change, Source, Standing, World};
use proptest::prelude::*;
use serde_json::json;

use crate::Policies;
use crate::fixture::{Deployment, Question, account, caller, customer, person, put, user};

/// Every constant member of the context is read by some policy.
const RULES: &str = r#"
permit (principal in Group::"a", action, resource);
permit (principal, action == Mcp::Action::"learn", resource is Customer) when { resource.assigned_to == principal };
permit (principal, action == Mcp::Action::"learn", resource) when { context.attribute == "x" && context.via == Mcp::Tool::"deliveries/act" };
permit (principal, action == Mcp::Action::"learn", resource) when { context.scopes.contains("s") };
permit (principal, action in Mcp::Action::"tools/call", resource) when { context.amr.contains("mfa") || (context has acr && context.acr == "high") };
forbid (principal, action, resource) when { context has risk && context.risk == "high" };
forbid (principal, action, resource is Customer) when { resource.protected && !context.inferred && !context.exact };
forbid (principal, action, resource) when { context has auth_time && context.auth_time < datetime("2020-01-01") };
forbid (principal, action, resource) when { context has device_compliant && !context.device_compliant };
forbid (principal, action, resource) when { context.agent in Group::"bad" };
forbid (principal, action, resource) when { context.groups.contains("banned") };
"#;

#[derive(Debug, Clone)]
enum Step {
    User(bool),
    Nest(bool),
    Agent(Option<bool>),
    Customer(bool, bool),
    Forget,
    Standing(Option<&'static str>, Option<bool>),
    Ask(Ask),
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a policy can read")]
struct Ask {
    groups: u8,
    scope: bool,
    amr: bool,
    acr: bool,
    old: bool,
    other_agent: bool,
    attribute: bool,
    precision: u8,
    via: bool,
    inferred: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let ask = (0_u8..4, any::<[bool; 8]>(), 0_u8..2).prop_map(|(groups, bits, precision)| {
        let [scope, amr, acr, old, other_agent, attribute, via, inferred] = bits;
        Step::Ask(Ask {
            groups,
            scope,
            amr,
            acr,
            old,
            other_agent,
            attribute,
            precision,
            via,
            inferred,
        })
    });
    prop_oneof![
        1 => any::<bool>().prop_map(Step::User),
        1 => any::<bool>().prop_map(Step::Nest),
        1 => prop::option::of(any::<bool>()).prop_map(Step::Agent),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(protected, own)| Step::Customer(protected, own)),
        1 => Just(Step::Forget),
        1 => (prop::option::of(Just("high")), prop::option::of(any::<bool>())).prop_map(|(risk, compliant)| Step::Standing(risk, compliant)),
        8 => ask,
    ]
}

fn who(ask: &Ask) -> Caller {
    let mut caller = caller("u");
    if ask.other_agent {
        caller.agent = EntityUid::new("Mcp::Agent", "other");
    }
    caller.groups = match ask.groups {
        0 => Vec::new(),
        1 => vec!["a".into()],
        2 => vec!["nest".into()],
        _ => vec!["a".into(), "banned".into()],
    };
    caller.scopes = if ask.scope { vec!["s".into()] } else { Vec::new() };
    caller.amr = if ask.amr { vec!["mfa".into()] } else { Vec::new() };
    caller.acr = ask.acr.then(|| "high".into());
    caller.auth_time = Some(Timestamp::from_seconds(if ask.old { 0 } else { 1_790_000_000 }));
    // All callers collide, as an unlucky or chosen digest would have it.
    caller.fingerprint = 7;
    caller
}

fn group(id: &str, parents: &[&str]) -> serde_json::Value {
    let mut group = person(id, parents);
    group["type"] = json!("Group");
    group
}

fn change(world: &World, step: &Step) -> World {
    let agent = |bad: bool| {
        let mut agent = person("desktop", if bad { &["bad"] } else { &["a"] });
        agent["type"] = json!("Mcp::Agent");
        agent
    };
    match step {
        Step::User(member) => put(world, person("u", if *member { &["a"] } else { &["nest"] })),
        Step::Nest(nested) => put(world, group("nest", if *nested { &["a"] } else { &[] })),
        Step::Agent(Some(bad)) => put(world, agent(*bad)),
        Step::Agent(None) => {
            let gone = Change::Remove(Source::Admin, EntityUid::new("Mcp::Agent", "desktop"));
            world.apply(&gone).unwrap_or_else(|_| world.clone())
        }
        Step::Customer(protected, own) => {
            put(world, account("1001", *protected, if *own { "u" } else { "v" }, "Jo"))
        }
        Step::Forget => {
            let gone = Change::Remove(Source::Admin, customer("1001"));
            world.apply(&gone).unwrap_or_else(|_| world.clone())
        }
        Step::Standing(risk, device_compliant) => {
            let standing = Standing {
                risk: risk.map(Into::into),
                device_compliant: *device_compliant,
                ..Standing::default()
            };
            world.apply(&Change::Standing(user("u"), standing)).expect("a change")
        }
        Step::Ask(_) => world.clone(),
    }
}

fn answers(policies: &Policies, world: &World, ask: &Ask) -> [bool; 4] {
    let caller = who(ask);
    let question = Question { policies, world, caller: &caller };
    let fact = Fact {
        subject: customer("1001"),
        attribute: if ask.attribute { "x" } else { "y" }.into(),
        family: "f".into(),
        precision: Precision(ask.precision),
    };
    let via =
        EntityUid::new("Mcp::Tool", if ask.via { "deliveries/act" } else { "deliveries/other" });
    [
        question.call("act", json!({})).is_allowed(),
        question.lists_tool("act"),
        policies.may_learn(&question.asker(), &fact, &via, ask.inferred).is_ok(),
        policies
            .may_learn(
                &question.asker(),
                &Fact { subject: EntityUid::new("Depot", "d"), ..fact },
                &via,
                ask.inferred,
            )
            .is_ok(),
    ]
}

fn compile() -> Policies {
    // On tools, what only facts have is not there to be read.
    let rules = RULES.replace(
        "forbid (principal, action, resource is Customer)",
        "forbid (principal, action == Mcp::Action::\"learn\", resource is Customer)",
    );
    Deployment::small(&rules, Some(json!({ "type": "object" }))).compile()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_memo_never_changes_a_verdict(steps in prop::collection::vec(step(), 1..24)) {
        let (long_lived, mut forgetful) = (compile(), compile());
        let mut world = World::empty();
        for step in &steps {
            world = change(&world, step);
            // A few questions that come again and again, and one that hardly ever does.
            let asked = match step {
                Step::Ask(ask) => vec![ask.clone()],
                Step::User(_)
                | Step::Nest(_)
                | Step::Agent(_)
                | Step::Customer(..)
                | Step::Forget
                | Step::Standing(..) => vec![plain(), Ask { groups: 2, ..plain() }, Ask { amr: true, ..plain() }],
            };
            for ask in &asked {
                forgetful.memo = super::Memo::new();
                let fresh = answers(&forgetful, &world, ask);
                prop_assert_eq!(answers(&long_lived, &world, ask), fresh, "{:?}", ask);
                prop_assert_eq!(answers(&long_lived, &world, ask), fresh, "again: {:?}", ask);
            }
        }
    }
}

/// The question of a caller of whom nothing special is known.
fn plain() -> Ask {
    Ask {
        groups: 0,
        scope: false,
        amr: false,
        acr: false,
        old: false,
        other_agent: false,
        attribute: false,
        precision: 0,
        via: false,
        inferred: false,
    }
}

#[test]
fn a_change_far_up_in_the_groups_is_seen() {
    let policies = compile();
    let apart = put(&put(&World::empty(), person("u", &["nest"])), group("nest", &[]));
    let within = put(&apart, group("nest", &["a"]));
    assert!(!answers(&policies, &apart, &plain())[0]);
    assert!(answers(&policies, &within, &plain())[0]);
    assert!(answers(&policies, &within, &plain())[1]);
    let apart = put(&within, group("nest", &[]));
    assert!(!answers(&policies, &apart, &plain())[0] && !answers(&policies, &apart, &plain())[1]);
}

#[test]
fn two_worlds_of_one_revision_are_told_apart_by_what_they_hold() {
    let policies = compile();
    let ask = plain();
    let member = put(&World::empty(), person("u", &["a"]));
    let outsider = put(&World::empty(), person("u", &[]));
    assert_eq!(member.revision(), outsider.revision());
    assert!(answers(&policies, &member, &ask)[0]);
    assert!(!answers(&policies, &outsider, &ask)[0]);
    assert!(answers(&policies, &member, &ask)[0]);
}

#[test]
fn an_answer_is_remembered() {
    let policies = compile();
    let world = put(&World::empty(), person("u", &["a"]));
    let ask = plain();
    answers(&policies, &world, &ask);
    let remembered = || {
        policies.memo.answers.run_pending_tasks();
        policies.memo.answers.entry_count()
    };
    let before = remembered();
    assert!(before > 0);
    answers(&policies, &world, &ask);
    assert_eq!(remembered(), before);
}
