//! What the tools and prompts of all servers are called at `/mcp`, and back.
//!
//! Tool interfaces of models take 1 to 64 of `a-z`, `A-Z`, `0-9`, `_` and `-`, so that is what every
//! name here is made of. The plain form is `<server>__<tool>`. Where that would not fit, or could be
//! read in two ways, the name is shortened and ends in a digest of server and tool. No two tools
//! share a name: a plain name is cut at its first `__`, which no server's name contains, and nothing
//! that looks like a digest is a plain name.

#[cfg(test)]
mod tests;

use kenward_model::ServerName;
use sha2::{Digest, Sha256};

/// The longest name.
pub(super) const LONGEST: usize = 64;
const SEPARATOR: &str = "__";
/// The characters of a digest, five bits each.
const DIGEST: usize = 26;
/// How much of a server's name stands in a shortened name, and of the tool's.
const OF_SERVER: usize = 16;
const OF_TOOL: usize = LONGEST - OF_SERVER - SEPARATOR.len() - 1 - DIGEST;
/// RFC 4648 section 6, in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What a name at `/mcp` says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named<'n> {
    /// A server's name and the name that its tool has there.
    Plain(&'n str, &'n str),
    /// A digest: only who has seen the tool can tell which it is.
    Digested,
    /// No name that is given here.
    Foreign,
}

/// The name of `tool` of `server` at `/mcp`.
pub(super) fn outward(server: &ServerName, tool: &str) -> String {
    let plain = format!("{server}{SEPARATOR}{tool}");
    // A separator at the end of a server's name would run into the one that follows.
    let is_plain = !server.as_str().ends_with('_')
        && plain.len() <= LONGEST
        && plain.bytes().all(is_allowed)
        && !is_digested(&plain);
    if is_plain { plain } else { digested(server, tool) }
}

/// What `name` says of itself; whether there is such a server is for the caller to find out.
pub(super) fn inward(name: &str) -> Named<'_> {
    if name.len() > LONGEST || !name.bytes().all(is_allowed) {
        return Named::Foreign;
    }
    if is_digested(name) {
        return Named::Digested;
    }
    match name.split_once(SEPARATOR) {
        Some((server, tool)) => Named::Plain(server, tool),
        None => Named::Foreign,
    }
}

/// Whether a shortened `name` can be one of `server`'s.
pub(super) fn may_be_of(name: &str, server: &ServerName) -> bool {
    name.strip_prefix(&*first(server.as_str(), OF_SERVER))
        .is_some_and(|rest| rest.starts_with(SEPARATOR))
}

fn digested(server: &ServerName, tool: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(server.as_str());
    // No server's name contains it.
    hasher.update([0]);
    hasher.update(tool);
    let digest = base32(&hasher.finalize());
    let (server, tool) = (first(server.as_str(), OF_SERVER), first(tool, OF_TOOL));
    format!("{server}{SEPARATOR}{tool}_{digest}")
}

/// The beginning of a text, with an underscore for whatever a name may not contain.
fn first(text: &str, most: usize) -> String {
    let allowed = |c: char| u8::try_from(c).is_ok_and(is_allowed);
    text.chars().take(most).map(|c| if allowed(c) { c } else { '_' }).collect()
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn is_digested(name: &str) -> bool {
    let place = name.len().checked_sub(DIGEST + 1);
    let end = place.and_then(|place| name.as_bytes().get(place..));
    match end.and_then(<[u8]>::split_first) {
        Some((b'_', digest)) => digest.iter().all(|byte| ALPHABET.contains(byte)),
        Some(_) | None => false,
    }
}

fn base32(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let letter = |at: usize| {
        let value = (0..5).fold(0, |value, of| value << 1 | bit(at * 5 + of));
        ALPHABET.get(value).copied().map_or('a', char::from)
    };
    (0..DIGEST).map(letter).collect()
}
