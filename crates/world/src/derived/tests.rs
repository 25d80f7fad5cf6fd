//! What is derived, from whom, and what is not.

use kenward_model::EntityUid;
use serde_json::Map;

use super::MOST_FOUND;
use crate::words::normalise;
use crate::{Change, EntityRecord, Source, World};

fn record(id: &str, aliases: &[&str]) -> EntityRecord {
    EntityRecord {
        kind: "Customer".to_owned(),
        id: id.to_owned(),
        attributes: Map::new(),
        parents: Vec::new(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
    }
}

fn found(world: &World, text: &str) -> usize {
    world.derived(&normalise(text)).len()
}

/// In a small world and in one whose base was built with the entity in it.
fn worlds(aliases: &[&str]) -> [World; 2] {
    let one = World::empty().apply(&Change::Put(Source::Admin, record("4711", aliases))).unwrap();
    let others = (0..20).map(|number| Change::Put(Source::Admin, record(&number.to_string(), &[])));
    let large = one.apply(&Change::All(others.collect())).unwrap();
    [one, large]
}

#[test]
fn names_are_found_by_initial_and_last_name() {
    for alias in ["Taylor Swift", "Taylor Alison Swift", "Swift, Taylor", "T\u{e4}ylor de la Swift"]
    {
        for world in worlds(&[alias]) {
            let uid = EntityUid::new("Customer", "4711");
            assert_eq!(world.derived("t swift"), [uid], "{alias}");
            for other in ["s taylor", "swift t", "t", "swift", "a swift", "taylor swift b"] {
                assert_eq!(found(&world, other), 0, "{other} of {alias}");
            }
        }
    }
}

#[test]
fn what_is_no_name_of_a_person_gives_no_initials() {
    for alias in ["T Swift", "Taylor S", "Depot 7 North", "Swift", "A Company Of Very Many Words"] {
        for world in worlds(&[alias]) {
            for text in ["t swift", "t s", "d north", "s swift", "a words"] {
                assert_eq!(found(&world, text), 0, "{text} of {alias}");
            }
        }
    }
}

#[test]
fn addresses_are_found_without_their_domain() {
    for alias in ["taylor.swift@example.com", "Taylor_Swift+news@example.com"] {
        for world in worlds(&[alias]) {
            assert_eq!(found(&world, "taylor swift"), 1, "{alias}");
            assert_eq!(found(&world, "Taylor-Swift"), 1, "{alias}");
            assert_eq!(found(&world, "example com"), 0, "{alias}");
        }
    }
    for world in worlds(&["ts@example.com", "@example.com", "swift@", "a@swift@b"]) {
        for text in ["ts", "swift", "a", ""] {
            assert_eq!(found(&world, text), 0, "{text}");
        }
    }
}

#[test]
fn telephone_numbers_are_found_with_any_prefix() {
    let german =
        ["+49 89 1234567", "0049-89-1234567", "+49 (0)89 1234567", "089/1234567", "(089) 1234567"];
    let american = ["+1 (615) 555-0100", "001 615 555 0100", "1-615-555-0100", "615.555.0100"];
    let ask_german =
        ["089 1234567", "+49891234567", "0049 89 1234567", "89 1234567", "+49 89 123 45 67"];
    let ask_american =
        ["6155550100", "(615) 555-0100", "16155550100", "+1 615 555 0100", "0016155550100"];
    for alias in german {
        check_number(alias, &ask_german);
    }
    for alias in american {
        check_number(alias, &ask_american);
    }
}

/// Whoever has the number is found by each of the texts, by name or derived, and by no other.
fn check_number(alias: &str, texts: &[&str]) {
    for world in worlds(&[alias]) {
        let is_found = |text: &str| {
            let glued = normalise(text).replace(' ', "");
            !world.named(&normalise(text)).is_empty()
                || !world.named(&glued).is_empty()
                || world.derived(&glued).len() == 1
        };
        for text in texts {
            assert!(is_found(text), "{text} of {alias}");
        }
        assert!(!is_found("891234568") && !is_found("1234567") && !is_found("0615555010"));
    }
}

#[test]
fn other_numbers_are_no_telephone_numbers() {
    for world in worlds(&["47110815", "12-34", "No. 615 555 0100"]) {
        for text in ["0047110815", "110815", "1234", "01234", "6155550100"] {
            assert_eq!(found(&world, text), 0, "{text}");
        }
    }
}

#[test]
fn what_names_an_entity_is_not_derived_from_it() {
    for world in worlds(&["Taylor Swift", "T. Swift", "taylor.swift@example.com", "(615) 555-0100"])
    {
        for text in ["t swift", "taylor swift", "6155550100"] {
            assert_eq!(world.named(text).len(), 1, "{text}");
            assert_eq!(found(&world, text), 0, "{text}");
        }
    }
}

#[test]
fn changes_and_removals_are_seen_at_once() {
    let uid = EntityUid::new("Customer", "4711");
    for world in worlds(&["Taylor Swift"]) {
        let renamed = Change::Put(Source::Admin, record("4711", &["Tom Smith"]));
        let renamed = world.apply(&renamed).unwrap();
        assert_eq!((found(&renamed, "t swift"), found(&renamed, "t smith")), (0, 1));
        let back = Change::Put(Source::Admin, record("4711", &["Taylor Swift"]));
        let back = renamed.apply(&back).unwrap();
        assert_eq!((found(&back, "t swift"), found(&back, "t smith")), (1, 0));
        let gone = back.apply(&Change::Remove(Source::Admin, uid.clone())).unwrap();
        assert_eq!((found(&gone, "t swift"), found(&world, "t swift")), (0, 1));
    }
}

#[test]
fn a_form_that_everybody_has_is_cut_off() {
    let many = (0..300).map(|number| record(&number.to_string(), &["Taylor Swift"])).collect();
    let world = World::empty().apply(&Change::ReplaceAll(Source::Admin, many)).unwrap();
    assert_eq!(found(&world, "t swift"), MOST_FOUND);
}
