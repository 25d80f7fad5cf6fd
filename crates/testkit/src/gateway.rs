//! The real binary as a process: started, waited for, asked, stopped.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::{Client, Deployment, Era, Issuer, Mcp, Response};

/// How long the gateway may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running gateway; it is killed when this value is dropped.
#[derive(Debug)]
pub struct Gateway {
    deployment: Deployment,
    child: Child,
    log: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Exited {
    /// The exit status; nothing after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Exited {
    /// Both outputs.
    pub fn said(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

impl Gateway {
    /// Starts `binary` with `deployment` and waits until it is ready.
    pub async fn start(binary: &str, deployment: Deployment) -> Self {
        Self::start_until(binary, deployment, "/readyz").await
    }

    /// Starts `binary` with `deployment` and waits until it lives, ready or not.
    pub async fn start_anyway(binary: &str, deployment: Deployment) -> Self {
        Self::start_until(binary, deployment, "/healthz").await
    }

    async fn start_until(binary: &str, deployment: Deployment, answers: &str) -> Self {
        deployment.write_config();
        let mut child = spawn(binary, &deployment);
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("standard error");
        let reader = tokio::spawn(keep(stderr, Arc::clone(&log)));
        let mut gateway = Self { deployment, child, log, reader };
        gateway.wait_until(answers).await;
        gateway
    }

    /// Starts `binary`, which is expected to refuse, and waits until it has ended.
    pub async fn start_in_vain(binary: &str, deployment: &Deployment) -> Exited {
        deployment.write_config();
        let child = spawn(binary, deployment);
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        exited(&output.expect("an end in time").expect("an output"))
    }

    /// Stops the gateway as a service manager does, and starts it again with the same files.
    pub async fn restart(mut self, binary: &str) -> Self {
        self.terminate().await;
        let Self { deployment, .. } = self;
        Self::start(binary, deployment).await
    }

    /// Kills the gateway where it stands, and starts it again with the same files.
    pub async fn killed_and_restarted(mut self, binary: &str) -> Self {
        self.signal(Signal::KILL);
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let _killed = status.expect("an end in time").expect("a status");
        let Self { deployment, .. } = self;
        Self::start(binary, deployment).await
    }

    async fn wait_until(&mut self, answers: &str) {
        let deadline = Instant::now() + PATIENCE;
        let admin = Client::new(&self.deployment.admin_url());
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("a status") {
                tokio::time::sleep(Duration::from_millis(100)).await;
                panic!("the gateway ended with {status}:\n{}", self.log());
            }
            if listens(admin.address()).await && admin.get(answers, &[]).await.status.is_success() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the gateway was not ready in time:\n{}", self.log());
    }

    /// The files.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The files, to be changed.
    pub fn deployment_mut(&mut self) -> &mut Deployment {
        &mut self.deployment
    }

    /// What it said on standard error so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Waits until the log contains `text`; false when it does not within five seconds.
    pub async fn says(&self, text: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if self.log().contains(text) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("a running process")
    }

    /// What clients call.
    pub fn url(&self) -> String {
        self.deployment.url()
    }

    /// An HTTP client of the MCP listener.
    pub fn http(&self) -> Client {
        Client::new(&self.deployment.url())
    }

    /// An HTTP client of the admin listener.
    pub fn admin(&self) -> Client {
        Client::new(&self.deployment.admin_url())
    }

    /// A request to the admin API with its bearer.
    pub async fn administrate(&self, method: &str, path: &str, body: &str) -> Response {
        let bearer = format!("Bearer {}", Deployment::ADMIN_TOKEN);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.admin().send(method, path, &headers, body.to_owned()).await
    }

    /// A good token of `issuer` for `user` on the endpoint of `server`.
    pub fn token(&self, issuer: &Issuer, user: &str, server: &str) -> String {
        issuer.token(user, &self.deployment.audience(server)).sign()
    }

    /// `user` with a good token at `server`, ready for requests.
    pub async fn connect(&self, issuer: &Issuer, user: &str, server: &str, era: Era) -> Mcp {
        let token = self.token(issuer, user, server);
        Mcp::connect(&self.url(), &format!("/mcp/{server}"), &token, era).await
    }

    /// The records of the audit log, oldest first, as `kenward audit tail` gives them.
    pub async fn records(&self, binary: &str) -> Vec<Value> {
        let config = self.deployment.config_path();
        let config = config.to_str().expect("a path");
        let exported = run(
            binary,
            &["audit", "tail", "-n", "1000000", "--format", "json", "--config", config],
        )
        .await;
        assert_eq!(exported.code, Some(0), "audit tail: {}", exported.stderr);
        let lines = exported.stdout.lines();
        lines.map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("sending a signal");
    }

    /// Stops the gateway as a service manager does and waits for its end.
    pub async fn stop(mut self) -> Exited {
        let code = self.terminate().await;
        Exited { code, stdout: String::new(), stderr: self.log() }
    }

    async fn terminate(&mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("an end in time").expect("a status");
        let _rest = tokio::time::timeout(Duration::from_secs(1), &mut self.reader).await;
        status.code()
    }
}

/// Runs `binary` with `arguments` to its end.
pub async fn run(binary: &str, arguments: &[&str]) -> Exited {
    run_in(binary, arguments, &std::env::temp_dir()).await
}

async fn run_in(binary: &str, arguments: &[&str], folder: &Path) -> Exited {
    let child = Command::new(binary)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, child).await.expect("an end in time");
    exited(&output.expect("a program that runs"))
}

fn exited(output: &std::process::Output) -> Exited {
    Exited {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn spawn(binary: &str, deployment: &Deployment) -> Child {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut words = deployment.wrapper.iter().map(String::as_str).chain([binary]);
    Command::new(words.next().unwrap_or(binary))
        .args(words)
        .args(["serve", "--config"])
        .arg(deployment.config_path())
        .args(&deployment.arguments)
        .env_clear()
        .env("PATH", path)
        .envs(deployment.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a program that starts")
}

async fn keep(stderr: impl AsyncRead + Unpin, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().expect("the log");
        log.push_str(&line);
        log.push('\n');
    }
}

async fn listens(address: &str) -> bool {
    tokio::net::TcpStream::connect(address).await.is_ok()
}
