//! The deliveries service of the story: an MCP server on loopback, with invented customers.
//!
//! It is a naive service, as most are: it answers whoever it trusts with whatever they ask for. Whom
//! it trusts is the gateway, by the grant that comes with every call.

mod answers;
mod calls;
mod endpoint;
mod guard;
mod listeners;
mod protocol;
mod sessions;
mod stock;
#[cfg(test)]
mod tests;
mod tools;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;

use crate::DemoError;
use crate::loopback::{self, Listening};

use listeners::Listeners;
use sessions::Sessions;
use stock::Stock;

/// How many calls are remembered.
const MOST_SEEN: usize = 1000;

/// Whose grants are good.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The URL of the gateway's published keys.
    pub jwks: String,
    /// The trust domain: the audience that every grant names.
    pub trust_domain: String,
}

/// A call as the service received it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The user, by the grant; empty when the service takes calls without.
    pub user: String,
    /// The agent, by the grant.
    pub agent: String,
    /// The MCP method.
    pub method: String,
    /// The tool, the prompt or the URI.
    pub target: String,
    /// The arguments, exactly as received; null for none.
    pub arguments: Value,
    /// The grant itself, as received.
    pub token: Option<String>,
    /// The header of the grant, decoded; null without one.
    pub header: Value,
    /// The claims of the grant, verified; null without one.
    pub claims: Value,
}

/// What all handlers share.
#[derive(Debug)]
struct Shared {
    /// This server's own endpoint, which grants name.
    endpoint: String,
    stock: Stock,
    listeners: Listeners,
    sessions: Sessions,
    guard: Option<guard::Keeper>,
    seen: Mutex<VecDeque<Seen>>,
}

/// The running service.
#[derive(Debug)]
pub struct Deliveries {
    /// The MCP endpoint.
    pub url: String,
    shared: Arc<Shared>,
    ticking: Option<JoinHandle<()>>,
    _listening: Listening,
}

impl Deliveries {
    /// Starts on `listen`, a loopback address; port 0 takes a free one.
    ///
    /// With a `guard` every call needs a good grant.
    ///
    /// # Errors
    /// The address is not loopback or in use.
    pub async fn start(listen: SocketAddr, guard: Option<Guard>) -> Result<Self, DemoError> {
        let (listener, bound) = loopback::bind(listen).await?;
        let url = format!("http://{bound}/mcp");
        let shared = Arc::new(Shared {
            endpoint: url.clone(),
            stock: Stock::default(),
            listeners: Listeners::default(),
            sessions: Sessions::default(),
            guard: guard.map(guard::Keeper::new),
            seen: Mutex::default(),
        });
        let listening = loopback::serve(listener, bound, endpoint::router(Arc::clone(&shared)));
        Ok(Self { url, shared, ticking: None, _listening: listening })
    }

    /// Lets the day go on: every depot's `delivery://today/` changes, and who listens is told.
    /// Says how many streams were told.
    pub fn advance(&self) -> usize {
        self.shared.advance()
    }

    /// From now on the day goes on by itself, one [`Self::advance`] each time.
    pub fn keep_going(&mut self, every: Duration) {
        let ticking = tokio::spawn(tick(Arc::clone(&self.shared), every));
        if let Some(before) = self.ticking.replace(ticking) {
            before.abort();
        }
    }

    /// The calls so far, the oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen().iter().cloned().collect()
    }

    /// Every text that would tell where the protected customer lives.
    pub fn secrets(&self) -> Vec<String> {
        self.shared.stock.secrets()
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        if let Some(ticking) = &self.ticking {
            ticking.abort();
        }
    }
}

impl Shared {
    fn advance(&self) -> usize {
        self.stock.advance();
        stock::DEPOTS.iter().map(|depot| self.listeners.updated(&stock::today_uri(depot))).sum()
    }

    fn seen(&self) -> MutexGuard<'_, VecDeque<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, call: Seen) {
        let mut seen = self.seen();
        if seen.len() >= MOST_SEEN {
            seen.pop_front();
        }
        seen.push_back(call);
    }
}

async fn tick(shared: Arc<Shared>, every: Duration) {
    let mut interval = tokio::time::interval(every);
    interval.tick().await;
    loop {
        interval.tick().await;
        shared.advance();
    }
}
