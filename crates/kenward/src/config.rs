//! The configuration: one YAML file and what it names, read and judged as a whole.
//!
//! Whatever is wrong anywhere is reported at once: in the file, the directory, the inferences, the
//! bindings of the tools and the policies.

mod assemble;
mod file;
mod lint;
pub(crate) mod measure;
mod outline;
mod settle;
mod sources;
pub(crate) mod url;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use kenward_document::{Environment, Places};
use kenward_gateway::Settings;
use kenward_identity::IssuerSpec;
use kenward_live::Desk;
use kenward_model::{Finding, Place, ServerName};
use kenward_policy::{Compiled, SourceFile, Sources, Tool};
use kenward_store::segments::Sync;
use kenward_world::EntityRecord;

use outline::Outline;

pub(crate) use file::{ConfigFile, Secret};

/// The configuration with everything that it names, free of errors.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What the file says.
    pub(crate) config: Config,
    /// Warnings and notes.
    pub(crate) findings: Vec<Finding>,
    /// The files and folders whose change is a change of the configuration.
    pub(crate) watched: Vec<PathBuf>,
    /// The entities of each directory file, by the file's name.
    pub(crate) directory: Vec<(String, Vec<EntityRecord>)>,
    /// What policies are compiled from.
    pub(crate) desk: Desk,
    /// The policies of that desk.
    pub(crate) compiled: Compiled,
}

/// What the configuration file says; paths are absolute.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The address of the MCP endpoints.
    pub(crate) listen: SocketAddr,
    /// The address of the admin listener.
    pub(crate) admin: SocketAddr,
    /// The bearer token of the admin API, when one is configured.
    pub(crate) admin_token: Option<Secret>,
    /// The URL of the state: `sqlite:` and a path.
    pub(crate) state: String,
    /// The folder of the audit log.
    pub(crate) audit: PathBuf,
    /// When a record of the audit log must be on the disk.
    pub(crate) sync: Sync,
    /// Whose tokens are accepted; a `jwks` of the form `file:` holds an absolute path.
    pub(crate) issuers: Vec<IssuerSpec>,
    /// The file or folder of the invariants.
    pub(crate) invariants: Option<PathBuf>,
    /// What the data plane is told.
    pub(crate) settings: Settings,
}

/// The tool definitions of servers, as far as they are known.
pub(crate) type Definitions = BTreeMap<ServerName, Vec<Tool>>;

/// Where the definitions of a configuration's servers come from: the state, or the servers.
pub(crate) type Known<'k> = &'k dyn Fn(&Config) -> Result<Definitions, Vec<Finding>>;

/// Reads the configuration file at `path` and everything that it names.
///
/// Variables are looked up in `environment`; `known` gives the definitions of the tools, so that
/// rules on their arguments can be checked. Nothing is started, written or fetched here.
///
/// # Errors
/// Everything that is wrong, warnings included, in the order of the sources.
pub(crate) fn load(
    path: &Path,
    environment: Environment<'_>,
    known: Known<'_>,
) -> Result<Loaded, Vec<Finding>> {
    let source = path.display().to_string();
    let text = sources::text(path).map_err(|why| vec![no_configuration(&source, &why)])?;
    let base = path.parent().unwrap_or_else(|| Path::new(""));
    let (outline, places, settled) = understand(&source, &text, base, environment)?;
    assemble::assemble(assemble::Given { path, base, outline, places, settled, known })
}

/// The files of the invariants at `path`, which is one file or a folder.
///
/// # Errors
/// What cannot be read; that there is nothing.
pub(crate) fn invariants(path: &Path) -> Result<Vec<SourceFile>, Vec<Finding>> {
    let place = Place::whole(path.display().to_string());
    if path.is_dir() {
        return policies(path, &place).map(|sources| sources.policies);
    }
    match sources::text(path) {
        Ok(text) => Ok(vec![SourceFile { path: path.display().to_string(), text }]),
        Err(why) => {
            let message = format!("the invariants cannot be read: {why}");
            Err(vec![Finding::error(place, message)])
        }
    }
}

/// The policies and schemas in the folder at `path`, which was named at `place`.
///
/// # Errors
/// What cannot be read; that there is no policy.
pub(crate) fn policies(path: &Path, place: &Place) -> Result<Sources, Vec<Finding>> {
    let mut findings = Vec::new();
    let sources = sources::policies(path, place, &mut findings);
    if findings.is_empty() { Ok(sources) } else { Err(findings) }
}

/// The folder of the audit log that the configuration at `path` names, whatever else is wrong there.
///
/// # Errors
/// The file cannot be read at all.
pub(crate) fn audit_directory(path: &Path) -> Result<PathBuf, Vec<Finding>> {
    let source = path.display().to_string();
    let text = sources::text(path).map_err(|why| vec![no_configuration(&source, &why)])?;
    let unset = |_: &str| Some(String::new());
    let value = kenward_document::read::<serde_json::Value>(&source, &text, Some(&unset))?.value;
    let named = value.pointer("/audit/directory").and_then(serde_json::Value::as_str);
    let directory = named.map_or_else(file::AuditFile::default_directory, str::to_owned);
    Ok(path.parent().unwrap_or_else(|| Path::new("")).join(directory))
}

/// What a program is handed of our own environment, besides what the configuration gives it:
/// enough to be found and to find its own files, and nothing that is secret.
pub(crate) fn inherited(
    environment: &dyn Fn(&str) -> Option<String>,
) -> impl Iterator<Item = (String, String)> {
    INHERITED.into_iter().filter_map(|name| Some((name.to_owned(), environment(name)?)))
}

const INHERITED: [&str; 5] = ["PATH", "HOME", "USER", "LANG", "TMPDIR"];

/// The environment of this process.
#[expect(clippy::disallowed_methods, reason = "this is the configuration loader")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The file's settled content, or the findings why there is none.
struct Settled {
    config: Option<Config>,
    findings: Vec<Finding>,
    jwks: Vec<PathBuf>,
}

/// Reads the file itself. When it breaks its schema, what it names is still looked at.
fn understand(
    source: &str,
    text: &str,
    base: &Path,
    environment: Environment<'_>,
) -> Result<(Outline, Option<Places>, Settled), Vec<Finding>> {
    match kenward_document::read::<ConfigFile>(source, text, environment) {
        Ok(document) => {
            let (file, places) = document.into_parts();
            let settled = settle::settle(&file, &places, base, environment);
            Ok((Outline::of(file), Some(places), settled))
        }
        Err(findings) => {
            let Some(outline) = Outline::guess(source, text) else {
                return Err(findings);
            };
            Ok((outline, None, Settled { config: None, findings, jwks: Vec::new() }))
        }
    }
}

fn no_configuration(source: &str, why: &sources::Unreadable) -> Finding {
    let finding = Finding::error(Place::whole(source), format!("no configuration: {why}"));
    match why {
        sources::Unreadable::Missing => {
            finding.with_help("`kenward init` looks at an MCP server and writes one to start with")
        }
        sources::Unreadable::Other(_) => finding,
    }
}

#[cfg(test)]
mod tests;
