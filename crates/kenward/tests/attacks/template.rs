//! Templates of answers: `$column`, `$@argument` as values, `{column}` and `{@argument}` in texts.

use serde_json::{Map, Value};

/// What a template is filled with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The columns of the row.
    pub(crate) row: &'a Map<String, Value>,
    /// The arguments of the call.
    pub(crate) arguments: &'a Map<String, Value>,
}

impl Scope<'_> {
    fn find(&self, name: &str) -> Option<&Value> {
        match name.strip_prefix('@') {
            Some(argument) => self.arguments.get(argument),
            None => self.row.get(name),
        }
    }

    /// `template` with everything filled in; what is not there is left out of objects.
    pub(crate) fn fill(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => self.fill_text(text),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.fill(item)).collect()),
            Value::Object(members) => {
                let filled = members.iter().map(|(name, item)| (name.clone(), self.fill(item)));
                Value::Object(filled.filter(|(_, item)| !item.is_null()).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
        }
    }

    fn fill_text(&self, text: &str) -> Value {
        match text.strip_prefix('$').filter(|name| is_name(name)) {
            Some(name) => self.find(name).cloned().unwrap_or(Value::Null),
            None => Value::String(self.text(text)),
        }
    }

    /// `text` with its `{names}` filled in.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            if let Some((name, beyond)) = after.split_once('}').filter(|(name, _)| is_name(name)) {
                filled.push_str(&self.find(name).map(as_text).unwrap_or_default());
                rest = beyond;
            } else {
                filled.push('{');
                rest = after;
            }
        }
        filled.push_str(rest);
        filled
    }
}

fn is_name(text: &str) -> bool {
    let name = text.strip_prefix('@').unwrap_or(text);
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
}

/// A value as people would write it; lists with blanks between.
pub(crate) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(as_text).collect::<Vec<_>>().join(" "),
        Value::Object(members) => members.values().map(as_text).collect::<Vec<_>>().join(" "),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
