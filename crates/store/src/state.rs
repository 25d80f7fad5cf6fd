//! The state in `SQLite`: what the admin API and the signals have said, keys, and definitions.
//!
//! One connection serves reads and writes: the state is read as a whole at the start and changed
//! seldom. Every change is one transaction that is on the disk when the call returns.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use kenward_model::{EntityUid, Revision, ServerName, Timestamp};
use kenward_world::{Change, EntityRecord, Source, Standing};
use serde_json::Value;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row as _, Sqlite, Transaction};

mod approvals;
mod change;
mod handles;
mod histories;
mod migrate;
mod open;
mod pins;
#[cfg(test)]
mod tests;

pub use approvals::{Approval, ApprovalAnswer, ApprovalVerdict, MOST_PENDING};
pub use handles::HandleRow;
pub use histories::{Claim, Pages, Stored};
pub use pins::PinRow;

/// Why the state could not be opened, read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The URL asks for the state of a fleet.
    #[error(
        "a fleet's shared state (`postgres://`) is not available in this version; use `sqlite:PATH`"
    )]
    Fleet,
    /// The URL names nothing that could keep a state.
    #[error("`{0}` names no place for the state; use `sqlite:PATH`")]
    Url(String),
    /// The file could not be made or closed to others.
    #[error("cannot {doing} `{}`", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The database refused.
    #[error("cannot {doing} the state")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// Why not.
        #[source]
        source: sqlx::Error,
    },
    /// A later version has written it.
    #[error("the state is of version {found}, written by a later release; this one knows {known}")]
    Newer {
        /// The version of the state.
        found: i64,
        /// The latest version that is known here.
        known: i64,
    },
    /// The steps by which it came to its form are not the ones that are known.
    #[error("step {version} of the state's form is not the one that this release knows")]
    OtherStep {
        /// The number of the step.
        version: i64,
    },
    /// Another process writes the histories now.
    #[error("another process has taken over the histories")]
    Superseded,
    /// Something in it cannot be read.
    #[error("a stored {0} cannot be read")]
    Row(&'static str),
}

/// A key that signs grants, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct GrantKey {
    /// The name of the key in tokens and key sets.
    pub kid: String,
    /// The private key (RFC 5958).
    pub pkcs8: Vec<u8>,
    /// When it was made.
    pub created: Timestamp,
}

impl fmt::Debug for GrantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kid, pkcs8: _, created } = self;
        f.debug_struct("GrantKey")
            .field("kid", kid)
            .field("created", created)
            .finish_non_exhaustive()
    }
}

/// The state, open. Cheap to clone: clones share the connection.
#[derive(Debug, Clone)]
pub struct State {
    pool: SqlitePool,
}

impl State {
    /// Opens the state that `url` names, `sqlite:PATH`; a new one is made when there is none, and
    /// an older one is brought to the present form. Only the owner can read the file.
    pub async fn open(url: &str) -> Result<Self, StateError> {
        let path = open::path(url)?;
        let pool = open::pool(&path).await?;
        migrate::migrate(&pool).await?;
        Ok(Self { pool })
    }

    /// Closes the connection; without this the database is recovered at the next opening.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The revision of the directory that was saved last; 0 in a new state.
    pub async fn revision(&self) -> Result<Revision, StateError> {
        let row = sqlx::query("select value from meta where name = 'revision'")
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("read"))?;
        let Some(row) = row else { return Ok(Revision::default()) };
        let value: i64 = get(&row, "value")?;
        u64::try_from(value).map(Revision).map_err(|_| StateError::Row("revision"))
    }

    /// Saves that `revision` was reached by a change that is not kept here, such as of a file. A
    /// smaller one than is saved changes nothing: revisions only grow.
    pub async fn save_revision(&self, revision: Revision) -> Result<(), StateError> {
        let mut transaction = self.begin().await?;
        change::put_revision(&mut transaction, revision).await?;
        commit(transaction).await
    }

    /// Saves a change of the directory together with the `revision` that it has made: both or, when
    /// this fails, neither.
    pub async fn save(&self, change: &Change, revision: Revision) -> Result<(), StateError> {
        let mut transaction = self.begin().await?;
        change::put(&mut transaction, change).await?;
        change::put_revision(&mut transaction, revision).await?;
        commit(transaction).await
    }

    /// Every entity with its source.
    pub async fn entities(&self) -> Result<Vec<(Source, EntityRecord)>, StateError> {
        let mut rows = sqlx::query("select source, record from entities").fetch(&self.pool);
        let mut entities = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(failed("read"))? {
            let record: &str = get(&row, "record")?;
            let record = serde_json::from_str(record).map_err(|_| StateError::Row("entity"))?;
            entities.push((source_named(get(&row, "source")?)?, record));
        }
        Ok(entities)
    }

    /// Every standing that is known.
    pub async fn standings(&self) -> Result<Vec<(EntityUid, Standing)>, StateError> {
        let text =
            "select type, id, active, risk, device_compliant, session_revoked from standings";
        let rows = sqlx::query(text).fetch_all(&self.pool).await.map_err(failed("read"))?;
        rows.iter().map(standing_of).collect()
    }

    /// Every key that signs or has signed grants, the oldest first.
    pub async fn grant_keys(&self) -> Result<Vec<GrantKey>, StateError> {
        let rows = sqlx::query("select kid, pkcs8, created from grant_keys order by created, kid")
            .fetch_all(&self.pool)
            .await
            .map_err(failed("read"))?;
        let key = |row: &SqliteRow| {
            let created = Timestamp::from_micros(get(row, "created")?);
            Ok(GrantKey { kid: get(row, "kid")?, pkcs8: get(row, "pkcs8")?, created })
        };
        rows.iter().map(key).collect()
    }

    /// Keeps a new key; a `kid` that is there already is an error.
    pub async fn insert_grant_key(&self, key: &GrantKey) -> Result<(), StateError> {
        let mut transaction = self.begin().await?;
        sqlx::query("insert into grant_keys (kid, pkcs8, created) values ($1, $2, $3)")
            .bind(&key.kid)
            .bind(&key.pkcs8)
            .bind(key.created.as_micros())
            .execute(&mut *transaction)
            .await
            .map_err(failed("change"))?;
        commit(transaction).await
    }

    /// Forgets the key `kid`; whether it was there.
    pub async fn delete_grant_key(&self, kid: &str) -> Result<bool, StateError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query("delete from grant_keys where kid = $1")
            .bind(kid)
            .execute(&mut *transaction)
            .await
            .map_err(failed("change"))?;
        commit(transaction).await?;
        Ok(done.rows_affected() > 0)
    }

    /// What was saved of the tools, prompts and MCP resources of each server.
    pub async fn definitions(&self) -> Result<Vec<(ServerName, Value)>, StateError> {
        let rows = sqlx::query("select server, json from definitions order by server")
            .fetch_all(&self.pool)
            .await
            .map_err(failed("read"))?;
        let definition = |row: &SqliteRow| {
            let unreadable = || StateError::Row("definition");
            let server: String = get(row, "server")?;
            let server = ServerName::try_from(server).map_err(|_| unreadable())?;
            let json = serde_json::from_str(get(row, "json")?).map_err(|_| unreadable())?;
            Ok((server, json))
        };
        rows.iter().map(definition).collect()
    }

    /// Saves what is known of the definitions of `server` in the place of what was known before.
    pub async fn save_definitions(
        &self,
        server: &ServerName,
        definitions: &Value,
    ) -> Result<(), StateError> {
        let mut transaction = self.begin().await?;
        sqlx::query("insert or replace into definitions (server, json) values ($1, $2)")
            .bind(server.as_str())
            .bind(definitions.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed("change"))?;
        commit(transaction).await
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StateError> {
        // at once, for a transaction that is to write later cannot wait for another writer
        self.pool.begin_with("begin immediate").await.map_err(failed("change"))
    }
}

async fn commit(transaction: Transaction<'static, Sqlite>) -> Result<(), StateError> {
    transaction.commit().await.map_err(failed("change"))
}

fn standing_of(row: &SqliteRow) -> Result<(EntityUid, Standing), StateError> {
    let user = EntityUid::new(get::<&str>(row, "type")?, get::<&str>(row, "id")?);
    let risk: Option<&str> = get(row, "risk")?;
    let standing = Standing {
        active: get(row, "active")?,
        risk: risk.map(Arc::from),
        device_compliant: get(row, "device_compliant")?,
        session_revoked: get(row, "session_revoked")?,
    };
    Ok((user, standing))
}

fn source_named(name: &str) -> Result<Source, StateError> {
    match (name, name.strip_prefix("file:")) {
        ("admin", _) => Ok(Source::Admin),
        (_, Some(file)) => Ok(Source::File(file.into())),
        (_, None) => Err(StateError::Row("source")),
    }
}

fn get<'r, T>(row: &'r SqliteRow, column: &'static str) -> Result<T, StateError>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(column).map_err(failed("read"))
}

fn failed(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StateError {
    move |source| StateError::Database { doing, source }
}
