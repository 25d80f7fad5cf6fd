//! The player: walks the story as MCP clients over real HTTP, and says what happens and why.

mod client;
mod ledger;
mod print;
mod story;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::Path;

use crate::{Authority, Deliveries};

/// Why a call was refused or allowed: what the audit log says of a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Which question was answered no, in plain words; nothing when the call was allowed.
    pub question: Option<String>,
    /// The reasons that the refused person may read.
    pub reasons: Vec<String>,
    /// The policies that decided.
    pub policies: Vec<String>,
    /// The objects that the call touched.
    pub objects: Vec<String>,
    /// The facts that it would have revealed.
    pub facts: Vec<String>,
}

/// What a check of the audit log found when everything is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many records there are.
    pub records: u64,
}

/// Everything that the player needs of the world around it.
pub struct Stage<'a> {
    /// The authorization server.
    pub authority: &'a Authority,
    /// The service behind the gateway.
    pub deliveries: &'a Deliveries,
    /// The gateway's public URL, without a trailing slash.
    pub gateway: &'a str,
    /// The URL of the admin listener, without a trailing slash.
    pub admin: &'a str,
    /// The bearer of the admin API.
    pub admin_token: &'a str,
    /// The folder of the audit log.
    pub audit: &'a Path,
    /// A folder in which a copy of the log can be spoilt.
    pub scratch: &'a Path,
    /// What the audit log says of a decision, by its id.
    pub explain: &'a (dyn Fn(&str) -> Option<Explanation> + Sync),
    /// Checks the audit log in a folder; says what is broken.
    pub verify: &'a (dyn Fn(&Path) -> Result<Verified, Vec<String>> + Sync),
}

impl std::fmt::Debug for Stage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("gateway", &self.gateway)
            .field("admin", &self.admin)
            .field("audit", &self.audit)
            .finish_non_exhaustive()
    }
}

/// What was played, when everything went as told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Played {
    /// How many things were looked at and found as told.
    pub checks: usize,
}

/// Plays the whole story and prints it to `out`, in colour: wrap `out` in
/// [`anstream::AutoStream`], which drops the colours unless it is a terminal.
///
/// # Errors
/// Everything that went otherwise than told, one text each, in order. The story goes on where it
/// can, so that all of it is seen at once.
pub async fn play(stage: &Stage<'_>, out: &mut (dyn Write + Send)) -> Result<Played, Vec<String>> {
    story::play(stage, out).await
}

/// Plays the story to standard output.
///
/// # Errors
/// As [`play`].
pub async fn play_to_terminal(stage: &Stage<'_>) -> Result<Played, Vec<String>> {
    play(stage, &mut anstream::stdout()).await
}
