//! Edits of JSON text that leave every other byte as it was.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::envelope::span;
use crate::tree::Key;

/// The members of one JSON object with their raw values, in the order of the text.
#[derive(Debug)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The members of `object`; nothing if it is no object.
    pub(crate) fn of(object: &'a str) -> Option<Self> {
        serde_json::from_str(object).ok()
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(key, _)| key == name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.get())
    }

    /// The bytes of `object` to cut out so that its member at `position` is gone.
    pub(crate) fn cut(&self, object: &str, position: usize) -> Option<Range<usize>> {
        let end = |at: usize| self.0.get(at).map(|(_, value)| span(object, value.get()).end);
        let this = end(position)?;
        match position.checked_sub(1) {
            Some(before) => Some(end(before)?..this),
            None if self.0.len() > 1 => {
                let comma = object.get(this..)?.find(',')?;
                Some(1..this + comma + 1)
            }
            None => Some(1..this),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((Key(name), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            members.push((name, value));
        }
        Ok(Members(members))
    }
}

/// `text` with other bytes in some places. The places must be in order and not overlap.
pub(crate) fn replace(text: &[u8], edits: &[(Range<usize>, Cow<'_, str>)]) -> Bytes {
    let added: usize = edits.iter().map(|(_, with)| with.len()).sum();
    let mut out = Vec::with_capacity(text.len() + added);
    let mut at = 0;
    for (place, with) in edits {
        out.extend_from_slice(text.get(at..place.start).unwrap_or_default());
        out.extend_from_slice(with.as_bytes());
        at = place.end;
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    Bytes::from(out)
}
