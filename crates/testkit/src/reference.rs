//! A reference MCP server over HTTP that offers everything the official conformance suite asks for.
//!
//! It speaks 2026-07-28 (stateless), 2025-11-25 and earlier (sessions), or both. Each tool is written
//! once, as a function of its arguments and of the answers so far; what drives it decides whether a
//! question becomes an `input_required` result, a request on a stream, or a task that waits.

mod call;
mod headers;
mod http;
mod legacy;
mod methods;
mod modern;
mod prompts;
mod resources;
mod sessions;
mod skills;
mod sse;
mod state;
mod subscriptions;
mod tasks;
#[cfg(test)]
mod tests;
mod tools;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The revision that needs no session.
const MODERN: &str = "2026-07-28";

/// The revisions that begin with `initialize`, newest first.
const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// Which eras a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eras {
    /// Both, on one endpoint.
    Dual,
    /// 2026-07-28 alone: `initialize` is refused with the revisions that are spoken.
    Modern,
    /// 2025-11-25 and earlier alone: a request of 2026-07-28 is a bad request.
    Legacy,
}

impl Eras {
    /// The eras with this name: `dual`, `modern` or `legacy`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "dual" => Some(Self::Dual),
            "modern" => Some(Self::Modern),
            "legacy" => Some(Self::Legacy),
            _ => None,
        }
    }

    /// The revisions that are spoken, newest first.
    fn versions(self) -> Vec<&'static str> {
        match self {
            Self::Dual => [&[MODERN], LEGACY.as_slice()].concat(),
            Self::Modern => vec![MODERN],
            Self::Legacy => LEGACY.to_vec(),
        }
    }
}

/// A reference server; it runs as long as this value lives.
#[derive(Debug)]
pub struct Reference {
    url: String,
    serving: JoinHandle<()>,
}

impl Reference {
    /// Starts a server of these eras on a free port of the loopback address.
    pub async fn start(eras: Eras) -> Self {
        Self::listen(eras, "127.0.0.1:0").await.expect("a port")
    }

    /// Starts a server of these eras at `address`.
    ///
    /// # Errors
    /// When nothing can listen there.
    pub async fn listen(eras: Eras, address: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let url = format!("http://{}/mcp", listener.local_addr()?);
        let serving = tokio::spawn(http::serve(listener, Arc::new(Server::new(eras))));
        Ok(Self { url, serving })
    }

    /// The server's endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the server ends, which it does not by itself.
    pub async fn run(mut self) {
        let _ended = (&mut self.serving).await;
    }

    /// The names of all tools.
    pub fn tools() -> Vec<&'static str> {
        tools::ALL.iter().map(|tool| tool.name).collect()
    }

    /// The names of all prompts.
    pub fn prompts() -> Vec<&'static str> {
        prompts::NAMES.to_vec()
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What all connections share.
#[derive(Debug)]
struct Server {
    eras: Eras,
    seal: state::Seal,
    sessions: sessions::Sessions,
    listeners: subscriptions::Listeners,
    tasks: tasks::Tasks,
}

impl Server {
    fn new(eras: Eras) -> Self {
        Self {
            eras,
            seal: state::Seal::new(),
            sessions: sessions::Sessions::default(),
            listeners: subscriptions::Listeners::default(),
            tasks: tasks::Tasks::default(),
        }
    }

    /// Tells everybody who listens: sessions on their own stream, subscriptions on theirs.
    fn announce(&self, news: &subscriptions::News) {
        self.listeners.announce(news);
        self.sessions.announce(news);
    }
}

/// Who this is.
fn identity() -> Value {
    json!({ "name": "kenward-reference", "version": env!("CARGO_PKG_VERSION") })
}

/// A value that nobody can guess, as hexadecimal digits.
fn unguessable() -> String {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness");
    hexadecimal(&bytes)
}

/// Bytes as hexadecimal digits in lower case.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
