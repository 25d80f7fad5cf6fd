//! The suite as it is installed: how it is run, and what it found.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// How long one run may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// The length of the time at the end of a folder's name, as `-2026-07-28T12-00-00-000Z`.
const STAMP: usize = 25;

/// The folder that `cargo xtask conformance` fills.
#[derive(Debug)]
pub(crate) struct Suite(PathBuf);

/// How a scenario ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every check holds.
    Pass,
    /// Whatever is demanded holds; something that is recommended does not.
    Warn,
    /// A check does not hold.
    Fail,
    /// Nothing was checked.
    Skip,
}

/// What a run found: each scenario with its ending and what it complained of.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) scenarios: BTreeMap<String, (Ending, Vec<String>)>,
    pub(crate) succeeded: bool,
    pub(crate) said: String,
}

impl Suite {
    /// The installed suite. Nothing, with a message, when there is none; a failure when the
    /// environment says that there is one.
    pub(crate) fn find() -> Option<Self> {
        let promised = std::env::var_os("KENWARD_CONFORMANCE").map(PathBuf::from);
        let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/conformance");
        let place = promised.clone().unwrap_or(usual);
        if place.join("stamp").is_file() {
            return Some(Self(place));
        }
        assert!(promised.is_none(), "no conformance suite at {}", place.display());
        eprintln!("SKIPPED: the suite is not installed; `cargo xtask conformance` installs it");
        None
    }

    /// Runs the scenarios for servers that `revision` has against `url`.
    pub(crate) async fn server(&self, url: &str, revision: &str) -> Findings {
        self.run(&["server", "--url", url, "--requirements", revision], "server-").await
    }

    /// Runs one scenario for servers that is in no list of requirements.
    pub(crate) async fn scenario(&self, url: &str, scenario: &str) -> Findings {
        self.run(&["server", "--url", url, "--scenario", scenario], "server-").await
    }

    /// Runs one scenario for clients of `revision`, with `command` as the client.
    pub(crate) async fn client(&self, command: &str, scenario: &str, revision: &str) -> Findings {
        let arguments = ["--command", command, "--scenario", scenario, "--spec-version", revision];
        let mut findings = self.run(&[&["client"], &arguments[..]].concat(), "").await;
        let succeeded = findings.succeeded;
        // A client that did not get what it needs says so, although every check may hold.
        for (ending, complaints) in findings.scenarios.values_mut() {
            if *ending == Ending::Pass && !succeeded {
                *ending = Ending::Fail;
                complaints.push("the client did not get what it needs".to_owned());
            }
        }
        findings
    }

    async fn run(&self, arguments: &[&str], prefix: &str) -> Findings {
        let results = TempDir::new().expect("a folder");
        let index = self.0.join("node_modules/@modelcontextprotocol/conformance/dist/index.js");
        let run = Command::new(self.0.join("node"))
            .arg(index)
            .args(arguments)
            .arg("-o")
            .arg(results.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, run).await.expect("an end in time");
        let output = output.expect("a program that runs");
        let said = [output.stdout, output.stderr].concat();
        Findings {
            scenarios: read(results.path(), prefix),
            succeeded: output.status.success(),
            said: String::from_utf8_lossy(&said).into_owned(),
        }
    }
}

impl Findings {
    /// Adds what another run found.
    pub(crate) fn add(&mut self, other: Self) {
        self.scenarios.extend(other.scenarios);
        self.said.push_str(&other.said);
    }
}

impl Ending {
    /// The word for it in the files of what is expected.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (scenario, (ending, complaints)) in &self.scenarios {
            writeln!(f, "{} {scenario}", ending.word())?;
            for complaint in complaints {
                writeln!(f, "       {complaint}")?;
            }
        }
        Ok(())
    }
}

/// Each scenario has a folder named after it and the time, with its checks.
fn read(results: &Path, prefix: &str) -> BTreeMap<String, (Ending, Vec<String>)> {
    let mut scenarios = BTreeMap::new();
    for entry in std::fs::read_dir(results).expect("the results") {
        let folder = entry.expect("a folder");
        let name = folder.file_name().to_string_lossy().into_owned();
        let name = name.strip_prefix(prefix).expect("the prefix").to_owned();
        let scenario = name.get(..name.len() - STAMP).expect("a time at the end").to_owned();
        let found = match std::fs::read_to_string(folder.path().join("checks.json")) {
            Ok(text) => judge(&serde_json::from_str::<Vec<Value>>(&text).expect("checks as JSON")),
            Err(_) => (Ending::Fail, vec!["the scenario broke off".to_owned()]),
        };
        assert!(scenarios.insert(scenario, found).is_none(), "{name} ran twice");
    }
    scenarios
}

fn judge(checks: &[Value]) -> (Ending, Vec<String>) {
    let count = |status: &str| checks.iter().filter(|check| check["status"] == status).count();
    let ending = match (count("FAILURE"), count("WARNING"), count("SUCCESS")) {
        (1.., _, _) => Ending::Fail,
        (0, 1.., _) => Ending::Warn,
        (0, 0, 1..) => Ending::Pass,
        (0, 0, 0) => Ending::Skip,
    };
    let complains = |check: &&Value| check["status"] == "FAILURE" || check["status"] == "WARNING";
    let complaint = |check: &Value| {
        let text = check["errorMessage"].as_str().unwrap_or_default();
        let short: String = text.chars().take(400).collect();
        format!("{}: {short}", check["id"].as_str().unwrap_or_default())
    };
    (ending, checks.iter().filter(complains).map(complaint).collect())
}
