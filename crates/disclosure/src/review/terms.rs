//! Filters as sets of conditions, so that two of them can be held against each other.

use kenward_world::words;
use serde_json::Value;

use crate::engine::Inquiry;
use crate::history::Term;

/// Signs and words between what is compared and what it is compared with, the longest first.
const OPERATORS: &[(&str, &str)] = &[
    ("===", "="),
    ("!==", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("!=", "!="),
    ("<>", "!="),
    ("==", "="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    (":", "="),
];
/// Words in their place.
const WORDS: &[(&str, &str)] = &[
    (" is not ", "!="),
    (" not in ", "not in"),
    (" not like ", "not like"),
    (" between ", "between"),
    (" contains ", "contains"),
    (" in ", "in"),
    (" like ", "like"),
    (" equals ", "="),
    (" is ", "="),
    (" eq ", "="),
    (" ne ", "!="),
    (" gt ", ">"),
    (" lt ", "<"),
    (" gte ", ">="),
    (" lte ", "<="),
];
/// How deep objects are gone into.
const DEEPEST: usize = 8;

/// The conditions of the filter that the arguments at `paths` make, sorted; all arguments make it
/// when there are no paths.
pub(crate) fn terms(inquiry: &Inquiry<'_>, paths: &[Box<[Box<str>]>]) -> Vec<Term> {
    let mut conditions = Conditions::default();
    if paths.is_empty() {
        conditions.value("", inquiry.arguments, 0);
    }
    for path in paths {
        let value = path.iter().try_fold(inquiry.arguments, |value, name| value.get(&**name));
        let name = path.last().map_or("", |name| &**name);
        match value {
            Some(Value::Object(_) | Value::Array(_)) | None => {
                conditions.value("", value.unwrap_or(&Value::Null), 0);
            }
            Some(value) => conditions.value(name, value, 0),
        }
    }
    let digest = |text: &str| {
        let key = inquiry.handles.key(Some("filter"), inquiry.server, text);
        key.0.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    };
    let mut terms: Vec<Term> = conditions
        .0
        .iter()
        .map(|condition| Term {
            key: digest(&condition.key),
            condition: digest(&condition.written()),
            equals: condition.operator == "=",
        })
        .collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// One condition, in normal form.
#[derive(Debug, PartialEq, Eq)]
struct Condition {
    key: String,
    operator: String,
    value: String,
}

impl Condition {
    fn new(key: &str, operator: &str, value: &str) -> Self {
        // Signs inside a value, such as the point of a number, tell values apart.
        let value = value.trim().trim_matches(['\'', '"', '`']).to_lowercase();
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { key: words::normalise(key), operator: operator.to_owned(), value }
    }

    /// In words that the normal form of handles leaves as they are.
    fn written(&self) -> String {
        format!("{} o{} v{}", self.key, hex(&self.operator), hex(&self.value))
    }
}

/// Letters and digits alone, others for other texts.
fn hex(text: &str) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    text.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect()
}

#[derive(Debug, Default)]
struct Conditions(Vec<Condition>);

impl Conditions {
    fn value(&mut self, name: &str, value: &Value, depth: usize) {
        match value {
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) => self.one(name, "=", &plain_number(value)),
            Value::String(text) => self.text(name, text),
            Value::Array(items) => match items.as_slice() {
                [one] => self.value(name, one, depth),
                _ => self.several(name, items),
            },
            Value::Object(members) if depth < DEEPEST => {
                self.members(name, members, depth);
            }
            Value::Object(_) => self.one(name, "is", &value.to_string()),
        }
    }

    /// The members of an object: conditions on what they are called, or a condition in three parts.
    fn members(&mut self, name: &str, members: &serde_json::Map<String, Value>, depth: usize) {
        let part = |names: &[&str]| names.iter().find_map(|name| members.get(*name));
        let field = part(&["field", "column", "attribute", "key"]).and_then(Value::as_str);
        let operator = part(&["op", "operator", "cmp"]).and_then(Value::as_str);
        if let (Some(field), Some(value)) = (field, part(&["value", "values"])) {
            let operator = operator.unwrap_or("=").to_lowercase();
            let operator = match operator.as_str() {
                "=" | "==" | "eq" | "equals" | "is" => "=",
                other => other,
            };
            return self.one(field, operator, &plain_number(value));
        }
        for (member, value) in members {
            match member.trim_start_matches('$').to_lowercase().as_str() {
                "and" | "all" => self.all_of(name, value, depth + 1),
                "eq" => self.one(name, "=", &plain_number(value)),
                operator @ ("or" | "any" | "not" | "nor" | "ne" | "neq" | "gt" | "lt" | "gte"
                | "lte" | "in" | "nin") => self.one(name, operator, &value.to_string()),
                _ if name.is_empty() => self.value(member, value, depth + 1),
                _ => self.value(&format!("{name}.{member}"), value, depth + 1),
            }
        }
    }

    fn all_of(&mut self, name: &str, value: &Value, depth: usize) {
        let one = std::slice::from_ref(value);
        for item in value.as_array().map_or(one, Vec::as_slice) {
            self.value(name, item, depth);
        }
    }

    fn several(&mut self, name: &str, items: &[Value]) {
        if name.is_empty() {
            return items.iter().for_each(|item| self.value(name, item, 1));
        }
        let mut items: Vec<String> = items.iter().map(plain_number).collect();
        items.sort();
        self.one(name, "in", &items.join("\u{1f}"));
    }

    fn one(&mut self, key: &str, operator: &str, value: &str) {
        let condition = Condition::new(key, operator, value);
        if !self.0.contains(&condition) {
            self.0.push(condition);
        }
    }

    /// An expression where there is an operator in it, otherwise the value of `name`.
    fn text(&mut self, name: &str, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let lower = format!(" {} ", text.to_lowercase());
        // What is no plain conjunction is one condition of its own.
        let is_opaque = [" or ", "||", "|", "(", ")", " not ", " case ", " except "]
            .iter()
            .any(|sign| lower.contains(sign));
        let parts: Vec<Condition> =
            conjuncts(&lower).iter().filter_map(|part| condition(part)).collect();
        if parts.is_empty() {
            self.one(name, "=", text);
        } else if is_opaque || parts.len() < conjuncts(&lower).len() {
            self.one(name, "says", text);
        } else {
            for part in parts.into_iter().filter(|part| !self.0.contains(part)).collect::<Vec<_>>()
            {
                self.0.push(part);
            }
        }
    }
}

/// The parts between `and`, `&&`, commas and semicolons.
fn conjuncts(lower: &str) -> Vec<&str> {
    let parts = lower.split([',', ';']).flat_map(|part| part.split("&&"));
    let parts = parts.flat_map(|part| part.split(" and ")).map(str::trim);
    parts.filter(|part| !part.is_empty()).collect()
}

fn condition(part: &str) -> Option<Condition> {
    let spaced = format!(" {part} ");
    let signs = OPERATORS
        .iter()
        .filter_map(|(sign, operator)| Some((spaced.find(sign)?, sign.len(), *operator)));
    // The earliest sign, and of those the longest.
    let first = signs.min_by_key(|(at, length, _)| (*at, std::cmp::Reverse(*length)));
    let words = WORDS
        .iter()
        .filter_map(|(sign, operator)| Some((spaced.find(sign)?, sign.len(), *operator)));
    let (at, length, operator) =
        first.or_else(|| words.min_by_key(|(at, length, _)| (*at, std::cmp::Reverse(*length))))?;
    let (key, value) = (spaced.get(..at)?, spaced.get(at + length..)?);
    (!key.trim().is_empty() && !value.trim().is_empty())
        .then(|| Condition::new(key, operator, value))
}

/// A value as text: whole floats as the integers that they are.
fn plain_number(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let text = number.to_string();
            text.strip_suffix(".0").unwrap_or(&text).to_owned()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

#[cfg(test)]
mod tests;
