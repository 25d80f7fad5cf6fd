//! What of one document of an answer leaves on account of its rows and paths.

mod counts;
mod edit;
mod links;
mod owner;
mod rows;
mod rules;
mod told;

use std::collections::HashSet;
use std::sync::Arc;

use kenward_model::EntityUid;
use serde_json::Value;

use crate::path::{Found, Location, node};
use crate::review::{Bench, Watch, as_rest};

pub(crate) use edit::Edit;
pub(crate) use links::links;
pub(crate) use rows::Row;
pub(crate) use rules::{
    AggregateRule, LinkRule, OracleRule, ResultRules, RowAttribute, RowRule, ToldRule, about,
};

/// What leaves, and whom the document is about.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) edit: Edit,
    pub(crate) rows: Vec<Row>,
    /// Those of whom paths of the document tell.
    pub(crate) told: Vec<EntityUid>,
    /// Whether nothing may be delivered.
    pub(crate) everything: bool,
    /// Whether anybody was refused.
    pub(crate) refused: bool,
}

/// Plans what leaves the document. `Err` is a path that leads nowhere.
pub(crate) fn plan(
    rules: &ResultRules,
    document: &Value,
    bench: &mut Bench<'_>,
    watch: &Watch<'_>,
) -> Result<Plan, Arc<str>> {
    let mut plan = Plan::default();
    for rule in &rules.rows {
        let rows = rows::plan(rule, document, bench, watch, &mut plan.edit)?;
        plan.refused |= rows.iter().any(|row| !row.subjects.is_empty() && !row.stays);
        plan.rows.extend(rows);
    }
    for rule in &rules.told {
        let told = told::plan(rule, document, bench, watch, &mut plan.edit)?;
        plan.told.extend(told.subjects);
        plan.everything |= told.everything;
        plan.refused |= told.refused;
    }
    for path in &rules.strip {
        match path.find(document) {
            Found::Nodes(nodes) => nodes.into_iter().for_each(|node| plan.edit.remove(node)),
            Found::Nothing => {}
            Found::Missing => return Err(Arc::clone(path.text())),
        }
    }
    plan.everything |= plan.edit.takes_everything();
    Ok(plan)
}

impl Plan {
    /// Whether the document tells of anybody whom it may tell of.
    pub(crate) fn tells(&self) -> bool {
        !self.told.is_empty() || self.rows.iter().any(|row| row.stays)
    }

    /// The values of fields that leave and stand in none that stay.
    pub(crate) fn rest(&self, document: &Value) -> HashSet<String> {
        let mut leaving = HashSet::new();
        let mut staying = HashSet::new();
        let fields = self.rows.iter().flat_map(|row| row.covered.iter().map(move |at| (row, at)));
        for (row, field) in fields {
            let leaves = !row.stays || row.refused.contains(field) || self.edit.takes(field);
            note(document, field, if leaves { &mut leaving } else { &mut staying });
        }
        leaving.retain(|value| !staying.contains(value));
        leaving
    }
}

fn note(document: &Value, field: &Location, values: &mut HashSet<String>) {
    let mut left = node(document, field).into_iter().collect::<Vec<_>>();
    while let Some(value) = left.pop() {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => values.extend(as_rest(&number.to_string())),
            Value::String(text) => values.extend(as_rest(text)),
            Value::Array(items) => left.extend(items),
            Value::Object(members) => left.extend(members.values()),
        }
    }
}

#[cfg(test)]
mod tests;
