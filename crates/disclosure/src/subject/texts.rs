//! The texts that an argument holds, whatever its shape.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{MOST_SUBJECTS, Naming, UnresolvedWhy};
use crate::recognise;
use crate::spec::Mode;

/// The longest id or handle, in bytes.
const LONGEST_ID: usize = 1024;
/// The longest text of which every word must be accounted for, in bytes.
const LONGEST_CLOSED: usize = 512;
/// The longest text in which names are looked for, in bytes.
const LONGEST_OPEN: usize = 64 * 1024;
/// The most texts that a filter may have.
const MOST_LEAVES: usize = 1024;
/// The deepest that the parts of a place or a filter lie.
const DEEPEST: usize = 16;
/// The members of a place that hold numbers of nobody, in lower case.
const NUMBERS: &[&str] = &[
    "accuracy",
    "alt",
    "altitude",
    "heading",
    "lat",
    "latitude",
    "lng",
    "lon",
    "long",
    "longitude",
    "precision",
    "radius",
];

/// One text of an argument.
#[derive(Debug)]
pub(super) struct Text<'v> {
    pub(super) text: Cow<'v, str>,
    /// The name of the member that holds it, inside the argument.
    pub(super) member: String,
}

/// What an argument may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// In bytes.
    longest: usize,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A text or a whole number, or a list of those.
    Texts,
    /// As those, and coordinates in numbers.
    Place,
    /// Anything.
    Filter,
}

impl Shape {
    pub(super) fn of(naming: &Naming) -> Self {
        match naming {
            Naming::Id(_) | Naming::Handle(_) => Self { longest: LONGEST_ID, form: Form::Texts },
            Naming::ClosedText => Self { longest: LONGEST_CLOSED, form: Form::Texts },
            Naming::OpenText => Self { longest: LONGEST_OPEN, form: Form::Texts },
            Naming::Place(Mode::Closed) => Self { longest: LONGEST_CLOSED, form: Form::Place },
            Naming::Place(Mode::Open | Mode::Ignore) => {
                Self { longest: LONGEST_OPEN, form: Form::Place }
            }
            Naming::Filter => Self { longest: LONGEST_OPEN, form: Form::Filter },
        }
    }
}

/// The argument at `path`; nothing where it is missing or null.
pub(super) fn at<'v>(arguments: &'v Value, path: &[Box<str>]) -> Option<&'v Value> {
    let value = path.iter().try_fold(arguments, |value, member| value.get(&**member))?;
    (!value.is_null()).then_some(value)
}

/// Every text of the argument, each of which names somebody by itself.
pub(super) fn of(value: &Value, shape: Shape) -> Result<Vec<Text<'_>>, UnresolvedWhy> {
    let mut texts = Texts { shape, found: Vec::new() };
    match shape.form {
        Form::Texts => texts.list(value)?,
        Form::Place => texts.place(value, "", 0)?,
        Form::Filter => texts.leaves(value, "", 0)?,
    }
    Ok(texts.found)
}

/// The one text of an argument that names somebody together with others.
pub(super) fn one(value: &Value, shape: Shape) -> Result<String, UnresolvedWhy> {
    scalar(value, shape.longest).map(Cow::into_owned)
}

fn scalar(value: &Value, longest: usize) -> Result<Cow<'_, str>, UnresolvedWhy> {
    match value {
        Value::String(text) if text.is_empty() => Err(UnresolvedWhy::Empty),
        Value::String(text) if text.len() > longest => Err(UnresolvedWhy::TooLong),
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            Ok(Cow::Owned(number.to_string()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(UnresolvedWhy::NotText)
        }
    }
}

struct Texts<'v> {
    shape: Shape,
    found: Vec<Text<'v>>,
}

impl<'v> Texts<'v> {
    fn list(&mut self, value: &'v Value) -> Result<(), UnresolvedWhy> {
        let Value::Array(items) = value else { return self.scalar(value, "") };
        if items.is_empty() {
            return Err(UnresolvedWhy::Empty);
        }
        if items.len() > MOST_SUBJECTS {
            return Err(UnresolvedWhy::TooMany);
        }
        items.iter().try_for_each(|item| self.scalar(item, ""))
    }

    fn scalar(&mut self, value: &'v Value, member: &str) -> Result<(), UnresolvedWhy> {
        let text = scalar(value, self.shape.longest)?;
        if self.found.len() >= MOST_LEAVES {
            return Err(UnresolvedWhy::TooMany);
        }
        self.found.push(Text { text, member: member.to_owned() });
        Ok(())
    }

    /// A place in words, in numbers, or both.
    fn place(&mut self, value: &'v Value, member: &str, depth: usize) -> Result<(), UnresolvedWhy> {
        if depth > DEEPEST {
            return Err(UnresolvedWhy::NotText);
        }
        match value {
            // a list of points, of lines, of words
            Value::Array(items) if items.is_empty() => Err(UnresolvedWhy::Empty),
            Value::Array(items) if items.len() > MOST_SUBJECTS => Err(UnresolvedWhy::TooMany),
            Value::Array(items) if is_point(items) => Ok(()),
            Value::Array(items) => {
                items.iter().try_for_each(|item| self.place(item, member, depth + 1))
            }
            Value::Object(members) if members.is_empty() => Err(UnresolvedWhy::Empty),
            Value::Object(members) => self.members(members, depth),
            Value::Number(number) if number.is_f64() => Ok(()),
            Value::Null | Value::Bool(_) if depth > 0 => Ok(()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.scalar(value, member)
            }
        }
    }

    fn members(
        &mut self,
        members: &'v Map<String, Value>,
        depth: usize,
    ) -> Result<(), UnresolvedWhy> {
        for (name, value) in members {
            let is_degrees = NUMBERS.binary_search(&&*name.to_ascii_lowercase()).is_ok()
                && degrees(value).is_some();
            // GeoJSON (RFC 7946): what kind of shape it is
            let is_kind = name == "type" && value.as_str().is_some_and(is_shape);
            if !is_degrees && !is_kind {
                self.place(value, name, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Every text and every whole number, however deep.
    fn leaves(
        &mut self,
        value: &'v Value,
        member: &str,
        depth: usize,
    ) -> Result<(), UnresolvedWhy> {
        if depth > DEEPEST {
            return Err(UnresolvedWhy::NotText);
        }
        match value {
            Value::Null | Value::Bool(_) => Ok(()),
            Value::Number(number) if number.is_f64() => Ok(()),
            Value::String(text) if text.is_empty() => Ok(()),
            Value::Number(_) | Value::String(_) => self.scalar(value, member),
            Value::Array(items) => {
                items.iter().try_for_each(|item| self.leaves(item, member, depth + 1))
            }
            Value::Object(members) => {
                members.iter().try_for_each(|(name, value)| self.leaves(value, name, depth + 1))?;
                self.beside(members)
            }
        }
    }

    /// Neighbours are read together as well: a first and a last name.
    fn beside(&mut self, members: &'v Map<String, Value>) -> Result<(), UnresolvedWhy> {
        let texts: Vec<&str> = members.values().filter_map(Value::as_str).collect();
        let short = |pair: &&[&str]| pair.iter().all(|text| text.len() <= LONGEST_CLOSED);
        for pair in texts.windows(2).filter(short) {
            let backwards: Vec<&str> = pair.iter().rev().copied().collect();
            self.joined(pair)?;
            self.joined(&backwards)?;
        }
        Ok(())
    }

    fn joined(&mut self, texts: &[&str]) -> Result<(), UnresolvedWhy> {
        if self.found.len() >= MOST_LEAVES {
            return Err(UnresolvedWhy::TooMany);
        }
        self.found.push(Text { text: Cow::Owned(texts.join(" ")), member: String::new() });
        Ok(())
    }
}

fn degrees(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => {
            let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
            text.trim().parse().ok().filter(|_| text.trim().chars().all(plain))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether the list is a point in degrees, with a height perhaps: one of them has a fraction.
fn is_point(items: &[Value]) -> bool {
    let numbers: Vec<f64> = items.iter().filter_map(Value::as_f64).collect();
    let has_fraction = items.iter().any(Value::is_f64);
    match numbers.as_slice() {
        [a, b] | [a, b, _] if numbers.len() == items.len() => {
            has_fraction && (recognise::is_pair(*a, *b) || recognise::is_pair(*b, *a))
        }
        _ => false,
    }
}

fn is_shape(name: &str) -> bool {
    matches!(
        name,
        "Point"
            | "MultiPoint"
            | "LineString"
            | "MultiLineString"
            | "Polygon"
            | "MultiPolygon"
            | "Feature"
            | "FeatureCollection"
            | "GeometryCollection"
    )
}
