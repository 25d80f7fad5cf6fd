//! `cargo xtask test`: everything that the tests need, and then all of them.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::command::{cargo, output, watch};
use crate::counts::Counts;
use crate::{conformance, layers, peers, size};

/// Installs the peers, builds the binary, runs every test and closes with one line of numbers.
pub(crate) fn run() -> Result<bool, String> {
    let started = Instant::now();
    let mut stages = Stages::default();
    let mut counts = Counts::default();
    stages.note("layers", layers::run()?);
    stages.note("sizes", size::run()?);
    let peers = peers::install()?;
    let suite = conformance::install()?;
    let build = ["build", "--locked", "--workspace", "--bins"];
    if watch(&mut cargo(&build), &mut |_| {})? {
        for (stage, mut command) in commands(&peers, suite.as_deref()) {
            let good = watch(&mut command, &mut |line| counts.read(line))?;
            stages.note(stage, good);
        }
    } else {
        stages.note("build", false);
    }
    counts.failed = counts.failed.max(stages.failed.len());
    Ok(close(&stages, counts, started))
}

/// What was done and what of it went wrong.
#[derive(Debug, Default)]
struct Stages {
    failed: Vec<&'static str>,
}

impl Stages {
    fn note(&mut self, stage: &'static str, good: bool) {
        if !good {
            self.failed.push(stage);
        }
    }
}

/// The runs in their order: what is small first, the whole system last.
fn commands(peers: &Path, suite: Option<&Path>) -> Vec<(&'static str, Command)> {
    let mut runs = if output(&mut cargo(&["nextest", "--version"])).is_some() {
        vec![
            ("tests of the crates", nextest("not (package(kenward) & kind(test))")),
            ("doc tests", cargo(&["test", "--locked", "--workspace", "--doc"])),
            ("system tests", nextest("package(kenward) & kind(test)")),
        ]
    } else {
        println!("cargo-nextest is not installed: cargo test runs the tests");
        let plain = |rest: &[&str]| {
            cargo(&[&["test", "--locked", "--workspace", "--no-fail-fast"], rest].concat())
        };
        vec![
            ("tests of the crates", plain(&["--lib", "--bins"])),
            ("doc tests", plain(&["--doc"])),
            ("system tests", plain(&["--test", "*"])),
        ]
    };
    for (_, command) in &mut runs {
        command.env("KENWARD_PEERS", peers);
        if let Some(suite) = suite {
            command.env("KENWARD_CONFORMANCE", suite);
        }
    }
    runs
}

fn nextest(which: &str) -> Command {
    let configuration =
        ["nextest", "run", "--locked", "--workspace", "--config-file", "xtask/nextest.toml"];
    cargo(&[&configuration[..], &["--no-tests", "pass", "-E", which]].concat())
}

fn close(stages: &Stages, counts: Counts, started: Instant) -> bool {
    let seconds = started.elapsed().as_secs();
    let good = stages.failed.is_empty();
    if good {
        println!("test: everything passed, in {seconds} s");
    } else {
        println!("test: FAILED: {} (after {seconds} s)", stages.failed.join(", "));
    }
    println!("{} passed, {} failed", counts.passed, counts.failed);
    good
}
