//! Bindings made ready: checked as a whole, and looked up by server and tool, prompt or URI.

mod compile;
mod kinds;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use kenward_model::{Finding, Place, Precision, ServerName};
use serde_json::Value;

use crate::families::escape;
use crate::filter::ResultRules;
use crate::inferences::Inferences;
use crate::spec::{ServerBindings, ToolBinding};
use crate::subject::SubjectRule;
use kinds::Kinds;
use template::Template;

pub(crate) use kinds::is_type_name;

/// The bindings of all tools, prompts and MCP resources.
#[derive(Clone, Default)]
pub struct Bindings {
    servers: BTreeMap<ServerName, OfServer>,
}

#[derive(Debug, Clone, Default)]
struct OfServer {
    tools: BTreeMap<Arc<str>, Arc<CompiledBinding>>,
    prompts: BTreeMap<Arc<str>, Arc<CompiledBinding>>,
    resources: Vec<(Template, Arc<CompiledBinding>)>,
    /// What the server may tell by itself, beside its answers.
    by_itself: Option<Arc<CompiledBinding>>,
}

/// Where a binding stands: the server, a JSON Pointer (RFC 6901) to the binding below the server
/// without the first slash, such as `tools/get_order`, and a JSON Pointer inside the binding.
type PlaceOf<'a> = &'a dyn Fn(&ServerName, &str, &str) -> Place;

impl fmt::Debug for Bindings {
    /// Complete and always in the same order: equal texts mean equal bindings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.servers, f)
    }
}

impl Bindings {
    /// Checks the bindings and makes them ready.
    ///
    /// # Errors
    /// Every problem with its place: a binding is used as it was meant or not at all.
    pub fn compile(
        place: PlaceOf<'_>,
        specs: &BTreeMap<ServerName, ServerBindings>,
        inferences: &Inferences,
    ) -> Result<Self, Vec<Finding>> {
        let kinds = Kinds::of(specs.values().flat_map(ServerBindings::all));
        let mut findings = Vec::new();
        let mut bindings = Self::default();
        for (server, specs) in specs {
            let mut binding = |item: &str, spec: &ToolBinding, variables: Option<&[Arc<str>]>| {
                let place = |pointer: &str| place(server, item, pointer);
                let families = &inferences.families;
                let given = compile::Given { spec, families, kinds: &kinds, variables };
                Arc::new(compile::binding(&given, &place, &mut findings))
            };
            let mut compiled = OfServer::default();
            for (name, spec) in &specs.tools {
                let made = binding(&format!("tools/{}", escape(name)), spec, None);
                compiled.tools.insert(name.as_str().into(), made);
            }
            for (name, spec) in &specs.prompts {
                let made = binding(&format!("prompts/{}", escape(name)), spec, None);
                compiled.prompts.insert(name.as_str().into(), made);
            }
            let mut flawed = Vec::new();
            for (uri, spec) in &specs.resources {
                let item = format!("resources/{}", escape(uri));
                let parsed = Template::parse(uri);
                let template = Template::or_flaw(parsed, place(server, &item, ""), &mut flawed);
                let made = binding(&item, spec, Some(template.variables()));
                compiled.resources.push((template, made));
            }
            findings.append(&mut flawed);
            compiled.by_itself = CompiledBinding::by_itself(compiled.all()).map(Arc::new);
            compiled.resources.sort_by_key(|(template, _)| !template.variables().is_empty());
            bindings.servers.insert(server.clone(), compiled);
        }
        if findings.is_empty() { Ok(bindings) } else { Err(findings) }
    }

    /// The binding of `tool`, where it has one.
    pub fn get(&self, server: &ServerName, tool: &str) -> Option<&Arc<CompiledBinding>> {
        self.servers.get(server)?.tools.get(tool)
    }

    /// What `server` may tell when it speaks by itself: all that any of its bindings tells.
    pub fn by_itself(&self, server: &ServerName) -> Option<&Arc<CompiledBinding>> {
        self.servers.get(server)?.by_itself.as_ref()
    }

    /// The binding of `prompt`, where it has one.
    pub fn prompt(&self, server: &ServerName, prompt: &str) -> Option<&Arc<CompiledBinding>> {
        self.servers.get(server)?.prompts.get(prompt)
    }

    /// Every binding that an MCP resource has, each with the values of its template's variables:
    /// those of its exact URI first. All of them hold for it.
    ///
    /// A server may read a URI in more ways than one, such as without its query: whatever
    /// template fits in one of them has a say. Where a template fits in several ways, a variable
    /// has a list of values.
    pub fn resource(&self, server: &ServerName, uri: &str) -> Vec<(&Arc<CompiledBinding>, Value)> {
        let resources = self.servers.get(server).map_or(&[][..], |of| &of.resources);
        if resources.is_empty() {
            return Vec::new();
        }
        let readings = template::readings(uri);
        let matching = resources
            .iter()
            .filter_map(|(template, binding)| Some((binding, template.variables_in(&readings)?)));
        matching.collect()
    }

    /// The binding that stands under this very template of URIs.
    pub fn template(&self, server: &ServerName, text: &str) -> Option<&Arc<CompiledBinding>> {
        let resources = &self.servers.get(server)?.resources;
        resources.iter().find(|(template, _)| *template.text() == *text).map(|(_, found)| found)
    }

    /// The bindings of all tools, in the order of server and tool.
    pub fn iter(&self) -> impl Iterator<Item = (&ServerName, &str, &Arc<CompiledBinding>)> {
        self.servers.iter().flat_map(|(server, of)| {
            of.tools.iter().map(move |(tool, binding)| (server, &**tool, binding))
        })
    }

    /// The bindings of all prompts and MCP resources, with the server and the name or the template.
    pub fn others(&self) -> impl Iterator<Item = (&ServerName, &str, &Arc<CompiledBinding>)> {
        self.servers.iter().flat_map(|(server, of)| {
            let prompts = of.prompts.iter().map(|(name, binding)| (&**name, binding));
            let resources = of.resources.iter().map(|(uri, binding)| (uri.text(), binding));
            prompts.chain(resources).map(move |(name, binding)| (server, name, binding))
        })
    }
}

impl OfServer {
    fn all(&self) -> impl Iterator<Item = &CompiledBinding> {
        let named = self.tools.values().chain(self.prompts.values());
        named.chain(self.resources.iter().map(|(_, binding)| binding)).map(AsRef::as_ref)
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
    /// How arguments name subjects, and what is told of those.
    pub(crate) subjects: Vec<SubjectRule>,
    pub(crate) results: ResultRules,
    /// The same for declared arguments of which no disclosure speaks; they need not be there.
    pub(crate) beside: Vec<SubjectRule>,
    /// How arguments choose the subjects of a figure.
    pub(crate) filters: Vec<SubjectRule>,
    /// What is told of whoever is named in an argument that nothing is said of.
    pub(crate) tells: Vec<PotentialFact>,
    /// The arguments of which something is said, and whether they are read as they stand.
    pub(crate) declared: Vec<Declared>,
    /// Whether arguments of which nothing is said are values.
    pub(crate) unread_rest: bool,
    /// How many wrong guesses at what about one subject are answered.
    pub(crate) misses: u32,
    /// Whether a call has an effect.
    pub(crate) writes: bool,
    /// Whether it refuses, or decides on paper only.
    pub(crate) enforced: bool,
    /// What it speaks of.
    pub(crate) speaks: Speaks,
    certain: Vec<PotentialFact>,
    possible: Vec<PotentialFact>,
    mapping: Option<Value>,
}

/// An argument of which the binding says something.
#[derive(Debug)]
pub(crate) struct Declared {
    /// The member names that lead to it.
    pub(crate) path: Box<[Box<str>]>,
    pub(crate) reading: DeclaredReading,
}

/// By what a declared argument is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeclaredReading {
    /// By a rule for subjects.
    Subject,
    /// By nothing, unless something was refused before.
    Nothing,
}

/// What a binding speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Of facts about somebody.
    Facts,
    /// Of nothing at all, which says that the facts are about nobody.
    Nobody,
    /// Of other things, such as a mapping: the facts are left to the guess.
    OtherThings,
}

impl CompiledBinding {
    /// The binding of what a server says beside its answers: it can be about whatever any of `all`
    /// tells, and nothing says of whom but the text itself.
    fn by_itself<'b>(all: impl Iterator<Item = &'b Self>) -> Option<Self> {
        let enforced = all.filter(|binding| binding.enforced);
        let possible = enforced.flat_map(|binding| binding.possible.iter().cloned());
        let possible: BTreeSet<PotentialFact> = possible.collect();
        (!possible.is_empty()).then(|| Self {
            subjects: Vec::new(),
            results: ResultRules::default(),
            beside: Vec::new(),
            filters: Vec::new(),
            tells: Vec::new(),
            declared: Vec::new(),
            unread_rest: false,
            misses: 0,
            writes: false,
            enforced: true,
            speaks: Speaks::Facts,
            certain: Vec::new(),
            possible: possible.into_iter().collect(),
            mapping: None,
        })
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

    /// Whether what it says refuses calls, rather than being noted on paper.
    pub fn is_enforced(&self) -> bool {
        self.enforced
    }

    /// Whether the result must be looked at.
    pub fn filters_results(&self) -> bool {
        !self.results.is_empty()
    }

    /// Whether something of `family` may become known.
    pub(crate) fn touches(&self, family: &str) -> bool {
        self.possible.iter().any(|fact| &*fact.family == family)
    }
}

#[cfg(test)]
mod tests;
