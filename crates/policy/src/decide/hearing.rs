//! One asker before the policies: questions put to the user's rights and to the agent's.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use cedar_policy_core::ast::{Entity, EntityUID, Value as CedarValue};
use kenward_model::{EntityUid, Fact, Operation, Question};
use kenward_world::Standing;

use crate::case::{Asker, Memory};
use crate::context::{ContextBuilder, Detail};
use crate::evaluate::{self, Admitting, Answer, Parties};
use crate::extension;
use crate::index::{Environment, Pair};
use crate::memo::{AnswerKey, Asking, FactKey};
use crate::policies::Policies;
use crate::reads::Reads;
use crate::slice;
use crate::verdict::{Ask, Basis, Cause, Reason};

/// One asker before the policies, with what is built once for all their questions.
pub(crate) struct Hearing<'a> {
    pub(crate) policies: &'a Policies,
    pub(crate) asker: Asker<'a>,
    pub(crate) memory: Memory<'a>,
    pub(crate) asking: Asking<'a>,
    now: OnceCell<Option<CedarValue>>,
    standing: OnceCell<Standing>,
    user: OnceCell<Option<Arc<Entity>>>,
    agent: OnceCell<Option<Arc<Entity>>>,
    /// The environments that were asked.
    asked: RefCell<Vec<Asked>>,
    /// The object that was asked about last: most are asked about several times in a row.
    object: RefCell<Option<(EntityUid, Arc<Entity>)>>,
}

/// An environment that was asked about a principal.
struct Asked {
    /// Its number.
    environment: u32,
    principal: Arc<Entity>,
    /// Its policies that admit the principal.
    admitting: Rc<Admitting>,
}

/// The user's answer and, where the directory knows the agent, the agent's. Both must be yes.
pub(crate) struct Answers {
    user: Arc<Answer>,
    agent: Option<Arc<Answer>>,
}

/// The first question that was not answered yes.
pub(crate) struct No {
    pub(crate) question: Question,
    pub(crate) cause: Cause,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) missing_scopes: Vec<Arc<str>>,
    /// To what somebody would have to agree.
    pub(crate) ask: Option<Box<Ask>>,
    /// There is no such thing.
    pub(crate) unknown: bool,
}

impl No {
    pub(crate) fn new(question: Question, cause: Cause) -> Self {
        Self {
            question,
            cause,
            reasons: Vec::new(),
            missing_scopes: Vec::new(),
            ask: None,
            unknown: false,
        }
    }

    pub(crate) fn scopes(missing_scopes: Vec<Arc<str>>) -> Self {
        Self { missing_scopes, ..Self::new(Question::Operation, Cause::Scope) }
    }

    /// A server, tool or method that is not known. A method of a known server is no secret.
    pub(crate) fn unknown(server: bool) -> Self {
        Self { unknown: !server, ..Self::new(Question::Operation, Cause::Policy) }
    }
}

impl Answers {
    fn each(&self) -> impl Iterator<Item = &Answer> {
        std::iter::once(&*self.user).chain(self.agent.as_deref())
    }

    pub(crate) fn is_yes(&self) -> bool {
        self.each().all(Answer::is_yes)
    }

    /// Whether the user lacks a permit and nothing stands against them.
    pub(crate) fn merely_unpermitted(&self) -> bool {
        let unpermitted = |answer: &Answer| match &answer.no {
            None => true,
            Some(Cause::Policy) => answer.rules.is_empty(),
            Some(
                Cause::Scope
                | Cause::Unresolved(_)
                | Cause::Mapping(_)
                | Cause::Arguments(_)
                | Cause::PolicyError(_)
                | Cause::Standing
                | Cause::History(_)
                | Cause::Definition(_),
            ) => false,
        };
        self.each().all(unpermitted)
    }

    /// Takes note of the answers; an error when one of them is no.
    pub(crate) fn settle(&self, question: Question, basis: &mut Basis) -> Result<(), No> {
        for answer in self.each() {
            note(&mut basis.policies, answer.rules.iter().map(|rule| &rule.name));
            note(&mut basis.shadows, answer.shadows.iter().map(|rule| &rule.name));
        }
        match self.each().find_map(|answer| answer.no.clone()) {
            None => Ok(()),
            Some(cause) => Err(No { reasons: self.reasons(), ..No::new(question, cause) }),
        }
    }

    fn reasons(&self) -> Vec<Reason> {
        let refusing = self.each().filter(|answer| !answer.is_yes());
        let mut reasons: Vec<Reason> = Vec::new();
        for rule in refusing.flat_map(|answer| &answer.rules) {
            let reason = rule.reason();
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons
    }
}

impl<'a> Hearing<'a> {
    pub(crate) fn new(policies: &'a Policies, asker: Asker<'a>, memory: Memory<'a>) -> Self {
        Self {
            policies,
            asker,
            memory,
            asking: Asking::new(asker.caller, asker.world),
            now: OnceCell::new(),
            standing: OnceCell::new(),
            user: OnceCell::new(),
            agent: OnceCell::new(),
            asked: RefCell::default(),
            object: RefCell::default(),
        }
    }

    pub(crate) fn good_standing(&self) -> Result<(), No> {
        let standing = self.standing();
        if standing.active && !standing.session_revoked {
            return Ok(());
        }
        Err(No::new(Question::Operation, Cause::Standing))
    }

    /// Question 5 and its like.
    pub(crate) fn may_learn(
        &self,
        fact: &Fact,
        via: &EntityUid,
        inferred: bool,
    ) -> Result<(), Vec<Reason>> {
        self.good_standing().map_err(|no| no.reasons)?;
        let answers = self.ask_fact(fact, via, inferred);
        if answers.is_yes() { Ok(()) } else { Err(answers.reasons()) }
    }

    /// `learn` for one fact.
    pub(crate) fn ask_fact(&self, fact: &Fact, via: &EntityUid, inferred: bool) -> Answers {
        let Some(pair) = self.policies.learn.get(&fact.subject.kind) else {
            let problem = format!("the schema has no entity type `{}`", fact.subject.kind);
            return Answers::refused(Cause::PolicyError(problem));
        };
        let tool = self.via(via);
        let detail = Detail::Fact { fact, via: tool.as_ref(), inferred };
        let key = FactKey::new(fact, via, inferred);
        self.ask_keyed(pair, &fact.subject, &|| self.object(&fact.subject), detail, Some(&key))
    }

    /// One question, to the user's rights and the agent's.
    pub(crate) fn ask(
        &self,
        pair: &Pair,
        uid: &EntityUid,
        resource: &dyn Fn() -> Option<Arc<Entity>>,
        detail: Detail<'_>,
    ) -> Answers {
        self.ask_keyed(pair, uid, resource, detail, None)
    }

    fn ask_keyed(
        &self,
        pair: &Pair,
        uid: &EntityUid,
        resource: &dyn Fn() -> Option<Arc<Entity>>,
        detail: Detail<'_>,
        fact: Option<&FactKey>,
    ) -> Answers {
        let one = |environment: &Environment, principal: &dyn Fn() -> Option<Arc<Entity>>| {
            let find = || self.evaluate(environment, pair, principal(), resource(), detail);
            if !environment.reads.is_constant() {
                return Arc::new(find());
            }
            let key = AnswerKey {
                environment: environment.number,
                fingerprint: self.asker.caller.fingerprint,
                revision: self.asker.world.revision(),
                resource: uid.clone(),
                fact: fact.cloned(),
            };
            self.policies.memo.answer(key, &self.asking, find)
        };
        let user = one(&pair.user, &|| self.user());
        let agent = self.agent_is_known().then(|| one(&pair.agent, &|| self.agent()));
        Answers { user, agent }
    }

    fn evaluate(
        &self,
        environment: &Environment,
        pair: &Pair,
        principal: Option<Arc<Entity>>,
        resource: Option<Arc<Entity>>,
        detail: Detail<'_>,
    ) -> Answer {
        let Some((principal, resource)) = principal.zip(resource) else {
            let problem = "an entity is of a type that the schema does not have".to_owned();
            return Answer::refused(Cause::PolicyError(problem));
        };
        let parties = Parties {
            principal,
            action: Arc::clone(&pair.action),
            resource,
            others: self.others(environment.reads, detail),
        };
        let admitting = self.admitting(environment, &parties.principal);
        evaluate::ask(&admitting, &parties, &mut |reads| self.context(reads, detail))
    }

    /// The policies of `environment` that admit `principal`.
    fn admitting(&self, environment: &Environment, principal: &Arc<Entity>) -> Rc<Admitting> {
        let mut asked = self.asked.borrow_mut();
        let is_it = |asked: &&Asked| {
            asked.environment == environment.number && Arc::ptr_eq(&asked.principal, principal)
        };
        if let Some(known) = asked.iter().find(is_it) {
            return Rc::clone(&known.admitting);
        }
        let admitting = Rc::new(Admitting::of(environment, principal));
        asked.push(Asked {
            environment: environment.number,
            principal: Arc::clone(principal),
            admitting: Rc::clone(&admitting),
        });
        admitting
    }

    /// The context of this asker with `detail`.
    pub(crate) fn context(
        &self,
        reads: Reads,
        detail: Detail<'_>,
    ) -> Result<cedar_policy_core::ast::Context, Cause> {
        if reads == Reads::NOTHING {
            return Ok(cedar_policy_core::ast::Context::empty());
        }
        let agent = self.policies.kinds.uid(&self.asker.caller.agent);
        let agent =
            agent.ok_or_else(|| Cause::PolicyError("the agent is no `Mcp::Agent`".to_owned()))?;
        let now = || self.now.get_or_init(|| extension::time(self.asker.environment.now)).clone();
        let builder = ContextBuilder {
            asker: self.asker,
            agent: &agent,
            standing: self.standing(),
            now: &now,
        };
        builder.build(reads, detail)
    }

    fn standing(&self) -> &Standing {
        self.standing.get_or_init(|| self.asker.world.standing(&self.asker.caller.user))
    }

    /// The user in Cedar's form.
    pub(crate) fn user(&self) -> Option<Arc<Entity>> {
        let build = || self.entity(&self.asker.caller.user, &self.asker.caller.groups);
        self.user.get_or_init(build).clone()
    }

    /// The agent in Cedar's form.
    pub(crate) fn agent(&self) -> Option<Arc<Entity>> {
        self.agent.get_or_init(|| self.entity(&self.asker.caller.agent, &[])).clone()
    }

    /// Whether the agent has rights of its own, which then have to suffice as well.
    pub(crate) fn agent_is_known(&self) -> bool {
        self.asker.world.entity(&self.asker.caller.agent).is_some()
    }

    /// An object in Cedar's form.
    pub(crate) fn object(&self, uid: &EntityUid) -> Option<Arc<Entity>> {
        let last = self
            .object
            .borrow()
            .as_ref()
            .and_then(|(known, entity)| (known == uid).then(|| Arc::clone(entity)));
        if last.is_some() {
            return last;
        }
        let entity = self.entity(uid, &[])?;
        *self.object.borrow_mut() = Some((uid.clone(), Arc::clone(&entity)));
        Some(entity)
    }

    /// The target of an operation in Cedar's form.
    pub(crate) fn target(&self, operation: &Operation<'_>) -> Option<Arc<Entity>> {
        slice::target(&self.policies.kinds, operation.server, &operation.target).map(Arc::new)
    }

    fn entity(&self, uid: &EntityUid, groups: &[Arc<str>]) -> Option<Arc<Entity>> {
        let (kinds, world) = (&self.policies.kinds, self.asker.world);
        let build = || slice::entity(kinds, world, uid, groups);
        self.policies.memo.entity(uid, groups, world, build)
    }

    /// The tool that a fact is learnt through; what is no tool stays unknown to policies.
    fn via(&self, via: &EntityUid) -> Option<EntityUID> {
        let is_tool = &*via.kind == crate::schema::vocabulary::TOOL;
        is_tool.then(|| self.policies.kinds.uid(via)).flatten()
    }
}

impl Answers {
    fn refused(cause: Cause) -> Self {
        Self { user: Arc::new(Answer::refused(cause)), agent: None }
    }
}

fn note<'r>(names: &mut Vec<Arc<str>>, new: impl Iterator<Item = &'r Arc<str>>) {
    for name in new {
        if !names.contains(name) {
            names.push(Arc::clone(name));
        }
    }
}
