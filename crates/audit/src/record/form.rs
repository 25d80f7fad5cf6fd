//! The written form of a record: which members, in which order, and how times and questions look.

use std::fmt;
use std::io::Write as _;

use jiff::civil::DateTime;
use kenward_model::{Question, ServerName, Timestamp};
use serde::de::{Error, Unexpected, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Record;

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", &self.kind)?;
        optional(&mut map, "id", self.id.as_ref())?;
        map.serialize_entry("time", &Rfc3339(self.time))?;
        optional(&mut map, "user", self.user.as_deref())?;
        optional(&mut map, "agent", self.agent.as_deref())?;
        optional(&mut map, "issuer", self.issuer.as_deref())?;
        optional(&mut map, "server", self.server.as_ref().map(ServerName::as_str))?;
        optional(&mut map, "method", self.method.as_deref())?;
        optional(&mut map, "target", self.target.as_deref())?;
        several(&mut map, "objects", &self.objects)?;
        several(&mut map, "facts", &self.facts)?;
        several(&mut map, "chain", &self.chain)?;
        optional(&mut map, "verdict", self.verdict.as_ref())?;
        if self.verdict.is_some() || self.question.is_some() {
            map.serialize_entry("question", &self.question.map(Question::number))?;
        }
        several(&mut map, "policies", &self.policies)?;
        several(&mut map, "reasons", &self.reasons)?;
        optional(&mut map, "policy_epoch", self.policy_epoch.as_deref())?;
        optional(&mut map, "revision", self.revision.as_ref())?;
        optional(&mut map, "arguments_sha256", self.arguments_sha256.as_ref())?;
        optional(&mut map, "outcome", self.outcome.as_ref())?;
        optional(&mut map, "change", self.change.as_ref())?;
        optional(&mut map, "by", self.by.as_deref())?;
        optional(&mut map, "note", self.note.as_deref())?;
        optional(&mut map, "sequence", self.sequence.as_ref())?;
        optional(&mut map, "previous", self.previous.as_ref())?;
        map.end()
    }
}

/// A time as RFC 3339 in UTC, always with six digits of the second's fraction.
#[derive(Debug)]
pub(crate) struct Rfc3339(pub(crate) Timestamp);

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0_u8; 27];
        match self.write(&mut text).and_then(|()| std::str::from_utf8(&text).ok()) {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_str(&self.0),
        }
    }
}

impl Rfc3339 {
    /// Writes the form without the general formatter, which costs several times as much; nothing
    /// when the year has not four digits.
    fn write(&self, text: &mut [u8; 27]) -> Option<()> {
        let time = jiff::Timestamp::from_microsecond(self.0.as_micros()).ok()?;
        let civil: DateTime = jiff::tz::Offset::UTC.to_datetime(time);
        let four = |number: i16| u32::try_from(number).ok();
        let two = |number: i8| u32::try_from(number).ok();
        let micros = u32::try_from(civil.subsec_nanosecond() / 1_000).ok()?;
        let mut rest = text.as_mut_slice();
        for (number, width, after) in [
            (four(civil.year())?, 4, b'-'),
            (two(civil.month())?, 2, b'-'),
            (two(civil.day())?, 2, b'T'),
            (two(civil.hour())?, 2, b':'),
            (two(civil.minute())?, 2, b':'),
            (two(civil.second())?, 2, b'.'),
            (micros, 6, b'Z'),
        ] {
            let (digits, tail) = rest.split_at_mut_checked(width)?;
            let mut number = number;
            for digit in digits.iter_mut().rev() {
                *digit = b'0' + u8::try_from(number % 10).ok()?;
                number /= 10;
            }
            rest = tail;
            rest.write_all(&[after]).ok()?;
        }
        Some(())
    }
}

pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    deserializer.deserialize_str(TimeVisitor)
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time as in RFC 3339")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse::<jiff::Timestamp>()
            .map(|time| Timestamp::from_micros(time.as_microsecond()))
            .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

pub(super) fn question<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Question>, D::Error> {
    let number = Option::<u8>::deserialize(deserializer)?;
    number.map(question_of::<D::Error>).transpose()
}

fn question_of<E: Error>(number: u8) -> Result<Question, E> {
    [Question::Operation, Question::Object, Question::Fact, Question::Inference, Question::Result]
        .into_iter()
        .find(|question| question.number() == number)
        .ok_or_else(|| {
            E::invalid_value(Unexpected::Unsigned(number.into()), &"a question's number, 1 to 5")
        })
}

fn optional<M: SerializeMap, T: Serialize + ?Sized>(
    map: &mut M,
    name: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}

fn several<M: SerializeMap, T: Serialize>(
    map: &mut M,
    name: &'static str,
    values: &[T],
) -> Result<(), M::Error> {
    if values.is_empty() { Ok(()) } else { map.serialize_entry(name, values) }
}
