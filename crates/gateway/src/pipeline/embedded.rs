//! MCP resources that come inside other answers: each is judged as if it were read by itself.

use kenward_disclosure::Entry;
use kenward_live::InForce;
use kenward_model::Target;
use memchr::memmem;
use serde_json::{Value, json};

use super::Call;

/// What makes an answer worth a look: an embedded resource, a question to the client, or letters
/// written so that neither would be seen.
const SIGNS: [&[u8]; 3] = [b"\"resource\"", b"\"input_required\"", b"\\u00"];
/// One byte less than the longest sign: it may be cut anywhere.
const CUT: usize = 15;

/// Looks for the signs in a body that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Scout {
    tail: Vec<u8>,
}

impl Scout {
    /// Whether a sign ends in `chunk`, given the chunks before it.
    pub(crate) fn sees(&mut self, chunk: &[u8]) -> bool {
        let mut seam = std::mem::take(&mut self.tail);
        seam.extend(chunk.iter().take(CUT));
        let seen = shows(&seam) || shows(chunk);
        let source = if chunk.len() >= CUT { chunk } else { &seam };
        let kept = source.len().saturating_sub(CUT);
        self.tail = source.iter().skip(kept).copied().collect();
        seen
    }
}

/// Whether `bytes` hold something that has to be looked at.
pub(super) fn shows(bytes: &[u8]) -> bool {
    SIGNS.iter().any(|sign| memmem::find(bytes, sign).is_some())
}

/// What became of the MCP resources inside a result.
#[derive(Debug, Default)]
pub(super) struct Embedded {
    /// Whether one was taken out.
    pub(super) removed: bool,
    /// What those that are left, and those that are not, make of the history; in it already, and
    /// to be kept before the result is released.
    pub(super) entries: Vec<Entry>,
}

/// Takes out of a result every MCP resource that the caller may not read.
pub(super) fn remove_unreadable(call: &Call, in_force: &InForce, result: &mut Value) -> Embedded {
    let mut embedded = Embedded::default();
    for list in ["content", "contents", "messages"] {
        if let Some(items) = result.get_mut(list).and_then(Value::as_array_mut) {
            let before = items.len();
            items.retain(|item| {
                uri_of(item).is_none_or(|uri| may_read(call, in_force, uri, &mut embedded.entries))
            });
            embedded.removed |= items.len() != before;
        }
    }
    embedded
}

/// The URI of the resource that an item of a result is or carries. Links carry nothing: whoever
/// follows one is decided on then.
fn uri_of(item: &Value) -> Option<&str> {
    let resource = item.get("resource").or_else(|| item.get("content")?.get("resource"));
    match resource {
        Some(resource) => resource.get("uri").and_then(Value::as_str),
        // An item of a read: it has a URI and no type.
        None if item.get("type").is_none() => item.get("uri").and_then(Value::as_str),
        None => None,
    }
}

fn may_read(call: &Call, in_force: &InForce, uri: &str, entries: &mut Vec<Entry>) -> bool {
    if matches!(call.target(), Target::Resource(asked) if asked == uri) {
        return true;
    }
    let params = json!({ "uri": uri });
    let target = Target::Resource(uri.into());
    let (verdict, added) = call.judge_as(in_force, "resources/read", target, &params);
    entries.extend(added);
    verdict.is_allowed()
}

#[cfg(test)]
mod tests;
