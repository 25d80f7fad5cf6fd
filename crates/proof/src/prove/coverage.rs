//! Which facts of which tools an invariant speaks about, and which tools it cannot speak about.

use std::collections::BTreeMap;
use std::sync::Arc;

use kenward_disclosure::{CompiledBinding, PotentialFact};
use kenward_model::{EntityUid, ServerName};

use super::{Prover, Stand};
use crate::environment::{Asked, Environment};
use crate::setting::Setting;
use crate::solver::Found;
use crate::{Error, Invariant, domain, written};

/// The facts of one tool, prompt or MCP resource that an invariant speaks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// `<server>/<tool>`.
    pub target: String,
    /// The facts, in their order.
    pub facts: Vec<Told>,
    pub(super) tool: Option<EntityUid>,
}

/// A fact that an invariant speaks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The fact.
    pub fact: PotentialFact,
    /// Whether it may be learnt there although the invariant forbids it.
    pub violated: bool,
}

/// What was found out before, by environment, fact and, where it matters, tool.
type Known = BTreeMap<(String, PotentialFact, Option<EntityUid>), bool>;

impl<'p> Prover<'p> {
    /// Of everything that is bound, the facts that the invariant speaks about.
    pub(super) fn coverage(
        &mut self,
        invariant: &Invariant,
        open: &[Stand<'_>],
    ) -> Result<Vec<Coverage>, Error> {
        let stands = self.stands_on_facts(invariant)?;
        if stands.is_empty() {
            return Ok(Vec::new());
        }
        let by_tool =
            written::named(&invariant.policy).iter().any(|uid| uid.kind.starts_with("Mcp::"));
        let (mut spoken, mut broken) = (Known::new(), Known::new());
        let mut all = Vec::new();
        for (target, tool, binding) in bound(self.setting) {
            let mut facts = Vec::new();
            for fact in binding.possible() {
                let spoken_of = tool.as_ref().filter(|_| by_tool);
                let speaks = self.speaks_of(&stands, fact, spoken_of, &mut spoken)?;
                let violated = speaks && self.is_open(open, fact, tool.as_ref(), &mut broken)?;
                facts.extend(speaks.then(|| Told { fact: fact.clone(), violated }));
            }
            all.push(Coverage { target, facts, tool });
        }
        Ok(all)
    }

    fn stands_on_facts(&self, invariant: &Invariant) -> Result<Vec<Stand<'p>>, Error> {
        let environments = self.setting.environments().iter();
        let on_facts = environments.filter(|one| {
            one.asked == Asked::Learn && self.setting.concerns(&invariant.policy, one)
        });
        let mut stands = Vec::new();
        for environment in on_facts {
            stands.extend(self.stand(invariant, environment)?);
        }
        Ok(stands)
    }

    fn speaks_of(
        &mut self,
        stands: &[Stand<'_>],
        fact: &PotentialFact,
        tool: Option<&EntityUid>,
        known: &mut Known,
    ) -> Result<bool, Error> {
        for stand in stands.iter().filter(|stand| is_about(stand.environment, fact)) {
            let key = (stand.environment.key(), fact.clone(), tool.cloned());
            let speaks = if let Some(speaks) = known.get(&key) {
                *speaks
            } else {
                let found = self.speaks_where(stand, domain::pinned(fact, tool))?;
                matches!(found, Found::Request(_))
            };
            known.insert(key, speaks);
            if speaks {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_open(
        &mut self,
        open: &[Stand<'_>],
        fact: &PotentialFact,
        tool: Option<&EntityUid>,
        known: &mut Known,
    ) -> Result<bool, Error> {
        for stand in open.iter().filter(|stand| is_about(stand.environment, fact)) {
            let key = (stand.environment.key(), fact.clone(), tool.cloned());
            let violated = if let Some(violated) = known.get(&key) {
                *violated
            } else {
                let found = self.both(stand, domain::pinned(fact, tool), None)?;
                matches!(found, Found::Request(_))
            };
            known.insert(key, violated);
            if violated {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

pub(super) fn is_about(environment: &Environment, fact: &PotentialFact) -> bool {
    environment.asked == Asked::Learn && environment.request.resource().to_string() == *fact.of
}

/// Everything that has a binding that refuses, with the tool where it is one.
fn bound<'s>(
    setting: &Setting<'s>,
) -> impl Iterator<Item = (String, Option<EntityUid>, &'s Arc<CompiledBinding>)> {
    let bindings = setting.deployment.policies.bindings();
    let name = |server: &ServerName, name: &str| format!("{server}/{name}");
    let tools = bindings.iter().map(move |(server, tool, binding)| {
        let target = name(server, tool);
        let uid = EntityUid::new("Mcp::Tool", target.as_str());
        (target, Some(uid), binding)
    });
    let others =
        bindings.others().map(move |(server, other, binding)| (name(server, other), None, binding));
    tools.chain(others).filter(|(_, _, binding)| binding.is_enforced())
}

/// The tools without a binding, and what has one that refuses nothing.
pub(super) fn gaps(setting: &Setting<'_>) -> (Vec<String>, Vec<String>) {
    let bindings = setting.deployment.policies.bindings();
    let all = bindings.iter().chain(bindings.others());
    let on_paper = all
        .filter(|(_, _, binding)| !binding.is_enforced())
        .map(|(server, name, _)| format!("{server}/{name}"));
    let tools = setting.tools.iter();
    let unbound = tools
        .filter(|(server, tool)| bindings.get(server, tool).is_none())
        .map(|(server, tool)| format!("{server}/{tool}"));
    (unbound.collect(), on_paper.collect())
}
