//! `kenward check`: everything that is wrong with a configuration, without starting anything.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kenward_live::tools_of;
use kenward_model::{Finding, Place};
use kenward_policy::Tool;
use kenward_store::State;

use super::Outcome;
use crate::config::{self, Config, Definitions};
use crate::look::{SeenTool, look};
use crate::report::{self, Format};

pub(crate) const EXAMPLES: &str =
    "Examples:\n  kenward check kenward.yaml\n  kenward check --live --format json";

/// What `kenward check` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration file; kenward.yaml when none is named.
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,
    /// The configuration file, as the other commands name it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Ask the servers for their tools, instead of taking the definitions last seen.
    #[arg(long)]
    live: bool,
}

/// Checks, and prints what was found.
pub(crate) fn run(args: &Args, format: Format) -> io::Result<Outcome> {
    let path = args.file.as_ref().or(args.config.as_ref());
    let path = path.map_or_else(|| Path::new("kenward.yaml"), PathBuf::as_path);
    let known: config::Known<'_> = if args.live { &live_definitions } else { &stored_definitions };
    let (findings, good) = match config::load(path, Some(&config::environment), known) {
        Ok(loaded) => (loaded.findings, true),
        Err(findings) => (findings, false),
    };
    report::print(&mut anstream::stdout(), &findings, format)?;
    if good { Ok(Outcome::Good) } else { Ok(outcome(path, &findings)) }
}

/// A file that is not there is a mistake of the call; everything else was found in it.
pub(crate) fn outcome(path: &Path, findings: &[Finding]) -> Outcome {
    match findings.iter().any(Finding::is_error) {
        false => Outcome::Good,
        true if path.exists() => Outcome::Found,
        true => Outcome::Misuse,
    }
}

/// The definitions that the state holds; none when there is no state yet. Not for use inside a
/// runtime: it runs one.
pub(crate) fn stored_definitions(config: &Config) -> Result<Definitions, Vec<Finding>> {
    let path = config.state.strip_prefix("sqlite:").unwrap_or_default();
    if !Path::new(path).is_file() {
        return Ok(Definitions::new());
    }
    let stored = runtime()?.block_on(async {
        let state = State::open(&config.state).await?;
        let stored = state.definitions().await;
        state.close().await;
        stored
    });
    match stored {
        Ok(stored) => Ok(stored.into_iter().map(|(name, json)| (name, tools_of(&json))).collect()),
        Err(error) => Err(vec![Finding::error(Place::whole(path), error.to_string())]),
    }
}

/// The definitions that the servers declare now.
fn live_definitions(config: &Config) -> Result<Definitions, Vec<Finding>> {
    runtime()?.block_on(ask_all(config))
}

fn runtime() -> Result<tokio::runtime::Runtime, Vec<Finding>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        let message = format!("the definitions of the tools cannot be had: {error}");
        vec![Finding::error(Place::whole("kenward"), message)]
    })
}

async fn ask_all(config: &Config) -> Result<Definitions, Vec<Finding>> {
    let mut definitions = Definitions::new();
    let mut findings = Vec::new();
    for (name, server) in &config.settings.servers {
        match look(&server.transport, &server.credential).await {
            Ok(seen) => {
                definitions.insert(name.clone(), seen.tools.into_iter().map(tool).collect());
            }
            Err(error) => {
                let place = Place::whole(format!("server {name}"));
                findings.push(Finding::error(place, error.to_string()));
            }
        }
    }
    if findings.is_empty() { Ok(definitions) } else { Err(findings) }
}

fn tool(seen: SeenTool) -> Tool {
    Tool { name: seen.name.into(), input_schema: Some(Arc::new(seen.input_schema)) }
}
