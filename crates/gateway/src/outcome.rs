//! What came of an allowed message: recorded once, whatever way it ends.

use std::sync::Arc;

use kenward_audit::{Outcome as Kind, Record};
use kenward_model::{DecisionId, Fact};
use kenward_store::segments::Log;

use crate::admission::Slot;
use crate::clock;

/// The open end of a decision. Dropped without a word it says that the caller went away.
#[derive(Debug)]
pub(crate) struct Outcome {
    log: Arc<Log>,
    id: DecisionId,
    kind: Kind,
    removed: Vec<Fact>,
    /// Held until the call has ended, so that its end is what frees the slot.
    _slot: Option<Slot>,
}

impl Outcome {
    pub(crate) fn new(log: Arc<Log>, id: DecisionId, slot: Option<Slot>) -> Self {
        Self { log, id, kind: Kind::Cancelled, removed: Vec::new(), _slot: slot }
    }

    /// The end of this decision, recorded when this is dropped; the last word counts.
    pub(crate) fn is(&mut self, kind: Kind) {
        self.kind = kind;
    }

    /// Parts of the answer were removed.
    pub(crate) fn filtered(&mut self, removed: Vec<Fact>) {
        self.kind = Kind::Filtered;
        self.removed = removed;
    }

    /// Ends here and now.
    pub(crate) fn finish(mut self, kind: Kind) {
        self.is(kind);
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let facts = std::mem::take(&mut self.removed);
        let record = Record { facts, ..Record::outcome(self.id, clock::now(), self.kind) };
        if let Err(error) = self.log.append_soon(&record) {
            tracing::error!(%error, id = %self.id, "an outcome could not be recorded");
        }
    }
}
