//! The compiled policies: immutable, shared, and asked for every decision.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cedar_policy_core::ast::Entity;
use kenward_disclosure::{Bindings, CompiledBinding, Families, Guess, Inferences, Vocabulary};
use kenward_model::{EntityUid, Fact, Finding, ServerName};

use crate::case::{Asker, Case, Memory};
use crate::compile;
use crate::decide::hearing::Hearing;
use crate::index::Pair;
use crate::listing;
use crate::mapping::Mapping;
use crate::memo::Memo;
use crate::schema::kinds::Kinds;
use crate::shape::Shape;
use crate::source::Sources;
use crate::surface::{ScopeRule, Surface};
use crate::verdict::{Reason, Verdict};

/// A deployment's policies, compiled against its schema and the tools of its servers.
pub struct Policies {
    pub(crate) epoch: Arc<str>,
    pub(crate) schema_text: String,
    pub(crate) kinds: Kinds,
    pub(crate) servers: HashMap<ServerName, Server>,
    /// The actions on a server as a whole, by method.
    pub(crate) methods: HashMap<&'static str, Pair>,
    /// Calling a tool whose name is not known here.
    pub(crate) unseen_tools: Pair,
    pub(crate) prompts: Pair,
    pub(crate) resources: Pair,
    pub(crate) templates: Pair,
    /// `learn`, by the type of whom or what a fact is about.
    pub(crate) learn: HashMap<Arc<str>, Pair>,
    /// The deployment's own actions, by name.
    pub(crate) object_actions: HashMap<Arc<str>, ObjectAction>,
    pub(crate) bindings: Arc<Bindings>,
    pub(crate) inferences: Arc<Inferences>,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) memo: Memo,
}

/// A server that the deployment knows.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) tools: HashMap<Arc<str>, Tool>,
    pub(crate) scopes: Vec<ScopeRule>,
}

/// A tool that can be decided on.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) uid: EntityUid,
    /// The tool in Cedar's form, in its server.
    pub(crate) entity: Arc<Entity>,
    pub(crate) pair: Pair,
    pub(crate) mapping: ToolMapping,
    pub(crate) binding: Option<Arc<CompiledBinding>>,
    /// What it probably reveals, by the words of its names.
    pub(crate) guess: Guess,
    /// The scopes that it needs, all of them.
    pub(crate) scopes: Vec<ScopeRule>,
}

/// How a call of a tool becomes actions on objects.
#[derive(Debug)]
pub(crate) enum ToolMapping {
    /// It does not.
    None,
    /// By this mapping, beside question 1.
    Beside(Mapping),
    /// By this mapping, in the place of question 1.
    Instead(Mapping),
    /// By one that cannot be used; every call is refused.
    Broken(String),
}

impl ToolMapping {
    pub(crate) fn mapping(&self) -> Option<&Mapping> {
        match self {
            Self::Beside(mapping) | Self::Instead(mapping) => Some(mapping),
            Self::None | Self::Broken(_) => None,
        }
    }

    /// Whether question 1 is asked as usual.
    pub(crate) fn leaves_question_one(&self) -> bool {
        match self {
            Self::None | Self::Beside(_) | Self::Broken(_) => true,
            Self::Instead(_) => false,
        }
    }
}

/// An action of the deployment's own, which mappings name.
#[derive(Debug)]
pub(crate) struct ObjectAction {
    /// By the type of the object.
    pub(crate) kinds: HashMap<Arc<str>, Pair>,
    /// The type of `context.mapping`, where the schema declares one.
    pub(crate) mapping: Option<Shape>,
    /// The type of `context.claimed`, where the schema declares one.
    pub(crate) claimed: Option<Shape>,
}

/// Policies that can be used, and what is doubtful about them.
#[derive(Debug)]
pub struct Compiled {
    /// The policies.
    pub policies: Policies,
    /// Warnings and notes.
    pub findings: Vec<Finding>,
}

impl Policies {
    /// Compiles and checks everything.
    ///
    /// # Errors
    /// All findings, when at least one of them is an error: syntax, names and types that the
    /// schema does not have, reaches beyond a request's own entities (Cedar RFC 76), duplicate
    /// ids, mappings and bindings of unknown actions and types.
    pub fn compile(
        sources: &Sources,
        surface: &Surface,
        bindings: Arc<Bindings>,
        inferences: Arc<Inferences>,
    ) -> Result<Compiled, Vec<Finding>> {
        compile::compile(sources, surface, bindings, inferences)
    }

    /// A digest of everything that was compiled: SHA-256, in hexadecimal.
    pub fn epoch(&self) -> &Arc<str> {
        &self.epoch
    }

    /// Questions 1 to 4, with what is remembered of the person who asks.
    pub fn decide(&self, case: &Case<'_>) -> Verdict {
        Hearing::new(self, case.asker, case.memory).decide(case.operation)
    }

    /// Whether some call could be allowed; the operation's parameters are not looked at.
    pub fn may_list(&self, case: &Case<'_>) -> bool {
        listing::may_list(&Hearing::new(self, case.asker, case.memory), case.operation)
    }

    /// Question 5, and whatever else asks about one fact: may it be learnt through `via`?
    ///
    /// # Errors
    /// The policies that forbid it; none when merely nothing permits it.
    pub fn may_learn(
        &self,
        asker: &Asker<'_>,
        fact: &Fact,
        via: &EntityUid,
        inferred: bool,
    ) -> Result<(), Vec<Reason>> {
        Hearing::new(self, *asker, Memory::blank()).may_learn(fact, via, inferred)
    }

    /// The whole schema in Cedar's human syntax.
    pub fn schema_text(&self) -> String {
        self.schema_text.clone()
    }

    /// The families of attributes.
    pub fn families(&self) -> &Families {
        &self.inferences.families
    }

    /// What the tools disclose.
    pub fn bindings(&self) -> &Arc<Bindings> {
        &self.bindings
    }

    /// The rules that name a tool; a call needs the scopes of all of them.
    pub fn needs_scope(&self, server: &ServerName, tool: &str) -> Vec<ScopeRule> {
        let rules = self.scopes(server).iter();
        rules.filter(|rule| rule.covers(tool)).cloned().collect()
    }

    /// All scopes of a server.
    pub fn scopes(&self, server: &ServerName) -> &[ScopeRule] {
        self.servers.get(server).map_or(&[], |server| &server.scopes)
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}
