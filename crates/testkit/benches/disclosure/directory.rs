//! The directory: as many customers as are wanted, each with an id, a name and an e-mail address.

use kenward_world::{Change, EntityRecord, Source, World};
use serde_json::{Value, json};

use crate::random::Random;

/// How many records exist at once while the directory is built.
const BATCH: usize = 50_000;

/// A directory of `count` customers, and Rita who asks.
pub(crate) fn build(count: usize) -> World {
    let rita = json!({ "type": "User", "id": "rita", "parents": [
        { "type": "Group", "id": "representatives" },
    ] });
    let mut world = apply(&World::empty(), [record(rita)].into_iter());
    let mut start = 0;
    while start < count {
        let end = count.min(start + BATCH);
        world = apply(&world, (start..end).map(customer));
        start = end;
    }
    world
}

fn apply(world: &World, records: impl Iterator<Item = EntityRecord>) -> World {
    let puts = records.map(|record| Change::Put(Source::Admin, record));
    world.apply(&Change::All(puts.collect())).expect("a change")
}

fn customer(number: usize) -> EntityRecord {
    record(json!({
        "type": "Customer",
        "id": id(number),
        "attributes": {
            "protected": is_protected(number),
            "assigned_to": { "__entity": { "type": "User", "id": format!("u{}", number % 997) } },
        },
        "aliases": [name(number), mail(number)],
    }))
}

fn record(value: Value) -> EntityRecord {
    serde_json::from_value(value).expect("a record")
}

/// Every tenth customer is.
pub(crate) fn is_protected(number: usize) -> bool {
    number.is_multiple_of(10)
}

/// The number of a customer who is not protected.
pub(crate) fn open_customer(random: &mut Random, count: usize) -> usize {
    let number = random.below(count);
    if is_protected(number) { number + 1 } else { number }
}

pub(crate) fn id(number: usize) -> String {
    format!("{}", 10_000_000 + number)
}

/// A name that nobody else has: a given name that many have, and a family name that some have.
pub(crate) fn name(number: usize) -> String {
    let given = GIVEN.get(number % GIVEN.len()).copied().unwrap_or_default();
    let mut rest = number / GIVEN.len();
    let mut family = String::new();
    for _ in 0..3 {
        family.push_str(SYLLABLES.get(rest % SYLLABLES.len()).copied().unwrap_or_default());
        rest /= SYLLABLES.len();
    }
    let (first, others) = family.split_at(1);
    format!("{given} {}{others}", first.to_uppercase())
}

pub(crate) fn mail(number: usize) -> String {
    format!("{}{number}@mail.example.com", name(number).to_lowercase().replace(' ', "."))
}

/// What many people are called.
pub(crate) const GIVEN: [&str; 100] = [
    "Aaron",
    "Ada",
    "Agnes",
    "Albert",
    "Alexander",
    "Alice",
    "Amir",
    "Anders",
    "Andrea",
    "Anna",
    "Anton",
    "Arjun",
    "Astrid",
    "Aurora",
    "Beatrice",
    "Benjamin",
    "Bianca",
    "Bruno",
    "Camille",
    "Carla",
    "Cecilia",
    "Charles",
    "Chiara",
    "Clara",
    "Conrad",
    "Dagmar",
    "Daniel",
    "Deepa",
    "Diego",
    "Dora",
    "Edith",
    "Eduardo",
    "Elena",
    "Elias",
    "Emil",
    "Emma",
    "Erik",
    "Esther",
    "Fatima",
    "Felix",
    "Fiona",
    "Florian",
    "Frida",
    "Gabriel",
    "Greta",
    "Gustav",
    "Hannah",
    "Haruki",
    "Helena",
    "Henry",
    "Ibrahim",
    "Ida",
    "Igor",
    "Ingrid",
    "Isabel",
    "Ivan",
    "Jakob",
    "Jasmin",
    "Johanna",
    "Jonas",
    "Julia",
    "Karim",
    "Katarina",
    "Keiko",
    "Lars",
    "Laura",
    "Leila",
    "Leonard",
    "Linnea",
    "Louis",
    "Lucia",
    "Magnus",
    "Marcel",
    "Maria",
    "Martin",
    "Matilda",
    "Mei",
    "Miguel",
    "Mohamed",
    "Nadia",
    "Nicolas",
    "Nora",
    "Olga",
    "Oscar",
    "Paula",
    "Pedro",
    "Priya",
    "Rafael",
    "Regina",
    "Robert",
    "Rosa",
    "Samuel",
    "Sofia",
    "Stefan",
    "Tamara",
    "Theo",
    "Valentin",
    "Vera",
    "Wilma",
    "Yusuf",
];

/// Of three of these the family names are made: enough for three million customers.
const SYLLABLES: [&str; 32] = [
    "bal", "ber", "bran", "dor", "dun", "fal", "fen", "gar", "gold", "hag", "hol", "jor", "kal",
    "kern", "lang", "lin", "mar", "mor", "nor", "ost", "pel", "quin", "ros", "sal", "stein", "tal",
    "thor", "ul", "var", "wes", "wolf", "zim",
];
