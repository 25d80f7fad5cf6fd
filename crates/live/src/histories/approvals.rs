//! Questions to an approver: asked by a decision, answered by the admin API.

use std::sync::Arc;

use kenward_disclosure::{Entry, Granted, Shadow, ShadowSource};
use kenward_model::{DecisionId, EntityUid, Timestamp};
use kenward_store::{Approval, ApprovalAnswer, ApprovalVerdict, StateError};
use serde_json::Value;

use super::{Away, Histories, away};

/// A question that a decision asks of an approver.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The decision that asks; its id is that of the question.
    pub decision: DecisionId,
    /// Who would learn it.
    pub person: &'a EntityUid,
    /// About whom.
    pub subject: &'a EntityUid,
    /// Of which family.
    pub family: &'a str,
    /// Through what: `<server>/<tool>`.
    pub tool: &'a str,
    /// When it is asked.
    pub now: Timestamp,
}

/// What an approver answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Yes, or no.
    pub verdict: ApprovalVerdict,
    /// By whom.
    pub by: Arc<str>,
    /// When.
    pub now: Timestamp,
    /// Until when it holds.
    pub until: Timestamp,
}

impl Histories {
    /// Asks an approver; the id of the question that waits now, which is that of an earlier one
    /// where the person waits for the same already. Nothing when too many of theirs wait.
    pub async fn ask_approval(&self, asked: Asked<'_>) -> Result<Option<String>, Away> {
        let question = Approval {
            id: asked.decision.to_string(),
            person: asked.person.clone(),
            subject: asked.subject.clone(),
            family: asked.family.to_owned(),
            tool: asked.tool.to_owned(),
            asked: asked.now,
            answer: None,
        };
        self.state.ask_approval(&question).await.map_err(away("write"))
    }

    /// Every question that is kept, the oldest first.
    pub async fn approvals(&self) -> Result<Vec<Approval>, Away> {
        self.state.approvals().await.map_err(away("read"))
    }

    /// Answers question `id`: in force for the next call and durable when this returns whose
    /// history it was, with what became of it. Nothing when no such question waits.
    pub async fn answer_approval(
        &self,
        id: &str,
        verdict: &Verdict,
    ) -> Result<Option<(EntityUid, Entry)>, Away> {
        let _answering = self.answering.lock().await;
        let question = self.state.approval(id).await.map_err(away("read"))?;
        let Some(question) = question.filter(|question| question.answer.is_none()) else {
            return Ok(None);
        };
        let [withdrawn, entry] = entries(&question, verdict).map_err(away("read"))?;
        // The history first: a crash in between leaves a question that is answered once more,
        // never an answer without its effect.
        let both = vec![withdrawn, entry.clone()];
        let _kept: Vec<Entry> = self.admit(&question.person, |_| both).await?;
        let answer = ApprovalAnswer {
            verdict: verdict.verdict,
            at: verdict.now,
            by: verdict.by.as_ref().to_owned(),
            until: verdict.until,
        };
        self.state.answer_approval(id, &answer).await.map_err(away("write"))?;
        Ok(Some((question.person, entry)))
    }
}

/// What ends of earlier answers about the same, and what is said now.
fn entries(question: &Approval, verdict: &Verdict) -> Result<[Entry; 2], StateError> {
    let family: Arc<str> = question.family.as_str().into();
    let granted = |until| {
        let (subject, family, by) =
            (question.subject.clone(), Arc::clone(&family), Arc::clone(&verdict.by));
        Entry::Granted(Granted { subject, family, until, by })
    };
    match verdict.verdict {
        ApprovalVerdict::Approve => {
            let (subject, source) = (Some(question.subject.clone()), ShadowSource::Approval);
            let lifted = Entry::Lifted { subject, family: Arc::clone(&family), source };
            Ok([lifted, granted(verdict.until)])
        }
        ApprovalVerdict::Refuse => {
            let shadow = Shadow {
                subject: Some(question.subject.clone()),
                family: Arc::clone(&family),
                fact: None,
                source: ShadowSource::Approval,
                cast: verdict.now,
                expires: verdict.until,
                decision: decision(&question.id)?,
                tools: vec![question.tool.as_str().into()],
            };
            Ok([granted(verdict.now), Entry::Refused(shadow)])
        }
    }
}

fn decision(id: &str) -> Result<DecisionId, StateError> {
    serde_json::from_value(Value::from(id)).map_err(|_| StateError::Row("approval"))
}
