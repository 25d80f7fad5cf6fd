//! A record of the audit log: what was asked, what was decided, why, and what came of it.

use std::borrow::Cow;
use std::sync::Arc;

use kenward_model::{DecisionId, EntityUid, Fact, Question, Revision, ServerName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Digest;

mod form;
pub(crate) use form::Rfc3339;
#[cfg(test)]
mod tests;

/// What a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A message was decided, before anything of it went on.
    Decision,
    /// What came of an allowed message; carries the id of its decision.
    Outcome,
    /// A message of an open stream was decided against and not delivered.
    Delivery,
    /// What decisions rest on has changed.
    Change,
    /// Somebody tries too hard at something that was refused: for whoever watches over security.
    Alert,
    /// The log was opened.
    Start,
    /// The log was closed in good order.
    Stop,
}

/// The answer to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Each of the five questions was answered yes.
    Allow,
    /// One of them was answered no.
    Refuse,
}

/// What came of an allowed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The answer was delivered as it came.
    Delivered,
    /// The answer was delivered without the parts that may not be seen; `facts` names them.
    Filtered,
    /// The answer was not delivered: by then it would have been refused.
    Withheld,
    /// The server behind answered with an error, which was delivered.
    Error,
    /// There was no usable answer: the server was not there, too slow, or broke the protocol.
    Failed,
    /// The caller no longer wanted the answer.
    Cancelled,
}

/// What a change record says has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeOf {
    /// The policies; `policy_epoch` names the new ones.
    Policy,
    /// The directory or a standing; `revision` names the new one.
    Directory,
    /// The keys that sign grants, or those of an issuer.
    Keys,
    /// The configuration file.
    Configuration,
    /// What a server's tools are: approved, quarantined or changed.
    Definitions,
    /// What is held against people, or granted to them: a shadow was lifted, or an approval
    /// answered; `user` names the person.
    Histories,
}

/// One record. Serialised it is one line of the log; members without a value are left out, but for
/// `question`, which is null in an allowed decision.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Record {
    /// What the record tells of.
    pub kind: Kind,
    /// The decision that it is or belongs to; the grant's `txn` is the same.
    pub id: Option<DecisionId>,
    /// When, to the microsecond.
    #[serde(deserialize_with = "form::time")]
    pub time: Timestamp,
    /// The user, by the id that the directory uses.
    pub user: Option<Arc<str>>,
    /// The agent, by the id that the directory uses.
    pub agent: Option<Arc<str>>,
    /// The issuer of the caller's token.
    pub issuer: Option<Arc<str>>,
    /// The server that would answer.
    pub server: Option<ServerName>,
    /// The MCP method.
    pub method: Option<Cow<'static, str>>,
    /// The tool, prompt or URI.
    pub target: Option<Arc<str>>,
    /// The objects that the message names.
    #[serde(default)]
    pub objects: Vec<EntityUid>,
    /// The facts that it would reveal; in an outcome, those that were removed from the answer.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// How it was found what the message would reveal: a step a line, from the argument to the
    /// subject, from the subject to the fact, and from facts to what follows.
    #[serde(default)]
    pub chain: Vec<Arc<str>>,
    /// The answer.
    pub verdict: Option<Verdict>,
    /// The question that was answered no, written as its number.
    #[serde(default, deserialize_with = "form::question")]
    pub question: Option<Question>,
    /// The policies that determined the answer, by `@id` or place.
    #[serde(default)]
    pub policies: Vec<Arc<str>>,
    /// What those policies say to the refused person (`@reason`).
    #[serde(default)]
    pub reasons: Vec<Arc<str>>,
    /// The digest of all that the policies were compiled from.
    pub policy_epoch: Option<Arc<str>>,
    /// The revision of the directory that was decided on, or that a change made.
    pub revision: Option<Revision>,
    /// SHA-256 of the arguments' RFC 8785 form; the arguments themselves are never recorded.
    pub arguments_sha256: Option<Digest>,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// What has changed.
    pub change: Option<ChangeOf>,
    /// Who changed it: a user, `file NAME`, `admin`, or a stream of signals.
    pub by: Option<Arc<str>>,
    /// What else a reader should know, in words; never arguments, tokens or bodies.
    pub note: Option<Cow<'static, str>>,
    /// The number of this line in the whole log, from 1; given by the chain.
    pub sequence: Option<u64>,
    /// The hash of the line before; given by the chain.
    pub previous: Option<Digest>,
}

impl Record {
    /// A record of `kind` at `time` with nothing else said.
    pub fn new(kind: Kind, time: Timestamp) -> Self {
        Self {
            kind,
            id: None,
            time,
            user: None,
            agent: None,
            issuer: None,
            server: None,
            method: None,
            target: None,
            objects: Vec::new(),
            facts: Vec::new(),
            chain: Vec::new(),
            verdict: None,
            question: None,
            policies: Vec::new(),
            reasons: Vec::new(),
            policy_epoch: None,
            revision: None,
            arguments_sha256: None,
            outcome: None,
            change: None,
            by: None,
            note: None,
            sequence: None,
            previous: None,
        }
    }

    /// The record that tells what came of decision `id`.
    pub fn outcome(id: DecisionId, time: Timestamp, outcome: Outcome) -> Self {
        Self { id: Some(id), outcome: Some(outcome), ..Self::new(Kind::Outcome, time) }
    }

    /// The record that tells that `change` was made by `by`.
    pub fn change(time: Timestamp, change: ChangeOf, by: impl Into<Arc<str>>) -> Self {
        Self { change: Some(change), by: Some(by.into()), ..Self::new(Kind::Change, time) }
    }
}
