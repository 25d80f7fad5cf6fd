//! The keys of the grants between runs: loaded, made when there is none, rotated in time.

use kenward_audit::{ChangeOf, Record};
use kenward_gateway::{GrantKeys, clock};
use kenward_identity::grant::GrantKey;
use kenward_model::{Finding, Place};
use kenward_store::segments::Log;
use kenward_store::{GrantKey as StoredKey, State};

/// The keys in the state; the first one is made when there is none.
pub(super) async fn load(state: &State) -> Result<GrantKeys, Vec<Finding>> {
    let problem = |error: String| {
        vec![Finding::error(Place::whole("state"), format!("the keys of the grants: {error}"))]
    };
    let stored = state.grant_keys().await.map_err(|error| problem(error.to_string()))?;
    let mut keys = Vec::new();
    for stored in &stored {
        let key = GrantKey::from_pkcs8(&stored.pkcs8, stored.created);
        keys.push(key.map_err(|error| problem(error.to_string()))?);
    }
    keys.sort_by_key(GrantKey::created);
    let newest = match keys.pop() {
        Some(newest) => newest,
        None => make(state).await.map_err(problem)?,
    };
    Ok(GrantKeys::new(newest, keys))
}

/// Makes a new key when the newest has signed for long enough.
pub(super) async fn rotate(keys: &GrantKeys, state: &State, log: &Log) {
    let now = clock::now();
    if keys.rotation(now).is_none() {
        return;
    }
    match make(state).await {
        Ok(key) => {
            for gone in keys.rotate(key, now) {
                if let Err(error) = state.delete_grant_key(&gone).await {
                    tracing::warn!(%error, "an old key of the grants was not deleted");
                }
            }
            if let Err(error) = log.append(&Record::change(now, ChangeOf::Keys, "rotation")) {
                tracing::error!(%error, "a change of keys could not be recorded");
            }
        }
        Err(error) => tracing::error!(%error, "the keys of the grants could not be rotated"),
    }
}

async fn make(state: &State) -> Result<GrantKey, String> {
    let key = GrantKey::generate(clock::now()).map_err(|error| error.to_string())?;
    let stored = StoredKey {
        kid: key.kid().to_owned(),
        pkcs8: key.pkcs8().to_vec(),
        created: key.created(),
    };
    state.insert_grant_key(&stored).await.map_err(|error| error.to_string())?;
    Ok(key)
}
