//! Texts and lists that many entities have in common, each held once.

use std::sync::Arc;

use kenward_model::EntityUid;

use crate::Map;

/// So many different ones are looked up; beyond that, they are stored as they come.
const MOST: usize = 65_536;

/// The types, lists of attribute names and lists of parents that are known.
#[derive(Clone, Default)]
pub(crate) struct Sharing {
    texts: Map<Arc<str>, ()>,
    parents: Map<Arc<[EntityUid]>, ()>,
}

impl Sharing {
    /// The text, shared with all that have the same.
    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some((known, ())) = self.texts.get_key_value(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        if self.texts.len() < MOST {
            self.texts.insert(Arc::clone(&text), ());
        }
        text
    }

    /// The list of parents, shared with all that have the same; `share` finds what the parents
    /// have in common with entities that are known.
    pub(crate) fn parents(
        &mut self,
        parents: &[EntityUid],
        share: impl Fn(&EntityUid) -> Option<EntityUid>,
    ) -> Arc<[EntityUid]> {
        if let Some((known, ())) = self.parents.get_key_value(parents) {
            return Arc::clone(known);
        }
        let parents: Arc<[EntityUid]> = parents
            .iter()
            .map(|uid| {
                let id = share(uid).map_or_else(|| Arc::clone(&uid.id), |known| known.id);
                EntityUid { kind: self.text(&uid.kind), id }
            })
            .collect();
        if self.parents.len() < MOST {
            self.parents.insert(Arc::clone(&parents), ());
        }
        parents
    }

    /// Forgets what nothing uses any more.
    pub(crate) fn clean(&mut self) {
        self.texts.retain(|text, ()| Arc::strong_count(text) > 1);
        self.parents.retain(|parents, ()| Arc::strong_count(parents) > 1);
    }
}
