//! The writing of histories: whoever comes to it first writes for all who wait.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kenward_store::{Claim, Pages, State, StateError};
use tokio::sync::OnceCell;

use super::held::{Held, Taken};
use super::{Away, away, now};

#[derive(Debug)]
pub(super) struct Writing {
    state: State,
    claim: OnceCell<Claim>,
    superseded: AtomicBool,
    queue: Mutex<Vec<Arc<Held>>>,
    /// Whoever writes.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The number of the attempt that was begun last.
    attempts: AtomicU64,
}

impl Writing {
    pub(super) fn new(state: State) -> Self {
        Self {
            state,
            claim: OnceCell::new(),
            superseded: AtomicBool::new(false),
            queue: Mutex::default(),
            turn: Arc::default(),
            attempts: AtomicU64::new(0),
        }
    }

    /// Claims the histories for this process.
    pub(super) async fn claim(&self) -> Result<(), StateError> {
        self.claim.get_or_try_init(|| self.state.claim_histories()).await.map(|_| ())
    }

    /// Whether another process has claimed them since.
    pub(super) fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    /// Returns when everything that was applied to `held` by now is on the disk, or an attempt at
    /// writing it has failed.
    pub(super) async fn settle(self: &Arc<Self>, held: &Arc<Held>) -> Result<(), Away> {
        let Some(number) = held.due() else { return Ok(()) };
        let begun = self.attempts.load(Ordering::Acquire);
        self.enqueue(held);
        let turn = Arc::clone(&self.turn).lock_owned().await;
        if let Some(outcome) = held.outcome(number, begun) {
            return outcome;
        }
        // In a task of its own: a caller who goes away must not break off what others wait for.
        let writing = Arc::clone(self);
        let written = tokio::spawn(async move {
            writing.write().await;
            drop(turn);
        });
        if let Err(error) = written.await {
            tracing::error!(%error, "the writing of histories broke off");
            held.fell_out();
        }
        held.outcome(number, begun).unwrap_or(Err(Away))
    }

    /// How many transactions were begun.
    #[cfg(test)]
    pub(super) fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Acquire)
    }

    fn enqueue(&self, held: &Arc<Held>) {
        if held.enters_queue() {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.push(Arc::clone(held));
        }
    }

    /// Writes what is in the queue in one transaction.
    async fn write(&self) {
        let attempt = self.attempts.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let queue = std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner));
        let now = now();
        let taken: Vec<(Arc<Held>, Taken)> = queue
            .into_iter()
            .filter_map(|held| held.take(now).map(|taken| (held, taken)))
            .collect();
        match self.save(&taken).await {
            Ok(()) => {
                for (held, taken) in &taken {
                    held.written(taken);
                }
            }
            Err(error) => {
                if matches!(error, StateError::Superseded) {
                    self.superseded.store(true, Ordering::Release);
                }
                let Away = away("write")(error);
                for (held, _) in &taken {
                    held.failed(attempt);
                }
            }
        }
    }

    async fn save(&self, taken: &[(Arc<Held>, Taken)]) -> Result<(), StateError> {
        let claim = *self.claim.get().ok_or(StateError::Superseded)?;
        let mut all = Vec::with_capacity(taken.len());
        for (held, Taken { first, entries, whole, .. }) in taken {
            let lines = entries.iter().map(serde_json::to_string).collect::<Result<_, _>>();
            all.push(Pages {
                person: held.person().clone(),
                first: *first,
                lines: lines.map_err(|_| StateError::Row("history"))?,
                whole: *whole,
            });
        }
        self.state.save_histories(claim, &all).await
    }
}
