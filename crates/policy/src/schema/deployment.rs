//! The deployment's own schema: its entity types and actions, merged from all its files.

use std::collections::BTreeMap;

use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::RawName;
use cedar_policy_core::validator::json_schema::Fragment;
use kenward_model::{Finding, Place};
use serde_json::{Map, Value, json};

use crate::diagnostic;
use crate::schema::vocabulary::{AGENT, GROUP, Scope, USER, common_context};
use crate::source::SourceFile;

/// What the deployment declares, in the JSON form of a schema, by namespace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deployment {
    namespaces: BTreeMap<String, Namespace>,
}

/// The declarations of one namespace, by name.
#[derive(Debug, Clone, Default)]
struct Namespace {
    kinds: Map<String, Value>,
    types: Map<String, Value>,
    actions: Map<String, Value>,
}

impl Namespace {
    /// Adds what a file declares; gives the names that were taken, each with its kind in words.
    fn add(&mut self, content: &Value) -> Vec<(&'static str, String)> {
        let mut taken = Vec::new();
        for (section, word, target) in [
            ("entityTypes", "entity type", &mut self.kinds),
            ("commonTypes", "type", &mut self.types),
            ("actions", "action", &mut self.actions),
        ] {
            let declared = content.get(section).and_then(Value::as_object);
            taken.extend(declared.into_iter().flatten().filter_map(|(name, definition)| {
                let replaced = target.insert(name.clone(), definition.clone());
                replaced.map(|_| (word, name.clone()))
            }));
        }
        taken
    }
}

impl Deployment {
    /// Reads all files and merges them; `User` and `Group` are added when no file declares them.
    pub(crate) fn read(files: &[SourceFile]) -> Result<Self, Vec<Finding>> {
        let mut deployment = Self::default();
        let mut findings = Vec::new();
        for file in files {
            match Fragment::<RawName>::from_cedarschema_str(&file.text, Extensions::all_available())
            {
                Ok((fragment, _)) => deployment.merge(&fragment, file, &mut findings),
                Err(error) => findings.extend(diagnostic::errors(&error, file)),
            }
        }
        let root = deployment.namespaces.entry(String::new()).or_default();
        for kind in [USER, GROUP] {
            root.kinds.entry(kind).or_insert_with(|| json!({ "memberOfTypes": [GROUP] }));
        }
        deployment.complete_actions(files, &mut findings);
        deployment.refuse_tags(files, &mut findings);
        if findings.is_empty() { Ok(deployment) } else { Err(findings) }
    }

    fn merge(
        &mut self,
        fragment: &Fragment<RawName>,
        file: &SourceFile,
        findings: &mut Vec<Finding>,
    ) {
        let Ok(Value::Object(namespaces)) = serde_json::to_value(fragment) else {
            let place = Place::whole(file.path.as_str());
            findings.push(Finding::error(place, "the schema cannot be read"));
            return;
        };
        for (name, content) in namespaces {
            if name == "Mcp" || name.starts_with("Mcp::") {
                let message = format!("the namespace `{name}` is supplied by Kenward");
                findings.push(Finding::error(place_of(file, &name), message).with_help(
                    "declare your types outside of it, and refer to its own as `Mcp::Tool` and so on",
                ));
                continue;
            }
            let taken = self.namespaces.entry(name).or_default().add(&content);
            findings.extend(taken.into_iter().map(|(word, name)| {
                let message = format!("the {word} `{name}` is declared twice");
                Finding::error(place_of(file, &name), message)
            }));
        }
    }

    /// Gives every action's context what every request has.
    fn complete_actions(&mut self, files: &[SourceFile], findings: &mut Vec<Finding>) {
        let all = self.namespaces.clone();
        let spaces = self.namespaces.iter_mut();
        let actions = spaces.flat_map(|(space, content)| {
            content.actions.iter_mut().map(move |(name, action)| (space, name, action))
        });
        for (space, name, action) in actions {
            if let Err(problem) = complete_action(&all, space, action) {
                let message = format!("the context of action `{name}` {}", problem.message);
                let place = place_among(files, name);
                findings.push(Finding::error(place, message).with_help(problem.help));
            }
        }
    }

    /// The directory has no tags to give, so that a policy on them could only be wrong.
    fn refuse_tags(&self, files: &[SourceFile], findings: &mut Vec<Finding>) {
        let kinds = self.namespaces.values().flat_map(|content| &content.kinds);
        for (name, _) in kinds.filter(|(_, kind)| kind.get("tags").is_some()) {
            let message =
                format!("the entity type `{name}` declares tags, which the directory lacks");
            let finding = Finding::error(place_among(files, name), message);
            findings.push(finding.with_help("declare attributes instead"));
        }
    }

    /// The full names of the deployment's entity types.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let all = self.namespaces.iter();
        all.flat_map(|(space, content)| content.kinds.keys().map(|kind| qualified(space, kind)))
            .collect()
    }

    /// The namespaces, with agents as principals beside users when `scope` has them.
    pub(crate) fn namespaces(&self, scope: Scope) -> Map<String, Value> {
        let mut namespaces = Map::new();
        for (name, content) in &self.namespaces {
            let mut actions = content.actions.clone();
            if scope.agents {
                actions.iter_mut().for_each(|(_, action)| add_agents(action));
            }
            let content = json!({
                "entityTypes": content.kinds,
                "commonTypes": content.types,
                "actions": actions,
            });
            namespaces.insert(name.clone(), content);
        }
        namespaces
    }
}

/// Where `word` first stands in `file` as a word of its own; the whole file otherwise.
pub(crate) fn place_of(file: &SourceFile, word: &str) -> Place {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let found = file.text.match_indices(word).find(|(offset, _)| {
        let before = file.text.get(..*offset).and_then(|text| text.chars().next_back());
        let after = file.text.get(offset + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
    });
    found.map_or_else(
        || Place::whole(file.path.as_str()),
        |(offset, _)| Place::at_offset(file.path.as_str(), &file.text, offset),
    )
}

/// Where `word` first stands in any of `files`.
pub(crate) fn place_among(files: &[SourceFile], word: &str) -> Place {
    let places = files.iter().map(|file| place_of(file, word));
    let whole = || Place::whole(files.first().map_or("schema", |file| file.path.as_str()));
    places.into_iter().find(|place| place.line > 0).unwrap_or_else(whole)
}

/// Completes the context of an action that applies to anything.
fn complete_action(
    all: &BTreeMap<String, Namespace>,
    namespace: &str,
    action: &mut Value,
) -> Result<(), ContextProblem> {
    if let Some(applies) = action.get_mut("appliesTo").and_then(Value::as_object_mut) {
        let context = complete_context(all, namespace, applies.get("context"))?;
        applies.insert("context".to_owned(), context);
    }
    Ok(())
}

struct ContextProblem {
    message: String,
    help: &'static str,
}

fn complete_context(
    all: &BTreeMap<String, Namespace>,
    namespace: &str,
    declared: Option<&Value>,
) -> Result<Value, ContextProblem> {
    let mut context = common_context();
    let own = match declared {
        None => Map::new(),
        Some(declared) => record_of(all, namespace, declared).ok_or_else(|| ContextProblem {
            message: "is no record".to_owned(),
            help: "write the record where the action is declared",
        })?,
    };
    for (name, kind) in own {
        if context.contains_key(&name) {
            return Err(ContextProblem {
                message: format!("declares `{name}`, which Kenward supplies"),
                help: "leave it out; policies can read it as it is",
            });
        }
        if name != "mapping" && name != "claimed" {
            return Err(ContextProblem {
                message: format!("declares `{name}`, which no request will have"),
                help: "what a mapping says stands under `mapping`, what it claims of subject and \
                       resource under `claimed`; declare it as a member of one of these",
            });
        }
        context.insert(name, kind);
    }
    Ok(json!({ "type": "Record", "attributes": context }))
}

/// The members of a record type, through the names of common types.
fn record_of<'s>(
    all: &'s BTreeMap<String, Namespace>,
    namespace: &str,
    declared: &'s Value,
) -> Option<Map<String, Value>> {
    let mut current = declared;
    // A chain of names longer than this is a circle, which the schema refuses by itself.
    for _ in 0..16 {
        if current.get("type").and_then(Value::as_str) == Some("Record") {
            return current.get("attributes").and_then(Value::as_object).cloned();
        }
        let name = match current.get("type").and_then(Value::as_str)? {
            "EntityOrCommon" | "Common" => current.get("name").and_then(Value::as_str)?,
            other => other,
        };
        let (space, base) = name.rsplit_once("::").unwrap_or((namespace, name));
        let common = |space: &str| all.get(space)?.types.get(base);
        current = common(space).or_else(|| common(""))?;
    }
    None
}

fn add_agents(action: &mut Value) {
    let principals = action
        .get_mut("appliesTo")
        .and_then(|applies| applies.get_mut("principalTypes"))
        .and_then(Value::as_array_mut);
    if let Some(principals) = principals
        && principals.iter().any(|kind| kind == USER)
        && !principals.iter().any(|kind| kind == AGENT)
    {
        principals.push(json!(AGENT));
    }
}

fn qualified(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}::{name}") }
}
