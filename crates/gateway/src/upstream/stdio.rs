//! A server that is a process: one for each party, its own process group, ended cleanly.

mod backoff;
mod lines;
mod process;
mod router;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kenward_model::{Caller, ServerName};
use tokio::time::Instant;

pub(crate) use lines::Lines;
pub(crate) use process::{Process, Program};

use super::UpstreamError;
use crate::party::Party;
use backoff::Backoff;

/// The processes that serve parties without a session (2026-07-28), and the count of all.
#[derive(Debug)]
pub(crate) struct Processes {
    by_party: Mutex<HashMap<(Party, ServerName), Arc<Process>>>,
    running: process::Running,
    most: usize,
    /// Who had a process that died, so that a loop of deaths costs others nothing.
    deaths: Arc<Backoff<(Party, ServerName)>>,
}

impl Processes {
    /// None yet, and never more than `most`.
    pub(crate) fn new(most: usize) -> Self {
        let (by_party, running) = (Mutex::default(), process::Running::default());
        Self { by_party, running, most, deaths: Arc::default() }
    }

    /// Starts a process of its own for `caller`.
    pub(crate) fn start(
        &self,
        caller: &Caller,
        program: &Program<'_>,
    ) -> Result<Arc<Process>, UpstreamError> {
        let key = (Party::of(caller), program.server.clone());
        let server = program.server;
        if !self.deaths.may_start(&key, Instant::now()) {
            tracing::warn!(%server, "a server's process dies again and again; it has to wait");
            return Err(UpstreamError::Unreachable);
        }
        if self.running.count() >= self.most {
            tracing::warn!(%server, "as many processes run as may");
            return Err(UpstreamError::Unreachable);
        }
        let deaths = Arc::clone(&self.deaths);
        let on_death = Box::new(move |started| deaths.died(key, started, Instant::now()));
        Process::start(program, self.running.clone(), on_death).map(Arc::new)
    }

    /// The process that serves the party of `caller`, started when there is none.
    pub(crate) fn of(
        &self,
        caller: &Caller,
        program: &Program<'_>,
    ) -> Result<Arc<Process>, UpstreamError> {
        let mut by_party = self.lock();
        by_party.retain(|_, process| process.lives());
        let key = (Party::of(caller), program.server.clone());
        if let Some(process) = by_party.get(&key) {
            return Ok(Arc::clone(process));
        }
        let process = self.start(caller, program)?;
        by_party.insert(key, Arc::clone(&process));
        Ok(process)
    }

    /// Ends those of which nothing was asked for so long.
    pub(crate) fn end_idle(&self, idle: Duration) {
        self.lock().retain(|_, process| {
            let keep = process.lives() && !process.is_idle(idle);
            if !keep {
                process.end();
            }
            keep
        });
    }

    /// Ends all processes and waits until they are gone.
    pub(crate) async fn end_all(&self) {
        let all: Vec<_> = self.lock().drain().map(|(_, process)| process).collect();
        for process in &all {
            process.end();
        }
        self.running.gone().await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Party, ServerName), Arc<Process>>> {
        self.by_party.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
