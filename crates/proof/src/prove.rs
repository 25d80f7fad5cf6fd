//! Holds policies against invariants, for every request there could be.

mod coverage;
mod search;

use std::sync::Arc;

use cedar_policy::{Effect, Policy};
use cedar_policy_symcc::CompiledPolicySet;
use kenward_model::Place;

use crate::environment::{Asked, Environment};
use crate::setting::{Deployment, Effective, NoForm, Setting};
use crate::solver::{Found, Session};
use crate::{Error, Example, Invariant, Solver, domain, written};

pub use coverage::{Coverage, Told};

/// What became of all invariants.
#[derive(Debug, Clone)]
pub struct Proven {
    /// Of each invariant, in their order.
    pub proofs: Vec<Proof>,
    /// The tools of which nobody said what they tell: no invariant on facts speaks of them.
    pub unbound: Vec<String>,
    /// What has a binding that is only noted on paper, so that it refuses nothing.
    pub on_paper: Vec<String>,
    /// How often the solver was asked.
    pub questions: usize,
}

/// What became of one invariant.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Its name.
    pub name: Arc<str>,
    /// Where it stands.
    pub place: Place,
    /// Whether it holds.
    pub outcome: Outcome,
    /// The kinds of requests that it was held against, in words.
    pub environments: Vec<String>,
    /// Of each tool that is bound, the facts that the invariant speaks about.
    pub coverage: Vec<Coverage>,
    /// Whether it holds also for tools that servers show later; nothing when it is not about calls.
    pub later_tools: Option<bool>,
}

/// Whether an invariant holds.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// No request exists that the policies allow and the invariant forbids.
    Proven,
    /// There are such requests; each of these was played on the compiled policies.
    Violated {
        /// The first of them.
        examples: Vec<Counterexample>,
        /// What else is violated or could not be shown, in words.
        besides: Vec<String>,
    },
    /// It is not known, for these reasons.
    NotProven(Vec<String>),
}

/// A request that the policies allow and the invariant forbids.
#[derive(Debug, Clone)]
pub struct Counterexample {
    /// Of which kind it is, in words.
    pub environment: String,
    /// The request.
    pub example: Example,
    /// The request as a policy story, in YAML.
    pub story: String,
    /// What else is to be said of it.
    pub note: Option<String>,
}

/// Holds `deployment` against `invariants`. `progress` is told what is looked at next.
///
/// # Errors
/// The schema or the policies have no form for a proof, or the solver cannot be waited for.
pub fn prove(
    deployment: Deployment<'_>,
    invariants: &[Invariant],
    solver: &Solver,
    progress: &mut dyn FnMut(&str),
) -> Result<Proven, Error> {
    let mut setting = Setting::new(deployment)?;
    setting.named.extend(invariants.iter().flat_map(|one| written::named(&one.policy)));
    let session = solver.session()?;
    let mut prover = Prover { setting: &setting, session, progress };
    let proofs = invariants.iter().map(|one| prover.prove(one)).collect::<Result<_, _>>()?;
    let questions = prover.session.asked();
    let (unbound, on_paper) = coverage::gaps(&setting);
    Ok(Proven { proofs, unbound, on_paper, questions })
}

/// Who asks the solver.
pub(crate) struct Prover<'p> {
    setting: &'p Setting<'p>,
    session: Session,
    progress: &'p mut dyn FnMut(&str),
}

/// What decides in an environment, beside what the invariant forbids there.
struct Stand<'e> {
    environment: &'e Environment,
    effective: Effective,
    /// The invariant as a policy that permits what must not be.
    wanted: Policy,
    /// The same for the solver.
    forbidden: CompiledPolicySet,
}

/// What became of one environment.
enum Held {
    Proven,
    Open,
    Unknown(String),
}

impl Prover<'_> {
    fn prove(&mut self, invariant: &Invariant) -> Result<Proof, Error> {
        let (mut doubts, mut open, mut spoken) = (Vec::new(), Vec::new(), false);
        let (mut names, mut later_tools) = (Vec::new(), None);
        let setting = self.setting;
        for environment in setting.environments() {
            if !self.setting.concerns(&invariant.policy, environment) {
                continue;
            }
            (self.progress)(&format!("{}: {}", invariant.name, environment.words()));
            let stand = match self.stand(invariant, environment)? {
                Ok(stand) => stand,
                Err(why) => {
                    doubts.push(format!("{}: {why}", environment.words()));
                    continue;
                }
            };
            let held = self.hold(&stand);
            if environment.asked == Asked::AnyTool {
                let holds = matches!(held, Held::Proven);
                later_tools = Some(later_tools.unwrap_or(true) && holds);
                continue;
            }
            names.push(environment.words());
            spoken = spoken || !matches!(held, Held::Proven) || self.speaks(&stand)?;
            match held {
                Held::Proven => {}
                Held::Open => open.push(stand),
                Held::Unknown(why) => doubts.push(format!("{}: {why}", environment.words())),
            }
        }
        if !spoken {
            doubts.push("no request exists that it forbids: it says nothing".to_owned());
        }
        let coverage = self.coverage(invariant, &open)?;
        let outcome = self.outcome(invariant, &open, doubts, &coverage)?;
        Ok(Proof {
            name: Arc::clone(&invariant.name),
            place: invariant.place.clone(),
            outcome,
            environments: names,
            coverage,
            later_tools,
        })
    }

    fn outcome(
        &mut self,
        invariant: &Invariant,
        open: &[Stand<'_>],
        mut doubts: Vec<String>,
        coverage: &[Coverage],
    ) -> Result<Outcome, Error> {
        let mut examples = Vec::new();
        for stand in open {
            let words = stand.environment.words();
            if examples.len() >= MOST_EXAMPLES {
                doubts.push(format!("{words}: a request was found and not played"));
                continue;
            }
            match self.search(&invariant.name, stand, coverage)? {
                Ok(example) => examples.push(example),
                Err(why) => doubts.push(format!("{words}: {why}")),
            }
        }
        Ok(match (examples.is_empty(), doubts.is_empty()) {
            (false, _) => Outcome::Violated { examples, besides: doubts },
            (true, false) => Outcome::NotProven(doubts),
            (true, true) => Outcome::Proven,
        })
    }

    fn stand<'e>(
        &self,
        invariant: &Invariant,
        environment: &'e Environment,
    ) -> Result<Result<Stand<'e>, String>, Error> {
        let alone = std::slice::from_ref(&invariant.policy);
        let wanted = match self.setting.compile(alone, environment) {
            Ok(_) => Ok(invariant.policy.clone()),
            Err(NoForm::Type(errors)) => {
                let decided = self.setting.decided(&invariant.policy, &errors, environment);
                decided.ok_or(NoForm::Type(errors))
            }
            Err(why @ NoForm::Other(_)) => Err(why),
        };
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(why) => {
                let why = format!("the invariant has no meaning there: {}", why.words());
                return Ok(Err(why));
            }
        };
        let wanted = written::permitting(&wanted)?;
        let effective = self.setting.effective(environment)?;
        Ok(match self.setting.compile(std::slice::from_ref(&wanted), environment) {
            Ok(forbidden) => Ok(Stand { environment, effective, wanted, forbidden }),
            Err(why) => Err(format!("the invariant has no form for the solver: {}", why.words())),
        })
    }

    fn hold(&mut self, stand: &Stand<'_>) -> Held {
        let permits = |policy: &Policy| policy.effect() == Effect::Permit;
        if !stand.effective.policies.iter().any(permits) {
            return Held::Proven;
        }
        match self.both(stand, Vec::new(), None) {
            Ok(Found::Nothing) => Held::Proven,
            Ok(Found::Request(_)) => Held::Open,
            Ok(Found::Unknown(why)) => Held::Unknown(why),
            Err(error) => Held::Unknown(error.to_string()),
        }
    }

    /// A request that is allowed, forbidden by the invariant, and as `conditions` say. With
    /// `instead`, whatever `instead` permits is looked for rather than what the policies allow.
    fn both(
        &mut self,
        stand: &Stand<'_>,
        conditions: Vec<domain::Condition>,
        instead: Option<&[Policy]>,
    ) -> Result<Found, Error> {
        let mut policies = instead.unwrap_or(&stand.effective.policies).to_vec();
        policies.extend(domain::only(conditions)?);
        Ok(match self.setting.compile(&policies, stand.environment) {
            Ok(allowed) => self.session.both(&allowed, &stand.forbidden),
            Err(why) => Found::Unknown(why.words()),
        })
    }

    /// Whether any request exists there that the invariant forbids.
    fn speaks(&mut self, stand: &Stand<'_>) -> Result<bool, Error> {
        let found = self.speaks_where(stand, Vec::new())?;
        Ok(!matches!(found, Found::Nothing))
    }

    fn speaks_where(
        &mut self,
        stand: &Stand<'_>,
        conditions: Vec<domain::Condition>,
    ) -> Result<Found, Error> {
        let mut possible = domain::facts(self.setting, stand.environment)?;
        possible.push(stand.wanted.clone());
        self.both(stand, conditions, Some(&possible))
    }
}

/// How many counterexamples of one invariant are worked out.
const MOST_EXAMPLES: usize = 4;

#[cfg(test)]
mod tests;
