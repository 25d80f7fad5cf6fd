//! From a checked tree to a value, by serde, with the place of whatever serde still refuses.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};

use kenward_model::Finding;

use crate::tree::{Entry, Kind, Mark, Node};

/// Makes a `T` of the tree.
pub(crate) fn decode<T: DeserializeOwned>(root: &Node, source: &str) -> Result<T, Finding> {
    T::deserialize(At { node: root, label: root.mark }).map_err(|refused| {
        let mark = refused.mark.unwrap_or(root.mark);
        Finding::error(mark.in_source(source), unveiled(refused.message, root))
    })
}

/// SECURITY: serde quotes what it refuses; what a variable held is never shown.
/// Test: `secrets_of_the_environment_are_never_shown`.
fn unveiled(message: String, node: &Node) -> String {
    match &node.kind {
        Kind::Text(value) => match &node.written {
            Some(written) if !value.is_empty() => {
                let escaped = value.escape_debug().to_string();
                message.replace(value, written).replace(&escaped, written)
            }
            _ => message,
        },
        Kind::Sequence(items) => items.iter().fold(message, unveiled),
        Kind::Mapping(entries) => entries.iter().map(|entry| &entry.value).fold(message, unveiled),
        Kind::Bad | Kind::Null | Kind::Bool(_) | Kind::Number(_) => message,
    }
}

/// What serde refused, and where, once that is known.
#[derive(Debug)]
struct Refused {
    message: String,
    mark: Option<Mark>,
}

impl Refused {
    fn at(mut self, mark: Mark) -> Self {
        self.mark.get_or_insert(mark);
        self
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), mark: None }
    }
}

/// A node, and where to point when it is refused as a whole.
#[derive(Clone, Copy)]
struct At<'de> {
    node: &'de Node,
    label: Mark,
}

impl<'de> At<'de> {
    fn item(node: &'de Node) -> Self {
        Self { node, label: node.mark }
    }

    fn value(entry: &'de Entry) -> Self {
        let label = match entry.value.kind {
            Kind::Bad | Kind::Null | Kind::Sequence(_) | Kind::Mapping(_) => entry.mark,
            Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => entry.value.mark,
        };
        Self { node: &entry.value, label }
    }

    /// Lets `seed` read this node, and says where, if it does not.
    fn read<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Refused> {
        seed.deserialize(self).map_err(|refused| refused.at(self.label))
    }
}

impl<'de> de::Deserializer<'de> for At<'de> {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match &self.node.kind {
            Kind::Bad | Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (None, Some(value)) => visitor.visit_i64(value),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Kind::Text(text) => visitor.visit_borrowed_str(text),
            Kind::Sequence(items) => visitor.visit_seq(Items(items.iter())),
            Kind::Mapping(entries) => {
                visitor.visit_map(Entries { left: entries.iter(), current: None })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.node.kind {
            Kind::Bad | Kind::Null => visitor.visit_none(),
            Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Sequence(_)
            | Kind::Mapping(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match &self.node.kind {
            Kind::Text(name) => visitor.visit_enum(name.as_str().into_deserializer()),
            Kind::Mapping(entries) => match entries.as_slice() {
                [entry] => visitor.visit_enum(Variant { entry }),
                _ => Err(de::Error::custom("expected exactly one key")),
            },
            Kind::Bad | Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Sequence(_) => {
                Err(de::Error::custom("expected a word or a mapping with one key"))
            }
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Refused;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refused> {
        self.0.next().map(|item| At::item(item).read(seed)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'de> {
    left: std::slice::Iter<'de, Entry>,
    current: Option<&'de Entry>,
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Refused;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refused> {
        self.current = self.left.next();
        self.current
            .map(|entry| seed.deserialize(key(entry)).map_err(|r| r.at(entry.mark)))
            .transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refused> {
        match self.current.take() {
            Some(entry) => At::value(entry).read(seed),
            None => Err(de::Error::custom("a value was read before its key")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

fn key(entry: &Entry) -> BorrowedStrDeserializer<'_, Refused> {
    BorrowedStrDeserializer::new(&entry.key)
}

/// A variant with content: the only entry of a mapping.
struct Variant<'de> {
    entry: &'de Entry,
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Refused> {
        let name: StrDeserializer<'_, Refused> = self.entry.key.as_str().into_deserializer();
        let value = seed.deserialize(name).map_err(|refused| refused.at(self.entry.mark))?;
        Ok((value, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'de> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        self.newtype_variant_seed(std::marker::PhantomData)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Refused> {
        At::value(self.entry).read(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Refused> {
        de::Deserializer::deserialize_any(At::value(self.entry), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        de::Deserializer::deserialize_any(At::value(self.entry), visitor)
    }
}
