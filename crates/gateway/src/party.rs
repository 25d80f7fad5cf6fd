//! The accountable pair behind a call, whatever token or session it uses.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, LazyLock};

use kenward_model::{Caller, EntityUid};

/// User, agent and the issuer that vouches for both; what sessions and processes belong to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Party {
    issuer: Arc<str>,
    user: EntityUid,
    agent: EntityUid,
}

impl Party {
    pub(crate) fn of(caller: &Caller) -> Self {
        Self {
            issuer: Arc::clone(&caller.issuer),
            user: caller.user.clone(),
            agent: caller.agent.clone(),
        }
    }
}

/// A number for the party of `caller`, the same for the life of this process; for choosing shards
/// and counters without copying names. Keyed, so that nobody can aim for another's.
pub(crate) fn number(caller: &Caller) -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let mut hasher = KEY.build_hasher();
    (&caller.issuer, &caller.user, &caller.agent).hash(&mut hasher);
    std::hash::Hasher::finish(&hasher)
}
