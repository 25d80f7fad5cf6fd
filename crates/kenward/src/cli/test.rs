//! `kenward test`: plays policy stories, which guard policies against the next change of them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use kenward_gateway::clock;
use kenward_model::{Finding, Place, Revision};
use kenward_world::World;
use serde_json::json;

use super::{Outcome, misuse};
use crate::config::Loaded;
use crate::report::{self, Format};
use crate::story::{Played, Stage, StoriesFile, Story, play};

pub(crate) const EXAMPLES: &str = "Examples:\n  kenward test --config kenward.yaml stories/\n  \
                                   kenward test stories/other-path.yaml --why";

/// What `kenward test` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files of stories, or folders of such files.
    #[arg(value_name = "PATH", default_value = "stories")]
    paths: Vec<PathBuf>,
    /// The configuration whose policies are tested.
    #[arg(long, value_name = "FILE", default_value = "kenward.yaml")]
    config: PathBuf,
    /// Say of every step why it was decided so, not only of those that went wrong.
    #[arg(long)]
    why: bool,
}

/// Plays all stories and prints what became of them.
pub(crate) fn run(args: &Args, format: Format) -> io::Result<Outcome> {
    let loaded = match super::loaded(&args.config, format)? {
        Ok(loaded) => loaded,
        Err(outcome) => return Ok(outcome),
    };
    let files = match files(&args.paths) {
        Ok(files) if files.is_empty() => return misuse("there is no story: no *.yaml was found"),
        Ok(files) => files,
        Err(problem) => return misuse(&problem),
    };
    let (stories, findings) = read_all(&files);
    if !findings.is_empty() {
        report::print(&mut anstream::stderr(), &findings, format)?;
        return Ok(Outcome::Found);
    }
    let world = match world(&loaded) {
        Ok(world) => world,
        Err(problem) => return misuse(&problem),
    };
    let played: Vec<(PathBuf, Played)> = stories
        .into_iter()
        .zip(1..)
        .map(|((path, story), number)| {
            // No two worlds of one revision: what policies remember of one is used for no other.
            let world = world.at_least(Revision(number * STORY));
            let stage = stage(&loaded, world);
            let played = play(&story, stage, &all_scopes(&loaded));
            (path, played)
        })
        .collect();
    print(&mut anstream::stdout(), &played, args.why, format)?;
    let good = played.iter().all(|(_, played)| played.is_good());
    Ok(if good { Outcome::Good } else { Outcome::Found })
}

/// More changes than any story makes.
const STORY: u64 = 1 << 32;

/// A stage with the policies of `loaded` on which nothing has happened.
pub(crate) fn stage(loaded: &Loaded, world: World) -> Stage<'_> {
    let settings = loaded.config.settings.disclosure.clone();
    Stage::new(&loaded.compiled.policies, world, settings, clock::now())
}

/// The directory as the files have it.
pub(crate) fn world(loaded: &Loaded) -> Result<World, String> {
    let mut world = World::empty();
    for (file, records) in &loaded.directory {
        let change = kenward_live::file_change(file, records.clone());
        world = world.apply(&change).map_err(|error| error.to_string())?;
    }
    Ok(world)
}

/// Every scope that some tool needs.
pub(crate) fn all_scopes(loaded: &Loaded) -> Vec<String> {
    let servers = loaded.desk.surface.servers.values();
    let rules = servers.flat_map(|server| &server.scopes);
    rules.map(|rule| rule.scope.to_string()).collect()
}

/// The files that `paths` name, those of folders in the order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in paths {
        if !path.exists() {
            return Err(format!("there is no `{}`", path.display()));
        }
        if path.is_dir() {
            folder(path, &mut files).map_err(|e| format!("`{}`: {e}", path.display()))?;
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn folder(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    found.sort();
    let is_story = |path: &PathBuf| {
        path.extension()
            .and_then(|end| end.to_str())
            .is_some_and(|end| end == "yaml" || end == "yml")
    };
    files.extend(found.into_iter().filter(is_story));
    Ok(())
}

/// All stories with their files, or everything that is wrong with the files.
fn read_all(files: &[PathBuf]) -> (Vec<(PathBuf, Story)>, Vec<Finding>) {
    let mut stories = Vec::new();
    let mut findings = Vec::new();
    for file in files {
        let name = file.display().to_string();
        match std::fs::read_to_string(file) {
            Ok(text) => match kenward_document::read::<StoriesFile>(&name, &text, None) {
                Ok(document) => {
                    let read = document.value.into_stories();
                    stories.extend(read.into_iter().map(|story| (file.clone(), story)));
                }
                Err(problems) => findings.extend(problems),
            },
            Err(error) => {
                let message = format!("this file cannot be read: {error}");
                findings.push(Finding::error(Place::whole(name), message));
            }
        }
    }
    (stories, findings)
}

fn print(
    out: &mut dyn Write,
    played: &[(PathBuf, Played)],
    why: bool,
    format: Format,
) -> io::Result<()> {
    match format {
        Format::Json => as_json(out, played),
        Format::Text => as_text(out, played, why),
    }
}

fn as_text(out: &mut dyn Write, played: &[(PathBuf, Played)], why: bool) -> io::Result<()> {
    for (path, story) in played {
        let (mark, colour) = if story.is_good() { ("ok", GREEN) } else { ("FAILED", RED) };
        writeln!(out, "{colour}{mark}{RESET} {} ({})", story.story, path.display())?;
        for step in &story.steps {
            let wrong = !step.problems.is_empty();
            if wrong || why {
                let got = step.got.map_or("", super::super::story::Expected::word);
                writeln!(out, "   {} {}", step.step, got)?;
            }
            for problem in &step.problems {
                writeln!(out, "      {RED}{problem}{RESET}")?;
            }
            for line in step.why.iter().filter(|_| wrong || why) {
                writeln!(out, "      {line}")?;
            }
        }
    }
    let failed = played.iter().filter(|(_, story)| !story.is_good()).count();
    let steps: usize = played.iter().map(|(_, story)| story.steps.len()).sum();
    let stories = played.len();
    match failed {
        0 => writeln!(out, "{stories} stories, {steps} steps: all as told"),
        _ => writeln!(out, "{failed} of {stories} stories went otherwise than told"),
    }
}

fn as_json(out: &mut dyn Write, played: &[(PathBuf, Played)]) -> io::Result<()> {
    let stories: Vec<_> = played
        .iter()
        .map(|(path, story)| {
            let steps: Vec<_> = story
                .steps
                .iter()
                .map(|step| {
                    json!({ "step": step.step, "got": step.got, "problems": step.problems,
                            "why": step.why })
                })
                .collect();
            json!({ "file": path, "story": story.story, "good": story.is_good(), "steps": steps })
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &json!({ "stories": stories }))?;
    writeln!(out)
}

const RED: &str = "\x1b[1;31m";
const GREEN: &str = "\x1b[1;32m";
const RESET: &str = "\x1b[0m";
