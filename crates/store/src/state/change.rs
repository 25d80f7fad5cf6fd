//! Writing a change of the directory into the tables, within one transaction.

use kenward_model::{EntityUid, Revision};
use kenward_world::{Change, EntityRecord, Source, Standing};
use sqlx::{Sqlite, Transaction};

use super::{StateError, failed};

type Writing = Transaction<'static, Sqlite>;

/// Writes everything that `change` consists of, in its order.
pub(super) async fn put(transaction: &mut Writing, change: &Change) -> Result<(), StateError> {
    let mut entities = Entities::default();
    let mut rest = vec![change];
    while let Some(change) = rest.pop() {
        match change {
            Change::All(changes) => rest.extend(changes.iter().rev()),
            Change::Put(source, record) => entities.put(transaction, source, record).await?,
            Change::Remove(source, uid) => {
                entities.flush(transaction).await?;
                remove_entity(transaction, source, uid).await?;
            }
            Change::ReplaceAll(source, records) => {
                entities.flush(transaction).await?;
                remove_source(transaction, source).await?;
                for record in records {
                    entities.put(transaction, source, record).await?;
                }
            }
            Change::Standing(user, standing) => put_standing(transaction, user, standing).await?,
        }
    }
    entities.flush(transaction).await
}

/// Writes that `revision` was reached, unless a larger one was.
pub(super) async fn put_revision(
    transaction: &mut Writing,
    revision: Revision,
) -> Result<(), StateError> {
    let value = i64::try_from(revision.0).map_err(|_| StateError::Row("revision"))?;
    let text = "insert into meta (name, value) values ('revision', $1) \
        on conflict (name) do update set value = max(value, excluded.value)";
    sqlx::query(text).bind(value).execute(&mut **transaction).await.map_err(failed("change"))?;
    Ok(())
}

/// Entities that are still to be written: many at once, for there may be millions of them.
#[derive(Debug, Default)]
struct Entities {
    /// Source, type, id and record of each.
    rows: Vec<[String; 4]>,
}

impl Entities {
    async fn put(
        &mut self,
        transaction: &mut Writing,
        source: &Source,
        record: &EntityRecord,
    ) -> Result<(), StateError> {
        let json = serde_json::to_string(record).map_err(|_| StateError::Row("entity"))?;
        self.rows.push([name_of(source), record.kind.clone(), record.id.clone(), json]);
        if self.rows.len() < AT_ONCE { Ok(()) } else { self.flush(transaction).await }
    }

    async fn flush(&mut self, transaction: &mut Writing) -> Result<(), StateError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = serde_json::to_string(&self.rows).map_err(|_| StateError::Row("entity"))?;
        self.rows.clear();
        let text = "insert or replace into entities (source, type, id, record) \
            select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each($1)";
        sqlx::query(text).bind(rows).execute(&mut **transaction).await.map_err(failed("change"))?;
        Ok(())
    }
}

async fn remove_entity(
    transaction: &mut Writing,
    source: &Source,
    uid: &EntityUid,
) -> Result<(), StateError> {
    sqlx::query("delete from entities where source = $1 and type = $2 and id = $3")
        .bind(name_of(source))
        .bind(&*uid.kind)
        .bind(&*uid.id)
        .execute(&mut **transaction)
        .await
        .map_err(failed("change"))?;
    Ok(())
}

async fn remove_source(transaction: &mut Writing, source: &Source) -> Result<(), StateError> {
    sqlx::query("delete from entities where source = $1")
        .bind(name_of(source))
        .execute(&mut **transaction)
        .await
        .map_err(failed("change"))?;
    Ok(())
}

async fn put_standing(
    transaction: &mut Writing,
    user: &EntityUid,
    standing: &Standing,
) -> Result<(), StateError> {
    let text = "insert or replace into standings \
        (type, id, active, risk, device_compliant, session_revoked) values ($1, $2, $3, $4, $5, $6)";
    sqlx::query(text)
        .bind(&*user.kind)
        .bind(&*user.id)
        .bind(standing.active)
        .bind(standing.risk.as_deref())
        .bind(standing.device_compliant)
        .bind(standing.session_revoked)
        .execute(&mut **transaction)
        .await
        .map_err(failed("change"))?;
    Ok(())
}

/// How a source is written; read again by `source_named`.
fn name_of(source: &Source) -> String {
    match source {
        Source::Admin => "admin".to_owned(),
        Source::File(name) => format!("file:{name}"),
    }
}

/// How many entities go into one statement.
const AT_ONCE: usize = 256;
