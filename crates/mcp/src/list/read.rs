//! Reads one page of a list, looking for duplicates everywhere.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{ListError, ListKind};
use crate::tree::{Key, Keys, Unique};
use crate::variant;

/// How deeply a definition may nest.
const DEPTH: usize = 64;
/// The members of a result that mean something to this gateway, beside the list itself.
const KNOWN: &[&str] = &["_meta", "cacheScope", "nextCursor", "resultType", "ttlMs"];

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) items: Vec<(Cow<'a, str>, &'a RawValue)>,
    pub(super) next_cursor: Option<String>,
    pub(super) cache_scope: Option<&'a RawValue>,
    pub(super) ttl_ms: Option<&'a RawValue>,
}

impl<'a> Page<'a> {
    /// The page in a response; nothing if the response is an error.
    pub(super) fn read(text: &'a str, kind: ListKind) -> Result<Option<Self>, ListError> {
        let mut keys = Keys::default();
        let mut reader = serde_json::Deserializer::from_str(text);
        let seed = ResponseSeed { kind, keys: &mut keys };
        let read = seed.deserialize(&mut reader).and_then(|read| reader.end().map(|()| read));
        let members = read.map_err(|error| ListError::new(error.to_string()))?;
        members.map(|members| members.page(kind)).transpose()
    }
}

struct ResponseSeed<'k, 'a> {
    kind: ListKind,
    keys: &'k mut Keys<'a>,
}

impl<'a> DeserializeSeed<'a> for ResponseSeed<'_, 'a> {
    type Value = Option<Members<'a>>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for ResponseSeed<'_, 'a> {
    type Value = Option<Members<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a response")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { kind, keys } = self;
        let (mut version, mut error, mut result) = (None, None, None);
        let mut frame = keys.open();
        while let Some(key) = map.next_key::<Key<'a>>()? {
            match key.0.as_ref() {
                "result" => {
                    result = Some(map.next_value_seed(ResultSeed { kind, keys: &mut *keys })?);
                }
                "jsonrpc" => version = Some(map.next_value::<&'a RawValue>()?),
                "error" => error = Some(map.next_value::<&'a RawValue>()?),
                "id" => drop(map.next_value::<&'a RawValue>()?),
                _ => return Err(A::Error::custom("it has members that no response has")),
            }
            keys.add(&mut frame, key)?;
        }
        keys.close(&frame);
        let is_current = version.is_some_and(|version| version.get() == "\"2.0\"");
        if !is_current || result.is_some() == error.is_some() {
            return Err(A::Error::custom("it is no response"));
        }
        Ok(result)
    }
}

/// The members of a result, as far as they matter.
#[derive(Debug, Default)]
struct Members<'a> {
    items: Option<Vec<(Cow<'a, str>, &'a RawValue)>>,
    next_cursor: Option<&'a RawValue>,
    cache_scope: Option<&'a RawValue>,
    ttl_ms: Option<&'a RawValue>,
    result_type: Option<&'a RawValue>,
}

impl<'a> Members<'a> {
    fn page(self, kind: ListKind) -> Result<Page<'a>, ListError> {
        if self.result_type.is_some_and(|raw| raw.get() != "\"complete\"") {
            return Err(ListError::new("it is not complete"));
        }
        let no_list = || ListError::new(format!("it has no `{}`", kind.member()));
        let items = self.items.ok_or_else(no_list)?;
        let next_cursor = self.next_cursor.filter(|raw| raw.get() != "null");
        let cursor = next_cursor.map(|raw| serde_json::from_str(raw.get())).transpose();
        let next_cursor = cursor.map_err(|_| ListError::new("`nextCursor` is no string"))?;
        let Self { cache_scope, ttl_ms, .. } = self;
        Ok(Page { items, next_cursor, cache_scope, ttl_ms })
    }
}

struct ResultSeed<'k, 'a> {
    kind: ListKind,
    keys: &'k mut Keys<'a>,
}

impl<'a> DeserializeSeed<'a> for ResultSeed<'_, 'a> {
    type Value = Members<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Members<'a>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for ResultSeed<'_, 'a> {
    type Value = Members<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Members<'a>, A::Error> {
        let Self { kind, keys } = self;
        let mut members = Members::default();
        let mut frame = keys.open();
        while let Some(key) = map.next_key::<Key<'a>>()? {
            match key.0.as_ref() {
                name if name == kind.member() => {
                    let seed = ItemsSeed { kind, keys: &mut *keys };
                    members.items = Some(map.next_value_seed(seed)?);
                }
                "nextCursor" => members.next_cursor = Some(map.next_value()?),
                "cacheScope" => members.cache_scope = Some(map.next_value()?),
                "ttlMs" => members.ttl_ms = Some(map.next_value()?),
                "resultType" => members.result_type = Some(map.next_value()?),
                name => {
                    refuse_variant(name, KNOWN)?;
                    refuse_variant(name, &[kind.member()])?;
                    map.next_value_seed(Unique::new(DEPTH, keys))?;
                }
            }
            keys.add(&mut frame, key)?;
        }
        keys.close(&frame);
        Ok(members)
    }
}

struct ItemsSeed<'k, 'a> {
    kind: ListKind,
    keys: &'k mut Keys<'a>,
}

impl<'a> DeserializeSeed<'a> for ItemsSeed<'_, 'a> {
    type Value = Vec<(Cow<'a, str>, &'a RawValue)>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for ItemsSeed<'_, 'a> {
    type Value = Vec<(Cow<'a, str>, &'a RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::with_capacity(32);
        while let Some(json) = seq.next_element::<&'a RawValue>()? {
            let mut reader = serde_json::Deserializer::from_str(json.get());
            let name = NameSeed { key: self.kind.key(), keys: &mut *self.keys };
            let name = name.deserialize(&mut reader).map_err(A::Error::custom)?;
            items.push((name, json));
        }
        Ok(items)
    }
}

/// Walks a whole definition and keeps its name.
struct NameSeed<'k, 'a> {
    key: &'static str,
    keys: &'k mut Keys<'a>,
}

impl<'a> DeserializeSeed<'a> for NameSeed<'_, 'a> {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for NameSeed<'_, 'a> {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { key: wanted, keys } = self;
        let mut name = None;
        let mut frame = keys.open();
        while let Some(key) = map.next_key::<Key<'a>>()? {
            if key.0 == wanted {
                name = Some(map.next_value::<Key<'a>>()?.0);
            } else {
                refuse_variant(&key.0, &[wanted])?;
                map.next_value_seed(Unique::new(DEPTH, keys))?;
            }
            keys.add(&mut frame, key)?;
        }
        keys.close(&frame);
        name.ok_or_else(|| A::Error::custom(format_args!("an item has no `{wanted}`")))
    }
}

fn refuse_variant<E: Error>(name: &str, known: &[&str]) -> Result<(), E> {
    match variant::of(name, known) {
        Some(known) => Err(E::custom(format_args!("`{known}` is misspelled"))),
        None => Ok(()),
    }
}
