//! The index of texts that may stand for an entity without being one of its names: an initial and
//! a last name, an e-mail address without its domain, a telephone number with another prefix.

mod forms;
mod phone;

use std::sync::Arc;

use kenward_model::EntityUid;

use crate::Map;
use crate::entities::{Entities, Rows};
use crate::entity::Entity;
use crate::names::is_named;
use crate::table::Table;

/// So many entities are found for one text; one that more share hardly points at anybody.
const MOST_FOUND: usize = 64;
/// and so many are looked at, of which some may have changed.
const MOST_TRIED: usize = 256;

/// Whom a derived text may mean. What is found in the index is always checked against the entity
/// as it is now, so that nothing has to be taken out when entities change.
#[derive(Clone, Default)]
pub(crate) struct Derived {
    base: Arc<Base>,
    /// Entities that were put after the base was built.
    added: Map<Arc<str>, Arc<[EntityUid]>>,
}

/// The part that never changes.
#[derive(Default)]
struct Base {
    rows: Arc<Rows>,
    /// Numbers of rows by the hash of a text that is derived from them.
    table: Table,
}

impl Derived {
    /// The index of all these entities.
    pub(crate) fn of(rows: &Arc<Rows>) -> Self {
        let mut pairs = Vec::new();
        for (number, entity) in rows.numbered() {
            let forms = forms::of(entity);
            pairs.extend(forms.iter().map(|form| (rows.hash().text(form), number)));
        }
        let base = Base { rows: Arc::clone(rows), table: Table::new(pairs) };
        Self { base: Arc::new(base), added: Map::default() }
    }

    /// The memory that the base takes, in bytes.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.base.table.bytes()
    }

    /// The entities for which `normalised` may stand, among the first that the index has.
    pub(crate) fn find(&self, normalised: &str, entities: &Entities) -> Vec<EntityUid> {
        let mut found: Vec<EntityUid> = Vec::new();
        let spellings = forms::spellings(normalised);
        let fitting = spellings.iter().flat_map(|spelling| {
            let tried = self.candidates(spelling).take(MOST_TRIED);
            let known = tried.filter_map(|uid| entities.get(uid));
            known.filter(|entity| has_form(entity, spelling) && !is_named(entity, normalised))
        });
        for entity in fitting {
            if !found.contains(&entity.uid) {
                found.push(entity.uid.clone());
            }
            if found.len() == MOST_FOUND {
                break;
            }
        }
        found
    }

    /// Takes in that an entity was one thing, or nothing, and is another now, or nothing.
    pub(crate) fn change(&mut self, old: Option<&Entity>, new: Option<&Entity>) {
        for (form, uid) in forms_of(old) {
            self.forget(&form, uid);
        }
        for (form, uid) in forms_of(new) {
            self.add(&form, uid);
        }
    }

    fn candidates(&self, form: &str) -> impl Iterator<Item = &EntityUid> {
        let added = self.added.get(form).into_iter().flat_map(|added| added.iter());
        added.chain(self.base.candidates(form))
    }

    fn forget(&mut self, form: &str, gone: &EntityUid) {
        let Some(added) = self.added.get_mut(form) else { return };
        *added = added.iter().filter(|uid| *uid != gone).cloned().collect();
        if added.is_empty() {
            self.added.remove(form);
        }
    }

    fn add(&mut self, form: &str, uid: &EntityUid) {
        let added = self.added.entry(form.into()).or_default();
        *added = added.iter().chain([uid]).cloned().collect();
    }
}

fn forms_of(entity: Option<&Entity>) -> impl Iterator<Item = (String, &EntityUid)> {
    let one = |entity| forms::of(entity).into_iter().map(|form| (form, &entity.uid));
    entity.into_iter().flat_map(one)
}

fn has_form(entity: &Entity, form: &str) -> bool {
    forms::of(entity).iter().any(|has| has == form)
}

impl Base {
    fn candidates(&self, form: &str) -> impl Iterator<Item = &EntityUid> {
        let numbers = self.table.get(self.rows.hash().text(form));
        numbers.filter_map(|number| self.rows.at(number)).map(|entity| &entity.uid)
    }
}

#[cfg(test)]
mod tests;
