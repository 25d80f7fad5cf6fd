//! Looks through everything in an answer that no row accounts for, for whom it names.

use std::collections::{HashMap, HashSet};

use kenward_model::EntityUid;
use kenward_world::words;
use serde_json::Value;

use crate::path::{Key, Location};

use super::Bench;
use super::watch::{Named, Watch};

/// The longest text in which names are looked for, in bytes.
const LONGEST: usize = 64 << 10;
/// How much is looked through in all texts of one answer, in bytes.
pub(crate) const MOST: usize = 4 << 20;
/// How deep documents are looked for in the texts of documents.
const DEEPEST: usize = 4;
/// The longest value of a refused field that is looked for elsewhere, in words.
const LONGEST_REST: usize = 16;
/// Shorter values of refused fields are met by chance.
const SHORTEST_REST: usize = 3;

/// Where somebody is named who may not be, or who cannot be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) location: Location,
    pub(crate) what: What,
}

/// What stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A text that is somebody's name, or a number that is an id.
    Name,
    /// A text that names somebody among other things, or is too long to be looked through.
    Text,
    /// A member that is called by somebody's name.
    Member,
    /// A text that repeats what was taken out.
    Rest,
}

/// Looks through the parts of one answer.
pub(crate) struct Scan<'s, 'a> {
    watch: &'s Watch<'a>,
    bench: &'s mut Bench<'a>,
    /// Those whom the answer is known to be about.
    about: HashSet<&'s EntityUid>,
    /// What stood in fields that leave, in normal form.
    rest: &'s HashSet<String>,
    left: &'s mut usize,
    /// Subjects and whether they may be named.
    said: HashMap<EntityUid, bool>,
}

/// What accounts for parts of a document.
#[derive(Default)]
pub(crate) struct Covered<'r> {
    /// The subjects of the rows that stay, by where each row stands.
    pub(crate) rows: HashMap<&'r [Key], Vec<EntityUid>>,
    pub(crate) fields: HashSet<&'r [Key]>,
    pub(crate) skipped: HashSet<Location>,
}

impl<'s, 'a> Scan<'s, 'a> {
    pub(crate) fn new(
        watch: &'s Watch<'a>,
        bench: &'s mut Bench<'a>,
        about: &'s [EntityUid],
        rest: &'s HashSet<String>,
        left: &'s mut usize,
    ) -> Self {
        let about = about.iter().collect();
        Self { watch, bench, about, rest, left, said: HashMap::new() }
    }

    /// Everything in `value` that has to leave.
    pub(crate) fn hits(&mut self, value: &Value, covered: &Covered<'_>) -> Vec<Hit> {
        let mut hits = Vec::new();
        if !self.watch.is_idle() || !self.rest.is_empty() {
            let mut walk = Walk { covered, hits: &mut hits, way: Vec::new(), own: Vec::new() };
            self.value(value, &mut walk);
        }
        hits
    }

    fn value(&mut self, value: &Value, walk: &mut Walk<'_, '_>) {
        if walk.covered.skipped.contains(&walk.way) {
            return;
        }
        let outer = walk.own.len();
        if let Some(subjects) = walk.covered.rows.get(&*walk.way) {
            walk.own.extend_from_slice(subjects);
        }
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                let is_id = number.is_i64() || number.is_u64();
                if is_id && self.is_id(&number.to_string(), walk) {
                    walk.hit(What::Name);
                }
            }
            Value::String(text) => {
                if let Some(what) = self.text(text, walk) {
                    walk.hit(what);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk.way.push(Key::Index(index));
                    self.value(item, walk);
                    walk.way.pop();
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    walk.way.push(Key::Name(name.clone()));
                    self.member(name, member, walk);
                    walk.way.pop();
                }
            }
        }
        walk.own.truncate(outer);
    }

    fn member(&mut self, name: &str, value: &Value, walk: &mut Walk<'_, '_>) {
        if self.reads(name, &walk.own).is_some() {
            walk.hit(What::Member);
        } else {
            self.value(value, walk);
        }
    }

    /// What is the matter with the text of a leaf.
    fn text(&mut self, text: &str, walk: &Walk<'_, '_>) -> Option<What> {
        if self.is_id(text, walk) {
            return Some(What::Name);
        }
        let is_field = walk.covered.fields.contains(&*walk.way);
        match self.reads_within(text, &walk.own, DEEPEST) {
            // The field is decided on as what it is: a name that it consists of is its value.
            Some(What::Name) if is_field => None,
            None if !is_field && self.repeats(text) => Some(What::Rest),
            what => what,
        }
    }

    /// Whether the leaf is the id of somebody who may not be named.
    fn is_id(&mut self, text: &str, walk: &Walk<'_, '_>) -> bool {
        let member = walk.way.iter().rev().find_map(|key| match key {
            Key::Name(name) => Some(name),
            Key::Index(_) => None,
        });
        !walk.covered.fields.contains(&*walk.way)
            && member
                .and_then(|member| self.watch.by_id(member, text))
                .is_some_and(|named| self.may_not_name(&named, &walk.own))
    }

    /// As [`Self::reads`], in a text that may be a document itself.
    fn reads_within(&mut self, text: &str, own: &[EntityUid], depth: usize) -> Option<What> {
        let what = self.reads(text, own);
        if what.is_some() || depth == 0 || !looks_like_json(text) {
            return what;
        }
        let Ok(document) = serde_json::from_str::<Value>(text) else {
            // Letters that are written as numbers would be read by nobody but a parser.
            return text.contains("\\u").then_some(What::Text);
        };
        let mut leaves = Vec::new();
        strings(&document, &mut leaves);
        let found = leaves.iter().any(|leaf| self.reads_within(leaf, own, depth - 1).is_some());
        found.then_some(What::Text)
    }

    /// What is the matter with a text.
    fn reads(&mut self, text: &str, own: &[EntityUid]) -> Option<What> {
        if self.watch.is_idle() || text.is_empty() {
            return None;
        }
        if text.len() > LONGEST || text.len() > *self.left {
            return Some(What::Text);
        }
        *self.left -= text.len();
        let refused: Vec<Named> = self
            .watch
            .named(text)
            .into_iter()
            .filter(|named| self.may_not_name(named, own))
            .collect();
        let whole = refused.iter().any(|named| named.whole);
        (!refused.is_empty()).then_some(if whole { What::Name } else { What::Text })
    }

    /// Whether somebody may not be named. Where those who are meant may be somebody whom the answer
    /// is about anyway, they are.
    fn may_not_name(&mut self, named: &Named, own: &[EntityUid]) -> bool {
        let is_known = |uid: &EntityUid| own.contains(uid) || self.about.contains(uid);
        if named.entities.iter().any(is_known) {
            return false;
        }
        named.entities.iter().any(|uid| {
            if let Some(refused) = self.said.get(uid) {
                return *refused;
            }
            let refused = self.watch.refuses(uid, self.bench);
            self.said.insert(uid.clone(), refused);
            refused
        })
    }

    /// Whether the text repeats a value that was taken out.
    fn repeats(&self, text: &str) -> bool {
        if self.rest.is_empty() {
            return false;
        }
        let normal = words::normalise(text);
        let words = words::tokens(&normal);
        (0..words.len()).any(|start| {
            (1..=LONGEST_REST.min(words.len() - start)).any(|length| {
                let run = words.get(start..start + length);
                run.is_some_and(|run| self.rest.contains(&run.join(" ")))
            })
        })
    }
}

/// How far the walk through a value has come.
struct Walk<'w, 'r> {
    covered: &'w Covered<'r>,
    hits: &'w mut Vec<Hit>,
    way: Location,
    /// The subjects of the rows that are walked through.
    own: Vec<EntityUid>,
}

impl Walk<'_, '_> {
    fn hit(&mut self, what: What) {
        self.hits.push(Hit { location: self.way.clone(), what });
    }
}

/// A value of a refused field, in the form in which it is looked for elsewhere.
pub(crate) fn as_rest(text: &str) -> Option<String> {
    let normal = words::normalise(text);
    let fits = words::tokens(&normal).len() <= LONGEST_REST && normal.len() >= SHORTEST_REST;
    fits.then_some(normal)
}

/// All texts in a value, with the names of members.
pub(crate) fn strings<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                found.push(name);
                strings(member, found);
            }
        }
    }
}

fn looks_like_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"'])
}
