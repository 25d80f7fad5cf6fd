//! Answers worked out from tables, as a service works them out from its database.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

use crate::meaning;
use crate::template::{Scope, as_text};

/// A row of a table.
pub(crate) type Row = Map<String, Value>;

/// A table as it is written: by rows, or made of another.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableSpec {
    #[serde(default)]
    pub(crate) columns: Vec<String>,
    #[serde(default)]
    pub(crate) rows: Vec<Vec<Value>>,
    /// The table of which each row makes a row here.
    pub(crate) from: Option<String>,
    /// Templates of the columns, over a row of that table.
    #[serde(default)]
    pub(crate) each: BTreeMap<String, Value>,
}

/// All tables of a domain.
pub(crate) type Tables = BTreeMap<String, Vec<Row>>;

/// The tables with their rows.
pub(crate) fn build(specs: &BTreeMap<String, TableSpec>) -> Tables {
    let written = specs.iter().filter(|(_, spec)| spec.from.is_none());
    let mut tables: Tables = written.map(|(name, spec)| (name.clone(), rows(name, spec))).collect();
    let made = specs.iter().filter_map(|(name, spec)| Some((name, spec, spec.from.as_ref()?)));
    for (name, spec, from) in made {
        let template = Value::Object(spec.each.clone().into_iter().collect());
        let fill = |row: &Row| {
            let filled = Scope { row, arguments: &Map::new() }.fill(&template);
            filled.as_object().cloned().unwrap_or_default()
        };
        let rows = tables[from].iter().map(fill).collect();
        tables.insert(name.clone(), rows);
    }
    tables
}

fn rows(name: &str, spec: &TableSpec) -> Vec<Row> {
    let row = |cells: &Vec<Value>| {
        assert_eq!(cells.len(), spec.columns.len(), "{name}: {cells:?}");
        spec.columns.iter().cloned().zip(cells.iter().cloned()).collect()
    };
    spec.rows.iter().map(row).collect()
}

/// How a tool, a prompt or an MCP resource answers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AnswerSpec {
    /// The table that is looked into.
    pub(crate) from: Option<String>,
    /// Columns in which somebody is looked for by the words of these arguments.
    pub(crate) who: Option<Who>,
    /// Columns that must equal, whatever the case; a missing argument asks for nothing.
    #[serde(rename = "where")]
    pub(crate) equals: BTreeMap<String, Value>,
    /// Columns that must be at least a number.
    pub(crate) at_least: BTreeMap<String, Value>,
    /// Columns that must be at most a number.
    pub(crate) at_most: BTreeMap<String, Value>,
    /// Columns that must contain the words of a text, whatever the case.
    pub(crate) contains: BTreeMap<String, Value>,
    /// The argument that holds a filter: conditions joined by `and` or commas, or an object.
    pub(crate) filter: Option<String>,
    /// The rows of the table whose column is nearest to that of the row found so far.
    pub(crate) nearest: Option<Nearest>,
    /// Rows nearest to the first one, as `$peers`.
    pub(crate) peers: Option<Peers>,
    /// Another table to go on in, from the rows found so far (`parent.<column>`).
    pub(crate) then: Option<Box<Then>>,
    /// The most rows.
    pub(crate) first: Option<Value>,
    /// The column to take the average of, as `average`.
    pub(crate) average: Option<String>,
    /// What each row becomes in `$rows`.
    pub(crate) each: Option<Value>,
    /// The structured content: over the first row, with `count`, `rows` and `average`.
    pub(crate) give: Option<Value>,
    /// A text in place of structured content.
    pub(crate) text: Option<String>,
    /// The text of the failure when there is no row.
    pub(crate) none: Option<String>,
    /// When the first row has this, the service refuses.
    pub(crate) deny: Option<Deny>,
    /// How long the answer takes, in milliseconds.
    pub(crate) delay: u64,
    /// Notifications before the answer.
    pub(crate) before: Vec<Value>,
    /// Asks the person this first (2026-07-28: `input_required`), then answers.
    pub(crate) ask: Option<String>,
}

/// Somebody looked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Who {
    pub(crate) columns: Vec<String>,
    pub(crate) by: Vec<String>,
}

/// Neighbours of a row.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nearest {
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) most: Value,
}

/// Neighbours that are told besides.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peers {
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) most: Value,
    pub(crate) each: Value,
}

/// On to another table.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Then {
    pub(crate) from: String,
    #[serde(rename = "where")]
    pub(crate) equals: BTreeMap<String, Value>,
}

/// A refusal of the service itself.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deny {
    pub(crate) column: String,
    pub(crate) value: Value,
    /// The HTTP status.
    pub(crate) status: u16,
}

/// What came of an answer.
#[derive(Debug)]
pub(crate) enum Found {
    /// Structured content.
    Content(Value),
    /// A text.
    Text(String),
    /// A failure of the tool.
    Failure(String),
    /// A refusal with this status.
    Denied(u16),
}

impl AnswerSpec {
    /// The answer to a call with `arguments`.
    pub(crate) fn find(&self, tables: &Tables, arguments: &Row) -> Found {
        let mut rows = self.select(tables, arguments);
        if let Some(deny) = &self.deny
            && rows.first().is_some_and(|row| row.get(&deny.column) == Some(&deny.value))
        {
            return Found::Denied(deny.status);
        }
        let nobody = Row::new();
        if rows.is_empty()
            && let Some(text) = &self.none
        {
            return Found::Failure(Scope { row: &nobody, arguments }.text(text));
        }
        let count = rows.len();
        let most = self.first.as_ref().map(|most| Scope { row: &nobody, arguments }.fill(most));
        if let Some(most) = most.and_then(|most| as_text(&most).parse::<usize>().ok()) {
            rows.truncate(most);
        }
        let mut extra = Row::new();
        extra.insert("count".to_owned(), json!(count));
        extra.insert("any".to_owned(), json!(count > 0));
        if let Some(peers) = &self.peers {
            let near = Nearest {
                table: peers.table.clone(),
                column: peers.column.clone(),
                most: peers.most.clone(),
            };
            let around = near.around(&rows, tables, arguments);
            let all = around.iter().map(|row| Scope { row, arguments }.fill(&peers.each));
            extra.insert("peers".to_owned(), all.collect());
        }
        self.present(&rows, extra, arguments)
    }

    /// The first row that a call with `arguments` finds.
    pub(crate) fn first_row(&self, tables: &Tables, arguments: &Row) -> Row {
        self.select(tables, arguments).into_iter().next().unwrap_or_default()
    }

    fn present(&self, rows: &[Row], extra: Row, arguments: &Row) -> Found {
        let mut row = rows.first().cloned().unwrap_or_default();
        row.extend(extra);
        if let Some(each) = &self.each {
            let all = rows.iter().map(|row| Scope { row, arguments }.fill(each)).collect();
            row.insert("rows".to_owned(), Value::Array(all));
        }
        if let Some(column) = &self.average {
            row.insert("average".to_owned(), average(rows, column));
        }
        let scope = Scope { row: &row, arguments };
        match (&self.text, &self.give) {
            (Some(text), _) => Found::Text(scope.text(text)),
            (None, Some(give)) => Found::Content(scope.fill(give)),
            (None, None) => Found::Content(json!({ "done": true })),
        }
    }

    fn select(&self, tables: &Tables, arguments: &Row) -> Vec<Row> {
        let Some(from) = &self.from else { return Vec::new() };
        let mut rows = tables.get(from).unwrap_or_else(|| panic!("no table {from}")).clone();
        if let Some(who) = &self.who {
            rows = who.look(&rows, arguments);
        }
        let nobody = Row::new();
        let scope = Scope { row: &nobody, arguments };
        rows.retain(|row| {
            equals(row, &self.equals, scope)
                && contains(row, &self.contains, scope)
                && within(row, &self.at_least, scope, f64::ge)
                && within(row, &self.at_most, scope, f64::le)
        });
        if let Some(filter) = self.filter.as_ref().and_then(|name| arguments.get(name)) {
            let conditions = conditions(filter);
            rows.retain(|row| conditions.iter().all(|condition| condition.holds(row)));
        }
        if let Some(nearest) = &self.nearest {
            rows = nearest.around(&rows, tables, arguments);
        }
        match &self.then {
            Some(then) => rows.iter().flat_map(|row| then.go(row, tables, arguments)).collect(),
            None => rows,
        }
    }
}

impl Who {
    fn look(&self, rows: &[Row], arguments: &Row) -> Vec<Row> {
        let words: Vec<String> =
            self.by.iter().filter_map(|name| arguments.get(name)).map(as_text).collect();
        let text = words.join(" ");
        let names: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                self.columns.iter().filter_map(|column| row.get(column)).map(as_text).collect()
            })
            .collect();
        let found = meaning::meant(&text, &names);
        found.into_iter().map(|place| rows[place].clone()).collect()
    }
}

impl Nearest {
    fn around(&self, rows: &[Row], tables: &Tables, arguments: &Row) -> Vec<Row> {
        let Some(anchor) = rows.first() else { return Vec::new() };
        let place = |row: &Row| row.get(&self.column).and_then(Value::as_f64).unwrap_or(f64::MAX);
        let mut all: Vec<Row> =
            tables[&self.table].iter().filter(|row| *row != anchor).cloned().collect();
        all.sort_by(|a, b| {
            let distance = |row: &Row| (place(row) - place(anchor)).abs();
            distance(a).total_cmp(&distance(b))
        });
        let most = as_text(&Scope { row: anchor, arguments }.fill(&self.most)).parse().unwrap_or(3);
        all.truncate(most);
        for row in &mut all {
            row.insert("distance".to_owned(), json!((place(row) - place(anchor)).abs()));
        }
        all
    }
}

impl Then {
    fn go(&self, parent: &Row, tables: &Tables, arguments: &Row) -> Vec<Row> {
        let scope = Scope { row: parent, arguments };
        let rows = tables[&self.from].iter().filter(|row| equals(row, &self.equals, scope));
        let with_parent = |row: &Row| {
            let parents =
                parent.iter().map(|(name, value)| (format!("parent.{name}"), value.clone()));
            row.clone().into_iter().chain(parents).collect()
        };
        rows.map(with_parent).collect()
    }
}

fn equals(row: &Row, wanted: &BTreeMap<String, Value>, scope: Scope<'_>) -> bool {
    wanted.iter().all(|(column, template)| {
        let value = scope.fill(template);
        value.is_null() || row.get(column).is_some_and(|held| same(held, &value))
    })
}

fn contains(row: &Row, wanted: &BTreeMap<String, Value>, scope: Scope<'_>) -> bool {
    wanted.iter().all(|(column, template)| {
        let words = as_text(&scope.fill(template)).to_lowercase();
        let held = row.get(column).map(as_text).unwrap_or_default().to_lowercase();
        held.contains(words.trim())
    })
}

fn within(
    row: &Row,
    wanted: &BTreeMap<String, Value>,
    scope: Scope<'_>,
    holds: fn(&f64, &f64) -> bool,
) -> bool {
    wanted.iter().all(|(column, template)| {
        let bound = as_text(&scope.fill(template)).parse::<f64>();
        let held = row.get(column).and_then(Value::as_f64);
        bound.is_ok_and(|bound| held.is_some_and(|held| holds(&held, &bound)))
    })
}

fn same(a: &Value, b: &Value) -> bool {
    as_text(a).trim().eq_ignore_ascii_case(as_text(b).trim())
}

/// One condition of a filter.
#[derive(Debug)]
struct Condition {
    column: String,
    operator: &'static str,
    value: String,
}

impl Condition {
    fn holds(&self, row: &Row) -> bool {
        let held = row.get(&self.column).map(as_text).unwrap_or_default();
        let order = match (held.parse::<f64>(), self.value.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => held.to_lowercase().cmp(&self.value.to_lowercase()),
        };
        match self.operator {
            "!=" => order.is_ne(),
            ">=" => order.is_ge(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            "<" => order.is_lt(),
            _ => order.is_eq(),
        }
    }
}

/// The conditions of a filter, as a text or as an object.
fn conditions(filter: &Value) -> Vec<Condition> {
    if let Some(members) = filter.as_object() {
        let condition = |(column, value): (&String, &Value)| Condition {
            column: column.clone(),
            operator: "=",
            value: as_text(value),
        };
        return members.iter().map(condition).collect();
    }
    let text = as_text(filter)
        .replace(" AND ", ",")
        .replace(" and ", ",")
        .replace("&&", ",")
        .replace(';', ",");
    text.split(',').filter(|part| !part.trim().is_empty()).map(condition).collect()
}

fn condition(part: &str) -> Condition {
    let operator =
        ["!=", ">=", "<=", "==", "=", ">", "<", ":"].into_iter().find(|sign| part.contains(sign));
    let (column, value) = operator.and_then(|sign| part.split_once(sign)).unwrap_or(("name", part));
    Condition {
        column: column.trim().to_lowercase(),
        operator: operator.unwrap_or("="),
        value: value.trim().trim_matches(['"', '\'']).to_owned(),
    }
}

fn average(rows: &[Row], column: &str) -> Value {
    let values: Vec<f64> = rows.iter().filter_map(|row| row.get(column)?.as_f64()).collect();
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let mean = values.iter().sum::<f64>() / f64::from(count.max(1));
    Number::from_f64(mean.round()).map_or(Value::Null, |number| {
        number
            .as_f64()
            .map_or(Value::Null, |mean| json!(format!("{mean}").parse::<i64>().unwrap_or(0)))
    })
}
