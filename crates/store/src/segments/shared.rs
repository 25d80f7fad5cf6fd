//! What the appending threads and the syncing thread share, and the order of writing and syncing.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use kenward_audit::chain::Draft;
use kenward_audit::{Head, Kind, Record};
use kenward_model::Timestamp;

use super::files::failed;
use super::head::HeadFile;
use super::writer::{State, Writer};
use super::{LogError, Options, Sync};

/// Tells the time; passed in by whoever opens the log.
pub(super) type Clock = Box<dyn Fn() -> Timestamp + Send + std::marker::Sync>;

/// The state of an open log.
///
/// `head_file` is held while the disk works, `writer` for one write and never before `head_file`. So
/// appending waits for the disk only where it is to.
pub(super) struct Shared {
    directory: PathBuf,
    options: Options,
    clock: Clock,
    writer: Mutex<Writer>,
    head_file: Mutex<HeadFile>,
    progress: Mutex<Progress>,
    synced: Condvar,
    /// Set by the first append after a sync, so that the others need not wake the syncer.
    dirty: AtomicBool,
    wanted: Mutex<Wanted>,
    wake: Condvar,
    /// Locked as long as the log is open.
    _lock: File,
}

/// How far the log is on the disk.
#[derive(Debug, Default)]
struct Progress {
    /// The number of the last line that is.
    on_disk: u64,
    /// Whether someone is syncing.
    busy: bool,
}

/// The turn of the one who syncs; ends in whatever way the syncing does.
struct Turn<'s>(&'s Shared);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.progress.lock().unwrap_or_else(PoisonError::into_inner).busy = false;
        self.0.synced.notify_all();
    }
}

#[derive(Debug, Default)]
struct Wanted {
    sync: bool,
    end: bool,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, options, writer, .. } = self;
        let mut text = f.debug_struct("Shared");
        text.field("directory", directory).field("options", options).field("writer", writer);
        text.finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(
        directory: PathBuf,
        options: Options,
        clock: Clock,
        writer: Writer,
        (head_file, lock): (HeadFile, File),
    ) -> Self {
        Self {
            directory,
            options,
            clock,
            writer: Mutex::new(writer),
            head_file: Mutex::new(head_file),
            progress: Mutex::default(),
            synced: Condvar::new(),
            dirty: AtomicBool::new(false),
            wanted: Mutex::default(),
            wake: Condvar::new(),
            _lock: lock,
        }
    }

    pub(super) fn append(&self, draft: Draft) -> Result<Head, LogError> {
        let head = self.writing(|writer| {
            writer.append(draft, self.options.segment_bytes, self.clock.as_ref())
        })?;
        match self.options.sync {
            Sync::Always => self.sync_through(head.sequence)?,
            Sync::Group | Sync::Os => self.wake_syncer(),
        }
        Ok(head)
    }

    /// Seals the line at once; it is written with the next one, or by the syncer.
    pub(super) fn append_soon(&self, draft: Draft) -> Result<(), LogError> {
        match self.options.sync {
            Sync::Always => self.append(draft).map(|_| ()),
            Sync::Group | Sync::Os => {
                self.writing(|writer| {
                    writer.hold(draft, self.options.segment_bytes, self.clock.as_ref())
                })?;
                self.wake_syncer();
                Ok(())
            }
        }
    }

    /// Waits until line `sequence` is on the disk, all lines for the largest number. One of those who
    /// wait syncs for all that have been written until then.
    pub(super) fn sync_through(&self, sequence: u64) -> Result<(), LogError> {
        let progress = self.progress.lock().map_err(panicked)?;
        let mut progress = self
            .synced
            .wait_while(progress, |progress| progress.busy && progress.on_disk < sequence)
            .map_err(panicked)?;
        if progress.on_disk >= sequence {
            return Ok(());
        }
        progress.busy = true;
        drop(progress);
        let _turn = Turn(self);
        let on_disk = self.sync_all().inspect_err(|error| self.fail(error))?;
        self.progress.lock().map_err(panicked)?.on_disk = on_disk;
        Ok(())
    }

    /// Forces everything that was written onto the disk: the number of the last line.
    fn sync_all(&self) -> Result<u64, LogError> {
        let mut head_file = self.head_file.lock().map_err(panicked)?;
        let (end, files) = {
            let mut writer = self.writer.lock().map_err(panicked)?;
            writer.state.check_not_failed()?;
            writer.flush()?;
            (writer.end(), writer.take_unsynced())
        };
        for file in files {
            file.sync_data().map_err(failed("sync", &self.directory))?;
        }
        head_file.write(end)?;
        Ok(end.head.sequence)
    }

    pub(super) fn stop(&self) -> Result<(), LogError> {
        let stop = Record::new(Kind::Stop, (self.clock)());
        let draft = Draft::new(&stop).map_err(|error| LogError::Record(Arc::new(error)))?;
        self.writing(|writer| {
            writer.append(draft, self.options.segment_bytes, self.clock.as_ref())?;
            writer.state = State::Stopped;
            Ok(())
        })?;
        self.sync_through(u64::MAX)
    }

    pub(super) fn is_good(&self) -> bool {
        self.writer.lock().is_ok_and(|writer| matches!(writer.state, State::Good))
    }

    pub(super) fn head(&self) -> Head {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).end().head
    }

    /// Tells the syncing thread to end.
    pub(super) fn dismiss_syncer(&self) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).end = true;
        self.wake.notify_all();
    }

    /// Does something with a writer that is good; when it goes wrong the writer is no longer good.
    fn writing<T>(
        &self,
        change: impl FnOnce(&mut Writer) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let mut writer = self.writer.lock().map_err(panicked)?;
        writer.state.check_good()?;
        let result = change(&mut writer);
        if let Err(error) = &result {
            writer.state = State::Failed(reason(error));
        }
        result
    }

    /// Makes the log fail; the first reason stays.
    fn fail(&self, error: &LogError) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.state.check_not_failed().is_ok() {
            writer.state = State::Failed(reason(error));
        }
    }

    fn wake_syncer(&self) {
        if !self.dirty.swap(true, Ordering::AcqRel) {
            self.wanted.lock().unwrap_or_else(PoisonError::into_inner).sync = true;
            self.wake.notify_one();
        }
    }

    /// Names the last line in the head file without forcing anything onto the disk.
    fn name_head(&self) -> Result<(), LogError> {
        let mut head_file = self.head_file.lock().map_err(panicked)?;
        let end = {
            let mut writer = self.writer.lock().map_err(panicked)?;
            writer.state.check_not_failed()?;
            writer.flush().inspect_err(|error| writer.state = State::Failed(reason(error)))?;
            writer.end()
        };
        head_file.write(end).inspect_err(|error| self.fail(error))
    }

    /// The syncing thread: sleeps while nothing was appended.
    fn sync_until_dismissed(&self) -> Result<(), LogError> {
        loop {
            let wanted = self.wanted.lock().map_err(panicked)?;
            let idle = |wanted: &mut Wanted| !wanted.sync && !wanted.end;
            let wanted = self.wake.wait_while(wanted, idle).map_err(panicked)?;
            let unended = |wanted: &mut Wanted| !wanted.end;
            let (mut wanted, _) =
                self.wake.wait_timeout_while(wanted, GROUP, unended).map_err(panicked)?;
            if wanted.end {
                return Ok(());
            }
            wanted.sync = false;
            drop(wanted);
            self.dirty.store(false, Ordering::Release);
            match self.options.sync {
                Sync::Os => self.name_head()?,
                Sync::Group | Sync::Always => self.sync_through(u64::MAX)?,
            }
        }
    }
}

impl State {
    fn check_good(&self) -> Result<(), LogError> {
        match self {
            Self::Good => Ok(()),
            Self::Stopped => Err(LogError::Stopped),
            Self::Failed(why) => Err(LogError::Failed(Arc::clone(why))),
        }
    }

    fn check_not_failed(&self) -> Result<(), LogError> {
        match self {
            Self::Good | Self::Stopped => Ok(()),
            Self::Failed(why) => Err(LogError::Failed(Arc::clone(why))),
        }
    }
}

/// Starts the thread that syncs, when anything is to be synced behind the appends.
pub(super) fn spawn_syncer(shared: &Arc<Shared>) -> Result<Option<JoinHandle<()>>, LogError> {
    match shared.options.sync {
        Sync::Always => return Ok(None),
        Sync::Group | Sync::Os => {}
    }
    let theirs = Arc::clone(shared);
    std::thread::Builder::new()
        .name("audit-sync".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || {
            let ended = Watched(&theirs).0.sync_until_dismissed();
            if let Err(error) = ended {
                tracing::error!(error = &*reason(&error), "the audit log failed");
            }
        })
        .map(Some)
        .map_err(failed("start the thread that syncs", &shared.directory))
}

/// Makes the log fail when the thread that syncs it panics: unsynced lines must not pile up.
struct Watched<'s>(&'s Shared);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(&panicked(()));
        }
    }
}

/// The error for a lock that a panic has left behind.
fn panicked<T>(_poisoned: T) -> LogError {
    LogError::Failed("a thread that was writing it panicked".into())
}

/// The error and what caused it, in one line.
fn reason(error: &LogError) -> Arc<str> {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}").into(),
        None => error.to_string().into(),
    }
}

/// How long appends are gathered before they are synced together. With the sync itself it stays
/// within the 10 ms that are promised.
const GROUP: Duration = Duration::from_millis(5);

#[cfg(test)]
impl Shared {
    /// Keeps everybody from syncing as long as the guard lives.
    pub(super) fn hold_the_disk(&self) -> std::sync::MutexGuard<'_, HeadFile> {
        self.head_file.lock().unwrap()
    }

    /// Puts another file in the place of the segment: one that fails.
    pub(super) fn replace_file(&self, file: File) {
        self.writer.lock().unwrap().replace_file(file);
    }
}
