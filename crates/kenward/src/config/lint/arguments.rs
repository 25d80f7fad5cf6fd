//! The arguments that a binding names, against those that its tool declares.

use std::collections::BTreeSet;

use kenward_disclosure::{OneOrMany, ToolBinding};
use kenward_document::nearest;
use serde_json::Value;

use crate::config::settle::token;

/// An argument that the tool does not have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    pub(super) name: String,
    /// The JSON Pointer inside the binding.
    pub(super) pointer: String,
    /// The argument that was probably meant.
    pub(super) near: Option<String>,
}

/// What `binding` names and `schema` does not have, each once.
pub(super) fn unknown(binding: &ToolBinding, schema: &Value) -> Vec<Unknown> {
    let mut seen = BTreeSet::new();
    let mut unknown = Vec::new();
    for (pointer, name) in named(binding) {
        if !seen.insert(name.clone()) {
            continue;
        }
        if let Err(known) = find(schema, &name) {
            let near = nearest(&name, known.iter().map(String::as_str)).map(str::to_owned);
            unknown.push(Unknown { name, pointer, near });
        }
    }
    unknown
}

/// Every argument that the binding names, with the pointer to it.
fn named(binding: &ToolBinding) -> Vec<(String, String)> {
    let mut named: Vec<(String, String)> = binding
        .parameters
        .keys()
        .map(|name| (format!("/parameters/{}", token(name)), name.clone()))
        .collect();
    let mut paths = Vec::new();
    for (index, disclosure) in binding.discloses.iter().enumerate() {
        let subject = disclosure.subject.iter();
        paths.extend(subject.map(|subject| (format!("/discloses/{index}/subject"), subject)));
    }
    let filter = binding.aggregate.iter().filter_map(|aggregate| aggregate.filter.as_ref());
    paths.extend(filter.map(|filter| ("/aggregate/filter".to_owned(), filter)));
    for (pointer, paths) in paths {
        for (index, path) in paths.as_slice().iter().enumerate() {
            let pointer = match paths {
                OneOrMany::One(_) => pointer.clone(),
                OneOrMany::Many(_) => format!("{pointer}/{index}"),
            };
            named.extend(path.strip_prefix(ARGUMENTS).map(|name| (pointer, name.to_owned())));
        }
    }
    let key = binding.oracle.iter().flat_map(|oracle| oracle.key.iter().enumerate());
    named.extend(key.map(|(index, key)| {
        let name = key.strip_prefix(ARGUMENTS).unwrap_or(key);
        (format!("/oracle/key/{index}"), name.to_owned())
    }));
    named
}

/// Follows the name into the schema as far as that tells its members; the arguments that there
/// are in its place when it leads nowhere.
fn find(schema: &Value, name: &str) -> Result<(), Vec<String>> {
    let mut schema = schema;
    let mut before = String::new();
    for member in name.split('.') {
        let Some(members) = schema.get("properties").and_then(Value::as_object) else {
            return Ok(());
        };
        match members.get(member) {
            Some(next) => schema = next,
            None => return Err(members.keys().map(|known| format!("{before}{known}")).collect()),
        }
        before = format!("{before}{member}.");
    }
    Ok(())
}

const ARGUMENTS: &str = "$params.arguments.";
