//! What a binding says of arguments: which name subjects, how, and what is told of those.

use std::sync::Arc;

use super::{Compiler, PotentialFact};
use crate::bindings::{Declared, DeclaredReading};
use crate::families::escape;
use crate::spec::{Disclosure, Mode, OneOrMany, Parameter, Role, ToolBinding};
use crate::subject::{Naming, SubjectRule, Yield};

const ARGUMENTS: &str = "$params.arguments.";
const VARIABLES: &str = "$params.uri.";

/// The member names that lead to an argument.
pub(super) type Members = Box<[Box<str>]>;

/// What is said of the arguments.
#[derive(Default)]
pub(super) struct Arguments {
    pub(super) rules: Vec<SubjectRule>,
    /// The rules for the arguments that choose the subjects of a figure.
    pub(super) filters: Vec<SubjectRule>,
    pub(super) declared: Vec<Declared>,
    /// Whether arguments of which nothing is said are values.
    pub(super) unread_rest: bool,
    /// What a right guess reveals.
    pub(super) guessed: Option<PotentialFact>,
    /// What the figure is made of, and the arguments that choose its subjects.
    pub(super) figure: Option<(PotentialFact, Vec<Members>)>,
    /// What is told of subjects whose argument is not read.
    unread: Vec<PotentialFact>,
}

impl Arguments {
    /// Everything that is told of the subjects of arguments.
    pub(super) fn told(&self) -> impl Iterator<Item = PotentialFact> {
        self.rules.iter().flat_map(SubjectRule::facts).chain(self.unread.iter().cloned())
    }

    /// Adds a rule, or what it yields to the rule for the same arguments and type.
    fn add(&mut self, rule: SubjectRule) {
        let same = |known: &&mut SubjectRule| {
            known.arguments == rule.arguments && known.of == rule.of && known.naming == rule.naming
        };
        match self.rules.iter_mut().find(same) {
            Some(known) => known.yields.extend(rule.yields),
            None => self.rules.push(rule),
        }
    }

    fn declare_all(&mut self, names: &[String], reading: DeclaredReading) {
        for name in names {
            self.declare(member_names(name), reading);
        }
    }

    fn declare(&mut self, path: Members, reading: DeclaredReading) {
        match self.declared.iter_mut().find(|known| known.path == path) {
            Some(known) if reading == DeclaredReading::Subject => known.reading = reading,
            Some(_) => {}
            None => self.declared.push(Declared { path, reading }),
        }
    }
}

impl Compiler<'_> {
    pub(super) fn arguments(&mut self) -> Arguments {
        let mut arguments = Arguments::default();
        self.check_parameters(&mut arguments);
        for (index, disclosure) in self.given.spec.discloses.iter().enumerate() {
            self.disclosure(&format!("/discloses/{index}"), disclosure, &mut arguments);
        }
        self.oracle_arguments(&mut arguments);
        self.aggregate_arguments(&mut arguments);
        arguments
    }

    fn check_parameters(&mut self, arguments: &mut Arguments) {
        for (name, parameter) in &self.given.spec.parameters {
            let pointer = format!("/parameters/{}", escape(name));
            if !is_argument(name) {
                self.report(&pointer, format!("`{name}` names no argument"), None);
                continue;
            }
            self.check_variable(&pointer, name);
            self.check_parameter(&pointer, parameter);
            let reading = match (parameter.role, parameter.mode) {
                (Role::Text | Role::Place, Mode::Ignore) | (Role::Value | Role::Free, _) => {
                    DeclaredReading::Nothing
                }
                (Role::Handle | Role::Text | Role::Place | Role::Filter, _) => {
                    DeclaredReading::Subject
                }
                // An id of something that nothing is told of: read like any other argument.
                (Role::Id, _) => continue,
            };
            arguments.declare(member_names(name), reading);
        }
    }

    fn check_parameter(&mut self, pointer: &str, parameter: &Parameter) {
        let Parameter { role, mode, kind } = parameter;
        let has_mode = matches!(role, Role::Text | Role::Place);
        let mode_pointer = format!("{pointer}/mode");
        let flaw = match mode {
            Mode::Open if !has_mode => Some(("only a text or a place can be open", None)),
            Mode::Ignore if !has_mode => {
                Some(("only a text or a place can be ignored", Some("give it the role free")))
            }
            Mode::Closed | Mode::Open | Mode::Ignore => None,
        };
        if let Some((message, help)) = flaw {
            self.report(&mode_pointer, message, help);
        }
        if let Some(kind) = kind {
            let pointer = format!("{pointer}/type");
            if !matches!(role, Role::Id | Role::Handle) {
                self.report(&pointer, "only an id or a handle has a type of its own", None);
            }
            self.check_type(&pointer, kind);
        }
    }

    fn disclosure(&mut self, pointer: &str, disclosure: &Disclosure, arguments: &mut Arguments) {
        self.check_type(&format!("{pointer}/of"), &disclosure.of);
        let subject = match (&disclosure.subject, &disclosure.in_result) {
            (Some(subject), None) => subject,
            // What is wrong with these is found with the results.
            (None, Some(_)) => return,
            (Some(_), Some(_)) => {
                let help = Some("write two disclosures");
                self.report(pointer, "it has both a subject and a path in the result", help);
                return;
            }
            (None, None) => {
                let help = Some("write `subject` or `in_result`");
                self.report(pointer, "it does not say whom it is about", help);
                return;
            }
        };
        let of: Arc<str> = disclosure.of.as_str().into();
        let precision = disclosure.precision.as_deref();
        let fact = self.fact(pointer, &of, &disclosure.attribute, precision);
        let pointer = format!("{pointer}/subject");
        let names = self.subject_arguments(&pointer, subject);
        let (Some(fact), Some(names)) = (fact, names) else { return };
        match self.naming(&pointer, &names, Naming::Id(None)) {
            Some(Some(naming)) => {
                arguments.declare_all(&names, DeclaredReading::Subject);
                arguments.add(rule(&names, naming, of, vec![yielded(&fact)]));
            }
            Some(None) => {
                arguments.declare_all(&names, DeclaredReading::Nothing);
                arguments.unread.push(fact);
            }
            None => {}
        }
    }

    fn subject_arguments(&mut self, pointer: &str, subject: &OneOrMany) -> Option<Vec<String>> {
        if subject.as_slice().is_empty() {
            self.report(pointer, "it names no argument", None);
            return None;
        }
        let names = pointers(pointer, subject).map(|(at, text)| self.argument(&at, text));
        let names: Vec<Option<String>> = names.collect();
        names.into_iter().collect()
    }

    /// The name of the argument that `$params.arguments.<name>` stands for.
    pub(super) fn argument(&mut self, pointer: &str, text: &str) -> Option<String> {
        let (prefix, help) = match self.given.variables {
            None => (ARGUMENTS, "write $params.arguments.<name>"),
            Some(_) => (VARIABLES, "write $params.uri.<variable>"),
        };
        let name = text.strip_prefix(prefix).filter(|name| is_argument(name));
        let Some(name) = name else {
            self.report(pointer, format!("`{text}` names no argument"), Some(help));
            return None;
        };
        self.check_variable(pointer, name).then(|| name.to_owned())
    }

    /// Whether the template has the variable, where there is one.
    fn check_variable(&mut self, pointer: &str, name: &str) -> bool {
        let Some(variables) = self.given.variables else { return true };
        if variables.iter().any(|variable| **variable == *name) {
            return true;
        }
        let message = format!("the template has no variable `{name}`");
        let near = kenward_document::nearest(name, variables.iter().map(|name| &**name));
        let help = near.map(|near| format!("did you mean `{near}`?"));
        self.report(pointer, message, help.as_deref());
        false
    }

    /// How the arguments name their subject together: `usual` where nothing is declared. The inner
    /// nothing is said of texts that are not looked at.
    #[expect(clippy::option_option, reason = "flawed, not read, and read so are three things")]
    fn naming(&mut self, pointer: &str, names: &[String], usual: Naming) -> Option<Option<Naming>> {
        let mut namings = Vec::new();
        for name in names {
            let Some(parameter) = self.given.spec.parameters.get(name) else { continue };
            let Some(naming) = declared(parameter) else {
                let message = format!("`{name}` is declared as something that names nobody");
                let help = "give it the role id, handle, text, place or filter";
                self.report(pointer, message, Some(help));
                return None;
            };
            namings.push(naming);
        }
        if names.len() < 2 {
            return Some(namings.pop().unwrap_or(Some(usual)));
        }
        let is_text = |naming: &Option<Naming>| match naming {
            Some(Naming::ClosedText | Naming::OpenText) | None => true,
            Some(Naming::Id(_) | Naming::Handle(_) | Naming::Place(_) | Naming::Filter) => false,
        };
        if !namings.iter().all(is_text) {
            let message = "only texts can name a subject together";
            self.report(pointer, message, Some("declare each of them with the role text"));
            return None;
        }
        let all_declared = namings.len() == names.len();
        if all_declared && namings.iter().all(Option::is_none) {
            return Some(None);
        }
        let open = all_declared && namings.iter().all(|n| *n != Some(Naming::ClosedText));
        Some(Some(if open { Naming::OpenText } else { Naming::ClosedText }))
    }

    fn oracle_arguments(&mut self, arguments: &mut Arguments) {
        let Some(oracle) = &self.given.spec.oracle else { return };
        if oracle.misses == 0 {
            let message = "an oracle that answers no wrong guess answers nothing";
            self.report("/oracle/misses", message, Some("write 1 or more"));
        }
        arguments.unread_rest = true;
        let of = self.kind("/oracle", oracle.of.as_deref());
        let precision = oracle.precision.as_deref();
        let fact = of.and_then(|of| self.fact("/oracle", &of, &oracle.attribute, precision));
        if oracle.key.is_empty() {
            let help = Some("name the arguments that say about whom is guessed");
            self.report("/oracle/key", "it does not say whom it is about", help);
            return;
        }
        let mut names = Vec::new();
        for (index, key) in oracle.key.iter().enumerate() {
            let pointer = format!("/oracle/key/{index}");
            let name = if is_argument(key) {
                self.check_variable(&pointer, key).then(|| key.clone())
            } else {
                self.argument(&pointer, key)
            };
            names.extend(name);
        }
        let naming = self.naming("/oracle/key", &names, Naming::ClosedText);
        let (Some(fact), Some(naming)) = (fact, naming) else { return };
        if names.len() < oracle.key.len() {
            return;
        }
        let Some(naming) = naming else {
            let message = "whom a guess is about cannot be ignored";
            self.report("/oracle/key", message, None);
            return;
        };
        arguments.declare_all(&names, DeclaredReading::Subject);
        arguments.add(rule(&names, naming, Arc::clone(&fact.of), vec![yielded(&fact)]));
        arguments.guessed = Some(fact);
    }

    fn aggregate_arguments(&mut self, arguments: &mut Arguments) {
        let Some(aggregate) = &self.given.spec.aggregate else { return };
        let of = self.kind("/aggregate", aggregate.of.as_deref());
        let fact = of.and_then(|of| self.fact("/aggregate", &of, &aggregate.attribute, None));
        let mut names = Vec::new();
        let mut complete = true;
        for (pointer, text) in
            aggregate.filter.iter().flat_map(|f| pointers("/aggregate/filter", f))
        {
            let name = self.argument(&pointer, text);
            complete &= name.is_some();
            names.extend(name);
        }
        let Some(fact) = fact.filter(|_| complete) else { return };
        for name in &names {
            let one = std::slice::from_ref(name);
            arguments.declare_all(one, DeclaredReading::Subject);
            let of = Arc::clone(&fact.of);
            arguments.filters.push(rule(one, Naming::Filter, of, vec![yielded(&fact)]));
        }
        let paths = names.iter().map(|name| member_names(name)).collect();
        arguments.figure = Some((fact, paths));
    }
}

/// The rules for declared arguments that no disclosure speaks of: whoever is named there is told
/// of as well.
pub(super) fn beside(
    spec: &ToolBinding,
    rules: &[SubjectRule],
    filters: &[SubjectRule],
    tells: &[PotentialFact],
) -> Vec<SubjectRule> {
    let mut beside = Vec::new();
    for (name, parameter) in &spec.parameters {
        let path = member_names(name);
        let is_used = |rule: &SubjectRule| rule.arguments.contains(&path);
        if parameter.role == Role::Id || rules.iter().chain(filters).any(is_used) {
            continue;
        }
        let Some(Some(naming)) = declared(parameter) else { continue };
        let mut kinds: Vec<&Arc<str>> = tells.iter().map(|fact| &fact.of).collect();
        kinds.dedup();
        for of in kinds {
            let told = tells.iter().filter(|fact| fact.of == *of).map(yielded).collect();
            beside.push(rule(std::slice::from_ref(name), naming.clone(), Arc::clone(of), told));
        }
    }
    beside
}

/// How a declared argument names its subject; nothing when it names nobody, and the inner nothing
/// when it is not looked at.
#[expect(clippy::option_option, reason = "naming nobody and not being read are two things")]
fn declared(parameter: &Parameter) -> Option<Option<Naming>> {
    let kind = || parameter.kind.as_deref().map(Arc::from);
    let naming = match (parameter.role, parameter.mode) {
        (Role::Id, _) => Naming::Id(kind()),
        (Role::Handle, _) => Naming::Handle(kind()),
        (Role::Text | Role::Place, Mode::Ignore) => return Some(None),
        (Role::Text, Mode::Open) => Naming::OpenText,
        (Role::Text, Mode::Closed) => Naming::ClosedText,
        (Role::Place, mode) => Naming::Place(mode),
        (Role::Filter, _) => Naming::Filter,
        (Role::Free | Role::Value, _) => return None,
    };
    Some(Some(naming))
}

fn rule(names: &[String], naming: Naming, of: Arc<str>, yields: Vec<Yield>) -> SubjectRule {
    let arguments = names.iter().map(|name| member_names(name)).collect();
    SubjectRule { arguments, via: names.join(" ").into(), naming, of, yields }
}

fn yielded(fact: &PotentialFact) -> Yield {
    let (attribute, family) = (Arc::clone(&fact.attribute), Arc::clone(&fact.family));
    Yield { attribute, family, precision: fact.precision }
}

/// Each text with the pointer to it.
fn pointers<'o>(pointer: &str, all: &'o OneOrMany) -> impl Iterator<Item = (String, &'o str)> {
    let place = |index: usize| match all {
        OneOrMany::One(_) => pointer.to_owned(),
        OneOrMany::Many(_) => format!("{pointer}/{index}"),
    };
    let all: Vec<(String, &str)> = all
        .as_slice()
        .iter()
        .enumerate()
        .map(|(index, text)| (place(index), text.as_str()))
        .collect();
    all.into_iter()
}

fn is_argument(name: &str) -> bool {
    name.split('.').all(|member| {
        !member.is_empty() && !member.contains(|c: char| c.is_whitespace() || "[]$*'\"".contains(c))
    })
}

/// The member names that lead to the argument `name`.
pub(super) fn member_names(name: &str) -> Members {
    name.split('.').map(Box::from).collect()
}
