//! Checking a whole log on the disk.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use kenward_audit::{Broken, Checker, Head, LinePlace, Verified, Why};

use super::files;
use super::head::{self, Reading};

/// Checks every line of the log in `directory`, and that it reaches the line that its head file
/// names. The log may be in use.
pub fn verify(directory: &Path) -> Result<Verified, Vec<Broken>> {
    verify_with(directory, &[])
}

/// As [`verify`], and that each of `known` is in the log: heads that were kept elsewhere, out of the
/// reach of whoever can write the directory.
pub fn verify_with(directory: &Path, known: &[Head]) -> Result<Verified, Vec<Broken>> {
    // the head file first: a log that is in use only grows beyond it
    let named = match settled_head(directory) {
        Ok(named) => named,
        Err(error) => return Err(vec![unreadable(THE_LOG, &error)]),
    };
    let numbers = match list(directory) {
        Ok(numbers) => numbers,
        Err(error) => return Err(vec![unreadable(THE_LOG, &error)]),
    };
    let mut anchors = known.to_vec();
    let mut about_head = None;
    match named {
        Reading::Named(named) => {
            anchors.push(named.entry.head);
            about_head = (!named.whole).then_some(Why::HeadAltered);
        }
        Reading::Damaged => about_head = Some(Why::HeadAltered),
        Reading::Absent if numbers.is_empty() => {}
        Reading::Absent => about_head = Some(Why::HeadMissing),
    }
    let mut checker = Checker::new(anchors);
    if let Some(why) = about_head {
        checker.report(THE_LOG, why);
    }
    for number in numbers {
        if let Err(error) = check_segment(&mut checker, directory, number) {
            let Broken { place, why } = unreadable(LinePlace { segment: number, line: 0 }, &error);
            checker.report(place, why);
        }
    }
    checker.finish()
}

/// Reads the head file; one that looks damaged may only have been read while it was written.
fn settled_head(directory: &Path) -> io::Result<Reading> {
    let mut reading = head::read(directory)?;
    for _ in 0..10 {
        match reading {
            Reading::Absent => break,
            Reading::Named(named) if named.whole => break,
            Reading::Named(_) | Reading::Damaged => std::thread::yield_now(),
        }
        reading = head::read(directory)?;
    }
    Ok(reading)
}

fn list(directory: &Path) -> io::Result<Vec<u64>> {
    std::fs::metadata(directory)?; // a log that is not there is no good log
    files::segments(directory)
}

fn check_segment(checker: &mut Checker, directory: &Path, number: u64) -> io::Result<()> {
    checker.segment(number);
    let file = File::open(files::segment(directory, number))?;
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        match line.strip_suffix(b"\n") {
            Some(whole) => checker.line(whole),
            None => checker.half_line(),
        }
        line.clear();
    }
    Ok(())
}

fn unreadable(place: LinePlace, error: &io::Error) -> Broken {
    Broken { place, why: Why::Unreadable(error.to_string()) }
}

const THE_LOG: LinePlace = LinePlace { segment: 0, line: 0 };
