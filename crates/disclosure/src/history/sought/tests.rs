//! What is looked for follows the shadows and the directory.

use std::sync::Arc;
use std::time::Duration;

use kenward_model::{DecisionId, Timestamp};
use kenward_world::{Change, EntityRecord, Source, World};

use super::super::{Entry, History, MOST_SHADOWS, Shadow, ShadowSource};
use super::MOST_SETS;
use crate::fixtures::{customer, world};
use crate::recognise::Shadows;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn shadow(id: &str, family: &str) -> Shadow {
    Shadow {
        subject: Some(customer(id)),
        family: family.into(),
        fact: None,
        source: ShadowSource::Policy,
        cast: NOW,
        expires: NOW.plus(Duration::from_hours(1)),
        decision: DecisionId::new(NOW, &[1; 10]),
        tools: Vec::new(),
    }
}

fn refused(ids: &[&str]) -> History {
    let mut history = History::default();
    for id in ids {
        history.apply(&Entry::Refused(shadow(id, "location")));
    }
    history
}

fn sought(history: &History, world: &World) -> Arc<Shadows> {
    let shadows: Vec<&Shadow> = history.shadows(NOW).collect();
    history.sought(world, &shadows)
}

fn names(shadows: &Shadows) -> Vec<&str> {
    shadows.iter().flat_map(|shadowed| shadowed.names.iter().map(String::as_str)).collect()
}

fn put(world: &World, id: &str, aliases: &[&str]) -> World {
    let record = EntityRecord {
        kind: "Customer".to_owned(),
        id: id.to_owned(),
        attributes: serde_json::Map::new(),
        parents: Vec::new(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
    };
    world.apply(&Change::Put(Source::Admin, record)).unwrap()
}

#[test]
fn nothing_is_made_ready_twice() {
    let (history, world) = (refused(&["4711", "4712"]), world());
    let first = sought(&history, &world);
    assert!(Arc::ptr_eq(&first, &sought(&history, &world)), "the same again");
    let copy = history.clone();
    let elsewhere = put(&world, "900", &["Zoe Quade"]);
    assert!(Arc::ptr_eq(&first, &sought(&history, &elsewhere)), "somebody else was changed");
    assert!(Arc::ptr_eq(&first, &sought(&copy, &world)), "a copy has it too");
}

#[test]
fn a_new_shadow_and_a_lifted_one_are_followed() {
    let (mut history, world) = (refused(&["4711"]), world());
    assert!(!sought(&history, &world).has(&customer("4712")));
    history.apply(&Entry::Refused(shadow("4712", "location")));
    assert!(sought(&history, &world).has(&customer("4712")), "a new shadow");
    history.apply(&Entry::Lifted {
        subject: Some(customer("4711")),
        family: "location".into(),
        source: ShadowSource::Policy,
    });
    let after = sought(&history, &world);
    assert!(!after.has(&customer("4711")) && after.has(&customer("4712")), "a lifted one");
    let ended: Vec<&Shadow> = history.shadows(NOW.plus(Duration::from_hours(2))).collect();
    assert!(history.sought(&world, &ended).is_empty(), "one that ended by itself");
}

#[test]
fn another_alias_is_followed() {
    let (history, before) = (refused(&["4711"]), world());
    assert!(names(&sought(&history, &before)).contains(&"taylor swift"));
    let renamed = put(&before, "4711", &["Tess Vandermeer"]);
    let after = sought(&history, &renamed);
    assert!(names(&after).contains(&"tess vandermeer"), "the new name");
    assert!(!names(&after).contains(&"taylor swift"), "the old one is nobody's");
    assert!(names(&sought(&history, &before)).contains(&"taylor swift"), "in an older snapshot");
    let gone = before.apply(&Change::Remove(Source::Admin, customer("4711"))).unwrap();
    assert_eq!(names(&sought(&history, &gone)), ["4711"], "the id alone");
    let unborn = refused(&["5555"]);
    assert_eq!(names(&sought(&unborn, &before)), ["5555"]);
    let born = put(&before, "5555", &["Ina Olafsdottir"]);
    assert!(names(&sought(&unborn, &born)).contains(&"ina olafsdottir"), "known by now");
}

/// The number of a snapshot says nothing of what is in it.
#[test]
fn two_directories_of_the_same_revision_are_told_apart() {
    let history = refused(&["4711"]);
    let (one, other) =
        (put(&World::empty(), "4711", &["Ida Ek"]), put(&World::empty(), "4711", &["Ada Ok"]));
    assert_eq!(one.revision(), other.revision());
    assert!(names(&sought(&history, &one)).contains(&"ida ek"));
    assert!(names(&sought(&history, &other)).contains(&"ada ok"));
}

/// Tools of several families have a set each, and there is an end to them.
#[test]
fn few_sets_are_kept_and_no_more_subjects_than_shadows() {
    let (history, world) = (History::default(), world());
    let ids: Vec<String> = (0..MOST_SHADOWS).map(|n| format!("c{n}")).collect();
    let all: Vec<Shadow> = ids.iter().map(|id| shadow(id, "location")).collect();
    let all: Vec<&Shadow> = all.iter().collect();
    let set = |from: usize, to: usize| history.sought(&world, all.get(from..to).unwrap());
    let first = set(0, 2);
    for number in 1..MOST_SETS {
        set(number, number + 2);
    }
    assert!(Arc::ptr_eq(&first, &set(0, 2)), "each is kept");
    set(MOST_SETS, MOST_SETS + 2);
    assert_eq!(history.sought.kept().len(), MOST_SETS);
    assert!(Arc::ptr_eq(&first, &set(0, 2)), "the oldest goes");
    let large = set(0, MOST_SHADOWS);
    assert_eq!(history.sought.kept().len(), 1, "subjects are counted");
    assert!(Arc::ptr_eq(&large, &set(0, MOST_SHADOWS)));
    assert_eq!(large.len(), MOST_SHADOWS);
}

#[test]
fn histories_are_alike_whatever_was_made_ready() {
    let (one, other) = (refused(&["4711"]), refused(&["4711"]));
    sought(&one, &world());
    assert_eq!(one, other);
    assert!(!format!("{one:?}").contains("swift"), "names are no part of it");
}
