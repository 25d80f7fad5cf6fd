//! Questions to an approver, and what was answered.

use kenward_model::{EntityUid, Timestamp};
use sqlx::sqlite::SqliteRow;

use super::{State, StateError, commit, failed, get};

/// The most questions of one person that wait for an answer.
pub const MOST_PENDING: usize = 100;
/// The most answered questions that are kept; the oldest go first.
const MOST_ANSWERED: i64 = 10_000;

/// A question whether a person may learn something about somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The decision that asked.
    pub id: String,
    /// Who would learn it.
    pub person: EntityUid,
    /// About whom.
    pub subject: EntityUid,
    /// Of which family.
    pub family: String,
    /// Through what: `<server>/<tool>`.
    pub tool: String,
    /// When it was asked.
    pub asked: Timestamp,
    /// What was answered; nothing while it waits.
    pub answer: Option<ApprovalAnswer>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalAnswer {
    /// Yes, or no.
    pub verdict: ApprovalVerdict,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Until when it holds.
    pub until: Timestamp,
}

/// Yes, or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalVerdict {
    /// The person may.
    Approve,
    /// The person may not.
    Refuse,
}

impl ApprovalVerdict {
    fn stored(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Refuse => "refused",
        }
    }
}

impl State {
    /// Asks; the id of the question that waits now: an earlier one, where the same person waits
    /// for the same already. Nothing when too many questions of the person wait.
    pub async fn ask_approval(&self, question: &Approval) -> Result<Option<String>, StateError> {
        let Approval { id, person, subject, family, tool, asked, answer: _ } = question;
        let mut transaction = self.begin().await?;
        let text = "insert or ignore into approvals (id, person_type, person_id, subject_type, \
            subject_id, family, tool, asked, state) \
            select $1, $2, $3, $4, $5, $6, $7, $8, 'pending' where (select count(*) \
            from approvals where state = 'pending' and person_type = $2 and person_id = $3) < $9";
        sqlx::query(text)
            .bind(id)
            .bind(&*person.kind)
            .bind(&*person.id)
            .bind(&*subject.kind)
            .bind(&*subject.id)
            .bind(family)
            .bind(tool)
            .bind(asked.as_micros())
            .bind(i64::try_from(MOST_PENDING).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await
            .map_err(failed("change"))?;
        let text = "select id from approvals where state = 'pending' and person_type = $1 \
            and person_id = $2 and subject_type = $3 and subject_id = $4 and family = $5";
        let row = sqlx::query(text)
            .bind(&*person.kind)
            .bind(&*person.id)
            .bind(&*subject.kind)
            .bind(&*subject.id)
            .bind(family)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed("read"))?;
        let waiting = row.map(|row| get(&row, "id")).transpose()?;
        commit(transaction).await?;
        Ok(waiting)
    }

    /// Every question that is kept, the oldest first.
    pub async fn approvals(&self) -> Result<Vec<Approval>, StateError> {
        let rows = sqlx::query("select * from approvals order by asked, id")
            .fetch_all(&self.pool)
            .await
            .map_err(failed("read"))?;
        rows.iter().map(approval_of).collect()
    }

    /// One question.
    pub async fn approval(&self, id: &str) -> Result<Option<Approval>, StateError> {
        let row = sqlx::query("select * from approvals where id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("read"))?;
        row.as_ref().map(approval_of).transpose()
    }

    /// Keeps an answer; false when the question does not wait for one.
    pub async fn answer_approval(
        &self,
        id: &str,
        answer: &ApprovalAnswer,
    ) -> Result<bool, StateError> {
        let ApprovalAnswer { verdict, at, by, until } = answer;
        let mut transaction = self.begin().await?;
        let text = "update approvals set state = $2, answered = $3, answered_by = $4, until = $5 \
            where id = $1 and state = 'pending'";
        let done = sqlx::query(text)
            .bind(id)
            .bind(verdict.stored())
            .bind(at.as_micros())
            .bind(by)
            .bind(until.as_micros())
            .execute(&mut *transaction)
            .await
            .map_err(failed("change"))?;
        let text = "delete from approvals where id in (select id from approvals \
            where state <> 'pending' order by answered desc, id desc limit -1 offset $1)";
        sqlx::query(text)
            .bind(MOST_ANSWERED)
            .execute(&mut *transaction)
            .await
            .map_err(failed("change"))?;
        commit(transaction).await?;
        Ok(done.rows_affected() > 0)
    }
}

fn approval_of(row: &SqliteRow) -> Result<Approval, StateError> {
    let uid = |kind, id| Ok(EntityUid::new(get::<&str>(row, kind)?, get::<&str>(row, id)?));
    Ok(Approval {
        id: get(row, "id")?,
        person: uid("person_type", "person_id")?,
        subject: uid("subject_type", "subject_id")?,
        family: get(row, "family")?,
        tool: get(row, "tool")?,
        asked: Timestamp::from_micros(get(row, "asked")?),
        answer: answer_of(row)?,
    })
}

fn answer_of(row: &SqliteRow) -> Result<Option<ApprovalAnswer>, StateError> {
    let verdict = match get(row, "state")? {
        "pending" => return Ok(None),
        "approved" => ApprovalVerdict::Approve,
        "refused" => ApprovalVerdict::Refuse,
        _ => return Err(StateError::Row("approval")),
    };
    let at = Timestamp::from_micros(get(row, "answered")?);
    let until = Timestamp::from_micros(get(row, "until")?);
    Ok(Some(ApprovalAnswer { verdict, at, by: get(row, "answered_by")?, until }))
}
