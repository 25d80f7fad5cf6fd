//! Holds a tree against a JSON Schema (draft 2020-12, what schemars writes) and says everything
//! that does not fit.

mod alternatives;
mod words;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use kenward_model::Finding;

use crate::nearest::nearest;
use crate::tree::{Entry, Kind, Mark, Node};

use words::{describe, list, type_words};

/// A schema and the name of the text that is held against it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checker<'s> {
    root: &'s Value,
    source: &'s str,
}

impl<'s> Checker<'s> {
    pub(crate) fn new(root: &'s Value, source: &'s str) -> Self {
        Self { root, source }
    }

    /// Adds what is wrong with the whole tree to `findings`.
    pub(crate) fn check_root(&self, root: &Node, findings: &mut Vec<Finding>) {
        self.check(root, self.root, root.mark, findings);
    }

    /// `label` is where to point when something is missing from the node: its key, if it has one.
    fn check(&self, node: &Node, schema: &'s Value, label: Mark, out: &mut Vec<Finding>) {
        if matches!(node.kind, Kind::Bad) {
            return;
        }
        let Some(schema) = schema.as_object() else {
            return;
        };
        if let Some(refused) = refusal(schema) {
            out.push(self.error(label, format!("this {refused}")));
            return;
        }
        if let Some(target) = self.target(schema) {
            self.check(node, target, label, out);
        }
        if !self.check_type(node, schema, label, out) || !self.check_values(node, schema, out) {
            return;
        }
        match &node.kind {
            Kind::Number(_) => self.check_number(node, schema, out),
            Kind::Text(text) => self.check_text(node, text, schema, out),
            Kind::Sequence(items) => self.check_items(items, schema, label, out),
            Kind::Mapping(entries) => self.check_entries(entries, schema, label, out),
            Kind::Bad | Kind::Null | Kind::Bool(_) => {}
        }
        for part in members(schema, "allOf") {
            self.check(node, part, label, out);
        }
        for choice in ["anyOf", "oneOf"] {
            if schema.contains_key(choice) {
                self.check_alternatives(node, members(schema, choice), label, out);
            }
        }
    }

    fn target(&self, schema: &'s Map<String, Value>) -> Option<&'s Value> {
        let pointer = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(pointer)
    }

    fn check_type(
        &self,
        node: &Node,
        schema: &Map<String, Value>,
        label: Mark,
        out: &mut Vec<Finding>,
    ) -> bool {
        let wanted = type_names(schema);
        if wanted.is_empty() || wanted.iter().any(|name| fits(node, name)) {
            return true;
        }
        out.push(self.wrong_type(node, &wanted, label));
        false
    }

    fn wrong_type(&self, node: &Node, wanted: &[&str], label: Mark) -> Finding {
        let expected =
            list(wanted.iter().filter(|name| **name != "null").map(|n| type_words(n)), "or");
        let mark = if matches!(node.kind, Kind::Null) { label } else { node.mark };
        let finding = self.error(mark, format!("expected {expected}, found {}", describe(node)));
        match (&node.kind, &node.written) {
            (Kind::Number(_) | Kind::Bool(_), Some(written)) if wanted.contains(&"string") => {
                finding.with_help(format!("put it in quotes: \"{written}\""))
            }
            _ => finding,
        }
    }

    fn check_values(
        &self,
        node: &Node,
        schema: &Map<String, Value>,
        out: &mut Vec<Finding>,
    ) -> bool {
        let allowed: Vec<&Value> = match (schema.get("const"), schema.get("enum")) {
            (Some(only), _) => vec![only],
            (None, Some(values)) => values.as_array().into_iter().flatten().collect(),
            (None, None) => return true,
        };
        if allowed.iter().any(|value| is_value(node, value)) {
            return true;
        }
        out.push(self.wrong_value(node, &allowed));
        false
    }

    fn wrong_value(&self, node: &Node, allowed: &[&Value]) -> Finding {
        let names: Vec<&str> = allowed.iter().filter_map(|value| value.as_str()).collect();
        let choice = list(names.iter().map(|name| format!("`{name}`")), "or");
        let given = describe(node);
        let finding = self.error(node.mark, format!("expected {choice}, found {given}"));
        let meant = match (&node.kind, &node.written) {
            (Kind::Text(text), None) => nearest(text, names),
            _ => None,
        };
        match meant {
            Some(meant) => finding.with_help(format!("did you mean `{meant}`?")),
            None => finding,
        }
    }

    fn check_number(&self, node: &Node, schema: &Map<String, Value>, out: &mut Vec<Finding>) {
        let Kind::Number(number) = &node.kind else { return };
        let Some(given) = number.as_f64() else { return };
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let message = if bound("minimum").is_some_and(|least| given < least) {
            format!("must be at least {}", shown(schema, "minimum"))
        } else if bound("maximum").is_some_and(|most| given > most) {
            format!("must be at most {}", shown(schema, "maximum"))
        } else if bound("exclusiveMinimum").is_some_and(|least| given <= least) {
            format!("must be more than {}", shown(schema, "exclusiveMinimum"))
        } else if bound("exclusiveMaximum").is_some_and(|most| given >= most) {
            format!("must be less than {}", shown(schema, "exclusiveMaximum"))
        } else {
            return;
        };
        out.push(self.error(node.mark, format!("{} {message}", describe(node))));
    }

    fn check_text(
        &self,
        node: &Node,
        text: &str,
        schema: &Map<String, Value>,
        out: &mut Vec<Finding>,
    ) {
        let length = text.chars().count();
        if length < size(schema, "minLength").unwrap_or(0) {
            let message = if text.is_empty() { "must not be empty" } else { "is too short" };
            out.push(self.error(node.mark, format!("the text {message}")));
        }
        if size(schema, "maxLength").is_some_and(|most| length > most) {
            out.push(self.error(node.mark, "the text is too long"));
        }
    }

    fn check_items(
        &self,
        items: &[Node],
        schema: &'s Map<String, Value>,
        label: Mark,
        out: &mut Vec<Finding>,
    ) {
        let first = members(schema, "prefixItems");
        for (index, item) in items.iter().enumerate() {
            if let Some(wanted) = first.get(index).or_else(|| schema.get("items")) {
                self.check(item, wanted, item.mark, out);
            }
        }
        if let Some(least) = size(schema, "minItems").filter(|least| items.len() < *least) {
            let message = match least {
                1 => "the list must not be empty".to_owned(),
                _ => format!("the list has {} items but needs {least}", items.len()),
            };
            out.push(self.error(label, message));
        }
        if let Some(most) = size(schema, "maxItems").filter(|most| items.len() > *most) {
            let message = format!("the list has {} items; at most {most} are allowed", items.len());
            out.push(self.error(label, message));
        }
    }

    fn check_entries(
        &self,
        entries: &[Entry],
        schema: &'s Map<String, Value>,
        label: Mark,
        out: &mut Vec<Finding>,
    ) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for name in members(schema, "required").iter().filter_map(Value::as_str) {
            if !entries.iter().any(|entry| entry.key == name) {
                out.push(self.missing(name, properties, label));
            }
        }
        let others = ["additionalProperties", "unevaluatedProperties"].map(|name| schema.get(name));
        let other = others.into_iter().flatten().next();
        for entry in entries {
            match (properties.and_then(|known| known.get(&entry.key)), other) {
                (None, Some(Value::Bool(false))) => out.extend(self.unknown_to(schema, entry)),
                (Some(wanted), _) | (None, Some(wanted)) => {
                    self.check_entry(entry, wanted, out);
                }
                (None, None) => {}
            }
        }
    }

    fn check_entry(&self, entry: &Entry, wanted: &'s Value, out: &mut Vec<Finding>) {
        match self.resolved(wanted).and_then(refusal) {
            Some(why) => out.push(self.error(entry.mark, format!("`{}` {why}", entry.key))),
            None => self.check(&entry.value, wanted, entry.mark, out),
        }
    }

    /// A key that this part of a schema does not have, unless another part of it has.
    fn unknown_to(&self, schema: &'s Map<String, Value>, entry: &Entry) -> Option<Finding> {
        let mut names = BTreeSet::new();
        self.names(schema, &mut names);
        (!names.contains(entry.key.as_str())).then(|| self.unknown(entry, &names))
    }

    fn missing(&self, name: &str, properties: Option<&Map<String, Value>>, label: Mark) -> Finding {
        let finding = self.error(label, format!("missing key `{name}`"));
        let about = properties
            .and_then(|known| known.get(name)?.get("description")?.as_str())
            .and_then(|text| text.lines().next());
        match about {
            Some(about) => finding.with_help(format!("`{name}`: {}", about.trim_end_matches('.'))),
            None => finding,
        }
    }

    fn unknown(&self, entry: &Entry, known: &BTreeSet<&str>) -> Finding {
        let finding = self.error(entry.mark, format!("unknown key `{}`", entry.key));
        match nearest(&entry.key, known.iter().copied()) {
            Some(meant) => finding.with_help(format!("did you mean `{meant}`?")),
            None if known.is_empty() => finding.with_help("no keys are allowed here"),
            None => {
                let all = list(known.iter().map(|name| format!("`{name}`")), "and");
                finding.with_help(format!("known here: {all}"))
            }
        }
    }

    /// The keys that a schema knows, whichever part of it names them.
    fn names(&self, schema: &'s Map<String, Value>, out: &mut BTreeSet<&'s str>) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let offered =
                properties.iter().filter(|(_, of)| !self.resolved(of).is_some_and(is_refused));
            out.extend(offered.map(|(name, _)| name.as_str()));
        }
        let parts = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|name| members(schema, name));
        for part in parts.chain(self.target(schema)) {
            if let Some(part) = part.as_object() {
                self.names(part, out);
            }
        }
    }

    fn error(&self, mark: Mark, message: impl Into<String>) -> Finding {
        Finding::error(mark.in_source(self.source), message)
    }
}

/// What is said of a key whose schema refuses whatever is given: `{ "not": {}, "x-refused": "is …" }`.
fn refusal(schema: &Map<String, Value>) -> Option<&str> {
    is_refused(schema)
        .then(|| schema.get("x-refused").and_then(Value::as_str).unwrap_or("is not allowed"))
}

fn is_refused(schema: &Map<String, Value>) -> bool {
    schema.get("not").and_then(Value::as_object).is_some_and(Map::is_empty)
}

fn members<'v>(schema: &'v Map<String, Value>, name: &str) -> &'v [Value] {
    schema.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn type_names(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn fits(node: &Node, type_name: &str) -> bool {
    match &node.kind {
        Kind::Bad => true,
        Kind::Null => type_name == "null",
        Kind::Bool(_) => type_name == "boolean",
        Kind::Number(number) => {
            type_name == "number" || (type_name == "integer" && !number.is_f64())
        }
        Kind::Text(_) => type_name == "string",
        Kind::Sequence(_) => type_name == "array",
        Kind::Mapping(_) => type_name == "object",
    }
}

fn is_value(node: &Node, value: &Value) -> bool {
    match &node.kind {
        Kind::Text(text) => value.as_str() == Some(text),
        Kind::Bool(given) => value.as_bool() == Some(*given),
        Kind::Null => value.is_null(),
        Kind::Number(number) => value.as_number() == Some(number),
        Kind::Bad => true,
        Kind::Sequence(_) | Kind::Mapping(_) => false,
    }
}

fn size(schema: &Map<String, Value>, name: &str) -> Option<usize> {
    usize::try_from(schema.get(name)?.as_u64()?).ok()
}

fn shown(schema: &Map<String, Value>, name: &str) -> String {
    schema.get(name).map(Value::to_string).unwrap_or_default()
}
