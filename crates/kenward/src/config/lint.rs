//! What is doubtful about bindings, though nothing is wrong with them.

mod arguments;
mod statements;

use std::collections::{BTreeMap, BTreeSet};

use kenward_disclosure::{CompiledBinding, Mode, Parameter, Role, ToolBinding, Vocabulary};
use kenward_document::nearest;
use kenward_live::Desk;
use kenward_model::{Finding, Place, ServerName};
use kenward_policy::Tool;
use kenward_world::EntityRecord;
use serde_json::Value;

use super::Definitions;
use super::outline::{Outline, OutlinedServer};
use super::settle::token;
use statements::Statement;

/// A configuration that is free of errors.
pub(super) struct Subject<'s> {
    pub(super) outline: &'s Outline,
    pub(super) place: &'s dyn Fn(&str) -> Place,
    /// The definitions that are known.
    pub(super) known: &'s Definitions,
    pub(super) directory: &'s [(String, Vec<EntityRecord>)],
    pub(super) desk: &'s Desk,
    /// Whether tools that sound as if they revealed something are refused.
    pub(super) refuses_unbound: bool,
}

/// A binding as it is written, and as it is compiled.
struct Bound<'s> {
    pointer: String,
    binding: &'s ToolBinding,
    compiled: Option<&'s CompiledBinding>,
}

/// Warnings and notes on the bindings.
pub(super) fn lint(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, server) in &subject.outline.servers {
        findings.extend(subject.unbound(name, server));
        subject.unknown_tools(name, server, &mut findings);
        subject.unknown_arguments(name, server, &mut findings);
    }
    let bound = subject.bound();
    let policies = subject.desk.sources.policies.iter();
    let statements: Vec<Statement> =
        policies.flat_map(|file| statements::statements(&file.text)).collect();
    subject.unpermitted(&bound, &statements, &mut findings);
    subject.open_texts(&bound, &statements, &mut findings);
    subject.unclaimed(&bound, &mut findings);
    subject.subjects(&bound, &mut findings);
    findings
}

impl<'s> Subject<'s> {
    /// Everything that is bound to what it reveals.
    fn bound(&self) -> Vec<Bound<'s>> {
        let bindings = &self.desk.bindings;
        let mut all = Vec::new();
        for (server, of) in &self.outline.servers {
            let mut add = |section: &str, name: &str, binding, compiled| {
                let pointer = format!("/servers/{server}/{section}/{}", token(name));
                all.push(Bound { pointer, binding, compiled });
            };
            for (name, binding) in &of.tools {
                add("tools", name, binding, bindings.get(server, name).map(AsRef::as_ref));
            }
            for (name, binding) in &of.prompts {
                add("prompts", name, binding, bindings.prompt(server, name).map(AsRef::as_ref));
            }
            for (name, binding) in &of.resources {
                add("resources", name, binding, bindings.template(server, name).map(AsRef::as_ref));
            }
        }
        all
    }

    fn finding(
        &self,
        pointer: &str,
        severity: fn(Place, String) -> Finding,
        text: String,
    ) -> Finding {
        severity((self.place)(pointer), text)
    }

    /// Tools that nobody has described, and that sound as if they revealed something.
    fn unbound(&self, name: &ServerName, server: &OutlinedServer) -> Option<Finding> {
        let vocabulary = Vocabulary::new(&self.desk.inferences.families);
        let known = self.known.get(name).map_or(&[][..], Vec::as_slice);
        let mut names: Vec<&str> = known.iter().map(|tool| &*tool.name).collect();
        names.extend(server.tools.keys().map(String::as_str));
        names.sort_unstable();
        names.dedup();
        names.retain(|tool| !server.tools.contains_key(*tool));
        let sounding: Vec<String> = names
            .into_iter()
            .filter_map(|tool| {
                let schema = known.iter().find(|known| *known.name == *tool).and_then(schema);
                let arguments = schema.and_then(|schema| schema.get("properties")?.as_object());
                let arguments = arguments.into_iter().flatten().map(|(name, _)| name.as_str());
                let guess = vocabulary.guess(std::iter::once(tool).chain(arguments));
                (!guess.is_none()).then(|| format!("`{tool}` ({})", guess.names().join(", ")))
            })
            .collect();
        if sounding.is_empty() {
            return None;
        }
        let text = format!("nobody has said what these reveal: {}", some_of(&sounding));
        let help = if self.refuses_unbound {
            "bind each to what it reveals: `{}` where that is about nobody"
        } else {
            "bind each to what it reveals, `{}` where that is about nobody; or refuse them: \
             `disclosure: { unbound: refuse }`"
        };
        Some(self.finding(&format!("/servers/{name}"), Finding::note, text).with_help(help))
    }

    /// Tools that are configured and that the server does not have.
    fn unknown_tools(
        &self,
        name: &ServerName,
        server: &OutlinedServer,
        findings: &mut Vec<Finding>,
    ) {
        let Some(known) = self.known.get(name).filter(|known| !known.is_empty()) else { return };
        for tool in server.tools.keys().filter(|tool| !known.iter().any(|k| *k.name == ***tool)) {
            let text = format!("the server `{name}` has shown no tool `{tool}`");
            let pointer = format!("/servers/{name}/tools/{}", token(tool));
            let finding = self.finding(&pointer, Finding::warning, text);
            let near = nearest(tool, known.iter().map(|known| &*known.name));
            findings.push(suggesting(finding, near));
        }
    }

    /// Arguments that a binding names and that the tool does not have.
    fn unknown_arguments(
        &self,
        name: &ServerName,
        server: &OutlinedServer,
        findings: &mut Vec<Finding>,
    ) {
        let known = self.known.get(name).map_or(&[][..], Vec::as_slice);
        for tool in known {
            let (Some(binding), Some(schema)) = (server.tools.get(&*tool.name), schema(tool))
            else {
                continue;
            };
            for unknown in arguments::unknown(binding, schema) {
                let text = format!("the tool has no argument `{}`", unknown.name);
                let pointer =
                    format!("/servers/{name}/tools/{}{}", token(&tool.name), unknown.pointer);
                let finding = self.finding(&pointer, Finding::warning, text);
                findings.push(suggesting(finding, unknown.near.as_deref()));
            }
        }
    }

    /// Bindings refuse everything where no policy permits to learn anything.
    fn unpermitted(
        &self,
        bound: &[Bound<'_>],
        statements: &[Statement],
        findings: &mut Vec<Finding>,
    ) {
        let reveals = bound.iter().any(|bound| {
            bound
                .compiled
                .is_some_and(|binding| binding.is_enforced() && !binding.possible().is_empty())
        });
        let permitted = statements.iter().any(|policy| policy.permits && policy.is_on_learn);
        if reveals && !permitted {
            let text = "nothing permits to learn anything: every bound tool is refused".to_owned();
            let help = "permit `action == Mcp::Action::\"learn\"` to those who may know what the tools tell";
            findings.push(self.finding("/policies", Finding::warning, text).with_help(help));
        }
    }

    /// Texts in which somebody may be named unseen, on the way to what policies decide on.
    fn open_texts(
        &self,
        bound: &[Bound<'_>],
        statements: &[Statement],
        findings: &mut Vec<Finding>,
    ) {
        for bound in bound {
            let facts = bound.compiled.map_or(&[][..], CompiledBinding::possible);
            let decided = facts.iter().find(|fact| {
                statements.iter().any(|policy| policy.speaks_of(&[&fact.attribute, &fact.family]))
            });
            let Some(fact) = decided else { continue };
            let parameters = bound.binding.parameters.iter();
            let lenient = parameters.filter_map(|(name, one)| Some((name, lenient(one)?)));
            for (name, mode) in lenient {
                let text = format!(
                    "`{name}` is `{mode}`, and the tool reveals `{}`: whoever is not recognised there is not protected",
                    fact.attribute
                );
                let pointer = format!("{}/parameters/{}/mode", bound.pointer, token(name));
                let help = "leave `mode` out: words that name nobody are refused then";
                findings.push(self.finding(&pointer, Finding::warning, text).with_help(help));
            }
        }
    }

    /// Attributes of no family, where there are families.
    fn unclaimed(&self, bound: &[Bound<'_>], findings: &mut Vec<Finding>) {
        let families = &self.desk.inferences.families;
        if families.names().next().is_none() {
            return;
        }
        let mut said = BTreeSet::new();
        for bound in bound {
            let facts = bound.compiled.map_or(&[][..], CompiledBinding::possible).iter();
            let unclaimed = facts.filter(|fact| {
                let mut claimed = families.attributes(&fact.family);
                !names_somebody(&fact.attribute) && claimed.all(|one| *one != *fact.attribute)
            });
            for fact in unclaimed.filter(|fact| said.insert(&fact.attribute)) {
                let text = format!("no family claims `{}`: it is one of its own", fact.attribute);
                let help =
                    "add it to the family that it tells about, so that one policy closes all paths";
                findings.push(self.finding(&bound.pointer, Finding::note, text).with_help(help));
            }
        }
    }

    /// Types of which the directory knows nobody, or nobody by name.
    fn subjects(&self, bound: &[Bound<'_>], findings: &mut Vec<Finding>) {
        let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
        for bound in bound {
            for fact in bound.compiled.map_or(&[][..], CompiledBinding::possible) {
                kinds.entry(&fact.of).or_insert(&bound.pointer);
            }
        }
        // Users come with their tokens.
        for (kind, pointer) in kinds.into_iter().filter(|(kind, _)| *kind != "User") {
            let of_kind = |record: &&EntityRecord| record.kind == kind;
            let all: usize =
                self.directory.iter().map(|(_, all)| all.iter().filter(of_kind).count()).sum();
            if all == 0 {
                let text = format!("no directory file has an entity of the type `{kind}`");
                let help = "name whom the tools tell of there, or by the admin API; who is not known is refused";
                findings.push(self.finding(pointer, Finding::note, text).with_help(help));
            }
            for (file, records) in self.directory {
                findings.extend(nameless(file, kind, records.iter().filter(of_kind)));
            }
        }
    }
}

/// How a parameter lets words pass that name nobody, if it does.
fn lenient(parameter: &Parameter) -> Option<&'static str> {
    match (parameter.role, parameter.mode) {
        (Role::Text | Role::Place, Mode::Open) => Some("open"),
        (Role::Text | Role::Place, Mode::Ignore) => Some("ignore"),
        (Role::Text | Role::Place, Mode::Closed)
        | (Role::Id | Role::Handle | Role::Filter | Role::Value | Role::Free, _) => None,
    }
}

/// A name or an id says who is meant, not what is known of them.
fn names_somebody(attribute: &str) -> bool {
    matches!(attribute, "name" | "id")
}

/// Subjects whom no text can name but by their id.
fn nameless<'r>(
    file: &str,
    kind: &str,
    records: impl Iterator<Item = &'r EntityRecord>,
) -> Option<Finding> {
    let (mut all, mut without, mut first) = (0_usize, 0_usize, None);
    for record in records {
        all += 1;
        if record.aliases.is_empty() {
            without += 1;
            first = first.or(Some(&record.id));
        }
    }
    let first = first?;
    let text = format!("{without} of {all} entities of `{kind}` have no alias, such as `{first}`");
    let help = "give them every name that people use: full name, e-mail, phone";
    Some(Finding::note(Place::whole(file), text).with_help(help))
}

fn schema(tool: &Tool) -> Option<&Value> {
    tool.input_schema.as_deref()
}

fn suggesting(finding: Finding, near: Option<&str>) -> Finding {
    match near {
        Some(near) => finding.with_help(format!("did you mean `{near}`?")),
        None => finding,
    }
}

fn some_of(names: &[String]) -> String {
    let shown = names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(FEW) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// How many tools one note names at most.
const FEW: usize = 8;

#[cfg(test)]
mod tests;
