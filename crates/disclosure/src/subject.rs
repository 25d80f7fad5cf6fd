//! Whom a call is about, by what its arguments say.

pub(crate) mod relation;
mod unresolved;

use std::borrow::Cow;
use std::sync::Arc;

use kenward_model::{EntityUid, Fact, Precision};
use kenward_world::{World, words};
use serde_json::Value;

use crate::bindings::PotentialFact;
use crate::recognise::{self, How, Reading, Scene};
use crate::spec::Mode;

pub use unresolved::{Unresolved, UnresolvedWhy};

/// The longest id or handle, in bytes.
const LONGEST_ID: usize = 1024;
/// The longest text of which every word must be accounted for, in bytes.
const LONGEST_CLOSED: usize = 512;
/// The longest text in which names are looked for, in bytes.
const LONGEST_OPEN: usize = 64 * 1024;
/// The most subjects that one argument may have.
const MOST_SUBJECTS: usize = 64;

/// Words that say nothing about who or what is meant.
const FILLERS: &[&str] = &[
    "a",
    "account",
    "address",
    "an",
    "and",
    "apartment",
    "area",
    "around",
    "at",
    "by",
    "close",
    "closest",
    "flat",
    "for",
    "from",
    "home",
    "house",
    "id",
    "in",
    "is",
    "lives",
    "living",
    "location",
    "me",
    "my",
    "near",
    "nearby",
    "nearest",
    "next",
    "no",
    "number",
    "of",
    "on",
    "or",
    "our",
    "place",
    "please",
    "residence",
    "s",
    "show",
    "the",
    "this",
    "to",
    "what",
    "where",
    "with",
];

/// How an argument names its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Naming {
    /// By the exact id.
    Id(Option<Arc<str>>),
    /// By something that belongs to it, of this type where one is declared.
    Handle(Option<Arc<str>>),
    /// In words, each of which must be accounted for.
    ClosedText,
    /// In words, of which those that name nobody are ignored.
    OpenText,
    /// By a place.
    Place(Mode),
    /// In any text of a filter.
    Filter,
}

impl Naming {
    /// Whether every call names a subject.
    pub(crate) fn is_certain(&self) -> bool {
        match self {
            Self::Id(_) | Self::Handle(_) => true,
            Self::ClosedText | Self::OpenText | Self::Place(_) | Self::Filter => false,
        }
    }

    /// Whether every word of the argument is accounted for.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Id(_) | Self::Handle(_) | Self::ClosedText | Self::Place(Mode::Closed) => true,
            Self::OpenText | Self::Place(Mode::Open | Mode::Ignore) | Self::Filter => false,
        }
    }
}

/// What an argument reveals about the subjects that it names.
#[derive(Debug)]
pub(crate) struct SubjectRule {
    pub(crate) arguments: Vec<Box<[Box<str>]>>,
    pub(crate) via: Arc<str>,
    pub(crate) naming: Naming,
    pub(crate) of: Arc<str>,
    pub(crate) yields: Vec<Yield>,
}

/// A fact but for its subject.
#[derive(Debug)]
pub(crate) struct Yield {
    pub(crate) attribute: Arc<str>,
    pub(crate) family: Arc<str>,
    pub(crate) precision: Precision,
}

/// A fact that a call would reveal, and how that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosed {
    /// The fact.
    pub fact: Fact,
    /// How that was found.
    pub because: Because,
}

/// How a subject was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// The argument, by its path below `arguments`.
    pub parameter: Arc<str>,
    /// Where in it the name stands, in bytes.
    pub span: Option<(usize, usize)>,
    /// The name in normal form; nothing when the argument is the subject's id.
    pub name: Option<String>,
    /// How it was recognised.
    pub how: How,
}

/// A subject, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) uid: EntityUid,
    pub(crate) because: Because,
}

/// Whom an argument names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) subjects: Vec<Found>,
    pub(crate) missing: bool,
    pub(crate) deferred: bool,
    pub(crate) unresolved: bool,
}

/// A subject and the name that led to it.
type Subject = (EntityUid, Option<String>);

impl SubjectRule {
    /// Whom the argument names.
    pub(crate) fn subjects(&self, scene: &Scene<'_>, arguments: &Value) -> Result<Named, Unresolved> {
        let mut named = Named::default();
        let texts: Vec<_> = self.arguments.iter().map(|path| self.text(path, arguments)).collect();
        let mut words = Vec::new();
        for text in texts {
            match text {
                Ok(text) => words.push(text.into_owned()),
                Err(UnresolvedWhy::Missing) => {}
                Err(why) => return Err(Unresolved { parameter: Arc::clone(&self.via), why }),
            }
        }
        if words.is_empty() {
            return Ok(Named { missing: true, ..named });
        }
        let unresolved = |why| Unresolved { parameter: Arc::clone(&self.via), why };
        match self.by_text(scene.world, &words.join(" ")) {
            Ok(subjects) => {
                for (uid, name) in subjects {
                    let how = if name.is_some() { How::Alias } else { How::Id };
                    let because =
                        Because { parameter: Arc::clone(&self.via), span: None, name, how };
                    named.subjects.push(Found { uid, because });
                }
            }
            Err(UnresolvedWhy::UnknownHandle | UnresolvedWhy::Unrelated) => named.deferred = true,
            Err(why) => return Err(unresolved(why)),
        }
        Ok(named)
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = PotentialFact> {
        self.yields.iter().map(|fact| PotentialFact {
            of: Arc::clone(&self.of),
            attribute: Arc::clone(&fact.attribute),
            family: Arc::clone(&fact.family),
            precision: fact.precision,
        })
    }

    fn by_text(&self, world: &World, text: &str) -> Result<Vec<Subject>, UnresolvedWhy> {
        let mut subjects = match &self.naming {
            Naming::Id(_) => self.by_id(world, text),
            Naming::Handle(kind) => self.by_handle(world, text, kind.as_deref()),
            Naming::ClosedText | Naming::Place(Mode::Closed) => self.by_closed_text(world, text),
            Naming::OpenText | Naming::Place(_) | Naming::Filter => self.by_open_text(world, text),
        }?;
        subjects.sort_unstable();
        subjects.dedup_by(|again, first| again.0 == first.0);
        if subjects.len() > MOST_SUBJECTS {
            return Err(UnresolvedWhy::TooMany);
        }
        Ok(subjects)
    }

    /// The argument as text.
    fn text<'v>(
        &self,
        path: &[Box<str>],
        arguments: &'v Value,
    ) -> Result<Cow<'v, str>, UnresolvedWhy> {
        let mut value = arguments;
        for member in path {
            value = value.get(&**member).ok_or(UnresolvedWhy::Missing)?;
        }
        let longest = match self.naming {
            Naming::Id(_) | Naming::Handle(_) => LONGEST_ID,
            Naming::ClosedText | Naming::Place(_) => LONGEST_CLOSED,
            Naming::OpenText | Naming::Filter => LONGEST_OPEN,
        };
        match value {
            Value::String(text) if text.is_empty() => Err(UnresolvedWhy::Empty),
            Value::String(text) if text.len() > longest => Err(UnresolvedWhy::TooLong),
            Value::String(text) => Ok(Cow::Borrowed(text)),
            Value::Number(number) if number.is_i64() || number.is_u64() => {
                Ok(Cow::Owned(number.to_string()))
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => Err(UnresolvedWhy::NotText),
        }
    }

    /// The entity of that id, known or not. When it is not known, everyone whom a server that is
    /// less exact about the spelling could take it for is a subject too.
    fn by_id(&self, world: &World, text: &str) -> Result<Vec<Subject>, UnresolvedWhy> {
        let exact = EntityUid::new(Arc::clone(&self.of), text);
        let mut subjects = Vec::new();
        if world.entity(&exact).is_none() {
            let normal = words::normalise(text);
            for uid in world.named(&normal) {
                let meant = relation::meant(world, uid, &self.of);
                bounded(&mut subjects, meant.into_iter().map(|uid| (uid, Some(normal.clone()))))?;
            }
        }
        subjects.push((exact, None));
        Ok(subjects)
    }

    /// Everyone to whom something belongs that has this handle: all that have it must belong to
    /// somebody.
    fn by_handle(
        &self,
        world: &World,
        text: &str,
        kind: Option<&str>,
    ) -> Result<Vec<Subject>, UnresolvedWhy> {
        let normal = words::normalise(text);
        if normal.is_empty() {
            return Err(UnresolvedWhy::Empty);
        }
        let wanted = |uid: &&EntityUid| kind.is_none_or(|kind| &*uid.kind == kind);
        let mut subjects = Vec::new();
        let mut known = false;
        for uid in world.named(&normal).iter().filter(wanted) {
            known = true;
            let owners = relation::owners(world, uid, &self.of);
            if owners.is_empty() {
                return Err(UnresolvedWhy::Unrelated);
            }
            bounded(&mut subjects, owners.into_iter().map(|uid| (uid, Some(normal.clone()))))?;
        }
        if known { Ok(subjects) } else { Err(UnresolvedWhy::UnknownHandle) }
    }

    /// Everyone whom the text names, provided that all of its words are accounted for.
    fn by_closed_text(&self, world: &World, text: &str) -> Result<Vec<Subject>, UnresolvedWhy> {
        if is_coordinate(text) {
            return Ok(Vec::new());
        }
        let plain = recognise::read(world, text);
        let mut subjects = Vec::new();
        self.note_subjects(world, &plain, &mut subjects)?;
        if self.is_accounted_for(&plain) {
            return Ok(subjects);
        }
        let mut accounted_for = false;
        for reading in recognise::read_disguised(world, text) {
            self.note_subjects(world, &reading, &mut subjects)?;
            accounted_for |= self.is_accounted_for(&reading);
        }
        if accounted_for { Ok(subjects) } else { Err(UnresolvedWhy::Unrecognised) }
    }

    fn by_open_text(&self, world: &World, text: &str) -> Result<Vec<Subject>, UnresolvedWhy> {
        let mut subjects = Vec::new();
        let mut plain = recognise::read(world, text);
        plain.matches.retain(|found| !found.is_slight);
        self.note_subjects(world, &plain, &mut subjects)?;
        for reading in recognise::read_disguised(world, text) {
            self.note_subjects(world, &reading, &mut subjects)?;
        }
        Ok(subjects)
    }

    fn note_subjects(
        &self,
        world: &World,
        reading: &Reading<'_>,
        subjects: &mut Vec<Subject>,
    ) -> Result<(), UnresolvedWhy> {
        for found in &reading.matches {
            for uid in found.entities {
                let meant = relation::meant(world, uid, &self.of);
                bounded(subjects, meant.into_iter().map(|uid| (uid, Some(found.name.clone()))))?;
            }
        }
        Ok(())
    }

    /// Whether somebody or something is named and every other word says nothing: a filler, or the
    /// type of what is named.
    fn is_accounted_for(&self, reading: &Reading<'_>) -> bool {
        let kinds = reading.matches.iter().flat_map(|found| found.entities).map(|uid| &*uid.kind);
        let kinds: Vec<&str> = kinds.chain([&*self.of]).collect();
        let is_kind = |word: &str| kinds.iter().any(|kind| recognise::is_type(kind, word));
        let says_nothing =
            |word: &String| FILLERS.binary_search(&word.as_str()).is_ok() || is_kind(word);
        !reading.matches.is_empty() && reading.leftover.iter().all(says_nothing)
    }
}

/// Adds subjects, and gives up rather than collect without end.
fn bounded(
    subjects: &mut Vec<Subject>,
    more: impl Iterator<Item = Subject>,
) -> Result<(), UnresolvedWhy> {
    for subject in more {
        if subjects.iter().any(|(known, _)| *known == subject.0) {
            continue;
        }
        if subjects.len() >= MOST_SUBJECTS {
            return Err(UnresolvedWhy::TooMany);
        }
        subjects.push(subject);
    }
    Ok(())
}

/// Whether the text is a pair of decimal degrees: whoever gives it has it already, and it is
/// nobody's name.
fn is_coordinate(text: &str) -> bool {
    let parts = text.split([',', ';', ' ']).filter(|part| !part.is_empty());
    let degrees = |part: &str| {
        let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
        let number = part.parse::<f64>().ok().filter(|_| part.chars().all(plain))?;
        part.contains('.').then_some(number)
    };
    let parts: Vec<Option<f64>> = parts.take(3).map(degrees).collect();
    matches!(parts.as_slice(), [Some(latitude), Some(longitude)]
        if latitude.abs() <= 90.0 && longitude.abs() <= 180.0)
}

#[cfg(test)]
mod tests;
