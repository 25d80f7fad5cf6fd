//! A short list of texts in one piece of memory.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Texts that are stored one after the other, for entities of which there are millions.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Texts {
    /// Each text after its length in bytes, as characters of six bits each.
    packed: Arc<str>,
}

/// The number of bits of a length that one character holds; the next bit says that more follow.
const BITS: u32 = 6;
const MORE: u8 = 1 << BITS;

impl Texts {
    /// The texts in their order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.packed }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// The form in which these texts are stored, by which two lists are compared.
    pub(crate) fn pack<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
        let mut packed = String::new();
        for text in texts {
            let mut length = text.len();
            while length >= usize::from(MORE) {
                packed
                    .push(char::from(MORE | u8::try_from(length % usize::from(MORE)).unwrap_or(0)));
                length >>= BITS;
            }
            packed.push(char::from(u8::try_from(length).unwrap_or(0)));
            packed.push_str(text);
        }
        packed
    }

    /// The list of which this is the stored form.
    pub(crate) fn packed(packed: Arc<str>) -> Self {
        Self { packed }
    }
}

/// The texts of a [`Texts`].
#[derive(Debug, Clone)]
pub struct Iter<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Iter<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let (mut length, mut shift, mut digits) = (0, 0, 0);
        for byte in self.rest.bytes() {
            length |= usize::from(byte % MORE) << shift;
            shift += BITS;
            digits += 1;
            if byte < MORE {
                break;
            }
        }
        let (text, rest) = self.rest.get(digits..)?.split_at_checked(length)?;
        if digits == 0 {
            return None;
        }
        self.rest = rest;
        Some(text)
    }
}

impl Default for Texts {
    fn default() -> Self {
        std::iter::empty().collect()
    }
}

impl<'t> FromIterator<&'t str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'t str>>(texts: I) -> Self {
        Self { packed: Self::pack(texts).into() }
    }
}

impl<'t> IntoIterator for &'t Texts {
    type Item = &'t str;
    type IntoIter = Iter<'t>;

    fn into_iter(self) -> Iter<'t> {
        self.iter()
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

#[cfg(test)]
mod tests;
