//! Puts the parts of a configuration together and judges them together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kenward_disclosure::{Bindings, Inferences, ServerBindings, Unbound};
use kenward_document::Places;
use kenward_live::Desk;
use kenward_model::{Finding, Place, ServerName};
use kenward_policy::{Compiled, ServerSurface, Sources, Surface, Tool};
use kenward_world::{Change, EntityRecord, Source, World};

use super::outline::{Outline, OutlinedServer};
use super::{Config, Definitions, Known, Loaded, Settled, lint, sources};

/// What is known after the file itself was read.
pub(super) struct Given<'g> {
    pub(super) path: &'g Path,
    pub(super) base: &'g Path,
    pub(super) outline: Outline,
    pub(super) places: Option<Places>,
    pub(super) settled: Settled,
    pub(super) known: Known<'g>,
}

impl Given<'_> {
    fn place(&self, pointer: &str) -> Place {
        match &self.places {
            Some(places) => places.place(pointer),
            None => Place::whole(self.path.display().to_string()),
        }
    }

    /// What is said about a tool is shown where the tool is configured, if it is.
    fn located(&self, mut finding: Finding) -> Finding {
        let about = finding.place.source.strip_prefix("server ");
        let configured = about.and_then(|about| about.split_once(", tool ")).and_then(|about| {
            let (server, tool) = about;
            let servers = &self.outline.servers;
            let (name, of) = servers.iter().find(|(name, _)| name.as_str() == server)?;
            let pointer = || format!("/servers/{name}/tools/{}", super::settle::token(tool));
            of.tools.contains_key(tool).then(pointer)
        });
        if let Some(pointer) = configured.filter(|_| self.places.is_some()) {
            finding.place = self.place(&pointer);
        }
        finding
    }
}

/// Reads what the outline names, compiles it, and gives everything or all findings.
pub(super) fn assemble(mut given: Given<'_>) -> Result<Loaded, Vec<Finding>> {
    let mut findings = std::mem::take(&mut given.settled.findings);
    let config = given.settled.config.take();
    let definitions = match config.as_ref().map(given.known) {
        Some(Ok(definitions)) => definitions,
        Some(Err(problems)) => {
            findings.extend(problems);
            Definitions::new()
        }
        None => Definitions::new(),
    };
    let directory = read_directory(&given, &mut findings);
    let (inferences, bindings) = read_bindings(&given, &mut findings);
    let folder = given.base.join(&given.outline.policies);
    let policies = sources::policies(&folder, &given.place("/policies"), &mut findings);
    let desk = desk(&given.outline, &definitions, policies, inferences, bindings);
    let compiled = compile(&desk, &mut findings);
    if let Some(config) = config.as_ref().filter(|_| !findings.iter().any(Finding::is_error)) {
        findings.extend(doubts(&given, config, &definitions, &directory, &desk));
    }
    let findings = in_order(findings.into_iter().map(|finding| given.located(finding)).collect());
    match (config, compiled) {
        (Some(config), Some(compiled)) if !findings.iter().any(Finding::is_error) => {
            let watched = watched(&given, folder);
            Ok(Loaded { config, findings, watched, directory, desk, compiled })
        }
        _ => Err(findings),
    }
}

/// What is doubtful where nothing is wrong.
fn doubts(
    given: &Given<'_>,
    config: &Config,
    known: &Definitions,
    directory: &[(String, Vec<EntityRecord>)],
    desk: &Desk,
) -> Vec<Finding> {
    let refuses_unbound = match config.settings.disclosure.unbound {
        Unbound::Refuse => true,
        Unbound::Shadow => false,
    };
    let place = |pointer: &str| given.place(pointer);
    let (outline, place) = (&given.outline, &place);
    lint::lint(&lint::Subject { outline, place, known, directory, desk, refuses_unbound })
}

/// Reads the directory files, alone and then together.
fn read_directory(
    given: &Given<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<(String, Vec<EntityRecord>)> {
    let mut world = World::empty();
    let mut directory = Vec::new();
    for (pointer, path) in &given.outline.directory {
        let name = given.base.join(path).display().to_string();
        let text = match sources::text(&given.base.join(path)) {
            Ok(text) => text,
            Err(why) => {
                let message = format!("the directory `{name}` cannot be read: {why}");
                findings.push(Finding::error(given.place(pointer), message));
                continue;
            }
        };
        match kenward_world::read_directory(&name, &text) {
            Ok(records) => {
                let source = Source::File(name.as_str().into());
                match world.apply(&Change::ReplaceAll(source, records.clone())) {
                    Ok(next) => world = next,
                    Err(error) => {
                        findings.push(Finding::error(Place::whole(&name), error.to_string()));
                    }
                }
                directory.push((name, records));
            }
            Err(problems) => findings.extend(problems),
        }
    }
    directory
}

/// Reads the inferences and compiles the bindings against their families.
fn read_bindings(given: &Given<'_>, findings: &mut Vec<Finding>) -> (Inferences, Option<Bindings>) {
    let inferences = match &given.outline.inferences {
        None => Inferences::none(),
        Some(path) => match read_inferences(given, path) {
            Ok(inferences) => inferences,
            Err(problems) => {
                findings.extend(problems);
                return (Inferences::none(), None);
            }
        },
    };
    let bound = |server: &OutlinedServer| ServerBindings {
        tools: server.tools.clone(),
        prompts: server.prompts.clone(),
        resources: server.resources.clone(),
    };
    let servers = given.outline.servers.iter();
    let specs: BTreeMap<ServerName, ServerBindings> =
        servers.map(|(name, server)| (name.clone(), bound(server))).collect();
    let place = |server: &ServerName, item: &str, pointer: &str| {
        given.place(&format!("/servers/{server}/{item}{pointer}"))
    };
    match Bindings::compile(&place, &specs, &inferences) {
        Ok(bindings) => (inferences, Some(bindings)),
        Err(problems) => {
            findings.extend(problems);
            (inferences, None)
        }
    }
}

fn read_inferences(given: &Given<'_>, path: &str) -> Result<Inferences, Vec<Finding>> {
    let path = given.base.join(path);
    let name = path.display().to_string();
    let text = sources::text(&path).map_err(|why| {
        let message = format!("the inferences `{name}` cannot be read: {why}");
        vec![Finding::error(given.place("/inferences"), message)]
    })?;
    Inferences::read(&name, &text)
}

/// Bindings that are broken are left out here: they have their own findings, and nothing of this
/// is put in force while there are any.
fn desk(
    outline: &Outline,
    definitions: &Definitions,
    policies: Sources,
    inferences: Inferences,
    bindings: Option<Bindings>,
) -> Desk {
    let servers = outline.servers.iter().map(|(name, server)| {
        let known = definitions.get(name).cloned().unwrap_or_default();
        (name.clone(), surface(server, known))
    });
    Desk {
        sources: policies,
        surface: Surface { servers: servers.collect() },
        bindings: Arc::new(bindings.unwrap_or_default()),
        inferences: Arc::new(inferences),
    }
}

/// The tools that are configured, and those that are known besides.
fn surface(server: &OutlinedServer, known: Vec<Tool>) -> ServerSurface {
    let mut tools: BTreeMap<Arc<str>, Tool> = server
        .tools
        .keys()
        .map(|name| Arc::<str>::from(name.as_str()))
        .map(|name| (Arc::clone(&name), Tool { name, input_schema: None }))
        .collect();
    tools.extend(known.into_iter().map(|tool| (Arc::clone(&tool.name), tool)));
    ServerSurface {
        tools: tools.into_values().collect(),
        declared_mappings: server.declared_mappings,
        scopes: server.scopes.clone(),
    }
}

fn compile(desk: &Desk, findings: &mut Vec<Finding>) -> Option<Compiled> {
    match desk.compile() {
        Ok(compiled) => {
            findings.extend(compiled.findings.iter().cloned());
            Some(compiled)
        }
        Err(problems) => {
            findings.extend(problems);
            None
        }
    }
}

/// Source by source as they were read, and by place within each.
fn in_order(findings: Vec<Finding>) -> Vec<Finding> {
    let mut ranks: BTreeMap<String, usize> = BTreeMap::new();
    for finding in &findings {
        let next = ranks.len();
        ranks.entry(finding.place.source.clone()).or_insert(next);
    }
    let mut findings = findings;
    findings.sort_by_key(|finding| {
        let rank = ranks.get(&finding.place.source).copied().unwrap_or(usize::MAX);
        (rank, finding.place.line, finding.place.column)
    });
    findings.dedup();
    findings
}

fn watched(given: &Given<'_>, policies: PathBuf) -> Vec<PathBuf> {
    let outline = &given.outline;
    let named = outline.directory.iter().map(|(_, path)| path).chain(&outline.inferences);
    let mut watched = vec![given.path.to_owned(), policies];
    watched.extend(named.map(|path| given.base.join(path)));
    watched.extend(given.settled.jwks.iter().cloned());
    watched
}
