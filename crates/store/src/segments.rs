//! The audit log on disk: append-only segments of one hash chain, and who may write them.
//!
//! A directory holds `segment-0000000001.jsonl` and so on, the file `head` that names the last line
//! known to be on the disk, and the file `lock` that the writing process holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kenward_audit::Record;
use kenward_audit::chain::{Draft, DraftError};
use kenward_model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod files;
mod head;
mod open;
mod read;
mod recent;
mod shared;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub use kenward_audit::{Broken, Filter, Head, Verified};
pub use read::{Entry, ReadError, Records, read};
pub use recent::{Recent, recent, tail};
pub use verify::{verify, verify_with};

use shared::Shared;

/// When a line is forced onto the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sync {
    /// In groups, within 10 ms of being written: a power failure may cost that much, the end of the
    /// process nothing.
    #[default]
    Group,
    /// Before `append` returns.
    Always,
    /// When the operating system sees fit.
    Os,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// When a line is forced onto the disk.
    pub sync: Sync,
    /// How large a segment grows before the next one is begun, in bytes.
    pub segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { sync: Sync::default(), segment_bytes: 64 * 1024 * 1024 }
    }
}

/// Why the log could not be opened or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The operating system refused.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// Another process has the log open.
    #[error("the audit log in `{}` is being written by another process", .0.display())]
    InUse(PathBuf),
    /// Neither the last line nor the file `head` can be read, so that nothing can follow.
    #[error(
        "the audit log in `{}` cannot be continued: its end and its head file are damaged; keep it \
         as evidence and name another directory",
        .0.display()
    )]
    Damaged(PathBuf),
    /// The record could not be written as JSON.
    #[error(transparent)]
    Record(Arc<DraftError>),
    /// An earlier write failed; nothing more is accepted until the log is opened anew.
    #[error("the audit log failed and takes no more records: {0}")]
    Failed(Arc<str>),
    /// The log was stopped.
    #[error("the audit log is closed")]
    Stopped,
}

/// The proof that a record was written; without it nothing may go on.
#[must_use]
#[derive(Debug)]
pub struct Receipt {
    head: Head,
}

impl Receipt {
    /// Where in the log the record stands: the number of its line, and the hash of it.
    pub fn head(&self) -> Head {
        self.head
    }
}

/// The log of this process, open for appending. Dropping it stops it.
#[derive(Debug)]
pub struct Log {
    shared: Arc<Shared>,
    syncer: Option<std::thread::JoinHandle<()>>,
}

impl Log {
    /// Opens the log in `directory`, which is made when it is not there, and writes the record of
    /// the start. Half a line that a crash has left is set aside in a file of its own.
    pub fn open(
        directory: &Path,
        sync: Sync,
        clock: impl Fn() -> Timestamp + Send + std::marker::Sync + 'static,
    ) -> Result<Self, LogError> {
        Self::open_with(directory, Options { sync, ..Options::default() }, clock)
    }

    /// As [`open`](Self::open), with every option.
    pub fn open_with(
        directory: &Path,
        options: Options,
        clock: impl Fn() -> Timestamp + Send + std::marker::Sync + 'static,
    ) -> Result<Self, LogError> {
        let (shared, start) = open::open(directory, options, Box::new(clock))?;
        let shared = Arc::new(shared);
        let syncer = shared::spawn_syncer(&shared)?;
        let log = Self { shared, syncer };
        let _started: Receipt = log.append(&start)?;
        log.sync()?;
        Ok(log)
    }

    /// Appends `record`. When this returns, the line has been handed to the operating system (and,
    /// with [`Sync::Always`], is on the disk). After any failure every further call fails.
    pub fn append(&self, record: &Record) -> Result<Receipt, LogError> {
        let draft = Draft::new(record).map_err(|error| LogError::Record(Arc::new(error)))?;
        let head = self.shared.append(draft)?;
        Ok(Receipt { head })
    }

    /// Appends a record that nothing waits for, such as the outcome of a decision: it takes its
    /// place in the chain now, and is handed to the operating system with the next record or within
    /// 10 ms. A crash of this process can lose it; the decision that it belongs to is never lost.
    pub fn append_soon(&self, record: &Record) -> Result<(), LogError> {
        let draft = Draft::new(record).map_err(|error| LogError::Record(Arc::new(error)))?;
        self.shared.append_soon(draft)
    }

    /// Forces everything that was appended onto the disk.
    pub fn sync(&self) -> Result<(), LogError> {
        self.shared.sync_through(u64::MAX)
    }

    /// Whether records are still accepted.
    pub fn is_good(&self) -> bool {
        self.shared.is_good()
    }

    /// The last line.
    pub fn head(&self) -> Head {
        self.shared.head()
    }

    /// Writes the record of the end and forces everything onto the disk; nothing is accepted after.
    pub fn stop(&self) -> Result<(), LogError> {
        self.shared.stop()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let stopped = self.stop();
        self.shared.dismiss_syncer();
        // a panic of that thread has made the log fail, so that `stopped` tells of it
        let _ended = self.syncer.take().map(std::thread::JoinHandle::join);
        match stopped {
            Ok(()) | Err(LogError::Stopped) => {}
            Err(error) => tracing::error!(%error, "the audit log was not closed in good order"),
        }
    }
}
