use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::Solver;
use crate::fixture::{Company, GOOD, SECRET};
use crate::{Error, Outcome};

/// A program in the place of the solver.
fn pretender(name: &str, script: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("kenward-proof-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("cvc5");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

fn doubts(name: &str, script: &str) -> String {
    let path = pretender(name, script);
    let solver = Solver::new(&path, Duration::from_millis(400));
    let company = Company::with(GOOD);
    let proven = company.prove_by(SECRET, &solver).expect("a form for the solver");
    drop(fs::remove_dir_all(path.parent().expect("a folder")));
    match &proven.proofs[0].outcome {
        Outcome::NotProven(why) => why.join("\n"),
        outcome @ (Outcome::Proven | Outcome::Violated { .. }) => panic!("{name}: {outcome:?}"),
    }
}

#[test]
fn whatever_is_no_clear_answer_proves_nothing() {
    for (name, script) in [
        ("garbage", "while read line; do echo 'all is well'; done"),
        ("nothing", "exit 0"),
        ("failure", "exit 3"),
        ("silence", "exec sleep 30"),
        ("unknown", "while read line; do case \"$line\" in *check-sat*) echo unknown;; esac; done"),
        ("killed", "read line; kill -9 $$"),
        (
            "nearly",
            "while read line; do case \"$line\" in *check-sat*) echo unsatisfied;; esac; done",
        ),
        (
            "no model",
            "while read line; do case \"$line\" in *check-sat*) echo sat;; *get-model*) printf '(\\nhello\\n)\\n';; esac; done",
        ),
        ("error", "while read line; do echo '(error \"Parse Error: nonsense\")'; done"),
    ] {
        let why = doubts(name, script);
        assert!(why.contains("learn about Customer"), "{name}: {why}");
    }
}

#[test]
fn a_solver_that_takes_too_long_is_ended() {
    let path = pretender("pid", "echo $$ > \"$0.pid\"; exec sleep 600");
    let solver = Solver::new(&path, Duration::from_millis(300));
    let proven = Company::with(GOOD).prove_by(SECRET, &solver).expect("a form");
    let Outcome::NotProven(why) = &proven.proofs[0].outcome else { panic!("{proven:?}") };
    assert!(why[0].contains("no answer in 300ms"), "{why:?}");
    let pid = fs::read_to_string(path.with_extension("pid")).expect("it ran");
    let ended = (0..300).any(|_| {
        let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        let (_sender, receiver) = std::sync::mpsc::channel::<()>();
        state.is_empty() || state.contains(" Z ") || {
            receiver.recv_timeout(Duration::from_millis(10)).is_ok()
        }
    });
    assert!(ended, "it is still running");
    drop(fs::remove_dir_all(path.parent().expect("a folder")));
}

#[test]
fn the_solver_is_looked_for_where_it_is_said_to_be() {
    let path = pretender("found", "exit 0");
    let limit = Duration::from_secs(1);
    let folder = path.parent().expect("a folder").as_os_str().to_owned();
    let found = Solver::find(None, Some(&folder), limit).expect("on the path");
    assert_eq!(found.program, path);
    let named = Solver::find(Some(path.clone().into_os_string()), None, limit).expect("named");
    assert_eq!(named.program, path);
    let absent = Solver::find(Some("/no/such/cvc5".into()), Some(&folder), limit);
    assert_eq!(absent.expect_err("named and absent"), Error::NoSolver);
    assert_eq!(Solver::find(None, None, limit).expect_err("nowhere"), Error::NoSolver);
    drop(fs::remove_dir_all(path.parent().expect("a folder")));
}
