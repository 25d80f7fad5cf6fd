//! The closure, held against a naive one, and what is wrong with inferences.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kenward_model::{EntityUid, Fact, Precision};
use proptest::prelude::*;

use crate::{Derived, Inferences};

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

/// What follows about `a`, as `attribute precision`; facts that are given twice were told by two
/// answers.
fn closure(facts: &[(&str, u8)]) -> Vec<String> {
    closure_of(TEXT, facts)
}

fn closure_of(text: &str, facts: &[(&str, u8)]) -> Vec<String> {
    let told = derived(text, "Customer", facts);
    told.iter().map(|d| format!("{} {}", d.fact.attribute, d.fact.precision.0)).collect()
}

fn derived(text: &str, kind: &str, facts: &[(&str, u8)]) -> Vec<Derived> {
    let inferences = Inferences::read("i.yaml", text).unwrap();
    let subject = EntityUid::new(kind, "a");
    let facts: Vec<(Fact, u32)> = facts
        .iter()
        .map(|(attribute, precision)| {
            let family = inferences.families.family_of(attribute);
            let (attribute, precision) = ((*attribute).into(), Precision(*precision));
            (Fact { subject: subject.clone(), attribute, family, precision }, 1)
        })
        .collect();
    inferences.closure(&subject, &facts)
}

#[test]
fn what_follows_is_derived_over_several_steps() {
    assert!(closure(&[]).is_empty());
    assert!(closure(&[("pay", 0)]).is_empty());
    assert_eq!(closure(&[("nearby_places", 2)]), ["address 2"]);
    assert_eq!(closure(&[("map", 0)]), ["route 0", "address 0"]);
    assert_eq!(
        closure(&[("map", 0), ("birth_date", 0), ("gender", 0)]),
        ["route 0", "address 0", "identity 0"]
    );
    assert!(closure(&[("birth_date", 0), ("gender", 0)]).is_empty());
}

#[test]
fn what_is_known_at_least_as_finely_does_not_follow_anew() {
    assert!(closure(&[("nearby_places", 2), ("address", 0)]).is_empty());
    assert!(closure(&[("nearby_places", 2), ("address", 2)]).is_empty());
    assert_eq!(closure(&[("nearby_places", 2), ("address", 3)]), ["address 2"]);
}

#[test]
fn distinct_counts_answers() {
    let near = ("nearby_places", 2);
    assert_eq!(closure(&[near, near]), ["address 2"]);
    assert_eq!(closure(&[near, near, near]), ["address 2", "address 1"]);
    assert!(closure(&[("joy", 0)]).is_empty());
    assert_eq!(closure(&[("joy", 0), ("pay", 0)]), ["mood 0"]);
}

#[test]
fn a_premise_may_ask_for_a_precision() {
    let text = "
families: { location: { scale: [exact, street, area], attributes: [zip, near] } }
inferences:
  - { then: { attribute: home }, if: [ { attribute: zip, precision: street }, near ] }
  - { then: { attribute: rough }, if: [ zip ] }
  - { then: { attribute: often }, if: [ { attribute: near, precision: street } ], distinct: 2 }
";
    assert_eq!(closure_of(text, &[("zip", 2), ("near", 2)]), ["rough 0"]);
    assert_eq!(closure_of(text, &[("zip", 1), ("near", 2)]), ["home 0", "rough 0"]);
    assert_eq!(closure_of(text, &[("zip", 0), ("near", 2)]), ["home 0", "rough 0"]);
    assert!(closure_of(text, &[("near", 2), ("near", 2)]).is_empty());
    assert_eq!(closure_of(text, &[("near", 1), ("near", 2)]), ["often 0"]);
}

#[test]
fn an_inference_is_about_its_type_alone() {
    let text = "inferences: [ { id: dob, of: Customer, then: { attribute: b }, if: [a] } ]";
    let told = derived(text, "Customer", &[("a", 0)]);
    assert_eq!(&*told[0].rule, "dob");
    assert_eq!(told[0].premises, [std::sync::Arc::from("a")]);
    assert!(derived(text, "Driver", &[("a", 0)]).is_empty());
}

#[test]
fn what_follows_on_paper_is_told_from_what_is_enforced() {
    let text = "inferences:
  - { then: { attribute: b }, if: [a], mode: note }
  - { then: { attribute: c }, if: [b] }
  - { then: { attribute: d }, if: [a] }
  - { then: { attribute: d }, if: [b], mode: note }
";
    let told = derived(text, "Customer", &[("a", 0)]);
    let mut told: Vec<(&str, bool)> =
        told.iter().map(|derived| (&*derived.fact.attribute, derived.enforced)).collect();
    told.sort_unstable();
    assert_eq!(told, [("b", false), ("c", false), ("d", true)]);
    let told = derived(text, "Customer", &[("b", 0)]);
    let told: Vec<(&str, bool)> = told.iter().map(|d| (&*d.fact.attribute, d.enforced)).collect();
    assert_eq!(told, [("c", true), ("d", false)]);
}

#[test]
fn what_is_read_and_what_could_follow() {
    let inferences = Inferences::read("i.yaml", TEXT).unwrap();
    assert!(inferences.is_read("map") && inferences.is_read("address"));
    assert!(!inferences.is_read("identity") && !inferences.is_read("nothing"));
    let subject = EntityUid::new("Customer", "a");
    let names: Vec<String> =
        inferences.reachable(&subject, "map").iter().map(|f| f.attribute.to_string()).collect();
    assert_eq!(names, ["route", "address", "identity"]);
    assert!(inferences.reachable(&subject, "identity").is_empty());
}

#[test]
fn people_and_places_are_read() {
    let text = "same_person: { Employee: user }\nplaces: [ \"Nashville Depot\", Hub ]\n";
    let inferences = Inferences::read("i.yaml", text).unwrap();
    assert!(inferences.is_place("nashville depot") && !inferences.is_place("nashville"));
    assert_eq!(inferences.places().count(), 2);
    let world = crate::fixtures::world();
    let rita = EntityUid::new("User", "rita");
    assert!(inferences.is_own(&world, &rita, &rita));
    assert!(!inferences.is_own(&world, &rita, &EntityUid::new("Employee", "rita")));
}

/// A thousand rules that all hold, one after the other or side by side: time that grows with the
/// square of their number would show.
#[test]
fn the_closure_is_linear_in_the_rules() {
    let mut chain = String::from("inferences:\n");
    let mut flat = String::from("inferences:\n");
    for n in 0..1_000 {
        writeln!(chain, "  - {{ then: {{ attribute: a{} }}, if: [a{n}, start] }}", n + 1).unwrap();
        writeln!(flat, "  - {{ then: {{ attribute: b{n} }}, if: [start] }}").unwrap();
    }
    assert_eq!(closure_of(&chain, &[("a0", 0), ("start", 0)]).len(), 1_000);
    assert_eq!(closure_of(&flat, &[("start", 0)]).len(), 1_000);
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
  - { id: same, of: \"1x\", then: { attribute: k }, if: [ { attribute: address, precision: arae } ] }
  - { id: same, then: { attribute: l }, if: [m], distinct: 65 }
same_person: { \"9\": user }
places: [ \"--\" ]
";
    let findings = Inferences::read("i.yaml", text).unwrap_err();
    let mut lines: Vec<usize> = findings.iter().map(|finding| finding.place.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 10, 12, 12, 13, 13, 14, 15], "{findings:#?}");
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
        let facts: Vec<(Fact, u32)> =
            known.iter().map(|k| (fact("s", &format!("a{k}"), 0), 1)).collect();
        let derived = inferences.closure(&EntityUid::new("Customer", "s"), &facts);
        let number = |d: &Derived| d.fact.attribute.strip_prefix('a').unwrap().parse().unwrap();
        let found: BTreeSet<usize> = derived.iter().map(number).collect();
        prop_assert_eq!(found.len(), derived.len());
        prop_assert_eq!(found, naive(&rules, &known));
    }
}
