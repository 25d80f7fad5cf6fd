//! The subjects of shadows as they are looked for in texts: made ready once, and kept for as long
//! as the shadows and what these subjects are called stay the same.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kenward_model::EntityUid;
use kenward_world::{Entity, World, words};

use super::{MOST_SHADOWS, Shadow};
use crate::recognise::{Shadowed, Shadows};

/// For so many different sets of shadows they are kept: those of different tools.
const MOST_SETS: usize = 8;

/// What was made ready lately, the latest last. No part of what the history says: all histories
/// are alike in it.
#[derive(Default)]
pub(super) struct Sought(Mutex<Vec<Ready>>);

/// The subjects of one set of shadows.
#[derive(Clone)]
struct Ready {
    /// Each subject with what the directory said of it.
    subjects: Vec<(EntityUid, Option<Arc<Entity>>)>,
    shadows: Arc<Shadows>,
}

impl Sought {
    /// The subjects of `shadows`, by the names that they have in `world`.
    pub(super) fn of(&self, world: &World, shadows: &[&Shadow]) -> Arc<Shadows> {
        let mut seen = HashSet::with_capacity(shadows.len());
        let subjects = shadows.iter().filter_map(|shadow| shadow.subject.as_ref());
        let subjects: Vec<&EntityUid> = subjects.filter(|subject| seen.insert(*subject)).collect();
        if subjects.is_empty() {
            return Arc::default();
        }
        let mut kept = self.kept();
        if let Some(at) = kept.iter().position(|ready| ready.is_for(world, &subjects)) {
            let ready = kept.remove(at);
            let shadows = Arc::clone(&ready.shadows);
            kept.push(ready);
            return shadows;
        }
        drop(kept);
        let ready = Ready::new(world, &subjects);
        let shadows = Arc::clone(&ready.shadows);
        self.keep(ready);
        shadows
    }

    /// Keeps one more, and no more subjects in all than there are shadows, but for the latest.
    fn keep(&self, ready: Ready) {
        let mut kept = self.kept();
        kept.retain(|other| !other.is_of(&ready));
        kept.push(ready);
        let mut room = MOST_SHADOWS;
        let sets = kept.iter().rev().take(MOST_SETS).take_while(|ready| {
            let fits = ready.subjects.len() <= room;
            room = room.saturating_sub(ready.subjects.len());
            fits
        });
        let surplus = kept.len().saturating_sub(sets.count().max(1));
        kept.drain(..surplus);
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Ready>> {
        // Every change of the list leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ready {
    fn new(world: &World, subjects: &[&EntityUid]) -> Self {
        let subjects = subjects.iter().map(|subject| {
            let entity = world.entity(subject).map(Arc::clone);
            ((*subject).clone(), entity)
        });
        let subjects: Vec<(EntityUid, Option<Arc<Entity>>)> = subjects.collect();
        let shadowed = subjects.iter().map(|(subject, entity)| {
            let aliases = entity.iter().flat_map(|entity| entity.aliases.iter());
            let names = aliases.chain([&*subject.id]).map(words::normalise);
            let names = names.filter(|name| !name.is_empty()).collect();
            Shadowed { subject: subject.clone(), names }
        });
        let shadows = Arc::new(Shadows::new(shadowed.collect()));
        Self { subjects, shadows }
    }

    /// Whether these are its subjects, and whether they are called now what they were called then.
    fn is_for(&self, world: &World, subjects: &[&EntityUid]) -> bool {
        self.subjects.len() == subjects.len()
            && self.subjects.iter().zip(subjects).all(|((held, entity), subject)| {
                held == *subject && are_called_alike(entity.as_ref(), world.entity(subject))
            })
    }

    /// Whether both are of the same subjects, whatever they are called.
    fn is_of(&self, other: &Self) -> bool {
        let others = other.subjects.iter().map(|(subject, _)| subject);
        self.subjects.iter().map(|(subject, _)| subject).eq(others)
    }
}

/// Whether an entity has the same names as it had. The id is the same anyway.
fn are_called_alike(then: Option<&Arc<Entity>>, now: Option<&Arc<Entity>>) -> bool {
    match (then, now) {
        (None, None) => true,
        (Some(then), Some(now)) => Arc::ptr_eq(then, now) || then.aliases == now.aliases,
        (None, Some(_)) | (Some(_), None) => false,
    }
}

impl Clone for Sought {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.kept().clone()))
    }
}

impl PartialEq for Sought {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Sought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sought").field("sets", &self.kept().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
