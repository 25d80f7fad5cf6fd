//! The one byte form of a JSON value (RFC 8785), to be hashed.

use std::io::Write as _;

use serde_json::{Map, Number, Value};

/// How deep a value may be nested; deeper ones have no canonical form here.
const DEPTH: usize = 128;
/// From here on readers differ about integers (2^53, RFC 7493 section 2.2).
const FIRST_UNSAFE: u64 = 1 << 53;

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// As RFC 8785 section 3.2.2.3 has it; an integer from 2^53 on has no form, since some readers
    /// would round it.
    Double,
    /// With all digits, so that different numbers always have different forms.
    Exact,
}

/// The value has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uncanonical;

/// Appends the canonical form of `value` to `out`.
pub(crate) fn write(value: &Value, numbers: Numbers, out: &mut Vec<u8>) -> Result<(), Uncanonical> {
    Writer { numbers, depth: DEPTH, out }.value(value)
}

/// The first eight bytes of a digest as a number.
pub(crate) fn first_64_bits(digest: &[u8; 32]) -> u64 {
    digest.iter().take(8).fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}

struct Writer<'o> {
    numbers: Numbers,
    depth: usize,
    out: &'o mut Vec<u8>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) -> Result<(), Uncanonical> {
        match value {
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Bool(true) => self.out.extend_from_slice(b"true"),
            Value::Bool(false) => self.out.extend_from_slice(b"false"),
            Value::Number(number) => return self.number(number),
            Value::String(text) => return self.string(text),
            Value::Array(items) => return self.nested(|writer| writer.array(items)),
            Value::Object(members) => return self.nested(|writer| writer.object(members)),
        }
        Ok(())
    }

    fn nested(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), Uncanonical>,
    ) -> Result<(), Uncanonical> {
        self.depth = self.depth.checked_sub(1).ok_or(Uncanonical)?;
        write(self)?;
        self.depth += 1;
        Ok(())
    }

    fn array(&mut self, items: &[Value]) -> Result<(), Uncanonical> {
        self.out.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.value(item)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, members: &Map<String, Value>) -> Result<(), Uncanonical> {
        let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
        if sorted.iter().all(|(name, _)| name.is_ascii()) {
            sorted.sort_unstable_by(|one, other| one.0.cmp(other.0));
        } else {
            // UTF-16 code units, section 3.2.3: not the order of the bytes of UTF-8.
            sorted.sort_unstable_by(|one, other| one.0.encode_utf16().cmp(other.0.encode_utf16()));
        }
        self.out.push(b'{');
        for (index, (name, value)) in sorted.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.string(name)?;
            self.out.push(b':');
            self.value(value)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<(), Uncanonical> {
        // serde_json escapes exactly what section 3.2.2.2 demands, in the same form.
        serde_json::to_writer(&mut *self.out, text).map_err(|_| Uncanonical)
    }

    fn number(&mut self, number: &Number) -> Result<(), Uncanonical> {
        let magnitude = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
        match (self.numbers, magnitude) {
            (Numbers::Exact, _) => write!(self.out, "{number}").map_err(|_| Uncanonical),
            (Numbers::Double, Some(small)) if small < FIRST_UNSAFE => {
                write!(self.out, "{number}").map_err(|_| Uncanonical)
            }
            (Numbers::Double, Some(_)) => Err(Uncanonical),
            (Numbers::Double, None) => {
                serde_json_canonicalizer::to_writer(number, &mut *self.out).map_err(|_| Uncanonical)
            }
        }
    }
}

#[cfg(test)]
mod tests;
