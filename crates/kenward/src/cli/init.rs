//! `kenward init`: looks at an MCP server and writes a configuration to start with.

mod render;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use kenward_disclosure::{Outline, Proposals, propose};
use kenward_gateway::{Credential, Transport};
use kenward_model::{Finding, ServerName};
use serde_json::json;

use super::{Outcome, misuse};
use crate::config;
use crate::look::{LookError, Seen, look};
use crate::report::{self, Format};

pub(crate) const EXAMPLES: &str = "Examples:\n  kenward init http://127.0.0.1:9001/mcp\n  \
                                   kenward init --output gateway -- npx -y some-server --verbose";

/// What `kenward init` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The URL of a server, or the program that is one with its arguments (after `--` when they
    /// begin with a hyphen).
    #[arg(required = true, value_name = "URL|COMMAND")]
    target: Vec<String>,
    /// The folder to write into; no file in it is ever overwritten.
    #[arg(long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// What to call the server; taken from what it says of itself by default.
    #[arg(long, value_name = "NAME", value_parser = super::server_name)]
    name: Option<ServerName>,
    /// Who issues your access tokens.
    #[arg(long, value_name = "URL", default_value = render::PLACEHOLDER_ISSUER)]
    issuer: String,
    /// The group that may call the server's tools.
    #[arg(long, value_name = "GROUP", default_value = "mcp-users")]
    group: String,
    /// The environment variable that holds the bearer token which the server asks for.
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
    /// Propose nothing of what the tools reveal.
    #[arg(long)]
    no_bindings: bool,
}

/// How the server is reached, in the words of the configuration.
#[derive(Debug, Clone)]
enum Reach {
    Url(String),
    Command(Vec<String>),
}

/// Looks, proposes and writes.
pub(crate) fn run(args: &Args, format: Format) -> io::Result<Outcome> {
    if let Some(existing) = files(&args.output).into_iter().find(|path| path.exists()) {
        let existing = existing.display();
        return misuse(&format!(
            "`{existing}` exists, and init never overwrites; name another --output"
        ));
    }
    let (reach, transport) = match transport(&args.target) {
        Ok(target) => target,
        Err(why) => return misuse(&why),
    };
    let credential = match args.credential(&reach) {
        Ok(credential) => credential,
        Err(why) => return misuse(&why),
    };
    if let Err(why) = config::url::web(&args.issuer) {
        return misuse(&format!("the issuer `{}` {why}", args.issuer));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(look(&transport, &credential)) {
        Ok(seen) => write(args, &reach, &seen, format),
        Err(error) => {
            let mut err = anstream::stderr();
            writeln!(err, "\x1b[1;31merror\x1b[0m: {error}")?;
            if matches!(error, LookError::Unauthorized(_)) && args.token_env.is_none() {
                writeln!(err, "  help: put a token into a variable and name it: --token-env NAME")?;
            }
            Ok(Outcome::Found)
        }
    }
}

fn transport(target: &[String]) -> Result<(Reach, Transport), String> {
    let words: Vec<String> = match target {
        [only] if only.contains("://") => {
            let uri = config::url::web(only).map_err(|why| format!("`{only}` {why}"))?;
            return Ok((Reach::Url(only.clone()), Transport::Http(uri)));
        }
        [only] => only.split_whitespace().map(str::to_owned).collect(),
        several => several.to_vec(),
    };
    let Some((program, arguments)) = words.split_first() else {
        return Err("the command is empty".to_owned());
    };
    // The written file lies elsewhere: a relative path would no longer lead to its file.
    let program = if program.contains('/') { absolute(program) } else { program.clone() };
    let arguments = arguments.iter().map(|argument| {
        if Path::new(argument).is_file() { absolute(argument) } else { argument.clone() }
    });
    let command: Vec<String> = std::iter::once(program).chain(arguments).collect();
    let environment = config::inherited(&config::environment).collect();
    let transport = Transport::Stdio { command: command.clone(), environment };
    Ok((Reach::Command(command), transport))
}

fn absolute(path: &str) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}

impl Args {
    fn credential(&self, reach: &Reach) -> Result<Credential, String> {
        let Some(name) = &self.token_env else {
            return Ok(Credential::None);
        };
        if matches!(reach, Reach::Command(_)) {
            return Err("--token-env is for a server with a URL".to_owned());
        }
        match config::environment(name) {
            Some(token) if !token.is_empty() => Ok(Credential::Bearer(token)),
            Some(_) | None => Err(format!("the environment variable `{name}` is not set")),
        }
    }
}

fn files(folder: &Path) -> [PathBuf; 4] {
    ["kenward.yaml", "directory.yaml", "policies", "inferences.yaml"].map(|name| folder.join(name))
}

fn write(args: &Args, reach: &Reach, seen: &Seen, format: Format) -> io::Result<Outcome> {
    let own = || render::server_name(seen.name.as_deref(), reach);
    let Some(name) = args.name.clone().or_else(own) else {
        return misuse("the server has no name; give it one: --name NAME");
    };
    let proposals = if args.no_bindings { Proposals::default() } else { propose(&outlines(seen)) };
    let draft = render::Draft {
        name: &name,
        reach,
        seen,
        proposals: &proposals,
        issuer: &args.issuer,
        group: &args.group,
        token_env: args.token_env.as_deref(),
    };
    let [configuration, directory, policies, inferences] = files(&args.output);
    fs::create_dir_all(&policies)?;
    let texts = [
        (configuration.clone(), Some(draft.configuration())),
        (directory, Some(draft.directory())),
        (policies.join(format!("{name}.cedar")), Some(draft.policies())),
        (policies.join(format!("{name}.cedarschema")), draft.schema()),
        (inferences, draft.inferences()),
    ];
    let mut written = Vec::new();
    for (path, text) in texts.into_iter().filter_map(|(path, text)| Some((path, text?))) {
        create(&path, &text)?;
        written.push(path);
    }
    conclude(&configuration, &draft, &written, format)
}

/// All that the server offers, as far as a proposal looks at it.
fn outlines(seen: &Seen) -> Vec<Outline> {
    let tools = seen
        .tools
        .iter()
        .map(|tool| Outline::tool(&tool.name, &tool.input_schema, tool.output_schema.as_ref()));
    let prompts = seen
        .prompts
        .iter()
        .map(|prompt| Outline::prompt(&prompt.name, prompt.arguments.iter().map(String::as_str)));
    let resources = seen.resources.iter().map(|uri| Outline::resource(uri));
    tools.chain(prompts).chain(resources).collect()
}

/// Fails rather than overwrites, also when the file has appeared since.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(named)?;
    file.write_all(text.as_bytes()).map_err(named)
}

/// What was written is held to what `kenward check` says of it.
fn conclude(
    path: &Path,
    draft: &render::Draft<'_>,
    written: &[PathBuf],
    format: Format,
) -> io::Result<Outcome> {
    let nothing = |_: &config::Config| Ok(config::Definitions::new());
    let findings = match config::load(path, Some(&config::environment), &nothing) {
        Ok(loaded) => loaded.findings,
        Err(findings) => findings,
    };
    let mut out = anstream::stdout();
    if findings.iter().any(Finding::is_error) {
        report::print(&mut out, &findings, format)?;
        return Ok(Outcome::Found);
    }
    match format {
        Format::Text => write!(out, "{}", told(path, draft))?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &listed(draft, written))?;
            writeln!(out)?;
        }
    }
    Ok(Outcome::Good)
}

/// What was written and proposed, for people.
fn told(path: &Path, draft: &render::Draft<'_>) -> String {
    let render::Draft { name, seen, proposals, .. } = draft;
    let (file, count) = (path.display(), seen.tools.len());
    let mut text = format!(
        "`{name}` speaks MCP {} and has {count} tools.\n\
         Written: {file}, with its directory and policies beside it.\n",
        seen.version
    );
    let bindings = &proposals.bindings;
    let bound =
        bindings.tools.keys().chain(bindings.prompts.keys()).chain(bindings.resources.keys());
    let bound: Vec<&String> = bound.collect();
    if !bound.is_empty() {
        let types: Vec<&str> = proposals.entities.keys().map(String::as_str).collect();
        text.extend([format!(
            "Proposed: what {} would reveal, about {}.\n",
            render::some_of(&bound),
            types.join(", ")
        )]);
    }
    let unsure: Vec<&String> = proposals.unsure.keys().collect();
    if !unsure.is_empty() {
        text.extend([format!("Not sure: what {} would reveal.\n", render::some_of(&unsure))]);
    }
    let mut steps = vec!["Name your issuer and your people in these files.".to_owned()];
    if let Some(readers) = draft.readers() {
        steps.push("Read and correct what is marked `# proposed`.".to_owned());
        steps.push(format!("Put into the group {readers} who may learn what those tools tell."));
    }
    steps.push(format!("kenward check {file}"));
    steps.push(format!("kenward serve --config {file}"));
    text.push_str("\nNext:\n");
    let steps =
        (1..).zip(steps).map(|(number, step): (usize, String)| format!("  {number}. {step}\n"));
    text.extend(steps);
    text
}

/// What was written and proposed, for programs.
fn listed(draft: &render::Draft<'_>, written: &[PathBuf]) -> serde_json::Value {
    let bindings = &draft.proposals.bindings;
    json!({
        "server": draft.name.as_str(),
        "version": draft.seen.version,
        "tools": draft.seen.tools.len(),
        "written": written,
        "proposed": {
            "tools": bindings.tools,
            "prompts": bindings.prompts,
            "resources": bindings.resources,
            "inferences": draft.proposals.inferences,
            "entities": draft.proposals.entities,
        },
        "unsure": draft.proposals.unsure,
    })
}

#[cfg(test)]
mod tests;
