//! `kenward diff`: what a change of policies allows and no longer allows, with examples.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kenward_model::{Finding, Place};
use kenward_proof::{Change, Compared, Difference, Error, Example, compare};
use serde_json::{Value, json};

use super::progress::Progress;
use super::prove::{deployment, duration, solver, without_solver};
use super::{Outcome, misuse};
use crate::config::{self, Loaded};
use crate::report::{self, Format};

pub(crate) const EXAMPLES: &str = "Examples:\n  kenward diff old/kenward.yaml new/kenward.yaml\n  \
    kenward diff --config kenward.yaml policies-in-force policies --format json";

/// What `kenward diff` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What was: a configuration file, or a policy folder.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// What is to be: a configuration file, or a policy folder.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// The configuration that the policy folders are used with.
    #[arg(long, value_name = "FILE", default_value = "kenward.yaml")]
    config: PathBuf,
    /// Print also what is unchanged.
    #[arg(long)]
    all: bool,
    /// How long the solver may take for one question, for example 90s.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,
}

/// Compares, and prints each kind of request whose answers change.
pub(crate) fn run(args: &Args, format: Format) -> io::Result<Outcome> {
    let mut sides = Vec::new();
    for path in [&args.old, &args.new] {
        if !path.exists() {
            return misuse(&format!("there is no `{}`", path.display()));
        }
        match load(path, &args.config) {
            Ok(loaded) => sides.push(loaded),
            Err(findings) => {
                report::print(&mut anstream::stderr(), &findings, format)?;
                return Ok(Outcome::Misuse);
            }
        }
    }
    let [old, new] = sides.as_slice() else { return misuse("two sides are compared") };
    let progress = Progress::begin("comparing");
    let (old, new) = (deployment(old), deployment(new));
    let compared = compare(old, new, &solver(args.timeout), &mut |what| progress.now(what));
    drop(progress);
    let compared = match compared {
        Ok(compared) => compared,
        Err(error @ Error::NoSolver) => return misuse(&without_solver(&error)),
        Err(error) => return misuse(&error.to_string()),
    };
    match format {
        Format::Json => as_json(&mut anstream::stdout(), &compared)?,
        Format::Text => as_text(&mut anstream::stdout(), &compared, args.all)?,
    }
    Ok(if compared.widened() { Outcome::Found } else { Outcome::Good })
}

/// The deployment of a configuration, or of `config` with the policies of a folder.
fn load(path: &Path, config: &Path) -> Result<Loaded, Vec<Finding>> {
    let (file, folder) = if path.is_dir() { (config, Some(path)) } else { (path, None) };
    let mut loaded = config::load(file, Some(&config::environment), &super::stored_definitions)?;
    if let Some(folder) = folder {
        let place = Place::whole(folder.display().to_string());
        loaded.desk.sources = config::policies(folder, &place)?;
        loaded.compiled = loaded.desk.compile()?;
    }
    Ok(loaded)
}

fn as_text(out: &mut dyn Write, compared: &Compared, all: bool) -> io::Result<()> {
    let mut counts = [0_usize; 3];
    for one in &compared.differences {
        let [same, narrower, wider] = &mut counts;
        match one.change {
            Change::Unchanged => *same += 1,
            Change::Narrower => *narrower += 1,
            Change::Wider | Change::Both | Change::Unknown(_) => *wider += 1,
        }
        if all || one.change != Change::Unchanged {
            difference(out, one)?;
        }
    }
    let [same, narrower, wider] = counts;
    writeln!(out, "{wider} wider or not known, {narrower} narrower, {same} unchanged")
}

fn difference(out: &mut dyn Write, one: &Difference) -> io::Result<()> {
    let colour = match one.change {
        Change::Unchanged => DIM,
        Change::Narrower => YELLOW,
        Change::Wider | Change::Both | Change::Unknown(_) => RED,
    };
    writeln!(out, "{colour}{}{RESET} {BOLD}{}{RESET}", word(&one.change), one.words)?;
    if let Change::Unknown(why) = &one.change {
        writeln!(out, "  {why}")?;
    }
    for (what, example) in [("now allowed", &one.gained), ("no longer allowed", &one.lost)] {
        if let Some(example) = example {
            writeln!(out, "  {what}:")?;
            example.lines().iter().try_for_each(|line| writeln!(out, "    {line}"))?;
        }
    }
    Ok(())
}

fn word(change: &Change) -> &'static str {
    match change {
        Change::Unchanged => "unchanged",
        Change::Narrower => "narrower",
        Change::Wider => "wider",
        Change::Both => "both",
        Change::Unknown(_) => "not known",
    }
}

fn as_json(out: &mut dyn Write, compared: &Compared) -> io::Result<()> {
    let json = |example: &Option<Example>| example.as_ref().map(Example::json);
    let differences: Vec<Value> = compared
        .differences
        .iter()
        .map(|one| {
            let why = match &one.change {
                Change::Unknown(why) => Some(why),
                Change::Unchanged | Change::Narrower | Change::Wider | Change::Both => None,
            };
            json!({
                "principal": one.principal, "action": one.action, "resource": one.resource,
                "change": word(&one.change).replace(' ', "_"), "reason": why,
                "gained": json(&one.gained), "lost": json(&one.lost),
            })
        })
        .collect();
    let told = json!({
        "widened": compared.widened(), "differences": differences,
        "questions": compared.questions,
    });
    serde_json::to_writer_pretty(&mut *out, &told)?;
    writeln!(out)
}

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";
