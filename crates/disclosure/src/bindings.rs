//! Bindings made ready: checked as a whole, and looked up by server and tool.

mod compile;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use kenward_model::{Fact, Finding, Operation, Place, Precision, ServerName};
use kenward_world::World;
use serde_json::Value;

use crate::filter::{self, FilterOutcome, RowRule};
use crate::inferences::Inferences;
use crate::path::ResultPath;
use crate::spec::ToolBinding;
use crate::subject::{Disclosed, SubjectRule, Unresolved};

/// The bindings of all tools.
#[derive(Clone, Default)]
pub struct Bindings {
    tools: BTreeMap<ServerName, BTreeMap<Arc<str>, Arc<CompiledBinding>>>,
}

/// Where the binding of a tool stands: server, tool, and a JSON Pointer inside the binding.
type PlaceOf<'a> = &'a dyn Fn(&ServerName, &str, &str) -> Place;

impl fmt::Debug for Bindings {
    /// Complete and always in the same order: equal texts mean equal bindings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.tools, f)
    }
}

impl Bindings {
    /// Checks the bindings and makes them ready.
    ///
    /// # Errors
    /// Every problem with its place, among them every key that has no effect yet: a binding is
    /// used as it was meant or not at all.
    pub fn compile(
        place: PlaceOf<'_>,
        specs: &BTreeMap<ServerName, BTreeMap<String, ToolBinding>>,
        inferences: &Inferences,
    ) -> Result<Self, Vec<Finding>> {
        let mut bindings = Self::default();
        let mut findings = Vec::new();
        for (server, tools) in specs {
            let compiled = bindings.tools.entry(server.clone()).or_default();
            for (tool, spec) in tools {
                let place = |pointer: &str| place(server, tool, pointer);
                let binding = compile::binding(spec, &inferences.families, &place, &mut findings);
                compiled.insert(tool.as_str().into(), Arc::new(binding));
            }
        }
        if findings.is_empty() { Ok(bindings) } else { Err(findings) }
    }

    /// The binding of `tool`, where it has one.
    pub fn get(&self, server: &ServerName, tool: &str) -> Option<&Arc<CompiledBinding>> {
        self.tools.get(server)?.get(tool)
    }

    /// All bindings, in the order of server and tool.
    pub fn iter(&self) -> impl Iterator<Item = (&ServerName, &str, &Arc<CompiledBinding>)> {
        self.tools.iter().flat_map(|(server, tools)| {
            tools.iter().map(move |(tool, binding)| (server, &**tool, binding))
        })
    }
}

/// A kind of fact that calls of a tool reveal about somebody.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PotentialFact {
    /// The type of the subject.
    pub of: Arc<str>,
    /// The attribute that becomes known.
    pub attribute: Arc<str>,
    /// The family of the attribute.
    pub family: Arc<str>,
    /// How finely.
    pub precision: Precision,
}

/// The binding of one tool, ready to use.
#[derive(Debug)]
pub struct CompiledBinding {
    subjects: Vec<SubjectRule>,
    rows: Vec<RowRule>,
    strip: Vec<ResultPath>,
    certain: Vec<PotentialFact>,
    possible: Vec<PotentialFact>,
    mapping: Option<Value>,
}

impl CompiledBinding {
    /// The facts that the call would reveal through its arguments (question 3).
    ///
    /// # Errors
    /// Something that must be resolved could not be: the call is to be refused.
    pub fn disclosures(
        &self,
        operation: &Operation<'_>,
        world: &World,
    ) -> Result<Vec<Disclosed>, Unresolved> {
        let arguments = operation.arguments();
        let mut disclosed = Vec::new();
        for subject in &self.subjects {
            subject.disclose(arguments, world, &mut disclosed)?;
        }
        Ok(disclosed)
    }

    /// The facts that *every* call reveals about somebody: when none of them may be learnt about
    /// anybody, no call of the tool can be allowed. A text may name a depot and reveal nothing
    /// about a person, and refused rows are left out of an answer: those are not among them.
    pub fn potential(&self) -> &[PotentialFact] {
        &self.certain
    }

    /// The facts that some call could reveal, through its arguments or its result.
    pub fn possible(&self) -> &[PotentialFact] {
        &self.possible
    }

    /// The mapping that the configuration gives the tool.
    pub fn mapping(&self) -> Option<&Value> {
        self.mapping.as_ref()
    }

    /// Whether the result must be looked at.
    pub fn filters_results(&self) -> bool {
        !self.rows.is_empty() || !self.strip.is_empty()
    }

    /// Takes out of the `result` of a tool call what may not be learnt (question 5), and what is
    /// always stripped. The text in `content` never says more than `structuredContent`.
    ///
    /// A row leaves when all of its attributes are refused; otherwise the fields leave that hold
    /// a refused attribute. When the result has not the shape that the binding describes, nothing
    /// of it is left.
    pub fn filter_result(
        &self,
        result: &mut Value,
        may_learn: &mut dyn FnMut(&Fact) -> bool,
    ) -> FilterOutcome {
        if !self.filters_results() {
            return FilterOutcome::default();
        }
        filter::filter(&self.rows, &self.strip, result, may_learn)
    }
}

#[cfg(test)]
mod tests;
