//! Figures that would tell how many rows were taken out, or what stood in them.

use serde_json::{Map, Value};

use super::edit::NEUTRAL;
use crate::path::{Key, Location};

/// Names of members, without case and separators, that say how many rows there are.
const NAMES: &[&str] = &["found", "hits", "len", "length", "matches", "n", "number", "size"];
/// Words in names of members that hold a figure made of all rows.
const FIGURES: &[&str] = &[
    "average", "avg", "max", "maximum", "mean", "median", "min", "minimum", "range", "stddev",
    "subtotal", "sum", "total", "totals", "variance",
];
/// Words after `total` in names of members that say how many rows all pages have.
const COUNTED: &[&str] = &[
    "count", "elements", "entries", "found", "hits", "items", "matches", "records", "results",
    "rows", "size",
];
/// Words beside a number that make it the number of rows.
const TELLING: &[&str] = &["all", "displaying", "returned", "row", "result", "showing", "total"];
/// Names of members that are beside the rows of one page only.
const PAGING: &[&str] = &[
    "cursor",
    "hasmore",
    "hasnext",
    "limit",
    "next",
    "nextcursor",
    "nextpage",
    "offset",
    "page",
    "pagenumber",
    "pagesize",
    "perpage",
    "skip",
];
/// Of those, the names of the number of rows on a full page.
const PAGE_SIZES: &[&str] = &["limit", "pagesize", "perpage"];
/// How deep figures may stand in members of their own, such as `meta.pagination.total`.
const DEEPEST: usize = 4;

/// Some rows of a list leave.
#[derive(Debug)]
pub(super) struct Correction<'n> {
    pub(super) was: usize,
    pub(super) is: usize,
    /// The member that holds the list.
    pub(super) list: &'n str,
    /// Whether what counts the rows of all pages has to be corrected too.
    pub(super) all_pages: bool,
}

/// Corrects every count in `holder`, and takes out the figures that were made of all rows.
pub(super) fn correct(holder: &mut Value, correction: &Correction<'_>) {
    correct_in(holder, correction, DEEPEST);
}

fn correct_in(holder: &mut Value, correction: &Correction<'_>, depth: usize) {
    let Value::Object(members) = holder else { return };
    let is_paged = members.keys().any(|name| PAGING.contains(&&*plain(name)));
    members.retain(|name, value| correction.keeps(name, value, is_paged));
    correction.correct_pages(members);
    if depth > 0 {
        for member in members.values_mut().filter(|member| holds_no_list(member)) {
            correct_in(member, correction, depth - 1);
        }
    }
}

impl Correction<'_> {
    /// Corrects the member, or says that it has to go.
    fn keeps(&self, name: &str, value: &mut Value, is_paged: bool) -> bool {
        let plain = plain(name);
        let Some(says) = number(value) else {
            if self.was != self.is && value.as_str().is_some_and(|text| self.is_told_by(text)) {
                *value = Value::from(NEUTRAL);
            }
            return true;
        };
        if is_pages(&plain) || PAGING.contains(&&*plain) {
            return true;
        }
        let count = count(says);
        if count == Some(self.was) && is_count(&plain) {
            set(value, self.is);
            return true;
        }
        if let Some(more) = count.filter(|count| *count > self.was)
            && (counts_all(&plain, self.list) || (plain == "total" && is_paged))
        {
            if self.all_pages {
                set(value, more.saturating_sub(self.was.saturating_sub(self.is)));
            }
            return true;
        }
        let settled = count == Some(self.is) && is_count(&plain);
        settled || !is_figure(name)
    }

    /// Whether a text says in words how many rows there were.
    fn is_told_by(&self, text: &str) -> bool {
        let list = plain(self.list);
        let words: Vec<String> = text.split_whitespace().map(plain).collect();
        let was = self.was.to_string();
        words.contains(&was)
            && words.iter().any(|word| {
                COUNTED.contains(&&**word)
                    || TELLING.contains(&&**word)
                    || *word == list
                    || list.strip_suffix('s') == Some(word)
            })
    }

    /// The number of pages, where what is left needs fewer.
    fn correct_pages(&self, members: &mut Map<String, Value>) {
        let figure = |wanted: &dyn Fn(&str) -> bool| {
            let mut named = members.iter().filter(|(name, _)| wanted(&plain(name)));
            named.find_map(|(_, value)| count(number(value)?))
        };
        let size = figure(&|name| PAGE_SIZES.contains(&name)).filter(|size| *size > 0);
        let total = figure(&|name| name == "total" || counts_all(name, self.list));
        let pages = match (total, size) {
            (Some(total), Some(size)) => Some(total.div_ceil(size)),
            _ if self.is == 0 => Some(0),
            _ => None,
        };
        let Some(pages) = pages else { return };
        for (_, value) in members.iter_mut().filter(|(name, _)| is_pages(&plain(name))) {
            if number(value).and_then(count).is_some_and(|says| says > pages) {
                set(value, pages);
            }
        }
    }
}

/// Notes where in `holder` the rows of `list` are counted, by more than none.
pub(super) fn note_of_all(holder: &Value, list: &str, way: &[Key], found: &mut Vec<Location>) {
    let Value::Object(members) = holder else { return };
    for (name, value) in members {
        let below = [way, &[Key::Name(name.clone())]].concat();
        let plain = plain(name);
        let counts = counts_all(&plain, list)
            || matches!(&*plain, "total" | "count" | "hits" | "found" | "matches")
            || is_pages(&plain);
        if counts && number(value).is_some_and(|number| number > 0.0) {
            found.push(below);
        } else if holds_no_list(value) {
            note_of_all(value, list, &below, found);
        }
    }
}

/// Whether the name says how many rows of `list` all pages have.
fn counts_all(plain_name: &str, list: &str) -> bool {
    let list = plain(list);
    let counted = |rest: &str| COUNTED.contains(&rest) || rest == list;
    let singular = |rest: &str| list.strip_suffix('s').is_some_and(|one| one == rest);
    plain_name.strip_prefix("total").is_some_and(counted)
        || plain_name
            .strip_suffix("count")
            .is_some_and(|rest| counted(rest) || singular(rest) || rest == "total")
        || plain_name.strip_prefix("num").is_some_and(counted)
        || plain_name.strip_prefix("numberof").is_some_and(counted)
}

/// The number that a value is or spells.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The number as a count, when it is one.
fn count(number: f64) -> Option<usize> {
    let is_whole = number.fract().abs() < f64::EPSILON;
    // Through text: there is no checked way from a float to an integer.
    (is_whole && (0.0..1e15).contains(&number)).then(|| format!("{number:.0}").parse().ok())?
}

/// Writes the count in the form in which one stood there.
fn set(value: &mut Value, count: usize) {
    let as_text = value.is_string();
    *value = if as_text { Value::from(count.to_string()) } else { Value::from(count) };
}

/// The name without case and separators.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_count(plain: &str) -> bool {
    const OTHERS: &[&str] = &["account", "discount", "country", "county"];
    let counts = plain.contains("count") && !OTHERS.iter().any(|other| plain.contains(other));
    counts || plain.contains("total") || NAMES.contains(&plain)
}

fn is_pages(plain: &str) -> bool {
    matches!(
        plain,
        "pages" | "pagecount" | "totalpages" | "numpages" | "numberofpages" | "lastpage"
    )
}

/// Whether the name says that the member holds something made of all rows.
fn is_figure(name: &str) -> bool {
    let mut words = String::new();
    let mut before_is_lower = false;
    for c in name.chars() {
        if (c.is_uppercase() && before_is_lower) || !c.is_alphanumeric() {
            words.push(' ');
        }
        before_is_lower = c.is_lowercase() || c.is_ascii_digit();
        words.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
    }
    words.split_whitespace().any(|word| FIGURES.contains(&word))
}

/// Whether the value is an object that has no list anywhere in it: figures may stand there.
fn holds_no_list(value: &Value) -> bool {
    let Value::Object(members) = value else { return false };
    members.values().all(|member| match member {
        Value::Array(_) => false,
        Value::Object(_) => holds_no_list(member),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    })
}
