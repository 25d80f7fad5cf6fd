//! The command line.

mod admin;
mod audit;
mod check;
mod completions;
mod decide;
mod diff;
mod init;
mod progress;
mod prove;
mod schema;
mod test;
mod tools;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use kenward_model::ServerName;

use crate::config::{self, Loaded};
use crate::report::{self, Format};

pub(crate) use check::{outcome as outcome_of, stored_definitions};

/// What became of a command, which is its exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 0: all is well.
    Good,
    /// 1: something was found, or went wrong.
    Found,
    /// 2: the call itself was a mistake.
    Misuse,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Good => Self::SUCCESS,
            Outcome::Found => Self::from(1),
            Outcome::Misuse => Self::from(2),
        }
    }
}

/// Runs the command that this process was started with.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    match cli.dispatch() {
        Ok(outcome) => outcome.into(),
        // Whoever reads our output may stop reading: no mistake of ours.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(anstream::stderr(), "\x1b[1;31merror\x1b[0m: {error}"));
            Outcome::Found.into()
        }
    }
}

/// An authorization gateway between MCP clients and MCP servers: it decides, on every message,
/// what this person, through this agent, may do and may come to know.
#[derive(Debug, Parser)]
#[command(name = "kenward", version, arg_required_else_help = true)]
#[command(
    after_help = "Begin with `kenward demo`, or with `kenward init URL` for a server of your own.\n\
                        Exit status: 0 good, 1 a finding, 2 a mistake in the call."
)]
struct Cli {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play the story: a gateway, a server and a curious model, on this machine.
    #[command(after_help = "Example:\n  kenward demo --serve")]
    Demo(crate::demo::Args),
    /// Look at an MCP server and write a configuration to start with.
    #[command(after_help = init::EXAMPLES)]
    Init(init::Args),
    /// Run the gateway.
    #[command(after_help = "Example:\n  kenward serve --config /etc/kenward/kenward.yaml")]
    Serve(crate::serve::Args),
    /// Report everything that is wrong with a configuration, policies included.
    #[command(after_help = check::EXAMPLES)]
    Check(check::Args),
    /// Decide one question as the gateway would, and explain the answer.
    #[command(after_help = decide::EXAMPLES)]
    Decide(decide::Args),
    /// Play policy stories: given a directory and a history, when these calls, then these answers.
    #[command(after_help = test::EXAMPLES)]
    Test(test::Args),
    /// Prove that what must never be allowed is not, for every request there could be.
    #[command(after_help = prove::EXAMPLES)]
    Prove(prove::Args),
    /// Compare what two sets of policies allow, with an example of each difference.
    #[command(after_help = diff::EXAMPLES)]
    Diff(diff::Args),
    /// Look at what servers say of their tools, and approve or refuse it.
    #[command(after_help = tools::EXAMPLES)]
    Tools(tools::Args),
    /// Look into the audit log, or prove it whole.
    #[command(after_help = "Example:\n  kenward audit verify --directory /var/lib/kenward/audit")]
    Audit(audit::Args),
    /// Print the schema of a file that Kenward reads.
    #[command(after_help = schema::EXAMPLES)]
    Schema(schema::Args),
    /// Print the completions of a shell.
    #[command(after_help = "Example:\n  kenward completions bash > /etc/bash_completion.d/kenward")]
    Completions(completions::Args),
}

impl Cli {
    fn dispatch(&self) -> io::Result<Outcome> {
        match &self.command {
            Command::Demo(args) => crate::demo::run(args, self.format),
            Command::Init(args) => init::run(args, self.format),
            Command::Serve(args) => crate::serve::run(args, self.format),
            Command::Check(args) => check::run(args, self.format),
            Command::Decide(args) => decide::run(args, self.format),
            Command::Test(args) => test::run(args, self.format),
            Command::Prove(args) => prove::run(args, self.format),
            Command::Diff(args) => diff::run(args, self.format),
            Command::Tools(args) => tools::run(args, self.format),
            Command::Audit(args) => audit::run(args, self.format),
            Command::Schema(args) => schema::run(args),
            Command::Completions(args) => completions::run(args),
        }
    }
}

/// The configuration at `path` with the definitions last seen; where it cannot be used, everything
/// that is wrong with it is printed, and the outcome of that comes back.
fn loaded(path: &Path, format: Format) -> io::Result<Result<Loaded, Outcome>> {
    match config::load(path, Some(&config::environment), &stored_definitions) {
        Ok(loaded) => Ok(Ok(loaded)),
        Err(findings) => {
            report::print(&mut anstream::stderr(), &findings, format)?;
            Ok(Err(outcome_of(path, &findings)))
        }
    }
}

/// Reads the name of a server.
fn server_name(text: &str) -> Result<ServerName, String> {
    ServerName::try_from(text.to_owned()).map_err(|error| error.to_string())
}

/// Says a mistake of the call on standard error.
fn misuse(message: &str) -> io::Result<Outcome> {
    writeln!(anstream::stderr(), "\x1b[1;31merror\x1b[0m: {message}")?;
    Ok(Outcome::Misuse)
}

#[cfg(test)]
mod tests;
