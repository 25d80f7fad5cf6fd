//! Walks JSON and refuses duplicate members and excessive depth, keeping nothing.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Keys;
use super::keys::Key;

/// A value that is checked and thrown away.
pub(crate) struct Unique<'k, 'de> {
    depth: usize,
    keys: &'k mut Keys<'de>,
}

impl<'k, 'de> Unique<'k, 'de> {
    pub(crate) fn new(depth: usize, keys: &'k mut Keys<'de>) -> Self {
        Self { depth, keys }
    }

    fn inner<E: Error>(&self) -> Result<usize, E> {
        self.depth.checked_sub(1).ok_or_else(super::too_deep)
    }
}

impl<'de> DeserializeSeed<'de> for Unique<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("json")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let depth = self.inner()?;
        while items.next_element_seed(Unique::new(depth, self.keys))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let depth = self.inner()?;
        let mut frame = self.keys.open();
        while let Some(key) = members.next_key::<Key<'de>>()? {
            self.keys.add(&mut frame, key)?;
            members.next_value_seed(Unique::new(depth, self.keys))?;
        }
        self.keys.close(&frame);
        Ok(())
    }
}
