//! Calls that wait for their client to come back with an answer: few for each party, and not long.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kenward_model::{Caller, Timestamp};
use tokio::sync::oneshot;

use super::exchange::Terms;
use crate::party::Party;
use crate::pipeline::Minted;

/// How long a question waits for its answer.
pub(super) const PATIENCE: Duration = Duration::from_mins(5);
/// Questions of one party that wait at once; the oldest gives way.
const MOST: usize = 16;

/// What names one waiting question; unpredictable, and only ever shown sealed.
pub(super) type Ticket = [u8; 16];

/// What waits.
#[derive(Debug)]
pub(super) enum Waiting {
    /// A call that goes on with the answer.
    Call(oneshot::Sender<Resume>),
    /// Nothing: the person visits a page, and then the call is made again.
    Visit,
}

/// What a waiting call goes on with.
#[derive(Debug)]
pub(super) struct Resume {
    pub(super) terms: Terms,
    /// The client's answer, as JSON.
    pub(super) answer: String,
    pub(super) grant: Option<Minted>,
}

/// All that waits.
#[derive(Debug, Default)]
pub(super) struct Parked {
    by_party: Mutex<HashMap<Party, VecDeque<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    ticket: Ticket,
    expires: Timestamp,
    waiting: Waiting,
}

impl Parked {
    /// Lets `waiting` wait under `ticket` until `expires`.
    pub(super) fn enter(
        &self,
        caller: &Caller,
        ticket: Ticket,
        expires: Timestamp,
        waiting: Waiting,
    ) {
        let mut by_party = self.lock();
        let theirs = by_party.entry(Party::of(caller)).or_default();
        if theirs.len() >= MOST {
            theirs.pop_front();
        }
        theirs.push_back(Entry { ticket, expires, waiting });
    }

    /// What waits under `ticket` for the party of `caller`; it is given once.
    pub(super) fn take(&self, caller: &Caller, ticket: &Ticket) -> Option<Waiting> {
        let mut by_party = self.lock();
        let party = Party::of(caller);
        let theirs = by_party.get_mut(&party)?;
        let place = theirs.iter().position(|entry| entry.ticket == *ticket)?;
        let taken = theirs.remove(place).map(|entry| entry.waiting);
        if theirs.is_empty() {
            by_party.remove(&party);
        }
        taken
    }

    /// Forgets what may not be answered any more.
    pub(super) fn forget_old(&self, now: Timestamp) {
        self.lock().retain(|_, theirs| {
            theirs.retain(|entry| entry.expires > now);
            !theirs.is_empty()
        });
    }

    /// Forgets everything: whoever waits gives up.
    pub(super) fn forget_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Party, VecDeque<Entry>>> {
        self.by_party.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
