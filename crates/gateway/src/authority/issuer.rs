//! One issuer: its keys, where they come from, and when to look again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use kenward_identity::metadata::{discovery_urls, parse_server_metadata};
use kenward_identity::{IssuerSpec, KeySet};
use kenward_model::Timestamp;
use tokio::sync::Mutex;

use super::{IssuerProblem, get};
use crate::upstream::Client;

/// How old keys from a URL may grow before they are fetched again.
const FRESH: Duration = Duration::from_mins(5);
/// How old keys from a file may grow before the file is read again.
const FRESH_FILE: Duration = Duration::from_secs(2);
/// The least time between two looks for an unknown key: a flood of unknown keys costs one fetch.
const PAUSE: Duration = Duration::from_secs(3);

/// An issuer with its keys as last seen.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) spec: IssuerSpec,
    source: KeySource,
    keys: ArcSwapOption<KeySet>,
    looked: Mutex<Timestamp>,
    fresh_until: std::sync::atomic::AtomicI64,
    client: Client,
}

#[derive(Debug)]
enum KeySource {
    File(PathBuf),
    Url(String),
    Discovered,
}

impl Issuer {
    pub(super) fn new(spec: IssuerSpec, base: &Path, client: Client) -> Self {
        let source = match spec.jwks.as_deref() {
            None => KeySource::Discovered,
            Some(place) => match place.strip_prefix("file:") {
                Some(path) => KeySource::File(base.join(path)),
                None => KeySource::Url(place.to_owned()),
            },
        };
        Self {
            spec,
            source,
            keys: ArcSwapOption::empty(),
            looked: Mutex::new(Timestamp::from_micros(0)),
            fresh_until: std::sync::atomic::AtomicI64::new(0),
            client,
        }
    }

    pub(super) fn keys(&self) -> Option<Arc<KeySet>> {
        self.keys.load_full()
    }

    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        now.as_micros() > self.fresh_until.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Takes over the keys of `before`, which is the same issuer.
    pub(super) fn inherit(&self, before: &Self) {
        self.keys.store(before.keys());
        let until = before.fresh_until.load(std::sync::atomic::Ordering::Relaxed);
        self.fresh_until.store(until, std::sync::atomic::Ordering::Relaxed);
    }

    /// Fetches the keys now; the old ones stay when that fails. Never at a caller's wish.
    pub(super) async fn refresh(&self, now: Timestamp) -> Result<(), IssuerProblem> {
        self.fetch(now).await
    }

    /// Looks for newer keys unless that was just done; concurrent callers share one look.
    pub(super) async fn newer_keys(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let mut looked = self.looked.lock().await;
        if now.since(*looked) >= self.pause() {
            *looked = now;
            if let Err(problem) = self.fetch(now).await {
                tracing::warn!(issuer = %problem.issuer, problem = %problem.problem, "keys not refreshed");
            }
        }
        self.keys()
    }

    fn pause(&self) -> Duration {
        match self.source {
            KeySource::File(_) => Duration::from_millis(500),
            KeySource::Url(_) | KeySource::Discovered => PAUSE,
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<(), IssuerProblem> {
        let problem = |problem: String| IssuerProblem { issuer: self.spec.issuer.clone(), problem };
        let (body, fresh) = match &self.source {
            KeySource::File(path) => (read(path).await.map_err(problem)?, FRESH_FILE),
            KeySource::Url(url) => (get(&self.client, url).await.map_err(problem)?, FRESH),
            KeySource::Discovered => (self.discover().await.map_err(problem)?, FRESH),
        };
        let keys = KeySet::parse(&body).map_err(|error| problem(error.to_string()))?;
        for (kid, problem) in keys.problems() {
            let issuer = &self.spec.issuer;
            tracing::warn!(%issuer, kid, %problem, "a key is not used");
        }
        self.keys.store(Some(Arc::new(keys)));
        let until = now.plus(fresh).as_micros();
        self.fresh_until.store(until, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    /// The key set that the issuer's own metadata names (RFC 8414 section 3, `OpenID` discovery).
    async fn discover(&self) -> Result<Vec<u8>, String> {
        let mut last = "the issuer is no URL that can be trusted; it must be https".to_owned();
        for url in discovery_urls(&self.spec.issuer) {
            match get(&self.client, &url).await {
                Ok(body) => {
                    let metadata = parse_server_metadata(&self.spec.issuer, &body)
                        .map_err(|error| format!("{url}: {error}"))?;
                    return get(&self.client, &metadata.jwks_uri).await;
                }
                Err(problem) => last = problem,
            }
        }
        Err(last)
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, String> {
    tokio::fs::read(path).await.map_err(|error| format!("`{}`: {error}", path.display()))
}
