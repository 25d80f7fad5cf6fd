//! The life of one process: started with a clean environment, drained, and ended with its group.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kenward_mcp::Message;
use kenward_mcp::lines::Decoder;
use kenward_model::ServerName;
use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::lines::{Lines, Numbers, Own, parse};
use super::router::Router;
use crate::upstream::UpstreamError;
use crate::upstream::lines::as_line;

/// Lines waiting to be read by the process.
const QUEUE: usize = 64;
/// How long a process may take to end after its input closed, and again after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// How much of one line of its standard error is logged, in bytes.
const LOGGED: u64 = 4096;
/// Lines of its standard error that are logged in one [`LOGGED_IN`]; the rest is read and left out.
const MOST_LOGGED: u32 = 200;
const LOGGED_IN: Duration = Duration::from_secs(10);

/// What is started, and what it may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program<'a> {
    pub(crate) server: &'a ServerName,
    pub(crate) command: &'a [String],
    /// The whole environment.
    pub(crate) environment: &'a BTreeMap<String, String>,
    /// The longest line that is taken from it, in bytes.
    pub(crate) longest: usize,
}

/// How many processes run, to wait for the last one.
#[derive(Debug, Clone)]
pub(super) struct Running(watch::Sender<usize>);

/// What is done when a process has ended by itself; it is given when it was started.
pub(super) type OnDeath = Box<dyn FnOnce(Instant) + Send>;

impl Default for Running {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Running {
    pub(super) fn count(&self) -> usize {
        *self.0.borrow()
    }

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
    numbers: Arc<Numbers>,
    /// When something was last asked of it.
    used: Mutex<Instant>,
    end: watch::Sender<bool>,
}

impl Process {
    pub(super) fn start(
        program: &Program<'_>,
        running: Running,
        on_death: OnDeath,
    ) -> Result<Self, UpstreamError> {
        let Program { server, command, environment, longest } = *program;
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
        let mut reading = tokio::spawn(read(pipes.output, Arc::clone(&router), longest));
        let (server, closing) = (server.clone(), Arc::clone(&router));
        let started = Instant::now();
        tokio::spawn(async move {
            if wait_and_end(&mut *child, ending).await {
                on_death(started);
            }
            // A launcher that has ended may leave its server behind: the whole group goes.
            let _gone = child.start_kill();
            // Its last words may still be on their way.
            let _heard = tokio::time::timeout(GRACE, &mut reading).await;
            reading.abort();
            closing.close();
            tracing::debug!(%server, "a server's process has ended");
            running.leave();
        });
        Ok(Self { input, router, numbers: Arc::default(), used: Mutex::new(started), end })
    }

    /// Sends a request under a number of its own; what belongs to it comes back under its raw `id`
    /// and token, its response last.
    pub(crate) async fn request(
        &self,
        id: &[u8],
        progress: Option<&[u8]>,
        message: &Bytes,
    ) -> Result<Lines, UpstreamError> {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let number = self.numbers.take(id);
        let own = Own {
            number,
            id: id.to_vec(),
            progress: progress.map(<[u8]>::to_vec),
            router: Arc::clone(&self.router),
            numbers: Arc::clone(&self.numbers),
            input: self.input.clone(),
            cancels: false,
            answered: false,
        };
        let message = own.outgoing(message)?;
        let number = number.to_string();
        let token = progress.map(|_| number.as_bytes());
        let answers = self.router.expect(number.as_bytes(), token);
        let answers = answers.ok_or(UpstreamError::SessionEnded)?;
        if parse(&message).is_some_and(|message| message.method() == "subscriptions/listen") {
            self.router.listens(number.as_bytes());
        }
        let answers = Lines::of(answers, own);
        self.send(&message).await?;
        Ok(answers)
    }

    /// Passes on that a client calls a request of its own off; one that is not under way is not
    /// spoken of.
    pub(crate) async fn cancel(&self, message: &Message) -> Result<(), UpstreamError> {
        let id = message.params().get("requestId");
        let Some(number) = id.and_then(|id| self.numbers.of(id)) else { return Ok(()) };
        let edited = message.with_params_member(&["requestId"], Some(&number.to_string()));
        let broken = UpstreamError::Misbehaved("the message cannot be numbered");
        self.send(&edited.ok_or(broken)?).await
    }

    /// Sends a message that has no answer.
    pub(crate) async fn send(&self, message: &Bytes) -> Result<(), UpstreamError> {
        self.input.send(as_line(message)).await.map_err(|_| UpstreamError::SessionEnded)
    }

    /// The stream of what belongs to no request.
    pub(crate) fn listen(&self) -> Lines {
        self.router.listen().into()
    }

    /// Whether nothing is under way and nothing was asked for so long.
    pub(super) fn is_idle(&self, idle: Duration) -> bool {
        let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        self.numbers.is_empty() && used.elapsed() >= idle
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

async fn read(mut output: ChildStdout, router: Arc<Router>, longest: usize) {
    let mut decoder = Decoder::new(longest);
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

/// Its standard error goes to the log at debug level, for it may quote anything: with control
/// characters escaped, and never more than a reader of the log can bear.
async fn log_errors(server: ServerName, errors: ChildStderr) {
    let mut errors = BufReader::new(errors);
    let (mut since, mut logged) = (Instant::now(), 0_u32);
    loop {
        let mut line = Vec::new();
        match (&mut errors).take(LOGGED).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if since.elapsed() >= LOGGED_IN {
            (since, logged) = (Instant::now(), 0);
        }
        logged = logged.saturating_add(1);
        if logged <= MOST_LOGGED {
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end().escape_debug();
            tracing::debug!(%server, %line, "server's standard error");
        } else if logged == MOST_LOGGED + 1 {
            tracing::debug!(%server, "more on the server's standard error is left out");
        }
    }
}

/// Waits for the process to end or to be ended: input closed, then SIGTERM, then SIGKILL, to all
/// of its group each time (a launcher such as npx is not the server itself).
/// True when it has ended by itself.
async fn wait_and_end(child: &mut dyn ChildWrapper, mut ending: watch::Receiver<bool>) -> bool {
    let ended_by_itself = tokio::select! {
        _status = child.wait() => true,
        _ended = ending.wait_for(|ended| *ended) => false,
    };
    let group = child.id().and_then(|id| i32::try_from(id).ok());
    if ended_by_itself {
        return true;
    }
    for signal in [None, Some(rustix::process::Signal::TERM), Some(rustix::process::Signal::KILL)] {
        if let (Some(signal), Some(group)) =
            (signal, group.and_then(rustix::process::Pid::from_raw))
        {
            // An error means that the group is gone already.
            let _gone = rustix::process::kill_process_group(group, signal);
        }
        if tokio::time::timeout(GRACE, child.wait()).await.is_ok() {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests;
