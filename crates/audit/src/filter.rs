//! Which records someone wants to see.

use std::sync::Arc;

use kenward_model::{ServerName, Timestamp};

use crate::{Kind, Record, Verdict};

#[cfg(test)]
mod tests;

/// Conditions on records; a record is wanted when it meets each one that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only the decision with this id and what belongs to it.
    pub id: Option<String>,
    /// Only this user, by the id that the directory uses.
    pub user: Option<Arc<str>>,
    /// Only this agent.
    pub agent: Option<Arc<str>>,
    /// Only this server.
    pub server: Option<ServerName>,
    /// Only this tool, prompt or URI.
    pub target: Option<Arc<str>>,
    /// Only this answer.
    pub verdict: Option<Verdict>,
    /// Only at this time or later.
    pub since: Option<Timestamp>,
    /// Only before this time.
    pub until: Option<Timestamp>,
    /// Only lines of the log before the one with this number: the next page, newest first.
    pub before: Option<u64>,
}

impl Filter {
    /// Whether `record` meets every condition.
    pub fn admits(&self, record: &Record) -> bool {
        meets(self.kind.as_ref(), Some(&record.kind))
            && meets(self.user.as_deref(), record.user.as_deref())
            && meets(self.agent.as_deref(), record.agent.as_deref())
            && meets(self.server.as_ref(), record.server.as_ref())
            && meets(self.target.as_deref(), record.target.as_deref())
            && meets(self.verdict.as_ref(), record.verdict.as_ref())
            && self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time < until)
            && self.before.is_none_or(|before| record.sequence.is_some_and(|at| at < before))
            && self.id.as_deref().is_none_or(|id| record.id.is_some_and(|is| is.to_string() == id))
    }
}

fn meets<T: PartialEq + ?Sized>(wanted: Option<&T>, is: Option<&T>) -> bool {
    wanted.is_none_or(|wanted| is == Some(wanted))
}
