//! `kenward demo`: the story, played live.

use crate::cli::Outcome;

/// What `kenward demo` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave everything running afterwards, with the console.
    #[arg(long)]
    pub(crate) serve: bool,
}

/// Plays the story.
pub(crate) fn run(_args: &Args) -> std::io::Result<Outcome> {
    Err(std::io::Error::other("`kenward demo` is not wired yet"))
}
