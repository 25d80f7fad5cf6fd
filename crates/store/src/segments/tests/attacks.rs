//! Someone who can write the directory tries to hide what happened.

use std::fs;

use kenward_audit::Why;
use kenward_audit::chain::{LinePlace, seal};

use super::super::head::{Entry as HeadEntry, HeadFile};
use super::*;

/// A closed log of some segments.
fn victim() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let log = open_small(directory.path());
    append(&log, 0, 20);
    drop(log);
    let verified = verify(directory.path()).unwrap();
    assert!(verified.segments >= 4);
    directory
}

fn at(segment: u64, line: u64) -> LinePlace {
    LinePlace { segment, line }
}

/// Changes the lines of one segment.
fn tamper(directory: &Path, segment: u64, change: impl FnOnce(&mut Vec<String>)) {
    let path = files::segment(directory, segment);
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    fs::write(&path, text).unwrap();
}

/// What a check finds, before the log is opened again and after.
fn found(directory: &Path) -> Vec<Broken> {
    let broken = verify(directory).unwrap_err();
    let log = open_small(directory);
    append(&log, 100, 2);
    drop(log);
    assert!(verify(directory).is_err(), "going on must not heal it: {broken:?}");
    broken
}

#[test]
fn a_flipped_byte_is_found_in_its_line() {
    for (segment, line) in [(1, 0), (1, 1), (2, 1), (3, 2)] {
        let directory = victim();
        tamper(directory.path(), segment, |lines| {
            lines[line] = lines[line].replacen("2027", "2028", 1);
        });
        let broken = found(directory.path());
        let place = at(segment, u64::try_from(line).unwrap() + 1);
        assert_eq!((broken[0].place, &broken[0].why), (place, &Why::Altered));
        assert_eq!(broken.len(), 1);
    }
}

#[test]
fn a_flipped_byte_of_the_very_last_line_is_found() {
    let directory = victim();
    let last = *files::segments(directory.path()).unwrap().last().unwrap();
    tamper(directory.path(), last, |lines| {
        let line = lines.last_mut().unwrap();
        *line = line.replacen("2027", "2028", 1);
    });
    let broken = found(directory.path());
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].why, Why::Altered);
}

#[test]
fn a_broken_last_line_is_found() {
    let directory = victim();
    let last = *files::segments(directory.path()).unwrap().last().unwrap();
    tamper(directory.path(), last, |lines| *lines.last_mut().unwrap() = "{".to_owned());
    assert_eq!(found(directory.path())[0].why, Why::NotALine);
}

#[test]
fn a_removed_line_is_found() {
    for (segment, line) in [(1, 0), (1, 1), (2, 1), (2, 2)] {
        let directory = victim();
        tamper(directory.path(), segment, |lines| {
            lines.remove(line);
        });
        let broken = found(directory.path());
        assert!(matches!(broken[0].why, Why::Missing { first, last } if first == last));
    }
}

#[test]
fn a_removed_last_line_is_found() {
    let directory = victim();
    let before = verify(directory.path()).unwrap();
    tamper(directory.path(), before.segments, |lines| {
        lines.pop();
    });
    let broken = found(directory.path());
    let written = before.head.sequence;
    assert_eq!(broken[0].why, Why::Truncated { last: written - 1, written });
    assert_eq!(broken[0].place.segment, before.segments);
}

#[test]
fn swapped_lines_are_found() {
    let directory = victim();
    tamper(directory.path(), 2, |lines| lines.swap(1, 2));
    let broken = found(directory.path());
    assert_eq!(broken[0].place, at(2, 2));
    assert!(matches!(broken[0].why, Why::OutOfPlace { .. }));
}

#[test]
fn a_removed_segment_is_found() {
    for segment in [1, 2, 3] {
        let directory = victim();
        fs::remove_file(files::segment(directory.path(), segment)).unwrap();
        let broken = found(directory.path());
        let missing = Why::MissingSegments { first: segment, last: segment };
        assert!(broken.iter().any(|broken| broken.why == missing), "{broken:?}");
    }
}

#[test]
fn a_removed_last_segment_is_found() {
    let directory = victim();
    let before = verify(directory.path()).unwrap();
    fs::remove_file(files::segment(directory.path(), before.segments)).unwrap();
    let broken = found(directory.path());
    assert!(
        matches!(broken[0].why, Why::Truncated { written, .. } if written == before.head.sequence)
    );
}

#[test]
fn removing_every_segment_is_found() {
    let directory = victim();
    for number in files::segments(directory.path()).unwrap() {
        fs::remove_file(files::segment(directory.path(), number)).unwrap();
    }
    assert!(matches!(found(directory.path())[0].why, Why::Truncated { last: 0, .. }));
}

#[test]
fn emptying_a_segment_is_found() {
    for segment in [1, 2] {
        let directory = victim();
        fs::write(files::segment(directory.path(), segment), "").unwrap();
        found(directory.path());
    }
    let directory = victim();
    let last = *files::segments(directory.path()).unwrap().last().unwrap();
    fs::write(files::segment(directory.path(), last), "").unwrap();
    found(directory.path());
}

#[test]
fn exchanged_segments_are_found() {
    let directory = victim();
    let (two, three) = (files::segment(directory.path(), 2), files::segment(directory.path(), 3));
    let aside = directory.path().join("aside");
    fs::rename(&two, &aside).unwrap();
    fs::rename(&three, &two).unwrap();
    fs::rename(&aside, &three).unwrap();
    found(directory.path());
}

#[test]
fn half_a_line_in_the_middle_is_found() {
    let directory = victim();
    let path = files::segment(directory.path(), 2);
    let mut text = fs::read(&path).unwrap();
    text.truncate(text.len() - 20);
    fs::write(&path, text).unwrap();
    let broken = found(directory.path());
    assert!(broken.iter().any(|broken| broken.why == Why::HalfLine), "{broken:?}");
}

#[test]
fn a_removed_head_is_found_and_recorded() {
    let directory = victim();
    fs::remove_file(head::path(directory.path())).unwrap();
    assert_eq!(verify(directory.path()).unwrap_err()[0].why, Why::HeadMissing);
    drop(open(directory.path()));
    let starts = Filter { kind: Some(Kind::Start), ..Filter::default() };
    let start = recent(directory.path(), starts).unwrap().next().unwrap().unwrap();
    assert!(start.record.note.unwrap().contains("head file was missing"));
}

#[test]
fn an_altered_head_is_found_and_recorded() {
    for byte in [5, 20, 80, 300, 511, 515, 600, 1023] {
        let directory = victim();
        let path = head::path(directory.path());
        let mut bytes = fs::read(&path).unwrap();
        bytes[byte] ^= 1;
        fs::write(&path, bytes).unwrap();
        let broken = verify(directory.path()).unwrap_err();
        assert!(broken.iter().any(|broken| broken.why == Why::HeadAltered), "{byte}: {broken:?}");
        drop(open(directory.path()));
        let starts = Filter { kind: Some(Kind::Start), ..Filter::default() };
        let start = recent(directory.path(), starts).unwrap().next().unwrap().unwrap();
        assert!(start.record.note.unwrap().contains("head file"));
    }
}

#[test]
fn a_tail_cut_off_with_the_head_made_to_fit_is_found_by_a_head_kept_elsewhere() {
    let directory = victim();
    let known = verify(directory.path()).unwrap();
    let kept = lines(directory.path()).len() - 1;
    tamper(directory.path(), known.segments, |lines| {
        lines.pop();
    });
    let last = lines(directory.path()).pop().unwrap();
    let head = Head { sequence: u64::try_from(kept).unwrap(), hash: Digest::of(&last) };
    let mut file = HeadFile::open(directory.path()).unwrap();
    file.write(HeadEntry { segment: known.segments, head }).unwrap();
    assert!(verify(directory.path()).is_ok(), "no check without a secret or a witness can tell");
    let broken = verify_with(directory.path(), &[known.head]).unwrap_err();
    assert!(matches!(broken[0].why, Why::Truncated { .. }));
}

#[test]
fn a_forged_continuation_is_found() {
    let directory = victim();
    tamper(directory.path(), 2, |lines| {
        let place = Head { sequence: 0, hash: Digest::ZERO };
        let (line, _) = seal(&decision(7), &place).unwrap();
        lines.insert(2, String::from_utf8(line).unwrap().trim_end().to_owned());
    });
    found(directory.path());
}

#[test]
fn a_log_that_is_not_there_is_not_good() {
    let directory = tempfile::tempdir().unwrap();
    let broken = verify(&directory.path().join("nowhere")).unwrap_err();
    assert!(matches!(broken[0].why, Why::Unreadable(_)));
    assert_eq!(verify(directory.path()).unwrap().lines, 0);
}

#[test]
fn a_log_damaged_at_both_ends_is_not_continued() {
    let directory = victim();
    fs::write(head::path(directory.path()), "rubbish").unwrap();
    let last = *files::segments(directory.path()).unwrap().last().unwrap();
    tamper(directory.path(), last, |lines| *lines.last_mut().unwrap() = "rubbish".to_owned());
    let opened = Log::open(directory.path(), Sync::Group, clock());
    assert!(matches!(opened, Err(LogError::Damaged(_))));
}
