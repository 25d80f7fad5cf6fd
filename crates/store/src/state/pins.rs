//! The definitions of servers as they were approved, and what servers show in their place.

use kenward_model::{ServerName, Timestamp};
use sqlx::sqlite::SqliteRow;

use super::{State, StateError, commit, failed, get};

/// One definition of a server. What form, kind and status mean is said by whoever keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRow {
    /// Whose definition.
    pub server: ServerName,
    /// For which era of MCP.
    pub form: String,
    /// Of what.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: String,
    /// The copy that was approved, with its digest.
    pub approved: Option<(String, [u8; 32])>,
    /// What the server shows in its place, with its digest.
    pub pending: Option<(String, [u8; 32])>,
    /// Why it cannot be approved.
    pub why: Option<String>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When the server last showed something new.
    pub changed: Timestamp,
    /// When it was judged, and by whom.
    pub decided: Option<(Timestamp, String)>,
}

impl State {
    /// Every definition that is kept.
    pub async fn pins(&self) -> Result<Vec<PinRow>, StateError> {
        let rows = sqlx::query("select * from pins order by server, form, kind, name")
            .fetch_all(&self.pool)
            .await
            .map_err(failed("read"))?;
        rows.iter().map(pin_of).collect()
    }

    /// Keeps these definitions in the place of what was kept of each: all of them or none.
    pub async fn save_pins(&self, pins: &[PinRow]) -> Result<(), StateError> {
        let mut transaction = self.begin().await?;
        let text = "insert or replace into pins (server, form, kind, name, status, approved, \
            approved_sha256, pending, pending_sha256, why, first_seen, changed, decided, decided_by) \
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        for pin in pins {
            let approved = pin.approved.as_ref();
            let pending = pin.pending.as_ref();
            sqlx::query(text)
                .bind(pin.server.as_str())
                .bind(&pin.form)
                .bind(&pin.kind)
                .bind(&pin.name)
                .bind(&pin.status)
                .bind(approved.map(|(text, _)| text.as_str()))
                .bind(approved.map(|(_, digest)| digest.as_slice()))
                .bind(pending.map(|(text, _)| text.as_str()))
                .bind(pending.map(|(_, digest)| digest.as_slice()))
                .bind(pin.why.as_deref())
                .bind(pin.first_seen.as_micros())
                .bind(pin.changed.as_micros())
                .bind(pin.decided.as_ref().map(|(at, _)| at.as_micros()))
                .bind(pin.decided.as_ref().map(|(_, by)| by.as_str()))
                .execute(&mut *transaction)
                .await
                .map_err(failed("change"))?;
        }
        commit(transaction).await
    }
}

fn pin_of(row: &SqliteRow) -> Result<PinRow, StateError> {
    let unreadable = || StateError::Row("definition");
    let server: String = get(row, "server")?;
    let decided: Option<i64> = get(row, "decided")?;
    let by: Option<String> = get(row, "decided_by")?;
    Ok(PinRow {
        server: ServerName::try_from(server).map_err(|_| unreadable())?,
        form: get(row, "form")?,
        kind: get(row, "kind")?,
        name: get(row, "name")?,
        status: get(row, "status")?,
        approved: copy(row, "approved", "approved_sha256")?,
        pending: copy(row, "pending", "pending_sha256")?,
        why: get(row, "why")?,
        first_seen: Timestamp::from_micros(get(row, "first_seen")?),
        changed: Timestamp::from_micros(get(row, "changed")?),
        decided: decided.map(Timestamp::from_micros).zip(by),
    })
}

fn copy(
    row: &SqliteRow,
    text: &'static str,
    digest: &'static str,
) -> Result<Option<(String, [u8; 32])>, StateError> {
    let text: Option<String> = get(row, text)?;
    let digest: Option<Vec<u8>> = get(row, digest)?;
    let Some((text, digest)) = text.zip(digest) else { return Ok(None) };
    let digest = digest.try_into().map_err(|_| StateError::Row("definition"))?;
    Ok(Some((text, digest)))
}
