//! Who is named in the arguments of a call, by the binding's rules and beside them.

use std::sync::Arc;

use kenward_model::EntityUid;
use kenward_world::words;

use super::Inquiry;
use super::leaves::{Leaf, Leaves, Reading};
use super::members::{self, Member};
use crate::bindings::CompiledBinding;
use crate::recognise::{self, Purpose, Scene};
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
    let kinds = kinds(scene, binding);
    for leaf in &leaves.all {
        let before = sight.seen.len();
        let is_accounted_for = sight.leaf(scene, leaf, &kinds);
        let is_open = leaf.reading == Reading::Open && leaf.is_text;
        let is_dark = match binding {
            Some(_) => !is_accounted_for,
            None => sight.seen.len() == before,
        };
        if strict && is_open && sight.unresolved.is_none() && is_dark {
            let parameter = leaf.path.as_str().into();
            sight.unresolved = Some(Unresolved { parameter, why: UnresolvedWhy::Unrecognised });
        }
    }
    for (leaf, joined) in leaves.joined(|leaf| strict || leaf.reading == Reading::Open) {
        sight.read(scene, leaf, &joined, "");
    }
    Ok(sight)
}

/// The types of those of whom something may be told, or was refused.
fn kinds(scene: &Scene<'_>, binding: Option<&CompiledBinding>) -> Vec<Arc<str>> {
    let told = binding.into_iter().flat_map(CompiledBinding::possible);
    let told = told.map(|fact| Arc::clone(&fact.of));
    let shadowed = scene.shadowed.iter().map(|shadowed| Arc::clone(&shadowed.subject.kind));
    let mut kinds: Vec<Arc<str>> = told.chain(shadowed).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

impl Sight {
    /// Notes whom a leaf names, with what the name of its member says of it. Whether every word of
    /// it is accounted for.
    fn leaf(&mut self, scene: &Scene<'_>, leaf: &Leaf<'_>, kinds: &[Arc<str>]) -> bool {
        let Some(member) = Member::of(leaf) else { return self.read(scene, leaf, &leaf.text, "") };
        if !members::is_number(&leaf.text) {
            // The name of a member inside another one is hardly ever a word for somebody.
            let introduction = if leaf.is_text { member.introduction() } else { String::new() };
            return self.read(scene, leaf, &leaf.text, &introduction);
        }
        let is_accounted_for = self.read(scene, leaf, &leaf.text, "");
        let numbered = member.numbered(scene.world, &leaf.text, kinds);
        let because = Because {
            parameter: leaf.path.as_str().into(),
            span: Some((0, leaf.text.len())),
            name: Some(words::normalise(&leaf.text)),
            how: recognise::How::Id,
        };
        for uid in &numbered {
            self.note(uid, &because, leaf.reading);
        }
        is_accounted_for || !numbered.is_empty()
    }

    /// Notes whom the text names. Whether every word of it is accounted for.
    fn read(&mut self, scene: &Scene<'_>, leaf: &Leaf<'_>, text: &str, introduction: &str) -> bool {
        let is_whole = *text == *leaf.text;
        let purpose = Purpose { introduction, ..Purpose::default() };
        let reading = recognise::read(scene, text, &purpose);
        for mention in reading.mentions {
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
        reading.is_accounted_for
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
