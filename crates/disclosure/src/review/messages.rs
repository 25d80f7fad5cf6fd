//! Where in each kind of message blocks, texts and documents stand.

use serde_json::{Value, json};

use crate::path::{Key, Location, STRUCTURED, node, node_mut};

use super::Withheld;

pub(super) const CONTENT: &str = "content";
pub(super) const CONTENTS: &str = "contents";
pub(super) const MESSAGES: &str = "messages";
const META: &str = "_meta";
/// What stands in place of an error of which it cannot be told what it says.
pub(super) const ERROR_TEXT: &str = "the server reported an error";

pub(super) fn key(name: &str) -> Key {
    Key::Name(name.to_owned())
}

/// The way to the member of an element of a list.
pub(super) fn way(list: &str, index: usize, member: &str) -> Location {
    vec![key(list), Key::Index(index), key(member)]
}

/// The block, message or part of a resource that holds what stands at `location`.
pub(super) fn block(result: &Value, location: &[Key]) -> Option<Location> {
    let name = match location.first() {
        Some(Key::Name(name)) => name.as_str(),
        Some(Key::Index(_)) | None => return None,
    };
    let depth = match (name, location.get(2), location.get(3)) {
        (MESSAGES, Some(Key::Name(member)), Some(Key::Index(_))) if member == CONTENT => 4,
        (CONTENT | CONTENTS | MESSAGES, ..) => 2,
        _ => return None,
    };
    let block = location.get(..depth)?;
    matches!(block.last(), Some(Key::Index(_)))
        .then(|| block.to_vec())
        .filter(|way| node(result, way).is_some())
}

/// Where in a message stands what cannot be read: pictures, sounds and other bytes.
pub(super) fn opaque(result: &Value) -> Vec<Location> {
    let mut found = Vec::new();
    for list in [CONTENT, CONTENTS, MESSAGES] {
        let items = result.get(list).and_then(Value::as_array);
        for (index, item) in items.into_iter().flatten().enumerate() {
            note_opaque(item, &[key(list), Key::Index(index)], &mut found);
        }
    }
    found
}

fn note_opaque(block: &Value, at: &[Key], found: &mut Vec<Location>) {
    let kind = block.get("type").and_then(Value::as_str);
    let below =
        |names: &[&str]| [at, &*names.iter().map(|name| key(name)).collect::<Location>()].concat();
    if matches!(kind, Some("image" | "audio")) && block.get("data").is_some() {
        found.push(below(&["data"]));
    }
    if block.get("blob").is_some() {
        found.push(below(&["blob"]));
    }
    if block.get("resource").is_some_and(|resource| resource.get("blob").is_some()) {
        found.push(below(&["resource", "blob"]));
    }
    match block.get(CONTENT) {
        Some(Value::Array(blocks)) => {
            for (index, block) in blocks.iter().enumerate() {
                note_opaque(block, &[at, &[key(CONTENT), Key::Index(index)]].concat(), found);
            }
        }
        Some(block) => note_opaque(block, &below(&[CONTENT]), found),
        None => {}
    }
}

/// Messages of which no block is left leave; when no block or message is left at all, nothing is
/// delivered.
pub(super) fn drop_empty_messages(result: &mut Value) -> Result<(), Withheld> {
    if let Some(messages) = result.get_mut(MESSAGES).and_then(Value::as_array_mut) {
        messages.retain(|message| {
            message.get(CONTENT).and_then(Value::as_array).is_none_or(|blocks| !blocks.is_empty())
        });
    }
    let lists =
        [CONTENT, CONTENTS, MESSAGES].iter().filter_map(|list| result.get(*list)?.as_array());
    let is_bare = lists.into_iter().all(Vec::is_empty) && result.get(STRUCTURED).is_none();
    if is_bare { Err(Withheld::Everything) } else { Ok(()) }
}

/// The one text in a list of blocks or messages that is a document, where it stands, and whether it
/// is written on several lines.
pub(super) fn only_document(result: &Value, list: &str) -> Option<(Location, Value, bool)> {
    let mut documents = Vec::new();
    for (index, item) in
        result.get(list).and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        let at = vec![key(list), Key::Index(index)];
        note_documents(item, at, &mut documents);
    }
    match documents.len() {
        1 => documents.pop(),
        _ => None,
    }
}

fn note_documents(block: &Value, at: Location, found: &mut Vec<(Location, Value, bool)>) {
    if let Some((document, pretty)) =
        block.get("text").and_then(Value::as_str).and_then(as_document)
    {
        found.push((at.iter().cloned().chain([key("text")]).collect(), document, pretty));
    }
    match block.get(CONTENT) {
        Some(Value::Array(blocks)) => {
            for (index, block) in blocks.iter().enumerate() {
                let at = at.iter().cloned().chain([key(CONTENT), Key::Index(index)]).collect();
                note_documents(block, at, found);
            }
        }
        Some(block) => {
            note_documents(block, at.into_iter().chain([key(CONTENT)]).collect(), found);
        }
        None => {}
    }
}

/// The document that a text is, and whether it is written on several lines.
pub(super) fn as_document(text: &str) -> Option<(Value, bool)> {
    let document = serde_json::from_str::<Value>(text).ok()?;
    (document.is_object() || document.is_array()).then(|| (document, text.contains('\n')))
}

pub(super) fn texts(result: &Value) -> impl Iterator<Item = &str> {
    let blocks = result.get(CONTENT).and_then(Value::as_array).into_iter().flatten();
    blocks.filter_map(|block| block.get("text").and_then(Value::as_str))
}

pub(super) fn written(value: &Value, pretty: bool) -> String {
    if pretty { format!("{value:#}") } else { value.to_string() }
}

pub(super) fn set_text(holder: &mut Value, document: &Value, pretty: bool) {
    if let Some(text) = holder.get_mut("text") {
        *text = Value::from(written(document, pretty));
    }
}

/// Every other block may tell what was taken out: one text that holds what is left remains.
pub(super) fn replace_content(result: &mut Value, text: &str) {
    if let Some(members) = result.as_object_mut() {
        members.insert(CONTENT.to_owned(), json!([{ "type": "text", "text": text }]));
    }
}

/// Leaves of all messages the one that holds the text at `location`, and of that the text alone.
pub(super) fn keep_message(result: &mut Value, location: &[Key], text: String) {
    if let Some(holder) = node_mut(result, location) {
        *holder = Value::from(text);
    }
    let Some((list, [Key::Index(index), way @ ..])) = location.split_first() else { return };
    let messages = node_mut(result, std::slice::from_ref(list)).and_then(Value::as_array_mut);
    let Some(messages) = messages else { return };
    let mut kept = messages.swap_remove(*index);
    if let [Key::Name(content), Key::Index(block), ..] = way
        && let Some(blocks) = kept.get_mut(content.as_str()).and_then(Value::as_array_mut)
    {
        let block = blocks.swap_remove(*block);
        *blocks = vec![block];
    }
    *messages = vec![kept];
}

pub(super) fn is_error(result: &Value) -> bool {
    result.get("isError") == Some(&Value::Bool(true))
}

/// Leaves of an error that it is one.
pub(super) fn silence(result: &mut Value) {
    if let Some(members) = result.as_object_mut() {
        members.shift_remove(STRUCTURED);
        members.shift_remove(META);
    }
    replace_content(result, ERROR_TEXT);
}
