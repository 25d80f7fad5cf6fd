//! What the name of an argument of which nothing is said tells of its value: `customer_id` says that
//! whose number it is may be found among the customers.

use std::sync::Arc;

use kenward_model::EntityUid;
use kenward_world::{World, words};

use super::leaves::{Leaf, Reading};
use crate::recognise::{introduces, is_type};
use crate::vocabulary::words_of_name;

/// Words at the end of a name that say what of somebody the value is.
const PARTS: &[&str] = &[
    "code",
    "eq",
    "equals",
    "id",
    "ids",
    "in",
    "is",
    "key",
    "keys",
    "name",
    "names",
    "no",
    "nos",
    "nr",
    "num",
    "number",
    "numbers",
    "numero",
    "ref",
    "reference",
    "refs",
    "uid",
    "uuid",
];
/// Words of names of numbers that count something.
const COUNTS: &[&str] = &[
    "amount", "count", "first", "last", "limit", "max", "maximum", "min", "minimum", "most", "of",
    "page", "per", "size", "top", "total",
];
/// The name of a type has at most so many words.
const LONGEST_TYPE: usize = 3;

/// What a member is called, in words, without what of somebody it holds.
#[derive(Debug)]
pub(super) struct Member {
    words: Vec<String>,
    /// Whether it says that it holds an id or a name.
    is_part: bool,
    is_listed: bool,
}

impl Member {
    /// What holds the leaf, where nothing else is said of it and its name may say something.
    pub(super) fn of(leaf: &Leaf<'_>) -> Option<Self> {
        if leaf.reading != Reading::Open {
            return None;
        }
        let mut words = words_of_name(&leaf.path);
        let named = words.len();
        while words.last().is_some_and(|word| PARTS.contains(&&**word)) {
            words.pop();
        }
        let is_part = words.len() < named;
        (!words.is_empty()).then_some(Self { words, is_part, is_listed: leaf.is_listed })
    }

    /// What introduces a text: the words up to whom it is about.
    pub(super) fn introduction(&self) -> String {
        self.words.join(" ")
    }

    /// Whoever has the number, of the type that the member is called by. Where it is called by
    /// another word for people, they are looked for among `kinds`.
    pub(super) fn numbered(
        &self,
        world: &World,
        number: &str,
        kinds: &[Arc<str>],
    ) -> Vec<EntityUid> {
        if !self.may_hold_number() {
            return Vec::new();
        }
        let normal = words::normalise(number);
        let whole = normal.trim_start_matches('0');
        let known = [&*normal, whole].into_iter().flat_map(|name| world.named(name));
        let is_meant =
            |uid: &&EntityUid| self.is_called(&uid.kind) || self.may_be(&uid.kind, kinds);
        let mut meant: Vec<EntityUid> = known.filter(is_meant).cloned().collect();
        meant.sort_unstable();
        meant.dedup();
        meant
    }

    /// Whether a number that the member holds is no count of anything.
    fn may_hold_number(&self) -> bool {
        let is_one = self.words.last().is_some_and(|word| !word.ends_with('s'));
        let counts = self.words.iter().any(|word| COUNTS.contains(&&**word));
        self.is_part || ((is_one || self.is_listed) && !counts)
    }

    /// Whether the last words are the name of the type.
    fn is_called(&self, kind: &str) -> bool {
        (1..=LONGEST_TYPE.min(self.words.len())).any(|length| {
            let last = self.words.get(self.words.len() - length..).unwrap_or_default();
            is_type(kind, &last.concat())
        })
    }

    fn may_be(&self, kind: &Arc<str>, kinds: &[Arc<str>]) -> bool {
        kinds.contains(kind) && self.words.last().is_some_and(|word| introduces(word))
    }
}

/// Whether the text is a whole number, written in digits.
pub(super) fn is_number(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
