//! How long an append takes; for people who look, not for machines that judge.

use std::time::Instant;

use kenward_audit::Outcome;
use kenward_model::{EntityUid, Fact, Precision, Revision};

use super::*;

/// A record as a usual decision makes it.
fn usual() -> Record {
    let customer = EntityUid::new("Customer", "4711");
    Record {
        issuer: Some("https://idp.example.com".into()),
        objects: vec![customer.clone()],
        facts: vec![Fact {
            subject: customer,
            attribute: "address".into(),
            family: "location".into(),
            precision: Precision::EXACT,
        }],
        policies: vec!["representatives-call-tools".into(), "own-customers".into()],
        policy_epoch: Some(Digest::of(b"policies").to_string().into()),
        revision: Some(Revision(123_456)),
        arguments_sha256: Some(Digest::of(b"arguments")),
        ..decision(1)
    }
}

#[test]
#[ignore = "a measurement; run it in a release build"]
fn appending() {
    let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    for (sync, count) in [(Sync::Os, 200_000), (Sync::Group, 200_000), (Sync::Always, 300)] {
        for threads in [1, 2, 8] {
            let path = directory.path().join(format!("{sync:?}-{threads}"));
            let log = Log::open(&path, sync, clock()).unwrap();
            let took = measure(&log, threads, count / threads / 2);
            println!("{sync:?} with {threads} threads: {took}");
            drop(log);
            println!("checked: {}", measure_check(&path));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn measure(log: &Log, threads: usize, calls: usize) -> String {
    let decided = usual();
    let outcome = Record::outcome(decided.id.unwrap(), decided.time, Outcome::Delivered);
    let timed = |record| {
        let begin = Instant::now();
        let _written: Receipt = log.append(record).unwrap();
        begin.elapsed()
    };
    let work = || (0..calls).flat_map(|_| [timed(&decided), timed(&outcome)]).collect::<Vec<_>>();
    let begin = Instant::now();
    let mut took: Vec<Duration> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect()
    });
    let each = begin.elapsed() / u32::try_from(took.len()).unwrap();
    took.sort_unstable();
    let at = |permille: usize| took[took.len() * permille / 1_000];
    format!("{each:?} a record, p50 {:?} p99 {:?} p99.9 {:?}", at(500), at(990), at(999))
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn measure_check(directory: &Path) -> String {
    let begin = Instant::now();
    let verified = verify(directory).unwrap();
    format!("{} lines in {:?}", verified.lines, begin.elapsed())
}
