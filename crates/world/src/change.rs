//! Changes of what is known, and how a snapshot takes them in.

use std::collections::HashSet;
use std::sync::Arc;

use kenward_model::EntityUid;
use thiserror::Error;

use crate::attributes::Attributes;
use crate::derived::Derived;
use crate::entity::{Entity, Source, Standing};
use crate::names::Names;
use crate::record::{EntityRecord, RecordFlaw};
use crate::snapshot::World;

/// One change of what is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The source states an entity anew, as a whole.
    Put(Source, EntityRecord),
    /// The source withdraws an entity; nothing happens when it is not there.
    Remove(Source, EntityUid),
    /// The source states all of its entities; those that it stated before and not now are gone.
    ReplaceAll(Source, Vec<EntityRecord>),
    /// A signal changes the standing of a user, known or not.
    Standing(EntityUid, Standing),
    /// Several changes, all of them or none, as one revision.
    All(Vec<Self>),
}

/// Why a change cannot be made; the world is then as it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// The entity is another source's.
    #[error("`{uid}` comes from {owner}, so {by} cannot change it")]
    Owned {
        /// The entity.
        uid: EntityUid,
        /// The source that states it.
        owner: Source,
        /// The source that wanted to change it.
        by: Source,
    },
    /// The source states the same entity twice at once.
    #[error("`{uid}` is stated twice")]
    Twice {
        /// The entity.
        uid: EntityUid,
    },
    /// The record cannot be used.
    #[error("`{uid}`: {flaw}")]
    Record {
        /// The entity.
        uid: EntityUid,
        /// What is wrong with it, and where.
        flaw: RecordFlaw,
    },
}

impl World {
    /// The world after `change`, at the next revision; at this revision when nothing changed.
    ///
    /// It takes microseconds for one entity, however many are known, and only once in very many
    /// changes as long as it takes to index all of them again.
    ///
    /// # Errors
    /// The change touches an entity that another source states, states one twice, or states one
    /// that cannot be used.
    pub fn apply(&self, change: &Change) -> Result<Self, ChangeError> {
        let mut draft = Draft { world: self.clone(), moves: Vec::new() };
        if draft.absorb(change)? {
            let mut next = draft.finish();
            next.revision = self.revision.next();
            return Ok(next);
        }
        Ok(self.clone())
    }
}

/// A world in the making, whose indexes do not know yet what changed.
struct Draft {
    world: World,
    moves: Vec<Move>,
}

/// An entity before and after a change.
struct Move {
    old: Option<Arc<Entity>>,
    new: Option<Arc<Entity>>,
}

impl Draft {
    /// Takes in one change and says whether anything is different now.
    fn absorb(&mut self, change: &Change) -> Result<bool, ChangeError> {
        match change {
            Change::Put(source, record) => self.put(source, record),
            Change::Remove(source, uid) => self.remove(source, uid),
            Change::ReplaceAll(source, records) => self.replace_all(source, records),
            Change::Standing(user, standing) => Ok(self.set_standing(user, standing)),
            Change::All(changes) => {
                let mut changed = false;
                for change in changes {
                    changed |= self.absorb(change)?;
                }
                Ok(changed)
            }
        }
    }

    /// The world with its indexes: each change noted, or all built anew when there are very many.
    fn finish(self) -> World {
        let Self { mut world, moves } = self;
        if world.entities.fold() {
            drop(moves);
            let rows = world.entities.rows();
            world.names = Names::of(rows);
            world.derived = Derived::of(rows);
            world.sharing.clean();
            return world;
        }
        for Move { old, new } in &moves {
            world.names.change(old.as_deref(), new.as_deref());
            world.derived.change(old.as_deref(), new.as_deref());
        }
        world
    }

    fn put(&mut self, source: &Source, record: &EntityRecord) -> Result<bool, ChangeError> {
        if let Some(flaw) = record.flaws().into_iter().next() {
            return Err(ChangeError::Record { uid: record.uid(), flaw });
        }
        let known = self.owned_by(source, &record.uid())?;
        let entity = Arc::new(self.intern(source, record, known.as_deref()));
        if known.as_ref() == Some(&entity) {
            return Ok(false);
        }
        self.world.entities.put(Arc::clone(&entity));
        if known.as_ref().is_none_or(|known| known.aliases != entity.aliases) {
            self.moves.push(Move { old: known, new: Some(entity) });
        }
        Ok(true)
    }

    fn remove(&mut self, source: &Source, uid: &EntityUid) -> Result<bool, ChangeError> {
        let Some(known) = self.owned_by(source, uid)? else { return Ok(false) };
        self.world.entities.remove(uid);
        self.moves.push(Move { old: Some(known), new: None });
        Ok(true)
    }

    fn replace_all(
        &mut self,
        source: &Source,
        records: &[EntityRecord],
    ) -> Result<bool, ChangeError> {
        let mut stated = HashSet::with_capacity(records.len());
        for record in records {
            if !stated.insert((record.kind.as_str(), record.id.as_str())) {
                return Err(ChangeError::Twice { uid: record.uid() });
            }
        }
        let owned = self.world.entities.all().filter(|entity| entity.source == *source);
        let gone: Vec<EntityUid> = owned
            .map(|entity| entity.uid.clone())
            .filter(|uid| !stated.contains(&(&*uid.kind, &*uid.id)))
            .collect();
        drop(stated);
        let mut changed = false;
        for uid in &gone {
            changed |= self.remove(source, uid)?;
        }
        for record in records {
            changed |= self.put(source, record)?;
        }
        Ok(changed)
    }

    fn set_standing(&mut self, user: &EntityUid, standing: &Standing) -> bool {
        let standings = &mut self.world.standings;
        let was = if *standing == Standing::default() {
            standings.remove(user)
        } else {
            standings.insert(user.clone(), standing.clone())
        };
        was.unwrap_or_default() != *standing
    }

    /// The entity that the source may change, or nothing when it is new.
    fn owned_by(
        &self,
        source: &Source,
        uid: &EntityUid,
    ) -> Result<Option<Arc<Entity>>, ChangeError> {
        match self.world.entity(uid) {
            Some(known) if known.source != *source => Err(ChangeError::Owned {
                uid: uid.clone(),
                owner: known.source.clone(),
                by: source.clone(),
            }),
            known => Ok(known.cloned()),
        }
    }

    /// The record as an entity that shares what is known already.
    fn intern(&mut self, source: &Source, record: &EntityRecord, known: Option<&Entity>) -> Entity {
        let World { entities, sharing, .. } = &mut self.world;
        let uid = known.map_or_else(
            || EntityUid { kind: sharing.text(&record.kind), id: record.id.as_str().into() },
            |known| known.uid.clone(),
        );
        let share = |uid: &EntityUid| entities.get(uid).map(|known| known.uid.clone());
        Entity {
            uid,
            parents: sharing.parents(&record.parents, share),
            attributes: Attributes::of(&record.attributes, |names| sharing.text(&names)),
            aliases: record.aliases.iter().map(String::as_str).collect(),
            source: source.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
