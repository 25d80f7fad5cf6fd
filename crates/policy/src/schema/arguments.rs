//! The Cedar type of a tool's arguments, from the JSON Schema that its server declares.
//!
//! The server is not trusted: depth, number of members and references are bounded, and what has
//! no counterpart in Cedar is handed over as opaque text.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::shape::{Member, RecordShape, Shape};

/// How deep arguments are typed; below they are opaque.
const MAX_DEPTH: usize = 8;
/// How many members all records of one tool may have together.
const MAX_MEMBERS: usize = 1_000;

/// The type of a tool's arguments.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) shape: Arc<RecordShape>,
    /// The paths that are opaque, dotted.
    pub(crate) opaque: Vec<String>,
}

/// The type that `schema` gives to the arguments; a schema that is no object's gives none.
pub(crate) fn arguments(schema: &Value) -> Arguments {
    let mut reading = Reading { root: schema, members: 0, path: Vec::new(), opaque: Vec::new() };
    let (resolved, _) = reading.resolve(schema, MAX_DEPTH);
    let properties = resolved.get("properties").and_then(Value::as_object);
    let shape = properties.map(|properties| reading.record(resolved, properties, MAX_DEPTH));
    Arguments { shape: Arc::new(shape.unwrap_or_default()), opaque: reading.opaque }
}

struct Reading<'s> {
    root: &'s Value,
    members: usize,
    path: Vec<&'s str>,
    opaque: Vec<String>,
}

impl<'s> Reading<'s> {
    /// Follows local references; the depth that remains shrinks with each.
    fn resolve(&self, mut schema: &'s Value, mut depth: usize) -> (&'s Value, usize) {
        while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|path| self.root.pointer(path));
            match target {
                Some(target) if depth > 0 => schema = target,
                Some(_) | None => return (&Value::Null, 0),
            }
            depth -= 1;
        }
        (schema, depth)
    }

    fn record(
        &mut self,
        schema: &'s Value,
        properties: &'s Map<String, Value>,
        depth: usize,
    ) -> RecordShape {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut members = BTreeMap::new();
        for (name, property) in properties {
            self.members += 1;
            if self.members > MAX_MEMBERS {
                break;
            }
            self.path.push(name);
            let (shape, nullable) = self.shape(property, depth);
            self.path.pop();
            let required = !nullable && required.contains(&name.as_str());
            members.insert(Arc::from(name.as_str()), Member { shape, required });
        }
        RecordShape { members }
    }

    /// The shape of one property, and whether it may be null.
    fn shape(&mut self, schema: &'s Value, depth: usize) -> (Shape, bool) {
        let (schema, depth) = self.resolve(schema, depth);
        let (name, nullable) = type_name(schema);
        let shape = match name {
            Some("boolean") => Shape::Bool,
            Some("integer") => Shape::Long,
            Some("string") => Shape::Text,
            Some("array") if depth > 0 => self.set(schema, depth - 1),
            Some("object") if depth > 0 => self.object(schema, depth - 1),
            Some(_) => self.opaque(),
            None => self.untyped(schema, depth),
        };
        (shape, nullable)
    }

    fn set(&mut self, schema: &'s Value, depth: usize) -> Shape {
        match schema.get("items") {
            Some(items @ Value::Object(_)) if schema.get("prefixItems").is_none() => {
                self.path.push("[]");
                let (element, nullable) = self.shape(items, depth);
                self.path.pop();
                if nullable { self.opaque() } else { Shape::Set(Arc::new(element)) }
            }
            Some(_) | None => self.opaque(),
        }
    }

    fn object(&mut self, schema: &'s Value, depth: usize) -> Shape {
        match schema.get("properties").and_then(Value::as_object) {
            Some(properties) => Shape::Record(Arc::new(self.record(schema, properties, depth))),
            None => self.opaque(),
        }
    }

    fn untyped(&mut self, schema: &'s Value, depth: usize) -> Shape {
        let listed = schema.get("enum").and_then(Value::as_array);
        if schema.get("const").is_some_and(Value::is_string)
            || listed
                .is_some_and(|values| !values.is_empty() && values.iter().all(Value::is_string))
        {
            return Shape::Text;
        }
        match schema.get("properties") {
            Some(_) if depth > 0 => self.object(schema, depth - 1),
            Some(_) | None => self.opaque(),
        }
    }

    fn opaque(&mut self) -> Shape {
        self.opaque.push(self.path.join("."));
        Shape::Opaque
    }
}

/// The one type that a schema names beside null, and whether it names null.
fn type_name(schema: &Value) -> (Option<&str>, bool) {
    match schema.get("type") {
        Some(Value::String(name)) => (Some(name), name == "null"),
        Some(Value::Array(names)) => {
            let nullable = names.iter().any(|name| name == "null");
            let mut others = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            match (others.next(), others.next()) {
                (Some(only), None) => (Some(only), nullable),
                (Some(_) | None, _) => (Some("any"), nullable),
            }
        }
        Some(_) | None => (None, false),
    }
}
