//! Members that a parser which ignores upper and lower case would take for others.
//!
//! Some servers read JSON without regard to case (the standard library of Go does so). What was
//! authorized as `name` must not be called as `Name`: such spellings are refused where MCP gives
//! members their names, and so are arguments that differ in nothing but case.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::EnvelopeError;
use crate::error::quote;

/// Members of `params` that mean something to the protocol, in any method. This list and those
/// below are sorted.
const PARAMS: &[&str] = &[
    "_meta",
    "argument",
    "arguments",
    "capabilities",
    "clientInfo",
    "context",
    "cursor",
    "inputResponses",
    "level",
    "name",
    "notifications",
    "progressToken",
    "protocolVersion",
    "ref",
    "requestId",
    "requestState",
    "task",
    "taskId",
    "uri",
];

/// Members of `_meta` that mean something to the protocol or to this gateway.
const META: &[&str] = &[
    "dev.kenward/decision",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/logLevel",
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/related-task",
    "io.modelcontextprotocol/subscriptionId",
    "progressToken",
];

/// Members of a reference, of an argument to complete, of its context, and of a listen request.
const REF: &[&str] = &["name", "type", "uri"];
const ARGUMENT: &[&str] = &["name", "value"];
const CONTEXT: &[&str] = &["arguments"];
const NOTIFICATIONS: &[&str] = &[
    "promptsListChanged",
    "resourceSubscriptions",
    "resourcesListChanged",
    "taskIds",
    "toolsListChanged",
];

/// Objects with more members than this are compared by hash instead of pair by pair.
const FEW: usize = 16;

/// Refuses parameters that have a case variant of a known member.
pub(crate) fn check(params: &Value) -> Result<(), EnvelopeError> {
    let Some(params) = params.as_object() else { return Ok(()) };
    for (name, value) in params {
        refuse_variant(name, PARAMS)?;
        match (name.as_str(), value.as_object()) {
            ("_meta", None) => {
                return Err(EnvelopeError::metadata("member `_meta` must be an object"));
            }
            ("_meta", Some(meta)) => refuse_variants(meta, META)?,
            ("arguments", Some(arguments)) => refuse_twins(arguments)?,
            ("ref", Some(reference)) => refuse_variants(reference, REF)?,
            ("argument", Some(argument)) => refuse_variants(argument, ARGUMENT)?,
            ("context", Some(context)) => refuse_variants(context, CONTEXT)?,
            ("notifications", Some(wanted)) => refuse_variants(wanted, NOTIFICATIONS)?,
            _ => {}
        }
    }
    Ok(())
}

/// The known member of which `name` is a case variant; `known` must be sorted.
pub(crate) fn of<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if known.binary_search(&name).is_ok() {
        return None;
    }
    known.iter().copied().find(|known| same(name, known))
}

fn refuse_variants(object: &Map<String, Value>, known: &[&str]) -> Result<(), EnvelopeError> {
    object.keys().try_for_each(|name| refuse_variant(name, known))
}

fn refuse_variant(name: &str, known: &[&str]) -> Result<(), EnvelopeError> {
    let Some(known) = of(name, known) else { return Ok(()) };
    let name = quote(name);
    Err(EnvelopeError::invalid(format!("unknown member `{name}`; `{known}` is spelled otherwise")))
}

fn refuse_twins(arguments: &Map<String, Value>) -> Result<(), EnvelopeError> {
    let twin = if arguments.len() > FEW { twin_by_hash(arguments) } else { twin(arguments) };
    twin.map_or(Ok(()), |name| {
        let name = quote(name);
        Err(EnvelopeError::invalid(format!("argument `{name}` stands twice but for its case")))
    })
}

fn twin(arguments: &Map<String, Value>) -> Option<&str> {
    let mut names = arguments.keys();
    while let Some(name) = names.next() {
        if let Some(twin) = names.clone().find(|other| same(name, other)) {
            return Some(twin);
        }
    }
    None
}

fn twin_by_hash(arguments: &Map<String, Value>) -> Option<&str> {
    let mut seen = HashSet::with_capacity(arguments.len());
    let mut names = arguments.keys();
    names
        .find(|name| !seen.insert(name.chars().map(folded).collect::<String>()))
        .map(String::as_str)
}

fn same(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    a.chars().map(folded).eq(b.chars().map(folded))
}

/// One character without its case. Two characters beyond ASCII fold to ASCII letters: the long s
/// and the Kelvin sign (Unicode, `CaseFolding.txt`).
fn folded(c: char) -> char {
    match c {
        'ſ' => 's',
        'ẞ' => 'ß',
        'ς' => 'σ',
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}
