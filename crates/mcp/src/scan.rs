//! The shape of a message from a server, without building a tree of it.
//!
//! For messages that are passed on or looked at later; [`crate::Message`] is for those that are
//! decided on.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use crate::envelope::{Envelope, span};
use crate::splice::Members;
use crate::{EnvelopeError, Kind, tree, variant};

pub use crate::Kind as ShapeKind;

/// What a message is and where its parts lie in the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape<'a> {
    /// What it is to JSON-RPC.
    pub kind: Kind,
    /// The method; nothing for responses.
    pub method: Option<Cow<'a, str>>,
    /// The raw JSON of the id.
    pub id: Option<&'a [u8]>,
    /// Where the parameters lie.
    pub params: Option<Range<usize>>,
    /// Where the result lies.
    pub result: Option<Range<usize>>,
    /// Where the error lies.
    pub error: Option<Range<usize>>,
    /// The result's `resultType`; nothing if it has none, which means `complete`.
    pub result_type: Option<Cow<'a, str>>,
    /// The raw progress token: the one that a request asks for, or that a progress notification
    /// answers.
    pub progress_token: Option<&'a [u8]>,
}

/// Reads the shape of one message. The envelope is checked as [`crate::Message::parse`] checks it;
/// duplicates further inside are looked for only where this function reads.
pub fn shape(bytes: &[u8]) -> Result<Shape<'_>, EnvelopeError> {
    let text = tree::text(bytes)?;
    let (envelope, kind) = Envelope::read(text)?;
    let id = envelope.valid_id();
    let place = |raw: Option<&RawValue>| raw.map(|raw| span(text, raw.get()));
    let result_type = result_type(envelope.result).map_err(|error| error.answering(id))?;
    let token = progress_token(envelope.params, kind).map_err(|error| error.answering(id))?;
    Ok(Shape {
        kind,
        id,
        params: place(envelope.params),
        result: place(envelope.result),
        error: place(envelope.error),
        method: envelope.method,
        result_type,
        progress_token: token.map(str::as_bytes),
    })
}

fn result_type(result: Option<&RawValue>) -> Result<Option<Cow<'_, str>>, EnvelopeError> {
    let Some(raw) = member(result.map(RawValue::get), "resultType")? else { return Ok(None) };
    let text = serde_json::from_str::<tree::Key<'_>>(raw).map(|key| Some(key.0));
    text.map_err(|_| EnvelopeError::invalid("member `resultType` must be a string"))
}

fn progress_token(params: Option<&RawValue>, kind: Kind) -> Result<Option<&str>, EnvelopeError> {
    let params = params.map(RawValue::get);
    match kind {
        Kind::Request => member(member(params, "_meta")?, "progressToken"),
        Kind::Notification => member(params, "progressToken"),
        Kind::Response => Ok(None),
    }
}

/// The one member of that name; a second one, or one that differs only in case, is an error.
fn member<'a>(object: Option<&'a str>, name: &str) -> Result<Option<&'a str>, EnvelopeError> {
    let Some(members) = object.and_then(Members::of) else { return Ok(None) };
    let mut named = members.0.iter().filter(|(key, _)| key == name);
    let first = named.next().map(|(_, value)| value.get());
    let is_variant = |key: &str| variant::of(key, &[name]).is_some();
    if named.next().is_some() || members.0.iter().any(|(key, _)| is_variant(key)) {
        return Err(EnvelopeError::invalid(format!("duplicate member `{name}`")));
    }
    Ok(first)
}
