//! The laws of changes: all or nothing, no source over another, and indexes that tell the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kenward_model::{EntityUid, Revision};
use proptest::prelude::*;
use serde_json::{Map, json};

use super::{Change, ChangeError};
use crate::words::{normalise, tokens};
use crate::{EntityRecord, Source, World, names};

fn file() -> Source {
    Source::File("directory.yaml".into())
}

fn record(kind: &str, id: &str) -> EntityRecord {
    EntityRecord {
        kind: kind.to_owned(),
        id: id.to_owned(),
        attributes: Map::new(),
        parents: Vec::new(),
        aliases: Vec::new(),
    }
}

fn put(source: Source, record: EntityRecord) -> Change {
    Change::Put(source, record)
}

#[test]
fn a_source_never_changes_what_is_anothers() {
    let world = World::empty().apply(&put(file(), record("A", "1"))).unwrap();
    let uid = EntityUid::new("A", "1");
    let changed = EntityRecord { aliases: vec!["x".to_owned()], ..record("A", "1") };
    for change in [
        put(Source::Admin, changed.clone()),
        put(Source::Admin, record("A", "1")),
        put(Source::File("other.yaml".into()), changed.clone()),
        Change::Remove(Source::Admin, uid.clone()),
        Change::ReplaceAll(Source::Admin, vec![record("A", "1")]),
        Change::All(vec![put(Source::Admin, record("A", "2")), put(Source::Admin, changed)]),
    ] {
        let error = world.apply(&change).unwrap_err();
        assert!(
            matches!(&error, ChangeError::Owned { uid: u, owner, .. } if *u == uid && *owner == file()),
            "{error}"
        );
        assert!(error.to_string().contains("`directory.yaml`"), "{error}");
    }
    assert_eq!(world.len(), 1);
}

#[test]
fn replacing_all_of_a_source_leaves_the_others() {
    let world = World::empty();
    let world = world.apply(&put(Source::Admin, record("A", "mine"))).unwrap();
    let both = vec![record("A", "1"), record("A", "2")];
    let world = world.apply(&Change::ReplaceAll(file(), both)).unwrap();
    let world =
        world.apply(&Change::ReplaceAll(file(), vec![record("A", "2"), record("B", "3")])).unwrap();
    let known = |kind, id| world.entity(&EntityUid::new(kind, id)).is_some();
    assert!(known("A", "mine") && known("A", "2") && known("B", "3") && !known("A", "1"));
    let empty = world.apply(&Change::ReplaceAll(file(), Vec::new())).unwrap();
    assert_eq!(empty.len(), 1);
    assert_eq!(empty.entities_of("B").count(), 0);
}

#[test]
fn twice_in_one_statement_is_refused() {
    let change = Change::ReplaceAll(file(), vec![record("A", "1"), record("A", "1")]);
    assert!(matches!(World::empty().apply(&change), Err(ChangeError::Twice { .. })));
}

#[test]
fn a_flawed_record_is_refused_whole() {
    let mut bad = record("A", "1");
    bad.attributes.insert("x".to_owned(), json!(null));
    let change = Change::All(vec![put(file(), record("A", "0")), put(file(), bad)]);
    let error = World::empty().apply(&change).unwrap_err();
    assert!(error.to_string().contains("/attributes/x"), "{error}");
}

#[test]
fn what_changes_nothing_keeps_the_revision() {
    let world = World::empty().apply(&put(file(), record("A", "1"))).unwrap();
    for change in [
        put(file(), record("A", "1")),
        Change::Remove(Source::Admin, EntityUid::new("A", "nobody")),
        Change::ReplaceAll(file(), vec![record("A", "1")]),
        Change::ReplaceAll(Source::Admin, Vec::new()),
        Change::All(Vec::new()),
    ] {
        assert_eq!(world.apply(&change).unwrap().revision(), Revision(1), "{change:?}");
    }
}

#[test]
fn older_snapshots_stay_as_they_were() {
    let before = World::empty().apply(&put(file(), record("A", "1"))).unwrap();
    let renamed = EntityRecord { aliases: vec!["New Name".to_owned()], ..record("A", "1") };
    let after = before.apply(&put(file(), renamed)).unwrap();
    assert!(before.named("new name").is_empty());
    assert_eq!(after.named("new name").len(), 1);
    assert_eq!(before.longest_alias(), 1);
    assert_eq!(after.longest_alias(), 2);
}

/// A few entities and names, so that changes meet each other.
fn records() -> impl Strategy<Value = EntityRecord> {
    let parents = prop::collection::vec((0..3_u8, 0..6_u8), 0..3);
    let aliases = prop::collection::vec("[ab]( [abc1]){0,3}|1-[12]|[a-c]@b.c", 0..3);
    (0..3_u8, 0..6_u8, parents, aliases, any::<bool>()).prop_map(
        |(kind, id, parents, aliases, flag)| {
            let mut attributes = Map::new();
            attributes.insert("flag".to_owned(), json!(flag));
            let parents = parents
                .iter()
                .map(|(kind, id)| EntityUid::new(format!("K{kind}"), format!("a {id}")));
            EntityRecord {
                kind: format!("K{kind}"),
                id: format!("a {id}"),
                attributes,
                parents: parents.collect(),
                aliases,
            }
        },
    )
}

fn sources() -> impl Strategy<Value = Source> {
    prop_oneof![Just(Source::Admin), Just(Source::File("a".into())), Just(Source::File("b".into()))]
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (sources(), records()).prop_map(|(source, record)| Change::Put(source, record)),
        2 => (sources(), records()).prop_map(|(source, record)| Change::Remove(source, record.uid())),
        1 => (sources(), prop::collection::vec(records(), 0..4))
            .prop_map(|(source, records)| Change::ReplaceAll(source, records)),
    ]
}

/// The index of names, computed from scratch.
fn naive_names(world: &World) -> BTreeMap<String, BTreeSet<EntityUid>> {
    let mut index: BTreeMap<String, BTreeSet<EntityUid>> = BTreeMap::new();
    for entity in world.entities.all() {
        let texts = std::iter::once(&*entity.uid.id).chain(&entity.aliases);
        for text in texts {
            let normal = normalise(text);
            if normal.contains(' ') && normal.chars().all(|c| c.is_ascii_digit() || c == ' ') {
                index.entry(normal.replace(' ', "")).or_default().insert(entity.uid.clone());
            }
            index.entry(normal).or_default().insert(entity.uid.clone());
        }
    }
    index
}

fn check_indexes(world: &World) -> Result<(), TestCaseError> {
    let naive = naive_names(world);
    for (name, uids) in &naive {
        let found = world.named(name);
        prop_assert_eq!(found.len(), uids.len(), "nobody twice under {}", name);
        prop_assert_eq!(&found.iter().cloned().collect::<BTreeSet<_>>(), uids);
    }
    let longest = naive.keys().map(|name| tokens(name).len()).max().unwrap_or(0);
    prop_assert_eq!(world.longest_alias(), longest);
    for first in ["a", "b", "c", "1", "2"] {
        let longer: BTreeSet<usize> = naive
            .keys()
            .map(|name| tokens(name))
            .filter(|words| words.len() > 1 && words[0] == first)
            .map(|words| words.len())
            .collect();
        let found: BTreeSet<usize> = world.beginning(first).longer().collect();
        prop_assert!(found.is_superset(&longer), "{:?} lacks some of {:?}", found, longer);
        prop_assert_eq!(world.named(first).len(), naive.get(first).map_or(0, BTreeSet::len));
    }
    // what is gone leaves nothing behind
    let gone = naive.is_empty();
    prop_assert_eq!(world.is_empty(), gone);
    Ok(())
}

/// The ancestors by walking until nothing is new.
fn naive_ancestors(world: &World, uid: &EntityUid) -> BTreeSet<EntityUid> {
    let mut all: BTreeSet<EntityUid> = BTreeSet::new();
    let mut edge = vec![uid.clone()];
    while let Some(next) = edge.pop() {
        for parent in world.entity(&next).map(|e| e.parents.to_vec()).unwrap_or_default() {
            if all.insert(parent.clone()) {
                edge.push(parent);
            }
        }
    }
    all.remove(uid);
    all
}

fn contents(world: &World) -> BTreeMap<EntityUid, Arc<crate::Entity>> {
    let entities = world.entities.all();
    entities.map(|entity| (entity.uid.clone(), Arc::clone(entity))).collect()
}

proptest! {
    #[test]
    fn indexes_equal_their_naive_computation(changes in prop::collection::vec(changes(), 0..24)) {
        let mut world = World::empty();
        for change in &changes {
            if let Ok(next) = world.apply(change) {
                world = next;
            }
            check_indexes(&world)?;
        }
        for uid in contents(&world).keys() {
            let found = world.ancestors(uid);
            let set: BTreeSet<EntityUid> = found.iter().cloned().collect();
            prop_assert_eq!(set.len(), found.len());
            prop_assert_eq!(set, naive_ancestors(&world, uid));
        }
    }

    #[test]
    fn all_is_one_after_the_other_or_nothing(changes in prop::collection::vec(changes(), 0..8)) {
        let start = World::empty().apply(&Change::Put(file(), record("K0", "a 0"))).unwrap();
        let singly = changes.iter().try_fold(start.clone(), |world, change| world.apply(change));
        let together = start.apply(&Change::All(changes));
        match (singly, together) {
            (Ok(singly), Ok(together)) => {
                prop_assert_eq!(contents(&singly), contents(&together));
                prop_assert!(together.revision() <= start.revision().next());
            }
            (Err(one), Err(other)) => prop_assert_eq!(one, other),
            (one, other) => prop_assert!(false, "{:?} {:?}", one, other),
        }
    }

    #[test]
    fn changes_of_different_entities_commute(a in changes(), b in changes()) {
        let touched = |change: &Change| match change {
            Change::Put(_, record) => Some(record.uid()),
            Change::Remove(_, uid) => Some(uid.clone()),
            Change::ReplaceAll(..) | Change::Standing(..) | Change::All(_) => None,
        };
        prop_assume!(touched(&a).is_some() && touched(&b).is_some() && touched(&a) != touched(&b));
        let start = World::empty();
        let apply = |first: &Change, then: &Change| start.apply(first).unwrap().apply(then).unwrap();
        prop_assert_eq!(contents(&apply(&a, &b)), contents(&apply(&b, &a)));
    }

    #[test]
    fn putting_and_removing_leaves_no_trace(record in records(), others in prop::collection::vec(records(), 0..6)) {
        let mut world = World::empty();
        for other in others.into_iter().filter(|other| other.uid() != record.uid()) {
            world = world.apply(&Change::Put(file(), other)).unwrap();
        }
        let there = world.apply(&Change::Put(Source::Admin, record.clone())).unwrap();
        let twice = there.apply(&Change::Put(Source::Admin, record.clone())).unwrap();
        prop_assert_eq!(twice.revision(), there.revision());
        let back = there.apply(&Change::Remove(Source::Admin, record.uid())).unwrap();
        prop_assert_eq!(contents(&back), contents(&world));
        for name in names::keys(there.entity(&record.uid()).unwrap()) {
            prop_assert_eq!(back.named(&name).len(), world.named(&name).len());
        }
        check_indexes(&back)?;
    }
}
