//! Answers that were given before, remembered as long as nothing that they rest on can differ.
//!
//! A key is only a guess: every entry carries what it was made from, and is used only where that
//! is the same. A collision of fingerprints costs time and changes no verdict.

use std::cell::OnceCell;
use std::sync::Arc;

use cedar_policy_core::ast::Entity as CedarEntity;
use kenward_model::{Caller, EntityUid, Fact, Revision, Timestamp};
use kenward_world::{Entity, Standing, World};
use moka::sync::Cache;

use crate::evaluate::Answer;

/// How many answers are remembered.
const MAX_ANSWERS: u64 = 100_000;
/// How many entities are remembered in Cedar's form.
const MAX_ENTITIES: u64 = 20_000;

/// What was answered and built before.
#[derive(Debug)]
pub(crate) struct Memo {
    answers: Cache<AnswerKey, Remembered<Arc<Answer>>>,
    listings: Cache<ListingKey, Remembered<bool>>,
    entities: Cache<EntityKey, Built>,
}

/// Which question of which caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct AnswerKey {
    /// The number of the environment: the principal's type, the action, the resource's type.
    pub(crate) environment: u32,
    pub(crate) fingerprint: u64,
    pub(crate) revision: Revision,
    pub(crate) resource: EntityUid,
    /// The fact, when the question is about one.
    pub(crate) fact: Option<FactKey>,
}

/// What is asked about a fact, its subject aside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FactKey {
    attribute: Arc<str>,
    family: Arc<str>,
    precision: u8,
    via: EntityUid,
    inferred: bool,
}

impl FactKey {
    pub(crate) fn new(fact: &Fact, via: &EntityUid, inferred: bool) -> Self {
        Self {
            attribute: Arc::clone(&fact.attribute),
            family: Arc::clone(&fact.family),
            precision: fact.precision.0,
            via: via.clone(),
            inferred,
        }
    }
}

/// Which target is to be listed for which caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ListingKey {
    pub(crate) fingerprint: u64,
    pub(crate) revision: Revision,
    pub(crate) target: EntityUid,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct EntityKey {
    uid: EntityUid,
    revision: Revision,
    /// Users differ by the groups that their tokens state.
    groups: Vec<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Remembered<T> {
    witness: Arc<Witness>,
    resource: Option<Arc<Entity>>,
    value: T,
}

impl<T> Remembered<T> {
    fn agrees(&self, asking: &Asking<'_>, resource: &EntityUid) -> bool {
        self.witness.agrees(asking.caller, asking.world)
            && same(self.resource.as_ref(), asking.world.entity(resource))
    }
}

/// Who asks, on what; the witness of it is made once and shared.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    caller: &'a Caller,
    world: &'a World,
    witness: OnceCell<Arc<Witness>>,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(caller: &'a Caller, world: &'a World) -> Self {
        Self { caller, world, witness: OnceCell::new() }
    }

    fn remember<T>(&self, resource: &EntityUid, value: T) -> Remembered<T> {
        let witness = self.witness.get_or_init(|| Arc::new(Witness::of(self.caller, self.world)));
        let resource = self.world.entity(resource).cloned();
        Remembered { witness: Arc::clone(witness), resource, value }
    }
}

#[derive(Debug, Clone)]
struct Built {
    known: Option<Arc<Entity>>,
    entity: Arc<CedarEntity>,
}

/// What an answer was made from, as far as a constant policy could have read it.
#[derive(Debug)]
struct Witness {
    user: EntityUid,
    agent: EntityUid,
    groups: Vec<Arc<str>>,
    scopes: Vec<Arc<str>>,
    acr: Option<Arc<str>>,
    amr: Vec<Arc<str>>,
    auth_time: Option<Timestamp>,
    standing: Standing,
    known_user: Option<Arc<Entity>>,
    known_agent: Option<Arc<Entity>>,
}

impl Memo {
    pub(crate) fn new() -> Self {
        Self {
            answers: Cache::new(MAX_ANSWERS),
            listings: Cache::new(MAX_ANSWERS),
            entities: Cache::new(MAX_ENTITIES),
        }
    }

    /// The answer to a question of which every part is constant.
    pub(crate) fn answer(
        &self,
        key: AnswerKey,
        asking: &Asking<'_>,
        find: impl FnOnce() -> Answer,
    ) -> Arc<Answer> {
        let known = self.answers.get(&key);
        if let Some(known) = known.filter(|known| known.agrees(asking, &key.resource)) {
            return known.value;
        }
        let value = Arc::new(find());
        let remembered = asking.remember(&key.resource, Arc::clone(&value));
        self.answers.insert(key, remembered);
        value
    }

    /// Whether a target is listed, where that is constant.
    pub(crate) fn listing(
        &self,
        key: ListingKey,
        asking: &Asking<'_>,
        find: impl FnOnce() -> bool,
    ) -> bool {
        let known = self.listings.get(&key);
        if let Some(known) = known.filter(|known| known.agrees(asking, &key.target)) {
            return known.value;
        }
        let value = find();
        let remembered = asking.remember(&key.target, value);
        self.listings.insert(key, remembered);
        value
    }

    /// An entity in Cedar's form.
    pub(crate) fn entity(
        &self,
        uid: &EntityUid,
        groups: &[Arc<str>],
        world: &World,
        build: impl FnOnce() -> Option<CedarEntity>,
    ) -> Option<Arc<CedarEntity>> {
        let key =
            EntityKey { uid: uid.clone(), revision: world.revision(), groups: groups.to_vec() };
        let current = world.entity(uid);
        let known = self.entities.get(&key);
        if let Some(known) = known.filter(|built| same(built.known.as_ref(), current)) {
            return Some(known.entity);
        }
        let entity = Arc::new(build()?);
        let built = Built { known: current.cloned(), entity: Arc::clone(&entity) };
        self.entities.insert(key, built);
        Some(entity)
    }
}

impl Witness {
    fn of(caller: &Caller, world: &World) -> Self {
        Self {
            user: caller.user.clone(),
            agent: caller.agent.clone(),
            groups: caller.groups.clone(),
            scopes: caller.scopes.clone(),
            acr: caller.acr.clone(),
            amr: caller.amr.clone(),
            auth_time: caller.auth_time,
            standing: world.standing(&caller.user),
            known_user: world.entity(&caller.user).cloned(),
            known_agent: world.entity(&caller.agent).cloned(),
        }
    }

    fn agrees(&self, caller: &Caller, world: &World) -> bool {
        self.user == caller.user
            && self.agent == caller.agent
            && self.groups == caller.groups
            && self.scopes == caller.scopes
            && self.acr == caller.acr
            && self.amr == caller.amr
            && self.auth_time == caller.auth_time
            && self.standing == world.standing(&caller.user)
            && same(self.known_user.as_ref(), world.entity(&caller.user))
            && same(self.known_agent.as_ref(), world.entity(&caller.agent))
    }
}

/// Whether both are the very same entity of the very same snapshot, or both none.
fn same(one: Option<&Arc<Entity>>, other: Option<&Arc<Entity>>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests;
