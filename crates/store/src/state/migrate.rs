//! The steps by which the state comes to its present form: forward only, each applied once.

use kenward_audit::Digest;
use sqlx::sqlite::SqlitePool;
use sqlx::{Row as _, Sqlite, Transaction};

use super::{StateError, failed};

/// A step from one form of the state to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Its number; they are applied in rising order.
    pub(super) version: i64,
    /// What it does.
    pub(super) sql: &'static str,
}

/// Every step. A step that was released is never altered: databases out there have taken it.
pub(super) const STEPS: &[Step] = &[
    Step { version: 1, sql: include_str!("migrations/0001_beginning.sql") },
    Step { version: 2, sql: include_str!("migrations/0002_histories.sql") },
    Step { version: 3, sql: include_str!("migrations/0003_pins.sql") },
];

/// Brings the state to the present form, all steps or none.
pub(super) async fn migrate(pool: &SqlitePool) -> Result<(), StateError> {
    migrate_by(pool, STEPS).await
}

pub(super) async fn migrate_by(
    pool: &SqlitePool,
    steps: &'static [Step],
) -> Result<(), StateError> {
    let mut transaction = pool.begin_with("begin immediate").await.map_err(failed("open"))?;
    let applied = applied(&mut transaction).await?;
    let known = steps.last().map_or(0, |step| step.version);
    if let Some((found, _)) = applied.last().filter(|(version, _)| *version > known) {
        return Err(StateError::Newer { found: *found, known });
    }
    for step in steps {
        let digest = Digest::of(step.sql.as_bytes()).to_string();
        match applied.iter().find(|(version, _)| *version == step.version) {
            Some((_, found)) if *found == digest => {}
            Some(_) => return Err(StateError::OtherStep { version: step.version }),
            None => apply(&mut transaction, step, &digest).await?,
        }
    }
    transaction.commit().await.map_err(failed("open"))
}

/// The steps that were taken already, with the digests of what they were then.
async fn applied(
    transaction: &mut Transaction<'static, Sqlite>,
) -> Result<Vec<(i64, String)>, StateError> {
    let table = "create table if not exists steps \
        (version integer primary key, sha256 text not null, applied_at text not null) strict";
    sqlx::query(table).execute(&mut **transaction).await.map_err(failed("open"))?;
    let rows = sqlx::query("select version, sha256 from steps order by version")
        .fetch_all(&mut **transaction)
        .await
        .map_err(failed("open"))?;
    rows.iter()
        .map(|row| Ok((row.try_get("version")?, row.try_get("sha256")?)))
        .collect::<Result<_, sqlx::Error>>()
        .map_err(failed("open"))
}

async fn apply(
    transaction: &mut Transaction<'static, Sqlite>,
    step: &Step,
    digest: &str,
) -> Result<(), StateError> {
    sqlx::raw_sql(step.sql).execute(&mut **transaction).await.map_err(failed("open"))?;
    let text = "insert into steps (version, sha256, applied_at) \
        values ($1, $2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";
    sqlx::query(text)
        .bind(step.version)
        .bind(digest)
        .execute(&mut **transaction)
        .await
        .map_err(failed("open"))?;
    Ok(())
}
