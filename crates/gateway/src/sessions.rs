//! Sessions of the revisions up to 2025-11-25: each belongs to one party on one route.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use kenward_model::{Caller, ServerName, Timestamp};
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use crate::bridge::Modern;
use crate::clock::{self, NoEntropy};
use crate::party::Party;
use crate::upstream::Process;

/// Subscriptions and outstanding requests remembered for one session at most.
const LARGEST: usize = 1_000;

/// The server's side of a session.
#[derive(Debug)]
pub(crate) enum Behind {
    /// A session of Streamable HTTP; nothing when the server gave none.
    Http(Option<HeaderValue>),
    /// A process of the session's own.
    Process(Arc<Process>),
    /// Nothing: the server knows no sessions, and the gateway keeps what one would.
    Modern(Box<Modern>),
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: Arc<str>,
    pub(crate) server: ServerName,
    pub(crate) version: &'static str,
    pub(crate) behind: Behind,
    party: Party,
    /// The requests of the server that policy lets through in this session.
    pub(crate) server_requests: Vec<&'static str>,
    /// Whether the client can put a question of ours to its person.
    pub(crate) can_elicit: bool,
    outstanding: Mutex<HashMap<Vec<u8>, &'static str>>,
    /// Questions of our own that wait for the client's answer, by their raw id.
    questions: Mutex<HashMap<Vec<u8>, oneshot::Sender<Value>>>,
    subscriptions: Mutex<BTreeSet<String>>,
    used: AtomicI64,
    ended: watch::Sender<bool>,
}

/// What a new session is made of.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) server: ServerName,
    pub(crate) version: &'static str,
    pub(crate) behind: Behind,
    pub(crate) server_requests: Vec<&'static str>,
    pub(crate) can_elicit: bool,
}

impl Session {
    /// Whether `caller` on the route of `server` is whom the session was made for.
    fn belongs_to(&self, caller: &Caller, server: &ServerName) -> bool {
        self.server == *server && self.party == Party::of(caller)
    }

    /// Notes that the server asked the client `method` under the raw id `id`; false when it may
    /// not ask more.
    pub(crate) fn asked(&self, id: &[u8], method: &'static str) -> bool {
        let mut outstanding = lock(&self.outstanding);
        let is_free = outstanding.len() < LARGEST && !outstanding.contains_key(id);
        is_free && outstanding.insert(id.to_vec(), method).is_none()
    }

    /// What the client's answer under the raw id `id` was asked for; it is only once.
    pub(crate) fn takes_answer(&self, id: &[u8]) -> Option<&'static str> {
        lock(&self.outstanding).remove(id)
    }

    /// Waits for the client's answer to our own question `id`; nothing when too many wait.
    pub(crate) fn confirm(&self, id: &[u8]) -> Option<oneshot::Receiver<Value>> {
        let mut questions = lock(&self.questions);
        if questions.len() >= LARGEST || questions.contains_key(id) {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        questions.insert(id.to_vec(), sender);
        Some(receiver)
    }

    /// Whether the session has ended.
    pub(crate) fn is_over(&self) -> bool {
        *self.ended.borrow()
    }

    /// Who waits for the answer to our own question `id`; each is answered once.
    pub(crate) fn confirmed(&self, id: &[u8]) -> Option<oneshot::Sender<Value>> {
        lock(&self.questions).remove(id)
    }

    pub(crate) fn subscribe(&self, uri: &str) {
        let mut subscriptions = lock(&self.subscriptions);
        if subscriptions.len() < LARGEST {
            subscriptions.insert(uri.to_owned());
        }
        drop(subscriptions);
        self.follows_others();
    }

    pub(crate) fn unsubscribe(&self, uri: &str) {
        lock(&self.subscriptions).remove(uri);
        self.follows_others();
    }

    /// What the session follows.
    pub(crate) fn followed(&self) -> Vec<String> {
        lock(&self.subscriptions).iter().cloned().collect()
    }

    fn follows_others(&self) {
        if let Behind::Modern(modern) = &self.behind {
            modern.follows_others();
        }
    }

    pub(crate) fn is_subscribed(&self, uri: &str) -> bool {
        lock(&self.subscriptions).contains(uri)
    }

    /// Becomes true when the session ends.
    pub(crate) fn end_signal(&self) -> watch::Receiver<bool> {
        self.ended.subscribe()
    }
}

/// All sessions that live.
#[derive(Debug)]
pub(crate) struct Sessions {
    by_id: RwLock<HashMap<Arc<str>, Arc<Session>>>,
    per_party: usize,
    idle: Duration,
}

impl Sessions {
    pub(crate) fn new(per_party: usize, idle: Duration) -> Self {
        Self { by_id: RwLock::default(), per_party, idle }
    }

    /// Makes a session for `caller`; the party's oldest gives way when it has too many.
    pub(crate) fn open(
        &self,
        caller: &Caller,
        opening: Opening,
        now: Timestamp,
    ) -> Result<Arc<Session>, NoEntropy> {
        let Opening { server, version, behind, server_requests, can_elicit } = opening;
        let id: Arc<str> = URL_SAFE_NO_PAD.encode(clock::entropy::<24>()?).into();
        let session = Arc::new(Session {
            id: Arc::clone(&id),
            server,
            version,
            behind,
            party: Party::of(caller),
            server_requests,
            can_elicit,
            outstanding: Mutex::default(),
            questions: Mutex::default(),
            subscriptions: Mutex::default(),
            used: AtomicI64::new(now.as_micros()),
            ended: watch::Sender::new(false),
        });
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut by_id, &session.party, self.per_party);
        by_id.insert(id, Arc::clone(&session));
        Ok(session)
    }

    /// The session `id`, if it is one that `caller` may use on the route of `server`.
    pub(crate) fn find(
        &self,
        id: &str,
        caller: &Caller,
        server: &ServerName,
        now: Timestamp,
    ) -> Option<Arc<Session>> {
        let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        let session = by_id.get(id).filter(|session| session.belongs_to(caller, server))?;
        session.used.store(now.as_micros(), Ordering::Relaxed);
        Some(Arc::clone(session))
    }

    /// Ends `session`; its streams and its process end with it.
    pub(crate) fn end(&self, session: &Session) {
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        by_id.remove(&session.id);
        end_one(session);
    }

    /// Ends what has not been used for too long; a session with an open stream is in use.
    pub(crate) fn end_idle(&self, now: Timestamp) {
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        by_id.retain(|_, session| {
            let used = Timestamp::from_micros(session.used.load(Ordering::Relaxed));
            let keep = now.since(used) < self.idle || session.ended.receiver_count() > 0;
            if !keep {
                end_one(session);
            }
            keep
        });
    }

    /// Ends all sessions.
    pub(crate) fn end_all(&self) {
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        for session in by_id.drain().map(|(_, session)| session) {
            end_one(&session);
        }
    }
}

fn end_one(session: &Session) {
    session.ended.send_replace(true);
    if let Behind::Process(process) = &session.behind {
        process.end();
    }
}

fn make_room(by_id: &mut HashMap<Arc<str>, Arc<Session>>, party: &Party, most: usize) {
    let theirs = || by_id.values().filter(|session| session.party == *party);
    if theirs().count() < most {
        return;
    }
    let oldest = theirs().min_by_key(|session| session.used.load(Ordering::Relaxed)).cloned();
    if let Some(oldest) = oldest {
        by_id.remove(&oldest.id);
        end_one(&oldest);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
