//! The nouns by which arguments and rows name people, and things that belong to people.

use std::collections::BTreeMap;

use super::outline::{Argument, Outline, Shape};

/// How an argument probably names somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// By the id of somebody of this type.
    Person(String),
    /// By the id of something of this type, which belongs to somebody.
    Handle(String),
    /// In words; of this type, where they say so.
    Text(Option<String>),
    /// By a place, which may be given in numbers.
    Place,
    /// Not at all.
    Nobody,
}

/// How `argument` of what is called by `context` probably names somebody.
pub(super) fn reading(argument: &Argument, context: &[String]) -> Reading {
    let words = argument.words.as_slice();
    let Some((last, stem)) = words.split_last() else { return Reading::Nobody };
    if argument.shape == Shape::Boolean {
        return Reading::Nobody;
    }
    if is(IDS, last) {
        let stem = if stem.is_empty() && last == "id" { context } else { stem };
        return identified(stem);
    }
    if is(NEAR, last) {
        let in_numbers = matches!(argument.shape, Shape::Object | Shape::Number);
        return if in_numbers { Reading::Place } else { Reading::Text(None) };
    }
    if argument.shape == Shape::Object {
        return Reading::Nobody;
    }
    if let Some(kind) = person(words).filter(|_| ends_in_person(words)) {
        return Reading::Text(Some(kind));
    }
    if is(HANDLES, &singular(last)) && stem.is_empty() && argument.shape == Shape::Text {
        return Reading::Handle(title(&[singular(last)]));
    }
    let names_somebody = match stem {
        [] => is(NAMING, last),
        stem if matches!(last.as_str(), "name" | "email" | "phone") => {
            person(stem).is_some() || is(NAME_PARTS, &stem.join(" "))
        }
        [first] => first == "address" && last == "of",
        _ => false,
    };
    if names_somebody { Reading::Text(person(stem)) } else { Reading::Nobody }
}

/// Whether the argument is one part of a name, of which another argument is the other part.
pub(super) fn is_name_part(argument: &Argument) -> bool {
    matches!(
        argument.words.join(" ").as_str(),
        "first name" | "last name" | "given name" | "family name"
    )
}

/// The type whose id stands behind `stem`: the last noun that is known.
fn identified(stem: &[String]) -> Reading {
    for end in (1..=stem.len()).rev() {
        let Some(head) = stem.get(..end) else { continue };
        if ends_in_person(head)
            && let Some(kind) = person(head)
        {
            return Reading::Person(kind);
        }
        if let Some(last) = head.last().map(|last| singular(last)).filter(|last| is(HANDLES, last))
        {
            return Reading::Handle(title(&[last]));
        }
    }
    Reading::Nobody
}

/// The type of person that `words` speak of last, such as `Customer`.
pub(super) fn person(words: &[String]) -> Option<String> {
    (1..=words.len()).rev().find_map(|end| {
        let head = words.get(..end)?;
        let (last, before) = head.split_last()?;
        if singular(last) == "holder" && before.last().is_some_and(|word| word == "account") {
            return Some("AccountHolder".to_owned());
        }
        let last = singular(last);
        is(PERSONS, &last).then(|| title(&[last]))
    })
}

fn ends_in_person(words: &[String]) -> bool {
    words.last().is_some_and(|last| {
        let last = singular(last);
        is(PERSONS, &last) || last == "holder"
    })
}

/// The type of something that belongs to somebody, when `words` end in one.
pub(super) fn handle(words: &[String]) -> Option<String> {
    let last = singular(words.last()?);
    is(HANDLES, &last).then(|| title(&[last]))
}

/// The type of person that most of what the server offers speaks of.
pub(super) fn usual_person(outlines: &[Outline]) -> Option<String> {
    let mut spoken: BTreeMap<String, usize> = BTreeMap::new();
    for outline in outlines {
        let arguments = outline.arguments.iter().map(|argument| argument.words.as_slice());
        let output = outline
            .output
            .iter()
            .flat_map(|field| [field.words.as_slice(), field.rows_words.as_slice()]);
        let all = std::iter::once(outline.words.as_slice()).chain(arguments).chain(output);
        for kind in all.filter_map(person) {
            *spoken.entry(kind).or_default() += 1;
        }
    }
    spoken.into_iter().max_by_key(|(_, times)| *times).map(|(kind, _)| kind)
}

/// `word` without the ending of a plural.
pub(super) fn singular(word: &str) -> String {
    if word == "people" {
        return "person".to_owned();
    }
    match word.strip_suffix("ies") {
        Some(stem) if stem.len() > 1 => format!("{stem}y"),
        Some(_) | None => match word.strip_suffix('s') {
            Some(stem) if stem.len() > 1 && !stem.ends_with('s') => stem.to_owned(),
            Some(_) | None => word.to_owned(),
        },
    }
}

/// The name of a type.
fn title(words: &[String]) -> String {
    let one = |word: &String| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    words.iter().filter_map(one).collect()
}

pub(super) fn is(list: &[&str], word: &str) -> bool {
    list.contains(&word)
}

/// People whom something may be told of.
const PERSONS: &[&str] = &[
    "applicant",
    "citizen",
    "client",
    "contact",
    "customer",
    "employee",
    "guest",
    "member",
    "patient",
    "person",
    "student",
    "subscriber",
    "tenant",
    "user",
];

/// Things that belong to somebody.
const HANDLES: &[&str] = &[
    "account",
    "appointment",
    "booking",
    "case",
    "claim",
    "contract",
    "delivery",
    "invoice",
    "loan",
    "order",
    "parcel",
    "payment",
    "payslip",
    "policy",
    "prescription",
    "reservation",
    "sample",
    "shipment",
    "subscription",
    "ticket",
    "transaction",
];

/// The last word of an argument that holds an id.
const IDS: &[&str] = &["id", "identifier", "key", "no", "number", "ref", "reference", "uuid"];

/// Arguments that name a place, or somebody by whose name a place is meant.
const NEAR: &[&str] = &["near", "nearby", "around"];

/// Arguments that name somebody in words, when that is all that they are called.
const NAMING: &[&str] = &[
    "about", "email", "for", "fullname", "like", "name", "person", "phone", "q", "query", "search",
    "who", "whom",
];

/// What stands before `name` when it is somebody's.
const NAME_PARTS: &[&str] = &["family", "first", "full", "given", "last"];
