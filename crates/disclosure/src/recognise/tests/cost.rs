//! What recognition costs, whatever the text.

use std::fmt::Write as _;

use kenward_world::{Change, EntityRecord, Source, World, words};

use super::super::Purpose;
use super::super::search::Search;
use super::super::stage::Stage;

/// The longest text that is read, in bytes.
const LONGEST: usize = 64 * 1024;
/// So many look-ups are made for a word at most: names of each length, groups of digits, handles.
const PER_WORD: usize = 80;

fn record(id: &str, aliases: &[&str]) -> EntityRecord {
    EntityRecord {
        kind: "Customer".to_owned(),
        id: id.to_owned(),
        attributes: serde_json::Map::new(),
        parents: Vec::new(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
    }
}

/// A number in letters.
fn letters(number: usize) -> String {
    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

fn stage(records: Vec<EntityRecord>) -> Stage {
    let world = World::empty().apply(&Change::ReplaceAll(Source::Admin, records)).unwrap();
    Stage { world, ..Stage::calm() }
}

fn look_ups_per_word(stage: &Stage, text: &str) -> usize {
    let scene = stage.scene();
    let normal = words::normalise(text);
    let mut search = Search::new(&scene, &normal, &Purpose::default());
    search.run();
    assert!(search.words.len() > 1000, "worth measuring");
    search.look_ups / search.words.len()
}

/// Names of all lengths that begin alike, in a text of nothing else, are looked up a bounded
/// number of times for each word; so is whatever has digits.
#[test]
fn the_number_of_look_ups_is_linear_in_the_text() {
    let nested: Vec<String> = (1..=16).map(|words| vec!["ana"; words].join(" ")).collect();
    let nested: Vec<&str> = nested.iter().map(String::as_str).collect();
    let numbers = ["1 1 1 1 1 1 1 1", "11", "1 11", "111 1"];
    let stage = stage(vec![record("n", &nested), record("d", &numbers)]).linked(None, "t1", "n");
    for pattern in
        ["ana ", "1 ", "a1 ", "1a ", "ana 1 ", "a ", "at dot ", "t1 ", "111 ", "x at y dot "]
    {
        let text = pattern.repeat(LONGEST / pattern.len());
        let some = look_ups_per_word(&stage, &text);
        let few = look_ups_per_word(&stage, &pattern.repeat(LONGEST / pattern.len() / 8));
        assert!(some <= PER_WORD && some <= few + 1, "{pattern}: {few} and {some}");
    }
}

/// A name that very many have, said again and again, is copied once.
#[test]
fn a_name_of_many_is_told_once() {
    let records = (0..2_000).map(|n| record(&format!("id-{n}"), &["John Doe", "Will"])).collect();
    let stage = stage(records);
    let text = "John Doe, Will, ".repeat(LONGEST / 16);
    let mentions = stage.mentions(&text);
    assert_eq!(mentions.len(), 2, "each name once");
    assert!(mentions.iter().all(|mention| mention.entities.len() == 2_000));
}

/// Many are shadowed that have one word of their name in common, and a text repeats that word: the
/// work has an end, and whoever wears it out has named all of them.
#[test]
fn looking_strictly_has_an_end() {
    let names: Vec<String> = (0..1_000).map(|n| format!("{}anna Smith", letters(n))).collect();
    let ids: Vec<String> = (0..1_000).map(|n| format!("id-{n}")).collect();
    let records = ids.iter().zip(&names).map(|(id, name)| record(id, &[name])).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let stage = stage(records).under(&ids);
    assert_eq!(stage.customers("smith and smith"), Vec::<String>::new());
    let near = stage.customers("smith, babanna");
    assert!(near.contains(&"id-101".to_owned()) && near.len() < 50, "one slip away: {near:?}");
    assert_eq!(stage.customers(&"smith ".repeat(LONGEST / 6)).len(), 1_000);
}

/// A kilobyte of prose with some names and numbers in it, against 100,000 entities.
#[test]
#[ignore = "measures; run it alone and optimised"]
#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn a_kilobyte_of_text() {
    const FIRST: [&str; 10] =
        ["anna", "boris", "carla", "dmitri", "elena", "farid", "greta", "henry", "irina", "jonas"];
    let records = (0..100_000_usize).map(|n| {
        let first = FIRST[n % 10];
        let last = format!("{}son{}", FIRST[n / 10 % 10], letters(n / 100));
        let (name, mail) = (format!("{first} {last}"), format!("{first}.{last}@example.com"));
        record(&format!("c-{n}"), &[&name, &mail, &format!("+49 171 {n:07}")])
    });
    let stage = stage(records.collect());
    let dark =
        Stage { world: stage.world.clone(), ..Stage::calm() }.under(&["c-1", "c-20", "c-300"]);
    let mut text = String::new();
    while text.len() < 1000 {
        let n = text.len() * 37;
        write!(
            text,
            "Please tell me which drop-off locations are near the home of anna and deliver \
            the parcel {n} by Tuesday at 5, then call back; thanks, greta borisson{} of shelf a1. ",
            letters(n % 1000)
        )
        .unwrap();
    }
    for (label, stage) in [("open", &stage), ("under three shadows", &dark)] {
        let mut best = std::time::Duration::MAX;
        for _ in 0..50 {
            let start = std::time::Instant::now();
            for _ in 0..20 {
                std::hint::black_box(stage.mentions(&text));
            }
            best = best.min(start.elapsed() / 20);
        }
        println!("{label}: {best:?} for {} bytes", text.len());
    }
}
