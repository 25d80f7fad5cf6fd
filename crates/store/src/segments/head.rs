//! The file `head`: which line is known to be on the disk, so that a lost tail is noticed.
//!
//! It has two entries of 512 bytes that are written in turn, in place: whenever the machine stops,
//! at least one of them is whole. It is written only after the lines up to the one that it names
//! are on the disk.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use kenward_audit::{Digest, Head};
use serde::{Deserialize, Serialize};

use super::LogError;
use super::files::{failed, private};

/// The file, open for writing.
#[derive(Debug)]
pub(super) struct HeadFile {
    file: File,
    path: PathBuf,
    turn: u64,
}

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    /// The last line that is known to have been written, and its segment.
    pub(super) entry: Entry,
    /// Whether both entries can be read.
    pub(super) whole: bool,
}

/// A line that is known to have been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The segment that it is in.
    pub(super) segment: u64,
    /// Its number and hash.
    #[serde(flatten)]
    pub(super) head: Head,
}

/// What reading the file may come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// There is none, or an empty one.
    Absent,
    /// No entry of it can be read.
    Damaged,
    /// It names a line.
    Named(Named),
}

impl HeadFile {
    /// Opens the file in `directory`, making it when it is not there.
    pub(super) fn open(directory: &Path) -> Result<Self, LogError> {
        let path = path(directory);
        let file = private()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed("open", &path))?;
        Ok(Self { file, path, turn: 0 })
    }

    /// Names `entry`: the first time in both places, whatever stood there, then in turn.
    pub(super) fn write(&mut self, entry: Entry) -> Result<(), LogError> {
        let first = self.turn == 0;
        self.try_write(entry).map_err(failed("write", &self.path))?;
        if first {
            self.try_write(entry).map_err(failed("write", &self.path))?;
        }
        Ok(())
    }

    fn try_write(&mut self, entry: Entry) -> io::Result<()> {
        let bytes = sealed(entry)?;
        self.file.seek(SeekFrom::Start((self.turn % 2) * ENTRY_BYTES_U64))?;
        self.file.write_all(&bytes)?;
        self.turn = self.turn.saturating_add(1);
        Ok(())
    }
}

/// Reads the file in `directory`.
pub(super) fn read(directory: &Path) -> io::Result<Reading> {
    let mut bytes = Vec::new();
    match File::open(path(directory)) {
        Ok(file) => file.take(2 * ENTRY_BYTES_U64).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Reading::Absent),
        Err(error) => return Err(error),
    };
    if bytes.is_empty() {
        return Ok(Reading::Absent);
    }
    let entries: Vec<Entry> = bytes.chunks(ENTRY_BYTES).filter_map(unsealed).collect();
    let newest = entries.iter().max_by_key(|entry| entry.head.sequence);
    Ok(newest.map_or(Reading::Damaged, |entry| {
        Reading::Named(Named { entry: *entry, whole: entries.len() == 2 })
    }))
}

/// The path of the file.
pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("head")
}

/// An entry with a check value, so that half an entry is no entry.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    #[serde(flatten)]
    entry: Entry,
    check: Digest,
}

fn sealed(entry: Entry) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(&Sealed { entry, check: check(entry) })?;
    bytes.resize(ENTRY_BYTES - 1, b' ');
    bytes.push(b'\n');
    Ok(bytes)
}

fn unsealed(bytes: &[u8]) -> Option<Entry> {
    let Sealed { entry, check: found } = serde_json::from_slice(bytes).ok()?;
    (found == check(entry) && bytes == sealed(entry).ok()?).then_some(entry)
}

fn check(Entry { segment, head }: Entry) -> Digest {
    Digest::of(format!("{segment} {} {}", head.sequence, head.hash).as_bytes())
}

/// A disk's sector: written whole or not at all.
const ENTRY_BYTES: usize = 512;
const ENTRY_BYTES_U64: u64 = 512;
