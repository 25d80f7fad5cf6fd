//! The entries of a history: each is one thing that was learnt, refused or tried.

use std::sync::Arc;

use kenward_model::{DecisionId, EntityUid, Fact, Timestamp};
use serde::{Deserialize, Serialize};

/// How many different answers about one attribute are told apart; no inference asks for more.
pub(crate) const MOST_ANSWERS: usize = 64;
/// How many different tools at one goal are told apart.
const MOST_TOOLS: usize = 16;

/// One thing that happened to a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A call is under way that would tell these facts; they count as known from now on.
    Reserved(DecisionId, Vec<Learnt>),
    /// The answer to it was released.
    Confirmed(DecisionId),
    /// Nothing came back from it: the facts were never told.
    Undone(DecisionId),
    /// A fact was told in an answer.
    Learnt(Learnt),
    /// A row of the ledger was given up to make room, as policy permits its fact anyway.
    Forgotten(EntityUid, Arc<str>),
    /// Something was refused.
    Refused(Shadow),
    /// A shadow is lifted.
    Lifted {
        /// Whose facts were refused; nothing when that could not be told.
        subject: Option<EntityUid>,
        /// The family of the facts.
        family: Arc<str>,
        /// Who had refused.
        source: ShadowSource,
    },
    /// A guess was wrong.
    Missed {
        /// About whom.
        subject: EntityUid,
        /// At what.
        attribute: Arc<str>,
    },
    /// An aggregate was answered.
    Answered(Answered),
    /// An approver, or the person themself, agreed.
    Granted(Granted),
}

/// A fact that the person was told, or may have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    /// The fact, at the finest precision so far.
    pub fact: Fact,
    /// When it was told first.
    pub first: Timestamp,
    /// When it was told last.
    pub last: Timestamp,
    /// Through what: `<server>/<tool>` of the first answer.
    pub via: Arc<str>,
    /// The decision that let it through last.
    pub decision: DecisionId,
    /// The different answers that told it: digests of the tool with its arguments.
    pub answers: Vec<u64>,
}

/// Who refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShadowSource {
    /// Our own policies.
    Policy,
    /// The server behind, or its authorization server.
    Upstream,
    /// Nobody: the tool is not on the person's list.
    Hidden,
    /// An approver, or the person themself.
    Approval,
    /// Nobody: whom the call was about could not be told.
    Unresolved,
}

/// Something that was refused, and stays so for a while whatever the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// Whose facts; nothing when that could not be told.
    pub subject: Option<EntityUid>,
    /// The family of the facts.
    pub family: Arc<str>,
    /// The refused fact, where one was named: the shadow is lifted when it may be learnt.
    pub fact: Option<Fact>,
    /// Who refused.
    pub source: ShadowSource,
    /// When it was cast last.
    pub cast: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// The decision that cast it first.
    pub decision: DecisionId,
    /// The different tools that were tried, `<server>/<tool>`, in order.
    pub tools: Vec<Arc<str>>,
}

impl Shadow {
    /// Whether both are about the same facts, refused by the same.
    pub(crate) fn is_same_goal(&self, other: &Self) -> bool {
        self.subject == other.subject && self.family == other.family && self.source == other.source
    }

    /// Takes over what is new of `other`, which has the same goal.
    pub(crate) fn merge(&mut self, other: Self) {
        self.cast = self.cast.max(other.cast);
        self.expires = self.expires.max(other.expires);
        // The finest refused fact is the last to become learnable: it keeps the shadow longest.
        if let Some(fact) = other.fact
            && self.fact.as_ref().is_none_or(|held| held.precision > fact.precision)
        {
            self.fact = Some(fact);
        }
        for tool in other.tools {
            if self.tools.len() < MOST_TOOLS && !self.tools.contains(&tool) {
                self.tools.push(tool);
            }
        }
    }
}

/// An answered aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The attribute that the figure was made of.
    pub attribute: Arc<str>,
    /// The tool, `<server>/<tool>`.
    pub via: Arc<str>,
    /// The terms of its filter, sorted; none for a figure over everybody.
    pub terms: Vec<Term>,
    /// The number of subjects.
    pub count: u64,
}

/// One condition of a filter, as digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Term {
    /// Of what is compared, such as a column.
    pub key: u64,
    /// Of the whole condition.
    pub condition: u64,
    /// Whether it demands that the key equals one value.
    pub equals: bool,
}

/// An agreement to what would otherwise be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Whose facts.
    pub subject: EntityUid,
    /// Of which family.
    pub family: Arc<str>,
    /// Until when.
    pub until: Timestamp,
    /// Who agreed.
    pub by: Arc<str>,
}
