//! `kenward prove`: holds the policies against invariants, for every request there could be.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kenward_disclosure::{Families, PotentialFact};
use kenward_model::Finding;
use kenward_proof::{
    Coverage, Deployment, Error, Invariant, Outcome as Held, Proof, Proven, Solver, prove,
};
use serde_json::{Value, json};

use super::progress::Progress;
use super::{Outcome, misuse};
use crate::config::{self, Loaded, measure};
use crate::report::{self, Format};

pub(crate) const EXAMPLES: &str = "Examples:\n  kenward prove --config kenward.yaml\n  \
    kenward prove --invariants never.invariants.cedar --timeout 5m --format json";

/// What `kenward prove` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration whose policies are held against the invariants.
    #[arg(long, value_name = "FILE", default_value = "kenward.yaml")]
    config: PathBuf,
    /// The invariants: a file, or a folder of files. Without it: what the configuration names.
    #[arg(long, value_name = "PATH")]
    invariants: Option<PathBuf>,
    /// How long the solver may take for one question, for example 90s.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,
}

/// Proves, and prints what became of each invariant.
pub(crate) fn run(args: &Args, format: Format) -> io::Result<Outcome> {
    let loaded = match super::loaded(&args.config, format)? {
        Ok(loaded) => loaded,
        Err(outcome) => return Ok(outcome),
    };
    let Some(path) = args.invariants.as_ref().or(loaded.config.invariants.as_ref()) else {
        return misuse(
            "there is no invariant: name a file with --invariants, or with the key `invariants` \
             of the configuration",
        );
    };
    if !path.exists() {
        return misuse(&format!("there is no `{}`", path.display()));
    }
    let invariants = match read(path) {
        Ok(invariants) => invariants,
        Err(findings) => {
            report::print(&mut anstream::stderr(), &findings, format)?;
            return Ok(Outcome::Found);
        }
    };
    let solver = match solver(args.timeout) {
        Ok(solver) => solver,
        Err(error) => return misuse(&without_solver(&error)),
    };
    let progress = Progress::begin("proving");
    let proven = prove(deployment(&loaded), &invariants, &solver, &mut |what| progress.now(what));
    drop(progress);
    let proven = match proven {
        Ok(proven) => proven,
        Err(error) => return misuse(&error.to_string()),
    };
    let families = loaded.compiled.policies.families();
    match format {
        Format::Json => as_json(&mut anstream::stdout(), &proven, families)?,
        Format::Text => as_text(&mut anstream::stdout(), &proven, families)?,
    }
    let good = proven.proofs.iter().all(|proof| matches!(proof.outcome, Held::Proven));
    Ok(if good { Outcome::Good } else { Outcome::Found })
}

/// The deployment that a configuration describes.
pub(crate) fn deployment(loaded: &Loaded) -> Deployment<'_> {
    Deployment {
        sources: &loaded.desk.sources,
        surface: &loaded.desk.surface,
        policies: &loaded.compiled.policies,
    }
}

/// The solver of this machine.
pub(crate) fn solver(limit: Duration) -> Result<Solver, Error> {
    let variable = |name: &str| config::environment(name).map(Into::into);
    Solver::find(variable("CVC5"), variable("PATH").as_ref(), limit)
}

/// That there is no solver, and how one is had.
pub(crate) fn without_solver(error: &Error) -> String {
    match error {
        Error::NoSolver => format!("{error}; {HOW_TO_INSTALL}"),
        Error::Runtime(_) | Error::Schema(_) | Error::Policies { .. } => error.to_string(),
    }
}

/// Reads a duration such as `60s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let read = measure::duration(text).filter(|limit| !limit.is_zero());
    read.ok_or_else(|| format!("`{text}` is no duration, for example 60s"))
}

fn read(path: &Path) -> Result<Vec<Invariant>, Vec<Finding>> {
    Invariant::read(&config::invariants(path)?)
}

fn as_text(out: &mut dyn Write, proven: &Proven, families: &Families) -> io::Result<()> {
    for proof in &proven.proofs {
        one(out, proof, families)?;
        writeln!(out)?;
    }
    if !proven.unbound.is_empty() {
        let tools = proven.unbound.join(", ");
        writeln!(out, "{YELLOW}warning{RESET}: nobody said what these tools tell, so that no")?;
        writeln!(out, "  invariant on `learn` speaks of them: {tools}")?;
    }
    if !proven.on_paper.is_empty() {
        let tools = proven.on_paper.join(", ");
        writeln!(
            out,
            "{YELLOW}warning{RESET}: these bindings are noted on paper and refuse nothing:"
        )?;
        writeln!(out, "  {tools}")?;
    }
    let count = |wanted: fn(&Held) -> bool| {
        proven.proofs.iter().filter(|proof| wanted(&proof.outcome)).count()
    };
    let good = count(|held| matches!(held, Held::Proven));
    let violated = count(|held| matches!(held, Held::Violated { .. }));
    let open = count(|held| matches!(held, Held::NotProven(_)));
    writeln!(out, "{good} proven, {violated} violated, {open} not proven")
}

fn one(out: &mut dyn Write, proof: &Proof, families: &Families) -> io::Result<()> {
    let (word, colour) = match proof.outcome {
        Held::Proven => ("proven", GREEN),
        Held::Violated { .. } => ("violated", RED),
        Held::NotProven(_) => ("not proven", YELLOW),
    };
    writeln!(out, "{colour}{word}{RESET} {BOLD}{}{RESET} ({})", proof.name, proof.place)?;
    writeln!(out, "  held against: {}", proof.environments.join("; "))?;
    if proof.later_tools == Some(false) {
        writeln!(out, "  not for tools that a server shows later")?;
    }
    for coverage in &proof.coverage {
        writeln!(out, "  through {}: {}", coverage.target, told(coverage, families))?;
    }
    match &proof.outcome {
        Held::Proven => Ok(()),
        Held::NotProven(why) => reasons(out, why),
        Held::Violated { examples, besides } => {
            for example in examples {
                writeln!(
                    out,
                    "\n  {RED}{}{RESET}, as a story for `kenward test`:",
                    example.environment
                )?;
                for line in example.story.lines() {
                    writeln!(out, "    {line}")?;
                }
                if let Some(note) = &example.note {
                    writeln!(out, "  note: {note}")?;
                }
            }
            reasons(out, besides)
        }
    }
}

fn reasons(out: &mut dyn Write, why: &[String]) -> io::Result<()> {
    why.iter().try_for_each(|why| writeln!(out, "  not shown: {why}"))
}

/// The facts that an invariant speaks about, in words.
fn told(coverage: &Coverage, families: &Families) -> String {
    if coverage.facts.is_empty() {
        return "nothing that it forbids".to_owned();
    }
    let facts = coverage.facts.iter().map(|told| {
        let mark = if told.violated { " VIOLATED" } else { "" };
        let PotentialFact { of, attribute, .. } = &told.fact;
        format!("{attribute} of {of} ({}){mark}", precision(&told.fact, families))
    });
    facts.collect::<Vec<_>>().join(", ")
}

fn precision<'f>(fact: &PotentialFact, families: &'f Families) -> &'f str {
    families.precision_name(&fact.family, fact.precision).unwrap_or("no step of its scale")
}

fn as_json(out: &mut dyn Write, proven: &Proven, families: &Families) -> io::Result<()> {
    let proofs: Vec<Value> = proven.proofs.iter().map(|proof| json_of(proof, families)).collect();
    let told = json!({
        "invariants": proofs, "unbound": proven.unbound, "on_paper": proven.on_paper,
        "questions": proven.questions,
    });
    serde_json::to_writer_pretty(&mut *out, &told)?;
    writeln!(out)
}

fn json_of(proof: &Proof, families: &Families) -> Value {
    let none = &[][..];
    let (word, examples, why) = match &proof.outcome {
        Held::Proven => ("proven", none, &[][..]),
        Held::Violated { examples, besides } => {
            ("violated", examples.as_slice(), besides.as_slice())
        }
        Held::NotProven(why) => ("not_proven", none, why.as_slice()),
    };
    let examples: Vec<Value> = examples
        .iter()
        .map(|one| {
            json!({ "environment": one.environment, "request": one.example.json(),
                    "story": one.story, "note": one.note })
        })
        .collect();
    let coverage: Vec<Value> = proof
        .coverage
        .iter()
        .map(|coverage| {
            let facts = coverage.facts.iter().map(|told| {
                let fact = &told.fact;
                json!({ "of": fact.of, "attribute": fact.attribute, "family": fact.family,
                        "precision": precision(fact, families), "violated": told.violated })
            });
            json!({ "target": coverage.target, "facts": facts.collect::<Vec<_>>() })
        })
        .collect();
    json!({
        "name": proof.name, "place": proof.place.to_string(), "outcome": word,
        "environments": proof.environments, "later_tools": proof.later_tools,
        "coverage": coverage, "counterexamples": examples, "reasons": why,
    })
}

const HOW_TO_INSTALL: &str = "install the Debian package cvc5, or name the program in $CVC5";

const RED: &str = "\x1b[1;31m";
const GREEN: &str = "\x1b[1;32m";
const YELLOW: &str = "\x1b[1;33m";
const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";
