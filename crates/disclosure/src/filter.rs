//! Question 5: takes out of a result what may not be learnt.

mod counts;
mod edit;
mod rows;

use std::sync::Arc;

use kenward_model::{EntityUid, Fact, Precision};
use serde_json::{Map, Value, json};

use crate::bindings::PotentialFact;
use crate::path::{Found, ResultPath};
use edit::Edit;

/// The member of a result that the paths of bindings begin at.
pub(crate) const STRUCTURED: &str = "structuredContent";
const CONTENT: &str = "content";
/// What stands in place of an error of which it cannot be told what it says.
const ERROR_TEXT: &str = "the server reported an error";

/// What became of a result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterOutcome {
    /// The facts that were refused and taken out, in order, each once.
    pub removed: Vec<Fact>,
    /// Whether the result is another one now.
    pub changed: bool,
    /// Set when nothing of the result may be delivered; the result is empty then.
    pub withheld: Option<Withheld>,
}

/// Why nothing of a result may be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withheld {
    /// The result has not the shape that the binding describes: this path of it leads nowhere.
    Shape {
        /// The path, as the binding writes it.
        path: Arc<str>,
    },
    /// All that the result consists of is refused.
    Everything,
}

/// Rows, each about a subject of its own.
#[derive(Debug)]
pub(crate) struct RowRule {
    pub(crate) each: ResultPath,
    pub(crate) of: Arc<str>,
    pub(crate) id: ResultPath,
    pub(crate) attributes: Vec<RowAttribute>,
}

/// An attribute of the subjects of rows.
#[derive(Debug)]
pub(crate) struct RowAttribute {
    pub(crate) attribute: Arc<str>,
    pub(crate) family: Arc<str>,
    /// Where in the row it stands; nothing when it is the row itself.
    pub(crate) path: Option<ResultPath>,
}

impl RowRule {
    pub(crate) fn facts(&self) -> impl Iterator<Item = PotentialFact> {
        self.attributes.iter().map(|attribute| PotentialFact {
            of: Arc::clone(&self.of),
            attribute: Arc::clone(&attribute.attribute),
            family: Arc::clone(&attribute.family),
            precision: Precision::EXACT,
        })
    }
}

impl RowAttribute {
    fn about(&self, subject: &EntityUid) -> Fact {
        Fact {
            subject: subject.clone(),
            attribute: Arc::clone(&self.attribute),
            family: Arc::clone(&self.family),
            precision: Precision::EXACT,
        }
    }
}

/// Filters the result of a tool call in place.
pub(crate) fn filter(
    rules: &[RowRule],
    strip: &[ResultPath],
    result: &mut Value,
    may_learn: &mut dyn FnMut(&Fact) -> bool,
) -> FilterOutcome {
    let outcome = if result.get(STRUCTURED).is_some() {
        filter_structured(rules, strip, result, may_learn)
    } else {
        filter_text(rules, strip, result, may_learn)
    };
    let outcome = outcome.unwrap_or_else(|Missing { path, removed }| {
        if is_error(result) {
            return FilterOutcome { removed, changed: silence(result), withheld: None };
        }
        FilterOutcome { removed, changed: true, withheld: Some(Withheld::Shape { path }) }
    });
    if outcome.withheld.is_some() {
        *result = json!({ CONTENT: [], "isError": true });
    }
    outcome
}

/// A path that leads nowhere, and what had been refused before it was met.
struct Missing {
    path: Arc<str>,
    removed: Vec<Fact>,
}

fn filter_structured(
    rules: &[RowRule],
    strip: &[ResultPath],
    result: &mut Value,
    may_learn: &mut dyn FnMut(&Fact) -> bool,
) -> Result<FilterOutcome, Missing> {
    let (edit, removed) = plan(rules, strip, result, may_learn)?;
    if edit.is_empty() {
        return Ok(FilterOutcome { removed, ..FilterOutcome::default() });
    }
    let same = same_as_structured(result);
    edit.apply(result);
    let Some(structured) = result.get(STRUCTURED) else {
        let withheld = Some(Withheld::Everything);
        return Ok(FilterOutcome { removed, changed: true, withheld });
    };
    let text = written(structured, same.contains(&Same::Pretty));
    if result.get(CONTENT).is_some() {
        replace_content(result, &text);
    }
    Ok(FilterOutcome { removed, changed: true, withheld: None })
}

/// A result of which the only account is a JSON text.
fn filter_text(
    rules: &[RowRule],
    strip: &[ResultPath],
    result: &mut Value,
    may_learn: &mut dyn FnMut(&Fact) -> bool,
) -> Result<FilterOutcome, Missing> {
    let nowhere = || {
        let paths = rules.iter().map(|rule| &rule.each).chain(strip);
        let path = paths.map(|path| Arc::clone(path.text())).next().unwrap_or_else(|| "$".into());
        Missing { path, removed: Vec::new() }
    };
    let (parsed, pretty) = only_json_text(result).ok_or_else(nowhere)?;
    let mut root = Value::Object(Map::from_iter([(STRUCTURED.to_owned(), parsed)]));
    let (edit, removed) = plan(rules, strip, &root, may_learn)?;
    if edit.is_empty() {
        return Ok(FilterOutcome { removed, ..FilterOutcome::default() });
    }
    edit.apply(&mut root);
    let withheld = match root.get(STRUCTURED) {
        None => Some(Withheld::Everything),
        Some(structured) => {
            replace_content(result, &written(structured, pretty));
            None
        }
    };
    Ok(FilterOutcome { removed, changed: true, withheld })
}

/// What is to be taken out of `root`, and the facts on account of which.
fn plan(
    rules: &[RowRule],
    strip: &[ResultPath],
    root: &Value,
    may_learn: &mut dyn FnMut(&Fact) -> bool,
) -> Result<(Edit, Vec<Fact>), Missing> {
    let mut edit = Edit::default();
    let mut removed = Vec::new();
    for rule in rules {
        if let Err(path) = rows::plan(rule, root, may_learn, &mut edit, &mut removed) {
            return Err(Missing { path, removed });
        }
    }
    for path in strip {
        match path.find(root) {
            Found::Nodes(nodes) => edit.remove_all(nodes),
            Found::Nothing => {}
            Found::Missing => return Err(Missing { path: Arc::clone(path.text()), removed }),
        }
    }
    removed.sort();
    removed.dedup();
    Ok((edit, removed))
}

/// How a text block holds the structured content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Same {
    Compact,
    Pretty,
}

/// The text blocks that hold the same JSON as the structured content.
fn same_as_structured(result: &Value) -> Vec<Same> {
    let Some(structured) = result.get(STRUCTURED) else { return Vec::new() };
    texts(result)
        .filter(|text| serde_json::from_str::<Value>(text).is_ok_and(|json| json == *structured))
        .map(|text| if text.contains('\n') { Same::Pretty } else { Same::Compact })
        .collect()
}

/// The one text block that is a JSON document, and whether it is written on several lines.
fn only_json_text(result: &Value) -> Option<(Value, bool)> {
    let mut documents = texts(result).filter_map(|text| {
        let json = serde_json::from_str::<Value>(text).ok()?;
        (json.is_object() || json.is_array()).then(|| (json, text.contains('\n')))
    });
    documents.next().filter(|_| documents.next().is_none())
}

fn texts(result: &Value) -> impl Iterator<Item = &str> {
    let blocks = result.get(CONTENT).and_then(Value::as_array).into_iter().flatten();
    blocks.filter_map(|block| block.get("text").and_then(Value::as_str))
}

fn written(value: &Value, pretty: bool) -> String {
    if pretty { format!("{value:#}") } else { value.to_string() }
}

/// Every other block may tell what was taken out: one text that holds what is left remains.
fn replace_content(result: &mut Value, text: &str) {
    if let Some(members) = result.as_object_mut() {
        members.insert(CONTENT.to_owned(), json!([{ "type": "text", "text": text }]));
    }
}

fn is_error(result: &Value) -> bool {
    result.get("isError") == Some(&Value::Bool(true))
}

/// Leaves of an error that it is one.
fn silence(result: &mut Value) -> bool {
    if let Some(members) = result.as_object_mut() {
        members.shift_remove(STRUCTURED);
        members.shift_remove("_meta");
    }
    replace_content(result, ERROR_TEXT);
    true
}

#[cfg(test)]
mod tests;
