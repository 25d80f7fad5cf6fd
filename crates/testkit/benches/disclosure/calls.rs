//! Calls: arguments of 1 KB that name somebody, and answers of 10 KB that list many.

use serde_json::{Value, json};

use crate::directory::{self, GIVEN};
use crate::random::Random;

/// The size of the arguments, in bytes.
const ARGUMENTS: usize = 1_024;
/// The size of an answer, in bytes.
const ANSWER: usize = 10 * 1_024;
/// How many rows it has.
pub(crate) const ROWS: usize = 50;

/// Arguments that name the customer in one of three ways, with a long note beside it.
pub(crate) fn arguments(customer: usize, random: &mut Random) -> Value {
    let who = match random.below(4) {
        0 => directory::id(customer),
        1 => directory::mail(customer),
        2 => directory::name(customer),
        _ => format!("near the house of {}, please", directory::name(customer)),
    };
    let bare = json!({ "who": who, "note": "" }).to_string().len();
    json!({ "who": who, "note": note(ARGUMENTS - bare, random) })
}

/// Prose of so many bytes. One word in twelve begins names of customers, some are numbers.
pub(crate) fn note(bytes: usize, random: &mut Random) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        match random.below(24) {
            0 | 1 => text.push_str(random.of(&GIVEN)),
            2 => text.push_str(&random.below(9_999).to_string()),
            _ => text.push_str(random.of(&WORDS)),
        }
        text.push_str(if random.below(12) == 0 { ", " } else { " " });
    }
    text.truncate(bytes);
    text
}

/// An answer with the rows as structured content, and as a text for older clients.
pub(crate) fn answer(entities: usize, random: &mut Random) -> Value {
    let mut filling = 0;
    loop {
        let rows: Vec<Value> = (0..ROWS).map(|_| row(entities, filling, random)).collect();
        let document = json!({ "customers": rows });
        let content = json!([{ "type": "text", "text": document.to_string() }]);
        let answer = json!({ "content": content, "structuredContent": document });
        let missing = ANSWER.saturating_sub(answer.to_string().len());
        if filling > 0 || missing < 2 * ROWS {
            return answer;
        }
        filling = missing / (2 * ROWS);
    }
}

fn row(entities: usize, filling: usize, random: &mut Random) -> Value {
    let customer = random.below(entities);
    let street = format!("{} {} street", random.below(200), random.of(&WORDS));
    json!({
        "id": directory::id(customer),
        "street": street,
        "plan": random.of(&WORDS),
        "since": 1_990 + random.below(35),
        "note": note(filling, random),
    })
}

/// Words of letters and tickets.
const WORDS: [&str; 96] = [
    "about",
    "account",
    "after",
    "again",
    "all",
    "and",
    "answer",
    "are",
    "asked",
    "at",
    "back",
    "because",
    "been",
    "before",
    "but",
    "call",
    "called",
    "can",
    "change",
    "check",
    "contract",
    "could",
    "customer",
    "day",
    "delivered",
    "details",
    "did",
    "document",
    "for",
    "from",
    "get",
    "given",
    "had",
    "has",
    "have",
    "help",
    "her",
    "him",
    "how",
    "if",
    "information",
    "into",
    "is",
    "it",
    "last",
    "later",
    "letter",
    "long",
    "made",
    "message",
    "morning",
    "need",
    "new",
    "next",
    "not",
    "now",
    "number",
    "of",
    "office",
    "on",
    "open",
    "order",
    "other",
    "our",
    "parcel",
    "people",
    "please",
    "problem",
    "question",
    "received",
    "reply",
    "report",
    "request",
    "said",
    "same",
    "see",
    "sent",
    "service",
    "since",
    "some",
    "still",
    "street",
    "that",
    "the",
    "their",
    "there",
    "they",
    "this",
    "time",
    "to",
    "today",
    "was",
    "week",
    "were",
    "with",
    "yesterday",
];
