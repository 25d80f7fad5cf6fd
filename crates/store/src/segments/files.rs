//! The files of a log: their names, and how they are made so that only their owner reads them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::LogError;

/// The path of segment `number`.
pub(super) fn segment(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("segment-{number:010}.jsonl"))
}

/// The numbers of the segments in `directory`, rising; none when there is no such directory.
pub(super) fn segments(directory: &Path) -> io::Result<Vec<u64>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        if let Some(number) = entry?.file_name().to_str().and_then(number_of) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("segment-")?.strip_suffix(".jsonl")?;
    let number = digits.parse().ok()?;
    (format!("{number:010}") == digits && number > 0).then_some(number)
}

/// The file beside segment `number` in which its `nth` half line is kept.
pub(super) fn half_line(directory: &Path, number: u64, nth: u32) -> PathBuf {
    directory.join(format!("segment-{number:010}.half-line-{nth}"))
}

/// Makes `directory` and what is missing above it, closed to everyone but its owner.
pub(super) fn make_directory(directory: &Path) -> Result<(), LogError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(failed("make", directory))
}

/// Options under which a new file is readable by its owner only.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The directory itself as a file, so that the making of files in it can be synced.
pub(super) fn open_directory(directory: &Path) -> Result<File, LogError> {
    File::open(directory).map_err(failed("open", directory))
}

/// Turns an error of the operating system into one that says what was tried on which path.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    move |source| LogError::Io { doing, path: path.to_owned(), source: Arc::new(source) }
}
