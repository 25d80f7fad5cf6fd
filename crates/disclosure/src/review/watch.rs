//! Recognises in an answer whom it is about, beside those whom it is known to be about.

use std::sync::Arc;

use kenward_model::{EntityUid, Fact};
use kenward_world::{World, words};

use crate::bindings::PotentialFact;
use crate::engine::{Inquiry, Rules};
use crate::filter::about;
use crate::history::{Shadow, ShadowSource};
use crate::recognise::{self, How, Mention, Scene, Shadows};
use crate::subject::relation;

use super::Bench;

/// Whom to look for in an answer.
pub(crate) struct Watch<'a> {
    inquiry: &'a Inquiry<'a>,
    /// What each type of subject would be told of; nothing for a tool without a binding.
    facts: Vec<PotentialFact>,
    /// The types of subjects, each once.
    kinds: Vec<Arc<str>>,
    /// What was refused before, of the families that the answer may be about.
    shadows: Vec<&'a Shadow>,
    shadowed: Arc<Shadows>,
}

/// Somebody is named.
#[derive(Debug)]
pub(crate) struct Named {
    /// Everybody who may be meant.
    pub(crate) entities: Vec<EntityUid>,
    /// Whether the text is the name, and nothing else.
    pub(crate) whole: bool,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(inquiry: &'a Inquiry<'a>, rules: Rules<'a>) -> Self {
        let facts = rules.binding.map(|binding| binding.possible().to_vec()).unwrap_or_default();
        let mut kinds: Vec<Arc<str>> = facts.iter().map(|fact| Arc::clone(&fact.of)).collect();
        kinds.sort();
        kinds.dedup();
        let touched = |family: &str| match rules.binding {
            Some(_) => {
                rules.guess.is_everything() || facts.iter().any(|fact| &*fact.family == family)
            }
            None => rules.guess.touches(family),
        };
        let is_own =
            |subject: &EntityUid| inquiry.inferences.is_own(inquiry.world, inquiry.person, subject);
        let shadows = inquiry.history.shadows(inquiry.now).filter(|_| inquiry.settings.shadows);
        let shadows: Vec<&Shadow> = shadows
            .filter(|shadow| shadow.subject.as_ref().is_some_and(|subject| !is_own(subject)))
            .filter(|shadow| touched(&shadow.family))
            .collect();
        let shadowed = inquiry.history.sought(inquiry.world, &shadows);
        Self { inquiry, facts, kinds, shadows, shadowed }
    }

    pub(crate) fn world(&self) -> &'a World {
        self.inquiry.world
    }

    /// Whether there is anybody to look for.
    pub(crate) fn is_idle(&self) -> bool {
        self.facts.is_empty() && self.shadows.is_empty()
    }

    /// The entities of type `of` that are called exactly so, in normal form.
    pub(crate) fn called(&self, normal: &str, of: &str) -> Vec<EntityUid> {
        let named = self.world().named(normal).iter();
        named.flat_map(|uid| relation::meant(self.world(), uid, of)).collect()
    }

    /// The entities of type `of` that are named somewhere in the text.
    pub(crate) fn named_in(&self, text: &str, of: &str) -> Vec<EntityUid> {
        let named = self.read(text).into_iter().flat_map(|named| named.entities);
        named.flat_map(|uid| relation::meant(self.world(), &uid, of)).collect()
    }

    /// Every one of the watched subjects whom the text names.
    pub(crate) fn named(&self, text: &str) -> Vec<Named> {
        let found = self.read(text).into_iter();
        let watched = found.map(|named| Named {
            entities: named.entities.iter().flat_map(|uid| self.watched(uid)).collect(),
            ..named
        });
        watched.filter(|named| !named.entities.is_empty()).collect()
    }

    /// Whether a number or a short text is the id of one of the watched subjects; `member` is the
    /// name of the member that holds it.
    pub(crate) fn by_id(&self, member: &str, text: &str) -> Option<Named> {
        let normal = words::normalise(&spaced(member));
        let introduces = |word: &str| {
            matches!(word, "id" | "ids" | "nr" | "number" | "no" | "account" | "ref" | "key")
                || self.types().any(|kind| recognise::is_type(kind, word))
        };
        if text.len() > 64 || !words::tokens(&normal).into_iter().any(introduces) {
            return None;
        }
        let entities = self.with_id(text);
        (!entities.is_empty()).then_some(Named { entities, whole: true })
    }

    /// The watched subjects that have exactly this id.
    pub(crate) fn with_id(&self, text: &str) -> Vec<EntityUid> {
        let known = self.types().map(|kind| EntityUid::new(Arc::clone(kind), text));
        let known = known.filter(|uid| self.world().entity(uid).is_some());
        known.flat_map(|uid| self.watched(&uid)).collect()
    }

    /// Whether an answer that names `subject` tells something of it that may not be learnt. Of
    /// whom the binding tells nothing, only what was refused before stands.
    pub(crate) fn refuses(&self, subject: &EntityUid, bench: &mut Bench<'_>) -> bool {
        let of_kind = self.facts.iter().filter(|fact| fact.of == subject.kind);
        let facts: Vec<Fact> = of_kind.map(|fact| about(fact, subject)).collect();
        if !facts.is_empty() {
            return !bench.permits_all(&facts);
        }
        let of_subject = |shadow: &&&Shadow| shadow.subject.as_ref() == Some(subject);
        self.shadows.iter().filter(of_subject).any(|shadow| !is_lifted(shadow, bench))
    }

    fn types(&self) -> impl Iterator<Item = &Arc<str>> {
        let shadowed = self.shadows.iter().filter_map(|shadow| shadow.subject.as_ref());
        self.kinds.iter().chain(shadowed.map(|subject| &subject.kind))
    }

    /// The watched subjects that an entity stands for: itself, or whom it belongs to.
    fn watched(&self, uid: &EntityUid) -> Vec<EntityUid> {
        let meant = |kind: &str| relation::meant(self.world(), uid, kind);
        let shadowed = self.shadows.iter().filter_map(|shadow| shadow.subject.as_ref());
        let shadowed = shadowed.filter(|subject| meant(&subject.kind).contains(subject)).cloned();
        let mut watched: Vec<EntityUid> =
            self.kinds.iter().flat_map(|kind| meant(kind)).chain(shadowed).collect();
        watched.sort();
        watched.dedup();
        watched
    }

    fn read(&self, text: &str) -> Vec<Named> {
        let Inquiry { world, handles, server, inferences, .. } = *self.inquiry;
        let shadowed = &self.shadowed;
        let scene = Scene { world, handles, server, inferences, shadowed };
        let normal = words::normalise(text);
        let mentions = recognise::mentions(&scene, text).into_iter();
        mentions
            .map(|mention| Named {
                whole: is_whole(&mention, text, &normal),
                entities: mention.entities,
            })
            .collect()
    }
}

/// Whether the text is the name that was met in it, and nothing else.
fn is_whole(mention: &Mention, text: &str, normal: &str) -> bool {
    let around = [text.get(..mention.start), text.get(mention.end..)];
    let is_bare = |text: &str| !text.contains(char::is_alphanumeric);
    let is_plain = match mention.how {
        How::Id | How::Alias | How::Handle | How::Relation | How::Joined | How::InResult => true,
        How::Lookalike | How::Slip | How::Glued | How::SpacedOut | How::Encoded | How::Initials => {
            false
        }
    };
    around.into_iter().flatten().all(is_bare) && (!is_plain || mention.name.len() >= normal.len())
}

/// Whether what was refused may be learnt by now.
fn is_lifted(shadow: &Shadow, bench: &mut Bench<'_>) -> bool {
    let by_fact =
        |bench: &mut Bench<'_>| shadow.fact.as_ref().is_some_and(|fact| bench.is_learnable(fact));
    match shadow.source {
        ShadowSource::Policy | ShadowSource::Approval => by_fact(bench),
        ShadowSource::Hidden | ShadowSource::Upstream | ShadowSource::Unresolved => false,
    }
}

/// The words of a member's name: `customerId` as `customer Id`.
fn spaced(name: &str) -> String {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut before_is_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && before_is_lower {
            spaced.push(' ');
        }
        before_is_lower = c.is_lowercase();
        spaced.push(c);
    }
    spaced
}
