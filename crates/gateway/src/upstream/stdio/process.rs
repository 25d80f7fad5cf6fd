//! The life of one process: started with a clean environment, drained, and ended with its group.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kenward_mcp::lines::Decoder;
use kenward_model::ServerName;
use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};

use super::router::Router;
use crate::upstream::UpstreamError;
use crate::upstream::lines::as_line;

/// Lines waiting to be read by the process.
const QUEUE: usize = 64;
/// The longest line that is taken from a process, in bytes.
const LONGEST_LINE: usize = 16 << 20;
/// How long a process may take to end after its input closed, and again after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// How much of one line of its standard error is logged, in bytes.
const LOGGED: u64 = 4096;

/// How many processes run, to wait for the last one.
#[derive(Debug, Clone)]
pub(super) struct Running(watch::Sender<usize>);

impl Default for Running {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Running {
    fn enter(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    fn leave(&self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }

    /// Waits until none runs.
    pub(super) async fn gone(&self) {
        let mut count = self.0.subscribe();
        // An error means that the sender is gone, and with it all processes.
        let _gone = count.wait_for(|count| *count == 0).await;
    }
}

/// A process that speaks MCP on its standard input and output.
#[derive(Debug)]
pub(crate) struct Process {
    input: mpsc::Sender<Bytes>,
    router: Arc<Router>,
    end: watch::Sender<bool>,
}

impl Process {
    pub(super) fn start(
        server: &ServerName,
        command: &[String],
        environment: &BTreeMap<String, String>,
        running: Running,
    ) -> Result<Self, UpstreamError> {
        let (mut child, pipes) = spawn(command, environment).map_err(|error| {
            tracing::error!(%server, %error, "a server's process cannot be started");
            UpstreamError::Unreachable
        })?;
        let (input, lines) = mpsc::channel(QUEUE);
        let (end, ending) = watch::channel(false);
        let router = Arc::new(Router::default());
        running.enter();
        tokio::spawn(log_errors(server.clone(), pipes.errors));
        tokio::spawn(write(pipes.input, lines, ending.clone()));
        let mut reading = tokio::spawn(read(pipes.output, Arc::clone(&router)));
        let (server, closing) = (server.clone(), Arc::clone(&router));
        tokio::spawn(async move {
            wait_and_end(&mut *child, ending).await;
            // A launcher that has ended may leave its server behind: the whole group goes.
            let _gone = child.start_kill();
            // Its last words may still be on their way.
            let _heard = tokio::time::timeout(GRACE, &mut reading).await;
            reading.abort();
            closing.close();
            tracing::debug!(%server, "a server's process has ended");
            running.leave();
        });
        Ok(Self { input, router, end })
    }

    /// Sends a request; what belongs to it comes back, its response last.
    pub(crate) async fn request(
        &self,
        id: &[u8],
        progress: Option<&[u8]>,
        message: &Bytes,
    ) -> Result<mpsc::Receiver<Bytes>, UpstreamError> {
        let Some(answers) = self.router.expect(id, progress) else {
            return Err(if self.lives() {
                UpstreamError::Misbehaved("a request with this id is under way")
            } else {
                UpstreamError::SessionEnded
            });
        };
        if let Err(error) = self.send(message).await {
            self.router.forget(id);
            return Err(error);
        }
        Ok(answers)
    }

    /// Forgets who waits for the answer to the request `id`.
    pub(crate) fn forget(&self, id: &[u8]) {
        self.router.forget(id);
    }

    /// Sends a message that has no answer.
    pub(crate) async fn send(&self, message: &Bytes) -> Result<(), UpstreamError> {
        self.input.send(as_line(message)).await.map_err(|_| UpstreamError::SessionEnded)
    }

    /// The stream of what belongs to no request.
    pub(crate) fn listen(&self) -> mpsc::Receiver<Bytes> {
        self.router.listen()
    }

    /// Whether messages still reach it.
    pub(crate) fn lives(&self) -> bool {
        !self.input.is_closed() && !self.router.is_closed()
    }

    /// Begins to end it; dropping the last handle does the same.
    pub(crate) fn end(&self) {
        self.end.send_replace(true);
    }
}

struct Pipes {
    input: ChildStdin,
    output: ChildStdout,
    errors: ChildStderr,
}

fn spawn(
    command: &[String],
    environment: &BTreeMap<String, String>,
) -> std::io::Result<(Box<dyn ChildWrapper>, Pipes)> {
    let missing = || std::io::Error::other("the command is empty");
    let (program, arguments) = command.split_first().ok_or_else(missing)?;
    let mut plain = Command::new(program);
    plain.args(arguments).env_clear().envs(environment);
    plain.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut wrapped = CommandWrap::from(plain);
    wrapped.wrap(ProcessGroup::leader()).wrap(KillOnDrop);
    let mut child = wrapped.spawn()?;
    let pipes = (child.stdin().take(), child.stdout().take(), child.stderr().take());
    match pipes {
        (Some(input), Some(output), Some(errors)) => Ok((child, Pipes { input, output, errors })),
        _ => Err(std::io::Error::other("the process has no pipes")),
    }
}

async fn write(
    mut input: ChildStdin,
    mut lines: mpsc::Receiver<Bytes>,
    mut ending: watch::Receiver<bool>,
) {
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ended = ending.wait_for(|ended| *ended) => None,
        };
        let Some(line) = line else { return };
        if input.write_all(&line).await.is_err() || input.flush().await.is_err() {
            return;
        }
    }
}

async fn read(mut output: ChildStdout, router: Arc<Router>) {
    let mut decoder = Decoder::new(LONGEST_LINE);
    let mut buffer = bytes::BytesMut::with_capacity(16 << 10);
    loop {
        buffer.clear();
        match output.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        if decoder.push(&buffer).is_err() {
            tracing::error!("a process wrote a line that is too long; it is not read any more");
            break;
        }
        while let Some(line) = decoder.next() {
            router.deliver(line);
        }
    }
    router.close();
}

/// Its standard error goes to the log at debug level: it may quote anything.
async fn log_errors(server: ServerName, errors: ChildStderr) {
    let mut errors = BufReader::new(errors);
    loop {
        let mut line = Vec::new();
        match (&mut errors).take(LOGGED).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let line = String::from_utf8_lossy(&line);
                tracing::debug!(%server, line = line.trim_end(), "server's standard error");
            }
        }
    }
}

/// Waits for the process to end or to be ended: input closed, then SIGTERM, then SIGKILL, to all
/// of its group each time (a launcher such as npx is not the server itself).
async fn wait_and_end(child: &mut dyn ChildWrapper, mut ending: watch::Receiver<bool>) {
    let ended_by_itself = tokio::select! {
        _status = child.wait() => true,
        _ended = ending.wait_for(|ended| *ended) => false,
    };
    let group = child.id().and_then(|id| i32::try_from(id).ok());
    if ended_by_itself {
        return;
    }
    for signal in [None, Some(rustix::process::Signal::TERM), Some(rustix::process::Signal::KILL)] {
        if let (Some(signal), Some(group)) =
            (signal, group.and_then(rustix::process::Pid::from_raw))
        {
            // An error means that the group is gone already.
            let _gone = rustix::process::kill_process_group(group, signal);
        }
        if tokio::time::timeout(GRACE, child.wait()).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
