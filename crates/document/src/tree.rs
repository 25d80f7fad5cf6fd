//! A YAML text as a tree whose nodes know where they stand.

use granit_parser::{
    Event, Marker, Options, Parser, ScalarStyle, ScanError, Span, StrInput, options,
};
use serde_json::Number;

use kenward_model::{Finding, Place};

use crate::Environment;
use crate::scalar::{Scalar, resolve};
use crate::substitute::{Unreplaced, substitute};

/// A point in the text: line and column in characters, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Mark {
    pub(crate) fn in_source(self, source: &str) -> Place {
        Place { source: source.to_owned(), line: self.line, column: self.column }
    }
}

impl From<Marker> for Mark {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) kind: Kind,
    /// A scalar as the person wrote it, where that differs from what it means: numbers, and text
    /// before variables were replaced. Only this is ever shown.
    pub(crate) written: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Already the subject of a finding; nothing more is said about it.
    Bad,
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) mark: Mark,
    pub(crate) value: Node,
}

/// What became of a text.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) root: Node,
    pub(crate) findings: Vec<Finding>,
    /// Whether the text was read to its end, so that the tree can be judged.
    pub(crate) complete: bool,
}

/// Reads `text` as far as it can be read.
pub(crate) fn parse(source: &str, text: &str, environment: Environment<'_>) -> Parsed {
    let nothing = Node { mark: Mark { line: 1, column: 1 }, kind: Kind::Null, written: None };
    if text.len() > MOST_BYTES {
        let message = format!("the text is longer than {} MiB", MOST_BYTES / (1024 * 1024));
        let findings = vec![Finding::error(Place::whole(source), message)];
        return Parsed { root: nothing, findings, complete: false };
    }
    let mut builder = Builder {
        events: Parser::new_from_str_with_options(text, dialect()),
        source,
        environment,
        documents: 0,
        findings: Vec::new(),
    };
    let root = builder.document();
    let complete = root.is_ok();
    Parsed { root: root.unwrap_or(nothing), findings: builder.findings, complete }
}

/// The most bytes of one text.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The most collections inside one another.
const MOST_LEVELS: usize = 64;

fn dialect() -> Options {
    let mut options = options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
    };
    options.set_emit_comments(false);
    options
}

struct Builder<'t> {
    events: Parser<'t, StrInput<'t>>,
    source: &'t str,
    environment: Environment<'t>,
    documents: usize,
    findings: Vec<Finding>,
}

/// The text cannot be read further; why is already among the findings.
struct Halt;

/// An event, reduced to what a tree is made of.
enum Step {
    Scalar { text: String, plain: bool },
    Sequence,
    Mapping,
    Alias,
    Close,
    Finish,
}

impl Builder<'_> {
    fn document(&mut self) -> Result<Node, Halt> {
        let (step, mark) = self.step()?;
        if matches!(step, Step::Finish) {
            return Ok(Node { mark: Mark { line: 1, column: 1 }, kind: Kind::Null, written: None });
        }
        let root = self.node(step, mark, 1)?;
        match self.step()? {
            (Step::Finish, _) => Ok(root),
            (_, mark) => Err(self.halt(mark, "there is more than one document in this text")),
        }
    }

    fn node(&mut self, step: Step, mark: Mark, level: usize) -> Result<Node, Halt> {
        if level > MOST_LEVELS {
            let message = format!("collections are nested deeper than {MOST_LEVELS} levels");
            return Err(self.halt(mark, &message));
        }
        let kind = match step {
            Step::Scalar { text, plain } => return Ok(self.scalar(text, plain, mark)),
            Step::Sequence => Kind::Sequence(self.items(level)?),
            Step::Mapping => Kind::Mapping(self.entries(level)?),
            Step::Alias | Step::Close | Step::Finish => Kind::Bad,
        };
        Ok(Node { mark, kind, written: None })
    }

    fn items(&mut self, level: usize) -> Result<Vec<Node>, Halt> {
        let mut items = Vec::new();
        loop {
            match self.step()? {
                (Step::Close | Step::Finish, _) => return Ok(items),
                (step, mark) => items.push(self.node(step, mark, level + 1)?),
            }
        }
    }

    fn entries(&mut self, level: usize) -> Result<Vec<Entry>, Halt> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = std::collections::HashMap::new();
        loop {
            let (step, mark) = self.step()?;
            if matches!(step, Step::Close | Step::Finish) {
                return Ok(entries);
            }
            let key = self.key(step, mark, level)?;
            let (step, value_mark) = self.step()?;
            let value = self.node(step, value_mark, level + 1)?;
            let Some(key) = key else { continue };
            if let Some(first) = seen.insert(key.clone(), mark) {
                self.duplicate(&key, mark, first);
                seen.insert(key, first);
                continue;
            }
            entries.push(Entry { key, mark, value });
        }
    }

    fn key(&mut self, step: Step, mark: Mark, level: usize) -> Result<Option<String>, Halt> {
        match step {
            Step::Scalar { text, plain: true } if text == "<<" => {
                self.error(mark, "merge keys (`<<`) are not read here");
                Ok(None)
            }
            Step::Scalar { text, plain: true } if text.is_empty() || text == "~" => {
                self.error(mark, "a key is missing here");
                Ok(None)
            }
            Step::Scalar { text, .. } => Ok(Some(text)),
            Step::Alias => Ok(None),
            Step::Sequence | Step::Mapping | Step::Close | Step::Finish => {
                self.error(mark, "a key must be text, not a collection");
                self.node(step, mark, level + 1)?;
                Ok(None)
            }
        }
    }

    fn duplicate(&mut self, key: &str, mark: Mark, first: Mark) {
        let finding = Finding::error(mark.in_source(self.source), format!("duplicate key `{key}`"))
            .with_help(format!("it is already given on line {}", first.line));
        self.findings.push(finding);
    }

    fn scalar(&mut self, text: String, plain: bool, mark: Mark) -> Node {
        let meaning = if plain { resolve(&text) } else { Scalar::Text };
        match meaning {
            Scalar::Null => Node { mark, kind: Kind::Null, written: None },
            Scalar::Bool(value) => Node { mark, kind: Kind::Bool(value), written: Some(text) },
            Scalar::Number(value) => Node { mark, kind: Kind::Number(value), written: Some(text) },
            Scalar::Text => self.text(text, mark),
            Scalar::Unrepresentable => {
                let message = format!("the number `{text}` cannot be represented");
                let finding = Finding::error(mark.in_source(self.source), message)
                    .with_help(format!("put it in quotes if it is meant as text: \"{text}\""));
                self.findings.push(finding);
                Node { mark, kind: Kind::Bad, written: None }
            }
        }
    }

    fn text(&mut self, text: String, mark: Mark) -> Node {
        let replaced = match self.environment {
            Some(environment) => substitute(&text, environment),
            None => Ok(None),
        };
        match replaced {
            Ok(None) => Node { mark, kind: Kind::Text(text), written: None },
            Ok(Some(value)) => Node { mark, kind: Kind::Text(value), written: Some(text) },
            Err(why) => {
                self.unreplaced(&why, mark);
                Node { mark, kind: Kind::Bad, written: None }
            }
        }
    }

    fn unreplaced(&mut self, why: &Unreplaced, mark: Mark) {
        let (message, help) = match why {
            Unreplaced::Unset(name) => (
                format!("the environment variable `{name}` is not set"),
                format!("set {name}, or write $${{{name}}} for the text itself"),
            ),
            Unreplaced::BadName(name) => (
                format!("`${{{name}}}` names no environment variable"),
                "a name has letters, digits and _; write $${ for the text ${".to_owned(),
            ),
            Unreplaced::Unclosed => (
                "`${` is not closed by `}`".to_owned(),
                "write ${NAME}, or $${ for the text ${".to_owned(),
            ),
        };
        let finding = Finding::error(mark.in_source(self.source), message).with_help(help);
        self.findings.push(finding);
    }

    /// The next event that matters; what this subset of YAML leaves out is noted and passed over.
    fn step(&mut self) -> Result<(Step, Mark), Halt> {
        loop {
            let (event, span) = match self.events.next_event() {
                None => return Ok((Step::Finish, Mark { line: 1, column: 1 })),
                Some(Err(error)) => return Err(self.syntax(&error)),
                Some(Ok(next)) => next,
            };
            if let Some(step) = self.reduce(event, &span)? {
                return Ok((step, span.start.into()));
            }
        }
    }

    fn reduce(&mut self, event: Event<'_>, span: &Span) -> Result<Option<Step>, Halt> {
        let mark = Mark::from(span.start);
        if event.tag().is_some() {
            self.error(
                span.tag_start().map_or(mark, Mark::from),
                "tags (`!name`) are not read here",
            );
        }
        if event.anchor_id().is_some() {
            self.error(mark, "anchors (`&name`) are not read here");
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "some variants are a feature's")]
        let step = match event {
            Event::Scalar(text, style, ..) => {
                Step::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }
            }
            Event::SequenceStart(..) => Step::Sequence,
            Event::MappingStart(..) => Step::Mapping,
            Event::SequenceEnd | Event::MappingEnd => Step::Close,
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.error(mark, "aliases (`*name`) are not read here");
                Step::Alias
            }
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self.halt(mark, "there is more than one document in this text"));
                }
                return Ok(None);
            }
            Event::StreamEnd => Step::Finish,
            _ => return Ok(None),
        };
        Ok(Some(step))
    }

    fn syntax(&mut self, error: &ScanError) -> Halt {
        self.halt((*error.marker()).into(), &error.info())
    }

    fn halt(&mut self, mark: Mark, message: &str) -> Halt {
        self.error(mark, message);
        Halt
    }

    fn error(&mut self, mark: Mark, message: &str) {
        self.findings.push(Finding::error(mark.in_source(self.source), message));
    }
}

#[cfg(test)]
mod tests;
