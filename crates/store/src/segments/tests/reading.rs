//! Records are found again: forwards, backwards, filtered and as they come.

use super::*;

fn names(entries: impl Iterator<Item = Result<Entry, ReadError>>) -> Vec<String> {
    let targets = entries.filter_map(|entry| entry.unwrap().record.target);
    targets.map(|target| target.to_string()).collect()
}

fn sample() -> (tempfile::TempDir, Log) {
    let directory = tempfile::tempdir().unwrap();
    let log = open_small(directory.path());
    append(&log, 0, 30);
    (directory, log)
}

fn tools(numbers: impl Iterator<Item = u32>) -> Vec<String> {
    numbers.map(|number| format!("tool-{number}")).collect()
}

#[test]
fn the_oldest_come_first_or_the_newest() {
    let (directory, _log) = sample();
    assert_eq!(names(read(directory.path(), Filter::default()).unwrap()), tools(0..30));
    assert_eq!(names(recent(directory.path(), Filter::default()).unwrap()), tools((0..30).rev()));
}

#[test]
fn an_entry_has_the_very_bytes_of_its_line() {
    let (directory, log) = sample();
    drop(log);
    let all: Vec<_> =
        read(directory.path(), Filter::default()).unwrap().map(Result::unwrap).collect();
    let mut backwards: Vec<_> =
        recent(directory.path(), Filter::default()).unwrap().map(Result::unwrap).collect();
    backwards.reverse();
    assert_eq!(all, backwards);
    let records: Vec<_> = lines(directory.path())
        .into_iter()
        .filter(|line| !line.starts_with(b"{\"kind\":\"segment\""))
        .collect();
    assert_eq!(all.into_iter().map(|entry| entry.line).collect::<Vec<_>>(), records);
}

#[test]
fn each_filter_finds_what_it_names() {
    let (directory, _log) = sample();
    let server = |name: &str| ServerName::try_from(name.to_owned()).ok();
    let first = Timestamp::from_micros(1_800_000_000_000_000);
    let ten = first.plus(Duration::from_micros(10));
    let cases = [
        (Filter { user: Some("rita".into()), ..Filter::default() }, tools((0..30).step_by(2))),
        (Filter { user: Some("nobody".into()), ..Filter::default() }, Vec::new()),
        (Filter { agent: Some("assistant".into()), ..Filter::default() }, tools(0..30)),
        (Filter { server: server("deliveries"), ..Filter::default() }, tools(0..30)),
        (Filter { server: server("other"), ..Filter::default() }, Vec::new()),
        (Filter { target: Some("tool-2".into()), ..Filter::default() }, tools(2..3)),
        (Filter { verdict: Some(Verdict::Refuse), ..Filter::default() }, tools((0..30).step_by(3))),
        (Filter { since: Some(ten), ..Filter::default() }, tools(10..30)),
        (Filter { until: Some(ten), ..Filter::default() }, tools(0..10)),
        (Filter { id: decision(7).id.map(|id| id.to_string()), ..Filter::default() }, tools(7..8)),
    ];
    for (filter, mut wanted) in cases {
        assert_eq!(names(read(directory.path(), filter.clone()).unwrap()), wanted, "{filter:?}");
        wanted.reverse();
        assert_eq!(names(recent(directory.path(), filter.clone()).unwrap()), wanted, "{filter:?}");
    }
}

#[test]
fn a_text_that_is_escaped_in_the_line_is_found() {
    let (directory, log) = sample();
    let odd: Arc<str> = "a\"b\\c\n\u{1}\u{e9}".into();
    let record = Record { target: Some(Arc::clone(&odd)), ..decision(99) };
    let _written: Receipt = log.append(&record).unwrap();
    let filter = Filter { target: Some(Arc::clone(&odd)), ..Filter::default() };
    assert_eq!(names(read(directory.path(), filter).unwrap()), [odd.to_string()]);
}

#[test]
fn pages_are_turned_backwards() {
    let (directory, _log) = sample();
    let mut before = None;
    let mut seen = Vec::new();
    loop {
        let filter = Filter { before, kind: Some(Kind::Decision), ..Filter::default() };
        let page: Vec<_> =
            recent(directory.path(), filter).unwrap().take(7).map(Result::unwrap).collect();
        let Some(last) = page.last() else { break };
        before = last.record.sequence;
        seen.extend(page.into_iter().filter_map(|entry| entry.record.target));
    }
    assert_eq!(seen.iter().map(ToString::to_string).collect::<Vec<_>>(), tools((0..30).rev()));
}

#[test]
fn a_tail_goes_on_without_gap_and_without_repetition() {
    let (directory, log) = sample();
    let filter = Filter { user: Some("otto".into()), ..Filter::default() };
    let (last, mut following) = tail(directory.path(), filter, 3).unwrap();
    assert_eq!(names(last.into_iter().map(Ok)), ["tool-25", "tool-27", "tool-29"]);
    assert!(following.next().is_none());
    for round in 0..5 {
        append(&log, 30 + round * 10, 10);
        let odd = tools((30 + round * 10..40 + round * 10).filter(|number| number % 2 == 1));
        assert_eq!(names(following.by_ref()), odd);
        assert!(following.next().is_none());
    }
}

#[test]
fn a_tail_may_begin_before_the_log_does() {
    let directory = tempfile::tempdir().unwrap();
    let (last, mut following) = tail(directory.path(), Filter::default(), 10).unwrap();
    assert!(last.is_empty() && following.next().is_none());
    let log = open(directory.path());
    append(&log, 0, 3);
    assert_eq!(names(following), tools(0..3));
}

#[test]
fn half_a_line_is_not_read_before_it_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    append(&log, 0, 1);
    let (_, mut following) = tail(directory.path(), Filter::default(), 0).unwrap();
    let end = log.head();
    let (line, _) = kenward_audit::chain::seal(&decision(1), &end).unwrap();
    let (half, rest) = line.split_at(line.len() / 2);
    let mut segment =
        std::fs::File::options().append(true).open(files::segment(directory.path(), 1)).unwrap();
    std::io::Write::write_all(&mut segment, half).unwrap();
    assert!(following.next().is_none());
    assert_eq!(recent(directory.path(), Filter::default()).unwrap().count(), 2);
    std::io::Write::write_all(&mut segment, rest).unwrap();
    assert_eq!(names(following.by_ref()), tools(1..2));
}

#[test]
fn lines_longer_than_a_block_are_read_backwards() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    let long = |length| Record { target: Some("x".repeat(length).into()), ..decision(1) };
    let lengths = [10, 70_000, 65_536, 200_000, 3];
    for length in lengths {
        let _written: Receipt = log.append(&long(length)).unwrap();
    }
    let found = names(recent(directory.path(), Filter::default()).unwrap());
    let found: Vec<_> = found.iter().map(String::len).collect();
    assert_eq!(found, [3, 200_000, 65_536, 70_000, 10]);
}

#[test]
fn a_line_that_is_no_record_is_said_with_its_place() {
    let (directory, log) = sample();
    drop(log);
    let path = files::segment(directory.path(), 2);
    let text = std::fs::read_to_string(&path).unwrap();
    let second = text.find('\n').unwrap() + 1;
    let altered = text.replacen("\"verdict\":\"", "\"verdict\":\"not ", 1);
    std::fs::write(&path, altered).unwrap();
    let wrong: Vec<_> =
        read(directory.path(), Filter::default()).unwrap().filter_map(Result::err).collect();
    assert_eq!(wrong.len(), 1);
    let expected = format!("segment 2 at byte {second}: not a record");
    assert_eq!(wrong[0].to_string(), expected);
    let wrong: Vec<_> =
        recent(directory.path(), Filter::default()).unwrap().filter_map(Result::err).collect();
    assert_eq!(wrong[0].to_string(), expected);
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("nowhere");
    assert!(read(&nowhere, Filter::default()).is_err());
    assert!(recent(&nowhere, Filter::default()).is_err());
    assert!(tail(&nowhere, Filter::default(), 1).is_err());
}
