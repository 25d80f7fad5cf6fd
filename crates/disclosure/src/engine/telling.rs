//! What a call tells by its arguments: by the rules of its binding, and beside them.

use std::sync::Arc;

use kenward_model::Fact;

use super::Stop;
use super::hearing::{Hearing, unresolved};
use super::leaves::Reading;
use super::naming::{self, Sight};
use super::shadows::Standing;
use crate::bindings::{CompiledBinding, PotentialFact};
use crate::filter::about;
use crate::recognise::Scene;
use crate::subject::{Because, Disclosed, Subject, SubjectRule, Unresolved, UnresolvedWhy};

/// The most facts that one call may tell by its arguments.
const MOST_FACTS: usize = 1_024;

/// What a call tells by its arguments, as far as it was found out.
#[derive(Default)]
pub(super) struct Told {
    /// The facts, each once, and whether the ledger keeps them.
    pub(super) facts: Vec<(Disclosed, bool)>,
    /// Whether the binding's rules say whom it is about.
    says_who: bool,
    /// An argument with words that name nobody.
    unresolved: Option<Arc<str>>,
    /// An argument of which the answer says whom it means.
    deferred: Option<Arc<str>>,
}

impl Told {
    /// Adds what a rule tells of the subjects that it found.
    fn add_all(
        &mut self,
        rule: &SubjectRule,
        subjects: Vec<Subject>,
        kept: bool,
    ) -> Result<(), Box<Stop>> {
        for Subject { uid, because } in subjects {
            for fact in rule.facts() {
                self.add(about(&fact, &uid), &because, kept)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, fact: Fact, because: &Because, kept: bool) -> Result<(), Box<Stop>> {
        if let Some((_, known)) = self.facts.iter_mut().find(|(held, _)| held.fact == fact) {
            *known |= kept;
            return Ok(());
        }
        if self.facts.len() >= MOST_FACTS {
            let parameter = Arc::clone(&because.parameter);
            return Err(unresolved(Unresolved { parameter, why: UnresolvedWhy::TooMany }));
        }
        self.facts.push((Disclosed { fact, because: because.clone() }, kept));
        Ok(())
    }
}

impl Hearing<'_, '_> {
    /// What the binding's rules say is told.
    pub(super) fn by_rules(
        &mut self,
        binding: &CompiledBinding,
        scene: &Scene<'_>,
        told: &mut Told,
    ) -> Result<(), Box<Stop>> {
        let mut missing: Vec<&SubjectRule> = Vec::new();
        let mut present: Vec<&SubjectRule> = Vec::new();
        for rule in &binding.subjects {
            let named = self.by_rule(binding, rule, scene, told)?;
            if named.missing {
                missing.push(rule);
            } else if named.says_who {
                told.says_who = true;
                present.push(rule);
            }
        }
        // These are beside the disclosures, and need not be there.
        for rule in &binding.beside {
            self.by_rule(binding, rule, scene, told)?;
        }
        for rule in &binding.filters {
            let named = rule.subjects(scene, self.inquiry.arguments).map_err(unresolved)?;
            told.add_all(rule, named.subjects, false)?;
        }
        let uncovered = missing.into_iter().find(|rule| !is_covered(binding, rule, &present));
        match uncovered.filter(|_| !self.is_partial) {
            None => Ok(()),
            Some(rule) => {
                let parameter = Arc::clone(&rule.via);
                Err(unresolved(Unresolved { parameter, why: UnresolvedWhy::Missing }))
            }
        }
    }

    fn by_rule(
        &mut self,
        binding: &CompiledBinding,
        rule: &SubjectRule,
        scene: &Scene<'_>,
        told: &mut Told,
    ) -> Result<Found, Box<Stop>> {
        let named = rule.subjects(scene, self.inquiry.arguments).map_err(unresolved)?;
        if named.missing {
            return Ok(Found { missing: true, says_who: false });
        }
        if named.deferred {
            self.defer(binding, rule)?;
            told.deferred.get_or_insert_with(|| Arc::clone(&rule.via));
        }
        if named.unresolved {
            told.unresolved.get_or_insert_with(|| Arc::clone(&rule.via));
        }
        let says_who = named.deferred || !named.subjects.is_empty() || rule.naming.is_closed();
        told.add_all(rule, named.subjects, true)?;
        Ok(Found { missing: false, says_who })
    }

    /// Lets a handle pass of which the answer says whose it is.
    fn defer(&mut self, binding: &CompiledBinding, rule: &SubjectRule) -> Result<(), Box<Stop>> {
        let answered = rule.facts().all(|fact| is_answered(binding, &fact));
        if !binding.writes && answered {
            self.made.expects.deferred = true;
            return Ok(());
        }
        let parameter = Arc::clone(&rule.via);
        Err(unresolved(Unresolved { parameter, why: UnresolvedWhy::UnknownHandle }))
    }

    /// What is told of whoever is named where the binding says nothing.
    pub(super) fn beside_rules(
        &self,
        binding: &CompiledBinding,
        scene: &Scene<'_>,
        standing: &Standing<'_>,
        told: &mut Told,
    ) -> Result<Sight, Box<Stop>> {
        let strict = !standing.all.is_empty();
        let figure = binding.results.aggregate.as_ref().map(|rule| &rule.fact);
        if !strict && binding.tells.is_empty() && figure.is_none() {
            return Ok(Sight::default());
        }
        let sight = naming::look(scene, self.inquiry, Some(binding), strict).map_err(unresolved)?;
        let kept = binding.tells.iter().map(|fact| (fact, true));
        for (fact, kept) in kept.chain(figure.map(|fact| (fact, false))) {
            let seen = sight.subjects(self.inquiry, &fact.of).filter(|(subject, seen)| {
                seen.reading != Reading::Subject || scene.shadowed.has(subject)
            });
            for (subject, seen) in seen {
                told.add(about(fact, &subject), &seen.because, kept)?;
            }
        }
        for shadowed in scene.shadowed {
            let Some(seen) = sight.names(self.inquiry, &shadowed.subject) else { continue };
            let of_kind = |fact: &&PotentialFact| fact.of == shadowed.subject.kind;
            for fact in binding.possible().iter().filter(of_kind) {
                told.add(about(fact, &shadowed.subject), &seen.because, false)?;
            }
        }
        let unresolved = |via: Arc<str>, why| Unresolved { parameter: via, why };
        let dark = told.unresolved.clone().map(|via| unresolved(via, UnresolvedWhy::Unrecognised));
        let deferred =
            told.deferred.clone().map(|via| unresolved(via, UnresolvedWhy::UnknownHandle));
        // A note or a setting beside a subject that is known need not name anybody.
        let beside = sight.unresolved.filter(|_| !told.says_who);
        Ok(Sight { unresolved: beside.or(dark), deferred, ..sight })
    }
}

/// What a rule found in the arguments.
struct Found {
    missing: bool,
    /// Whether it is certain about whom the argument is.
    says_who: bool,
}

/// Whether everything that the missing argument would tell is told by another one, or with the
/// answer; an effect does not wait for the answer.
fn is_covered(binding: &CompiledBinding, missing: &SubjectRule, present: &[&SubjectRule]) -> bool {
    missing.facts().all(|fact| {
        let same = |other: &PotentialFact| other.of == fact.of && other.attribute == fact.attribute;
        let mut others = present.iter().flat_map(|rule| rule.facts());
        others.any(|other| same(&other)) || (!binding.writes && is_answered(binding, &fact))
    })
}

/// Whether the answer says about whom such a fact is.
fn is_answered(binding: &CompiledBinding, fact: &PotentialFact) -> bool {
    let same = |other: &PotentialFact| other.of == fact.of && other.attribute == fact.attribute;
    let rows = binding.results.rows.iter().flat_map(crate::filter::RowRule::facts);
    binding.results.told.iter().any(|rule| same(&rule.fact)) || rows.into_iter().any(|f| same(&f))
}
