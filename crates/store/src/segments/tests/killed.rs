//! A process that appends is killed: what it was told is written is there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use super::super::head::HeadFile;
use super::*;

fn spawn(directory: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "segments::tests::killed::child_that_appends",
            "--ignored",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", directory.display()).unwrap();
    child
}

#[test]
fn nothing_that_was_acknowledged_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::new();
    for after in [1, 7, 60, 400, 1_000] {
        let mut child = spawn(directory.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut written = lines.filter_map(|line| {
            let (sequence, target) = line.strip_prefix("written ")?.split_once(' ')?;
            Some((sequence.parse::<u64>().unwrap(), target.to_owned()))
        });
        acknowledged.extend(written.by_ref().take(after));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        acknowledged.extend(written);
        verify(directory.path()).unwrap();
        drop(open_small(directory.path()));
        verify(directory.path()).unwrap();

        let entries = read(directory.path(), Filter::default()).unwrap().map(Result::unwrap);
        let there: BTreeMap<u64, String> = entries
            .filter_map(|entry| {
                Some((entry.record.sequence?, entry.record.target?.as_ref().to_owned()))
            })
            .collect();
        for (sequence, target) in &acknowledged {
            assert_eq!(there.get(sequence), Some(target), "acknowledged and lost");
        }
    }
    assert!(acknowledged.len() >= 1_468);
}

#[test]
#[ignore = "run and killed by nothing_that_was_acknowledged_is_lost alone"]
fn child_that_appends() {
    let mut directory = String::new();
    std::io::stdin().read_line(&mut directory).unwrap();
    let options = Options { sync: Sync::Group, segment_bytes: 30_000 };
    let log = Log::open_with(Path::new(directory.trim_end()), options, clock()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let log = &log;
            scope.spawn(move || append_and_say(log, thread * 1_000_000));
        }
    });
}

fn append_and_say(log: &Log, from: u32) {
    for number in from..from + 100_000 {
        let receipt = log.append(&decision(number)).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nwritten {} tool-{number}", receipt.head().sequence).unwrap();
        out.flush().unwrap();
    }
}

/// A log of one segment that was closed, and the bytes of the segment.
fn closed() -> (tempfile::TempDir, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    append(&log, 0, 5);
    drop(log);
    let text = fs::read(files::segment(directory.path(), 1)).unwrap();
    (directory, text)
}

#[test]
fn half_a_line_is_set_aside_and_said() {
    let (directory, mut text) = closed();
    let half = br#"{"kind":"decision","id":"01"#;
    text.extend_from_slice(half);
    fs::write(files::segment(directory.path(), 1), &text).unwrap();
    assert!(verify(directory.path()).unwrap().half_line);

    drop(open(directory.path()));
    let verified = verify(directory.path()).unwrap();
    assert!(!verified.half_line);
    let aside = files::half_line(directory.path(), 1, 1);
    assert_eq!(fs::read(aside).unwrap(), half);
    let starts = Filter { kind: Some(Kind::Start), ..Filter::default() };
    let start = recent(directory.path(), starts).unwrap().next().unwrap().unwrap();
    let note = start.record.note.unwrap();
    assert_eq!(note, "half a line of 27 bytes was set aside in `segment-0000000001.half-line-1`");
}

#[test]
fn a_second_half_line_does_not_replace_the_first() {
    let (directory, _) = closed();
    for half in ["one", "two"] {
        let path = files::segment(directory.path(), 1);
        let mut text = fs::read(&path).unwrap();
        text.extend_from_slice(half.as_bytes());
        fs::write(&path, &text).unwrap();
        drop(open(directory.path()));
    }
    let kept = |nth| fs::read_to_string(files::half_line(directory.path(), 1, nth)).unwrap();
    assert_eq!((kept(1), kept(2)), ("one".to_owned(), "two".to_owned()));
    verify(directory.path()).unwrap();
}

#[test]
fn a_crash_at_any_byte_of_the_first_lines_is_survived() {
    let whole = tempfile::tempdir().unwrap();
    drop(open(whole.path()));
    let text = fs::read(files::segment(whole.path(), 1)).unwrap();
    for length in (0..text.len()).step_by(7) {
        let directory = tempfile::tempdir().unwrap();
        let mut head = HeadFile::open(directory.path()).unwrap();
        head.write(head::Entry { segment: 1, head: Head::START }).unwrap();
        fs::write(files::segment(directory.path(), 1), &text[..length]).unwrap();
        let log = open(directory.path());
        append(&log, 0, 1);
        drop(log);
        verify(directory.path()).unwrap();
        assert_eq!(targets(directory.path()).len(), 1, "{length}");
    }
}

#[test]
fn a_crash_between_making_a_segment_and_its_header_is_survived() {
    for text in ["", "{\"kind\":\"segm"] {
        let (directory, _) = closed();
        fs::write(files::segment(directory.path(), 2), text).unwrap();
        verify(directory.path()).unwrap();
        let log = open(directory.path());
        append(&log, 10, 1);
        drop(log);
        assert_eq!(verify(directory.path()).unwrap().segments, 2);
        assert_eq!(targets(directory.path()).len(), 6);
    }
}

#[test]
fn a_long_last_line_is_found_whole() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    let long = "x".repeat(1_000_000);
    let record = Record { target: Some(long.into()), ..decision(1) };
    let _written: Receipt = log.append(&record).unwrap();
    drop(log);
    let path = files::segment(directory.path(), 1);
    let text = fs::read(&path).unwrap();
    let stop = text.split_inclusive(|byte| *byte == b'\n').next_back().unwrap();
    fs::write(&path, text.strip_suffix(stop).unwrap()).unwrap();
    fs::remove_file(head::path(directory.path())).unwrap();
    drop(open(directory.path()));
    verify(directory.path()).unwrap();
}
