//! One document of an answer: what it links and tells, and what of it leaves.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kenward_model::EntityUid;
use serde_json::Value;

use crate::filter::{self, Edit, Plan};
use crate::handles::Linked;
use crate::path::{Key, element};

use super::scan::{Covered, Hit, What};
use super::{Reviewer, Withheld};

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Same,
    Changed,
}

impl Reviewer<'_> {
    /// Takes out of the document what leaves it.
    pub(super) fn document(&mut self, document: &mut Value) -> Result<Outcome, Withheld> {
        self.link(document);
        self.check_figure(document)?;
        let results = self.results;
        let plan = filter::plan(results, document, &mut self.bench, &self.watch);
        let mut plan = plan.map_err(|path| Withheld::Shape { path })?;
        if plan.everything || (self.expects.deferred && (plan.refused || !plan.tells())) {
            self.turned_away = plan.refused;
            return Err(Withheld::Everything);
        }
        self.about.append(&mut plan.told);
        self.about.extend(self.wholly_permitted(&plan));
        self.rest.extend(plan.rest(document));
        let hits = self.look_through(document, &plan);
        let about_somebody = !self.about.is_empty();
        if settle(&hits, document, about_somebody, &mut plan.edit) == Reach::Everything {
            return Err(Withheld::Everything);
        }
        if plan.edit.is_empty() {
            return Ok(Outcome::Same);
        }
        plan.edit.apply(document);
        let is_bare = document.as_object().is_some_and(serde_json::Map::is_empty);
        if is_bare && !hits.is_empty() { Err(Withheld::Everything) } else { Ok(Outcome::Changed) }
    }

    /// The subjects of rows of whom nothing was refused: they may be named everywhere.
    fn wholly_permitted(&self, plan: &Plan) -> Vec<EntityUid> {
        let refused: HashSet<&EntityUid> =
            self.bench.refused().iter().map(|fact| &fact.subject).collect();
        let staying = plan.rows.iter().filter(|row| row.stays).flat_map(|row| &row.subjects);
        let mut permitted: Vec<EntityUid> =
            staying.filter(|subject| !refused.contains(subject)).cloned().collect();
        permitted.sort();
        permitted.dedup();
        permitted
    }

    fn look_through(&mut self, document: &Value, plan: &Plan) -> Vec<Hit> {
        let mut rows: HashMap<&[Key], Vec<EntityUid>> = HashMap::new();
        let mut fields = HashSet::new();
        for row in plan.rows.iter().filter(|row| row.stays) {
            rows.entry(&row.location).or_default().extend(row.subjects.iter().cloned());
            fields.extend(row.covered.iter().map(Vec::as_slice));
        }
        let skipped = plan.edit.removals().cloned().collect();
        self.hits(document, &Covered { rows, fields, skipped })
    }

    fn link(&mut self, document: &Value) {
        for rule in &self.results.links {
            for (handle, owners) in filter::links(rule, document, &self.watch) {
                self.note_owners(rule.kind.as_deref(), &handle, owners);
            }
        }
    }

    fn note_owners(&mut self, kind: Option<&str>, handle: &str, owners: Vec<EntityUid>) {
        let inquiry = self.inquiry;
        let handle = inquiry.handles.key(kind, inquiry.server, handle);
        let known = inquiry.handles.owners(handle);
        for owner in owners.into_iter().filter(|owner| !known.contains(owner)) {
            if self.linked.insert((handle, owner.clone())) {
                self.links.push(Linked { handle, owner, via: Arc::clone(&self.via) });
            }
        }
    }
}

/// How far it goes what leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Parts,
    Everything,
}

/// Plans what leaves on account of the names that were met.
pub(super) fn settle(
    hits: &[Hit],
    document: &Value,
    about_somebody: bool,
    edit: &mut Edit,
) -> Reach {
    for hit in hits {
        let location = &hit.location;
        if edit.takes(location) {
            continue;
        }
        if hit.what == What::Rest {
            edit.replace(location.clone());
            continue;
        }
        if let Some(element) = element(location) {
            edit.remove_from_list(element.to_vec());
            continue;
        }
        let is_only_content = leaves(document) <= 1;
        match (hit.what, location.split_last()) {
            _ if is_only_content => return Reach::Everything,
            // An object of which a member is a name is about whoever has it, unless the answer is
            // known to be about somebody else.
            (What::Name, Some((_, holder))) if !about_somebody => match holder {
                [] => return Reach::Everything,
                [..] => edit.remove(holder.to_vec()),
            },
            (What::Member, Some(_)) => edit.remove(location.clone()),
            (What::Name, Some(_))
                if crate::path::node(document, location).is_some_and(Value::is_number) =>
            {
                edit.remove(location.clone());
            }
            (What::Name | What::Text | What::Rest, Some(_)) => edit.replace(location.clone()),
            (What::Name | What::Text | What::Rest | What::Member, None) => {
                return Reach::Everything;
            }
        }
    }
    Reach::Parts
}

/// How many texts and numbers there are in a value.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(_) | Value::String(_) => 1,
        Value::Array(items) => items.iter().map(leaves).sum(),
        Value::Object(members) => members.values().map(leaves).sum(),
    }
}
