//! How much memory a large directory takes, and how long it takes to load: run by hand.

use std::fs;
use std::time::Instant;

use serde_json::json;

use crate::{Change, EntityRecord, Source, World, words};

/// The resident memory of this process in bytes.
fn resident() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// A customer with an id, two aliases, four attributes and a parent.
fn record(number: usize) -> EntityRecord {
    let person = format!("First{} Last{}", number % 1_009, number / 3);
    serde_json::from_value(json!({
        "type": "Customer",
        "id": format!("{}", 10_000_000 + number),
        "attributes": {
            "protected": number.is_multiple_of(100),
            "assigned_to": { "__entity": { "type": "User", "id": format!("rep{}", number % 997) } },
            "city": format!("City {}", number % 503),
            "since": number,
        },
        "parents": [{ "type": "Group", "id": "customers" }],
        "aliases": [person, format!("person.{number}@example.com")],
    }))
    .unwrap()
}

/// How many entities: a million, unless the environment says otherwise.
#[expect(clippy::disallowed_methods, reason = "a measurement that is run by hand")]
fn count() -> usize {
    std::env::var("ENTITIES").map_or(1_000_000, |count| count.parse().unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a measurement that is run by hand")]
fn now() -> Instant {
    Instant::now()
}

#[test]
#[ignore = "takes gigabytes and minutes; run it by hand to see how long a directory loads"]
fn loading_a_large_directory() {
    let (count, start) = (count(), resident());
    let records: Vec<EntityRecord> = (0..count).map(record).collect();
    println!("records: {} bytes each", (resident() - start) / count);
    let change = Change::ReplaceAll(Source::Admin, records);
    let since = now();
    let world = World::empty().apply(&change).unwrap();
    println!("loaded {count} entities in {:?}", since.elapsed());
    println!("with records: {} bytes each", (resident() - start) / count);
    assert_eq!(world.len(), count);
    let since = now();
    assert_eq!(world.apply(&change).unwrap().revision(), world.revision());
    println!("the same again in {:?}", since.elapsed());
}

#[test]
#[ignore = "takes gigabytes and minutes; run it by hand to see what a directory takes"]
fn holding_a_large_directory() {
    let (count, start) = (count(), resident());
    let mut world = World::empty();
    for part in 0..10 {
        let records = (count / 10 * part..count / 10 * (part + 1)).map(record);
        let puts = records.map(|record| Change::Put(Source::Admin, record)).collect();
        world = world.apply(&Change::All(puts)).unwrap();
    }
    println!("world: {} bytes each", resident().saturating_sub(start) / count);
    let since = now();
    for number in 0..1_000 {
        let person = words::normalise(&format!("person.{number}@example.com"));
        assert_eq!(world.named(&person).len(), 1);
    }
    println!("named: {:?} each", since.elapsed() / 1_000);
    let mut next = world.clone();
    let other = |number| {
        let mut record = record(number);
        record.aliases.push(format!("Other {number}"));
        Change::Put(Source::Admin, record)
    };
    let changes: Vec<Change> = (0..1_000).map(other).collect();
    let since = now();
    for change in &changes {
        next = next.apply(change).unwrap();
    }
    println!("changed: {:?} each", since.elapsed() / 1_000);
    assert_eq!(next.named("other 7").len(), 1);
    assert!(world.named("other 7").is_empty());
}
