//! Reading records, the oldest first, and going on when more have been written.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use kenward_audit::chain::Link;
use kenward_audit::{Filter, Record};
use memchr::memmem::Finder;

use super::files;

/// A record as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of its segment.
    pub segment: u64,
    /// The bytes of its line without the newline: what the chain is made of, and what an export
    /// writes.
    pub line: Vec<u8>,
    /// What the line says.
    pub record: Record,
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A line is no record: it was altered, or a later version wrote it.
    #[error("segment {segment} at byte {offset}: not a record")]
    NotARecord {
        /// The number of the segment.
        segment: u64,
        /// Where the line begins in it.
        offset: u64,
    },
}

/// The records of a log that a filter admits, the oldest first. After `None` the log is exhausted
/// for now: `next` may be called again later and gives what has been written since.
#[derive(Debug)]
pub struct Records {
    lines: Lines,
    sieve: Sieve,
}

/// Reads the records of the log in `directory` that `filter` admits. The log may be in use.
pub fn read(directory: &Path, filter: Filter) -> Result<Records, ReadError> {
    std::fs::metadata(directory).map_err(unread(directory))?;
    let lines = Lines { directory: directory.to_owned(), number: 0, offset: 0, reader: None };
    Ok(Records { lines, sieve: Sieve::new(filter) })
}

impl Records {
    /// The records that follow byte `offset` of segment `number`.
    pub(super) fn after(
        directory: &Path,
        filter: Filter,
        (number, offset): (u64, u64),
    ) -> Result<Self, ReadError> {
        let mut lines = Lines { directory: directory.to_owned(), number, offset, reader: None };
        if number > 0 {
            lines.open(number, offset)?;
        }
        Ok(Self { lines, sieve: Sieve::new(filter) })
    }
}

impl Iterator for Records {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match self.lines.next_line() {
                Ok(line) => line?,
                Err(error) => return Some(Err(error)),
            };
            if let Some(entry) = self.sieve.admit(line) {
                return Some(entry);
            }
        }
    }
}

/// A line, and where it stands.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) segment: u64,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// A filter that first looks for the wanted texts in the bytes, which is far cheaper than parsing.
#[derive(Debug)]
pub(super) struct Sieve {
    filter: Filter,
    texts: Vec<Finder<'static>>,
}

impl Sieve {
    pub(super) fn new(filter: Filter) -> Self {
        let texts = [
            filter.id.as_deref(),
            filter.user.as_deref(),
            filter.agent.as_deref(),
            filter.server.as_ref().map(kenward_model::ServerName::as_str),
            filter.target.as_deref(),
        ];
        let texts = texts
            .into_iter()
            .flatten()
            .filter_map(|text| serde_json::to_vec(text).ok()) // quoted as in the line
            .map(|text| Finder::new(&text).into_owned())
            .collect();
        Self { filter, texts }
    }

    /// The record of `line` when it is wanted, or that the line is none.
    pub(super) fn admit(&self, line: Line) -> Option<Result<Entry, ReadError>> {
        let Line { segment, offset, bytes } = line;
        if self.texts.iter().any(|text| text.find(&bytes).is_none()) {
            return None;
        }
        match serde_json::from_slice::<Record>(&bytes) {
            Ok(record) => {
                self.filter.admits(&record).then_some(Ok(Entry { segment, line: bytes, record }))
            }
            Err(_) if Link::of(&bytes).is_some_and(|link| link.segment.is_some()) => None,
            Err(_) => Some(Err(ReadError::NotARecord { segment, offset })),
        }
    }
}

/// The whole lines of all segments in order.
#[derive(Debug)]
struct Lines {
    directory: PathBuf,
    /// The present segment; 0 before the first.
    number: u64,
    offset: u64,
    reader: Option<BufReader<File>>,
}

impl Lines {
    fn next_line(&mut self) -> Result<Option<Line>, ReadError> {
        loop {
            if let Some(line) = self.line_here()? {
                return Ok(Some(line));
            }
            let Some(next) = self.next_number()? else { return Ok(None) };
            // the next segment exists, so that this one is complete: look once more, then leave it
            if let Some(line) = self.line_here()? {
                return Ok(Some(line));
            }
            self.open(next, 0)?;
        }
    }

    /// The next whole line of the present segment.
    fn line_here(&mut self) -> Result<Option<Line>, ReadError> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let unread =
            |source| ReadError::Io { path: files::segment(&self.directory, self.number), source };
        let mut bytes = Vec::new();
        let read = reader.read_until(b'\n', &mut bytes).map_err(unread)?;
        if bytes.pop_if(|last| *last == b'\n').is_none() {
            // half a line: it may be completed, or set aside and another be written in its place
            if read > 0 {
                reader.seek(SeekFrom::Start(self.offset)).map_err(unread)?;
            }
            return Ok(None);
        }
        let offset = self.offset;
        self.offset = offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(Some(Line { segment: self.number, offset, bytes }))
    }

    fn next_number(&self) -> Result<Option<u64>, ReadError> {
        let numbers = files::segments(&self.directory).map_err(unread(&self.directory))?;
        Ok(numbers.into_iter().find(|number| *number > self.number))
    }

    fn open(&mut self, number: u64, offset: u64) -> Result<(), ReadError> {
        let path = files::segment(&self.directory, number);
        let mut file = File::open(&path).map_err(unread(&path))?;
        file.seek(SeekFrom::Start(offset)).map_err(unread(&path))?;
        self.reader = Some(BufReader::with_capacity(64 * 1024, file));
        self.number = number;
        self.offset = offset;
        Ok(())
    }
}

pub(super) fn unread(path: &Path) -> impl FnOnce(io::Error) -> ReadError {
    move |source| ReadError::Io { path: path.to_owned(), source }
}
