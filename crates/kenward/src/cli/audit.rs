//! `kenward audit`: what stands in the audit log, and whether it is whole.

mod line;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use kenward_audit::{Broken, Digest, Filter, Head, Verdict, Verified};
use kenward_model::ServerName;
use kenward_store::segments::{self, Entry, ReadError};

use super::{Outcome, misuse};
use crate::config;
use crate::report::{self, Format};

/// What `kenward audit` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check that nothing in the log was altered, left out or cut off.
    #[command(after_help = "Example:\n  kenward audit verify --config kenward.yaml")]
    Verify(Verify),
    /// Print the last records.
    #[command(after_help = "Example:\n  kenward audit tail --follow --verdict refuse --user rita")]
    Tail(Tail),
    /// Print everything about one decision.
    #[command(after_help = "Example:\n  kenward audit show 0190d5e0-7f3a-7c4e-9a51-3e5b1c2d4f60")]
    Show(Show),
}

/// Which log.
#[derive(Debug, clap::Args)]
struct Where {
    /// The configuration that names the log.
    #[arg(long, value_name = "FILE", default_value = "kenward.yaml")]
    config: PathBuf,
    /// The folder of the log itself.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    directory: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    log: Where,
    /// A head that an earlier verification printed: the log must still contain it.
    #[arg(long, value_name = "NUMBER:HASH", value_parser = head)]
    head: Vec<Head>,
}

#[derive(Debug, clap::Args)]
struct Tail {
    #[command(flatten)]
    log: Where,
    /// How many records.
    #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT")]
    last: usize,
    /// Go on printing what is written from now on.
    #[arg(short, long)]
    follow: bool,
    /// Only records of this user.
    #[arg(long, value_name = "ID")]
    user: Option<Arc<str>>,
    /// Only records of this agent.
    #[arg(long, value_name = "ID")]
    agent: Option<Arc<str>>,
    /// Only records of this server.
    #[arg(long, value_name = "NAME", value_parser = super::server_name)]
    server: Option<ServerName>,
    /// Only records of this tool, prompt or URI.
    #[arg(long, value_name = "NAME")]
    target: Option<Arc<str>>,
    /// Only records with this answer.
    #[arg(long, value_enum, value_name = "ANSWER")]
    verdict: Option<Answer>,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The id of the decision: the reference in a refusal, or the `txn` of a grant.
    id: String,
    #[command(flatten)]
    log: Where,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Answer {
    /// What was allowed.
    Allow,
    /// What was refused.
    Refuse,
}

/// Runs the command.
pub(crate) fn run(args: &Args, format: Format) -> io::Result<Outcome> {
    let log = match &args.command {
        Command::Verify(verify) => &verify.log,
        Command::Tail(tail) => &tail.log,
        Command::Show(show) => &show.log,
    };
    let directory = match log.directory() {
        Ok(directory) => directory,
        Err(outcome) => return outcome,
    };
    if !directory.is_dir() {
        return misuse(&format!("there is no audit log at `{}`", directory.display()));
    }
    let mut out = anstream::stdout().lock();
    match &args.command {
        Command::Verify(verify) => check(&directory, &verify.head, format, &mut out),
        Command::Tail(tail) => print_tail(&directory, tail, format, &mut out),
        Command::Show(show) => print_decision(&directory, &show.id, format, &mut out),
    }
}

impl Where {
    fn directory(&self) -> Result<PathBuf, io::Result<Outcome>> {
        if let Some(directory) = &self.directory {
            return Ok(directory.clone());
        }
        config::audit_directory(&self.config).map_err(|findings| {
            report::print(&mut anstream::stderr(), &findings, Format::Text)?;
            Ok(super::check::outcome(&self.config, &findings))
        })
    }
}

fn check(
    directory: &Path,
    known: &[Head],
    format: Format,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let verified = segments::verify_with(directory, known);
    match format {
        Format::Json => writeln!(out, "{}", verdict_json(&verified))?,
        Format::Text => match &verified {
            Ok(whole) => {
                let half =
                    if whole.half_line { "; half a line follows, not yet written" } else { "" };
                writeln!(
                    out,
                    "\x1b[1;32mwhole\x1b[0m: {} lines in {} segments, up to {}{half}",
                    whole.lines,
                    whole.segments,
                    shown(whole.head)
                )?;
            }
            Err(broken) => {
                for broken in broken {
                    writeln!(out, "\x1b[1;31mbroken\x1b[0m: {broken}")?;
                }
            }
        },
    }
    Ok(if verified.is_ok() { Outcome::Good } else { Outcome::Found })
}

/// A head as `--head` takes it.
fn shown(head: Head) -> String {
    format!("{}:{}", head.sequence, head.hash)
}

fn head(text: &str) -> Result<Head, String> {
    let parsed = text.split_once(':').and_then(|(sequence, hash)| {
        Some(Head { sequence: sequence.parse().ok()?, hash: Digest::from_hex(hash.as_bytes())? })
    });
    parsed.ok_or_else(|| "write it as an earlier verification printed it: NUMBER:HASH".to_owned())
}

fn verdict_json(verified: &Result<Verified, Vec<Broken>>) -> serde_json::Value {
    match verified {
        Ok(whole) => serde_json::json!({
            "whole": true, "lines": whole.lines, "segments": whole.segments,
            "head": shown(whole.head), "half_line": whole.half_line,
        }),
        Err(broken) => serde_json::json!({
            "whole": false, "broken": broken.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
    }
}

fn print_tail(
    directory: &Path,
    tail: &Tail,
    format: Format,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let (last, following) =
        segments::tail(directory, tail.filter(), tail.last).map_err(unreadable)?;
    for entry in last {
        print(&entry, format, out)?;
    }
    if tail.follow {
        follow(following, format, out)?;
    }
    Ok(Outcome::Good)
}

/// Prints what is written from now on, until nobody reads it any more.
fn follow(mut records: segments::Records, format: Format, out: &mut dyn Write) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        loop {
            for entry in records.by_ref() {
                print(&entry.map_err(unreadable)?, format, out)?;
            }
            out.flush()?;
            tokio::time::sleep(PAUSE).await;
        }
    })
}

fn print_decision(
    directory: &Path,
    id: &str,
    format: Format,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let filter = Filter { id: Some(id.to_ascii_lowercase()), ..Filter::default() };
    let mut found = false;
    for entry in segments::read(directory, filter).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        found = true;
        match format {
            Format::Json => print(&entry, format, out)?,
            Format::Text => line::whole(&entry.record, out)?,
        }
    }
    if found {
        return Ok(Outcome::Good);
    }
    writeln!(anstream::stderr(), "no record has the id `{}`", line::clean(id))?;
    Ok(Outcome::Found)
}

fn print(entry: &Entry, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => {
            out.write_all(&entry.line)?;
            writeln!(out)
        }
        Format::Text => line::short(&entry.record, out),
    }
}

impl Tail {
    fn filter(&self) -> Filter {
        Filter {
            user: self.user.clone(),
            agent: self.agent.clone(),
            server: self.server.clone(),
            target: self.target.clone(),
            verdict: self.verdict.map(|answer| match answer {
                Answer::Allow => Verdict::Allow,
                Answer::Refuse => Verdict::Refuse,
            }),
            ..Filter::default()
        }
    }
}

fn unreadable(error: ReadError) -> io::Error {
    match std::error::Error::source(&error) {
        Some(source) => io::Error::other(format!("{error}: {source}")),
        None => io::Error::other(error),
    }
}

/// How often a log is looked at for news.
const PAUSE: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests;
