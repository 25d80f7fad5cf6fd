//! Compares what two deployments allow, kind of request by kind of request.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Effect, Policy};

use crate::environment::{Asked, Environment};
use crate::example::Example;
use crate::setting::{Deployment, Setting};
use crate::solver::{Found, Session};
use crate::{Error, Solver};

/// What became of all kinds of requests.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Every kind of request, in the order of actions and resources.
    pub differences: Vec<Difference>,
    /// How often the solver was asked.
    pub questions: usize,
}

/// What became of one kind of request.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The action.
    pub action: String,
    /// The type of the resource.
    pub resource: String,
    /// The type of the principal.
    pub principal: String,
    /// The kind of request in words.
    pub words: String,
    /// How it changed.
    pub change: Change,
    /// A request that is allowed now and was not.
    pub gained: Option<Example>,
    /// A request that was allowed and is not now.
    pub lost: Option<Example>,
}

/// How what is allowed has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The same requests are allowed.
    Unchanged,
    /// Fewer are.
    Narrower,
    /// More are.
    Wider,
    /// Some are that were not, and some are not that were.
    Both,
    /// It is not known, for this reason.
    Unknown(String),
}

impl Compared {
    /// Whether something is allowed that was not, or may be.
    pub fn widened(&self) -> bool {
        self.differences.iter().any(|one| match one.change {
            Change::Wider | Change::Both | Change::Unknown(_) => true,
            Change::Unchanged | Change::Narrower => false,
        })
    }
}

/// Compares `new` with `old`. `progress` is told what is looked at next.
///
/// # Errors
/// A schema or policies have no form for a proof, or the solver cannot be waited for. A solver is
/// only needed where what is written differs.
pub fn compare(
    old: Deployment<'_>,
    new: Deployment<'_>,
    solver: &Result<Solver, Error>,
    progress: &mut dyn FnMut(&str),
) -> Result<Compared, Error> {
    let (mut old, mut new) = (Setting::new(old)?, Setting::new(new)?);
    let all: BTreeSet<_> = old.named.union(&new.named).cloned().collect();
    old.named.clone_from(&all);
    new.named = all;
    let (before, after) = (by_key(&old), by_key(&new));
    let mut comparing = Comparing { old: &old, new: &new, solver, session: None };
    let mut differences = Vec::new();
    for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (was, is) = (before.get(key).copied(), after.get(key).copied());
        let Some(any) = is.or(was) else { continue };
        progress(&any.words());
        differences.push(comparing.one(any, was, is)?);
    }
    let questions = comparing.session.as_ref().map_or(0, Session::asked);
    Ok(Compared { differences, questions })
}

fn by_key<'s>(setting: &'s Setting<'_>) -> BTreeMap<String, &'s Environment> {
    setting.environments().iter().map(|one| (one.key(), one)).collect()
}

struct Comparing<'c> {
    old: &'c Setting<'c>,
    new: &'c Setting<'c>,
    solver: &'c Result<Solver, Error>,
    session: Option<Session>,
}

/// What decides in one environment of one deployment.
struct Side {
    policies: Vec<Policy>,
    loosened: Vec<String>,
}

impl Comparing<'_> {
    fn one(
        &mut self,
        any: &Environment,
        was: Option<&Environment>,
        is: Option<&Environment>,
    ) -> Result<Difference, Error> {
        let mut difference = Difference {
            action: any.request.action().to_string(),
            resource: any.request.resource().to_string(),
            principal: any.request.principal().to_string(),
            words: any.words(),
            change: Change::Unchanged,
            gained: None,
            lost: None,
        };
        // No call of an unknown tool is decided, so that nothing is gained or lost there.
        if any.asked == Asked::AnyTool || self.is_written_the_same(was, is)? {
            return Ok(difference);
        }
        let (old, new) = (side(self.old, was)?, side(self.new, is)?);
        let permits = |side: &Side| side.policies.iter().any(|one| one.effect() == Effect::Permit);
        if !permits(&old) && !permits(&new) {
            return Ok(difference);
        }
        // The schema of the environment that is there; the new one where both are.
        let setting = if is.is_some() { self.new } else { self.old };
        let gained = self.only(setting, any, &new, &old)?;
        let lost = self.only(setting, any, &old, &new)?;
        let loosened: Vec<String> = old.loosened.into_iter().chain(new.loosened).collect();
        let example = |found: &Found| match found {
            Found::Request(found) => Example::of(found, setting, &BTreeSet::new()),
            Found::Nothing | Found::Unknown(_) => None,
        };
        (difference.gained, difference.lost) = (example(&gained), example(&lost));
        difference.change = change(&gained, &lost, &loosened);
        Ok(difference)
    }

    fn is_written_the_same(
        &self,
        was: Option<&Environment>,
        is: Option<&Environment>,
    ) -> Result<bool, Error> {
        let Some((was, is)) = was.zip(is) else { return Ok(false) };
        Ok(self.old.says(was)? == self.new.says(is)?)
    }

    /// A request that `one` allows and `other` does not.
    fn only(
        &mut self,
        setting: &Setting<'_>,
        environment: &Environment,
        one: &Side,
        other: &Side,
    ) -> Result<Found, Error> {
        let compiled = setting
            .compile(&one.policies, environment)
            .and_then(|one| Ok((one, setting.compile(&other.policies, environment)?)));
        let (one, other) = match compiled {
            Ok(compiled) => compiled,
            Err(why) => {
                let why = why.words();
                return Ok(Found::Unknown(format!("the schemas are too different: {why}")));
            }
        };
        let session = match &mut self.session {
            Some(session) => session,
            None => self.session.insert(self.solver.clone()?.session()?),
        };
        Ok(session.only(&one, &other))
    }
}

fn side(setting: &Setting<'_>, environment: Option<&Environment>) -> Result<Side, Error> {
    let Some(environment) = environment else {
        return Ok(Side { policies: Vec::new(), loosened: Vec::new() });
    };
    let effective = setting.effective(environment)?;
    Ok(Side { policies: effective.policies, loosened: effective.loosened })
}

fn change(gained: &Found, lost: &Found, loosened: &[String]) -> Change {
    let unknown = |why: &String| Change::Unknown(why.clone());
    let change = match (gained, lost) {
        (Found::Unknown(why), _) | (_, Found::Unknown(why)) => unknown(why),
        (Found::Nothing, Found::Nothing) => Change::Unchanged,
        (Found::Request(_), Found::Nothing) => Change::Wider,
        (Found::Nothing, Found::Request(_)) => Change::Narrower,
        (Found::Request(_), Found::Request(_)) => Change::Both,
    };
    if loosened.is_empty() {
        return change;
    }
    // Taken for more permissive on one side, a policy can hide a difference.
    Change::Unknown(format!("these have no exact form for the solver: {}", loosened.join(", ")))
}

#[cfg(test)]
mod tests;
