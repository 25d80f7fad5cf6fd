//! Between a client of 2026-07-28 and a server of 2025-11-25 or earlier, message by message.
//!
//! What need not differ stays byte for byte. A server of the legacy era cannot say what is known in
//! the modern one alone: members that mean something there are written by us.

mod asking;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use crate::dialect::Era;
use crate::envelope::{Envelope, span};
use crate::list::{self, Item, ListKind};
use crate::reply::quoted;
use crate::splice::{Members, replace};
use crate::{EnvelopeError, scan, tree};

pub use asking::{Asked, Visit, input_response, question, visits};

/// What the modern era writes into `_meta`, in both directions.
const RESERVED: &str = "io.modelcontextprotocol/";
/// Who a server says it is, on each of its results.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
/// A resource that does not exist, in the legacy era and in the modern one.
const NOT_FOUND: (&str, &str) = ("-32002", "-32602");
/// The severities of log messages, the least severe first (RFC 5424).
const LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];
/// An error is looked for in answers up to this length, in bytes: none of ours is longer.
const LONGEST_ERROR: usize = 64 << 10;

type Edit<'a> = (Range<usize>, Cow<'a, str>);

/// What a result of the modern era carries.
#[derive(Debug, Clone, Copy)]
pub struct Dress<'a> {
    /// The raw id of the client's request.
    pub id: &'a [u8],
    /// Whether it says for how long and for whom it may be kept: not at all, for nobody else.
    pub cacheable: bool,
    /// What the server said of itself at its handshake, as JSON.
    pub server: Option<&'a str>,
}

/// The request as a legacy server takes it: under the raw id `id` and, where it has a progress
/// token, under the raw token `token`; without what only the modern era knows, and without
/// `task`, which would ask for an answer that the client does not know.
///
/// # Errors
/// It is no JSON-RPC message.
pub fn request(message: &[u8], id: &str, token: &str) -> Result<Bytes, EnvelopeError> {
    let text = tree::text(message)?;
    let (envelope, _) = Envelope::read(text)?;
    let mut edits: Vec<Edit<'_>> = Vec::new();
    if let Some(raw) = envelope.id {
        edits.push((span(text, raw.get()), Cow::Borrowed(id)));
    }
    if let Some(params) = envelope.params {
        let kept = kept(params.get(), &|name, raw| match name {
            "inputResponses" | "requestState" | "task" => None,
            "_meta" => legacy_meta(raw, token).map(Cow::Owned),
            _ => Some(Cow::Borrowed(raw)),
        });
        let kept = kept.ok_or_else(|| EnvelopeError::invalid("member `params` is malformed"))?;
        edits.push((span(text, params.get()), Cow::Owned(kept)));
    }
    edits.sort_by_key(|(place, _)| place.start);
    Ok(replace(message, &edits))
}

/// `_meta` without what the modern era reserves; nothing when nothing is left.
fn legacy_meta(meta: &str, token: &str) -> Option<String> {
    let kept = kept(meta, &|name, raw| match name {
        "progressToken" => Some(Cow::Borrowed(token)),
        name if name.starts_with(RESERVED) => None,
        _ => Some(Cow::Borrowed(raw)),
    });
    kept.filter(|meta| meta != "{}")
}

/// The object with those members alone that `keep` gives a value.
pub(crate) fn kept<'a>(
    object: &'a str,
    keep: &dyn Fn(&str, &'a str) -> Option<Cow<'a, str>>,
) -> Option<String> {
    let members = Members::of(object)?;
    let mut out = String::with_capacity(object.len());
    for (name, raw) in &members.0 {
        let Some(value) = keep(name, raw.get()) else { continue };
        out.push(if out.is_empty() { '{' } else { ',' });
        out.push_str(&quoted(name));
        out.push(':');
        out.push_str(&value);
    }
    if out.is_empty() {
        out.push('{');
    }
    out.push('}');
    Some(out)
}

/// The response of a legacy server as the modern era has it.
///
/// # Errors
/// It is no response, or has members twice that are written here.
pub fn response(message: &[u8], dress: Dress<'_>) -> Result<Bytes, EnvelopeError> {
    let text = tree::text(message)?;
    let (envelope, _) = Envelope::read(text)?;
    let mut edits: Vec<Edit<'_>> = Vec::new();
    if let Some(raw) = envelope.id {
        let id = std::str::from_utf8(dress.id).unwrap_or("null");
        edits.push((span(text, raw.get()), Cow::Borrowed(id)));
    }
    if let Some(result) = envelope.result {
        dressed(text, result.get(), dress, &mut edits)?;
    }
    if let Some(error) = envelope.error {
        let code = once(error.get(), "code")?;
        if let Some(code) = code.filter(|code| *code == NOT_FOUND.0) {
            edits.push((span(text, code), Cow::Borrowed(NOT_FOUND.1)));
        }
    }
    edits.sort_by_key(|(place, _)| place.start);
    Ok(replace(message, &edits))
}

fn dressed<'a>(
    text: &'a str,
    result: &'a str,
    dress: Dress<'_>,
    edits: &mut Vec<Edit<'a>>,
) -> Result<(), EnvelopeError> {
    let caching = [("ttlMs", "0"), ("cacheScope", "\"private\"")];
    let caching = caching.into_iter().filter(|_| dress.cacheable);
    let mut added = String::new();
    for (name, value) in [("resultType", "\"complete\"")].into_iter().chain(caching) {
        match once(result, name)? {
            Some(old) => edits.push((span(text, old), Cow::Borrowed(value))),
            None => added.extend(["\"", name, "\":", value, ","]),
        }
    }
    if let Some(server) = dress.server {
        match once(result, "_meta")? {
            Some(meta) => edits.push(introduced(text, meta, server)?),
            None => added.extend(["\"_meta\":{\"", SERVER_INFO, "\":", server, "},"]),
        }
    }
    if Members::of(result).is_some_and(|members| members.0.is_empty()) {
        added.pop();
    }
    let at = span(text, result).start + 1;
    edits.push((at..at, Cow::Owned(added)));
    Ok(())
}

/// The edit that lets `meta` say who the server is.
fn introduced<'a>(text: &'a str, meta: &'a str, server: &str) -> Result<Edit<'a>, EnvelopeError> {
    let members = Members::of(meta);
    let members = members.ok_or_else(|| EnvelopeError::invalid("`_meta` must be an object"))?;
    if let Some(old) = once(meta, SERVER_INFO)? {
        return Ok((span(text, old), Cow::Owned(server.to_owned())));
    }
    let at = span(text, meta).start + 1;
    let comma = if members.0.is_empty() { "" } else { "," };
    Ok((at..at, Cow::Owned(format!("\"{SERVER_INFO}\":{server}{comma}"))))
}

/// The raw value of the member `name`; having it twice is an error.
pub(crate) fn once<'a>(object: &'a str, name: &str) -> Result<Option<&'a str>, EnvelopeError> {
    let Some(members) = Members::of(object) else { return Ok(None) };
    let mut named = members.0.iter().filter(|(key, _)| key == name);
    let first = named.next().map(|(_, raw)| raw.get());
    if named.next().is_some() {
        return Err(EnvelopeError::invalid(format!("duplicate member `{name}`")));
    }
    Ok(first)
}

/// A progress notification under the token that the client knows.
///
/// # Errors
/// It is no notification of progress.
pub fn progress(message: &[u8], token: &[u8]) -> Result<Bytes, EnvelopeError> {
    let text = tree::text(message)?;
    let (envelope, _) = Envelope::read(text)?;
    let no_token = || EnvelopeError::invalid("member `progressToken` is missing");
    let params = envelope.params.ok_or_else(no_token)?;
    let old = once(params.get(), "progressToken")?.ok_or_else(no_token)?;
    let token = tree::text(token)?;
    Ok(replace(message, &[(span(text, old), Cow::Borrowed(token))]))
}

/// The page of tools without those that can be called as tasks alone: tasks are not bridged.
///
/// # Errors
/// It is no list of tools.
pub fn without_tasks(response: &Bytes) -> Result<Bytes, list::ListError> {
    list::filter(response, ListKind::Tools, Era::Legacy, 0, &mut |item: &Item<'_>| {
        let execution = once(item.json.get(), "execution").ok().flatten();
        let support = execution.and_then(|raw| once(raw, "taskSupport").ok().flatten());
        support != Some("\"required\"")
    })
}

/// How severe a log level is; nothing for a word that is none.
pub fn severity(level: &str) -> Option<usize> {
    LEVELS.iter().position(|known| *known == level)
}

/// The HTTP status that goes with a response in the modern era: 404 for a method that does not
/// exist, 400 for a capability that is missing (2026-07-28, transports).
pub fn status(response: &[u8]) -> u16 {
    let is_short = response.len() <= LONGEST_ERROR;
    let says_error = is_short && memchr::memmem::find(response, b"\"error\"").is_some();
    let shape = if says_error { scan::shape(response).ok() } else { None };
    let error = shape.and_then(|shape| shape.error).and_then(|place| response.get(place));
    let error = error.and_then(|raw| std::str::from_utf8(raw).ok());
    match error.and_then(|raw| once(raw, "code").ok().flatten()) {
        Some("-32601") => 404,
        Some("-32020" | "-32021" | "-32022") => 400,
        Some(_) | None => 200,
    }
}
