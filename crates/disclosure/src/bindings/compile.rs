//! Checks one binding and makes it ready.

mod arguments;
mod results;

use std::sync::Arc;

use kenward_model::{Finding, Place, Precision};

use super::{CompiledBinding, PotentialFact, Speaks, is_type_name, kinds::Kinds};
use crate::families::Families;
use crate::path::{PathFlaw, ResultPath};
use crate::spec::ToolBinding;
use crate::subject::SubjectRule;

/// What a binding is compiled from.
pub(super) struct Given<'a> {
    pub(super) spec: &'a ToolBinding,
    pub(super) families: &'a Families,
    /// The types that any binding of the deployment speaks of.
    pub(super) kinds: &'a Kinds<'a>,
    /// The variables of the template, for an MCP resource.
    pub(super) variables: Option<&'a [Arc<str>]>,
}

/// Makes the binding ready and adds what is wrong with it to `findings`.
pub(super) fn binding(
    given: &Given<'_>,
    place: &dyn Fn(&str) -> Place,
    findings: &mut Vec<Finding>,
) -> CompiledBinding {
    let spec = given.spec;
    let mut compiler = Compiler { given, place, findings };
    let arguments = compiler.arguments();
    let results = compiler.results(&arguments);
    let enforced = spec.mode.is_enforced();
    let told = results.told.iter().map(|rule| rule.fact.clone());
    let tells = sorted(arguments.told().chain(told));
    let row_facts = results.rows.iter().flat_map(crate::filter::RowRule::facts);
    let elsewhere: Vec<PotentialFact> =
        row_facts.chain(results.told.iter().map(|rule| rule.fact.clone())).collect();
    let mut certain = certain(&arguments.rules, &elsewhere);
    certain.retain(|_| enforced);
    let figure = results.aggregate.iter().map(|rule| rule.fact.clone());
    let possible = sorted(tells.iter().cloned().chain(results.facts()).chain(figure));
    let arguments::Arguments { rules, filters, declared, unread_rest, .. } = arguments;
    CompiledBinding {
        beside: arguments::beside(spec, &rules, &filters, &tells),
        subjects: rules,
        filters,
        tells,
        declared,
        unread_rest,
        misses: spec.oracle.as_ref().map_or(0, |oracle| oracle.misses),
        writes: spec.writes,
        enforced,
        speaks: speaks(spec, &possible),
        results,
        certain,
        possible,
        mapping: spec.mapping.clone(),
    }
}

fn speaks(spec: &ToolBinding, possible: &[PotentialFact]) -> Speaks {
    match possible {
        [] if *spec == ToolBinding::default() => Speaks::Nobody,
        [] => Speaks::OtherThings,
        [_, ..] => Speaks::Facts,
    }
}

/// The facts that every call reveals: those about subjects that an argument always names, and
/// that are not told, or left out, with the answer instead.
fn certain(rules: &[SubjectRule], elsewhere: &[PotentialFact]) -> Vec<PotentialFact> {
    let same = |a: &PotentialFact, b: &PotentialFact| a.of == b.of && a.attribute == b.attribute;
    let (sure, unsure): (Vec<&SubjectRule>, Vec<&SubjectRule>) =
        rules.iter().partition(|rule| rule.naming.is_certain());
    let unsure: Vec<PotentialFact> = unsure.into_iter().flat_map(SubjectRule::facts).collect();
    let others = || unsure.iter().chain(elsewhere);
    let sure = sure.into_iter().flat_map(SubjectRule::facts);
    sorted(sure.filter(|fact| !others().any(|other| same(fact, other))))
}

fn sorted(facts: impl Iterator<Item = PotentialFact>) -> Vec<PotentialFact> {
    let mut facts: Vec<PotentialFact> = facts.collect();
    facts.sort();
    facts.dedup();
    facts
}

struct Compiler<'a> {
    given: &'a Given<'a>,
    place: &'a dyn Fn(&str) -> Place,
    findings: &'a mut Vec<Finding>,
}

impl Compiler<'_> {
    fn report(&mut self, pointer: &str, message: impl Into<String>, help: Option<&str>) {
        let finding = Finding::error((self.place)(pointer), message);
        self.findings.push(help.into_iter().fold(finding, Finding::with_help));
    }

    fn check_type(&mut self, pointer: &str, kind: &str) {
        if !is_type_name(kind) {
            self.report(pointer, format!("`{kind}` is not the name of an entity type"), None);
        }
    }

    /// The type that `of` names below `pointer`, or the only one that there is.
    fn kind(&mut self, pointer: &str, of: Option<&str>) -> Option<Arc<str>> {
        if let Some(of) = of {
            self.check_type(&format!("{pointer}/of"), of);
            return Some(of.into());
        }
        match self.given.kinds.only() {
            Ok(only) => Some(only.into()),
            Err(known) => {
                let message = format!("it does not say about which type of entity: {known}");
                self.report(pointer, message, Some("write `of: <type>`"));
                None
            }
        }
    }

    fn fact(
        &mut self,
        pointer: &str,
        of: &Arc<str>,
        attribute: &str,
        precision: Option<&str>,
    ) -> Option<PotentialFact> {
        let precision = self.precision(&format!("{pointer}/precision"), attribute, precision)?;
        let family = self.given.families.family_of(attribute);
        Some(PotentialFact { of: Arc::clone(of), attribute: attribute.into(), family, precision })
    }

    fn precision(
        &mut self,
        pointer: &str,
        attribute: &str,
        name: Option<&str>,
    ) -> Option<Precision> {
        match self.given.families.precision(attribute, name) {
            Ok(precision) => Some(precision),
            Err(error) => {
                self.report(pointer, error.to_string(), Some(&error.help()));
                None
            }
        }
    }

    /// A path that begins at the structured content.
    fn content_path(&mut self, pointer: &str, path: &str) -> Option<ResultPath> {
        let path = ResultPath::in_content(path);
        self.checked(pointer, path)
    }

    /// A path that begins at a row.
    fn row_path(&mut self, pointer: &str, path: &str) -> Option<ResultPath> {
        let path = ResultPath::parse(path);
        self.checked(pointer, path)
    }

    fn checked(&mut self, pointer: &str, path: Result<ResultPath, PathFlaw>) -> Option<ResultPath> {
        match path {
            Ok(path) => Some(path),
            Err(PathFlaw { message, help }) => {
                self.report(pointer, message, help);
                None
            }
        }
    }
}
