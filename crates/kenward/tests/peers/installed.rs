//! Where the programs of others are installed, and how they are run.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

/// How long one of them may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The folder that `cargo xtask peers` fills.
#[derive(Debug, Clone)]
pub(crate) struct Peers(PathBuf);

impl Peers {
    /// The installed peers. Nothing, with a message, when there are none; a failure when the
    /// environment says that there are.
    pub(crate) fn find() -> Option<Self> {
        let promised = std::env::var_os("KENWARD_PEERS").map(PathBuf::from);
        let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
        let place = promised.clone().unwrap_or(usual);
        if place.join("stamp").is_file() {
            return Some(Self(place));
        }
        assert!(promised.is_none(), "no peers at {}", place.display());
        eprintln!("SKIPPED: the peers are not installed; `cargo xtask peers` installs them");
        None
    }

    /// The interpreter of JavaScript.
    pub(crate) fn node(&self) -> String {
        text(&self.0.join("node"))
    }

    /// The program of an npm package.
    pub(crate) fn package(&self, file: &str) -> String {
        text(&self.0.join("node_modules").join(file))
    }

    /// A script of ours, put where it finds the packages.
    pub(crate) fn script(&self, name: &str) -> String {
        let folder = self.0.join("scripts");
        std::fs::create_dir_all(&folder).expect("a folder");
        for name in [name, "plan.mjs"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name);
            // Others may be running it right now: it is replaced as a whole.
            let beside = folder.join(format!("{name}.{}", std::process::id()));
            std::fs::copy(source, &beside).expect("copying a script");
            std::fs::rename(&beside, folder.join(name)).expect("renaming a script");
        }
        text(&folder.join(name))
    }

    /// Runs one of the client scripts with a plan and gives the outcome of each step.
    pub(crate) async fn carry_out(&self, script: &str, arguments: &[&str]) -> Vec<Value> {
        let path = self.script(script);
        let interpreter = if Path::new(script).extension().is_some_and(|ending| ending == "py") {
            text(&self.0.join("python/bin/python"))
        } else {
            self.node()
        };
        let run = Command::new(interpreter)
            .arg(path)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, run).await.expect("an end in time");
        let output = output.expect("a program that runs");
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}: {out}\n{err}");
        let last = out.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{script}: {error}: {out}\n{err}"))
    }

    /// Starts a program that goes on until the value is dropped, and waits until `address` answers.
    pub(crate) async fn serve(
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        address: &str,
    ) -> Child {
        let mut child = Command::new(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("a program that starts");
        let listening = async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                let ended = child.try_wait().expect("a status");
                assert!(ended.is_none(), "{arguments:?} ended: {ended:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, listening).await.expect("a server in time");
        child
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path").to_owned()
}
