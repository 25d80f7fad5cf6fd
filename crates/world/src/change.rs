//! Changes of what is known, and how a snapshot takes them in.

use std::collections::HashSet;
use std::sync::Arc;

use kenward_model::EntityUid;
use thiserror::Error;

use crate::entity::{Entity, Source, Standing};
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
    /// # Errors
    /// The change touches an entity that another source states, states one twice, or states one
    /// that cannot be used.
    pub fn apply(&self, change: &Change) -> Result<Self, ChangeError> {
        let mut next = self.clone();
        if next.absorb(change)? {
            next.revision = self.revision.next();
            return Ok(next);
        }
        Ok(self.clone())
    }

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

    fn put(&mut self, source: &Source, record: &EntityRecord) -> Result<bool, ChangeError> {
        if let Some(flaw) = record.flaws().into_iter().next() {
            return Err(ChangeError::Record { uid: record.uid(), flaw });
        }
        let entity = self.intern(source, record);
        let known = self.owned_by(source, &entity.uid)?;
        if known.as_deref() == Some(&entity) {
            return Ok(false);
        }
        if let Some(known) = known {
            if known.aliases != entity.aliases {
                self.names.remove(&known);
                self.names.add(&entity);
            }
        } else {
            self.names.add(&entity);
        }
        let EntityUid { kind, id } = entity.uid.clone();
        self.kinds.entry(kind).or_default().insert(id, Arc::new(entity));
        Ok(true)
    }

    fn remove(&mut self, source: &Source, uid: &EntityUid) -> Result<bool, ChangeError> {
        let Some(known) = self.owned_by(source, uid)? else { return Ok(false) };
        self.names.remove(&known);
        if let Some(kind) = self.kinds.get_mut(&*uid.kind) {
            kind.remove(&*uid.id);
            if kind.is_empty() {
                self.kinds.remove(&*uid.kind);
            }
        }
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
        let gone: Vec<EntityUid> = self
            .kinds
            .values()
            .flat_map(|kind| kind.values())
            .filter(|entity| entity.source == *source)
            .map(|entity| entity.uid.clone())
            .filter(|uid| !stated.contains(&(&*uid.kind, &*uid.id)))
            .collect();
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
        let was = if *standing == Standing::default() {
            self.standings.remove(user)
        } else {
            self.standings.insert(user.clone(), standing.clone())
        };
        was.unwrap_or_default() != *standing
    }

    /// The entity that the source may change, or nothing when it is new.
    fn owned_by(
        &self,
        source: &Source,
        uid: &EntityUid,
    ) -> Result<Option<Arc<Entity>>, ChangeError> {
        match self.entity(uid) {
            Some(known) if known.source != *source => Err(ChangeError::Owned {
                uid: uid.clone(),
                owner: known.source.clone(),
                by: source.clone(),
            }),
            known => Ok(known.cloned()),
        }
    }

    /// The record as an entity that shares the texts that are known already.
    fn intern(&self, source: &Source, record: &EntityRecord) -> Entity {
        Entity {
            uid: self.share(&record.uid()),
            attributes: record.attributes.clone(),
            parents: record.parents.iter().map(|parent| self.share(parent)).collect(),
            aliases: record.aliases.iter().map(|alias| Arc::from(alias.as_str())).collect(),
            source: source.clone(),
        }
    }

    fn share(&self, uid: &EntityUid) -> EntityUid {
        let Some((kind, entities)) = self.kinds.get_key_value(&*uid.kind) else {
            return uid.clone();
        };
        let id = entities.get_key_value(&*uid.id).map_or(&uid.id, |(id, _)| id);
        EntityUid { kind: Arc::clone(kind), id: Arc::clone(id) }
    }
}

#[cfg(test)]
mod tests;
