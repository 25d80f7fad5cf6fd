//! A server that is a process: one for each party, its own process group, ended cleanly.

mod process;
mod router;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use kenward_model::{Caller, ServerName};

pub(crate) use process::Process;

use super::UpstreamError;
use crate::party::Party;

/// The processes that serve parties without a session (2026-07-28), and the count of all.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    by_party: Mutex<HashMap<(Party, ServerName), Arc<Process>>>,
    running: process::Running,
}

impl Processes {
    /// Starts a process of its own.
    pub(crate) fn start(
        &self,
        server: &ServerName,
        command: &[String],
        environment: &BTreeMap<String, String>,
    ) -> Result<Arc<Process>, UpstreamError> {
        Process::start(server, command, environment, self.running.clone()).map(Arc::new)
    }

    /// The process that serves the party of `caller`, started when there is none.
    pub(crate) fn of(
        &self,
        caller: &Caller,
        server: &ServerName,
        command: &[String],
        environment: &BTreeMap<String, String>,
    ) -> Result<Arc<Process>, UpstreamError> {
        let mut by_party = self.by_party.lock().unwrap_or_else(PoisonError::into_inner);
        by_party.retain(|_, process| process.lives());
        let key = (Party::of(caller), server.clone());
        if let Some(process) = by_party.get(&key) {
            return Ok(Arc::clone(process));
        }
        let process = self.start(server, command, environment)?;
        by_party.insert(key, Arc::clone(&process));
        Ok(process)
    }

    /// Ends all processes and waits until they are gone.
    pub(crate) async fn end_all(&self) {
        let all: Vec<_> = {
            let mut by_party = self.by_party.lock().unwrap_or_else(PoisonError::into_inner);
            by_party.drain().map(|(_, process)| process).collect()
        };
        for process in &all {
            process.end();
        }
        self.running.gone().await;
    }
}
