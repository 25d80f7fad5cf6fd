//! What a reviewer should look at. Words alone never keep a definition from being served.

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::clean;

/// What is odd about a definition; `others` are the names beside it.
pub fn flags<'n>(
    name: &str,
    definition: &Value,
    others: impl IntoIterator<Item = &'n str>,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut texts = Vec::new();
    collect(definition, &mut texts);
    if texts.iter().any(|text| *clean::text(text) != **text) {
        found.push("it has text that nobody sees".to_owned());
    }
    if texts.iter().any(|text| has_markup(text)) {
        found.push("it has markup that is made to be read by a model alone".to_owned());
    }
    if let Some(what) = texts.iter().find_map(|text| orders_a_secret(text)) {
        found.push(format!("it asks for something secret: `{what}`"));
    }
    let named: Vec<&str> = others
        .into_iter()
        .filter(|other| *other != name && is_name_like(other))
        .filter(|other| texts.iter().any(|text| has_word(text, other)))
        .take(5)
        .collect();
    if !named.is_empty() {
        found.push(format!("it speaks of other tools: {}", named.join(", ")));
    }
    found.extend(undeclared(definition));
    let read_only = definition.pointer("/annotations/readOnlyHint") == Some(&Value::Bool(true));
    if read_only && let Some(verb) = writing_verb(name) {
        found.push(format!("it says that it only reads, and its name says `{verb}`"));
    }
    found
}

/// All prose of a definition: strings that are not names of members.
fn collect<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|value| collect(value, texts)),
    }
}

fn has_markup(text: &str) -> bool {
    let text = text.to_lowercase();
    let hides = ["<!--", "<script", "<iframe", "display:none", "display: none", "font-size:0"];
    let tags = ["important", "system", "secret", "hidden", "instructions", "instruction", "admin"];
    let is_tag = |tag: &str| text.contains(&format!("<{tag}>"));
    hides.iter().any(|hide| text.contains(hide)) || tags.iter().any(|tag| is_tag(tag))
}

/// A sentence that orders something to be done with a secret, or with a file that holds one.
fn orders_a_secret(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let mut sentences = text.split(['\n', '!', '?', ';']).flat_map(|line| line.split(". "));
    sentences.find_map(|sentence| {
        let secret = SECRETS.into_iter().find(|secret| sentence.contains(secret))?;
        is_order(sentence).then_some(secret)
    })
}

/// Whether a sentence begins with a verb that takes something somewhere, or says that one must.
fn is_order(sentence: &str) -> bool {
    let words: Vec<&str> =
        sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let begins = words.first().is_some_and(|first| TAKING.contains(first));
    let pushed = words.iter().enumerate().any(|(at, word)| {
        let presses = ["must", "always", "first", "please", "before", "should"].contains(word);
        presses && words.iter().skip(at + 1).take(6).any(|next| TAKING.contains(next))
    });
    begins || pushed
}

/// Names that are no ordinary words, so that a description does not have them by chance.
fn is_name_like(name: &str) -> bool {
    let inner_capital = name.chars().skip(1).any(char::is_uppercase);
    name.len() > 3 && (name.contains(['_', '-', '.']) || inner_capital)
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Required parameters that the schema does not have.
fn undeclared(definition: &Value) -> Option<String> {
    let schema = definition.get("inputSchema")?;
    let required = schema.get("required")?.as_array()?;
    let properties = schema.get("properties").and_then(Value::as_object);
    let missing = required
        .iter()
        .filter_map(Value::as_str)
        .find(|name| !properties.is_some_and(|properties| properties.contains_key(*name)))?;
    Some(format!("it requires `{missing}`, which is none of its parameters"))
}

fn writing_verb(name: &str) -> Option<&'static str> {
    let end = name
        .char_indices()
        .skip(1)
        .find(|(_, c)| !c.is_alphanumeric() || c.is_uppercase())
        .map_or(name.len(), |(at, _)| at);
    let first = name.get(..end)?.to_lowercase();
    WRITING.into_iter().find(|verb| *verb == first)
}

const SECRETS: [&str; 16] = [
    ".ssh",
    "id_rsa",
    "id_ed25519",
    ".env",
    ".aws",
    ".netrc",
    ".npmrc",
    "/etc/passwd",
    "/etc/shadow",
    "mcp.json",
    "private key",
    "api key",
    "api_key",
    "password",
    "credentials",
    "access token",
];
const TAKING: [&str; 16] = [
    "read", "send", "include", "pass", "upload", "attach", "copy", "put", "provide", "open", "cat",
    "post", "forward", "fetch", "add", "paste",
];
const WRITING: [&str; 24] = [
    "add", "cancel", "change", "create", "delete", "drop", "edit", "erase", "execute", "insert",
    "modify", "move", "pay", "post", "publish", "purge", "remove", "rename", "send", "set",
    "transfer", "update", "upload", "write",
];
