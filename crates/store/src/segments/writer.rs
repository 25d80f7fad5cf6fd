//! The segment that is being written: sealing lines into it and going on to the next one.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use kenward_audit::Head;
use kenward_audit::chain::{self, Draft};
use kenward_model::Timestamp;

use super::LogError;
use super::files::{self, failed, private};
use super::head::Entry;

/// The end of the log.
#[derive(Debug)]
pub(super) struct Writer {
    directory: PathBuf,
    directory_file: Arc<File>,
    file: Arc<File>,
    number: u64,
    length: u64,
    head: Head,
    /// The last line that the operating system has.
    written: Head,
    /// Sealed lines that go to the operating system with the next one that may not wait.
    held: Vec<u8>,
    /// What has to be synced beside the present segment: segments before it, the directory.
    unsynced: Vec<Arc<File>>,
    pub(super) state: State,
}

/// Whether the log takes records.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// It does.
    Good,
    /// It was stopped.
    Stopped,
    /// Something failed, so that nothing more may be promised.
    Failed(Arc<str>),
}

impl Writer {
    /// Goes on after `head`, which is the end of segment `number`.
    pub(super) fn resume(directory: PathBuf, number: u64, head: Head) -> Result<Self, LogError> {
        let path = files::segment(&directory, number);
        let file = private().append(true).open(&path).map_err(failed("open", &path))?;
        let length = file.metadata().map_err(failed("open", &path))?.len();
        let mut writer = Self::at(directory, number, head, file)?;
        writer.length = length;
        Ok(writer)
    }

    /// Begins segment `number` after `head`.
    pub(super) fn begin(
        directory: PathBuf,
        number: u64,
        head: Head,
        now: Timestamp,
    ) -> Result<Self, LogError> {
        let file = create(&directory, number)?;
        let mut writer = Self::at(directory, number, head, file)?;
        writer.unsynced.push(Arc::clone(&writer.directory_file));
        writer.write_header(now)?;
        Ok(writer)
    }

    /// A writer of an empty `file` whose lines go on after `head`.
    fn at(directory: PathBuf, number: u64, head: Head, file: File) -> Result<Self, LogError> {
        Ok(Self {
            directory_file: Arc::new(files::open_directory(&directory)?),
            directory,
            file: Arc::new(file),
            number,
            length: 0,
            head,
            written: head,
            held: Vec::new(),
            unsynced: Vec::new(),
            state: State::Good,
        })
    }

    /// Seals the line of `draft`, in a new segment when the present one has `segment_bytes`, and
    /// keeps it for the next [`flush`](Self::flush).
    pub(super) fn hold(
        &mut self,
        draft: Draft,
        segment_bytes: u64,
        clock: &dyn Fn() -> Timestamp,
    ) -> Result<Head, LogError> {
        if self.length >= segment_bytes {
            self.next_segment(clock())?;
        }
        let (line, head) = draft.seal(&self.head);
        self.held.extend_from_slice(&line);
        self.length = self.length.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        self.head = head;
        if self.held.len() >= MOST_HELD {
            self.flush()?;
        }
        Ok(head)
    }

    /// Writes the line of `draft` and everything that was held before it.
    pub(super) fn append(
        &mut self,
        draft: Draft,
        segment_bytes: u64,
        clock: &dyn Fn() -> Timestamp,
    ) -> Result<Head, LogError> {
        let head = self.hold(draft, segment_bytes, clock)?;
        self.flush()?;
        Ok(head)
    }

    /// Hands what was held to the operating system.
    pub(super) fn flush(&mut self) -> Result<(), LogError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let written = (&*self.file).write_all(&self.held);
        self.held.clear();
        match written {
            Ok(()) => {
                self.written = self.head;
                Ok(())
            }
            Err(error) => {
                // What was not written is not counted.
                self.head = self.written;
                Err(failed("write", &files::segment(&self.directory, self.number))(error))
            }
        }
    }

    /// The last line.
    pub(super) fn end(&self) -> Entry {
        Entry { segment: self.number, head: self.head }
    }

    /// Everything that has to be synced for the log to be on the disk as far as [`end`](Self::end).
    pub(super) fn take_unsynced(&mut self) -> Vec<Arc<File>> {
        let mut files = std::mem::take(&mut self.unsynced);
        files.push(Arc::clone(&self.file));
        files
    }

    fn next_segment(&mut self, now: Timestamp) -> Result<(), LogError> {
        self.flush()?;
        let number = self.number.saturating_add(1);
        let next = Arc::new(create(&self.directory, number)?);
        let full = std::mem::replace(&mut self.file, next);
        self.unsynced.extend([full, Arc::clone(&self.directory_file)]);
        self.number = number;
        self.length = 0;
        self.write_header(now)
    }

    fn write_header(&mut self, now: Timestamp) -> Result<(), LogError> {
        let (line, head) = chain::header(self.number, now, &self.head)
            .map_err(|error| LogError::Record(Arc::new(error)))?;
        self.held.extend_from_slice(&line);
        self.head = head;
        self.length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        self.flush()
    }
}

/// How many bytes of lines are held at most.
const MOST_HELD: usize = 64 << 10;

#[cfg(test)]
impl Writer {
    /// Puts another file in the place of the segment.
    pub(super) fn replace_file(&mut self, file: File) {
        self.file = Arc::new(file);
    }
}

/// A new segment; an empty file, left by a crash at the same point, will do.
fn create(directory: &std::path::Path, number: u64) -> Result<File, LogError> {
    let path = files::segment(directory, number);
    let file = private().append(true).create(true).open(&path).map_err(failed("make", &path))?;
    if file.metadata().map_err(failed("make", &path))?.len() > 0 {
        let there = io::Error::from(io::ErrorKind::AlreadyExists);
        return Err(failed("make", &path)(there));
    }
    Ok(file)
}
