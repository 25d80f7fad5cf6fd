//! Looks for a counterexample that can be played, and plays it.

use std::collections::BTreeSet;
use std::sync::Arc;

use kenward_model::EntityUid;

use super::coverage::is_about;
use super::{Counterexample, Coverage, Prover, Stand};
use crate::domain::{self, Condition};
use crate::environment::{Asked, Environment};
use crate::example::Example;
use crate::replay::{Replayed, Scene};
use crate::solver::Found;
use crate::{Error, story};

impl Prover<'_> {
    /// A counterexample that was played on the compiled policies, or why there is none.
    pub(super) fn search(
        &mut self,
        name: &Arc<str>,
        stand: &Stand<'_>,
        coverage: &[Coverage],
    ) -> Result<Result<Counterexample, String>, Error> {
        let mut last = "no request was found again".to_owned();
        for conditions in self.attempts(stand.environment, coverage) {
            let found = match self.both(stand, conditions, None)? {
                Found::Request(found) => found,
                Found::Nothing => continue,
                Found::Unknown(why) => {
                    last = why;
                    continue;
                }
            };
            let Some(example) = Example::of(&found, self.setting, &BTreeSet::new()) else {
                "a request was found that cannot be read".clone_into(&mut last);
                continue;
            };
            match self.play(name, stand.environment, example)? {
                Ok(counterexample) => return Ok(Ok(counterexample)),
                Err(why) => last = why,
            }
        }
        if !stand.effective.loosened.is_empty() {
            let names = stand.effective.loosened.join(", ");
            last = format!("{last} (taken for more permissive than they are: {names})");
        }
        Ok(Err(last))
    }

    /// What is looked for, the easiest to try first.
    fn attempts(&self, environment: &Environment, coverage: &[Coverage]) -> Vec<Vec<Condition>> {
        let playable = domain::playable(self.setting, environment);
        let tidy = [playable.clone(), domain::tidy(self.setting, environment)].concat();
        let told = coverage.iter().flat_map(|one| one.facts.iter().map(move |told| (one, told)));
        let violated = told.filter(|(one, told)| {
            told.violated && one.tool.is_some() && is_about(environment, &told.fact)
        });
        let mut first: Vec<Vec<Condition>> = violated
            .take(MOST_FACTS)
            .map(|(one, told)| domain::pinned(&told.fact, one.tool.as_ref()))
            .collect();
        if environment.asked == Asked::Learn {
            let known = domain::via_known(self.setting);
            let named = || "context.attribute != \"\"".to_owned();
            first.extend(known.map(|via| vec![via, named()]));
        }
        first.push(Vec::new());
        let mut attempts: Vec<Vec<Condition>> = Vec::new();
        for rest in [tidy, playable] {
            attempts.extend(first.iter().map(|first| [first.clone(), rest.clone()].concat()));
        }
        attempts.push(Vec::new());
        attempts
    }

    fn play(
        &mut self,
        name: &Arc<str>,
        environment: &Environment,
        example: Example,
    ) -> Result<Result<Counterexample, String>, Error> {
        let (example, user) = if environment.is_agents() {
            let Some(user) = self.companion(environment, &example)? else {
                return Ok(Err(NO_COMPANION.to_owned()));
            };
            (example.with_entities_of(&user), user.principal)
        } else {
            let user = example.principal.clone();
            (example, user)
        };
        let policies = self.setting.deployment.policies;
        let played = Scene::of(&example, &user)
            .and_then(|scene| Ok((scene.replay(&example, environment, policies)?, scene)));
        let (replayed, scene) = match played {
            Ok(played) => played,
            Err(why) => {
                return Ok(Err(format!("a request was found that cannot be played: {why}")));
            }
        };
        let note = match replayed {
            Replayed::Allowed => None,
            Replayed::AllowedThere(1) => Some("the call lacks a scope besides".to_owned()),
            Replayed::AllowedThere(question) => Some(format!(
                "question 1 is answered yes; this call is refused all the same, at question {question}"
            )),
            Replayed::Refused => {
                let why = "a request was found that the solver takes for allowed, and the compiled \
                           policies refuse it";
                return Ok(Err(why.to_owned()));
            }
        };
        let title = format!("{name} is violated");
        let story = story::told(&title, &example, environment, &scene, policies.families());
        let environment = environment.words();
        Ok(Ok(Counterexample { environment, example, story, note }))
    }

    /// The request of a user who may do the same on the same object in the same circumstances.
    fn companion(
        &mut self,
        environment: &Environment,
        example: &Example,
    ) -> Result<Option<Example>, Error> {
        let same = |one: &&Environment| {
            !one.is_agents()
                && one.request.action() == environment.request.action()
                && one.request.resource() == environment.request.resource()
        };
        let Some(users) = self.setting.environments().iter().find(same) else { return Ok(None) };
        let mut policies = self.setting.effective(users)?.policies;
        policies.extend(domain::only(example.fixed(self.setting, users))?);
        let Ok(allowed) = self.setting.compile(&policies, users) else { return Ok(None) };
        let kept: BTreeSet<EntityUid> = example.entities.keys().cloned().collect();
        Ok(match self.session.both(&allowed, &allowed) {
            Found::Request(found) => Example::of(&found, self.setting, &kept),
            Found::Nothing | Found::Unknown(_) => None,
        })
    }
}

/// How many facts are tried.
const MOST_FACTS: usize = 6;

const NO_COMPANION: &str = "the policies allow it to an agent of its own rights, and no user was \
                            found who may do it through that agent";
