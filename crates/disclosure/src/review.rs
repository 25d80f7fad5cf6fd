//! Question 5: what of an answer the person may learn, whatever carries it.

mod account;
mod bench;
mod carriers;
mod completion;
mod counted;
mod document;
mod figure;
mod messages;
mod oracle;
mod scan;
mod terms;
mod watch;

use std::collections::HashSet;
use std::sync::Arc;

use kenward_model::{EntityUid, Fact, Timestamp};
use serde_json::{Value, json};

use crate::engine::{Expects, Inquiry, Judge, Rules};
use crate::filter::ResultRules;
use crate::handles::{HandleKey, Linked};
use crate::history::{Entry, History};
use crate::subject::Disclosed;

pub(crate) use bench::Bench;
pub(crate) use scan::as_rest;
pub(crate) use watch::Watch;

/// What a message is that carries an answer, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The result of a tool call.
    Tool,
    /// The result of reading an MCP resource.
    Resource,
    /// The result of getting a prompt.
    Prompt,
    /// The result of completing an argument. The arguments of the inquiry are the parameters of
    /// `completion/complete`: `argument` with its `name`, and `context` with other `arguments`.
    Completion,
    /// The member `error` of a JSON-RPC response.
    Error,
    /// The member `params` of a notification that comes before the answer.
    Notification,
}

/// What became of an answer.
#[derive(Debug, Clone, Default)]
pub struct Review {
    /// The facts that were refused and taken out, in order, each once.
    pub removed: Vec<Fact>,
    /// Whether the answer is another one now.
    pub changed: bool,
    /// Set when nothing of the answer may be delivered; nothing is left of it then.
    pub withheld: Option<Withheld>,
    /// The facts that the answer tells, beyond those that the arguments said it would.
    pub disclosed: Vec<Disclosed>,
    /// What becomes of the history; to be kept before the answer is released.
    pub entries: Vec<Entry>,
    /// The handles of which the answer says whose they are, as far as that is news.
    pub links: Vec<Linked>,
    /// What rules on paper would have taken out.
    pub notes: Vec<String>,
}

/// Why nothing of an answer may be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withheld {
    /// The result has not the shape that the binding describes: this path of it leads nowhere.
    Shape {
        /// The path, as the binding writes it.
        path: Arc<str>,
    },
    /// All that the result consists of is refused.
    Everything,
    /// The figure would be about few subjects, by itself or beside earlier ones.
    Few,
    /// The history of the person has no room for what would be told.
    Full,
}

/// What is said of the results of tools that nobody has described.
static NO_RULES: ResultRules = ResultRules {
    rows: Vec::new(),
    told: Vec::new(),
    strip: Vec::new(),
    links: Vec::new(),
    oracle: None,
    aggregate: None,
};

/// Whether the answer must be looked at at all.
pub fn is_due(rules: Rules<'_>, history: &History, now: Timestamp) -> bool {
    let is_bound = rules
        .binding
        .is_some_and(|binding| !binding.possible().is_empty() || !binding.results.is_empty());
    is_bound || history.shadows(now).any(|shadow| rules.guess.touches(&shadow.family))
}

/// Takes out of the answer what the person may not learn, and says what that makes of the history.
///
/// A row leaves when all of its attributes are refused, and otherwise the fields that hold a
/// refused one; whatever else names somebody of whom the tool may not tell leaves too. The texts
/// never say more than the structured content. When the answer has not the shape that the binding
/// describes, nothing of it is left.
pub fn review(
    inquiry: &Inquiry<'_>,
    rules: Rules<'_>,
    expects: &Expects,
    carrier: Carrier,
    result: &mut Value,
    judge: &mut dyn Judge,
) -> Review {
    if rules.binding.is_some_and(|binding| !binding.enforced) {
        return on_paper(inquiry, rules, expects, carrier, result, judge);
    }
    let via: Arc<str> = format!("{}/{}", inquiry.server, inquiry.target).into();
    Reviewer::new(inquiry, rules, expects, &via, judge).review(carrier, result)
}

/// The binding decides on paper only: everything is told.
fn on_paper(
    inquiry: &Inquiry<'_>,
    rules: Rules<'_>,
    expects: &Expects,
    carrier: Carrier,
    result: &Value,
    judge: &mut dyn Judge,
) -> Review {
    let via: Arc<str> = format!("{}/{}", inquiry.server, inquiry.target).into();
    let mut copy = result.clone();
    let mut reviewer = Reviewer::new(inquiry, rules, expects, &via, judge);
    reviewer.on_paper = true;
    let mut review = reviewer.review(carrier, &mut copy);
    let removed = std::mem::take(&mut review.removed);
    let told = removed.iter().map(|fact| format!("`{}` of {}", fact.attribute, fact.subject));
    review.notes.extend(told.map(|fact| format!("the answer would have been without {fact}")));
    if let Some(withheld) = review.withheld.take() {
        review.notes.push(format!("the answer would have been withheld: {withheld}"));
    }
    Review { changed: false, ..review }
}

/// The review of one answer.
pub(crate) struct Reviewer<'a> {
    inquiry: &'a Inquiry<'a>,
    rules: Rules<'a>,
    results: &'a ResultRules,
    expects: &'a Expects,
    via: Arc<str>,
    watch: Watch<'a>,
    bench: Bench<'a>,
    on_paper: bool,
    /// Those whom the answer is known to be about, and may be.
    about: Vec<EntityUid>,
    /// What stood in fields that leave, in normal form.
    rest: HashSet<String>,
    /// How many bytes of texts may still be looked through.
    left: usize,
    links: Vec<Linked>,
    linked: HashSet<(HandleKey, EntityUid)>,
    figures: Vec<Entry>,
    changed: bool,
    /// Whether a call that named its subject by a handle is refused for whom the answer is about.
    turned_away: bool,
}

impl<'a> Reviewer<'a> {
    fn new(
        inquiry: &'a Inquiry<'a>,
        rules: Rules<'a>,
        expects: &'a Expects,
        via: &'a Arc<str>,
        judge: &'a mut dyn Judge,
    ) -> Self {
        Self {
            inquiry,
            rules,
            results: rules.binding.map_or(&NO_RULES, |binding| &binding.results),
            expects,
            via: Arc::clone(via),
            watch: Watch::new(inquiry, rules),
            bench: Bench::new(inquiry, via, judge),
            on_paper: false,
            about: expects.subjects.clone(),
            rest: HashSet::new(),
            left: scan::MOST,
            links: Vec::new(),
            linked: HashSet::new(),
            figures: Vec::new(),
            changed: false,
            turned_away: false,
        }
    }

    fn review(mut self, carrier: Carrier, result: &mut Value) -> Review {
        let guessed = self.results.oracle.as_ref().map(|rule| oracle::read(rule, carrier, result));
        let done = match carrier {
            Carrier::Tool => self.tool(result),
            Carrier::Resource => self.resource(result),
            Carrier::Prompt => self.prompt(result),
            Carrier::Completion => self.completion(result),
            Carrier::Error => {
                self.error(result);
                Ok(())
            }
            Carrier::Notification => self.notification(result),
        };
        let mut review = match done {
            Ok(()) => self.told(carrier),
            Err(withheld) => self.withheld(withheld),
        };
        if review.withheld.is_some() {
            *result = match carrier {
                Carrier::Tool => json!({ "content": [], "isError": true }),
                Carrier::Resource
                | Carrier::Prompt
                | Carrier::Completion
                | Carrier::Error
                | Carrier::Notification => Value::Null,
            };
        }
        if let (Some(guessed), Carrier::Tool | Carrier::Error) = (guessed, carrier) {
            review.entries.extend(self.guessed(guessed));
        }
        review.removed = self.bench.refused().iter().cloned().collect();
        review.links = std::mem::take(&mut self.links);
        review.notes = self.bench.into_notes();
        review
    }

    /// The path that needs a document in the answer, if one does.
    fn needs_document(&self) -> Option<Arc<str>> {
        let results = self.results;
        let rows = results.rows.iter().map(|rule| &rule.each);
        let told = results.told.iter().map(|rule| &rule.path);
        let figure = results.aggregate.iter().map(|rule| &rule.count);
        let mut paths = rows.chain(told).chain(&results.strip).chain(figure);
        let path = paths.next().map(|path| Arc::clone(path.text()));
        path.or_else(|| self.expects.deferred.then(|| "$".into()))
    }
}

impl std::fmt::Display for Withheld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shape { path } => write!(f, "`{path}` leads nowhere in it"),
            Self::Everything => f.write_str("all that it consists of is refused"),
            Self::Few => f.write_str("its figure is about few subjects"),
            Self::Full => f.write_str("the history has no room for what it tells"),
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod trial;
