//! Whom a call is about, by what its arguments say.

pub(crate) mod relation;
mod texts;
mod unresolved;

use std::sync::Arc;

use kenward_model::{EntityUid, Fact, Precision};
use kenward_world::words;
use serde_json::Value;

use crate::bindings::PotentialFact;
use crate::recognise::{self, How, Mention, Purpose, Scene};
use crate::spec::Mode;
use texts::{Shape, Text};

pub use unresolved::{Unresolved, UnresolvedWhy};

/// The most subjects that one argument may have.
const MOST_SUBJECTS: usize = 64;

/// How an argument names its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Naming {
    /// By its exact id; where a type is given that is not the subject's, by the exact id of
    /// something of that type that belongs to it.
    Id(Option<Arc<str>>),
    /// By something that belongs to it, of this type where one is declared.
    Handle(Option<Arc<str>>),
    /// In words, each of which must be accounted for.
    ClosedText,
    /// In words, of which those that name nobody are ignored.
    OpenText,
    /// By a place, in words that are read like those of a text.
    Place(Mode),
    /// In a filter over rows.
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

    /// Whether a call is refused of which it cannot be told whom it is about.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Id(_) | Self::Handle(_) | Self::ClosedText | Self::Place(Mode::Closed) => true,
            Self::OpenText | Self::Place(Mode::Open | Mode::Ignore) | Self::Filter => false,
        }
    }
}

/// What arguments reveal about the subjects that they name.
#[derive(Debug)]
pub(crate) struct SubjectRule {
    /// The arguments that name the subject together, each by the member names that lead to it.
    pub(crate) arguments: Vec<Box<[Box<str>]>>,
    /// What records call them.
    pub(crate) via: Arc<str>,
    pub(crate) naming: Naming,
    /// The type of the subjects.
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
    /// What led to its subject.
    pub because: Because,
}

/// What led to a subject: the argument, the place in it, the name that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// The argument, by its path below `arguments`; for a result, where in it.
    pub parameter: Arc<str>,
    /// Where in the text of the argument the name stands, in bytes; nothing where that cannot be
    /// told.
    pub span: Option<(usize, usize)>,
    /// The name in normal form; nothing when the argument is the subject's exact id.
    pub name: Option<String>,
    /// How the name was recognised.
    pub how: How,
}

/// Somebody whom arguments name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) uid: EntityUid,
    pub(crate) because: Because,
}

/// Whom arguments name, as far as that can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// Everybody who may be meant.
    pub(crate) subjects: Vec<Subject>,
    /// Whether the arguments are not there: somebody else must say whom the call is about.
    pub(crate) missing: bool,
    /// Whether a handle is known to nobody: the answer must say whose it is, or the call may not
    /// go on.
    pub(crate) deferred: bool,
    /// Whether an open text has words that name nobody.
    pub(crate) unresolved: bool,
}

impl SubjectRule {
    /// Everybody whom the arguments name.
    ///
    /// # Errors
    /// It cannot be told: the call is to be refused.
    pub(crate) fn subjects(
        &self,
        scene: &Scene<'_>,
        arguments: &Value,
    ) -> Result<Named, Unresolved> {
        let failed = |why| Unresolved { parameter: Arc::clone(&self.via), why };
        let mut names = Names { rule: self, scene, named: Named::default() };
        names.read(arguments).map_err(failed)?;
        names.named.subjects.sort_unstable_by(|a, b| a.uid.cmp(&b.uid));
        Ok(names.named)
    }

    /// The facts that are told of each subject.
    pub(crate) fn facts(&self) -> impl Iterator<Item = PotentialFact> {
        self.yields.iter().map(|fact| PotentialFact {
            of: Arc::clone(&self.of),
            attribute: Arc::clone(&fact.attribute),
            family: Arc::clone(&fact.family),
            precision: fact.precision,
        })
    }
}

/// Reads the arguments of one rule.
struct Names<'a> {
    rule: &'a SubjectRule,
    scene: &'a Scene<'a>,
    named: Named,
}

impl Names<'_> {
    fn read(&mut self, arguments: &Value) -> Result<(), UnresolvedWhy> {
        let values = self.rule.arguments.iter().filter_map(|path| texts::at(arguments, path));
        let values: Vec<&Value> = values.collect();
        let shape = Shape::of(&self.rule.naming);
        match values.as_slice() {
            [] => self.named.missing = true,
            [one] if self.rule.arguments.len() == 1 => {
                for text in texts::of(one, shape)? {
                    self.text(&text)?;
                }
            }
            several => {
                let texts = several.iter().map(|value| texts::one(value, shape));
                let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
                self.together(&texts)?;
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &Text<'_>) -> Result<(), UnresolvedWhy> {
        match &self.rule.naming {
            Naming::Id(kind) => match kind.as_deref().filter(|kind| **kind != *self.rule.of) {
                Some(kind) => self.by_foreign_id(&text.text, kind),
                None => self.by_id(&text.text),
            },
            Naming::Handle(kind) => self.by_handle(&text.text, kind.as_deref()),
            Naming::ClosedText | Naming::Place(Mode::Closed) => self.by_closed(text),
            Naming::OpenText | Naming::Place(Mode::Open | Mode::Ignore) | Naming::Filter => {
                self.by_open(text)
            }
        }
    }

    /// Several texts that name somebody together, in either order: a first and a last name.
    fn together(&mut self, texts: &[String]) -> Result<(), UnresolvedWhy> {
        let backwards: Vec<&str> = texts.iter().rev().map(String::as_str).collect();
        let is_closed = self.rule.naming.is_closed();
        let orders = [texts.join(" "), backwards.join(" ")];
        let readings = orders.map(|joined| self.reading(&joined, ""));
        let accounted_for = readings.iter().any(|reading| reading.is_accounted_for);
        for reading in readings {
            // the order that leaves words over is the wrong one
            let is_right = reading.is_accounted_for || !accounted_for;
            let is_kept = |mention: &Mention| is_right || self.is_shadowed(mention);
            let mentions: Vec<Mention> = reading.mentions.into_iter().filter(is_kept).collect();
            let joined =
                mentions.into_iter().map(|mention| Mention { how: How::Joined, ..mention });
            self.note_mentions(joined, false)?;
        }
        if is_closed && !accounted_for {
            return Err(UnresolvedWhy::Unrecognised);
        }
        self.named.unresolved |= !accounted_for;
        Ok(())
    }

    fn is_shadowed(&self, mention: &Mention) -> bool {
        mention.entities.iter().any(|uid| self.scene.shadowed.has(uid))
    }

    /// The entity of that id, known or not. When it is not known, everyone whom a server that is
    /// less exact about the spelling could take it for is a subject too.
    fn by_id(&mut self, text: &str) -> Result<(), UnresolvedWhy> {
        let exact = EntityUid::new(Arc::clone(&self.rule.of), text);
        if self.scene.world.entity(&exact).is_none() {
            let purpose = Purpose { is_name: true, ..Purpose::default() };
            let reading = recognise::read(self.scene, text, &purpose);
            self.note_mentions(reading.mentions.into_iter(), true)?;
        }
        let span = Some((0, text.len()));
        self.note(exact, Because { name: None, ..self.because(span, "", How::Id) })
    }

    /// Everyone to whom the thing of that exact id belongs.
    fn by_foreign_id(&mut self, text: &str, kind: &str) -> Result<(), UnresolvedWhy> {
        let thing = EntityUid::new(kind, text);
        if self.scene.world.entity(&thing).is_none() {
            return self.by_handle(text, Some(kind));
        }
        self.owners(&[thing], text, &words::normalise(text), How::Alias)
    }

    /// Everyone to whom something belongs that has this handle: all that have it must belong to
    /// somebody.
    fn by_handle(&mut self, text: &str, kind: Option<&str>) -> Result<(), UnresolvedWhy> {
        let normal = words::normalise(text);
        if normal.is_empty() {
            return Err(UnresolvedWhy::Empty);
        }
        let wanted = |uid: &&EntityUid| kind.is_none_or(|kind| &*uid.kind == kind);
        let known: Vec<EntityUid> =
            self.scene.world.named(&normal).iter().filter(wanted).cloned().collect();
        if !known.is_empty() {
            return self.owners(&known, text, &normal, How::Alias);
        }
        let (handles, server) = (self.scene.handles, self.scene.server);
        let mut linked = handles.owners(handles.key(None, server, text)).to_vec();
        if let Some(kind) = kind {
            linked.extend_from_slice(handles.owners(handles.key(Some(kind), server, text)));
        }
        if linked.is_empty() {
            self.named.deferred = true;
            return Ok(());
        }
        self.owners(&linked, text, &normal, How::Handle)
    }

    /// Notes whom each of the things belongs to; a thing that belongs to nobody is left to the
    /// answer.
    fn owners(
        &mut self,
        things: &[EntityUid],
        text: &str,
        name: &str,
        how: How,
    ) -> Result<(), UnresolvedWhy> {
        for thing in things {
            let owners = relation::owners(self.scene.world, thing, &self.rule.of);
            self.named.deferred |= owners.is_empty();
            for owner in owners {
                let how = how_led(how, thing, &owner);
                let because = self.because(Some((0, text.len())), name, how);
                self.note(owner, because)?;
            }
        }
        Ok(())
    }

    /// Everyone whom the text names, provided that all of its words are accounted for.
    fn by_closed(&mut self, text: &Text<'_>) -> Result<(), UnresolvedWhy> {
        let reading = self.reading(&text.text, &text.member);
        self.note_mentions(reading.mentions.into_iter(), true)?;
        if reading.is_accounted_for { Ok(()) } else { Err(UnresolvedWhy::Unrecognised) }
    }

    fn by_open(&mut self, text: &Text<'_>) -> Result<(), UnresolvedWhy> {
        let reading = self.reading(&text.text, &text.member);
        self.named.unresolved |= !reading.is_accounted_for;
        self.note_mentions(reading.mentions.into_iter(), true)
    }

    fn reading(&self, text: &str, member: &str) -> recognise::Reading {
        let purpose = Purpose {
            introduction: member,
            of: Some(&self.rule.of),
            is_place: matches!(self.rule.naming, Naming::Place(_)),
            is_name: self.rule.naming.is_closed(),
        };
        recognise::read(self.scene, text, &purpose)
    }

    fn note_mentions(
        &mut self,
        mentions: impl Iterator<Item = Mention>,
        has_spans: bool,
    ) -> Result<(), UnresolvedWhy> {
        for mention in mentions {
            let span = has_spans.then_some((mention.start, mention.end));
            let (world, of) = (self.scene.world, Arc::clone(&self.rule.of));
            let meant = mention.entities.iter().flat_map(|entity| {
                let meant = relation::meant(world, entity, &of).into_iter();
                meant.map(|uid| (how_led(mention.how, entity, &uid), uid))
            });
            for (how, uid) in meant {
                let because = self.because(span, &mention.name, how);
                self.note(uid, because)?;
            }
        }
        Ok(())
    }

    fn because(&self, span: Option<(usize, usize)>, name: &str, how: How) -> Because {
        let parameter = Arc::clone(&self.rule.via);
        Because { parameter, span, name: Some(name.to_owned()), how }
    }

    /// Adds a subject, and gives up rather than collect without end.
    fn note(&mut self, uid: EntityUid, because: Because) -> Result<(), UnresolvedWhy> {
        if self.named.subjects.iter().any(|known| known.uid == uid) {
            return Ok(());
        }
        if self.named.subjects.len() >= MOST_SUBJECTS {
            return Err(UnresolvedWhy::TooMany);
        }
        self.named.subjects.push(Subject { uid, because });
        Ok(())
    }
}

/// How the name of a thing led to a subject: by what the thing belongs to, unless it is the subject
/// itself.
fn how_led(how: How, thing: &EntityUid, subject: &EntityUid) -> How {
    if how == How::Alias && thing != subject { How::Relation } else { how }
}

#[cfg(test)]
mod tests;
