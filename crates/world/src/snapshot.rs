//! The snapshot itself, and everything that can be read from it.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use kenward_model::{EntityUid, Revision};
use serde_json::Value;

use crate::Map;
use crate::derived::Derived;
use crate::entities::Entities;
use crate::entity::{Entity, Standing};
use crate::names::{Beginning, Names, keys};
use crate::sharing::Sharing;

/// Above so many ancestors, those already met are looked up in a set rather than one by one.
const FEW: usize = 24;

/// One immutable snapshot of what is known, with its revision. Cloning it is cheap.
#[derive(Clone, Default)]
pub struct World {
    pub(crate) revision: Revision,
    pub(crate) entities: Entities,
    pub(crate) names: Names,
    pub(crate) derived: Derived,
    pub(crate) sharing: Sharing,
    pub(crate) standings: Map<EntityUid, Standing>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("revision", &self.revision)
            .field("entities", &self.len())
            .finish_non_exhaustive()
    }
}

impl World {
    /// A world in which nothing is known, at revision 0.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A world in which nothing is known, whose hashes have only these bits.
    #[cfg(test)]
    pub(crate) fn colliding(used: u64) -> Self {
        let entities = Entities::hashed(crate::table::Keyed::colliding(used));
        let names = Names::of(entities.rows());
        let derived = Derived::of(entities.rows());
        Self { entities, names, derived, ..Self::default() }
    }

    /// The number of this snapshot.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// How many entities are known.
    pub fn len(&self) -> usize {
        self.entities.len()
    }

    /// Whether no entity is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same world, numbered no lower than `revision`: a restart goes on where it stopped.
    #[must_use]
    pub fn at_least(&self, revision: Revision) -> Self {
        Self { revision: self.revision.max(revision), ..self.clone() }
    }

    /// What is known of the entity `uid`.
    pub fn entity(&self, uid: &EntityUid) -> Option<&Arc<Entity>> {
        self.entities.get(uid)
    }

    /// All entities of type `kind`, in no particular order.
    pub fn entities_of(&self, kind: &str) -> impl Iterator<Item = &Arc<Entity>> {
        self.entities.of_kind(kind)
    }

    /// Everything that `uid` is a member of, directly or through others, without itself.
    ///
    /// A parent counts whether or not it is itself known; circles are followed once.
    pub fn ancestors(&self, uid: &EntityUid) -> Vec<EntityUid> {
        let Some(entity) = self.entity(uid) else { return Vec::new() };
        let mut found = Found::default();
        found.add_all(&entity.parents, uid);
        let mut visited = 0;
        while let Some(next) = found.in_order.get(visited).copied() {
            visited += 1;
            if let Some(entity) = self.entity(next) {
                found.add_all(&entity.parents, uid);
            }
        }
        found.in_order.into_iter().cloned().collect()
    }

    /// The entities that a text in [normal form](crate::words::normalise) names, by id or alias.
    pub fn named(&self, normalised: &str) -> &[EntityUid] {
        self.names.named(normalised)
    }

    /// What the one word `word`, in normal form, names and what longer names begin with it.
    pub fn beginning(&self, word: &str) -> Beginning<'_> {
        self.names.beginning(word)
    }

    /// Every text in normal form that names `uid`, by its id or an alias; none when it is unknown.
    pub fn aliases_normal(&self, uid: &EntityUid) -> Vec<String> {
        self.entity(uid).map(|entity| keys(entity)).unwrap_or_default()
    }

    /// The entities for which a text in normal form may stand though it is none of their names:
    /// an initial with the last name (`t swift`), an e-mail address without its domain, or a
    /// telephone number, in one piece, with or without the prefixes for calls from elsewhere.
    ///
    /// A slight sign, which needs another one. Of a text that more share, about 64 are found.
    pub fn derived(&self, normalised: &str) -> Vec<EntityUid> {
        self.derived.find(normalised, &self.entities)
    }

    /// The number of words of the longest id or alias.
    pub fn longest_alias(&self) -> usize {
        self.names.longest()
    }

    /// The standing of `user`: the last signal's, and the default where there was none. A user
    /// whose entity has the attribute `active: false` is never active.
    pub fn standing(&self, user: &EntityUid) -> Standing {
        let mut standing = self.standings.get(user).cloned().unwrap_or_default();
        let active = self.entity(user).and_then(|entity| entity.attributes.get("active"));
        standing.active &= active != Some(Value::Bool(false));
        standing
    }
}

/// Ancestors in the order in which they were met, each once.
#[derive(Default)]
struct Found<'w> {
    in_order: Vec<&'w EntityUid>,
    /// Empty until there are more than a few.
    seen: HashSet<&'w EntityUid, foldhash::fast::RandomState>,
}

impl<'w> Found<'w> {
    fn add_all(&mut self, parents: &'w [EntityUid], start: &EntityUid) {
        for parent in parents {
            if parent != start && self.is_new(parent) {
                self.in_order.push(parent);
            }
        }
    }

    fn is_new(&mut self, uid: &'w EntityUid) -> bool {
        if self.in_order.len() < FEW {
            return !self.in_order.contains(&uid);
        }
        if self.seen.is_empty() {
            self.seen.extend(self.in_order.iter().copied());
        }
        self.seen.insert(uid)
    }
}

#[cfg(test)]
mod size;
#[cfg(test)]
mod tests;
