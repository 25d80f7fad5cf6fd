//! Checks the binding of one tool and makes it ready.

use std::sync::Arc;

use kenward_model::{Finding, Place, Precision};

use super::{CompiledBinding, PotentialFact};
use crate::families::{Families, escape};
use crate::filter::{RowAttribute, RowRule, STRUCTURED};
use crate::path::{PathFlaw, ResultPath};
use crate::spec::{Disclosure, Mode, Parameter, Role, RowBinding, ToolBinding};
use crate::subject::{Naming, SubjectRule, Yield};

const ARGUMENTS: &str = "$params.arguments.";
/// What a row reveals that has no attributes.
const ROW_ITSELF: &str = "id";

/// Makes `spec` ready and adds what is wrong with it to `findings`.
pub(super) fn binding(
    spec: &ToolBinding,
    families: &Families,
    place: &dyn Fn(&str) -> Place,
    findings: &mut Vec<Finding>,
) -> CompiledBinding {
    let mut compiler = Compiler { spec, families, place, findings };
    compiler.refuse_reserved();
    compiler.check_parameters();
    let subjects = compiler.subjects();
    let rows: Vec<RowRule> =
        (0..).zip(&spec.results).filter_map(|(index, row)| compiler.row(index, row)).collect();
    let strip = (0..)
        .zip(&spec.strip)
        .filter_map(|(index, path)| compiler.root_path(&format!("/strip/{index}"), path))
        .collect();
    let certain = subjects.iter().filter(|rule| rule.naming.is_certain());
    let certain = facts(certain.flat_map(SubjectRule::facts));
    let possible = subjects.iter().flat_map(SubjectRule::facts);
    let possible = facts(possible.chain(rows.iter().flat_map(RowRule::facts)));
    CompiledBinding { subjects, rows, strip, certain, possible, mapping: spec.mapping.clone() }
}

fn facts(facts: impl Iterator<Item = PotentialFact>) -> Vec<PotentialFact> {
    let mut facts: Vec<PotentialFact> = facts.collect();
    facts.sort();
    facts.dedup();
    facts
}

struct Compiler<'a> {
    spec: &'a ToolBinding,
    families: &'a Families,
    place: &'a dyn Fn(&str) -> Place,
    findings: &'a mut Vec<Finding>,
}

impl Compiler<'_> {
    fn report(&mut self, pointer: &str, message: impl Into<String>, help: Option<&str>) {
        let finding = Finding::error((self.place)(pointer), message);
        self.findings.push(help.into_iter().fold(finding, Finding::with_help));
    }

    fn refuse_reserved(&mut self) {
        let spec = self.spec;
        let keys =
            [("links", &spec.links), ("oracle", &spec.oracle), ("aggregate", &spec.aggregate)];
        for (key, value) in keys {
            if value.is_some() {
                self.not_yet(&format!("/{key}"), key);
            }
        }
        for (index, disclosure) in spec.discloses.iter().enumerate() {
            if disclosure.in_result.is_some() {
                self.not_yet(&format!("/discloses/{index}/in_result"), "in_result");
            }
        }
    }

    fn not_yet(&mut self, pointer: &str, what: &str) {
        let message = format!("`{what}` is not supported yet");
        self.report(
            pointer,
            message,
            Some("take it out; a binding that says more than is enforced would not protect"),
        );
    }

    fn check_parameters(&mut self) {
        let spec = self.spec;
        for (name, parameter) in &spec.parameters {
            let pointer = format!("/parameters/{}", escape(name));
            if argument(name).is_none() {
                self.report(&pointer, format!("`{name}` names no argument"), None);
            }
            self.check_parameter(&pointer, parameter);
        }
    }

    fn check_parameter(&mut self, pointer: &str, parameter: &Parameter) {
        let Parameter { role, mode, kind } = parameter;
        let role_pointer = format!("{pointer}/role");
        match role {
            Role::Id | Role::Handle | Role::Text | Role::Free => {}
            Role::Place => self.not_yet(&role_pointer, "role: place"),
            Role::Filter => self.not_yet(&role_pointer, "role: filter"),
            Role::Value => self.not_yet(&role_pointer, "role: value"),
        }
        let mode_pointer = format!("{pointer}/mode");
        match mode {
            Mode::Closed => {}
            Mode::Open if *role == Role::Text => {}
            Mode::Open => self.report(&mode_pointer, "only a text can be open", None),
            Mode::Ignore => self.not_yet(&mode_pointer, "mode: ignore"),
        }
        if let Some(kind) = kind {
            let pointer = format!("{pointer}/type");
            if *role != Role::Handle {
                self.report(&pointer, "only a handle has a type of its own", None);
            }
            self.check_type(&pointer, kind);
        }
    }

    fn check_type(&mut self, pointer: &str, kind: &str) {
        let is_name = kind.split("::").all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        if !is_name {
            self.report(pointer, format!("`{kind}` is not the name of an entity type"), None);
        }
    }

    /// One rule for each argument and type of subject, whatever the number of facts.
    fn subjects(&mut self) -> Vec<SubjectRule> {
        let spec = self.spec;
        let mut rules: Vec<SubjectRule> = Vec::new();
        for (index, disclosure) in spec.discloses.iter().enumerate() {
            let pointer = format!("/discloses/{index}");
            let Some((rule, fact)) = self.subject(&pointer, disclosure) else { continue };
            match rules.iter_mut().find(|known| known.via == rule.via && known.of == rule.of) {
                Some(known) => known.yields.push(fact),
                None => rules.push(SubjectRule { yields: vec![fact], ..rule }),
            }
        }
        rules
    }

    fn subject(&mut self, pointer: &str, disclosure: &Disclosure) -> Option<(SubjectRule, Yield)> {
        self.check_type(&format!("{pointer}/of"), &disclosure.of);
        let precision = self.precision(pointer, disclosure)?;
        let subject_pointer = format!("{pointer}/subject");
        let name = disclosure.subject.strip_prefix(ARGUMENTS);
        let Some((name, path)) = name.and_then(|name| Some((name, argument(name)?))) else {
            let message = format!("`{}` names no argument", disclosure.subject);
            self.report(&subject_pointer, message, Some("write $params.arguments.<name>"));
            return None;
        };
        let Some(naming) = self.naming(name) else {
            let message = format!("`{name}` is declared as something that names nobody");
            self.report(&subject_pointer, message, Some("give it the role id, handle or text"));
            return None;
        };
        let of = Arc::from(disclosure.of.as_str());
        let rule = SubjectRule { path, via: name.into(), naming, of, yields: Vec::new() };
        let attribute = disclosure.attribute.as_str();
        let family = self.families.family_of(attribute);
        Some((rule, Yield { attribute: attribute.into(), family, precision }))
    }

    fn precision(&mut self, pointer: &str, disclosure: &Disclosure) -> Option<Precision> {
        let name = disclosure.precision.as_deref();
        match self.families.precision(&disclosure.attribute, name) {
            Ok(precision) => Some(precision),
            Err(error) => {
                let pointer = format!("{pointer}/precision");
                self.report(&pointer, error.to_string(), Some(&error.help()));
                None
            }
        }
    }

    /// How the argument names its subject: by its exact id where nothing is declared.
    fn naming(&self, name: &str) -> Option<Naming> {
        let Some(parameter) = self.spec.parameters.get(name) else { return Some(Naming::Id) };
        match (parameter.role, parameter.mode) {
            (Role::Id, _) => Some(Naming::Id),
            (Role::Handle, _) => Some(Naming::Handle(parameter.kind.as_deref().map(Arc::from))),
            (Role::Text, Mode::Open) => Some(Naming::OpenText),
            (Role::Text, Mode::Closed | Mode::Ignore) => Some(Naming::ClosedText),
            (Role::Free | Role::Place | Role::Filter | Role::Value, _) => None,
        }
    }

    fn row(&mut self, index: usize, row: &RowBinding) -> Option<RowRule> {
        let pointer = format!("/results/{index}");
        self.check_type(&format!("{pointer}/of"), &row.of);
        let each = self.root_path(&format!("{pointer}/each"), &row.each);
        let id = self.path(&format!("{pointer}/id"), &row.id);
        let mut attributes = Vec::new();
        for (name, path) in &row.attributes {
            let pointer = format!("{pointer}/attributes/{}", escape(name));
            let path = self.path(&pointer, path)?;
            attributes.push(self.row_attribute(name, Some(path)));
        }
        if attributes.is_empty() {
            attributes.push(self.row_attribute(ROW_ITSELF, None));
        }
        Some(RowRule { each: each?, of: row.of.as_str().into(), id: id?, attributes })
    }

    fn row_attribute(&self, name: &str, path: Option<ResultPath>) -> RowAttribute {
        RowAttribute { attribute: name.into(), family: self.families.family_of(name), path }
    }

    /// A path that begins at the result of the call.
    fn root_path(&mut self, pointer: &str, path: &str) -> Option<ResultPath> {
        let compiled = self.path(pointer, path)?;
        if !compiled.begins_at(STRUCTURED) {
            let message =
                format!("`{path}` does not begin at the structured content of the result");
            let rest = path.trim_start_matches('$');
            let help = format!("write $.structuredContent{rest}");
            self.report(pointer, message, Some(&help));
            return None;
        }
        Some(compiled)
    }

    fn path(&mut self, pointer: &str, path: &str) -> Option<ResultPath> {
        match ResultPath::parse(path) {
            Ok(path) => Some(path),
            Err(PathFlaw { message, help }) => {
                self.report(pointer, message, help);
                None
            }
        }
    }
}

/// The member names that lead to an argument; nothing when one is missing.
fn argument(name: &str) -> Option<Box<[Box<str>]>> {
    let members: Box<[Box<str>]> = name.split('.').map(Box::from).collect();
    let is_name = |member: &str| {
        !member.is_empty() && !member.contains(|c: char| c.is_whitespace() || "[]$*'\"".contains(c))
    };
    members.iter().all(|member| is_name(member)).then_some(members)
}
