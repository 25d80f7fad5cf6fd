//! Reading a snapshot: ancestors, names and standings.

use kenward_model::{EntityUid, Revision};
use serde_json::{Map, json};

use crate::{Change, EntityRecord, Source, Standing, World};

fn record(kind: &str, id: &str, parents: &[&str], aliases: &[&str]) -> EntityRecord {
    EntityRecord {
        kind: kind.to_owned(),
        id: id.to_owned(),
        attributes: Map::new(),
        parents: parents.iter().map(|id| EntityUid::new("Group", *id)).collect(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
    }
}

fn world(records: Vec<EntityRecord>) -> World {
    World::empty().apply(&Change::ReplaceAll(Source::Admin, records)).unwrap()
}

fn ancestors(world: &World, kind: &str, id: &str) -> Vec<String> {
    let found = world.ancestors(&EntityUid::new(kind, id));
    let mut ids: Vec<String> = found.iter().map(|uid| (*uid.id).to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn ancestors_are_everything_above_once() {
    let world = world(vec![
        record("User", "rita", &["a", "b"], &[]),
        record("Group", "a", &["top"], &[]),
        record("Group", "b", &["top", "unknown"], &[]),
        record("Group", "top", &[], &[]),
    ]);
    assert_eq!(ancestors(&world, "User", "rita"), ["a", "b", "top", "unknown"]);
    assert!(ancestors(&world, "User", "nobody").is_empty());
    assert!(ancestors(&world, "Group", "top").is_empty());
}

#[test]
fn circles_end_and_nobody_is_their_own_ancestor() {
    let world = world(vec![
        record("Group", "a", &["b"], &[]),
        record("Group", "b", &["c"], &[]),
        record("Group", "c", &["a"], &[]),
        record("Group", "self", &["self"], &[]),
    ]);
    assert_eq!(ancestors(&world, "Group", "a"), ["b", "c"]);
    assert!(ancestors(&world, "Group", "self").is_empty());
}

#[test]
fn hundreds_of_groups_are_all_found_once() {
    let ids: Vec<String> = (0..500).map(|n| format!("g{n}")).collect();
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut records = vec![record("User", "busy", &all, &[])];
    records.extend(ids.iter().map(|id| record("Group", id, &all, &[])));
    let world = world(records);
    let mut expected = ids.clone();
    expected.sort();
    assert_eq!(ancestors(&world, "User", "busy"), expected);
}

#[test]
fn a_long_chain_is_followed_to_its_end() {
    let records = (0..5_000).map(|n| record("Group", &n.to_string(), &[&(n + 1).to_string()], &[]));
    let world = world(records.collect());
    assert_eq!(world.ancestors(&EntityUid::new("Group", "0")).len(), 5_000);
}

#[test]
fn names_are_ids_and_aliases_in_normal_form() {
    let world = world(vec![
        record("Customer", "4711", &[], &["Taylor Swift", "taylor@example.com", "+1 615 555-0100"]),
        record("Customer", "4712", &[], &["TAYLOR  SWIFT", "taylor swift"]),
        record("Group", "4711", &[], &[]),
    ]);
    let ids = |name: &str| {
        let mut found: Vec<String> = world.named(name).iter().map(ToString::to_string).collect();
        found.sort();
        found
    };
    assert_eq!(ids("taylor swift"), ["Customer::\"4711\"", "Customer::\"4712\""]);
    assert_eq!(ids("4711"), ["Customer::\"4711\"", "Group::\"4711\""]);
    assert_eq!(ids("taylor example com"), ["Customer::\"4711\""]);
    assert_eq!(ids("16155550100"), ["Customer::\"4711\""]);
    assert!(ids("Taylor Swift").is_empty(), "names are looked up in normal form");
    assert!(ids("taylor").is_empty());
    assert_eq!(world.longest_alias(), 4);
    assert_eq!(world.beginning("taylor").longer().collect::<Vec<_>>(), [3, 2]);
    assert!(world.beginning("taylor").named().is_empty());
    assert_eq!(world.beginning("4711").named().len(), 2);
}

#[test]
fn standing_is_good_until_somebody_says_otherwise() {
    let rita = EntityUid::new("User", "rita");
    let world = World::empty();
    assert_eq!(world.standing(&rita), Standing::default());
    assert!(world.standing(&rita).active);

    let revoked = Standing { session_revoked: true, ..Standing::default() };
    let world = world.apply(&Change::Standing(rita.clone(), revoked.clone())).unwrap();
    assert_eq!(world.standing(&rita), revoked);
    assert_eq!(world.revision(), Revision(1));
    let same = world.apply(&Change::Standing(rita.clone(), revoked)).unwrap();
    assert_eq!(same.revision(), Revision(1));
    let restored = world.apply(&Change::Standing(rita.clone(), Standing::default())).unwrap();
    assert_eq!(restored.standing(&rita), Standing::default());
    assert_eq!(restored.revision(), Revision(2));
}

#[test]
fn an_inactive_entity_is_never_active_and_leaving_does_not_make_it_so() {
    let rita = EntityUid::new("User", "rita");
    let mut entity = record("User", "rita", &[], &[]);
    entity.attributes.insert("active".to_owned(), json!(false));
    let world = world(vec![entity]);
    assert!(!world.standing(&rita).active);
    let world = world.apply(&Change::Standing(rita.clone(), Standing::default())).unwrap();
    assert!(!world.standing(&rita).active, "a signal does not outrank the directory");

    let inactive = Standing { active: false, ..Standing::default() };
    let world = world.apply(&Change::Standing(rita.clone(), inactive)).unwrap();
    let world = world.apply(&Change::Remove(Source::Admin, rita.clone())).unwrap();
    assert!(!world.standing(&rita).active, "the signal outlives the entity");
}

#[test]
fn a_restart_goes_on_and_never_back() {
    let world = World::empty().at_least(Revision(41));
    assert_eq!(world.revision(), Revision(41));
    assert_eq!(world.at_least(Revision(7)).revision(), Revision(41));
    let next = world.apply(&Change::Put(Source::Admin, record("A", "1", &[], &[]))).unwrap();
    assert_eq!(next.revision(), Revision(42));
}
