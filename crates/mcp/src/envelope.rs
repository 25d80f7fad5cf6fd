//! The outermost object of a JSON-RPC message, its members as raw JSON.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::tree::{self, Key};
use crate::{EnvelopeError, Kind};

/// An id longer than this is refused: it is repeated in every message of a stream.
const LONGEST_ID: usize = 1024;

/// The members of a JSON-RPC message; nothing inside them has been looked at, but for the id.
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    version: Option<&'a RawValue>,
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) method: Option<Cow<'a, str>>,
    pub(crate) params: Option<&'a RawValue>,
    pub(crate) result: Option<&'a RawValue>,
    pub(crate) error: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope and says what kind of message it is.
    pub(crate) fn read(text: &'a str) -> Result<(Self, Kind), EnvelopeError> {
        let mut envelope = Self::default();
        let outcome = envelope.fill(text);
        let kind = outcome.and_then(|()| envelope.kind());
        kind.map_err(|error| error.answering(envelope.valid_id())).map(|kind| (envelope, kind))
    }

    /// The raw id: a string or an integer. A null id, which an error response may have, is none.
    pub(crate) fn valid_id(&self) -> Option<&'a [u8]> {
        self.id.map(RawValue::get).filter(|id| is_id(id)).map(str::as_bytes)
    }

    fn fill(&mut self, text: &'a str) -> Result<(), EnvelopeError> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let outcome = Members(self).deserialize(&mut reader).and_then(|()| reader.end());
        outcome.map_err(|error| EnvelopeError::json(&error))
    }

    fn kind(&self) -> Result<Kind, EnvelopeError> {
        if self.version.map(RawValue::get) != Some("\"2.0\"") {
            return Err(EnvelopeError::invalid("member `jsonrpc` must be \"2.0\""));
        }
        if self.params.is_some_and(|params| !is_object(params)) {
            return Err(EnvelopeError::invalid("member `params` must be an object"));
        }
        match (&self.method, self.result, self.error) {
            (Some(_), None, None) => self.call_kind(),
            (None, Some(body), None) | (None, None, Some(body)) => self.response_kind(body),
            (Some(_), ..) => Err(EnvelopeError::invalid("message is both a call and a response")),
            (None, Some(_), Some(_)) => {
                Err(EnvelopeError::invalid("response has both a result and an error"))
            }
            (None, None, None) => Err(EnvelopeError::invalid("member `method` is missing")),
        }
    }

    fn call_kind(&self) -> Result<Kind, EnvelopeError> {
        match (self.id, self.valid_id()) {
            (None, _) => Ok(Kind::Notification),
            (Some(_), Some(_)) => Ok(Kind::Request),
            (Some(_), None) => Err(invalid_id()),
        }
    }

    fn response_kind(&self, body: &RawValue) -> Result<Kind, EnvelopeError> {
        if self.params.is_some() {
            return Err(EnvelopeError::invalid("a response has no `params`"));
        }
        if !is_object(body) {
            return Err(EnvelopeError::invalid("a result or an error must be an object"));
        }
        let nameless = self.error.is_some() && self.id.is_none_or(|id| id.get() == "null");
        if nameless || self.valid_id().is_some() { Ok(Kind::Response) } else { Err(invalid_id()) }
    }
}

/// Where `part`, which must be a piece of `whole`, lies in it.
pub(crate) fn span(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start + part.len()
}

/// Whether raw JSON is an object.
pub(crate) fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

fn invalid_id() -> EnvelopeError {
    EnvelopeError::invalid("member `id` must be a short string or an integer")
}

/// A string, or an integer as written without fraction and exponent.
fn is_id(raw: &str) -> bool {
    if raw.len() > LONGEST_ID {
        return false;
    }
    if raw.starts_with('"') {
        // The grammar lets half a surrogate pair through, which is no string.
        return !raw.contains('\\') || serde_json::from_str::<Key<'_>>(raw).is_ok();
    }
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Fills an envelope, so that what was read before an error is known.
struct Members<'e, 'a>(&'e mut Envelope<'a>);

impl<'a> DeserializeSeed<'a> for Members<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON-RPC object")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("one JSON-RPC object is expected, not a batch"))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        let envelope = self.0;
        while let Some(Key(name)) = members.next_key::<Key<'a>>()? {
            let place = match name.as_ref() {
                "jsonrpc" => &mut envelope.version,
                "id" => &mut envelope.id,
                "params" => &mut envelope.params,
                "result" => &mut envelope.result,
                "error" => &mut envelope.error,
                "method" if envelope.method.is_some() => return Err(tree::duplicate(&name)),
                "method" => {
                    envelope.method = Some(members.next_value::<Key<'a>>()?.0);
                    continue;
                }
                _ => return Err(unknown(&name)),
            };
            if place.is_some() {
                // Which of two ids an answer would go to is anyone's guess.
                envelope.id = envelope.id.filter(|_| name != "id");
                return Err(tree::duplicate(&name));
            }
            *place = Some(members.next_value::<&'a RawValue>()?);
        }
        Ok(())
    }
}

fn unknown<E: Error>(name: &str) -> E {
    E::custom(format_args!("unknown member `{}`", crate::error::quote(name)))
}
