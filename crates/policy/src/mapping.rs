//! Mappings of COAZ-MCP: how a call becomes `AuthZEN` evaluations of actions on objects.
//!
//! A mapping is a template whose texts may be CEL expressions over `params` and `token`. A server
//! may have written it, so that everything about it is bounded, and nothing that it says of a
//! subject is believed: a subject that it names is compared with the token's and otherwise refused.

mod expression;
mod template;

use kenward_model::{Caller, EntityUid};
use serde_json::{Map, Value};

use crate::mapping::expression::Budget;
use crate::mapping::template::{Template, text_of};

/// The member of a tool's `inputSchema` that declares a mapping (COAZ-MCP section 2.4).
pub const DECLARED: &str = "x-authzen-mapping";

/// How many evaluations one mapping may ask for.
const MAX_EVALUATIONS: usize = 16;

/// Why a mapping cannot be used, or not on this call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// The mapping is not of the form that COAZ describes.
    #[error("`{at}`: {problem}")]
    Malformed {
        /// Where in the mapping, dotted.
        at: String,
        /// What is wrong there.
        problem: String,
    },
    /// An expression could not be evaluated on this call, or gave nothing where something must be.
    #[error("`{at}`: {problem}")]
    Unevaluated {
        /// Where in the mapping, dotted.
        at: String,
        /// What happened; never a value of the call.
        problem: String,
    },
    /// The mapping names a subject that is not the token's.
    #[error("the mapping's subject is not the token's")]
    ForeignSubject,
}

impl MappingError {
    fn malformed(at: &str, problem: impl Into<String>) -> Self {
        Self::Malformed { at: at.to_owned(), problem: problem.into() }
    }

    fn unevaluated(at: &str, problem: impl Into<String>) -> Self {
        Self::Unevaluated { at: at.to_owned(), problem: problem.into() }
    }
}

/// A compiled mapping.
#[derive(Debug)]
pub struct Mapping {
    subject: Option<Subject>,
    evaluations: Vec<Entry>,
}

/// One evaluation that a call maps to: may the caller take `action` on `resource`?
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The action's name; `Action::"<name>"` in Cedar.
    pub action: String,
    /// The object.
    pub resource: EntityUid,
    /// The mapping's own context.
    pub context: Option<Value>,
    /// What it says of the properties of subject, action and resource: untrusted.
    pub claimed: Option<Value>,
}

/// What can be said of an evaluation before the arguments are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The action's name, unless the arguments decide it.
    pub action: Option<String>,
    /// The type of the object, unless the arguments decide it.
    pub kind: Option<String>,
    /// The id of the object, unless the arguments decide it.
    pub id: Option<String>,
}

#[derive(Debug)]
struct Subject {
    id: Option<Template>,
    properties: Option<Template>,
}

#[derive(Debug, Clone)]
struct Entry {
    action: Template,
    action_properties: Option<Template>,
    kind: Template,
    id: Template,
    resource_properties: Option<Template>,
    context: Option<Template>,
}

impl Mapping {
    /// Compiles a mapping: an object with exactly one member, `evaluation` or `evaluations`.
    ///
    /// # Errors
    /// The form is another, an expression does not compile or goes beyond the bounds.
    pub fn compile(mapping: &Value) -> Result<Self, MappingError> {
        let members = mapping
            .as_object()
            .filter(|members| members.len() == 1)
            .and_then(|members| members.iter().next());
        let mut budget = Budget::new();
        match members {
            Some((name, body)) if name == "evaluation" => {
                let body = object("evaluation", body)?;
                let known = ["subject", "action", "resource", "context"];
                only("evaluation", body, &known)?;
                Ok(Self {
                    subject: Subject::compile("evaluation.subject", body, &mut budget)?,
                    evaluations: vec![Entry::compile(
                        "evaluation",
                        body,
                        &Map::new(),
                        &mut budget,
                    )?],
                })
            }
            Some((name, body)) if name == "evaluations" => {
                Self::compile_many(object("evaluations", body)?, &mut budget)
            }
            Some(_) | None => Err(MappingError::malformed(
                "",
                "a mapping has exactly one member, `evaluation` or `evaluations`",
            )),
        }
    }

    fn compile_many(body: &Map<String, Value>, budget: &mut Budget) -> Result<Self, MappingError> {
        let at = "evaluations";
        only(at, body, &["subject", "action", "resource", "context", "options", "evaluations"])?;
        let subject = Subject::compile("evaluations.subject", body, budget)?;
        let listed = match body.get("evaluations") {
            None => &[],
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(_) => {
                return Err(MappingError::malformed("evaluations.evaluations", "expected a list"));
            }
        };
        if listed.len() > MAX_EVALUATIONS {
            let problem = format!("more than {MAX_EVALUATIONS} evaluations");
            return Err(MappingError::malformed("evaluations.evaluations", problem));
        }
        let mut evaluations = Vec::with_capacity(listed.len());
        for (position, entry) in listed.iter().enumerate() {
            let at = format!("evaluations.evaluations[{position}]");
            let entry = object(&at, entry)?;
            if entry.contains_key("subject") {
                return Err(MappingError::malformed(&at, "an entry cannot name a subject"));
            }
            only(&at, entry, &["action", "resource", "context"])?;
            evaluations.push(Entry::compile(&at, entry, body, budget)?);
        }
        // Without entries the request is a single evaluation (AuthZEN 1.0, Access Evaluations).
        if evaluations.is_empty() {
            evaluations.push(Entry::compile(at, body, &Map::new(), budget)?);
        }
        Ok(Self { subject, evaluations })
    }

    /// The evaluations that a call with these parameters maps to; all of them must be permitted.
    ///
    /// # Errors
    /// An expression fails or gives nothing where something must be, a list stands where a name
    /// must, or the subject is not the token's.
    pub fn evaluate(
        &self,
        params: &Value,
        caller: &Caller,
    ) -> Result<Vec<Evaluation>, MappingError> {
        let inputs = expression::Inputs::new(params, &caller.claims);
        if let Some(id) = self.subject.as_ref().and_then(|subject| subject.id.as_ref()) {
            let said = id.resolve("subject.id", &inputs)?;
            if said.as_ref().and_then(Value::as_str) != Some(&caller.subject) {
                return Err(MappingError::ForeignSubject);
            }
        }
        let of_subject = match self.subject.as_ref().and_then(|subject| subject.properties.as_ref())
        {
            Some(properties) => properties.resolve("subject.properties", &inputs)?,
            None => None,
        };
        self.evaluations.iter().map(|entry| entry.evaluate(&inputs, of_subject.as_ref())).collect()
    }

    /// What can be said of the evaluations while the arguments are open.
    pub fn outline(&self, caller: &Caller) -> Vec<Outline> {
        let inputs = expression::Inputs::new(&Value::Null, &caller.claims);
        let known = |template: &Template| {
            if template.needs_params() {
                return None;
            }
            template.resolve("", &inputs).ok().flatten().as_ref().and_then(text_of)
        };
        let outline = |entry: &Entry| Outline {
            action: known(&entry.action),
            kind: known(&entry.kind),
            id: known(&entry.id),
        };
        self.evaluations.iter().map(outline).collect()
    }

    /// Whether [`Self::outline`] depends on the caller's token.
    pub(crate) fn outline_reads_token(&self) -> bool {
        let entries = self.evaluations.iter();
        let mut templates = entries.flat_map(|entry| [&entry.action, &entry.kind, &entry.id]);
        templates.any(|template| template.literal().is_none() && !template.needs_params())
    }

    /// The literal pairs of action and object type, for checks against the schema. What an
    /// expression decides is left open.
    pub fn named(&self) -> Vec<(Option<&str>, Option<&str>)> {
        self.evaluations
            .iter()
            .map(|entry| (entry.action.literal(), entry.kind.literal()))
            .collect()
    }
}

impl Subject {
    fn compile(
        at: &str,
        body: &Map<String, Value>,
        budget: &mut Budget,
    ) -> Result<Option<Self>, MappingError> {
        let Some(subject) = body.get("subject") else { return Ok(None) };
        let subject = object(at, subject)?;
        only(at, subject, &["type", "id", "properties"])?;
        Ok(Some(Self {
            id: optional(at, subject, "id", budget)?,
            properties: optional(at, subject, "properties", budget)?,
        }))
    }
}

impl Entry {
    /// Compiles an entry; whole members that it lacks are taken from `defaults`.
    fn compile(
        at: &str,
        entry: &Map<String, Value>,
        defaults: &Map<String, Value>,
        budget: &mut Budget,
    ) -> Result<Self, MappingError> {
        let member = |name: &str| entry.get(name).or_else(|| defaults.get(name));
        let needed = |name: &str| {
            let problem = || MappingError::malformed(at, format!("it names no {name}"));
            object(&format!("{at}.{name}"), member(name).ok_or_else(problem)?)
        };
        let (action_at, resource_at) = (format!("{at}.action"), format!("{at}.resource"));
        let action = needed("action")?;
        only(&action_at, action, &["name", "properties"])?;
        let resource = needed("resource")?;
        only(&resource_at, resource, &["type", "id", "properties"])?;
        Ok(Self {
            action: required(&action_at, action, "name", budget)?,
            action_properties: optional(&action_at, action, "properties", budget)?,
            kind: required(&resource_at, resource, "type", budget)?,
            id: required(&resource_at, resource, "id", budget)?,
            resource_properties: optional(&resource_at, resource, "properties", budget)?,
            context: member("context")
                .map(|context| Template::compile(&format!("{at}.context"), context, budget))
                .transpose()?,
        })
    }

    fn evaluate(
        &self,
        inputs: &expression::Inputs<'_>,
        of_subject: Option<&Value>,
    ) -> Result<Evaluation, MappingError> {
        let name = |at: &str, template: &Template| {
            let value = template.resolve(at, inputs)?;
            let text = value.as_ref().and_then(text_of).filter(|text| !text.is_empty());
            text.ok_or_else(|| {
                MappingError::unevaluated(at, "expected a string, and no list of them")
            })
        };
        let kind = name("resource.type", &self.kind)?;
        let id = name("resource.id", &self.id)?;
        let mut claimed = Map::new();
        claimed.extend(of_subject.map(|value| ("subject".to_owned(), value.clone())));
        for (member, template) in
            [("action", &self.action_properties), ("resource", &self.resource_properties)]
        {
            if let Some(template) = template {
                let value = template.resolve(member, inputs)?;
                claimed.extend(value.map(|value| (member.to_owned(), value)));
            }
        }
        Ok(Evaluation {
            action: name("action.name", &self.action)?,
            resource: EntityUid::new(kind, id),
            context: match &self.context {
                Some(context) => context.resolve("context", inputs)?,
                None => None,
            },
            claimed: (!claimed.is_empty()).then_some(Value::Object(claimed)),
        })
    }
}

fn object<'v>(at: &str, value: &'v Value) -> Result<&'v Map<String, Value>, MappingError> {
    value.as_object().ok_or_else(|| MappingError::malformed(at, "expected an object"))
}

fn only(at: &str, members: &Map<String, Value>, known: &[&str]) -> Result<(), MappingError> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let near = crate::diagnostic::nearest(name, known.iter().copied());
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Err(MappingError::malformed(at, format!("the member `{name}` is not known{hint}")))
        }
    }
}

fn required(
    at: &str,
    members: &Map<String, Value>,
    name: &str,
    budget: &mut Budget,
) -> Result<Template, MappingError> {
    let template = optional(at, members, name, budget)?;
    template.ok_or_else(|| MappingError::malformed(at, format!("`{name}` is missing")))
}

fn optional(
    at: &str,
    members: &Map<String, Value>,
    name: &str,
    budget: &mut Budget,
) -> Result<Option<Template>, MappingError> {
    let compile = |value| Template::compile(&format!("{at}.{name}"), value, budget);
    members.get(name).map(compile).transpose()
}

#[cfg(test)]
mod tests;
