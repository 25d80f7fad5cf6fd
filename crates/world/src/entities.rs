//! All entities: a base that never changes, shared by snapshots, and what differs from it.

use std::sync::Arc;

use kenward_model::EntityUid;

use crate::Map;
use crate::entity::Entity;
use crate::table::{Keyed, Table};

/// So many changes are always kept beside the base, however small it is.
const FEW_CHANGES: usize = if cfg!(test) { 5 } else { 1024 };
/// The base is built anew when what differs from it is more than one part in so many of it.
const SHARE: usize = 4;
/// The highest number of entities of a base; the top bit of a number says something else.
const MOST_ROWS: usize = 1 << 31;

/// Entities by number, by uid and by type.
#[derive(Default)]
pub(crate) struct Rows {
    hash: Keyed,
    /// Sorted by type.
    entities: Box<[Arc<Entity>]>,
    /// The number of each by the hash of its uid.
    by_uid: Table,
}

/// What differs of one type, by id.
type Changed = Map<Arc<str>, Option<Arc<Entity>>>;

/// The entities of one snapshot.
#[derive(Clone, Default)]
pub(crate) struct Entities {
    rows: Arc<Rows>,
    /// What differs from the rows, by type and id; nothing where an entity is gone.
    changed: Map<Arc<str>, Changed>,
    changes: usize,
    len: usize,
}

impl Rows {
    fn new(hash: Keyed, mut entities: Vec<Arc<Entity>>) -> Self {
        entities.sort_unstable_by(|one, other| one.uid.kind.cmp(&other.uid.kind));
        let numbers = (0..).zip(&entities);
        let pairs = numbers.map(|(number, entity)| (hash.uid(&entity.uid), number)).collect();
        Self { hash, by_uid: Table::new(pairs), entities: entities.into() }
    }

    /// How texts and uids are hashed in every table over these rows.
    pub(crate) fn hash(&self) -> &Keyed {
        &self.hash
    }

    /// The entity of a number.
    pub(crate) fn at(&self, number: u32) -> Option<&Arc<Entity>> {
        self.entities.get(usize::try_from(number).ok()?)
    }

    /// Each entity with its number.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u32, &Arc<Entity>)> {
        (0..).zip(&self.entities)
    }

    fn get(&self, uid: &EntityUid) -> Option<&Arc<Entity>> {
        let candidates = self.by_uid.get(self.hash.uid(uid)).filter_map(|number| self.at(number));
        candidates.into_iter().find(|entity| entity.uid == *uid)
    }

    fn of_kind(&self, kind: &str) -> &[Arc<Entity>] {
        let start = self.entities.partition_point(|entity| &*entity.uid.kind < kind);
        let rest = self.entities.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|entity| &*entity.uid.kind == kind)).unwrap_or_default()
    }
}

impl Entities {
    /// No entities yet, in tables that hash in this way.
    #[cfg(test)]
    pub(crate) fn hashed(hash: Keyed) -> Self {
        Self { rows: Arc::new(Rows::new(hash, Vec::new())), ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, uid: &EntityUid) -> Option<&Arc<Entity>> {
        match self.change_of(uid) {
            Some(changed) => changed.as_ref(),
            None => self.rows.get(uid),
        }
    }

    /// All entities, in no particular order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Entity>> {
        let kept = self.rows.entities.iter().filter(|entity| self.is_unchanged(entity));
        kept.chain(self.changed.values().flat_map(Map::values).flatten())
    }

    /// All entities of one type, in no particular order.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Arc<Entity>> {
        let kept = self.rows.of_kind(kind).iter().filter(|entity| self.is_unchanged(entity));
        kept.chain(self.changed.get(kind).into_iter().flat_map(Map::values).flatten())
    }

    /// Puts an entity, in place of the one with its uid.
    pub(crate) fn put(&mut self, entity: Arc<Entity>) {
        if self.get(&entity.uid).is_none() {
            self.len += 1;
        }
        let EntityUid { kind, id } = entity.uid.clone();
        if self.changed.entry(kind).or_default().insert(id, Some(entity)).is_none() {
            self.changes += 1;
        }
    }

    /// Takes an entity away.
    pub(crate) fn remove(&mut self, uid: &EntityUid) {
        let Some(known) = self.get(uid).cloned() else { return };
        self.len -= 1;
        let kept = self.rows.get(uid).is_some();
        let EntityUid { kind, id } = known.uid.clone();
        let changed = self.changed.entry(kind).or_default();
        if kept {
            if changed.insert(id, None).is_none() {
                self.changes += 1;
            }
        } else if changed.remove(&*id).is_some() {
            self.changes -= 1;
            if changed.is_empty() {
                self.changed.remove(&*uid.kind);
            }
        }
    }

    /// Makes everything the base when too much differs from it, and says whether it did. Every
    /// index over the rows is then to be built anew.
    pub(crate) fn fold(&mut self) -> bool {
        let most = FEW_CHANGES.max(self.rows.entities.len() / SHARE);
        let folds = self.changes > most && self.len < MOST_ROWS;
        if folds {
            let rows = Rows::new(self.rows.hash.clone(), self.all().cloned().collect());
            *self = Self { rows: Arc::new(rows), len: self.len, ..Self::default() };
        }
        folds
    }

    /// The base.
    pub(crate) fn rows(&self) -> &Arc<Rows> {
        &self.rows
    }

    fn change_of(&self, uid: &EntityUid) -> Option<&Option<Arc<Entity>>> {
        self.changed.get(&*uid.kind)?.get(&*uid.id)
    }

    fn is_unchanged(&self, entity: &Entity) -> bool {
        self.change_of(&entity.uid).is_none()
    }
}
