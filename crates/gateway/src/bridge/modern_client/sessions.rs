//! All sessions that the gateway owns: found by party, server and capabilities, and bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kenward_model::{ServerName, Timestamp};

use super::declared::Declared;
use super::open;
use super::parked::Parked;
use super::seal::Seal;
use super::session::ServerSession;
use crate::clock::{self, NoEntropy};
use crate::gateway::Gateway;
use crate::party::Party;
use crate::pipeline::Call;
use crate::upstream::UpstreamError;

/// How long servers may take to hear that the gateway ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// One place for a session; it is opened by whoever comes first while the others wait.
type Turn = Arc<tokio::sync::Mutex<Option<Arc<ServerSession>>>>;

/// What the gateway holds for modern clients of legacy servers.
#[derive(Debug)]
pub(crate) struct Bridged {
    by_party: Mutex<HashMap<Party, Vec<Place>>>,
    per_party: usize,
    idle: Duration,
    pub(super) parked: Parked,
    pub(super) seal: Seal,
}

#[derive(Debug)]
struct Place {
    server: ServerName,
    declared: Declared,
    used: Timestamp,
    turn: Turn,
}

impl Place {
    /// Whether nobody but this list holds the session, and nobody is opening it.
    fn is_free(&self) -> bool {
        let opened = self.turn.try_lock();
        opened.is_ok_and(|session| session.as_ref().is_none_or(|held| Arc::strong_count(held) == 1))
            && Arc::strong_count(&self.turn) == 1
    }
}

impl Bridged {
    pub(crate) fn new(per_party: usize, idle: Duration) -> Result<Self, NoEntropy> {
        Ok(Self {
            by_party: Mutex::default(),
            per_party,
            idle,
            parked: Parked::default(),
            seal: Seal::new()?,
        })
    }

    /// The session for `call`, opened when there is none that is good.
    pub(super) async fn session(
        &self,
        gateway: &Arc<Gateway>,
        call: &Call,
        declared: Declared,
    ) -> Result<Arc<ServerSession>, UpstreamError> {
        let turn = self.turn(call, declared);
        let mut place = turn.lock().await;
        if let Some(session) = place.as_ref().filter(|session| session.serves(call)) {
            return Ok(Arc::clone(session));
        }
        // An old one ends when the last of its calls has ended.
        *place = None;
        let session = Arc::new(open::open(gateway, call, declared).await?);
        *place = Some(Arc::clone(&session));
        Ok(session)
    }

    fn turn(&self, call: &Call, declared: Declared) -> Turn {
        let (now, server) = (clock::now(), &call.entry.server);
        let mut by_party = self.lock();
        let places = by_party.entry(Party::of(&call.entry.caller)).or_default();
        let is_it = |place: &&mut Place| place.declared == declared && place.server == *server;
        if let Some(place) = places.iter_mut().find(is_it) {
            place.used = now;
            return Arc::clone(&place.turn);
        }
        if places.len() >= self.per_party {
            make_room(places);
        }
        let turn = Turn::default();
        let server = server.clone();
        places.push(Place { server, declared, used: now, turn: Arc::clone(&turn) });
        turn
    }

    /// Ends what has not been used for too long, and forgets questions that nobody may answer any
    /// more.
    pub(crate) fn end_idle(&self, now: Timestamp) {
        self.parked.forget_old(now);
        self.lock().retain(|_, places| {
            places.retain(|place| now.since(place.used) < self.idle || !place.is_free());
            !places.is_empty()
        });
    }

    /// Ends all sessions.
    pub(crate) async fn end_all(&self) {
        self.parked.forget_all();
        let all: Vec<Place> = self.lock().drain().flat_map(|(_, places)| places).collect();
        let ending = all.into_iter().map(|place| async move {
            let session = place.turn.lock().await.take();
            if let Some(session) = session {
                session.end().await;
            }
        });
        let all = futures_util::future::join_all(ending);
        if tokio::time::timeout(FAREWELL, all).await.is_err() {
            tracing::debug!("some servers did not take the end of their sessions in time");
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Party, Vec<Place>>> {
        self.by_party.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place that was used longest ago gives way; one that nobody uses now before any other.
fn make_room(places: &mut Vec<Place>) {
    let order = |place: &Place| (!place.is_free(), place.used);
    let oldest = (0..places.len()).min_by_key(|at| places.get(*at).map(order));
    if let Some(oldest) = oldest {
        drop(places.swap_remove(oldest));
    }
}
