//! Makes a binding of an outline, where its words are sure enough.

use std::collections::BTreeMap;

use crate::spec::{
    Aggregate, Disclosure, Link, Mode, OneOrMany, Oracle, Parameter, PreciseAttribute, Role,
    RowAttribute, RowBinding, ToolBinding,
};

use super::attributes::{self, Told};
use super::nouns::{self, Reading, is};
use super::outline::{Argument, Field, Outline, OutlineOf, Shape};

/// What `outline` reveals; `usual` is the type of person that its server speaks of most.
pub(super) fn binding(outline: &Outline, usual: Option<&str>) -> Option<ToolBinding> {
    let draft = Draft::of(outline, usual);
    let binding = draft.aggregate().unwrap_or_else(|| draft.telling());
    attributes_or_links(&binding).then_some(binding)
}

/// Whether somebody is asked about by their own name or id.
pub(super) fn is_about_somebody(outline: &Outline) -> bool {
    outline.arguments.iter().any(|argument| match nouns::reading(argument, &outline.words) {
        Reading::Person(_) | Reading::Text(Some(_)) => true,
        Reading::Handle(_) | Reading::Text(None) | Reading::Place | Reading::Nobody => false,
    })
}

/// The types that the bindings speak of, each with the type that it belongs to.
pub(super) fn entities<'b>(
    bindings: impl Iterator<Item = &'b ToolBinding>,
) -> BTreeMap<String, Option<String>> {
    let mut entities = BTreeMap::new();
    for binding in bindings {
        let told = binding.discloses.iter().map(|disclosure| &disclosure.of);
        let rows = binding.results.iter().map(|row| &row.of);
        let linked = binding.links.iter().filter_map(|link| link.of.as_ref());
        let guessed = binding.oracle.iter().filter_map(|oracle| oracle.of.as_ref());
        let figure = binding.aggregate.iter().filter_map(|aggregate| aggregate.of.as_ref());
        let people: Vec<&String> =
            told.chain(rows).chain(linked).chain(guessed).chain(figure).collect();
        for kind in &people {
            entities.entry((*kind).clone()).or_insert(None);
        }
        let handles = binding.parameters.values().filter_map(|parameter| parameter.kind.as_ref());
        let handles = handles.chain(binding.links.iter().filter_map(|link| link.kind.as_ref()));
        for kind in handles {
            let owner = people.first().map(|owner| (*owner).clone()).filter(|owner| owner != kind);
            entities.entry(kind.clone()).or_insert(owner);
        }
    }
    entities
}

fn attributes_or_links(binding: &ToolBinding) -> bool {
    !binding.discloses.is_empty()
        || !binding.results.is_empty()
        || !binding.links.is_empty()
        || binding.oracle.is_some()
        || binding.aggregate.is_some()
}

/// An outline with how its arguments are read.
struct Draft<'o> {
    outline: &'o Outline,
    readings: Vec<(&'o Argument, Reading)>,
    /// Whom it is about, where an argument does not say.
    of: String,
}

impl<'o> Draft<'o> {
    fn of(outline: &'o Outline, usual: Option<&str>) -> Self {
        let context = &outline.words;
        let mut readings: Vec<(&Argument, Reading)> = outline
            .arguments
            .iter()
            .map(|argument| (argument, nouns::reading(argument, context)))
            .collect();
        // `search` and the like name somebody only where nothing says better whom it is about.
        let sure = |reading: &Reading| matches!(reading, Reading::Person(_) | Reading::Handle(_));
        let is_sure = readings.iter().any(|(_, reading)| sure(reading));
        for (argument, reading) in &mut readings {
            if is_sure && is(VAGUE, &argument.words.join(" ")) {
                *reading = Reading::Nobody;
            }
        }
        let named = readings.iter().find_map(|(_, reading)| match reading {
            Reading::Person(kind) | Reading::Text(Some(kind)) => Some(kind.clone()),
            Reading::Handle(_) | Reading::Text(None) | Reading::Place | Reading::Nobody => None,
        });
        let of = named
            .or_else(|| nouns::person(context))
            .or_else(|| usual.map(str::to_owned))
            .unwrap_or_else(|| "Person".to_owned());
        Self { outline, readings, of }
    }

    /// The binding of what tells facts about those whom it names.
    fn telling(&self) -> ToolBinding {
        let mut binding = ToolBinding::default();
        self.rows(&mut binding);
        let subjects = self.subjects();
        let told = self.told();
        let oracle = self.oracle();
        if let Some((oracle, guesses)) = oracle {
            for name in guesses {
                binding.parameters.insert(name, parameter(Role::Value, None));
            }
            self.declare(&mut binding);
            binding.oracle = Some(oracle);
            return binding;
        }
        for subject in &subjects {
            binding.discloses.extend(told.iter().map(|told| Disclosure {
                of: subject.of.clone(),
                subject: Some(subject.arguments.clone()),
                in_result: None,
                attribute: told.attribute.clone(),
                precision: told.precision.map(str::to_owned),
            }));
        }
        if !binding.discloses.is_empty() && subjects.iter().all(|subject| subject.is_handle) {
            self.owner_in_result(&told, &mut binding);
        }
        if attributes_or_links(&binding) {
            self.declare(&mut binding);
            self.strip(&mut binding);
            binding.writes = self.writes() && !binding.discloses.is_empty();
        }
        binding
    }

    /// What is told of whoever is named in the arguments.
    fn told(&self) -> Vec<Told> {
        let is_near = self.outline.arguments.iter().any(|argument| {
            matches!(argument.words.as_slice(), [only] if matches!(only.as_str(), "near" | "nearby" | "around"))
        });
        let mut told = attributes::told(self.outline, is_near);
        // Rows of somebody's own things tell of whoever asks for them by name.
        let rows = self.outline.output.iter().filter(|field| field.rows.is_some());
        for field in rows.filter(|field| !self.has_owner(field) && !is_near) {
            told.extend(Told::of(&field.words));
        }
        let mut seen: Vec<Told> = Vec::new();
        for one in told {
            if !seen.iter().any(|known| known.attribute == one.attribute) {
                seen.push(one);
            }
        }
        seen
    }

    /// The arguments that name a subject.
    fn subjects(&self) -> Vec<Subject> {
        let mut subjects = Vec::new();
        let parts: Vec<&Argument> = self
            .outline
            .arguments
            .iter()
            .filter(|argument| nouns::is_name_part(argument))
            .collect();
        if parts.len() > 1 {
            let all = parts.iter().map(|argument| self.pointer(argument)).collect();
            subjects.push(Subject {
                of: self.of.clone(),
                arguments: OneOrMany::Many(all),
                is_handle: false,
            });
        }
        for (argument, reading) in &self.readings {
            let (of, is_handle) = match reading {
                Reading::Person(kind) | Reading::Text(Some(kind)) => (kind.clone(), false),
                Reading::Handle(_) => (self.of.clone(), true),
                Reading::Text(None) | Reading::Place => (self.of.clone(), false),
                Reading::Nobody => continue,
            };
            if parts.len() > 1 && nouns::is_name_part(argument) {
                continue;
            }
            subjects.push(Subject {
                of,
                arguments: OneOrMany::One(self.pointer(argument)),
                is_handle,
            });
        }
        subjects
    }

    fn pointer(&self, argument: &Argument) -> String {
        let place = match self.outline.of {
            OutlineOf::Tool | OutlineOf::Prompt => "arguments",
            OutlineOf::Resource => "uri",
        };
        format!("$params.{place}.{}", argument.name)
    }

    /// Says how each argument names somebody.
    fn declare(&self, binding: &mut ToolBinding) {
        for (argument, reading) in &self.readings {
            let declared = match reading {
                Reading::Person(_) => parameter(Role::Id, None),
                Reading::Handle(kind) => parameter(Role::Handle, Some(kind.clone())),
                Reading::Text(_) => parameter(Role::Text, None),
                Reading::Place => parameter(Role::Place, None),
                Reading::Nobody => continue,
            };
            binding.parameters.entry(argument.name.clone()).or_insert(declared);
        }
    }

    /// Adds the rows of the answer that are about people, and the handles that it links.
    fn rows(&self, binding: &mut ToolBinding) {
        let mut lists: Vec<&Field> = Vec::new();
        for field in self.outline.output.iter().filter(|field| field.rows.is_some()) {
            if !lists.iter().any(|known| known.rows == field.rows) {
                lists.push(field);
            }
        }
        for list in lists {
            let Some(each) = &list.rows else { continue };
            let fields =
                || self.outline.output.iter().filter(|field| field.rows.as_ref() == Some(each));
            let Some((of, id)) = subject_of_rows(list, fields()) else { continue };
            let attributes: BTreeMap<String, RowAttribute> =
                fields().filter(|field| field.path != id.path).filter_map(row_attribute).collect();
            let own = nouns::handle(&list.rows_words);
            let handle =
                fields().find(|field| matches!(field.words.as_slice(), [id] if id == "id"));
            if let (Some(kind), Some(handle)) =
                (&own, handle.filter(|handle| handle.path != id.path))
            {
                binding.links.push(Link {
                    handle: format!("{each}{}", handle.path.trim_start_matches('$')),
                    owner: format!("{each}{}", id.path.trim_start_matches('$')),
                    of: Some(of.clone()),
                    kind: Some(kind.clone()),
                });
            }
            if own.is_none() || !attributes.is_empty() {
                let row = RowBinding { each: each.clone(), of, id: id.path.clone(), attributes };
                binding.results.push(row);
            }
        }
    }

    fn has_owner(&self, field: &Field) -> bool {
        let fields = self.outline.output.iter().filter(|other| other.rows == field.rows);
        subject_of_rows(field, fields).is_some()
    }

    /// The answer to a question by a handle may say whose it is.
    fn owner_in_result(&self, told: &[Told], binding: &mut ToolBinding) {
        let fields = self.outline.output.iter();
        let mut fields = fields.filter(|field| field.rows.is_none() && field.required);
        let Some(owner) = fields.find(|field| owner_kind(field).as_ref() == Some(&self.of)) else {
            return;
        };
        binding.discloses.extend(told.iter().map(|told| Disclosure {
            of: self.of.clone(),
            subject: None,
            in_result: Some(owner.path.clone()),
            attribute: told.attribute.clone(),
            precision: told.precision.map(str::to_owned),
        }));
    }

    /// Takes out what makes sense only relative to whoever was named.
    fn strip(&self, binding: &mut ToolBinding) {
        let relative =
            self.outline.output.iter().filter(|field| {
                field.required && field.words.iter().any(|word| is(RELATIVE, word))
            });
        for field in relative {
            if let Some(each) = &field.rows {
                binding.strip.push(format!("{each}{}", field.path.trim_start_matches('$')));
            }
        }
    }

    fn writes(&self) -> bool {
        self.outline.of == OutlineOf::Tool
            && self.outline.words.iter().take(2).any(|word| is(WRITING, word))
    }

    /// A tool that says whether a guess is right, with the arguments that are the guess.
    fn oracle(&self) -> Option<(Oracle, Vec<String>)> {
        let compares = self.outline.words.iter().any(|word| is(COMPARING, word));
        let searches = self.outline.words.iter().take(2).any(|word| is(SEARCHING, word));
        if !compares && !searches {
            return None;
        }
        let exact = self
            .readings
            .iter()
            .find(|(_, reading)| matches!(reading, Reading::Person(_) | Reading::Handle(_)));
        let texts = self.readings.iter().filter(|(_, reading)| matches!(reading, Reading::Text(_)));
        let texts = || texts.clone().map(|(argument, _)| *argument).collect();
        let key: Vec<&Argument> = exact.map_or_else(texts, |(argument, _)| vec![*argument]);
        let of = self.subjects().into_iter().next()?.of;
        let rest: Vec<&Argument> = self
            .readings
            .iter()
            .filter(|(argument, reading)| *reading == Reading::Nobody && !is_near_option(argument))
            .map(|(argument, _)| *argument)
            .collect();
        let guessed = rest.iter().find_map(|argument| Told::of(&argument.words));
        let compared = || match rest.as_slice() {
            [_] if compares => Told::of(&self.outline.words),
            _ => None,
        };
        let told = guessed.or_else(compared)?;
        let mut flags = self.outline.output.iter().filter(|field| {
            field.rows.is_none() && field.shape == Shape::Boolean && field.required
        });
        let hit = flags.next().filter(|_| flags.next().is_none()).map(|field| field.path.clone());
        let oracle = Oracle {
            key: key.iter().map(|argument| argument.name.clone()).collect(),
            attribute: told.attribute,
            of: Some(of),
            precision: told.precision.map(str::to_owned),
            misses: 3,
            hit,
        };
        Some((oracle, rest.iter().map(|argument| argument.name.clone()).collect()))
    }

    /// A tool that answers with a figure over many; it has to say over how many.
    fn aggregate(&self) -> Option<ToolBinding> {
        let words = &self.outline.words;
        let is_figure = words.iter().any(|word| is(FIGURES, word));
        let about_one = self.readings.iter().any(|(_, reading)| {
            matches!(reading, Reading::Person(_) | Reading::Handle(_) | Reading::Text(Some(_)))
        });
        if !is_figure || about_one {
            return None;
        }
        let mut fields = self.outline.output.iter().filter(|field| field.rows.is_none());
        let count = fields.find(|field| {
            field.shape == Shape::Number && field.words.iter().any(|word| is(COUNTS, word))
        })?;
        let rest: Vec<String> = words.iter().filter(|word| !is(FIGURES, word)).cloned().collect();
        let told = Told::of(&rest)?;
        let mut binding = ToolBinding::default();
        let filters: Vec<&Argument> = self
            .outline
            .arguments
            .iter()
            .filter(|argument| matches!(argument.shape, Shape::Text | Shape::Object))
            .collect();
        for argument in &filters {
            binding.parameters.insert(argument.name.clone(), parameter(Role::Filter, None));
        }
        let mut pointers: Vec<String> =
            filters.iter().map(|argument| self.pointer(argument)).collect();
        let filter = match pointers.len() {
            0 => None,
            1 => pointers.pop().map(OneOrMany::One),
            _ => Some(OneOrMany::Many(pointers)),
        };
        binding.aggregate = Some(Aggregate {
            attribute: told.attribute,
            of: Some(self.of.clone()),
            filter,
            count: count.path.clone(),
            k: 5,
        });
        Some(binding)
    }
}

/// Arguments that name a subject together.
struct Subject {
    of: String,
    arguments: OneOrMany,
    is_handle: bool,
}

/// The type of people that the rows are about, and the field that says whom.
fn subject_of_rows<'f>(
    list: &Field,
    fields: impl Iterator<Item = &'f Field>,
) -> Option<(String, &'f Field)> {
    let fields: Vec<&Field> = fields.collect();
    let own = nouns::person(&list.rows_words);
    if let Some(of) = own {
        let id = fields.iter().find(|field| match field.words.as_slice() {
            [only] => matches!(only.as_str(), "id" | "number" | "uuid"),
            _ => owner_kind(field).as_ref() == Some(&of),
        });
        let name = || {
            fields.iter().find(|field| matches!(field.words.as_slice(), [name] if name == "name"))
        };
        return id.or_else(name).map(|field| (of, *field));
    }
    fields.iter().find_map(|field| owner_kind(field).map(|of| (of, *field)))
}

/// The type of person whose id or name stands in the field, as in `customer_id` or `customer`.
fn owner_kind(field: &Field) -> Option<String> {
    let (last, stem) = field.words.split_last()?;
    if matches!(last.as_str(), "id" | "number" | "uuid" | "name") && !stem.is_empty() {
        return nouns::person(stem);
    }
    let bare = field.words.len() == 1 && field.shape == Shape::Text;
    // `contact` is how somebody is reached, more often than who it is.
    nouns::person(&field.words).filter(|kind| bare && kind != "Contact")
}

fn row_attribute(field: &Field) -> Option<(String, RowAttribute)> {
    if matches!(field.words.last().map(String::as_str), Some("name" | "fullname")) {
        return Some(("name".to_owned(), RowAttribute::Path(field.path.clone())));
    }
    let told = Told::of(&field.words)?;
    let path = field.path.clone();
    let attribute = match told.precision {
        None => RowAttribute::Path(path),
        Some(precision) => {
            RowAttribute::Precise(PreciseAttribute { path, precision: precision.to_owned() })
        }
    };
    Some((told.attribute, attribute))
}

fn parameter(role: Role, kind: Option<String>) -> Parameter {
    Parameter { role, mode: Mode::Closed, kind }
}

/// Arguments that say how much is answered, not what is guessed.
fn is_near_option(argument: &Argument) -> bool {
    argument.words.iter().any(|word| is(OPTIONS, word))
}

/// Arguments that may name somebody, or anything else.
const VAGUE: &[&str] = &["for", "q", "query", "search"];

const OPTIONS: &[&str] =
    &["cursor", "format", "lang", "language", "limit", "locale", "max", "offset", "page", "sort"];

const COMPARING: &[&str] = &[
    "authenticate",
    "check",
    "compare",
    "confirm",
    "exists",
    "match",
    "matches",
    "validate",
    "verify",
];

const SEARCHING: &[&str] = &["find", "lookup", "search"];

const WRITING: &[&str] = &[
    "add",
    "book",
    "cancel",
    "change",
    "create",
    "delete",
    "forward",
    "post",
    "remove",
    "reschedule",
    "send",
    "set",
    "share",
    "submit",
    "update",
];

const FIGURES: &[&str] = &[
    "average",
    "avg",
    "count",
    "distribution",
    "histogram",
    "mean",
    "median",
    "statistics",
    "stats",
    "sum",
    "total",
];

const COUNTS: &[&str] = &["count", "headcount", "n", "population", "size"];

/// Fields that make sense only relative to whoever was named.
const RELATIVE: &[&str] = &["distance", "proximity", "similarity"];
