//! Opening a log: taking the lock, finding its end, and mending what a crash has left.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use kenward_audit::chain::Link;
use kenward_audit::{Digest, Head, Kind, Record};

use super::files::{self, failed, private};
use super::head::{self, Entry, HeadFile, Reading};
use super::shared::{Clock, Shared};
use super::writer::Writer;
use super::{LogError, Options};

/// Opens the log and says in the record of its start what had to be mended.
pub(super) fn open(
    directory: &Path,
    options: Options,
    clock: Clock,
) -> Result<(Shared, Record), LogError> {
    files::make_directory(directory)?;
    let lock = lock(directory)?;
    let mut notes = Vec::new();
    let end = end(directory, &mut notes)?;
    let named = head::read(directory).map_err(failed("read", &head::path(directory)))?;
    let place = place(directory, end, named, &mut notes)?;
    let mut head_file = HeadFile::open(directory)?;
    if named == Reading::Absent {
        // before the first line, so that a head file is missing only when someone took it away
        head_file.write(Entry { segment: place.number, head: place.head })?;
    }
    let now = clock();
    let mut start = Record::new(Kind::Start, now);
    if !notes.is_empty() {
        let note = notes.join("; ");
        tracing::warn!(directory = %directory.display(), note, "the audit log was mended");
        start.note = Some(note.into());
    }
    let owned = directory.to_owned();
    let writer = if place.begin {
        Writer::begin(owned, place.number, place.head, now)?
    } else {
        Writer::resume(owned, place.number, place.head)?
    };
    let files = (head_file, lock);
    Ok((Shared::new(directory.to_owned(), options, clock, writer, files), start))
}

/// Only one process may write a log.
fn lock(directory: &Path) -> Result<File, LogError> {
    let path = directory.join("lock");
    let file = private()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}

/// How the segments end.
#[derive(Debug, Clone, Copy)]
enum End {
    /// There are none.
    Nothing,
    /// In a line; `empty` is a segment after it that has no line.
    Line { number: u64, head: Head, empty: Option<u64> },
    /// In something that is no line.
    Unreadable { number: u64 },
}

/// Where writing goes on.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: u64,
    head: Head,
    /// Whether the segment has to be begun.
    begin: bool,
}

/// Finds the end of the segments, with half a line set aside.
fn end(directory: &Path, notes: &mut Vec<String>) -> Result<End, LogError> {
    let mut numbers = files::segments(directory).map_err(failed("list", directory))?;
    let Some(last) = numbers.pop() else { return Ok(End::Nothing) };
    let end = end_of_segment(directory, last, notes)?;
    if let Some(end) = end {
        return Ok(end);
    }
    // the crash came between making the segment and writing its header
    let Some(number) = numbers.pop() else {
        return Ok(End::Line { number: 0, head: Head::START, empty: Some(last) });
    };
    Ok(match end_of_segment(directory, number, notes)? {
        Some(End::Line { number, head, .. }) => End::Line { number, head, empty: Some(last) },
        Some(End::Nothing | End::Unreadable { .. }) | None => End::Unreadable { number: last },
    })
}

/// Finds the end of one segment; nothing when it has no line at all.
fn end_of_segment(
    directory: &Path,
    number: u64,
    notes: &mut Vec<String>,
) -> Result<Option<End>, LogError> {
    let path = files::segment(directory, number);
    let mut file = private().read(true).write(true).open(&path).map_err(failed("open", &path))?;
    let LastLine { line, half } = last_line(&mut file).map_err(failed("read", &path))?;
    if !half.is_empty() {
        let aside = set_aside(directory, number, &file, &half)?;
        notes.push(format!("half a line of {} bytes was set aside in `{aside}`", half.len()));
    }
    Ok(line.map(|line| match Link::of(&line) {
        Some(link) => {
            let head = Head { sequence: link.sequence, hash: Digest::of(&line) };
            End::Line { number, head, empty: None }
        }
        None => End::Unreadable { number },
    }))
}

/// The last whole line of a file without its newline, and what follows it.
struct LastLine {
    line: Option<Vec<u8>>,
    half: Vec<u8>,
}

fn last_line(file: &mut File) -> io::Result<LastLine> {
    let length = file.metadata()?.len();
    let mut span = 64 * 1024;
    loop {
        let begin = length.saturating_sub(span);
        file.seek(SeekFrom::Start(begin))?;
        let mut bytes = Vec::new();
        file.take(length - begin).read_to_end(&mut bytes)?;
        let newline = memchr::memrchr(b'\n', &bytes);
        let before = newline.and_then(|at| memchr::memrchr(b'\n', bytes.get(..at)?));
        match (newline, before) {
            (Some(newline), before) if before.is_some() || begin == 0 => {
                let half = bytes.split_off(newline + 1);
                bytes.pop();
                let line = bytes.split_off(before.map_or(0, |before| before + 1));
                return Ok(LastLine { line: Some(line), half });
            }
            (None, _) if begin == 0 => return Ok(LastLine { line: None, half: bytes }),
            (Some(_) | None, _) => span = span.saturating_mul(4),
        }
    }
}

/// Moves half a line, left by a crash in the middle of a write, into a file beside the segment.
fn set_aside(directory: &Path, number: u64, file: &File, half: &[u8]) -> Result<String, LogError> {
    let (aside, mut target) = (1..)
        .map(|nth| files::half_line(directory, number, nth))
        .find_map(|path| match private().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
            result => Some(result.map(|file| (path.clone(), file)).map_err(failed("make", &path))),
        })
        .unwrap_or_else(|| Err(LogError::Damaged(directory.to_owned())))?;
    target.write_all(half).and_then(|()| target.sync_all()).map_err(failed("write", &aside))?;
    files::open_directory(directory)?.sync_all().map_err(failed("sync", directory))?;
    let path = files::segment(directory, number);
    let half_bytes = u64::try_from(half.len()).unwrap_or(u64::MAX);
    file.metadata()
        .and_then(|is| file.set_len(is.len().saturating_sub(half_bytes)))
        .and_then(|()| file.sync_all())
        .map_err(failed("shorten", &path))?;
    Ok(aside.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// Decides where writing goes on. Lines that the head file names and that are gone leave a gap in
/// the chain, so that every later check finds it: a new segment follows the line that is named.
fn place(
    directory: &Path,
    end: End,
    named: Reading,
    notes: &mut Vec<String>,
) -> Result<Place, LogError> {
    let damaged = || LogError::Damaged(directory.to_owned());
    let entry = match named {
        Reading::Named(named) => {
            if !named.whole {
                notes.push("one of the two entries of the head file was damaged".to_owned());
            }
            Some(named.entry)
        }
        Reading::Damaged => {
            notes.push("the head file was damaged".to_owned());
            None
        }
        Reading::Absent => None,
    };
    match (end, entry) {
        (End::Nothing, None) if named == Reading::Absent => {
            Ok(Place { number: 1, head: Head::START, begin: true })
        }
        (End::Nothing | End::Unreadable { .. }, None) => Err(damaged()),
        (End::Nothing, Some(entry)) if entry.head == Head::START => {
            Ok(Place { number: 1, head: Head::START, begin: true })
        }
        (End::Nothing, Some(entry)) => Ok(after_gap(0, Head::START, entry, notes)),
        (End::Unreadable { number }, Some(entry)) => {
            notes.push(format!("the last line of segment {number} was damaged"));
            let number = number.max(entry.segment).saturating_add(1);
            Ok(Place { number, head: entry.head, begin: true })
        }
        (End::Line { number, head, empty }, Some(entry))
            if entry.head.sequence > head.sequence
                || (entry.head.sequence == head.sequence && entry.head.hash != head.hash) =>
        {
            Ok(after_gap(empty.unwrap_or(number), head, entry, notes))
        }
        (End::Line { number, head, empty }, _) => {
            if named == Reading::Absent {
                notes.push("the head file was missing".to_owned());
            }
            let number = empty.unwrap_or(number);
            Ok(Place { number, head, begin: empty.is_some() })
        }
    }
}

fn after_gap(number: u64, last: Head, entry: Entry, notes: &mut Vec<String>) -> Place {
    notes.push(if entry.head.sequence == last.sequence {
        format!("record {} was altered", last.sequence)
    } else {
        format!("records {} to {} are missing", last.sequence + 1, entry.head.sequence)
    });
    let number = number.max(entry.segment).saturating_add(1);
    Place { number, head: entry.head, begin: true }
}
