//! A process that keeps is killed, or its disk fills up: what it was told is kept is there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;

const PEOPLE: u64 = 5;

fn child(mut command: Command, folder: &Path, first: u64) -> Child {
    let test = "histories::tests::killed::child_that_keeps";
    let mut child = command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let mut input = child.stdin.take().expect("a pipe");
    writeln!(input, "{first}\n{}", folder.display()).expect("a reader");
    child
}

/// What the child was told is kept: person and number.
fn kept(output: ChildStdout) -> impl Iterator<Item = (String, u64)> {
    let lines = BufReader::new(output).lines().map(|line| line.expect("text"));
    lines.filter_map(|line| {
        let (who, number) = line.strip_prefix("kept ")?.split_once(' ')?;
        Some((who.to_owned(), number.parse().ok()?))
    })
}

/// Every person's reservations stand in the state, whole and in order.
fn assert_there(folder: &Path, acknowledged: &BTreeMap<String, BTreeSet<u64>>) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let histories = histories(folder).await;
        let mut highest = 0;
        for (who, numbers) in acknowledged {
            let held = histories.of(&person(who)).await.expect("a whole history");
            let history = held.lock();
            for number in numbers {
                assert!(history.is_reserved(decision(*number)), "{number} of {who} is lost");
                assert!(history.knows(&fact(*number)));
                highest = highest.max(*number);
            }
        }
        highest
    })
}

#[test]
fn nothing_that_was_kept_is_lost_by_the_kill_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let mut first = 0;
    for after in [1, 10, 100, 1_000, 2_000] {
        let program = Command::new(std::env::current_exe().expect("this test"));
        let mut child = child(program, folder.path(), first);
        let mut said = kept(child.stdout.take().expect("a pipe"));
        let mut add = |(who, number)| {
            acknowledged.entry(who).or_default().insert(number);
        };
        said.by_ref().take(after).for_each(&mut add);
        child.kill().expect("a kill"); // SIGKILL
        child.wait().expect("an end");
        said.for_each(&mut add);
        assert_there(folder.path(), &acknowledged);
        first += 1_000_000;
    }
    let all: usize = acknowledged.values().map(BTreeSet::len).sum();
    assert!(all >= 3_111, "{all}");
}

#[cfg(unix)]
#[test]
fn nothing_that_was_kept_is_lost_when_the_disk_fills_up() {
    let folder = tempfile::tempdir().expect("a folder");
    // No file may grow past this; what tries gets an error, as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\"";
    let mut program = Command::new("sh");
    program.args(["-c", script]).arg(std::env::current_exe().expect("this test"));
    let mut child = child(program, folder.path(), 0);
    let mut acknowledged: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for (who, number) in kept(child.stdout.take().expect("a pipe")) {
        acknowledged.entry(who).or_default().insert(number);
    }
    assert!(child.wait().expect("an end").success(), "it says so and goes on");
    let all: usize = acknowledged.values().map(BTreeSet::len).sum();
    assert!(all > 20 && all < 20_000, "{all} before the disk was full");
    assert_there(folder.path(), &acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the tests that kill it alone"]
async fn child_that_keeps() {
    let mut input = std::io::stdin().lines();
    let mut next = || input.next().expect("a line").expect("text");
    let first: u64 = next().parse().expect("a number");
    let folder = next();
    let histories = Arc::new(histories(Path::new(&folder)).await);
    let working = (0..PEOPLE * 2)
        .map(|worker| tokio::spawn(keep_and_say(Arc::clone(&histories), worker, first)));
    for worker in working.collect::<Vec<_>>() {
        worker.await.expect("an end");
    }
}

async fn keep_and_say(histories: Arc<Histories>, worker: u64, first: u64) {
    let who = format!("u{}", worker % PEOPLE);
    let begin = first + worker * 10_000;
    for number in begin..begin + 2_000 {
        if add(&histories, &who, &[reserved(number)]).await.is_err() {
            return;
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nkept {who} {number}").expect("a reader");
        out.flush().expect("a reader");
    }
}
