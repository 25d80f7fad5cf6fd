//! Who is named in the arguments of a call, by the binding's rules and beside them.

use std::sync::Arc;

use kenward_model::EntityUid;
use kenward_world::words;

use super::Inquiry;
use super::leaves::{Leaf, Leaves, Reading};
use crate::bindings::CompiledBinding;
use crate::history::Shadow;
use crate::recognise::{self, Scene, Shadowed, Shadows};
use crate::subject::{Because, Unresolved, UnresolvedWhy, relation};

/// Somebody who is named, and how that was found.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) entity: EntityUid,
    pub(super) because: Because,
    /// How the argument is read where it was found.
    pub(super) reading: Reading,
}

/// What was read in the arguments beside the binding's rules.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub(super) seen: Vec<Seen>,
    /// A text of which nothing is said and of which some words name nobody.
    pub(super) unresolved: Option<Unresolved>,
    /// A handle that the answer is to resolve.
    pub(super) deferred: Option<Unresolved>,
    /// Whether there was anything to read.
    pub(super) has_text: bool,
}

/// The names of the subjects of shadows.
pub(super) fn shadowed(inquiry: &Inquiry<'_>, shadows: &[&Shadow]) -> Shadows {
    let mut shadowed: Vec<Shadowed> = Vec::new();
    for shadow in shadows {
        let Some(subject) = &shadow.subject else { continue };
        if shadowed.iter().any(|known| known.subject == *subject) {
            continue;
        }
        let aliases = inquiry.world.entity(subject).map(|entity| &entity.aliases);
        let aliases = aliases.into_iter().flatten().map(AsRef::as_ref).map(words::normalise);
        let mut names: Vec<String> = aliases.collect();
        names.push(words::normalise(&subject.id));
        names.retain(|name| !name.is_empty());
        let family = Arc::clone(&shadow.family);
        shadowed.push(Shadowed { subject: subject.clone(), family, names });
    }
    Shadows::new(shadowed)
}

/// Reads the arguments of which the binding says nothing; all of them when something was refused
/// before that this may be about.
pub(super) fn look(
    scene: &Scene<'_>,
    inquiry: &Inquiry<'_>,
    binding: Option<&CompiledBinding>,
    strict: bool,
) -> Result<Sight, Unresolved> {
    let leaves = Leaves::of(inquiry.arguments, binding, strict);
    if let Some(path) = leaves.too_much {
        return Err(Unresolved { parameter: path.into(), why: UnresolvedWhy::TooLong });
    }
    let mut sight = Sight { has_text: !leaves.all.is_empty(), ..Sight::default() };
    for leaf in &leaves.all {
        let before = sight.seen.len();
        sight.read(scene, leaf, &leaf.text);
        let is_open = leaf.reading == Reading::Open && leaf.is_text;
        let is_dark = || match binding {
            Some(_) => !recognise::is_accounted_for(scene, &leaf.text),
            None => sight.seen.len() == before,
        };
        if strict && is_open && sight.unresolved.is_none() && is_dark() {
            let parameter = leaf.path.as_str().into();
            sight.unresolved = Some(Unresolved { parameter, why: UnresolvedWhy::Unrecognised });
        }
    }
    for (leaf, joined) in leaves.joined(|leaf| strict || leaf.reading == Reading::Open) {
        sight.read(scene, leaf, &joined);
    }
    Ok(sight)
}

impl Sight {
    fn read(&mut self, scene: &Scene<'_>, leaf: &Leaf<'_>, text: &str) {
        let is_whole = *text == *leaf.text;
        for mention in recognise::mentions(scene, text) {
            let because = Because {
                parameter: leaf.path.as_str().into(),
                span: is_whole.then_some((mention.start, mention.end)),
                name: Some(mention.name.clone()),
                how: if is_whole { mention.how } else { recognise::How::Joined },
            };
            for entity in &mention.entities {
                self.note(entity, &because, leaf.reading);
            }
        }
    }

    fn note(&mut self, entity: &EntityUid, because: &Because, reading: Reading) {
        let is_known = |seen: &Seen| seen.entity == *entity && seen.reading == reading;
        if !self.seen.iter().any(is_known) {
            let (entity, because) = (entity.clone(), because.clone());
            self.seen.push(Seen { entity, because, reading });
        }
    }

    /// The subjects of type `of` who are named, or to whom what is named belongs. Arguments that
    /// rules read name themselves alone: an order's number may be a customer's as well.
    pub(super) fn subjects<'s>(
        &'s self,
        inquiry: &'s Inquiry<'s>,
        of: &'s str,
    ) -> impl Iterator<Item = (EntityUid, &'s Seen)> {
        self.seen.iter().flat_map(move |seen| {
            let meant = match seen.reading {
                Reading::Subject if &*seen.entity.kind == of => vec![seen.entity.clone()],
                Reading::Subject => Vec::new(),
                Reading::Nothing | Reading::Open => {
                    relation::meant(inquiry.world, &seen.entity, of)
                }
            };
            meant.into_iter().map(move |subject| (subject, seen))
        })
    }

    /// Whether `subject` is named, or something that belongs to it.
    pub(super) fn names<'s>(
        &'s self,
        inquiry: &'s Inquiry<'s>,
        subject: &'s EntityUid,
    ) -> Option<&'s Seen> {
        let mut subjects = self.subjects(inquiry, &subject.kind);
        subjects.find(|(named, _)| named == subject).map(|(_, seen)| seen)
    }
}
