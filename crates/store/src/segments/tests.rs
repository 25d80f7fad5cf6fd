//! The log under use, under attack, under failure and under the kill signal.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use kenward_audit::{Digest, Kind, Verdict};
use kenward_model::{DecisionId, ServerName};

use super::*;

mod attacks;
mod failures;
mod killed;
mod reading;
mod speed;

/// A clock that goes on by a microsecond whenever it is read.
pub(super) fn clock() -> impl Fn() -> Timestamp + Send + std::marker::Sync + 'static {
    let micros = AtomicI64::new(1_800_000_000_000_000);
    move || Timestamp::from_micros(micros.fetch_add(1, Ordering::Relaxed))
}

pub(super) fn open(directory: &Path) -> Log {
    Log::open(directory, Sync::Group, clock()).unwrap()
}

/// A log whose segments have few lines.
pub(super) fn open_small(directory: &Path) -> Log {
    let options = Options { sync: Sync::Group, segment_bytes: 1_000 };
    Log::open_with(directory, options, clock()).unwrap()
}

pub(super) fn decision(number: u32) -> Record {
    let time = Timestamp::from_micros(1_800_000_000_000_000 + i64::from(number));
    let mut entropy = [0; 10];
    entropy[6..].copy_from_slice(&number.to_be_bytes());
    Record {
        id: Some(DecisionId::new(time, &entropy)),
        user: Some(if number.is_multiple_of(2) { "rita" } else { "otto" }.into()),
        agent: Some("assistant".into()),
        server: ServerName::try_from("deliveries".to_owned()).ok(),
        method: Some("tools/call".into()),
        target: Some(format!("tool-{number}").into()),
        verdict: Some(if number.is_multiple_of(3) { Verdict::Refuse } else { Verdict::Allow }),
        ..Record::new(Kind::Decision, time)
    }
}

/// Appends `count` decisions from number `from` on.
pub(super) fn append(log: &Log, from: u32, count: u32) {
    for number in from..from + count {
        let _written: Receipt = log.append(&decision(number)).unwrap();
    }
}

/// The lines of every segment, without newlines.
pub(super) fn lines(directory: &Path) -> Vec<Vec<u8>> {
    let numbers = files::segments(directory).unwrap();
    let texts = numbers.iter().map(|n| std::fs::read(files::segment(directory, *n)).unwrap());
    texts
        .flat_map(|text| text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
        .filter(|line| !line.is_empty())
        .collect()
}

pub(super) fn targets(directory: &Path) -> BTreeSet<String> {
    let entries = read(directory, Filter::default()).unwrap().map(Result::unwrap);
    entries.filter_map(|entry| entry.record.target.map(|target| target.to_string())).collect()
}

pub(super) fn kinds(directory: &Path) -> Vec<Kind> {
    let entries = read(directory, Filter::default()).unwrap();
    entries.map(|entry| entry.unwrap().record.kind).collect()
}

/// Waits until `condition` holds, a few seconds at most.
pub(super) fn eventually(condition: impl Fn() -> bool) -> bool {
    let (_sender, never) = mpsc::channel::<()>();
    for _ in 0..1_000 {
        if condition() {
            return true;
        }
        assert!(never.recv_timeout(Duration::from_millis(5)).is_err());
    }
    false
}

#[test]
fn what_is_appended_is_there_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    append(&log, 0, 3);
    drop(log);
    let kinds = kinds(directory.path());
    let decisions = [Kind::Decision; 3].into_iter();
    let expected: Vec<_> = [Kind::Start].into_iter().chain(decisions).chain([Kind::Stop]).collect();
    assert_eq!(kinds, expected);
    let verified = verify(directory.path()).unwrap();
    assert_eq!((verified.segments, verified.lines, verified.half_line), (1, 6, false));
}

#[test]
fn a_receipt_names_the_line() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    let receipt = log.append(&decision(1)).unwrap();
    assert_eq!(receipt.head(), log.head());
    let last = lines(directory.path()).pop().unwrap();
    assert_eq!(receipt.head().hash, Digest::of(&last));
    assert_eq!(receipt.head().sequence, 3);
}

#[test]
fn a_line_is_with_the_operating_system_when_append_returns() {
    for sync in [Sync::Group, Sync::Always, Sync::Os] {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::open(directory.path(), sync, clock()).unwrap();
        append(&log, 0, 1);
        assert_eq!(targets(directory.path()).len(), 1, "{sync:?}");
        assert!(eventually(|| match head::read(directory.path()).unwrap() {
            head::Reading::Named(named) => named.entry.head == log.head(),
            head::Reading::Absent | head::Reading::Damaged => false,
        }));
        if sync == Sync::Always {
            append(&log, 1, 1);
            let head::Reading::Named(named) = head::read(directory.path()).unwrap() else {
                panic!("no head")
            };
            assert_eq!(named.entry.head, log.head(), "named before append returned");
        }
    }
}

#[test]
fn segments_rotate_and_the_chain_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let log = open_small(directory.path());
    append(&log, 0, 40);
    drop(log);
    let verified = verify(directory.path()).unwrap();
    assert!(verified.segments > 5, "{verified:?}");
    assert_eq!(targets(directory.path()).len(), 40);
    let header = std::fs::read_to_string(files::segment(directory.path(), 2)).unwrap();
    let header: serde_json::Value = serde_json::from_str(header.lines().next().unwrap()).unwrap();
    assert_eq!((&header["kind"], &header["segment"]), (&"segment".into(), &2.into()));
    let first = std::fs::read(files::segment(directory.path(), 1)).unwrap();
    let last = first.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n').next_back().unwrap();
    assert_eq!(header["previous"], Digest::of(last).to_string());
}

#[test]
fn a_log_is_continued_where_it_ended() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..4 {
        let log = open_small(directory.path());
        append(&log, round * 10, 10);
    }
    assert_eq!(targets(directory.path()).len(), 40);
    let count = |kind| kinds(directory.path()).iter().filter(|is| **is == kind).count();
    assert_eq!((count(Kind::Start), count(Kind::Stop)), (4, 4));
    verify(directory.path()).unwrap();
}

#[test]
fn only_one_may_hold_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    let second = Log::open(directory.path(), Sync::Group, clock());
    assert!(matches!(second, Err(LogError::InUse(_))));
    append(&log, 0, 1);
    drop(log);
    drop(open(directory.path()));
    verify(directory.path()).unwrap();
}

#[test]
fn nothing_is_accepted_after_the_stop() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    log.stop().unwrap();
    assert!(matches!(log.append(&decision(1)), Err(LogError::Stopped)));
    assert!(matches!(log.stop(), Err(LogError::Stopped)));
    assert!(!log.is_good());
    drop(log);
    assert_eq!(kinds(directory.path()), [Kind::Start, Kind::Stop]);
}

#[test]
fn many_threads_make_one_chain() {
    for (sync, each) in [(Sync::Group, 400), (Sync::Always, 40), (Sync::Os, 400)] {
        let directory = tempfile::tempdir().unwrap();
        let options = Options { sync, segment_bytes: 20_000 };
        let log = Log::open_with(directory.path(), options, clock()).unwrap();
        let numbers_of = &|thread: u32| {
            let numbers = thread * each..(thread + 1) * each;
            let append = |number| log.append(&decision(number)).unwrap().head().sequence;
            numbers.map(append).collect::<Vec<_>>()
        };
        let sequences: BTreeSet<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|t| scope.spawn(move || numbers_of(t))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(sequences.len(), usize::try_from(8 * each).unwrap());
        verify(directory.path()).unwrap(); // while it is in use
        drop(log);
        verify(directory.path()).unwrap();
        assert_eq!(targets(directory.path()).len(), sequences.len());
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let audit = directory.path().join("deep/audit");
    let log = open_small(&audit);
    append(&log, 0, 20);
    drop(log);
    assert_eq!(std::fs::metadata(&audit).unwrap().permissions().mode() & 0o777, 0o700);
    for entry in std::fs::read_dir(&audit).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn the_ways_of_syncing_have_their_names() {
    for (name, sync) in [("group", Sync::Group), ("always", Sync::Always), ("os", Sync::Os)] {
        assert_eq!(serde_json::from_value::<Sync>(name.into()).unwrap(), sync);
    }
    assert!(serde_json::from_value::<Sync>("never".into()).is_err());
}
