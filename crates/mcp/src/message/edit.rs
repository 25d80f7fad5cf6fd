//! Messages with one thing changed and every other byte as it was.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::{Kind, Message};
use crate::envelope::span;
use crate::splice::{Members, replace};

impl Message {
    /// The message with `params._meta[key]` set to `value`, which must be JSON; `params` and
    /// `_meta` are made where they are missing. A response has no parameters and stays as it is.
    pub fn with_meta(&self, key: &str, value: &str) -> Bytes {
        let edit = if self.kind == Kind::Response { None } else { self.meta_edit(key, value) };
        edit.map_or_else(|| self.bytes.clone(), |edit| replace(&self.bytes, &[edit]))
    }

    /// The message with another id, which must be raw JSON; one without an id stays as it is.
    pub fn with_id(&self, id: &str) -> Bytes {
        match &self.id {
            Some(span) => replace(&self.bytes, &[(span.clone(), Cow::Borrowed(id))]),
            None => self.bytes.clone(),
        }
    }

    /// The message with the member at `path` below `params` replaced by `json`, or removed; nothing
    /// if there is no such member.
    pub fn with_params_member(&self, path: &[&str], json: Option<&str>) -> Option<Bytes> {
        let (last, parents) = path.split_last()?;
        let mut object = self.text().get(self.params_span()?)?;
        for name in parents {
            object = Members::of(object)?.get(name)?;
        }
        let members = Members::of(object)?;
        let position = members.position(last)?;
        let place = if json.is_some() {
            span(self.text(), members.get(last)?)
        } else {
            let start = span(self.text(), object).start;
            shifted(&members.cut(object, position)?, start)
        };
        Some(replace(&self.bytes, &[(place, Cow::Borrowed(json.unwrap_or_default()))]))
    }

    fn meta_edit(&self, key: &str, value: &str) -> Option<(Range<usize>, Cow<'static, str>)> {
        let text = self.text();
        let name = crate::reply::quoted(key);
        let Some(params) = self.params_span() else {
            let end = text.rfind('}')?;
            let added = format!(",\"params\":{{\"_meta\":{{{name}:{value}}}}}");
            return Some((end..end, Cow::Owned(added)));
        };
        let object = text.get(params)?;
        let members = Members::of(object)?;
        let Some(meta) = members.get("_meta") else {
            return Some(first(text, object, &members, &format!("\"_meta\":{{{name}:{value}}}")));
        };
        let inner = Members::of(meta)?;
        Some(match inner.get(key) {
            Some(old) => (span(text, old), Cow::Owned(value.to_owned())),
            None => first(text, meta, &inner, &format!("{name}:{value}")),
        })
    }
}

/// The edit that makes `member` the first of `object`.
fn first(
    text: &str,
    object: &str,
    members: &Members<'_>,
    member: &str,
) -> (Range<usize>, Cow<'static, str>) {
    let at = span(text, object).start + 1;
    let comma = if members.0.is_empty() { "" } else { "," };
    (at..at, Cow::Owned(format!("{member}{comma}")))
}

fn shifted(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}
