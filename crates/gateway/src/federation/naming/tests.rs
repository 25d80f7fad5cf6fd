//! No two tools share a name, and every client accepts each.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::tests::named;

fn accepted(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

#[test]
fn a_plain_name_is_server_and_tool() {
    let name = outward(&named("deliveries"), "track_parcel");
    assert_eq!(name, "deliveries__track_parcel");
    assert_eq!(inward(&name), Named::Plain("deliveries", "track_parcel"));
    assert_eq!(inward("a___x"), Named::Plain("a", "_x"));
}

#[test]
fn names_that_could_be_read_in_two_ways_are_told_apart() {
    // `a` with `_x`, and `a_` with `x`, would both be `a___x`; `a` with `b__x` looks like `a__b`.
    let pairs = [("a", "_x"), ("a_", "x"), ("a", "b__x"), ("a_b", "x"), ("a", "__x"), ("a", "")];
    let names: HashMap<String, _> =
        pairs.iter().map(|pair| (outward(&named(pair.0), pair.1), pair)).collect();
    assert_eq!(names.len(), pairs.len(), "{names:?}");
    assert_eq!(outward(&named("a"), "b__x"), "a__b__x");
    assert_eq!(inward("a__b__x"), Named::Plain("a", "b__x"));
    assert!(is_digested(&outward(&named("a_"), "x")));
}

#[test]
fn what_does_not_fit_is_shortened_and_keeps_its_beginning() {
    let server = named("deliveries");
    for tool in ["files/read", "read file", "l\u{e4}nge", &"x".repeat(80), "a.b", "\u{0}"] {
        let name = outward(&server, tool);
        assert!(accepted(&name) && name.starts_with("deliveries__"), "{name}");
        assert_eq!(inward(&name), Named::Digested, "{name}");
        assert!(may_be_of(&name, &server) && !may_be_of(&name, &named("deliver")), "{name}");
    }
    let long = named(&"s".repeat(64));
    assert!(may_be_of(&outward(&long, "x"), &long));
}

/// A server names a tool like the digest of another: it does not get that name.
#[test]
fn a_tool_that_is_named_like_a_digest_gets_another() {
    let server = named("a");
    let victim = outward(&server, "files/read");
    let copied = victim.strip_prefix("a__").expect("the server");
    let copy = outward(&server, copied);
    assert_ne!(copy, victim);
    assert!(is_digested(&copy), "{copy}");
}

#[test]
fn names_are_the_same_on_every_day() {
    let name = outward(&named("a"), "files/read");
    assert_eq!(name, outward(&named("a"), "files/read"));
    assert_eq!(name.len(), "a__files_read_".len() + DIGEST);
}

#[test]
fn foreign_names_are_no_names() {
    for name in ["", "track", "a_b", "a.b__c", &"a__".repeat(40), "a__\u{e4}"] {
        assert_eq!(inward(name), Named::Foreign, "{name}");
    }
}

proptest! {
    #[test]
    fn no_two_tools_share_a_name(
        servers in prop::collection::hash_set("[ab]_?[ab]?_?", 1..6),
        tools in prop::collection::hash_set("(_|a|b|__){0,4}|.{0,70}|[a-z2-7_]{26,40}", 1..12),
    ) {
        let servers = servers.into_iter().filter_map(|name| ServerName::try_from(name).ok());
        let mut names = HashMap::new();
        for server in servers {
            for tool in &tools {
                let name = outward(&server, tool);
                prop_assert!(accepted(&name), "{}", name);
                match inward(&name) {
                    Named::Plain(of, is) => prop_assert_eq!((of, is), (server.as_str(), tool.as_str())),
                    Named::Digested => prop_assert!(may_be_of(&name, &server)),
                    Named::Foreign => prop_assert!(false, "{} is foreign", name),
                }
                let before = names.insert(name, (server.clone(), tool.clone()));
                prop_assert_eq!(before, None);
            }
        }
    }
}
