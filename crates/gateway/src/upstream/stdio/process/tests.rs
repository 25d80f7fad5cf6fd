use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use kenward_mcp::scan;
use rustix::process::{Pid, test_kill_process};
use tokio::time::timeout;

use super::{Lines, Process, Program, Running};
use crate::tests::server;
use crate::upstream::UpstreamError;

/// Longer than both periods of grace together.
const PATIENCE: Duration = Duration::from_secs(10);

/// A shell that runs `script` with nothing in its environment but what is given.
fn shell(script: &str, environment: &[(&str, &str)], running: &Running) -> Process {
    let own = |text: &&str| (*text).to_owned();
    let environment: BTreeMap<String, String> =
        environment.iter().map(|(name, value)| (own(name), own(value))).collect();
    let command = ["/bin/sh", "-c", script].map(str::to_owned);
    start(&command, &environment, running).expect("a process")
}

fn start(
    command: &[String],
    environment: &BTreeMap<String, String>,
    running: &Running,
) -> Result<Process, UpstreamError> {
    let server = server();
    let program = Program { server: &server, command, environment, longest: 16 << 20 };
    Process::start(&program, running.clone(), Box::new(|_| {}))
}

fn request(id: u32) -> Bytes {
    Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#))
}

/// A line that answers the request `id` with `text`.
fn answering(id: u32, text: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"text":"{text}"}}}}"#)
}

async fn ask(process: &Process, id: u32) -> Lines {
    let name = id.to_string();
    process.request(name.as_bytes(), None, &request(id)).await.expect("it goes out")
}

async fn next(answers: &mut Lines) -> Option<String> {
    let line = timeout(PATIENCE, answers.recv()).await.expect("in time");
    line.map(|line| String::from_utf8(line.to_vec()).expect("text"))
}

/// Waits until the file is there and holds a line; returns it as the number that it is.
async fn number_in(path: &Path) -> Pid {
    let reading = async {
        loop {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            if let Some(Ok(number)) = text.strip_suffix('\n').map(str::parse) {
                return Pid::from_raw(number).expect("a process id");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, reading).await.expect("the process says its number")
}

/// Whether the process is gone, or a zombie that nobody in this test can reap, within the time.
async fn is_gone(pid: Pid) -> bool {
    let ending = async {
        while test_kill_process(pid).is_ok() && !is_zombie(pid) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, ending).await.is_ok()
}

fn is_zombie(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim().starts_with('Z')))
}

async fn all_gone(running: &Running) -> bool {
    timeout(PATIENCE, running.gone()).await.is_ok()
}

fn in_folder(folder: &tempfile::TempDir, name: &str) -> (PathBuf, String) {
    let path = folder.path().join(name);
    let text = path.display().to_string();
    (path, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_answers_are_lines_and_noise_between_them_disturbs_nobody() {
    let running = Running::default();
    let script = format!(
        "read a; echo not json; echo >&2 noise; echo; echo '{}'; read b; echo '{}'; read c",
        answering(1, "first"),
        answering(2, "second")
    );
    let process = shell(&script, &[], &running);
    let mut first = ask(&process, 1).await;
    assert_eq!(next(&mut first).await, Some(answering(1, "first")));
    assert_eq!(next(&mut first).await, None, "a response is the last message");
    let mut second = ask(&process, 2).await;
    assert_eq!(next(&mut second).await, Some(answering(2, "second")));
    process.end();
    assert!(all_gone(&running).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_several_lines_arrives_as_one() {
    let running = Running::default();
    let script = r#"read line; printf '{"jsonrpc":"2.0","id":1,"result":{"length":%d}}\n' "${#line}"; read end"#;
    let process = shell(script, &[], &running);
    let pretty =
        Bytes::from_static(b"{\r\n \"jsonrpc\": \"2.0\",\n \"id\": 1, \"method\": \"ping\"}\n");
    let mut answers = process.request(b"1", None, &pretty).await.expect("it goes out");
    // The shell's `read` drops blanks at both ends.
    let length = pretty.len() - 1;
    let expected = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"length":{length}}}}}"#);
    assert_eq!(next(&mut answers).await, Some(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_what_was_given_and_nothing_of_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, text) = in_folder(&folder, "environment");
    let running = Running::default();
    let script = format!("/usr/bin/env > {text}.new; /bin/mv {text}.new {text}");
    let _process = shell(&script, &[("ONLY", "this")], &running);
    assert!(all_gone(&running).await);
    let said = std::fs::read_to_string(&path).expect("what it saw");
    // A shell may set these three itself.
    let own = |line: &&str| !["PWD=", "SHLVL=", "_="].iter().any(|name| line.starts_with(name));
    assert_eq!(said.lines().filter(own).collect::<Vec<_>>(), ["ONLY=this"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_input_closes_ends_by_itself_without_a_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, text) = in_folder(&folder, "how");
    let running = Running::default();
    let script = format!(
        "trap 'echo term > {text}; exit' TERM; while read a; do :; done; echo closed > {text}"
    );
    let process = shell(&script, &[], &running);
    process.end();
    assert!(all_gone(&running).await);
    assert_eq!(std::fs::read_to_string(&path).expect("a word"), "closed\n");
    assert!(!process.lives());
    assert_eq!(
        process.request(b"1", None, &request(1)).await.err(),
        Some(UpstreamError::SessionEnded)
    );
    assert_eq!(process.send(&request(1)).await, Err(UpstreamError::SessionEnded));
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_last_handle_ends_it_too() {
    let running = Running::default();
    drop(shell("while read a; do :; done", &[], &running));
    assert!(all_gone(&running).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_does_not_listen_gets_a_signal_and_with_it_its_whole_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, text) = in_folder(&folder, "child");
    let running = Running::default();
    let script = format!("/bin/sleep 600 & echo $! > {text}; wait");
    let process = shell(&script, &[], &running);
    let child = number_in(&path).await;
    process.end();
    assert!(all_gone(&running).await);
    assert!(is_gone(child).await, "the child of the process");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ignores_the_signal_is_killed_with_its_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, text) = in_folder(&folder, "child");
    let running = Running::default();
    let script = format!(
        "trap '' TERM; /bin/sleep 600 & echo $! > {text}; while :; do /bin/sleep 600; done"
    );
    let process = shell(&script, &[], &running);
    let child = number_in(&path).await;
    process.end();
    assert!(all_gone(&running).await);
    assert!(is_gone(child).await, "the child of the process");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launcher_that_ends_when_its_input_closes_leaves_no_server_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, text) = in_folder(&folder, "child");
    let running = Running::default();
    let script = format!("/bin/sleep 600 & echo $! > {text}; while read a; do :; done");
    let process = shell(&script, &[], &running);
    let child = number_in(&path).await;
    process.end();
    assert!(all_gone(&running).await);
    assert!(is_gone(child).await, "what the launcher started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launcher_that_ends_by_itself_leaves_no_server_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, text) = in_folder(&folder, "child");
    let running = Running::default();
    let script = format!("/bin/sleep 600 & echo $! > {text}");
    let _process = shell(&script, &[], &running);
    let child = number_in(&path).await;
    assert!(all_gone(&running).await);
    assert!(is_gone(child).await, "what the launcher started");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_answer_of_a_process_that_ends_with_it_arrives() {
    let answer = answering(1, &"x".repeat(60_000));
    for round in 0..20 {
        let running = Running::default();
        let script = "read a; /bin/cat <<END\n".to_owned() + &answer + "\nEND\n";
        let process = shell(&script, &[], &running);
        let mut answers = ask(&process, 1).await;
        assert_eq!(next(&mut answers).await.as_ref(), Some(&answer), "round {round}");
        assert!(all_gone(&running).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_end_when_the_process_dies() {
    let running = Running::default();
    let process = shell("read a; read b; exit 3", &[], &running);
    let mut first = ask(&process, 1).await;
    let mut stream = process.listen();
    let mut second = ask(&process, 2).await;
    for reader in [&mut first, &mut second, &mut stream] {
        assert_eq!(next(reader).await, None);
    }
    assert!(all_gone(&running).await);
    assert!(!process.lives());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_with_one_id_get_their_own_answers() {
    let running = Running::default();
    let script = format!(
        "read a; read b; echo '{}'; echo '{}'; read c",
        answering(2, "b"),
        answering(1, "a")
    );
    let process = shell(&script, &[], &running);
    let mut first = process.request(b"1", None, &request(1)).await.expect("it goes out");
    let mut second = process.request(b"1", None, &request(1)).await.expect("it goes out");
    assert_eq!(next(&mut first).await, Some(answering(1, "a")));
    assert_eq!(next(&mut second).await, Some(answering(1, "b")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_megabyte_arrives_whole() {
    let running = Running::default();
    let script = r#"read a; printf '{"jsonrpc":"2.0","id":1,"result":{"text":"'; /usr/bin/head -c 1000000 /dev/zero | /usr/bin/tr '\0' x; echo '"}}'; read b"#;
    let process = shell(script, &[], &running);
    let mut answers = ask(&process, 1).await;
    let line = next(&mut answers).await.expect("an answer");
    assert_eq!(line, answering(1, &"x".repeat(1_000_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_without_an_end_ends_the_reading_and_not_the_gateway() {
    let running = Running::default();
    let process = shell("read a; /bin/cat /dev/zero", &[], &running);
    let mut answers = ask(&process, 1).await;
    assert_eq!(next(&mut answers).await, None);
    assert!(!process.lives(), "nothing that it says can be heard any more");
    process.end();
    assert!(all_gone(&running).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_error_without_an_end_of_line_does_not_block_it() {
    let running = Running::default();
    let script = format!(
        "/usr/bin/head -c 3000000 /dev/zero >&2; read a; echo '{}'; read b",
        answering(1, "after all that")
    );
    let process = shell(&script, &[], &running);
    let mut answers = ask(&process, 1).await;
    assert_eq!(next(&mut answers).await, Some(answering(1, "after all that")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_cannot_be_run_is_unreachable_and_counts_for_nothing() {
    let running = Running::default();
    for command in [Vec::new(), vec!["/nowhere/at-all".to_owned()], vec!["/".to_owned()]] {
        let started = start(&command, &BTreeMap::new(), &running);
        assert_eq!(started.err(), Some(UpstreamError::Unreachable), "{command:?}");
    }
    assert!(all_gone(&running).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_the_process_reach_whoever_waits() {
    let running = Running::default();
    let asked = r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#;
    let script = format!("read a; echo '{asked}'; echo '{}'; read b", answering(1, "then"));
    let process = shell(&script, &[], &running);
    let mut answers = ask(&process, 1).await;
    let first = next(&mut answers).await.expect("the question");
    let shape = scan::shape(first.as_bytes()).expect("a message");
    assert_eq!(shape.kind, scan::ShapeKind::Request);
    assert_eq!(next(&mut answers).await, Some(answering(1, "then")));
}
