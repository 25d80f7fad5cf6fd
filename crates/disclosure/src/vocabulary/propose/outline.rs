//! What a server declares, as far as a proposal looks at it: names and shapes, never descriptions.

use serde_json::{Map, Value};

use crate::vocabulary::words_of_name;

/// A tool, a prompt or an MCP resource as its server declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    pub(super) of: OutlineOf,
    pub(super) name: String,
    /// The words of the name, in lower case.
    pub(super) words: Vec<String>,
    pub(super) arguments: Vec<Argument>,
    pub(super) output: Vec<Field>,
}

/// What an outline is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutlineOf {
    /// A tool.
    Tool,
    /// A prompt.
    Prompt,
    /// An MCP resource, or a template of some.
    Resource,
}

/// An argument, or a variable of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) words: Vec<String>,
    pub(super) shape: Shape,
}

/// A member of the answer that is no object itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// The path of the rows that it is in, such as `$.orders[*]`; nothing when it is in none.
    pub(super) rows: Option<String>,
    /// The words of the list's own name, where it is in one.
    pub(super) rows_words: Vec<String>,
    /// Its path, seen from the row or from the whole.
    pub(super) path: String,
    pub(super) words: Vec<String>,
    pub(super) shape: Shape,
    /// Whether every answer has it.
    pub(super) required: bool,
}

/// A type of JSON, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A text, a number that may be an id, a list of those, or not said.
    Text,
    Number,
    Boolean,
    Object,
}

impl Outline {
    /// The outline of a tool with the JSON Schema of its arguments and that of its answer.
    pub fn tool(name: &str, input: &Value, output: Option<&Value>) -> Self {
        let properties = input.get("properties").and_then(Value::as_object);
        let arguments = properties.into_iter().flatten().filter(|(name, _)| is_plain(name));
        let arguments = arguments.map(|(name, schema)| {
            let schema = resolved(input, schema);
            Argument { shape: shape(schema), ..Argument::text(name) }
        });
        let mut fields = Fields { root: output.unwrap_or(&Value::Null), found: Vec::new() };
        if let Some(output) = output {
            fields.members(output, &Spot::default(), 0);
        }
        Self {
            arguments: arguments.collect(),
            output: fields.found,
            ..Self::named(OutlineOf::Tool, name)
        }
    }

    /// The outline of a prompt with the names of its arguments.
    pub fn prompt<'n>(name: &str, arguments: impl IntoIterator<Item = &'n str>) -> Self {
        let arguments = arguments.into_iter().filter(|name| is_plain(name)).map(Argument::text);
        Self { arguments: arguments.collect(), ..Self::named(OutlineOf::Prompt, name) }
    }

    /// The outline of an MCP resource: its URI, or the template of some.
    pub fn resource(uri: &str) -> Self {
        let mut parts = uri.split(['{', '}']);
        let mut before = parts.next().unwrap_or_default();
        let mut arguments = Vec::new();
        let mut words = words_of_name(before.split_once("://").map_or(before, |(_, rest)| rest));
        while let Some(variable) = parts.next() {
            let mut argument = Argument::text(variable);
            // `patients/{id}` is the id of a patient.
            if let [only] = argument.words.as_slice()
                && matches!(only.as_str(), "id" | "number" | "ref" | "key" | "uuid")
                && let Some(segment) = before.trim_end_matches('/').rsplit('/').next()
            {
                let segment = words_of_name(segment);
                argument.words.splice(0..0, segment);
            }
            arguments.push(argument);
            before = parts.next().unwrap_or_default();
            words.extend(words_of_name(before));
        }
        Self { words, arguments, ..Self::named(OutlineOf::Resource, uri) }
    }

    fn named(of: OutlineOf, name: &str) -> Self {
        let words = words_of_name(name);
        Self { of, name: name.to_owned(), words, arguments: Vec::new(), output: Vec::new() }
    }
}

impl Argument {
    fn text(name: &str) -> Self {
        Self { name: name.to_owned(), words: words_of_name(name), shape: Shape::Text }
    }
}

/// Where in the answer a schema stands.
#[derive(Debug, Clone, Default)]
struct Spot {
    rows: Option<String>,
    rows_words: Vec<String>,
    path: String,
    words: Vec<String>,
    optional: bool,
}

struct Fields<'s> {
    root: &'s Value,
    found: Vec<Field>,
}

impl Fields<'_> {
    fn members(&mut self, schema: &Value, spot: &Spot, depth: usize) {
        let schema = resolved(self.root, schema);
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        let required = schema.get("required").and_then(Value::as_array);
        for (name, member) in properties.iter().filter(|(name, _)| is_plain(name)) {
            let is_required =
                required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)));
            let mut words = spot.words.clone();
            words.extend(words_of_name(name));
            let inside = Spot {
                path: format!("{}.{name}", spot.path),
                words,
                optional: spot.optional || !is_required || is_nullable(member),
                ..spot.clone()
            };
            self.member(resolved(self.root, member), inside, depth);
        }
    }

    fn member(&mut self, schema: &Value, spot: Spot, depth: usize) {
        if depth >= DEEPEST || self.found.len() >= MOST_FIELDS {
            return;
        }
        if schema.get("properties").is_some() {
            self.members(schema, &spot, depth + 1);
            return;
        }
        let items = schema.get("items").map(|items| resolved(self.root, items));
        match items.filter(|items| items.get("properties").is_some()) {
            Some(items) if spot.rows.is_none() => {
                let rows = Spot {
                    rows: Some(format!("${}[*]", spot.path)),
                    rows_words: spot.words,
                    optional: spot.optional,
                    ..Spot::default()
                };
                self.members(items, &rows, depth + 1);
            }
            // Rows within rows are left to the person who reads the proposal.
            Some(_) => {}
            None => self.found.push(Field {
                path: format!("${}", spot.path),
                rows: spot.rows,
                rows_words: spot.rows_words,
                words: spot.words,
                shape: shape(schema),
                required: !spot.optional,
            }),
        }
    }
}

/// The schema that a reference within the same document leads to, or the one thing besides null
/// that a choice allows.
fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let mut schema = schema;
    for _ in 0..DEEPEST {
        let reference =
            schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
        let referred = reference.and_then(|pointer| root.pointer(pointer));
        let choice = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array());
        let mut chosen = choice.into_iter().flatten().filter(|one| !is_null(one));
        let chosen = chosen.next().filter(|_| chosen.next().is_none());
        match referred.or(chosen) {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

fn is_nullable(schema: &Value) -> bool {
    let choice = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array());
    let types = schema.get("type").and_then(Value::as_array);
    choice.is_some_and(|all| all.iter().any(is_null))
        || types.is_some_and(|all| all.iter().any(|one| one.as_str() == Some("null")))
}

fn shape(schema: &Value) -> Shape {
    let types = schema.get("type");
    let is = |name: &str| match types {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(name)),
        _ => false,
    };
    let has_members = schema.get("properties").and_then(Value::as_object).is_some_and(has_any);
    if has_members || is("object") {
        Shape::Object
    } else if is("string") || is("array") {
        Shape::Text
    } else if is("boolean") {
        Shape::Boolean
    } else if is("number") || is("integer") {
        Shape::Number
    } else {
        Shape::Text
    }
}

fn has_any(members: &Map<String, Value>) -> bool {
    !members.is_empty()
}

/// Whether a name can stand in a path as it is.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// How deep references and members are followed.
const DEEPEST: usize = 6;
/// The most members of an answer that are looked at.
const MOST_FIELDS: usize = 256;
