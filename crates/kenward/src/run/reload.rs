//! Files that change while the gateway runs: what is good comes into force, what is broken does not.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kenward_audit::{ChangeOf, Record};
use kenward_gateway::{Gateway, Issuers, clock};
use kenward_live::{ChangeRefused, Live, file_change};
use kenward_model::{Finding, Revision, Timestamp};
use kenward_store::segments::Log;
use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::config::{self, Loaded};

/// How long files must be quiet before they are read: editors write in several steps.
const QUIET: Duration = Duration::from_millis(120);

/// What a reload works on.
#[derive(Debug)]
pub(super) struct Reload {
    pub(super) path: PathBuf,
    /// The directory files in force, by name.
    pub(super) files: Vec<String>,
    pub(super) live: Arc<Live>,
    pub(super) gateway: Arc<Gateway>,
    pub(super) log: Arc<Log>,
}

/// Reloads whenever one of the `watched` files or folders changes, or on SIGHUP.
///
/// They were read from `read` on, before anything watched them: what changed since is read again.
pub(super) async fn watch(mut reload: Reload, mut watched: Vec<PathBuf>, read: Timestamp) {
    let (sender, mut news) = mpsc::channel(1);
    let mut watching = watcher(&watched, sender.clone());
    let hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
    let Ok(mut hangup) = hangup else { return };
    if changed_since(&watched, read) {
        // Full means that a reload is due anyway.
        let _due = sender.try_send(());
    }
    loop {
        tokio::select! {
            told = news.recv() => if told.is_none() { return },
            _told = hangup.recv() => {}
        }
        while tokio::time::timeout(QUIET, news.recv()).await.is_ok_and(|more| more.is_some()) {}
        let read = clock::now();
        // What the configuration names may have changed with it.
        if let Some(named) = reload.run().await
            && named != watched
        {
            let next = watcher(&named, sender.clone());
            drop(std::mem::replace(&mut watching, next));
            watched = named;
            if changed_since(&watched, read) {
                let _due = sender.try_send(());
            }
        }
    }
}

/// Whether one of `paths`, or something in a folder among them, was written or put there since
/// `time`.
fn changed_since(paths: &[PathBuf], time: Timestamp) -> bool {
    paths.iter().any(|path| {
        let Ok(found) = path.metadata() else { return false };
        let (seconds, nanoseconds) = (found.ctime(), found.ctime_nsec());
        let changed = seconds.saturating_mul(1_000_000).saturating_add(nanoseconds / 1_000);
        // The file system's clock is a little behind the system's.
        changed + SLACK >= time.as_micros()
            || (found.is_dir() && changed_since(&inside(path), time))
    })
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect()
}

/// How far the times of files may be behind, in microseconds: one tick of the kernel's clock.
const SLACK: i64 = 10_000;

/// Watches the folders that hold the files: editors and Kubernetes replace files rather than write
/// into them.
fn watcher(watched: &[PathBuf], news: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
    let names: Vec<PathBuf> = watched.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let (folders, files): (Vec<_>, Vec<_>) = names.iter().partition(|path| path.is_dir());
    let mut watched: BTreeMap<PathBuf, RecursiveMode> =
        files.into_iter().map(|path| (parent(path), RecursiveMode::NonRecursive)).collect();
    watched.extend(folders.into_iter().map(|path| (path.clone(), RecursiveMode::Recursive)));
    let told = move |event: notify::Result<notify::Event>| {
        let concerns = event.is_ok_and(|event| !event.kind.is_access() && concerns(&event, &names));
        if concerns {
            // Full means that a reload is due anyway.
            let _due = news.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(told)
        .map_err(|error| tracing::error!(%error, "files are not watched; send SIGHUP to reload"))
        .ok()?;
    for (folder, mode) in watched {
        if let Err(error) = watcher.watch(&folder, mode) {
            tracing::error!(%error, folder = %folder.display(), "a folder is not watched");
        }
    }
    Some(watcher)
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or_else(|| Path::new(".")).to_path_buf()
}

/// Whether an event is about one of `names`, about something in a watched folder, or about a link
/// that such a name may go through.
fn concerns(event: &notify::Event, names: &[PathBuf]) -> bool {
    event.paths.iter().any(|path| {
        names.iter().any(|name| path.starts_with(name))
            || path.file_name().is_some_and(|file| file == "..data")
    })
}

impl Reload {
    /// The files and folders to watch from now on, when the configuration was taken.
    async fn run(&mut self) -> Option<Vec<PathBuf>> {
        let path = self.path.clone();
        let loading = tokio::task::spawn_blocking(move || {
            config::load(&path, Some(&config::environment), &|_| Ok(config::Definitions::new()))
        });
        match loading.await {
            Ok(Ok(loaded)) => {
                let watched = loaded.watched.clone();
                self.adopt(loaded).await;
                return Some(watched);
            }
            Ok(Err(findings)) => report(&findings),
            Err(error) => tracing::error!(%error, "the configuration could not be read"),
        }
        None
    }

    async fn adopt(&mut self, loaded: Loaded) {
        let Loaded { config, directory, desk, .. } = loaded;
        let before = self.live.snapshot();
        match self.live.adopt(desk).await {
            Ok(_) => {}
            Err(ChangeRefused::Policies(findings)) => return report(&findings),
            Err(error) => return tracing::error!(%error, "policies not changed"),
        }
        if let Err(error) = self.adopt_directory(directory).await {
            tracing::error!(%error, "the directory is not changed; what was in force stays");
        }
        let base = parent(&self.path);
        let issuers = Issuers::new(config.issuers, &base, config.settings.limits.leeway);
        issuers.inherit(&self.gateway.issuers());
        for problem in issuers.refresh_stale(clock::now()).await {
            tracing::warn!("{problem}");
        }
        self.gateway.reconfigure(config.settings, issuers);
        self.note(&before);
    }

    /// Each file says all that it has to say; a file that is not named any more says nothing.
    async fn adopt_directory(
        &mut self,
        directory: Vec<(String, Vec<kenward_world::EntityRecord>)>,
    ) -> Result<(), ChangeRefused> {
        let names: Vec<String> = directory.iter().map(|(name, _)| name.clone()).collect();
        let gone: Vec<String> =
            self.files.iter().filter(|name| !names.contains(name)).cloned().collect();
        for name in gone {
            self.live.change(&file_change(&name, Vec::new())).await?;
        }
        for (name, records) in directory {
            self.live.change(&file_change(&name, records)).await?;
        }
        self.files = names;
        Ok(())
    }

    fn note(&self, before: &kenward_live::InForce) {
        let now = self.live.snapshot();
        let time = clock::now();
        let mut records = Vec::new();
        if before.policies.epoch() != now.policies.epoch() {
            let epoch = Some(Arc::clone(now.policies.epoch()));
            let record = Record::change(time, ChangeOf::Policy, "file");
            records.push(Record { policy_epoch: epoch, ..record });
        }
        let revision: Revision = now.world.revision();
        if before.world.revision() != revision {
            let record = Record::change(time, ChangeOf::Directory, "file");
            records.push(Record { revision: Some(revision), ..record });
        }
        tracing::info!(%revision, epoch = %now.policies.epoch(), "files reloaded");
        for record in records {
            if let Err(error) = self.log.append(&record) {
                tracing::error!(%error, "a change could not be recorded");
            }
        }
    }
}

/// A broken file changes nothing and says so.
fn report(findings: &[Finding]) {
    tracing::error!("the changed files are not taken: what was in force stays");
    for finding in findings.iter().filter(|finding| finding.is_error()) {
        tracing::error!("{finding}");
    }
}
