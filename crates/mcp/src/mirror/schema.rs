//! Finds and checks the annotations `x-mcp-header` in an input schema.

use serde_json::{Map, Value};

use super::{Mirror, MirrorError};

const ANNOTATION: &str = "x-mcp-header";
/// Schemas nested deeper than this are not looked into; an annotation there is unreachable.
const DEPTH: usize = 64;
/// Types whose values fit into a header.
const TYPES: &[&str] = &["string", "integer", "boolean"];

/// All annotations; an error if one is malformed or stands where no argument can be told.
pub(super) fn annotations(schema: &Value) -> Result<Vec<Mirror>, MirrorError> {
    let mut search = Search { found: Vec::new(), path: Vec::new() };
    if let Some(root) = schema.as_object() {
        search.object(root, true)?;
    }
    Ok(search.found)
}

struct Search {
    found: Vec<Mirror>,
    path: Vec<String>,
}

impl Search {
    /// Looks at a schema. `is_reachable` says that only `properties` led to it.
    fn object(
        &mut self,
        schema: &Map<String, Value>,
        is_reachable: bool,
    ) -> Result<(), MirrorError> {
        if let Some(name) = schema.get(ANNOTATION) {
            if !is_reachable || self.path.is_empty() || self.path.len() > DEPTH {
                return Err(MirrorError::Unreachable(self.place()));
            }
            self.annotation(schema, name)?;
        }
        for (keyword, value) in schema {
            match (keyword.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    self.properties(properties, is_reachable)?;
                }
                ("enum" | "const" | "default" | "examples" | ANNOTATION, _) => {}
                (_, value) => self.elsewhere(value)?,
            }
        }
        Ok(())
    }

    fn properties(
        &mut self,
        properties: &Map<String, Value>,
        is_reachable: bool,
    ) -> Result<(), MirrorError> {
        for (name, schema) in properties {
            self.path.push(name.clone());
            if let Some(schema) = schema.as_object() {
                self.object(schema, is_reachable)?;
            }
            self.path.pop();
        }
        Ok(())
    }

    /// Looks for annotations under any other keyword, where none may stand.
    fn elsewhere(&mut self, value: &Value) -> Result<(), MirrorError> {
        match value {
            Value::Object(schema) => self.object(schema, false),
            Value::Array(schemas) => schemas.iter().try_for_each(|schema| self.elsewhere(schema)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn annotation(&mut self, schema: &Map<String, Value>, name: &Value) -> Result<(), MirrorError> {
        let Some(name) = name.as_str().filter(|name| is_token(name)) else {
            return Err(MirrorError::Name(self.place()));
        };
        let kind = schema.get("type").and_then(Value::as_str);
        if !kind.is_some_and(|kind| TYPES.contains(&kind)) {
            return Err(MirrorError::Type(self.place()));
        }
        if self.found.iter().any(|mirror| mirror.name.eq_ignore_ascii_case(name)) {
            return Err(MirrorError::Twice(self.place()));
        }
        self.found.push(Mirror { name: name.to_owned(), path: self.path.clone() });
        Ok(())
    }

    fn place(&self) -> String {
        self.path.join(".")
    }
}

/// A token of HTTP (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    let is_mark = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_mark(byte))
}
