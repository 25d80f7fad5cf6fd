//! The member names of the objects that are open at the moment.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Objects with more members than this are watched by hash instead of one by one.
const FEW: usize = 16;

/// A member's name, borrowed from the text unless it is spelled with escapes.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(name)))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(name.to_owned())))
    }
}

/// The names of all open objects in one stack; the innermost object's are at the end.
#[derive(Debug, Default)]
pub(crate) struct Keys<'de> {
    stack: Vec<Key<'de>>,
}

/// Where one object's names begin in the stack, and its names by hash once they are many.
#[derive(Debug)]
pub(crate) struct Frame<'de> {
    start: usize,
    many: Option<HashSet<Key<'de>>>,
}

impl<'de> Keys<'de> {
    pub(crate) fn open(&self) -> Frame<'de> {
        Frame { start: self.stack.len(), many: None }
    }

    /// Notes a member's name in the innermost object.
    pub(crate) fn add<E: Error>(&mut self, frame: &mut Frame<'de>, key: Key<'de>) -> Result<(), E> {
        if let Some(many) = &mut frame.many {
            if many.contains(&key) {
                return Err(super::duplicate(&key.0));
            }
            many.insert(key);
            return Ok(());
        }
        let names = self.stack.get(frame.start..).unwrap_or_default();
        if names.contains(&key) {
            return Err(super::duplicate(&key.0));
        }
        if names.len() >= FEW {
            frame.many = Some(self.stack.drain(frame.start..).chain([key]).collect());
        } else {
            self.stack.push(key);
        }
        Ok(())
    }

    pub(crate) fn close(&mut self, frame: &Frame<'de>) {
        self.stack.truncate(frame.start);
    }
}
