use cedar_policy_core::parser::parse_policy;

use super::*;

fn reads(condition: &str) -> (Reads, ArgumentReads) {
    let text = format!("permit(principal, action, resource) when {{ {condition} }};");
    let policy = parse_policy(None, &text).expect("a policy");
    of(policy.non_scope_constraints().expect("a condition"))
}

fn some(names: &[&str]) -> ArgumentReads {
    ArgumentReads::Some(names.iter().map(|name| Arc::from(*name)).collect())
}

#[test]
fn the_bits_are_in_the_order_of_the_names() {
    for (name, expected) in [
        ("agent", Reads::AGENT),
        ("session_revoked", Reads::SESSION_REVOKED),
        ("arguments", Reads::ARGUMENTS),
        ("mapping", Reads::MAPPING),
        ("attribute", Reads::ATTRIBUTE),
        ("inferred", Reads::INFERRED),
    ] {
        assert_eq!(Reads::named(name), expected, "{name}");
    }
    let all = MEMBERS.iter().fold(Reads::NOTHING, |all, name| all | Reads::named(name));
    assert_eq!(all, Reads::EVERYTHING);
    assert_eq!(Reads::named("unheard of"), Reads::EVERYTHING);
}

#[test]
fn members_are_found_wherever_they_stand() {
    assert_eq!(reads("principal == resource").0, Reads::NOTHING);
    assert_eq!(reads("context.agent in Group::\"x\"").0, Reads::AGENT);
    assert_eq!(reads("context has ip && context.ip.isLoopback()").0, Reads::IP);
    assert_eq!(
        reads("if context.exact then [context.family].contains(\"x\") else {a: context.now}.a == context.now").0,
        Reads::EXACT | Reads::FAMILY | Reads::NOW
    );
    assert_eq!(reads("resource.context == 1").0, Reads::NOTHING);
}

#[test]
fn a_whole_context_reads_everything() {
    assert_eq!(reads("context == {a: 1}"), (Reads::EVERYTHING, ArgumentReads::All));
    assert_eq!(reads("context.exact && [context].contains(context)").0, Reads::EVERYTHING);
    assert!(!Reads::EVERYTHING.is_constant());
}

#[test]
fn arguments_are_read_by_name_or_whole() {
    assert_eq!(reads("context.arguments.id == \"1\"").1, some(&["id"]));
    assert_eq!(reads("context.arguments has id && context.arguments.id.x == 1").1, some(&["id"]));
    assert_eq!(reads("context has arguments.deep.path").1, some(&["deep"]));
    assert_eq!(reads("context has arguments").1, some(&[]));
    assert_eq!(reads("context.arguments == {}").1, ArgumentReads::All);
    assert_eq!(reads("context.arguments.id == 1 && context.arguments == {}").1, ArgumentReads::All);
    assert_eq!(reads("context.exact").1, ArgumentReads::None);
}

#[test]
fn what_a_call_can_change_is_not_constant() {
    for name in ["ip", "now", "protocol", "arguments", "mapping", "claimed"] {
        assert!(!Reads::named(name).is_constant(), "{name}");
    }
    for name in [
        "agent",
        "scopes",
        "groups",
        "acr",
        "amr",
        "auth_time",
        "risk",
        "device_compliant",
        "session_revoked",
        "attribute",
        "precision",
        "via",
        "inferred",
    ] {
        assert!(Reads::named(name).is_constant(), "{name}");
    }
}
