//! `kenward completions`: what a shell needs to complete our commands.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Outcome};

/// What `kenward completions` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
pub(crate) fn run(args: &Args) -> io::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "kenward", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Outcome::Good)
}
