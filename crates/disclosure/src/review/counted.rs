//! About how many subjects something of each family is told, by the history and by one answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kenward_model::{EntityUid, Fact, Timestamp};

use crate::history::History;

/// The subjects of each family, counted once for one answer.
#[derive(Default)]
pub(super) struct Counted<'h>(HashMap<Arc<str>, Subjects<'h>>);

#[derive(Default)]
struct Subjects<'h> {
    /// Of whom this answer tells something.
    told: HashSet<EntityUid>,
    /// Of whom something was learnt within the window; nothing until that is asked for.
    known: Option<HashSet<&'h EntityUid>>,
}

impl<'h> Counted<'h> {
    /// The answer tells the fact.
    pub(super) fn note(&mut self, fact: &Fact) {
        self.of(&fact.family).told.insert(fact.subject.clone());
    }

    /// Whether there may be `most` subjects already: a quick way to tell that there are not.
    pub(super) fn may_reach(&mut self, history: &History, family: &Arc<str>, most: usize) -> bool {
        history.most_subjects(family) + self.of(family).told.len() >= most
    }

    /// Whether the fact would be about one subject more than `most`, of those since `since`.
    pub(super) fn goes_beyond(
        &mut self,
        history: &'h History,
        fact: &Fact,
        since: Timestamp,
        most: usize,
    ) -> bool {
        let subjects = self.of(&fact.family);
        let known = subjects
            .known
            .get_or_insert_with(|| history.subjects_since(&fact.family, since).collect());
        let is_counted = known.contains(&fact.subject) || subjects.told.contains(&fact.subject);
        let new = subjects.told.iter().filter(|told| !known.contains(told)).count();
        !is_counted && known.len() + new >= most
    }

    fn of(&mut self, family: &Arc<str>) -> &mut Subjects<'h> {
        self.0.entry(Arc::clone(family)).or_default()
    }
}
