//! The closure, held against a naive one, and what is wrong with inferences.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kenward_model::{EntityUid, Fact, Precision};
use proptest::prelude::*;

use crate::Inferences;

const TEXT: &str = "
families:
  location: { scale: [exact, street, area, city], attributes: [address, nearby_places, route, map] }
inferences:
  - { then: { attribute: identity }, if: [address, birth_date, gender] }
  - { then: { attribute: address, precision: area }, if: [nearby_places] }
  - { then: { attribute: address }, if: [route] }
  - { then: { attribute: route }, if: [map] }
  - { then: { attribute: address, precision: street }, if: [nearby_places], distinct: 3 }
  - { then: { attribute: mood }, if: [joy, grief, pay], distinct: 2 }
";

fn fact(subject: &str, attribute: &str, precision: u8) -> Fact {
    let families = Inferences::read("i.yaml", TEXT).unwrap().families;
    Fact {
        subject: EntityUid::new("Customer", subject),
        family: families.family_of(attribute),
        attribute: attribute.into(),
        precision: Precision(precision),
    }
}

/// What follows, as `subject attribute precision`.
fn closure(facts: &[(&str, &str, u8)]) -> Vec<String> {
    let facts: Vec<Fact> = facts.iter().map(|(s, a, p)| fact(s, a, *p)).collect();
    let derived = Inferences::read("i.yaml", TEXT).unwrap().closure(&facts);
    derived
        .iter()
        .map(|fact| format!("{} {} {}", fact.subject.id, fact.attribute, fact.precision.0))
        .collect()
}

#[test]
fn what_follows_is_derived_over_several_steps_and_subject_by_subject() {
    assert!(closure(&[]).is_empty());
    assert!(closure(&[("a", "pay", 0)]).is_empty());
    assert_eq!(closure(&[("a", "nearby_places", 2)]), ["a address 2"]);
    assert_eq!(closure(&[("a", "map", 0)]), ["a route 0", "a address 0"]);
    assert_eq!(
        closure(&[("a", "map", 0), ("a", "birth_date", 0), ("a", "gender", 0)]),
        ["a route 0", "a address 0", "a identity 0"]
    );
    assert!(
        closure(&[("a", "birth_date", 0), ("b", "gender", 0), ("b", "birth_date", 0)]).is_empty()
    );
    assert_eq!(closure(&[("a", "address", 0), ("b", "nearby_places", 2)]), ["b address 2"]);
}

#[test]
fn what_is_known_at_least_as_finely_does_not_follow_anew() {
    assert!(closure(&[("a", "nearby_places", 2), ("a", "address", 0)]).is_empty());
    assert!(closure(&[("a", "nearby_places", 2), ("a", "address", 2)]).is_empty());
    assert_eq!(closure(&[("a", "nearby_places", 2), ("a", "address", 3)]), ["a address 2"]);
}

#[test]
fn distinct_counts_answers() {
    let near = ("a", "nearby_places", 2);
    assert_eq!(closure(&[near, near]), ["a address 2"]);
    assert_eq!(closure(&[near, near, near]), ["a address 2", "a address 1"]);
    assert!(closure(&[near, near, ("b", "nearby_places", 2)]).iter().all(|d| !d.ends_with('1')));
    assert!(closure(&[("a", "joy", 0)]).is_empty());
    assert_eq!(closure(&[("a", "joy", 0), ("a", "pay", 0)]), ["a mood 0"]);
}

#[test]
fn everything_that_is_wrong_is_found_at_its_place() {
    let text = "families: { location: { scale: [exact, area], attributes: [address] } }
inferences:
  - { then: { attribute: address, precision: arae }, if: [x] }
  - { then: { attribute: a }, if: [] }
  - { then: { attribute: a }, if: [b, b] }
  - { then: { attribute: c }, if: [d], distinct: 0 }
  - { then: { attribute: e }, if: [e] }
  - { then: { attribute: f }, if: [g] }
  - { then: { attribute: g }, if: [h] }
  - { then: { attribute: h }, if: [f] }
  - { then: { attribute: i }, if: [f] }
";
    let findings = Inferences::read("i.yaml", text).unwrap_err();
    let mut lines: Vec<usize> = findings.iter().map(|finding| finding.place.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 10], "{findings:#?}");
    assert!(findings.iter().any(|f| f.help.as_deref() == Some("did you mean `area`?")));
    let unknown = Inferences::read("i.yaml", "inferences: [{ then: { attribute: a }, fi: [b] }]");
    assert!(unknown.is_err());
}

#[test]
fn the_same_text_reads_the_same() {
    let read = || format!("{:?}", Inferences::read("i.yaml", TEXT).unwrap());
    assert_eq!(read(), read());
}

/// Derives until nothing is new, rule by rule in the order of the file.
fn naive(rules: &[(usize, BTreeSet<usize>)], known: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut all = known.clone();
    loop {
        let before = all.len();
        for (then, premises) in rules {
            if premises.is_subset(&all) {
                all.insert(*then);
            }
        }
        if all.len() == before {
            return all.difference(known).copied().collect();
        }
    }
}

proptest! {
    /// Rules that only lead upward cannot go round in circles, in whatever order they stand.
    #[test]
    fn the_closure_is_the_least_fixed_point(
        rules in prop::collection::vec((1_usize..12, prop::collection::btree_set(0_usize..11, 1..4)), 0..20),
        known in prop::collection::btree_set(0_usize..12, 0..5),
    ) {
        let rules: Vec<(usize, BTreeSet<usize>)> = rules
            .into_iter()
            .map(|(then, premises)| (then, premises.into_iter().filter(|p| *p < then).collect::<BTreeSet<usize>>()))
            .filter(|(_, premises)| !premises.is_empty())
            .collect();
        let mut text = String::from("inferences:\n");
        for (then, premises) in &rules {
            let premises: Vec<String> = premises.iter().map(|p| format!("a{p}")).collect();
            writeln!(text, "  - {{ then: {{ attribute: a{then} }}, if: [{}] }}", premises.join(", ")).unwrap();
        }
        if rules.is_empty() { text = "inferences: []\n".to_owned(); }
        let inferences = Inferences::read("i.yaml", &text).unwrap();
        let facts: Vec<Fact> = known.iter().map(|k| fact("s", &format!("a{k}"), 0)).collect();
        let derived = inferences.closure(&facts);
        let found: BTreeSet<usize> =
            derived.iter().map(|fact| fact.attribute.strip_prefix('a').unwrap().parse().unwrap()).collect();
        prop_assert_eq!(found.len(), derived.len());
        prop_assert_eq!(found, naive(&rules, &known));
    }
}
