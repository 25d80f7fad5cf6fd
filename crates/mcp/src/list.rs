//! The four lists of a server, cut down to what a caller may see.
//!
//! The bytes of what stays are those that the server sent: definitions are compared and pinned by
//! their bytes, and members that this gateway does not know are none of its business.

mod read;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::dialect::Era;
use crate::envelope::{Envelope, span};
use crate::splice;

use read::Page;

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListKind {
    /// `tools/list`: `tools`, by `name`.
    Tools,
    /// `prompts/list`: `prompts`, by `name`.
    Prompts,
    /// `resources/list`: `resources`, by `uri`.
    Resources,
    /// `resources/templates/list`: `resourceTemplates`, by `uriTemplate`.
    Templates,
}

impl ListKind {
    /// The member of the result that holds the items.
    pub fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// The method that lists.
    pub fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    /// The member of an item that names it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }
}

/// One entry of a list.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Its name, URI or template.
    pub name: &'a str,
    /// Its definition, as the server wrote it; without duplicate members.
    pub json: &'a RawValue,
}

/// An entry that outlives the response it came in.
#[derive(Debug, Clone)]
pub struct OwnedItem {
    /// Its name, URI or template.
    pub name: String,
    /// Its definition, as the server wrote it; without duplicate members.
    pub json: Box<RawValue>,
}

/// A server's answer is not the list that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server's list is malformed: {0}")]
pub struct ListError(Box<str>);

impl ListError {
    fn new(why: impl Into<Box<str>>) -> Self {
        Self(why.into())
    }
}

/// The response with only those items for which `keep` says yes, byte by byte as they were. In the
/// modern era the result may then be kept by this caller alone (`cacheScope`) and for at most
/// `max_ttl_ms` milliseconds. An error response comes back as it is.
pub fn filter(
    response: &Bytes,
    kind: ListKind,
    era: Era,
    max_ttl_ms: u64,
    keep: &mut dyn FnMut(&Item<'_>) -> bool,
) -> Result<Bytes, ListError> {
    let text = text(response)?;
    let Some(page) = Page::read(text, kind)? else { return Ok(response.clone()) };
    let mut edits = Vec::new();
    if let Some(edit) = removal(text, &page, keep) {
        edits.push(edit);
    }
    if era == Era::Modern {
        caching(text, &page, max_ttl_ms, &mut edits)?;
    }
    if edits.is_empty() {
        return Ok(response.clone());
    }
    edits.sort_by_key(|(place, _)| place.start);
    Ok(splice::replace(response, &edits))
}

/// The items of one page, and the cursor of the next if there is one. An error response is an
/// error.
pub fn items(
    response: &[u8],
    kind: ListKind,
) -> Result<(Vec<OwnedItem>, Option<String>), ListError> {
    let page = Page::read(text(response)?, kind)?;
    let page = page.ok_or_else(|| ListError::new("it is an error"))?;
    let owned = |(name, json): (Cow<'_, str>, &RawValue)| OwnedItem {
        name: name.into_owned(),
        json: json.to_owned(),
    };
    Ok((page.items.into_iter().map(owned).collect(), page.next_cursor))
}

/// For how long a page may be kept as its server says, in milliseconds; nothing where it does not
/// say so (MCP 2026-07-28, utilities, caching).
pub fn ttl_ms(response: &[u8], kind: ListKind) -> Option<u64> {
    let page = Page::read(text(response).ok()?, kind).ok()??;
    page.ttl_ms?.get().parse().ok()
}

type Edit<'a> = (Range<usize>, Cow<'a, str>);

/// Puts the kept items in the place of all; nothing when all are kept.
fn removal<'a>(
    text: &'a str,
    page: &Page<'a>,
    keep: &mut dyn FnMut(&Item<'_>) -> bool,
) -> Option<Edit<'a>> {
    let (_, first) = page.items.first()?;
    let (_, last) = page.items.last()?;
    let all = span(text, first.get()).start..span(text, last.get()).end;
    let mut kept = String::with_capacity(all.len());
    let mut count = 0_usize;
    for (name, json) in &page.items {
        if keep(&Item { name, json }) {
            kept.push_str(if count == 0 { "" } else { "," });
            kept.push_str(json.get());
            count += 1;
        }
    }
    (count < page.items.len()).then_some((all, Cow::Owned(kept)))
}

/// Every page of a list that depends on its reader says so (MCP 2026-07-28, utilities, caching).
fn caching<'a>(
    text: &str,
    page: &Page<'a>,
    max_ttl_ms: u64,
    edits: &mut Vec<Edit<'a>>,
) -> Result<(), ListError> {
    let mut added = String::new();
    match page.cache_scope {
        Some(raw) if raw.get() == "\"private\"" => {}
        Some(raw) => edits.push((span(text, raw.get()), Cow::Borrowed("\"private\""))),
        None => added.push_str("\"cacheScope\":\"private\","),
    }
    // What is no number of milliseconds says nothing, and nothing may be kept for no time.
    let wanted = page.ttl_ms.map(|raw| (raw, raw.get().parse::<u64>()));
    match wanted {
        Some((_, Ok(ttl))) if ttl <= max_ttl_ms => {}
        Some((raw, ttl)) => {
            let ttl = ttl.map_or(0, |_| max_ttl_ms);
            edits.push((span(text, raw.get()), Cow::Owned(ttl.to_string())));
        }
        None => added.push_str("\"ttlMs\":0,"),
    }
    if !added.is_empty() {
        // The result has at least the list itself, so that the comma is followed by something.
        let at = inside_result(text)?;
        edits.push((at..at, Cow::Owned(added)));
    }
    Ok(())
}

/// The place behind the opening brace of the result.
fn inside_result(text: &str) -> Result<usize, ListError> {
    let (envelope, _) = Envelope::read(text).map_err(|error| ListError::new(error.message()))?;
    let place = envelope.result.map(|raw| span(text, raw.get()).start + 1);
    place.ok_or_else(|| ListError::new("it is no response"))
}

fn text(response: &[u8]) -> Result<&str, ListError> {
    std::str::from_utf8(response).map_err(|_| ListError::new("it is not utf-8"))
}
