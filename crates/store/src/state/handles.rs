//! Handles and their owners in the state, and the key that makes handles unreadable.

use futures_util::TryStreamExt as _;
use kenward_model::EntityUid;

use super::{State, StateError, commit, failed, get};

/// A handle with one of its owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandleRow {
    /// The keyed hash of the handle.
    pub handle: [u8; 16],
    /// Whose it is.
    pub owner: EntityUid,
    /// Through what that was learnt.
    pub via: String,
}

impl State {
    /// The key of all handles. The first `fresh` one that is offered is kept for good.
    pub async fn history_key(&self, fresh: &[u8; 32]) -> Result<[u8; 32], StateError> {
        let mut transaction = self.begin().await?;
        sqlx::query("insert or ignore into secrets (name, value) values ('handles', $1)")
            .bind(&fresh[..])
            .execute(&mut *transaction)
            .await
            .map_err(failed("change"))?;
        let row = sqlx::query("select value from secrets where name = 'handles'")
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed("read"))?;
        let key = get::<&[u8]>(&row, "value")?.try_into();
        let key = key.map_err(|_| StateError::Row("key of handles"))?;
        commit(transaction).await?;
        Ok(key)
    }

    /// The key of all handles, if there is one yet.
    pub async fn history_key_if_any(&self) -> Result<Option<[u8; 32]>, StateError> {
        let row = sqlx::query("select value from secrets where name = 'handles'")
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("read"))?;
        let Some(row) = row else { return Ok(None) };
        let key = get::<&[u8]>(&row, "value")?.try_into();
        key.map(Some).map_err(|_| StateError::Row("key of handles"))
    }

    /// Every handle with its owners, the oldest first.
    pub async fn handles(&self) -> Result<Vec<HandleRow>, StateError> {
        let text = "select handle, owner_type, owner_id, via from handles order by number";
        let mut rows = sqlx::query(text).fetch(&self.pool);
        let mut handles = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(failed("read"))? {
            let handle = get::<&[u8]>(&row, "handle")?.try_into();
            let owner =
                EntityUid::new(get::<&str>(&row, "owner_type")?, get::<&str>(&row, "owner_id")?);
            handles.push(HandleRow {
                handle: handle.map_err(|_| StateError::Row("handle"))?,
                owner,
                via: get(&row, "via")?,
            });
        }
        Ok(handles)
    }

    /// Adds handles, all or none; those that are there stay as they are. Of more than `most`, the
    /// oldest are forgotten.
    pub async fn save_handles(&self, handles: &[HandleRow], most: usize) -> Result<(), StateError> {
        let rows: Vec<_> = handles
            .iter()
            .map(|row| (hex(&row.handle), &*row.owner.kind, &*row.owner.id, &row.via))
            .collect();
        let json = serde_json::to_string(&rows).map_err(|_| StateError::Row("handle"))?;
        let mut transaction = self.begin().await?;
        let text = "insert or ignore into handles (handle, owner_type, owner_id, via) \
            select unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3 from json_each($1)";
        sqlx::query(text).bind(json).execute(&mut *transaction).await.map_err(failed("change"))?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        sqlx::query("delete from handles where number <= (select max(number) from handles) - $1")
            .bind(most)
            .execute(&mut *transaction)
            .await
            .map_err(failed("change"))?;
        commit(transaction).await
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
