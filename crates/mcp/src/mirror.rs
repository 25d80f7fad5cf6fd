//! Arguments of a tool that travel in headers too: `Mcp-Param-*` (MCP 2026-07-28, transports,
//! custom headers from tool parameters).
//!
//! The headers are never a ground for a decision; they must only say what the body says.

mod schema;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use crate::EnvelopeError;
use crate::dialect::{decode_header_value, encode_header_value};

/// What every such header's name begins with.
pub const PREFIX: &str = "Mcp-Param-";

/// Integers beyond this are not the same number to every reader (RFC 8259, section 6).
const SAFE: i64 = (1 << 53) - 1;

/// A tool whose annotations are malformed: a client over HTTP must not offer it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// The annotation is no name that a header can have.
    #[error("`x-mcp-header` at `{0}` is not a header's name")]
    Name(String),
    /// Two annotations with one name, upper and lower case aside.
    #[error("`x-mcp-header` at `{0}` names a header that another parameter has")]
    Twice(String),
    /// The parameter is no string, integer or boolean.
    #[error("`x-mcp-header` at `{0}` stands on a parameter that is no string, integer or boolean")]
    Type(String),
    /// The parameter is not reached through `properties` alone.
    #[error("`x-mcp-header` at `{0}` stands where no argument can be told from the schema")]
    Unreachable(String),
}

/// The arguments of one tool that are mirrored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrors(Vec<Mirror>);

/// One mirrored argument.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mirror {
    /// Without the prefix.
    name: String,
    path: Vec<String>,
}

impl Mirrors {
    /// The annotations of a tool's input schema.
    pub fn of(input_schema: &Value) -> Result<Self, MirrorError> {
        schema::annotations(input_schema).map(Self)
    }

    /// Whether no argument is mirrored.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The headers of a call with these arguments: name and encoded value. Arguments that are
    /// absent or null, or that are no value of the kind a header can have, have none.
    pub fn headers(&self, arguments: &Value) -> Vec<(String, String)> {
        let header = |mirror: &Mirror| {
            let value = plain(mirror.argument(arguments)?)?;
            Some((format!("{PREFIX}{}", mirror.name), encode_header_value(&value)))
        };
        self.0.iter().filter_map(header).collect()
    }

    /// Checks that the headers of a call say what its arguments say. `header` gives the value of a
    /// header by its name, whatever its case.
    pub fn check<'h>(
        &self,
        arguments: &Value,
        header: &dyn Fn(&str) -> Option<&'h str>,
    ) -> Result<(), EnvelopeError> {
        self.0.iter().try_for_each(|mirror| {
            let name = format!("{PREFIX}{}", mirror.name);
            let argument = mirror.argument(arguments).and_then(plain);
            agree(&name, header(&name), argument.as_deref())
        })
    }
}

impl Mirror {
    fn argument<'v>(&self, arguments: &'v Value) -> Option<&'v Value> {
        self.path.iter().try_fold(arguments, |value, name| value.get(name))
    }
}

fn agree(name: &str, header: Option<&str>, argument: Option<&str>) -> Result<(), EnvelopeError> {
    let (header, argument) = match (header, argument) {
        (None, None) => return Ok(()),
        (Some(header), Some(argument)) => (header, argument),
        (None, Some(_)) => {
            return Err(EnvelopeError::header(format!("header `{name}` is missing")));
        }
        (Some(_), None) => {
            let message = format!("header `{name}` mirrors an argument that is not there");
            return Err(EnvelopeError::header(message));
        }
    };
    let value = decode_header_value(header)
        .map_err(|error| EnvelopeError::header(format!("header `{name}` {error}")))?;
    if value == argument || is_same_number(&value, argument) {
        return Ok(());
    }
    Err(EnvelopeError::header(format!("header `{name}` does not say what its argument says")))
}

/// An argument as a header says it: numbers in decimal, truth values in lower case.
fn plain(argument: &Value) -> Option<Cow<'_, str>> {
    match argument {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Number(number) => {
            let integer = number.as_i64().filter(|value| (-SAFE..=SAFE).contains(value))?;
            Some(Cow::Owned(integer.to_string()))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Integers are compared as numbers: `42.0` is `42`.
fn is_same_number(header: &str, argument: &str) -> bool {
    let whole = header.split_once('.').map_or(header, |(whole, fraction)| {
        if fraction.bytes().all(|digit| digit == b'0') { whole } else { header }
    });
    argument.parse::<i64>().is_ok_and(|argument| whole.parse() == Ok(argument))
}
