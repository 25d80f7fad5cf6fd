//! Templates of URIs (RFC 6570, level 1), matched as leniently as a server may match them.

use std::sync::Arc;

use kenward_model::{Finding, Place};
use serde_json::{Map, Value};

/// In how many ways a template is fitted to one URI; more are never all permitted.
const MOST_WAYS: usize = 128;

/// A URI, or a template of URIs.
#[derive(Debug, Clone, Default)]
pub(super) struct Template {
    text: Arc<str>,
    parts: Vec<Part>,
    variables: Vec<Arc<str>>,
}

#[derive(Debug, Clone)]
enum Part {
    /// Text, in the form in which texts are compared.
    Literal(String),
    /// Any text without a slash.
    Variable,
}

/// What is wrong, and what would be right.
pub(super) type Flaw = (String, &'static str);

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, Flaw> {
        let flaw = |message: &str| {
            let help = "write it like crm://customers/{id}/address, with variables of level 1";
            (format!("`{text}` {message}"), help)
        };
        let (scheme, _) = text.split_once(':').unwrap_or_default();
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if !is_scheme {
            return Err(flaw("does not begin with a scheme"));
        }
        let mut template = Self { text: text.into(), ..Self::default() };
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| flaw("has an open brace"))?;
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(flaw(&format!("has `{name}` where a variable should be")));
            }
            if before.contains('}') {
                return Err(flaw("has a brace too many"));
            }
            if before.is_empty() && !template.parts.is_empty() {
                return Err(flaw("has two variables with nothing between them"));
            }
            let name: Arc<str> = name.into();
            if template.variables.contains(&name) {
                return Err(flaw(&format!("has the variable `{name}` twice")));
            }
            template.parts.push(Part::Literal(comparable(before)));
            template.parts.push(Part::Variable);
            template.variables.push(name);
            rest = after;
        }
        if rest.contains('}') {
            return Err(flaw("has a brace too many"));
        }
        template.parts.push(Part::Literal(comparable(rest)));
        Ok(template)
    }

    /// The template, or what stands for it so that the rest can be checked all the same.
    pub(super) fn or_flaw(
        parsed: Result<Self, Flaw>,
        place: Place,
        findings: &mut Vec<Finding>,
    ) -> Self {
        parsed.unwrap_or_else(|(message, help)| {
            findings.push(Finding::error(place, message).with_help(help));
            Self::default()
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn variables(&self) -> &[Arc<str>] {
        &self.variables
    }

    /// The values of the variables, percent-decoded, where the template fits one of the readings.
    pub(super) fn variables_in(&self, readings: &[String]) -> Option<Value> {
        let mut ways = Vec::new();
        for reading in readings {
            fit(&self.parts, reading, &mut Vec::new(), &mut ways);
        }
        if ways.is_empty() {
            return None;
        }
        let value = |index: usize| {
            let mut values: Vec<Value> = Vec::new();
            for way in &ways {
                let value = way.get(index).cloned().map(Value::String);
                values.extend(value.filter(|value| !values.contains(value)));
            }
            if values.len() == 1 { values.pop().unwrap_or_default() } else { Value::Array(values) }
        };
        let named = self.variables.iter().enumerate();
        let named = named.map(|(index, name)| (name.as_ref().to_owned(), value(index)));
        Some(Value::Object(named.collect::<Map<_, _>>()))
    }
}

/// Collects every way in which `parts` fit the whole of `text`.
fn fit(parts: &[Part], text: &str, so_far: &mut Vec<String>, ways: &mut Vec<Vec<String>>) {
    if ways.len() >= MOST_WAYS {
        return;
    }
    match parts {
        [] => {
            if text.is_empty() {
                ways.push(so_far.clone());
            }
        }
        [Part::Literal(literal), rest @ ..] => {
            let (before, left) = text.split_at_checked(literal.len()).unwrap_or_default();
            if before.eq_ignore_ascii_case(literal) {
                fit(rest, left, so_far, ways);
            }
        }
        [Part::Variable, rest @ ..] => {
            let longest = text.find('/').unwrap_or(text.len());
            let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
            for end in ends.take_while(|end| *end <= longest) {
                let Some((value, left)) = text.split_at_checked(end) else { continue };
                so_far.push(decoded(value));
                fit(rest, left, so_far, ways);
                so_far.pop();
            }
        }
    }
}

/// The ways in which a server may read a URI, in the form in which texts are compared: whole,
/// without fragment, without query, without a slash at the end, with its dots resolved.
pub(super) fn readings(uri: &str) -> Vec<String> {
    let mut readings: Vec<String> = Vec::new();
    let (path, _) = uri.split_once(['?', '#']).unwrap_or((uri, ""));
    let (before_fragment, _) = uri.split_once('#').unwrap_or((uri, ""));
    for text in [uri, before_fragment, path] {
        let plain = comparable(text);
        let resolved = without_dots(&plain);
        for text in [&plain, &resolved] {
            readings.extend([text.trim_end_matches('/').to_owned(), text.clone()]);
        }
    }
    readings.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    readings.dedup();
    readings
}

/// The text with doubled slashes single, and characters that need no percent-encoding as they are
/// (RFC 3986 section 6.2.2).
fn comparable(text: &str) -> String {
    let text = unreserved_decoded(text);
    let (head, path) = match text.split_once("://") {
        Some((scheme, path)) if !scheme.contains('/') => (format!("{scheme}://"), path),
        Some(_) | None => (String::new(), text.as_str()),
    };
    let mut out = head;
    let mut before = ' ';
    for c in path.chars() {
        if c != '/' || before != '/' {
            out.push(c);
        }
        before = c;
    }
    out
}

/// The path of the URI without `.` and `..` segments (RFC 3986 section 5.2.4).
fn without_dots(uri: &str) -> String {
    let start = uri.find("://").map_or(0, |at| at + 3);
    let (head, rest) = uri.split_at_checked(start).unwrap_or(("", uri));
    let mut segments: Vec<&str> = Vec::new();
    for segment in rest.split('/') {
        match segment {
            ".." if segments.len() > 1 => drop(segments.pop()),
            "." | ".." => {}
            segment => segments.push(segment),
        }
    }
    format!("{head}{}", segments.join("/"))
}

/// The text with percent-encoded unreserved characters (RFC 3986 section 2.3) as they are, and
/// the others encoded in upper case.
fn unreserved_decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        match encoded(after) {
            Some((byte, left)) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
                rest = left;
            }
            Some((_, left)) => {
                out.push('%');
                out.extend(beginning(after, left).chars().map(|c| c.to_ascii_uppercase()));
                rest = left;
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// What stands in `text` before `left`, which it ends with.
fn beginning<'t>(text: &'t str, left: &str) -> &'t str {
    text.get(..text.len() - left.len()).unwrap_or_default()
}

/// The percent-decoded text; bytes that are no UTF-8 become replacement characters.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, left) = encoded(after).unwrap_or((b'%', after));
        bytes.push(byte);
        rest = left;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte that two hexadecimal digits at the beginning stand for, and what comes after them.
fn encoded(text: &str) -> Option<(u8, &str)> {
    let (digits, left) = text.split_at_checked(2)?;
    let are_digits = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let byte = u8::from_str_radix(digits, 16).ok().filter(|_| are_digits)?;
    Some((byte, left))
}

#[cfg(test)]
mod tests;
