//! What a deployment decides with, in the form that a proof needs.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid as CedarUid, Policy, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::{CompiledPolicySet, CompiledSchema, SymEnv, err};
use kenward_model::{EntityUid, ServerName};
use kenward_policy::{Policies, Sources, Surface};

use crate::environment::{Asked, Environment};
use crate::written::{self, Written};
use crate::{Error, domain, rewrite};

/// What decides: the policies as they are written and as they are compiled.
#[derive(Debug, Clone, Copy)]
pub struct Deployment<'d> {
    /// The texts of schema and policies.
    pub sources: &'d Sources,
    /// What the servers offer.
    pub surface: &'d Surface,
    /// The policies compiled from both.
    pub policies: &'d Policies,
}

/// A deployment made ready.
pub(crate) struct Setting<'d> {
    pub(crate) deployment: Deployment<'d>,
    pub(crate) schema: Schema,
    compiled: CompiledSchema,
    rules: Vec<Written>,
    /// The groups of each action.
    groups: BTreeMap<CedarUid, BTreeSet<CedarUid>>,
    /// All entities that policies name, servers and tools, and what else was added.
    pub(crate) named: BTreeSet<EntityUid>,
    /// The tools that the schema declares, by server and name.
    pub(crate) tools: BTreeSet<(ServerName, String)>,
    environments: Vec<Environment>,
}

/// What decides in one environment.
#[derive(Debug, Clone)]
pub(crate) struct Effective {
    pub(crate) policies: Vec<Policy>,
    /// The policies that could only be taken for more permissive than they are.
    pub(crate) loosened: Vec<String>,
}

/// Why a policy has no form for the solver.
pub(crate) enum NoForm {
    /// It is not well typed there.
    Type(Vec<cedar_policy_core::validator::ValidationError>),
    /// Something else, in words.
    Other(String),
}

impl<'d> Setting<'d> {
    /// Reads everything again.
    ///
    /// # Errors
    /// The schema or the policies have no form for a proof.
    pub(crate) fn new(deployment: Deployment<'d>) -> Result<Self, Error> {
        let text = deployment.policies.schema_text();
        let schema = schema(&text)?;
        let compiled =
            CompiledSchema::new(&schema).map_err(|error| Error::Schema(error.to_string()))?;
        let mut rules = Vec::new();
        for file in &deployment.sources.policies {
            rules.extend(written::read(file)?);
        }
        rules.retain(|rule| !rule.is_shadow());
        let mut named: BTreeSet<EntityUid> =
            rules.iter().flat_map(|rule| written::named(&rule.policy)).collect();
        let servers = deployment.surface.servers.keys();
        named.extend(servers.map(|name| EntityUid::new("Mcp::Server", name.as_str())));
        let groups = groups(&schema)?;
        let environments = environments(&schema, &groups, deployment.policies);
        let tools = tools(&environments);
        named.extend(tools.iter().map(|(server, tool)| tool_uid(server, tool)));
        Ok(Self { deployment, schema, compiled, rules, groups, named, tools, environments })
    }

    /// The environments of all requests that are ever decided, in the order of their names.
    pub(crate) fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// Whether the scope of `policy` leaves room for a request of `environment`.
    pub(crate) fn concerns(&self, policy: &Policy, environment: &Environment) -> bool {
        let request = &environment.request;
        let none = BTreeSet::new();
        let action = request.action();
        let groups = self.groups.get(action).unwrap_or(&none);
        written::concerns(policy, request.principal(), (action, groups), request.resource())
    }

    /// The servers that anything is in.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &EntityUid> {
        self.named.iter().filter(|uid| &*uid.kind == "Mcp::Server")
    }

    /// The policies that decide in `environment`, with what is true of all requests there.
    ///
    /// What has no exact form is taken for more permissive than it is: then what is proven holds,
    /// and what is refuted has to be shown on the compiled policies.
    pub(crate) fn effective(&self, environment: &Environment) -> Result<Effective, Error> {
        let mut made =
            Effective { policies: domain::facts(self, environment)?, loosened: Vec::new() };
        if environment.needs_no_permit() {
            made.policies.push(written::policy(ALWAYS, "permit (principal, action, resource);")?);
        }
        if environment.is_unasked() {
            return Ok(made);
        }
        let concerned = self.concerned(environment);
        let as_written: Vec<Policy> = concerned.iter().map(|rule| rule.policy.clone()).collect();
        if self.compile(&as_written, environment).is_ok() {
            made.policies.extend(as_written);
            return Ok(made);
        }
        for rule in concerned {
            match self.closest(&rule.policy, environment)? {
                Closest::Exact(policy) => made.policies.extend(policy),
                Closest::Looser(policy) => {
                    made.policies.extend(policy);
                    made.loosened.push(rule.name().to_string());
                }
            }
        }
        Ok(made)
    }

    fn concerned(&self, environment: &Environment) -> Vec<&Written> {
        self.rules.iter().filter(|rule| self.concerns(&rule.policy, environment)).collect()
    }

    /// What decides in `environment`, as it is written: where it is equal, it decides the same on
    /// the same requests.
    pub(crate) fn says(&self, environment: &Environment) -> Result<BTreeSet<String>, Error> {
        let rules = self.concerned(environment).into_iter();
        let mut says: BTreeSet<String> =
            rules.map(|rule| written::says(&rule.policy)).collect::<Result<_, _>>()?;
        says.extend(domain::conditions(self, environment));
        let (free, unasked) = (environment.needs_no_permit(), environment.is_unasked());
        says.insert(format!("{free} {unasked} {}", environment.is_unseen()));
        Ok(says)
    }

    fn closest(&self, policy: &Policy, environment: &Environment) -> Result<Closest, Error> {
        let forbids = policy.effect() == cedar_policy::Effect::Forbid;
        let errors = match self.compile(std::slice::from_ref(policy), environment) {
            Ok(_) => return Ok(Closest::Exact(Some(policy.clone()))),
            Err(NoForm::Other(_)) => Vec::new(),
            Err(NoForm::Type(errors)) => errors,
        };
        // The arguments of a tool that was not seen: a permit permits nothing there, and a forbid
        // refuses wherever its scope fits.
        if environment.is_unseen() && written::reads_arguments(policy) {
            let blocks = forbids.then(|| written::scope_alone(policy)).transpose()?;
            return Ok(Closest::Exact(blocks));
        }
        if let Some(decided) = self.decided(policy, &errors, environment) {
            return Ok(Closest::Exact(Some(decided)));
        }
        let looser = (!forbids).then(|| written::scope_alone(policy)).transpose()?;
        Ok(Closest::Looser(looser))
    }

    /// The policy with its vain comparisons decided, where nothing else keeps it from being typed.
    pub(crate) fn decided(
        &self,
        policy: &Policy,
        errors: &[cedar_policy_core::validator::ValidationError],
        environment: &Environment,
    ) -> Option<Policy> {
        let mut policy = rewrite::decided(policy, errors)?;
        // One vain comparison can hide another.
        for _ in 0..MOST_PASSES {
            match self.compile(std::slice::from_ref(&policy), environment) {
                Ok(_) => return Some(policy),
                Err(NoForm::Other(_)) => return None,
                Err(NoForm::Type(errors)) => policy = rewrite::decided(&policy, &errors)?,
            }
        }
        None
    }

    /// The set of `policies` for the solver.
    pub(crate) fn compile(
        &self,
        policies: &[Policy],
        environment: &Environment,
    ) -> Result<CompiledPolicySet, NoForm> {
        let other = |error: String| NoForm::Other(error);
        let symbols =
            self.symbols(&environment.request).map_err(|error| other(error.to_string()))?;
        let set = PolicySet::from_policies(policies.iter().cloned())
            .map_err(|error| other(error.to_string()))?;
        CompiledPolicySet::compile_with_custom_symenv(
            &set,
            &environment.request,
            &self.schema,
            symbols,
        )
        .map_err(|error| {
            if let err::Error::PolicyNotWellTyped { errs } = error {
                return NoForm::Type(errs);
            }
            other(error.to_string())
        })
    }

    fn symbols(&self, request: &RequestEnv) -> Result<SymEnv, Box<err::Error>> {
        self.compiled.sym_env(request).map_err(Box::new)
    }
}

impl NoForm {
    /// Why, in one line.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Type(errors) => errors
                .first()
                .map_or_else(|| "it is not well typed".to_owned(), ToString::to_string),
            Self::Other(why) => why.clone(),
        }
    }
}

/// A policy for the solver, or nothing when it can be left out.
enum Closest {
    /// It decides as the gateway does.
    Exact(Option<Policy>),
    /// It allows at least what the gateway allows.
    Looser(Option<Policy>),
}

/// The schema in `text`.
///
/// SECURITY: without requests in it everything could be proven. Test:
/// `setting::tests::a_schema_without_requests_is_none`.
fn schema(text: &str) -> Result<Schema, Error> {
    let read = Schema::from_cedarschema_str(text);
    let (schema, _) = read.map_err(|error| Error::Schema(error.to_string()))?;
    if schema.request_envs().any(|env| env.action().to_string() == LEARN) {
        return Ok(schema);
    }
    Err(Error::Schema("it lacks `learn`".to_owned()))
}

fn environments(
    schema: &Schema,
    groups: &BTreeMap<CedarUid, BTreeSet<CedarUid>>,
    policies: &Policies,
) -> Vec<Environment> {
    let none = BTreeSet::new();
    let mut all: Vec<Environment> = schema
        .request_envs()
        .filter_map(|request| {
            let groups = groups.get(request.action()).unwrap_or(&none);
            Environment::of(request, groups, schema, policies)
        })
        .collect();
    all.sort_by_cached_key(Environment::key);
    all.dedup_by_key(|environment| environment.key());
    all
}

fn tools(environments: &[Environment]) -> BTreeSet<(ServerName, String)> {
    let tool = |environment: &Environment| match &environment.asked {
        Asked::Tool { server, tool, .. } => Some((server.clone(), tool.clone())),
        Asked::AnyTool
        | Asked::Prompt
        | Asked::Read
        | Asked::Learn
        | Asked::Server { .. }
        | Asked::Object => None,
    };
    environments.iter().filter_map(tool).collect()
}

/// The entity of a tool.
pub(crate) fn tool_uid(server: &ServerName, tool: &str) -> EntityUid {
    EntityUid::new("Mcp::Tool", format!("{server}/{tool}"))
}

fn groups(schema: &Schema) -> Result<BTreeMap<CedarUid, BTreeSet<CedarUid>>, Error> {
    let entities = schema.action_entities().map_err(|error| Error::Schema(error.to_string()))?;
    let uids: Vec<CedarUid> = entities.iter().map(cedar_policy::Entity::uid).collect();
    let above = |uid: &CedarUid| {
        uids.iter().filter(|group| entities.is_ancestor_of(group, uid)).cloned().collect()
    };
    Ok(uids.iter().map(|uid| (uid.clone(), above(uid))).collect())
}

/// The type and the id of an entity in our own form.
pub(crate) fn uid(uid: &CedarUid) -> EntityUid {
    EntityUid::new(uid.type_name().to_string(), uid.id().unescaped())
}

const LEARN: &str = "Mcp::Action::\"learn\"";
const ALWAYS: &str = "allowed unless forbidden";
const MOST_PASSES: usize = 8;

#[cfg(test)]
mod tests;
