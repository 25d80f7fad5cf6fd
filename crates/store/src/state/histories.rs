//! Histories of people in the state: numbered lines, written by one process at a time.
//!
//! What a line says is for the layers above; here it is text.

use futures_util::TryStreamExt as _;
use kenward_model::EntityUid;
use sqlx::{Sqlite, Transaction};

use super::{State, StateError, commit, failed, get};

/// Who may write histories: whoever claimed them last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim(i64);

/// What is to be written of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// Whose history.
    pub person: EntityUid,
    /// The number of the first line; the others follow without a gap.
    pub first: u64,
    /// The lines, in order.
    pub lines: Vec<String>,
    /// Whether they stand for the whole history, in the place of every line before.
    pub whole: bool,
}

/// The lines of one person as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// The number of the last line; 0 when there is none.
    pub last: u64,
    /// The lines, in order.
    pub lines: Vec<String>,
}

impl State {
    /// Claims the writing of histories: whoever has claimed it before can write no more, so two
    /// processes on one state never mix what they have in memory.
    pub async fn claim_histories(&self) -> Result<Claim, StateError> {
        let mut transaction = self.begin().await?;
        let text = "insert into meta (name, value) values ('histories', 1) \
            on conflict (name) do update set value = value + 1 returning value";
        let row = sqlx::query(text).fetch_one(&mut *transaction).await.map_err(failed("change"))?;
        let claim = Claim(get(&row, "value")?);
        commit(transaction).await?;
        Ok(claim)
    }

    /// The history of `person`. A line that is missing between others is an error.
    pub async fn history(&self, person: &EntityUid) -> Result<Stored, StateError> {
        let text = "select sequence, entry from history \
            where person_type = $1 and person_id = $2 order by sequence";
        let mut rows = sqlx::query(text).bind(&*person.kind).bind(&*person.id).fetch(&self.pool);
        let mut stored = Stored::default();
        while let Some(row) = rows.try_next().await.map_err(failed("read"))? {
            let number = number_from(get(&row, "sequence")?)?;
            if !stored.lines.is_empty() && stored.last.checked_add(1) != Some(number) {
                return Err(StateError::Row("history"));
            }
            stored.last = number;
            stored.lines.push(get(&row, "entry")?);
        }
        Ok(stored)
    }

    /// Writes all of `pages` or, when this fails, none of them. A line that is there already is an
    /// error, and so is a claim that is no longer the last.
    pub async fn save_histories(&self, claim: Claim, pages: &[Pages]) -> Result<(), StateError> {
        if pages.iter().any(|pages| pages.whole) {
            let mut transaction = self.begin().await?;
            check(&mut transaction, claim).await?;
            for pages in pages.iter().filter(|pages| pages.whole) {
                remove(&mut transaction, &pages.person).await?;
            }
            append(&mut *transaction, claim, pages).await?;
            commit(transaction).await
        } else {
            // one statement is a transaction of its own, and half the way to the database
            append(&self.pool, claim, pages).await
        }
    }
}

/// That the claim still stands: what only removes lines has to know it too.
async fn check(
    transaction: &mut Transaction<'static, Sqlite>,
    claim: Claim,
) -> Result<(), StateError> {
    let row = sqlx::query("select value from meta where name = 'histories'")
        .fetch_one(&mut **transaction)
        .await
        .map_err(failed("read"))?;
    if get::<i64>(&row, "value")? == claim.0 { Ok(()) } else { Err(StateError::Superseded) }
}

async fn remove(
    transaction: &mut Transaction<'static, Sqlite>,
    person: &EntityUid,
) -> Result<(), StateError> {
    sqlx::query("delete from history where person_type = $1 and person_id = $2")
        .bind(&*person.kind)
        .bind(&*person.id)
        .execute(&mut **transaction)
        .await
        .map_err(failed("change"))?;
    Ok(())
}

/// Adds the lines, if the claim still stands.
async fn append<'e>(
    executor: impl sqlx::Executor<'e, Database = Sqlite>,
    claim: Claim,
    pages: &[Pages],
) -> Result<(), StateError> {
    let mut rows = Vec::new();
    for Pages { person, first, lines, whole: _ } in pages {
        for (line, number) in lines.iter().zip(0_u64..) {
            let number = first.checked_add(number).ok_or(StateError::Row("history"))?;
            rows.push((&*person.kind, &*person.id, number_to(number)?, line));
        }
    }
    let json = serde_json::to_string(&rows).map_err(|_| StateError::Row("history"))?;
    let text = "insert into history (person_type, person_id, sequence, entry) \
        select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each($1) \
        where (select value from meta where name = 'histories') = $2";
    let done = sqlx::query(text)
        .bind(json)
        .bind(claim.0)
        .execute(executor)
        .await
        .map_err(failed("change"))?;
    let written = usize::try_from(done.rows_affected()).unwrap_or(usize::MAX);
    if written == rows.len() { Ok(()) } else { Err(StateError::Superseded) }
}

fn number_from(number: i64) -> Result<u64, StateError> {
    u64::try_from(number).map_err(|_| StateError::Row("history"))
}

fn number_to(number: u64) -> Result<i64, StateError> {
    i64::try_from(number).map_err(|_| StateError::Row("history"))
}
