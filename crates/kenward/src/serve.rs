//! `kenward serve`: the gateway itself.

use std::path::PathBuf;

use crate::cli::Outcome;

/// What `kenward serve` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "kenward.yaml")]
    pub(crate) config: PathBuf,
}

/// Serves until a signal ends it.
pub(crate) fn run(_args: &Args) -> std::io::Result<Outcome> {
    Err(std::io::Error::other("`kenward serve` is not wired yet"))
}
