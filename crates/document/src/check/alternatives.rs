//! Where a schema leaves a choice: finds the alternative that was meant, and judges by that one.

use serde_json::{Map, Value};

use kenward_model::Finding;

use crate::tree::{Entry, Kind, Mark, Node};

use super::words::list;
use super::{Checker, fits, members, type_names};

impl<'s> Checker<'s> {
    /// Adds nothing when an alternative fits; otherwise what is wrong with the one that was meant.
    pub(super) fn check_alternatives(
        &self,
        node: &Node,
        alternatives: &'s [Value],
        label: Mark,
        out: &mut Vec<Finding>,
    ) {
        let mut trials = Vec::new();
        for alternative in alternatives {
            let mut found = Vec::new();
            self.check(node, alternative, label, &mut found);
            if found.is_empty() {
                return;
            }
            if let Some(schema) = self.resolved(alternative) {
                trials.push((schema, found));
            }
        }
        if let Some(finding) = self.one_of_values(node, &trials) {
            out.push(finding);
            return;
        }
        let meant: Vec<_> =
            trials.iter().filter(|(schema, _)| self.has_type(node, schema)).collect();
        match self.by_key(node, &meant, label) {
            Meant::Finding(finding) => out.push(finding),
            Meant::At(index) => {
                out.extend(meant.get(index).into_iter().flat_map(|(_, found)| found.clone()));
            }
            Meant::Unsaid => match meant.iter().min_by_key(|(_, found)| found.len()) {
                Some((_, found)) => out.extend(found.iter().cloned()),
                None => out.push(self.no_type(node, &trials, label)),
            },
        }
    }

    /// The object behind an alternative, through references.
    pub(super) fn resolved(&self, schema: &'s Value) -> Option<&'s Map<String, Value>> {
        let schema = schema.as_object()?;
        self.target(schema).and_then(Value::as_object).or(Some(schema))
    }

    fn has_type(&self, node: &Node, schema: &'s Map<String, Value>) -> bool {
        let names = self.types(schema);
        names.is_empty() || names.iter().any(|name| fits(node, name))
    }

    /// The types that a schema accepts, whichever part of it says so; none when it does not say.
    fn types(&self, schema: &'s Map<String, Value>) -> Vec<&'s str> {
        let mut names = type_names(schema);
        for part in ["anyOf", "oneOf"].into_iter().flat_map(|name| members(schema, name)) {
            names.extend(self.resolved(part).map(|part| self.types(part)).unwrap_or_default());
        }
        names
    }

    /// When every alternative is a set of words: one finding that offers all of them.
    fn one_of_values(&self, node: &Node, trials: &[Trial<'s>]) -> Option<Finding> {
        let mut allowed = Vec::new();
        for (schema, _) in trials {
            if type_names(schema) == ["null"] {
                continue;
            }
            match (schema.get("const"), schema.get("enum").and_then(Value::as_array)) {
                (Some(only), _) => allowed.push(only),
                (None, Some(values)) => allowed.extend(values),
                (None, None) => return None,
            }
        }
        (!allowed.is_empty()).then(|| self.wrong_value(node, &allowed))
    }

    /// Chooses among mappings: by a key whose value is a fixed word, or by the key that only one
    /// alternative requires.
    fn by_key(&self, node: &Node, meant: &[&Trial<'s>], label: Mark) -> Meant {
        match &node.kind {
            Kind::Mapping(entries) if meant.len() > 1 => match common_tag(meant) {
                Some(tag) => self.by_tag(entries, tag, meant, label),
                None => self.by_sole_key(node, entries, meant, label),
            },
            Kind::Mapping(_)
            | Kind::Bad
            | Kind::Null
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Sequence(_) => Meant::Unsaid,
        }
    }

    fn by_tag(&self, entries: &[Entry], tag: &str, meant: &[&Trial<'s>], label: Mark) -> Meant {
        let words: Vec<&Value> = meant.iter().filter_map(|(of, _)| tag_word(of, tag)).collect();
        let Some(given) = entries.iter().find(|entry| entry.key == tag) else {
            return Meant::Finding(self.missing(tag, None, label));
        };
        match words.iter().position(|word| super::is_value(&given.value, word)) {
            Some(index) => Meant::At(index),
            None => Meant::Finding(self.wrong_value(&given.value, &words)),
        }
    }

    fn by_sole_key(
        &self,
        node: &Node,
        entries: &[Entry],
        meant: &[&Trial<'s>],
        label: Mark,
    ) -> Meant {
        let Some(names) = sole_keys(meant) else {
            return Meant::Unsaid;
        };
        let chosen: Vec<usize> = (0..names.len())
            .filter(|i| names.get(*i).is_some_and(|name| entries.iter().any(|e| e.key == *name)))
            .collect();
        match (chosen.as_slice(), entries) {
            ([only], _) => Meant::At(*only),
            ([], [entry]) => Meant::Finding(self.unknown(entry, &names.iter().copied().collect())),
            _ => {
                let choice = list(names.iter().map(|name| format!("`{name}`")), "or");
                let mark = if entries.is_empty() { label } else { node.mark };
                Meant::Finding(self.error(mark, format!("expected exactly one key: {choice}")))
            }
        }
    }

    fn no_type(&self, node: &Node, trials: &[Trial<'s>], label: Mark) -> Finding {
        let mut wanted: Vec<&str> = Vec::new();
        for name in trials.iter().flat_map(|(schema, _)| self.types(schema)) {
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
        self.wrong_type(node, &wanted, label)
    }
}

/// An alternative and what is wrong with the node by its measure.
type Trial<'s> = (&'s Map<String, Value>, Vec<Finding>);

enum Meant {
    At(usize),
    Finding(Finding),
    Unsaid,
}

/// The key that has a fixed word in every alternative.
fn common_tag<'s>(meant: &[&Trial<'s>]) -> Option<&'s str> {
    let (first, _) = meant.first()?;
    let properties = first.get("properties")?.as_object()?;
    properties
        .keys()
        .map(String::as_str)
        .find(|name| meant.iter().all(|(schema, _)| tag_word(schema, name).is_some()))
}

fn tag_word<'s>(schema: &'s Map<String, Value>, tag: &str) -> Option<&'s Value> {
    schema.get("properties")?.get(tag)?.get("const")
}

/// The only required key of each alternative, if each has exactly one and they differ.
fn sole_keys<'s>(meant: &[&Trial<'s>]) -> Option<Vec<&'s str>> {
    let mut names = Vec::new();
    for (schema, _) in meant {
        let [only] = members(schema, "required") else {
            return None;
        };
        let name = only.as_str()?;
        if names.contains(&name) {
            return None;
        }
        names.push(name);
    }
    Some(names)
}
