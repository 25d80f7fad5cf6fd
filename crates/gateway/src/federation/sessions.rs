//! Legacy sessions at `/mcp`: each holds a session at every server that its client has used so far.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::request::Parts;
use kenward_mcp::Message;
use kenward_model::{Caller, ServerName, Timestamp};
use tokio::sync::watch;

use crate::clock::{self, NoEntropy};
use crate::gateway::Gateway;
use crate::party::Party;
use crate::pipeline::Known;
use crate::route::only;
use crate::sessions::{Session, Sessions as Behind};
use crate::stop::Stop;

/// The session at one server, or the place for it; whoever opens it holds the lock.
type Cell = Arc<tokio::sync::Mutex<Option<Arc<Session>>>>;

/// One session of all servers.
#[derive(Debug)]
pub(crate) struct Federated {
    pub(super) id: Arc<str>,
    pub(super) version: &'static str,
    party: Party,
    /// The client's `initialize`, with which the sessions behind are opened.
    pub(super) opening: Message,
    cells: Mutex<HashMap<ServerName, Cell>>,
    opened: Mutex<Vec<Arc<Session>>>,
    level: Mutex<Option<Message>>,
    used: AtomicI64,
    ended: watch::Sender<bool>,
}

impl Federated {
    pub(super) fn cell(&self, server: &ServerName) -> Cell {
        Arc::clone(lock(&self.cells).entry(server.clone()).or_default())
    }

    /// Takes in a session behind; false when this one has ended meanwhile.
    pub(super) fn add(&self, behind: &Arc<Session>) -> bool {
        let mut opened = lock(&self.opened);
        opened.retain(|known| !known.is_over());
        opened.push(Arc::clone(behind));
        !*self.ended.borrow()
    }

    /// The sessions behind that live.
    pub(super) fn opened(&self) -> Vec<Arc<Session>> {
        lock(&self.opened).iter().filter(|behind| !behind.is_over()).cloned().collect()
    }

    pub(super) fn set_level(&self, message: Message) {
        *lock(&self.level) = Some(message);
    }

    pub(super) fn level(&self) -> Option<Message> {
        lock(&self.level).clone()
    }

    /// Held by whoever uses the session without asking for it again and again.
    pub(super) fn in_use(&self) -> watch::Receiver<bool> {
        self.ended.subscribe()
    }

    fn end(&self, behind: &Behind) -> Vec<Arc<Session>> {
        // Whoever adds one after this finds that it has ended.
        self.ended.send_replace(true);
        let opened = std::mem::take(&mut *lock(&self.opened));
        for session in &opened {
            behind.end(session);
        }
        opened
    }
}

/// All sessions of this endpoint that live.
#[derive(Debug)]
pub(crate) struct Sessions {
    by_id: RwLock<HashMap<Arc<str>, Arc<Federated>>>,
    per_party: usize,
    idle: Duration,
}

impl Sessions {
    pub(super) fn new(per_party: usize, idle: Duration) -> Self {
        Self { by_id: RwLock::default(), per_party, idle }
    }

    /// Makes a session for `caller`; the party's oldest gives way when it has too many.
    pub(super) fn open(
        &self,
        behind: &Behind,
        caller: &Caller,
        version: &'static str,
        opening: Message,
    ) -> Result<Arc<Federated>, NoEntropy> {
        let id: Arc<str> = URL_SAFE_NO_PAD.encode(clock::entropy::<24>()?).into();
        let session = Arc::new(Federated {
            id: Arc::clone(&id),
            version,
            party: Party::of(caller),
            opening,
            cells: Mutex::default(),
            opened: Mutex::default(),
            level: Mutex::default(),
            used: AtomicI64::new(clock::now().as_micros()),
            ended: watch::Sender::new(false),
        });
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        let theirs = || by_id.values().filter(|known| known.party == session.party);
        if theirs().count() >= self.per_party {
            let oldest = theirs().min_by_key(|known| known.used.load(Ordering::Relaxed));
            if let Some(oldest) = oldest.cloned() {
                by_id.remove(&oldest.id);
                oldest.end(behind);
            }
        }
        by_id.insert(id, Arc::clone(&session));
        Ok(session)
    }

    fn find(&self, id: &str, caller: &Caller, now: Timestamp) -> Option<Arc<Federated>> {
        let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        let session = by_id.get(id).filter(|session| session.party == Party::of(caller))?;
        session.used.store(now.as_micros(), Ordering::Relaxed);
        Some(Arc::clone(session))
    }

    /// Ends `session` and those behind it, which come back so that their servers can be told.
    pub(super) fn end(&self, behind: &Behind, session: &Federated) -> Vec<Arc<Session>> {
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).remove(&session.id);
        session.end(behind)
    }

    /// Ends what has not been used for too long; a session with an open stream is in use.
    pub(crate) fn end_idle(&self, behind: &Behind, now: Timestamp) {
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        by_id.retain(|_, session| {
            let used = Timestamp::from_micros(session.used.load(Ordering::Relaxed));
            let keep = now.since(used) < self.idle || session.ended.receiver_count() > 0;
            if !keep {
                session.end(behind);
            }
            keep
        });
    }
}

/// The session that a request names, if it is this caller's at this endpoint.
pub(super) fn named(
    gateway: &Gateway,
    known: &Known,
    head: &Parts,
    id: Option<&[u8]>,
) -> Result<Arc<Federated>, Stop> {
    let stop = |status| Stop::Session { status, id: id.map(<[u8]>::to_vec) };
    let name = only(&head.headers, "mcp-session-id").map_err(|()| stop(StatusCode::BAD_REQUEST))?;
    let name = name.ok_or_else(|| stop(StatusCode::BAD_REQUEST))?;
    let found = gateway.federation.sessions.find(name, &known.caller, known.time);
    let session = found.ok_or_else(|| stop(StatusCode::NOT_FOUND))?;
    match only(&head.headers, "mcp-protocol-version") {
        Ok(Some(version)) if version != session.version => Err(stop(StatusCode::BAD_REQUEST)),
        Ok(_) => Ok(session),
        Err(()) => Err(stop(StatusCode::BAD_REQUEST)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
