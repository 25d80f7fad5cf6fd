//! A conversation with a program over its standard input and output.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use kenward_mcp::lines;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{LookError, MOST_BYTES, Outgoing, answers};

pub(super) struct Wire {
    child: Child,
    group: Option<Pid>,
    input: Option<ChildStdin>,
    output: ChildStdout,
    decoder: lines::Decoder,
}

impl Wire {
    /// Starts the program in a process group of its own, with no environment but the given one.
    pub(super) fn start(
        command: &[String],
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, LookError> {
        let (program, arguments) =
            command.split_first().ok_or_else(|| failed("", "the command is empty"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(program, &error.to_string()))?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or_else(|| failed(program, "it has no output"))?;
        Ok(Self { child, group, input, output, decoder: lines::Decoder::new(MOST_BYTES) })
    }

    /// Sends a message; the answer to a request, and null to a notification.
    pub(super) async fn exchange(&mut self, outgoing: &Outgoing<'_>) -> Result<Value, LookError> {
        self.write(&outgoing.json).await?;
        let Some(id) = outgoing.id else {
            return Ok(Value::Null);
        };
        loop {
            let json = self.message().await?;
            if answers(&json, id) {
                return Ok(json);
            }
            if let Some(reply) = reply_to(&json) {
                self.write(&reply).await?;
            }
        }
    }

    /// Lets the program end by itself, and ends it and its children when it does not.
    pub(super) async fn end(&mut self) {
        self.input = None;
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err()
            && let Some(group) = self.group
        {
            kill_process_group(group, Signal::KILL).ok();
            drop(self.child.wait().await);
        }
    }

    async fn write(&mut self, json: &Value) -> Result<(), LookError> {
        let input = self.input.as_mut().ok_or(LookError::Ended)?;
        let line = format!("{json}\n");
        input.write_all(line.as_bytes()).await.map_err(|_| LookError::Ended)?;
        input.flush().await.map_err(|_| LookError::Ended)
    }

    /// The next line that is JSON; programs that also print other things are forgiven here.
    async fn message(&mut self) -> Result<Value, LookError> {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let mut lines = std::iter::from_fn(|| self.decoder.next());
            if let Some(json) = lines.find_map(|line| serde_json::from_slice(&line).ok()) {
                return Ok(json);
            }
            let read = self.output.read(&mut chunk).await.map_err(|_| LookError::Ended)?;
            if read == 0 {
                return Err(LookError::Ended);
            }
            let piece = chunk.get(..read).unwrap_or_default();
            self.decoder.push(piece).map_err(|error| LookError::Strange(error.to_string()))?;
        }
    }
}

/// We offer nothing to servers but a sign of life.
fn reply_to(json: &Value) -> Option<Value> {
    let method = json.get("method")?.as_str()?;
    let id = json.get("id")?;
    if method == "ping" {
        return Some(json!({ "jsonrpc": "2.0", "id": id, "result": {} }));
    }
    let error = json!({ "code": super::NO_SUCH_METHOD, "message": "not offered" });
    Some(json!({ "jsonrpc": "2.0", "id": id, "error": error }))
}

fn failed(program: &str, why: &str) -> LookError {
    LookError::Program { program: program.to_owned(), why: why.to_owned() }
}

/// How long a program may take to end after its input is closed.
const GRACE: Duration = Duration::from_secs(2);
