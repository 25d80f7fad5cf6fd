//! The past of the person who calls: what is read for a decision, and what a decision adds to it.

use std::sync::Arc;

use kenward_disclosure::{Entry, Handles, History, Linked, Settings};
use kenward_live::{Away, Held, Histories};
use kenward_model::{Caller, DecisionId, EntityUid};
use kenward_policy::Memory;

/// The history of one person, at hand for the length of a message or a stream.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    histories: Arc<Histories>,
    person: EntityUid,
    /// Nothing when the state is away: whoever would need it is refused.
    held: Option<Arc<Held>>,
}

/// Which decision the past is read for, and how strictly it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) decision: DecisionId,
    /// Equal for calls that get the same answer.
    pub(crate) answer: u64,
}

impl Past {
    /// The past of the user: whatever the agent, the session or the client.
    pub(crate) async fn of(histories: &Arc<Histories>, caller: &Caller) -> Self {
        let person = caller.user.clone();
        let held = match histories.cached(&person) {
            Some(held) => Some(held),
            None => histories.of(&person).await.ok(),
        };
        Self { histories: Arc::clone(histories), person, held }
    }

    /// A past that was not read.
    #[cfg(test)]
    pub(crate) fn unread(histories: &Arc<Histories>, caller: &Caller) -> Self {
        Self { histories: Arc::clone(histories), person: caller.user.clone(), held: None }
    }

    /// Lets `look` read the past as it is now.
    pub(crate) fn read<T>(&self, occasion: Occasion<'_>, look: impl FnOnce(Memory<'_>) -> T) -> T {
        self.take(occasion, |memory| (look(memory), Vec::new())).0
    }

    /// Lets `decide` read the past and adds the entries that it returns, in one step: no other
    /// message of the same person is decided in between.
    ///
    /// The entries come back to be kept.
    pub(crate) fn take<T>(
        &self,
        occasion: Occasion<'_>,
        decide: impl FnOnce(Memory<'_>) -> (T, Vec<Entry>),
    ) -> (T, Vec<Entry>) {
        let handles = self.histories.handles();
        let Some(held) = &self.held else {
            let history = History::default();
            let (made, _lost) = decide(memory(occasion, &history, &handles, true));
            return (made, Vec::new());
        };
        let mut history = held.lock();
        let (made, entries) = decide(memory(occasion, &history, &handles, false));
        for entry in &entries {
            history.apply(entry);
        }
        (made, entries)
    }

    /// Makes durable what was added: before anything of the message goes on.
    pub(crate) async fn keep(&self, entries: &[Entry]) -> Result<(), Away> {
        if entries.is_empty() {
            return Ok(());
        }
        self.histories.keep(&self.person, entries).await
    }

    /// Adds entries that need no decision, and keeps them.
    pub(crate) async fn add(&self, entries: &[Entry]) -> Result<(), Away> {
        self.note(entries);
        self.keep(entries).await
    }

    /// Adds entries that need not be kept.
    pub(crate) fn note(&self, entries: &[Entry]) {
        if let Some(held) = &self.held {
            let mut history = held.lock();
            for entry in entries {
                history.apply(entry);
            }
        }
    }

    /// Whether something is reserved for `decision`.
    pub(crate) fn concerns(&self, decision: DecisionId) -> bool {
        self.held.as_ref().is_some_and(|held| held.lock().is_reserved(decision))
    }

    /// Makes handles known that an answer links to their owners.
    pub(crate) async fn link(&self, links: &[Linked]) -> Result<(), Away> {
        if links.is_empty() {
            return Ok(());
        }
        self.histories.link(links).await
    }
}

fn memory<'m>(
    occasion: Occasion<'m>,
    history: &'m History,
    handles: &'m Handles,
    is_away: bool,
) -> Memory<'m> {
    let Occasion { settings, decision, answer } = occasion;
    Memory { history, handles, settings, decision, answer, is_away }
}
