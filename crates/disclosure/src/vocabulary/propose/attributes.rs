//! What an answer probably tells, in the words of the tool and of its fields.

use crate::vocabulary::words::{Concept, Concepts};

use super::nouns::{is, person};
use super::outline::{Outline, Shape};

/// An attribute that is probably told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) attribute: String,
    pub(super) precision: Option<&'static str>,
}

impl Told {
    /// What `words` tell about somebody, when they betray anything.
    pub(super) fn of(words: &[String]) -> Option<Self> {
        let words = phrase(words);
        let attribute = words.join("_");
        let concept = concept(&attribute)?;
        if concept == Concept::Location && words.iter().any(|word| is(CLOSE, word)) {
            return Some(Self::nearby());
        }
        let precision = precision(concept, &words);
        Some(Self { attribute, precision })
    }

    /// What is near somebody.
    pub(super) fn nearby() -> Self {
        Self { attribute: NEARBY.to_owned(), precision: Some("area") }
    }
}

/// What `outline` tells of whoever is named in its arguments: by its name, and by the fields of
/// its answer that tell of something else.
pub(super) fn told(outline: &Outline, is_near: bool) -> Vec<Told> {
    let by_name = if is_near { Some(Told::nearby()) } else { Told::of(&outline.words) };
    let known = by_name.as_ref().and_then(|told| concept(&told.attribute));
    let mut all: Vec<Told> = by_name.into_iter().collect();
    for field in outline.output.iter().filter(|field| field.rows.is_none()) {
        // Whether something was found is said by every answer.
        let Some(told) = Told::of(&field.words).filter(|_| field.shape != Shape::Boolean) else {
            continue;
        };
        if concept(&told.attribute) != known && !all.contains(&told) {
            all.push(told);
        }
    }
    all
}

/// The kind of facts that an attribute is.
pub(super) fn concept(attribute: &str) -> Option<Concept> {
    if attribute == NEARBY {
        return Some(Concept::Location);
    }
    let by_word = Concepts::of(attribute.split('_')).iter().next();
    by_word.or_else(|| {
        let says =
            |known: &&str| attribute.split('_').any(|word| word == *known) || attribute == *known;
        let mut personal = PERSONAL.iter();
        personal.find(|(_, words)| words.iter().any(&says)).map(|(concept, _)| *concept)
    })
}

/// The words that say what is told: without the verb, whom it is about and by what it is found.
pub(super) fn phrase(words: &[String]) -> Vec<String> {
    let verb = words.iter().take(2).position(|word| is(VERBS, word));
    let after = verb.map_or(0, |verb| verb + 1);
    let rest: Vec<String> = words.iter().skip(after).cloned().collect();
    let until =
        rest.iter().skip(1).position(|word| is(LINKS, word)).map_or(rest.len(), |at| at + 1);
    let named = rest.into_iter().take(until);
    let phrase: Vec<String> = named.filter(|word| !is(FILLERS, word)).collect();
    // The first noun is whom it is about, when something else follows.
    let skip = match phrase.as_slice() {
        [account, holder, _, ..] if account == "account" && holder == "holder" => 2,
        [first, _, ..] if person(std::slice::from_ref(first)).is_some() => 1,
        _ => 0,
    };
    phrase.into_iter().skip(skip).collect()
}

/// How finely an attribute is told; exactly when nothing is said.
fn precision(concept: Concept, words: &[String]) -> Option<&'static str> {
    let any = |list: &[&str]| words.iter().any(|word| is(list, word));
    match concept {
        Concept::Location if any(&["address", "addresses", "street", "home"]) => None,
        Concept::Location
            if any(&[
                "zip",
                "zipcode",
                "postcode",
                "postal",
                "eta",
                "distance",
                "neighborhood",
                "neighbourhood",
            ]) =>
        {
            Some("area")
        }
        Concept::Location if any(&["city"]) => Some("city"),
        Concept::Location if any(&["region"]) => Some("region"),
        Concept::Pay if any(&["band", "grade", "paygrade"]) => Some("band"),
        Concept::Location
        | Concept::Pay
        | Concept::Health
        | Concept::Money
        | Concept::Identity
        | Concept::Contact
        | Concept::Credential => None,
    }
}

/// Words that say something when they are about somebody, and nothing by themselves.
const PERSONAL: [(Concept, &[&str]); 3] = [
    (Concept::Location, &["city", "home", "position", "region"]),
    (Concept::Health, &["admission", "chart", "similar_cases"]),
    (Concept::Money, &["card", "cards"]),
];

/// What is near somebody.
pub(super) const NEARBY: &str = "nearby_places";

/// Words that say that something is near.
const CLOSE: &[&str] =
    &["closest", "dropoff", "locker", "lockers", "near", "nearby", "nearest", "pickup", "radius"];

const VERBS: &[&str] = &[
    "add",
    "authenticate",
    "book",
    "calculate",
    "cancel",
    "change",
    "check",
    "compare",
    "compute",
    "confirm",
    "create",
    "delete",
    "estimate",
    "fetch",
    "find",
    "forward",
    "get",
    "list",
    "lookup",
    "match",
    "plan",
    "post",
    "query",
    "read",
    "remove",
    "reschedule",
    "retrieve",
    "search",
    "send",
    "set",
    "share",
    "show",
    "submit",
    "summarise",
    "summarize",
    "update",
    "validate",
    "verify",
    "view",
];

/// Words after which it is said how something is found.
const LINKS: &[&str] =
    &["by", "for", "from", "in", "near", "of", "on", "to", "using", "via", "with"];

const FILLERS: &[&str] =
    &["a", "all", "an", "data", "details", "id", "info", "information", "my", "the", "up"];
