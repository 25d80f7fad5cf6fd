//! The index against one that is computed from scratch, with hashes that collide, and its size.

use std::collections::{BTreeMap, BTreeSet};

use kenward_model::EntityUid;
use proptest::prelude::*;
use serde_json::Map;

use super::keys;
use crate::words::tokens;
use crate::{Change, EntityRecord, Source, World};

/// The bits of a hash that count: none, a few that give one mark, a few that give one bucket, all.
const HASHES: [u64; 5] = [0, 0b11, 0b1_0000_0001, 0b11 << 62, u64::MAX];

fn record(id: &str, aliases: Vec<String>) -> EntityRecord {
    EntityRecord {
        kind: "Customer".to_owned(),
        id: id.to_owned(),
        attributes: Map::new(),
        parents: Vec::new(),
        aliases,
    }
}

fn records() -> impl Strategy<Value = EntityRecord> {
    let alias = "[ab]( [ab]){0,2}|1 [12]|[ab]{3}@b.c|[AB]{2} [AB]{2}";
    let aliases = prop::collection::vec(alias, 0..3);
    ("[a-j]|1[12]", aliases).prop_map(|(id, aliases)| record(&id, aliases))
}

fn changes() -> impl Strategy<Value = Change> {
    let put = |record| Change::Put(Source::Admin, record);
    let all = |records: BTreeMap<String, EntityRecord>| {
        Change::ReplaceAll(Source::Admin, records.into_values().collect())
    };
    let by_id = |records: Vec<EntityRecord>| {
        records.into_iter().map(|record| (record.id.clone(), record)).collect()
    };
    prop_oneof![
        6 => records().prop_map(put),
        3 => records().prop_map(|record| Change::Remove(Source::Admin, record.uid())),
        1 => prop::collection::vec(records(), 0..12).prop_map(by_id).prop_map(all),
    ]
}

/// Texts of which some are names of some entities at some time.
fn texts() -> Vec<String> {
    let words = ["a", "b", "aa", "ab", "1", "2", "11", "12", "aaa", "bbb", "j", "c"];
    let mut texts: Vec<String> = words.map(str::to_owned).into();
    for first in words {
        texts.extend(words.iter().map(|second| format!("{first} {second}")));
    }
    texts.extend(["a a b", "a b a", "aaa b c", "abb b c", "", " "].map(str::to_owned));
    texts
}

/// What a snapshot says of every text.
type Answers = Vec<(BTreeSet<EntityUid>, BTreeSet<usize>, Vec<EntityUid>)>;

fn answers(world: &World, texts: &[String]) -> Answers {
    let answer = |text: &String| {
        let named = world.named(text);
        let set: BTreeSet<EntityUid> = named.iter().cloned().collect();
        assert_eq!(set.len(), named.len(), "nobody twice under {text}");
        (set, world.beginning(text).longer().collect(), world.derived(text))
    };
    texts.iter().map(answer).collect()
}

/// Compares a snapshot with what its entities say one by one.
fn check(world: &World, texts: &[String]) {
    let all: Vec<_> = world.entities.all().map(|entity| (entity, keys(entity))).collect();
    assert_eq!(all.len(), world.len());
    assert_eq!(all.len(), world.entities_of("Customer").count());
    for (text, (named, longer, derived)) in texts.iter().zip(answers(world, texts)) {
        let having = all.iter().filter(|(_, keys)| keys.contains(text));
        let expected: BTreeSet<EntityUid> = having.map(|(entity, _)| entity.uid.clone()).collect();
        assert_eq!(named, expected, "{text}");
        let lengths = all.iter().flat_map(|(_, keys)| keys).map(|key| tokens(key));
        let lengths: BTreeSet<usize> = lengths
            .filter(|words| words.len() > 1 && words[0] == text)
            .map(|words| words.len())
            .collect();
        assert!(longer.is_superset(&lengths), "{text}: {longer:?} {lengths:?}");
        assert!(derived.iter().all(|uid| world.entity(uid).is_some() && !named.contains(uid)));
        for uid in &named {
            assert!(world.aliases_normal(uid).contains(text));
        }
    }
    let longest = all.iter().flat_map(|(_, keys)| keys).map(|key| tokens(key).len()).max();
    assert_eq!(world.longest_alias(), longest.unwrap_or(0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn base_and_changes_are_one_index(
        hash in prop::sample::select(&HASHES[..]),
        changes in prop::collection::vec(changes(), 1..24),
    ) {
        let texts = texts();
        let mut snapshots = vec![World::colliding(hash)];
        let mut said = vec![answers(&snapshots[0], &texts)];
        for change in &changes {
            let next = snapshots[snapshots.len() - 1].apply(change).unwrap();
            check(&next, &texts);
            said.push(answers(&next, &texts));
            snapshots.push(next);
        }
        for (snapshot, said) in snapshots.iter().zip(said) {
            prop_assert_eq!(answers(snapshot, &texts), said, "an old snapshot changed");
        }
    }

    #[test]
    fn what_is_derived_is_the_same_before_and_after_the_base_is_built(
        hash in prop::sample::select(&HASHES[..]),
        records in prop::collection::btree_map("[a-j]", prop::collection::vec("[AB]{2} [AB]{2}|[ab]{3}@b.c", 0..3), 6..10),
    ) {
        let records: Vec<EntityRecord> =
            records.into_iter().map(|(id, aliases)| record(&id, aliases)).collect();
        let bulk = Change::ReplaceAll(Source::Admin, records.clone());
        let bulk = World::colliding(hash).apply(&bulk).unwrap();
        let singly = records.iter().fold(World::empty(), |world, record| {
            world.apply(&Change::Put(Source::Admin, record.clone())).unwrap()
        });
        for text in texts() {
            let set = |world: &World| world.derived(&text).into_iter().collect::<BTreeSet<_>>();
            prop_assert_eq!(set(&bulk), set(&singly), "{}", text);
        }
    }
}

#[test]
fn colliding_hashes_name_nobody_else() {
    for hash in HASHES {
        let name = |number: u32| format!("First{number} Last{}", number / 2);
        let one =
            |number: u32| record(&format!("id{number}"), vec![name(number), "Same".to_owned()]);
        let bulk = Change::ReplaceAll(Source::Admin, (0..200).map(one).collect());
        let world = World::colliding(hash).apply(&bulk).unwrap();
        for number in 0..200 {
            let uid = EntityUid::new("Customer", format!("id{number}"));
            let named = std::slice::from_ref(&uid);
            assert_eq!(world.named(&format!("first{number} last{}", number / 2)), named);
            assert_eq!(world.named(&format!("id{number}")), named);
            assert!(world.entity(&uid).is_some_and(|entity| entity.uid == uid));
            assert!(world.named(&format!("first{number} last{}", number / 2 + 1)).is_empty());
            assert!(world.entity(&EntityUid::new("User", format!("id{number}"))).is_none());
        }
        assert_eq!(world.named("same").len(), 200);
        assert!(world.named("nobody").is_empty() && world.derived("nobody").is_empty());
    }
}

#[test]
fn lengths_of_which_nothing_is_left_go_when_the_base_is_built() {
    let world =
        World::empty().apply(&Change::Put(Source::Admin, record("x", vec!["a b c".to_owned()])));
    let mut world = world.unwrap();
    assert_eq!(world.beginning("a").longer().collect::<Vec<_>>(), [3]);
    world = world.apply(&Change::Remove(Source::Admin, EntityUid::new("Customer", "x"))).unwrap();
    assert!(world.named("a b c").is_empty());
    assert_eq!(world.longest_alias(), 0);
    let others = (0..10).map(|id| record(&format!("o{id}"), vec!["a z".to_owned()])).collect();
    world = world.apply(&Change::ReplaceAll(Source::Admin, others)).unwrap();
    assert_eq!(world.beginning("a").longer().collect::<Vec<_>>(), [2]);
}

/// Of one million customers: an id, and as aliases a name, an e-mail address and a telephone number.
#[test]
#[ignore = "takes gigabytes and minutes; run it by hand to see what the index takes"]
fn three_million_aliases() {
    let aliases = |number: usize| {
        let name = format!("First{} Last{}", letters(number % 1_009), letters(number / 3));
        let phone = format!("+1 615 {:07}", number);
        vec![name, format!("person.{}@example.com", letters(number)), phone]
    };
    let records = (0..1_000_000).map(|number| record(&number.to_string(), aliases(number)));
    let change = Change::ReplaceAll(Source::Admin, records.collect());
    let world = World::empty().apply(&change).unwrap();
    let (names, derived) = (world.names.bytes(), world.derived.bytes());
    println!("names: {names} bytes, derived: {derived} bytes");
    assert!(names + derived < 100 * 1024 * 1024);
}

/// A number in letters.
fn letters(number: usize) -> String {
    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}
