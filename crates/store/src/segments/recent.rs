//! Reading records, the newest first.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use kenward_audit::Filter;

use super::files;
use super::read::{Entry, Line, ReadError, Records, Sieve, unread};

/// The records of a log that a filter admits, the newest first.
#[derive(Debug)]
pub struct Recent {
    directory: PathBuf,
    sieve: Sieve,
    /// The segments that are still to be read, rising.
    numbers: Vec<u64>,
    segment: Option<Backwards>,
}

/// Reads the records of the log in `directory` that `filter` admits, from the newest back. The log
/// may be in use; what is written meanwhile is not seen.
pub fn recent(directory: &Path, filter: Filter) -> Result<Recent, ReadError> {
    std::fs::metadata(directory).map_err(unread(directory))?;
    let mut numbers = files::segments(directory).map_err(unread(directory))?;
    let segment = match numbers.pop() {
        Some(number) => Some(Backwards::open(directory, number)?),
        None => None,
    };
    let directory = directory.to_owned();
    Ok(Recent { directory, sieve: Sieve::new(filter), numbers, segment })
}

/// The newest `last` records that `filter` admits, oldest first, and an iterator that gives each
/// one that is written from then on: none is left out between the two and none comes twice.
pub fn tail(
    directory: &Path,
    filter: Filter,
    last: usize,
) -> Result<(Vec<Entry>, Records), ReadError> {
    let recent = recent(directory, filter.clone())?;
    let end = recent.segment.as_ref().map_or((0, 0), |segment| (segment.number, segment.end()));
    let following = Records::after(directory, filter, end)?;
    let mut entries = recent.take(last).collect::<Result<Vec<_>, _>>()?;
    entries.reverse();
    Ok((entries, following))
}

impl Iterator for Recent {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match self.line_before() {
                Ok(line) => line?,
                Err(error) => {
                    (self.segment, self.numbers) = (None, Vec::new());
                    return Some(Err(error));
                }
            };
            if let Some(entry) = self.sieve.admit(line) {
                return Some(entry);
            }
        }
    }
}

impl Recent {
    fn line_before(&mut self) -> Result<Option<Line>, ReadError> {
        while let Some(segment) = &mut self.segment {
            let path = files::segment(&self.directory, segment.number);
            if let Some(line) = segment.line_before().map_err(unread(&path))? {
                return Ok(Some(line));
            }
            self.segment = match self.numbers.pop() {
                Some(number) => Some(Backwards::open(&self.directory, number)?),
                None => None,
            };
        }
        Ok(None)
    }
}

/// The whole lines of one segment, from the last to the first.
#[derive(Debug)]
struct Backwards {
    number: u64,
    file: File,
    /// Where in the file `block` begins.
    begin: u64,
    /// What is still to be given, as far as it was read; empty or ending in a newline.
    block: Vec<u8>,
}

impl Backwards {
    fn open(directory: &Path, number: u64) -> Result<Self, ReadError> {
        let path = files::segment(directory, number);
        let open = || {
            let file = File::open(&path)?;
            let begin = file.metadata()?.len();
            let mut segment = Self { number, file, begin, block: Vec::new() };
            segment.drop_half_line()?;
            Ok(segment)
        };
        open().map_err(unread(&path))
    }

    /// Where the last line that is still to be given ends.
    fn end(&self) -> u64 {
        self.begin.saturating_add(u64::try_from(self.block.len()).unwrap_or(u64::MAX))
    }

    fn line_before(&mut self) -> io::Result<Option<Line>> {
        loop {
            if self.block.is_empty() && self.begin == 0 {
                return Ok(None);
            }
            let before_newline = self.block.len().saturating_sub(1);
            let newline = memchr::memrchr(b'\n', self.block.get(..before_newline).unwrap_or(&[]));
            let start = match newline {
                Some(newline) => newline + 1,
                None if self.begin == 0 => 0,
                None => {
                    self.read_block_before()?;
                    continue;
                }
            };
            let mut bytes = self.block.split_off(start);
            bytes.pop();
            return Ok(Some(Line { segment: self.number, offset: self.end(), bytes }));
        }
    }

    fn drop_half_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(newline) = memchr::memrchr(b'\n', &self.block) {
                self.block.truncate(newline + 1);
                return Ok(());
            }
            if self.begin == 0 {
                self.block.clear();
                return Ok(());
            }
            self.read_block_before()?;
        }
    }

    fn read_block_before(&mut self) -> io::Result<()> {
        let begin = self.begin.saturating_sub(BLOCK_BYTES);
        self.file.seek(SeekFrom::Start(begin))?;
        let mut block = Vec::new();
        (&self.file).take(self.begin - begin).read_to_end(&mut block)?;
        block.append(&mut self.block);
        self.begin = begin;
        self.block = block;
        Ok(())
    }
}

/// How much is read at once.
const BLOCK_BYTES: u64 = 64 * 1024;
