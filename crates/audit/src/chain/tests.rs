//! Attacks on the chain: every alteration is found, and found where it is.

use proptest::prelude::*;

use super::check::MOST_REPORTED;
use super::*;
use crate::Kind;

type Log = Vec<Vec<Vec<u8>>>;

/// A log of `segments` segments with `lines` lines each (header included), without newlines.
fn log(segments: u64, lines: u64) -> (Log, Head) {
    let mut head = Head::START;
    let mut log = Vec::new();
    for number in 1..=segments {
        let mut segment = Vec::new();
        for line in 0..lines {
            let time = Timestamp::from_seconds(1_800_000_000);
            let (mut bytes, next) = if line == 0 {
                header(number, time, &head).unwrap()
            } else {
                seal(&Record::new(Kind::Decision, time), &head).unwrap()
            };
            assert_eq!(bytes.pop(), Some(b'\n'));
            segment.push(bytes);
            head = next;
        }
        log.push(segment);
    }
    (log, head)
}

fn check(log: &[(u64, Vec<Vec<u8>>)], anchors: &[Head]) -> Result<Verified, Vec<Broken>> {
    let mut checker = Checker::new(anchors.to_vec());
    for (number, lines) in log {
        checker.segment(*number);
        for line in lines {
            checker.line(line);
        }
    }
    checker.finish()
}

fn numbered(log: &Log) -> Vec<(u64, Vec<Vec<u8>>)> {
    log.iter().cloned().zip(1..).map(|(lines, number)| (number, lines)).collect()
}

fn number(index: usize) -> u64 {
    u64::try_from(index).unwrap()
}

fn at(segment: u64, line: u64) -> LinePlace {
    LinePlace { segment, line }
}

fn only(result: Result<Verified, Vec<Broken>>) -> Broken {
    let broken = result.unwrap_err();
    assert_eq!(broken.len(), 1, "{broken:?}");
    broken.into_iter().next().unwrap()
}

#[test]
fn a_good_chain_is_good() {
    let (log, head) = log(3, 4);
    let verified = check(&numbered(&log), &[head, Head::START]).unwrap();
    assert_eq!(verified, Verified { segments: 3, lines: 12, head, half_line: false });
    assert_eq!(head.sequence, 12);
    assert_eq!(check(&[], &[]).unwrap().head, Head::START);
}

#[test]
fn each_line_names_the_hash_of_the_line_before() {
    let (log, _) = log(2, 3);
    let mut previous = "0".repeat(64);
    for (line, sequence) in log.concat().iter().zip(1..) {
        let json: serde_json::Value = serde_json::from_slice(line).unwrap();
        assert_eq!(json["previous"], previous);
        assert_eq!(json["sequence"], sequence);
        previous = Digest::of(line).to_string();
    }
}

#[test]
fn a_record_read_back_is_sealed_anew() {
    let (line, head) =
        seal(&Record::new(Kind::Stop, Timestamp::from_micros(1)), &Head::START).unwrap();
    let read: Record = serde_json::from_slice(&line).unwrap();
    assert_eq!((read.sequence, read.previous), (Some(1), Some(Digest::ZERO)));
    let (again, _) = seal(&read, &head).unwrap();
    let read: Record = serde_json::from_slice(&again).unwrap();
    assert_eq!((read.sequence, read.previous), (Some(2), Some(head.hash)));
}

#[test]
fn every_flipped_bit_is_found_in_its_line() {
    let (log, head) = log(2, 4);
    for segment in 0..2 {
        for line in 0..4 {
            for byte in 0..log[segment][line].len() {
                let mut altered = log.clone();
                altered[segment][line][byte] ^= 1 << (byte % 8);
                let broken = only(check(&numbered(&altered), &[head]));
                assert_eq!(
                    broken.place,
                    at(number(segment) + 1, number(line) + 1),
                    "byte {byte}: {broken}"
                );
            }
        }
    }
}

#[test]
fn without_an_anchor_all_but_the_last_line_is_guarded() {
    let (mut log, _) = log(1, 4);
    log[0][2][10] ^= 1;
    assert!(check(&numbered(&log), &[]).is_err());
}

#[test]
fn a_removed_line_is_named() {
    let (log, head) = log(2, 5);
    for (segment, line) in [(0, 1), (0, 2), (0, 4), (1, 1), (1, 3)] {
        let mut altered = log.clone();
        altered[segment].remove(line);
        let gone = number(segment) * 5 + number(line) + 1;
        let broken = only(check(&numbered(&altered), &[head]));
        assert_eq!(broken.why, Why::Missing { first: gone, last: gone });
    }
    let mut altered = log;
    altered[0].drain(1..4);
    let broken = only(check(&numbered(&altered), &[head]));
    assert_eq!(broken.place, at(1, 2));
    assert_eq!(broken.to_string(), "segment 1 line 2: records 2 to 4 are missing before this line");
}

#[test]
fn a_removed_header_is_named() {
    let (log, head) = log(2, 3);
    for segment in 0..2 {
        let mut altered = log.clone();
        altered[segment].remove(0);
        let broken = only(check(&numbered(&altered), &[head]));
        assert_eq!(broken.place, at(number(segment) + 1, 1));
    }
}

#[test]
fn a_removed_tail_is_named() {
    let (log, head) = log(2, 4);
    for keep in 1..4 {
        let mut altered = log.clone();
        altered[1].truncate(keep);
        let broken = only(check(&numbered(&altered), &[head]));
        assert_eq!(broken.why, Why::Truncated { last: 4 + number(keep), written: 8 });
    }
    let broken = only(check(&[], &[head]));
    assert_eq!(broken.to_string(), "the log: ends with record 0, but record 8 had been written");
}

#[test]
fn swapped_lines_are_named() {
    let (mut log, head) = log(1, 6);
    log[0].swap(2, 3);
    let broken = check(&numbered(&log), &[head]).unwrap_err();
    let expected = [
        (at(1, 3), Why::OutOfPlace { expected: 3, found: 4 }),
        (at(1, 4), Why::OutOfPlace { expected: 5, found: 3 }),
    ];
    let found: Vec<_> = broken.into_iter().map(|broken| (broken.place, broken.why)).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_repeated_line_is_named() {
    let (mut log, head) = log(1, 6);
    let copy = log[0][3].clone();
    log[0].insert(4, copy);
    let broken = only(check(&numbered(&log), &[head]));
    assert_eq!((broken.place, broken.why), (at(1, 5), Why::OutOfPlace { expected: 5, found: 4 }));
}

#[test]
fn an_inserted_line_is_found() {
    let (mut log, head) = log(1, 6);
    let forged = Record::new(Kind::Outcome, Timestamp::from_micros(0));
    let place = Head { sequence: 3, hash: Digest::of(&log[0][2]) };
    let (mut line, _) = seal(&forged, &place).unwrap();
    line.pop();
    log[0].insert(3, line);
    assert!(check(&numbered(&log), &[head]).is_err());
}

#[test]
fn a_removed_segment_is_named() {
    let (log, head) = log(4, 3);
    for gone in 1..=3_u64 {
        let mut altered = numbered(&log);
        altered.retain(|(number, _)| *number != gone);
        let broken = check(&altered, &[head]).unwrap_err();
        let missing = Why::MissingSegments { first: gone, last: gone };
        assert!(
            broken.iter().any(|b| b.place == at(gone + 1, 0) && b.why == missing),
            "{broken:?}"
        );
    }
    let mut altered = numbered(&log);
    altered.pop();
    let broken = only(check(&altered, &[head]));
    assert_eq!(broken.why, Why::Truncated { last: 9, written: 12 });
}

#[test]
fn exchanged_segments_are_found() {
    let (mut log, head) = log(3, 3);
    log.swap(1, 2);
    assert!(check(&numbered(&log), &[head]).is_err());
}

#[test]
fn a_chain_made_anew_does_not_fit_its_anchor() {
    let (_, head) = log(1, 4);
    let mut chain = Head::START;
    let mut forged = Vec::new();
    for line in 0..4 {
        let time = Timestamp::from_seconds(line);
        let (mut bytes, next) = match line {
            0 => header(1, time, &chain).unwrap(),
            _ => seal(&Record::new(Kind::Stop, time), &chain).unwrap(),
        };
        bytes.pop();
        forged.push(bytes);
        chain = next;
    }
    assert!(check(&[(1, forged.clone())], &[]).is_ok());
    let broken = only(check(&[(1, forged)], &[head]));
    assert_eq!((broken.place, broken.why), (at(1, 4), Why::Altered));
}

#[test]
fn half_a_line_is_borne_at_the_end_alone() {
    let (log, _) = log(2, 3);
    let mut checker = Checker::new(Vec::new());
    checker.segment(1);
    log[0].iter().for_each(|line| checker.line(line));
    checker.half_line();
    assert!(checker.finish().unwrap().half_line);

    let mut checker = Checker::new(Vec::new());
    checker.segment(1);
    log[0].iter().for_each(|line| checker.line(line));
    checker.half_line();
    checker.segment(2);
    log[1].iter().for_each(|line| checker.line(line));
    let broken = only(checker.finish());
    assert_eq!((broken.place, broken.why), (at(1, 4), Why::HalfLine));
}

#[test]
fn hostile_numbers_do_no_harm() {
    let (mut log, head) = log(1, 8);
    let line = format!(r#"{{"sequence":{},"previous":"{}"}}"#, u64::MAX, "1".repeat(64));
    log[0][3] = line.into_bytes();
    let broken = check(&numbered(&log), &[head]).unwrap_err();
    assert!(broken.len() <= 4, "{broken:?}");
    assert_eq!(broken[0].place, at(1, 4));
    for line in ["", "{}", "[]", "{\"sequence\":-1}", "{\"sequence\":1,\"sequence\":2}", "\u{0}"] {
        log[0][3] = line.as_bytes().to_vec();
        assert_eq!(only(check(&numbered(&log), &[head])).why, Why::NotALine);
    }
}

#[test]
fn reports_are_bounded() {
    let mut checker = Checker::new(Vec::new());
    checker.segment(1);
    for _ in 0..5_000 {
        checker.line(b"rubbish");
    }
    assert_eq!(checker.finish().unwrap_err().len(), MOST_REPORTED);
}

proptest! {
    #[test]
    fn no_single_change_goes_unnoticed(
        segments in 1..4_u64,
        lines in 2..6_u64,
        change in 0..6_u8,
        place in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let (mut log, head) = log(segments, lines);
        let original = log.clone();
        let segment = place.index(log.len());
        let lines = &mut log[segment];
        let line = other.index(lines.len());
        match change {
            0 => { lines.remove(line); }
            1 => { let at = place.index(lines.len()); lines.swap(line, at); }
            2 => { let at = place.index(lines[line].len()); lines[line][at] = byte; }
            3 => { let at = place.index(lines[line].len()); lines[line].insert(at, byte); }
            4 => { let copy = lines[line].clone(); lines.push(copy); }
            _ => lines.truncate(line),
        }
        let result = check(&numbered(&log), &[head]);
        prop_assert_eq!(result.is_ok(), log == original, "{:?}", result);
    }
}
