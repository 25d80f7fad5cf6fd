//! Names and URIs in a server's messages replaced by others, every other byte as it was: for an
//! endpoint that offers several servers as one.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::envelope::{Envelope, span};
use crate::list::ListKind;
use crate::reply::quoted;
use crate::splice::{self, Members};
use crate::tree::{self, Key};

type Edit = (Range<usize>, Cow<'static, str>);

/// What a URI is called instead.
type Rename<'r> = &'r dyn Fn(&str) -> String;

/// The definition of a listed item under another name, URI or template.
pub fn item(json: &RawValue, kind: ListKind, name: &str) -> Bytes {
    let text = json.get();
    let mut edits = Vec::new();
    for (_, value) in named(text, kind.key()) {
        edits.push((span(text, value), Cow::Owned(quoted(name))));
    }
    splice::replace(text.as_bytes(), &edits)
}

/// A response with other URIs for the MCP resources that its result reads, embeds and links to.
/// What is no such response stays as it is.
pub fn uris(response: &Bytes, rename: Rename<'_>) -> Bytes {
    let Some(edits) = edits(response, rename).filter(|edits| !edits.is_empty()) else {
        return response.clone();
    };
    splice::replace(response, &edits)
}

fn edits(response: &[u8], rename: Rename<'_>) -> Option<Vec<Edit>> {
    let text = tree::text(response).ok()?;
    let (envelope, _) = Envelope::read(text).ok()?;
    let mut found = Found { text, rename, edits: Vec::new() };
    for (name, value) in &Members::of(envelope.result?.get())?.0 {
        match name.as_ref() {
            "content" => each(value.get(), &mut |item| found.content(item)),
            "contents" => each(value.get(), &mut |item| found.uri(item)),
            "messages" => each(value.get(), &mut |message| {
                for (_, content) in named(message, "content") {
                    each(content, &mut |item| found.content(item));
                }
            }),
            _ => {}
        }
    }
    Some(found.edits)
}

/// The URIs that were found so far, in the order of the text.
struct Found<'a, 'r> {
    text: &'a str,
    rename: Rename<'r>,
    edits: Vec<Edit>,
}

impl Found<'_, '_> {
    /// A content block: a link names a resource, an embedded resource is one.
    fn content(&mut self, block: &str) {
        let is_link = named(block, "type")
            .any(|(_, kind)| string(kind).is_some_and(|kind| kind == "resource_link"));
        let Some(members) = Members::of(block) else { return };
        for (name, value) in &members.0 {
            match name.as_ref() {
                "uri" if is_link => self.one(value.get()),
                "resource" => self.uri(value.get()),
                _ => {}
            }
        }
    }

    /// Every member `uri` of an object: should a reader take another of two than we would, it is
    /// renamed all the same.
    fn uri(&mut self, object: &str) {
        for (_, value) in named(object, "uri") {
            self.one(value);
        }
    }

    fn one(&mut self, value: &str) {
        if let Some(uri) = string(value) {
            let other = quoted(&(self.rename)(&uri));
            self.edits.push((span(self.text, value), Cow::Owned(other)));
        }
    }
}

/// The items of an array, or the one value that stands in its place.
fn each(value: &str, look: &mut dyn FnMut(&str)) {
    match serde_json::from_str::<Vec<&RawValue>>(value) {
        Ok(items) => items.into_iter().for_each(|item| look(item.get())),
        Err(_) => look(value),
    }
}

/// The members of `object` with that name; none if it is no object.
fn named<'a>(object: &'a str, name: &'a str) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> {
    let members = Members::of(object).map(|members| members.0).unwrap_or_default();
    members.into_iter().filter(move |(key, _)| key == name).map(|(key, value)| (key, value.get()))
}

fn string(json: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Key<'_>>(json).ok().map(|key| key.0)
}
