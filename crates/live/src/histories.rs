//! The histories of the people who call: one of each in memory, and every one of them on the disk.
//!
//! What happens to a history is applied in memory first, under its lock; [`Histories::keep`] then
//! writes it, together with what others are writing at that time. Nothing that it has returned for
//! is lost, and what the disk misses is what was never acknowledged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use kenward_disclosure::{Entry, HandleKey, Handles, History, Linked, MOST_HANDLES, Shadow};
use kenward_model::{EntityUid, Timestamp};
use kenward_store::{HandleRow, State, StateError};
use tokio::sync::OnceCell;

mod approvals;
mod held;
mod writing;

pub use approvals::{Asked, Verdict};
pub use held::{Held, Locked};
use writing::Writing;

/// The state could not be read or written: what depends on a history is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the state is away")]
pub struct Away;

/// The histories of everybody, and the handles that answers have linked.
#[derive(Debug)]
pub struct Histories {
    people: Mutex<HashMap<EntityUid, Arc<Held>>>,
    /// Whoever reads a history from the disk: one at a time, so nobody's is there twice.
    reading: tokio::sync::Mutex<()>,
    /// Whoever answers an approval.
    answering: tokio::sync::Mutex<()>,
    handles: RwLock<Handles>,
    ready: OnceCell<()>,
    writing: Arc<Writing>,
    state: State,
}

impl Histories {
    /// The histories in `state`; it is read when the first is asked for.
    pub(crate) fn new(state: State) -> Self {
        Self {
            people: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            answering: tokio::sync::Mutex::default(),
            handles: RwLock::new(Handles::new([0; 32])),
            ready: OnceCell::new(),
            writing: Arc::new(Writing::new(state.clone())),
            state,
        }
    }

    /// Reads the handles and claims the histories for this process. The first use does it too;
    /// done at the start, nobody has to wait for it.
    pub async fn load(&self) -> Result<(), Away> {
        self.ready.get_or_try_init(|| self.begin()).await.copied().map_err(away("read"))
    }

    /// The history of `person`: from memory, or from the disk when it was not needed lately.
    pub async fn of(&self, person: &EntityUid) -> Result<Arc<Held>, Away> {
        if let Some(held) = self.cached(person) {
            return Ok(held);
        }
        self.load().await?;
        let _reading = self.reading.lock().await;
        if let Some(held) = self.at_hand(person)? {
            return Ok(held);
        }
        let held = Arc::new(self.read(person).await?);
        self.people().insert(person.clone(), Arc::clone(&held));
        Ok(held)
    }

    /// The history of `person`, if it is in memory; never waits.
    pub fn cached(&self, person: &EntityUid) -> Option<Arc<Held>> {
        if self.writing.is_superseded() {
            return None;
        }
        let held = Arc::clone(self.people().get(person)?);
        held.is_whole().then_some(held)
    }

    /// Makes durable what was applied to the history of `person`: `entries`, and whatever was
    /// applied before them. On an error all of it stays in memory and is written with the next.
    pub async fn keep(&self, person: &EntityUid, entries: &[Entry]) -> Result<(), Away> {
        if entries.is_empty() {
            return Ok(());
        }
        let held = self.cached(person).ok_or(Away)?;
        self.writing.settle(&held).await
    }

    /// Lifts the shadows of `person` that stand at `now` and that `is_meant` picks; what became of
    /// the history.
    pub async fn lift(
        &self,
        person: &EntityUid,
        is_meant: impl Fn(&Shadow) -> bool,
        now: Timestamp,
    ) -> Result<Vec<Entry>, Away> {
        self.admit(person, |history| history.lifting(is_meant, now)).await
    }

    /// The handles that are known, for one decision. Nobody may ask again while holding them.
    pub fn handles(&self) -> RwLockReadGuard<'_, Handles> {
        self.handles.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes links known; those that are new are durable before anybody sees them.
    pub async fn link(&self, links: &[Linked]) -> Result<(), Away> {
        self.load().await?;
        let news = self.news(links);
        if news.is_empty() {
            return Ok(());
        }
        self.state.save_handles(&news, MOST_HANDLES).await.map_err(away("write"))?;
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        for row in news {
            handles.insert(HandleKey(row.handle), row.owner);
        }
        Ok(())
    }

    /// Writes everything that was applied and not kept yet.
    pub async fn flush(&self) -> Result<(), Away> {
        let all: Vec<Arc<Held>> = self.people().values().map(Arc::clone).collect();
        for held in all {
            self.writing.settle(&held).await?;
        }
        Ok(())
    }

    /// Writes everything, then drops from memory whoever was not asked for since the last time.
    ///
    /// To be called every half an hour or so.
    pub async fn tidy(&self) -> Result<(), Away> {
        self.flush().await?;
        self.people().retain(|_, held| {
            // The count is exact: another can only come by through this map, which is locked.
            Arc::strong_count(held) > 1 || held.was_used() || held.is_unsettled()
        });
        Ok(())
    }

    /// Applies and keeps what `make` makes of the history of `person`. When it cannot be kept, what
    /// would have made things easier for the person is taken back.
    async fn admit(
        &self,
        person: &EntityUid,
        make: impl FnOnce(&Locked<'_>) -> Vec<Entry>,
    ) -> Result<Vec<Entry>, Away> {
        let held = self.of(person).await?;
        let (entries, undo) = {
            let mut history = held.lock();
            let entries = make(&history);
            let undo = history.withdrawing(&entries);
            for entry in &entries {
                history.apply(entry);
            }
            (entries, undo)
        };
        let kept = self.keep(person, &entries).await;
        if kept.is_err() {
            let mut history = held.lock();
            for entry in &undo {
                history.apply(entry);
            }
        }
        kept.map(|()| entries)
    }

    async fn begin(&self) -> Result<(), StateError> {
        let mut fresh = [0; 32];
        let random = aws_lc_rs::rand::SystemRandom::new();
        aws_lc_rs::rand::SecureRandom::fill(&random, &mut fresh)
            .map_err(|_| StateError::Row("key of handles"))?;
        let mut handles = Handles::new(self.state.history_key(&fresh).await?);
        for row in self.state.handles().await? {
            handles.insert(HandleKey(row.handle), row.owner);
        }
        self.writing.claim().await?;
        *self.handles.write().unwrap_or_else(PoisonError::into_inner) = handles;
        Ok(())
    }

    /// The history of `person`, if it is in memory and can be used.
    fn at_hand(&self, person: &EntityUid) -> Result<Option<Arc<Held>>, Away> {
        if self.writing.is_superseded() {
            return Err(Away);
        }
        let mut people = self.people();
        let Some(held) = people.get(person) else { return Ok(None) };
        if held.is_whole() {
            return Ok(Some(Arc::clone(held)));
        }
        if Arc::strong_count(held) > 1 {
            return Err(Away);
        }
        people.remove(person);
        Ok(None)
    }

    async fn read(&self, person: &EntityUid) -> Result<Held, Away> {
        let stored = self.state.history(person).await.map_err(away("read"))?;
        let mut history = History::default();
        for line in &stored.lines {
            let entry = serde_json::from_str(line).map_err(|_| StateError::Row("history"));
            history.apply(&entry.map_err(away("read"))?);
        }
        Ok(Held::new(person.clone(), history, stored.last, stored.lines.len()))
    }

    /// What of `links` is not known yet, each once.
    fn news(&self, links: &[Linked]) -> Vec<HandleRow> {
        let handles = self.handles();
        let mut news: Vec<HandleRow> = Vec::new();
        for Linked { handle, owner, via } in links {
            let is_known = handles.owners(*handle).contains(owner);
            if !is_known && !news.iter().any(|row| row.handle == handle.0 && row.owner == *owner) {
                news.push(HandleRow {
                    handle: handle.0,
                    owner: owner.clone(),
                    via: via.as_ref().to_owned(),
                });
            }
        }
        news
    }

    fn people(&self) -> MutexGuard<'_, HashMap<EntityUid, Arc<Held>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says why in the log; whoever is refused for it is not told.
fn away(doing: &'static str) -> impl FnOnce(StateError) -> Away {
    move |error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(%error, cause, "cannot {doing} histories");
        Away
    }
}

/// The time by which what has ended is left out when a history is written anew.
#[expect(clippy::disallowed_methods, reason = "only what is kept longer than needed rests on it")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    Timestamp::from_micros(
        since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
    )
}

#[cfg(test)]
mod tests;
