//! What a server's URIs, ids and tokens are called at `/mcp`: `kenward:<server>:` and then what the
//! server wrote, so that it comes back byte for byte.
//!
//! To a URI parser the mark is a scheme with an opaque path, which nobody normalises; a template
//! stays one, for nothing in the mark is special to it.

#[cfg(test)]
mod tests;

use kenward_model::ServerName;
use serde_json::Value;

const SCHEME: &str = "kenward:";
/// The longest id that a message may have (see `kenward_mcp`), as JSON.
const LONGEST_ID: usize = 1024;

/// `text` of `server`, marked as its own.
pub(super) fn outward(server: &ServerName, text: &str) -> String {
    format!("{SCHEME}{server}:{text}")
}

/// The server that `marked` names, and the text as the server wrote it.
pub(super) fn inward(marked: &str) -> Option<(&str, &str)> {
    // No server's name contains a colon.
    marked.strip_prefix(SCHEME)?.split_once(':')
}

/// The raw id or token of a server's request as JSON for the client; nothing when it is too long to
/// come back.
pub(super) fn id_outward(server: &ServerName, raw: &[u8]) -> Option<String> {
    let raw = std::str::from_utf8(raw).ok()?;
    let json = Value::from(outward(server, raw)).to_string();
    (json.len() <= LONGEST_ID).then_some(json)
}

/// The server that asked under an id or token that comes back, and the raw JSON that it used.
pub(super) fn id_inward(json: &[u8]) -> Option<(String, String)> {
    let marked: String = serde_json::from_slice(json).ok()?;
    let (server, raw) = inward(&marked)?;
    let value: Value = serde_json::from_str(raw).ok()?;
    (value.is_string() || value.is_number()).then(|| (server.to_owned(), raw.to_owned()))
}
