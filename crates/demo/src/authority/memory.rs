//! What the authorization server remembers: clients, logins under way, codes and refresh tokens.
//!
//! In memory alone and bounded: whatever is oldest goes first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kenward_model::Timestamp;

use super::clients::Client;

/// The most entries of each kind.
const MOST: usize = 2000;
/// How long a login may take.
const LOGIN: Duration = Duration::from_mins(10);
/// How long a code is good (RFC 6749 section 4.1.2 recommends ten minutes at most).
const CODE: Duration = Duration::from_mins(1);
/// How long a refresh token is good.
const REFRESH: Duration = Duration::from_hours(8);

/// What was asked for and, once there is a person, granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) client: String,
    /// Empty until somebody has logged in.
    pub(super) person: String,
    pub(super) resource: String,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) logged_in: Timestamp,
}

/// A login under way.
#[derive(Debug, Clone)]
pub(super) struct Login {
    /// Binds the login to the browser that began it.
    pub(super) cookie: String,
    pub(super) client_name: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) challenge: String,
    pub(super) granted: Granted,
}

/// A code that was handed out.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) granted: Granted,
    /// All tokens that come of this login.
    pub(super) family: String,
}

/// A refresh token that was handed out.
#[derive(Debug, Clone)]
pub(super) struct Refresh {
    pub(super) granted: Granted,
    pub(super) family: String,
}

/// What became of something that can be used once.
#[derive(Debug)]
pub(super) enum Once<T> {
    /// This is the first use.
    Fresh(T),
    /// It has been used before, or is unknown or too old.
    Gone,
}

/// Everything that is remembered.
#[derive(Debug, Default)]
pub(super) struct Memory {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    clients: VecDeque<Client>,
    scripts: Vec<Client>,
    logins: VecDeque<Entry<Login>>,
    codes: VecDeque<Entry<Code>>,
    refreshes: VecDeque<Entry<Refresh>>,
    /// Families of which a code or refresh token was used twice.
    revoked: VecDeque<String>,
}

#[derive(Debug)]
struct Entry<T> {
    key: String,
    until: Timestamp,
    used: bool,
    value: T,
}

impl Memory {
    pub(super) fn add_client(&self, client: Client) {
        push(&mut self.lock().clients, client);
    }

    /// The client with this id, if there is or can be one.
    pub(super) fn client(&self, id: &str) -> Option<Client> {
        let kept = self.lock();
        let known = kept.scripts.iter().chain(&kept.clients).find(|client| client.id == id);
        known.cloned().or_else(|| Client::from_url(id))
    }

    /// The secret of the script `id`; `fresh` is that script if it is not known yet.
    pub(super) fn script_secret(&self, id: &str, fresh: Client) -> Option<String> {
        let mut kept = self.lock();
        if kept.clients.iter().any(|client| client.id == id) {
            return None;
        }
        if let Some(known) = kept.scripts.iter().find(|client| client.id == id) {
            return known.secret.clone();
        }
        let secret = fresh.secret.clone();
        kept.scripts.push(fresh);
        secret
    }

    pub(super) fn add_login(&self, key: String, login: Login, now: Timestamp) {
        push(&mut self.lock().logins, Entry::new(key, login, now.plus(LOGIN)));
    }

    /// The login `key`, if the browser that shows `cookie` began it.
    pub(super) fn login(&self, key: &str, cookie: &str, now: Timestamp) -> Option<Login> {
        let kept = self.lock();
        let entry = kept.logins.iter().find(|entry| entry.key == key && now < entry.until)?;
        (entry.value.cookie == cookie).then(|| entry.value.clone())
    }

    /// Says who has logged in; nothing when somebody has already.
    pub(super) fn set_person(&self, key: &str, person: &str, now: Timestamp) -> Option<()> {
        let mut kept = self.lock();
        let entry = kept.logins.iter_mut().find(|entry| entry.key == key)?;
        let granted = &mut entry.value.granted;
        granted.person.is_empty().then(|| {
            person.clone_into(&mut granted.person);
            granted.logged_in = now;
        })
    }

    /// Ends the login; whoever ends it decides it, and nobody else can.
    pub(super) fn end_login(&self, key: &str) -> Once<Login> {
        let mut kept = self.lock();
        let at = kept.logins.iter().position(|entry| entry.key == key);
        match at.and_then(|at| kept.logins.remove(at)) {
            Some(entry) => Once::Fresh(entry.value),
            None => Once::Gone,
        }
    }

    pub(super) fn add_code(&self, key: String, code: Code, now: Timestamp) {
        push(&mut self.lock().codes, Entry::new(key, code, now.plus(CODE)));
    }

    /// Uses a code. A second use revokes what the first one gave (OAuth 2.1 section 4.1.3).
    pub(super) fn use_code(&self, key: &str, now: Timestamp) -> Once<Code> {
        let mut kept = self.lock();
        let Kept { codes, revoked, .. } = &mut *kept;
        spend(codes, key, now, |code| push(revoked, code.family.clone()))
    }

    pub(super) fn add_refresh(&self, key: String, refresh: Refresh, now: Timestamp) {
        push(&mut self.lock().refreshes, Entry::new(key, refresh, now.plus(REFRESH)));
    }

    /// Uses a refresh token. A second use revokes the family: one of the users is a thief
    /// (OAuth 2.1 section 4.3.1).
    pub(super) fn use_refresh(&self, key: &str, now: Timestamp) -> Once<Refresh> {
        let mut kept = self.lock();
        let Kept { refreshes, revoked, .. } = &mut *kept;
        match spend(refreshes, key, now, |used| push(revoked, used.family.clone())) {
            Once::Fresh(refresh) if !revoked.contains(&refresh.family) => Once::Fresh(refresh),
            Once::Fresh(_) | Once::Gone => Once::Gone,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Entry<T> {
    fn new(key: String, value: T, until: Timestamp) -> Self {
        Self { key, until, used: false, value }
    }
}

fn spend<T: Clone>(
    entries: &mut VecDeque<Entry<T>>,
    key: &str,
    now: Timestamp,
    again: impl FnOnce(&T),
) -> Once<T> {
    let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) else {
        return Once::Gone;
    };
    if entry.used {
        again(&entry.value);
        return Once::Gone;
    }
    entry.used = true;
    if now < entry.until { Once::Fresh(entry.value.clone()) } else { Once::Gone }
}

fn push<T>(entries: &mut VecDeque<T>, entry: T) {
    if entries.len() >= MOST {
        entries.pop_front();
    }
    entries.push_back(entry);
}
