//! The system as its users see it: the real binary, real sockets, one file for each promise.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::string_slice,
    clippy::excessive_nesting,
    reason = "a test fails by panicking, waits in real time, and loops over eras and cases"
)]

mod administration;
mod agreement;
mod audience;
mod audit;
mod authentication;
mod bad_input;
mod bridge_legacy_client;
mod bridge_modern_client;
mod bridge_rounds;
mod changes;
mod coverage;
mod definitions;
mod diff;
mod disclosure;
mod documents;
mod envelope;
mod failures;
mod federation;
mod grants;
mod headers;
mod limits;
mod lists;
mod memory;
mod news;
mod objects;
mod prove;
mod scopes;
mod server_requests;
mod sessions;
mod smuggling;
mod stdio;
mod stories;
mod streams;
mod two_servers;
mod untouched;

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use kenward_testkit::{Deployment, Era, Gateway, Issuer, Mcp, Upstream};
use serde_json::Value;

/// The binary under test.
pub(crate) const KENWARD: &str = env!("CARGO_BIN_EXE_kenward");

/// How long nothing must happen before we believe that nothing will.
pub(crate) const QUIET: Duration = Duration::from_millis(700);

/// How long something may take that has to happen.
pub(crate) const SOON: Duration = Duration::from_secs(5);

/// The deliveries of the story: an issuer, a server and the gateway between them.
pub(crate) struct Story {
    pub(crate) issuer: Issuer,
    pub(crate) upstream: Upstream,
    pub(crate) gateway: Gateway,
}

impl Story {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with a deployment that is `changed` from the usual one.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Deployment)) -> Self {
        let issuer = Issuer::start().await;
        let upstream = Upstream::start().await;
        let mut deployment = Deployment::deliveries(&issuer, &upstream);
        change(&mut deployment);
        let gateway = Gateway::start(KENWARD, deployment).await;
        Self { issuer, upstream, gateway }
    }

    /// `user` at the deliveries.
    pub(crate) async fn connect(&self, user: &str, era: Era) -> Mcp {
        self.gateway.connect(&self.issuer, user, "deliveries", era).await
    }

    /// A good token of `user` for the deliveries.
    pub(crate) fn token(&self, user: &str) -> String {
        self.gateway.token(&self.issuer, user, "deliveries")
    }

    /// The audience of the deliveries.
    pub(crate) fn audience(&self) -> String {
        self.gateway.deployment().audience("deliveries")
    }

    /// A client with this token, or none, that has said nothing yet.
    pub(crate) fn client(&self, token: Option<&str>, era: Era) -> Mcp {
        Mcp::new(&self.gateway.url(), "/mcp/deliveries", token, era)
    }

    /// The records of the audit log.
    pub(crate) async fn records(&self) -> Vec<Value> {
        self.gateway.records(KENWARD).await
    }

    /// The records of decisions with this verdict on this target.
    pub(crate) async fn decisions(&self, target: &str, verdict: &str) -> Vec<Value> {
        let records = self.records().await;
        let wanted = |record: &Value| record["target"] == target && record["verdict"] == verdict;
        records.into_iter().filter(wanted).collect()
    }
}

/// Waits until `holds`; false when it does not within five seconds.
pub(crate) async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) -> bool {
    let deadline = std::time::Instant::now() + SOON;
    while std::time::Instant::now() < deadline {
        if holds().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// Runs all futures at once on this task, and gives their values in order.
pub(crate) async fn together<F: Future + Unpin>(futures: Vec<F>) -> Vec<F::Output> {
    let mut all: Vec<(F, Option<F::Output>)> =
        futures.into_iter().map(|future| (future, None)).collect();
    std::future::poll_fn(|cx| {
        for (future, value) in all.iter_mut().filter(|(_, value)| value.is_none()) {
            if let Poll::Ready(ready) = Pin::new(future).poll(cx) {
                *value = Some(ready);
            }
        }
        if all.iter().all(|(_, value)| value.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    all.into_iter().filter_map(|(_, value)| value).collect()
}
