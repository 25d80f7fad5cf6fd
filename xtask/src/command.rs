//! Running other programs, saying what is run.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// A program to be run in the root of the repository, with plain output.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root()).env("CARGO_TERM_COLOR", "never");
    command
}

/// Cargo, as the one that runs this program.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    program(&cargo, arguments)
}

/// Runs `command` and says whether it went well.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool, String> {
    announce(command);
    let status = command.status().map_err(|error| cannot_run(command, &error))?;
    Ok(status.success())
}

/// Runs `command`, which has to go well.
pub(crate) fn must(command: &mut Command) -> Result<(), String> {
    if succeeds(command)? { Ok(()) } else { Err(format!("`{}` failed", words(command))) }
}

/// Runs `command`, shows each line of its output as it comes and gives it to `look`.
pub(crate) fn watch(command: &mut Command, look: &mut dyn FnMut(&str)) -> Result<bool, String> {
    announce(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| cannot_run(command, &error))?;
    let (sender, lines) = channel();
    if let Some(pipe) = child.stdout.take() {
        relay(pipe, sender.clone());
    }
    if let Some(pipe) = child.stderr.take() {
        relay(pipe, sender.clone());
    }
    drop(sender);
    for line in lines {
        println!("{line}");
        look(&line);
    }
    let status = child.wait().map_err(|error| cannot_run(command, &error))?;
    Ok(status.success())
}

/// Sends every line of `pipe` to `sender`, from a thread of its own.
fn relay(pipe: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        let mut lines = BufReader::new(pipe).lines().map_while(Result::ok);
        // Whoever no longer listens needs no more lines.
        let _stopped = lines.try_for_each(|line| sender.send(line));
    });
}

/// The output of `command`, when it goes well.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn announce(command: &Command) {
    println!("== {}", words(command));
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name =
        program.file_name().unwrap_or_else(|| command.get_program()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn cannot_run(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` cannot be run: {error}", words(command))
}
