//! Paths into results that tell "there is nothing" from "this has another shape".

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use serde_json_path::{JsonPath, PathElement};

mod segments;

use segments::Segment;

/// The member of a result that the paths of bindings begin at.
pub(crate) const STRUCTURED: &str = "structuredContent";

/// A path into a JSON value (RFC 9535), with every beginning of it.
#[derive(Clone)]
pub(crate) struct ResultPath {
    text: Arc<str>,
    whole: JsonPath,
    steps: Vec<Step>,
    /// The members that the path goes through, when it does nothing else.
    members: Option<Vec<Box<str>>>,
}

/// The path up to and with one segment.
#[derive(Clone)]
struct Step {
    segment: Segment,
    so_far: JsonPath,
}

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathFlaw {
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
}

/// One step down to a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    Name(String),
    Index(usize),
}

/// The way from the root to a node.
pub(crate) type Location = Vec<Key>;

/// The node at `location`.
pub(crate) fn node<'v>(root: &'v Value, location: &[Key]) -> Option<&'v Value> {
    location.iter().try_fold(root, |value, key| match key {
        Key::Name(name) => value.get(name.as_str()),
        Key::Index(index) => value.get(*index),
    })
}

/// The node at `location`.
pub(crate) fn node_mut<'v>(root: &'v mut Value, location: &[Key]) -> Option<&'v mut Value> {
    location.iter().try_fold(root, |value, key| match key {
        Key::Name(name) => value.get_mut(name.as_str()),
        Key::Index(index) => value.get_mut(*index),
    })
}

/// The innermost list element on the way to `location`, or at it.
pub(crate) fn element(location: &[Key]) -> Option<&[Key]> {
    let last = location.iter().rposition(|key| match key {
        Key::Index(_) => true,
        Key::Name(_) => false,
    })?;
    location.get(..=last)
}

/// What a path finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// These nodes, at least one.
    Nodes(Vec<Location>),
    /// Nothing, and rightly: a list that it goes through is empty.
    Nothing,
    /// Nothing, because the value has not the shape that the path describes.
    Missing,
}

impl fmt::Debug for ResultPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl ResultPath {
    /// A path that begins at the structured content; that it names it first changes nothing.
    pub(crate) fn in_content(text: &str) -> Result<Self, PathFlaw> {
        let path = Self::parse(text)?;
        let first = segments::split(text).first().map(|(end, _)| *end);
        match first.and_then(|end| text.get(end..)) {
            Some(rest) if path.begins_at(STRUCTURED) => {
                Ok(Self { text: text.into(), ..Self::parse(&format!("${rest}"))? })
            }
            _ => Ok(path),
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, PathFlaw> {
        let whole = parse(text)?;
        let mut steps = Vec::new();
        for (end, segment) in segments::split(text) {
            let so_far = text.get(..end).unwrap_or(text);
            steps.push(Step { segment, so_far: parse(so_far)? });
        }
        let members = segments::plain_members(text);
        Ok(Self { text: text.into(), whole, steps, members })
    }

    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether the path ends by picking among the members of lists.
    pub(crate) fn picks(&self) -> bool {
        self.steps.last().is_some_and(|step| step.segment == Segment::Choice)
    }

    /// Whether the path goes to the member `name` of its root first.
    fn begins_at(&self, name: &str) -> bool {
        let probe = Value::Object(Map::from_iter([(name.to_owned(), Value::Null)]));
        self.steps.first().is_some_and(|step| {
            step.segment == Segment::Member && !step.so_far.query(&probe).is_empty()
        })
    }

    /// The nodes in `value` that the path leads to.
    pub(crate) fn find(&self, value: &Value) -> Found {
        if let Some(members) = &self.members {
            let location = || members.iter().map(|name| Key::Name(name.to_string())).collect();
            return match member(value, members) {
                Some(_) => Found::Nodes(vec![location()]),
                None => Found::Missing,
            };
        }
        let nodes = self.whole.query_located(value);
        if nodes.is_empty() {
            return if self.is_rightly_empty(value) { Found::Nothing } else { Found::Missing };
        }
        Found::Nodes(nodes.locations().map(|path| path.iter().map(key).collect()).collect())
    }

    /// The lists, or other holders, among whose members the path picks at its end.
    pub(crate) fn lists(&self, value: &Value) -> Vec<Location> {
        let Some(before) = self.steps.len().checked_sub(2) else { return vec![Vec::new()] };
        let nodes = self.steps.get(before).map(|step| step.so_far.query_located(value));
        let paths = nodes.iter().flat_map(|nodes| nodes.locations());
        paths.map(|path| path.iter().map(key).collect()).collect()
    }

    /// The values that the path leads to.
    pub(crate) fn values<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match &self.members {
            Some(members) => member(value, members).into_iter().collect(),
            None => self.whole.query(value).all(),
        }
    }

    /// Whether the path ends where it picks among the members of lists, and there is nothing to
    /// pick.
    fn is_rightly_empty(&self, value: &Value) -> bool {
        let mut before = vec![value];
        for step in &self.steps {
            let after = step.so_far.query(value).all();
            if after.is_empty() {
                return match step.segment {
                    Segment::Member | Segment::Descendant => false,
                    Segment::Choice => before.iter().all(|v| v.is_array() || v.is_object()),
                };
            }
            before = after;
        }
        false
    }
}

fn member<'v>(value: &'v Value, members: &[Box<str>]) -> Option<&'v Value> {
    members.iter().try_fold(value, |value, name| value.as_object()?.get(&**name))
}

fn parse(text: &str) -> Result<JsonPath, PathFlaw> {
    JsonPath::parse(text).map_err(|error| PathFlaw {
        message: format!("`{text}` is not a JSONPath: {}", error.message()),
        help: Some("write it as in RFC 9535, for example $.structuredContent.rows[*]"),
    })
}

fn key(element: &PathElement<'_>) -> Key {
    match element {
        PathElement::Name(name) => Key::Name((*name).to_owned()),
        PathElement::Index(index) => Key::Index(*index),
    }
}

#[cfg(test)]
mod tests;
