//! The data plane as one value: what every step of the path may reach.

use std::sync::Arc;

use arc_swap::ArcSwap;
use kenward_live::Live;
use kenward_store::segments::Log;

use crate::admission::Admission;
use crate::authority::Issuers;
use crate::bridge::{Bridged, Eras};
use crate::clock::{self, NoEntropy};
use crate::copies::Copies;
use crate::definitions::Definitions;
use crate::federation::Federation;
use crate::grants::GrantKeys;
use crate::lists::Listed;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::stepup::Sealer;
use crate::upstream::Processes;

/// What a gateway is made of.
#[derive(Debug)]
pub struct Parts {
    /// What the configuration says.
    pub settings: Settings,
    /// The directory and the policies in force.
    pub live: Arc<Live>,
    /// Where every decision is recorded.
    pub log: Arc<Log>,
    /// Whose tokens are taken.
    pub issuers: Issuers,
    /// What grants are signed with.
    pub grants: GrantKeys,
}

/// The data plane.
#[derive(Debug)]
pub struct Gateway {
    settings: ArcSwap<Settings>,
    issuers: ArcSwap<Issuers>,
    pub(crate) live: Arc<Live>,
    pub(crate) log: Arc<Log>,
    pub(crate) grants: GrantKeys,
    pub(crate) calls: Admission,
    pub(crate) streams: Admission,
    pub(crate) sessions: Sessions,
    pub(crate) processes: Processes,
    pub(crate) definitions: Definitions,
    pub(crate) listed: Listed,
    pub(crate) copies: Copies,
    pub(crate) sealer: Sealer,
    pub(crate) eras: Eras,
    pub(crate) bridged: Bridged,
    pub(crate) federation: Federation,
}

impl Gateway {
    /// Puts the parts together; nothing listens yet.
    ///
    /// # Errors
    /// The system has no entropy for the keys that live as long as the gateway.
    pub fn new(parts: Parts) -> Result<Self, NoEntropy> {
        let Parts { settings, live, log, issuers, grants } = parts;
        let limits = &settings.limits;
        let bridged = Bridged::new(limits.sessions_per_caller, limits.session_idle)?;
        Ok(Self {
            calls: Admission::new(limits.calls_per_caller),
            streams: Admission::new(limits.streams_per_caller),
            federation: Federation::new(limits.sessions_per_caller, limits.session_idle)?,
            sessions: Sessions::new(limits.sessions_per_caller, limits.session_idle),
            processes: Processes::new(limits.processes),
            definitions: Definitions::default(),
            listed: Listed::default(),
            copies: Copies::default(),
            settings: ArcSwap::from_pointee(settings),
            issuers: ArcSwap::from_pointee(issuers),
            live,
            log,
            grants,
            sealer: Sealer::new()?,
            eras: Eras::default(),
            bridged,
        })
    }

    /// The configuration in force.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// The issuers in force.
    pub fn issuers(&self) -> Arc<Issuers> {
        self.issuers.load_full()
    }

    /// The keys of the grants, to be rotated.
    pub fn grant_keys(&self) -> &GrantKeys {
        &self.grants
    }

    /// Puts another configuration in force; sessions, streams and calls under way go on.
    pub fn reconfigure(&self, settings: Settings, issuers: Issuers) {
        self.settings.store(Arc::new(settings));
        self.issuers.store(Arc::new(issuers));
        self.eras.forget_all();
    }

    /// What is to be done now and then: idle sessions end, old keys are fetched again.
    pub async fn keep_house(&self) {
        let now = clock::now();
        self.federation.sessions.end_idle(&self.sessions, now);
        self.sessions.end_idle(now);
        self.bridged.end_idle(now);
        self.processes.end_idle(self.settings().limits.session_idle);
        for problem in self.issuers().refresh_stale(now).await {
            tracing::warn!(issuer = %problem.issuer, problem = %problem.problem, "keys not refreshed");
        }
    }

    /// Ends sessions and processes; returns when the last process is gone.
    pub async fn close(&self) {
        self.sessions.end_all();
        self.bridged.end_all().await;
        self.processes.end_all().await;
    }
}
