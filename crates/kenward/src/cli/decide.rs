//! `kenward decide`: one question from the command line, decided as the gateway would, explained.

use std::io::{self, Write};
use std::path::PathBuf;

use kenward_disclosure::{Entry, HandleKey, Handles};
use kenward_model::EntityUid;
use kenward_policy::Verdict;
use kenward_store::State;
use serde_json::{Map, Value, json};

use super::test::{all_scopes, stage, world};
use super::{Outcome, misuse};
use crate::config::Loaded;
use crate::report::Format;
use crate::story::{Asked, Given, Heard, Stage, explain, path};

pub(crate) const EXAMPLES: &str = "Examples:\n  kenward decide --user rita \
    deliveries/get_dropoff_locations --arguments '{\"near\": \"Taylor Swift\"}'\n  \
    kenward decide --user rita --read crm/crm://customers/4711 --without-history --format json";

/// What `kenward decide` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is called: `<server>/<tool>`, or with --prompt or --read a prompt or a URI.
    #[arg(value_name = "SERVER/NAME")]
    target: String,
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "kenward.yaml")]
    config: PathBuf,
    /// The id of the user.
    #[arg(long, value_name = "ID")]
    user: String,
    /// A group that the user's token states; may be repeated.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// The id of the agent.
    #[arg(long, value_name = "ID", default_value = "command-line")]
    agent: String,
    /// A scope of the token; may be repeated. Without any: all that tools need.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The arguments, as a JSON object.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    arguments: String,
    /// What the server would answer: a file with the JSON of the result.
    #[arg(long, value_name = "FILE")]
    answer: Option<PathBuf>,
    /// The target is a prompt.
    #[arg(long, conflicts_with = "read")]
    prompt: bool,
    /// The target is the URI of an MCP resource.
    #[arg(long)]
    read: bool,
    /// Decide as if the user had never been told or refused anything.
    #[arg(long)]
    without_history: bool,
}

/// Decides and explains. Nothing is recorded and no history changes.
pub(crate) fn run(args: &Args, format: Format) -> io::Result<Outcome> {
    let loaded = match super::loaded(&args.config, format)? {
        Ok(loaded) => loaded,
        Err(outcome) => return Ok(outcome),
    };
    let asked = match asked(args) {
        Ok(asked) => asked,
        Err(problem) => return misuse(&problem),
    };
    let mut stage = match set(args, &loaded) {
        Ok(stage) => stage,
        Err(problem) => return misuse(&problem),
    };
    let given = Given {
        user: args.user.clone(),
        agent: args.agent.clone(),
        groups: args.groups.clone(),
        scopes: if args.scopes.is_empty() { all_scopes(&loaded) } else { args.scopes.clone() },
        protocol: "2026-07-28".to_owned(),
        ..Given::default()
    };
    let heard = stage.hear(&given, &asked);
    let allowed = heard.verdict.is_allowed()
        && heard.reviewed.as_ref().is_none_or(|reviewed| reviewed.withheld.is_none());
    print(&mut anstream::stdout(), &heard, &loaded, format)?;
    Ok(if allowed { Outcome::Good } else { Outcome::Found })
}

fn asked(args: &Args) -> Result<Asked, String> {
    let (server, name) = path(&args.target)?;
    let arguments: Map<String, Value> = serde_json::from_str(&args.arguments)
        .map_err(|error| format!("--arguments is no JSON object: {error}"))?;
    let answer = match &args.answer {
        None => None,
        Some(file) => Some(read_answer(file)?),
    };
    let asked = match (args.prompt, args.read) {
        (true, _) => Asked::prompt(server, name, &arguments),
        (_, true) => Asked::read(server, name),
        (false, false) => Asked::tool(server, name, &arguments),
    };
    Ok(asked.answered(answer))
}

fn read_answer(file: &std::path::Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("`{}`: {e}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", file.display()))
}

/// The stage as the state has it: the directory of the admin API, the user's history, the handles.
fn set<'l>(args: &Args, loaded: &'l Loaded) -> Result<Stage<'l>, String> {
    let database = loaded.config.state.strip_prefix("sqlite:").unwrap_or_default();
    if args.without_history || !std::path::Path::new(database).is_file() {
        return Ok(stage(loaded, world(loaded)?));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let state = State::open(&loaded.config.state).await.map_err(|error| error.to_string())?;
        let made = remembered(&state, args, loaded).await;
        state.close().await;
        made
    })
}

async fn remembered<'l>(
    state: &State,
    args: &Args,
    loaded: &'l Loaded,
) -> Result<Stage<'l>, String> {
    let words = |error: kenward_store::StateError| error.to_string();
    let world = crate::run::world(state, &loaded.directory).await;
    let world = world.map_err(|_| "the directory of the state cannot be read".to_owned())?;
    // Without a key there are no handles either.
    let key = state.history_key_if_any().await.map_err(words)?.unwrap_or([0; 32]);
    let mut handles = Handles::new(key);
    for row in state.handles().await.map_err(words)? {
        handles.insert(HandleKey(row.handle), row.owner);
    }
    let mut stage = stage(loaded, world).with_handles(handles);
    let person = EntityUid::new("User", args.user.as_str());
    for line in state.history(&person).await.map_err(words)?.lines {
        let entry: Entry = serde_json::from_str(&line)
            .map_err(|_| "a stored history cannot be read".to_owned())?;
        stage.remember(&person, &entry);
    }
    Ok(stage)
}

fn print(out: &mut dyn Write, heard: &Heard, loaded: &Loaded, format: Format) -> io::Result<()> {
    let why = explain(heard, &loaded.compiled.policies);
    let word = word(heard);
    match format {
        Format::Json => {
            let question = match &heard.verdict {
                Verdict::Refuse(refusal) => Some(refusal.question.number()),
                Verdict::Allow(_) => None,
            };
            let basis = heard.verdict.basis();
            let told = json!({
                "verdict": word, "question": question, "objects": basis.objects,
                "facts": basis.facts, "policies": basis.policies, "why": why,
                "answer": heard.answer,
            });
            serde_json::to_writer_pretty(&mut *out, &told)?;
            writeln!(out)
        }
        Format::Text => {
            let colour = if heard.verdict.is_allowed() { "\x1b[1;32m" } else { "\x1b[1;31m" };
            writeln!(out, "{colour}{word}\x1b[0m")?;
            for line in why {
                writeln!(out, "  {line}")?;
            }
            match &heard.answer {
                Some(answer) => writeln!(out, "  released: {answer}"),
                None => Ok(()),
            }
        }
    }
}

fn word(heard: &Heard) -> &'static str {
    match (&heard.verdict, &heard.reviewed) {
        (Verdict::Refuse(refusal), _) if refusal.hidden => "hidden",
        (Verdict::Refuse(refusal), _) if refusal.ask.is_some() => "ask",
        (Verdict::Refuse(_), _) => "refuse",
        (Verdict::Allow(_), Some(reviewed)) if reviewed.withheld.is_some() => "withhold",
        (Verdict::Allow(_), Some(reviewed)) if reviewed.changed => "filter",
        (Verdict::Allow(_), _) => "allow",
    }
}
