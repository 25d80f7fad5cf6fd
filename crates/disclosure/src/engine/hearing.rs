//! The decision on one call, step by step.

use std::sync::Arc;

use kenward_model::{EntityUid, Fact};

use super::naming::{self, Sight};
use super::shadows::Standing;
use super::telling::Told;
use super::{
    Before, Expects, Inquiry, Judge, Opinion, Rules, Stop, Unbound, Why, casting, following,
};
use crate::bindings::{CompiledBinding, Speaks};
use crate::history::Entry;
use crate::inferences::Derived;
use crate::recognise::Scene;
use crate::subject::Unresolved;

/// One call before the engine.
pub(super) struct Hearing<'a, 'j> {
    pub(super) inquiry: &'a Inquiry<'a>,
    pub(super) rules: Rules<'a>,
    pub(super) judge: &'j mut dyn Judge,
    pub(super) made: Before,
    /// What was refused: it casts shadows.
    pub(super) refused: Vec<Fact>,
    /// What the call tells and the ledger keeps.
    pub(super) kept: Vec<Fact>,
    /// Everything that was asked about and is not inferred.
    pub(super) asked: Vec<Fact>,
    /// The shadows that were lifted.
    pub(super) lifted: Vec<Entry>,
    /// Whether only a part of the arguments is there.
    pub(super) is_partial: bool,
    own: Vec<(EntityUid, bool)>,
}

impl<'a, 'j> Hearing<'a, 'j> {
    pub(super) fn new(
        inquiry: &'a Inquiry<'a>,
        rules: Rules<'a>,
        judge: &'j mut dyn Judge,
    ) -> Self {
        Self {
            inquiry,
            rules,
            judge,
            made: Before::default(),
            refused: Vec::new(),
            kept: Vec::new(),
            asked: Vec::new(),
            lifted: Vec::new(),
            is_partial: false,
            own: Vec::new(),
        }
    }

    /// The arguments are still being completed: those that are missing stop nothing.
    pub(super) fn completes(self) -> Self {
        Self { is_partial: true, ..self }
    }

    pub(super) fn decide(mut self) -> Before {
        let heard = match self.rules.binding {
            Some(binding) => self.bound(binding),
            None => self.unbound(),
        };
        let enforced = self.rules.binding.is_none_or(|binding| binding.enforced);
        match heard {
            Err(stop) if enforced => {
                let (entries, alert) = casting::refusal(&self, &stop);
                let Before { disclosed, inferred, notes, .. } = self.made;
                Before {
                    disclosed,
                    inferred,
                    stop: Some(*stop),
                    entries,
                    notes,
                    alert,
                    ..Before::default()
                }
            }
            Err(stop) => {
                self.made.notes.push(format!(
                    "the binding of {} ({})",
                    self.via(),
                    word(&stop.why)
                ));
                self.reserve_without_room();
                self.made
            }
            Ok(()) => {
                self.made.entries.append(&mut self.lifted);
                self.made
            }
        }
    }

    /// The target as the history writes it.
    pub(super) fn via(&self) -> String {
        format!("{}/{}", self.inquiry.server, self.inquiry.target)
    }

    /// Whether the subject is the person who asks, or stands for them.
    pub(super) fn is_own(&mut self, subject: &EntityUid) -> bool {
        if let Some((_, own)) = self.own.iter().find(|(known, _)| known == subject) {
            return *own;
        }
        let Inquiry { world, person, inferences, .. } = *self.inquiry;
        let own = inferences.is_own(world, person, subject);
        self.own.push((subject.clone(), own));
        own
    }

    /// Whether policy lets the person learn the fact.
    pub(super) fn permits(&mut self, fact: &Fact, inferred: bool) -> bool {
        match self.judge.may_learn(fact, inferred) {
            Opinion::Yes => true,
            Opinion::Silent => self.is_own(&fact.subject),
            Opinion::No => false,
        }
    }

    fn bound(&mut self, binding: &'a CompiledBinding) -> Result<(), Box<Stop>> {
        let guess = self.rules.guess;
        let is_silent = binding.speaks == Speaks::OtherThings;
        let touches =
            |family: &str| binding.touches(family) || (is_silent && guess.touches(family));
        let standing = Standing::of(self.inquiry, touches);
        let shadowed = self.inquiry.history.sought(self.inquiry.world, &standing.all);
        let scene = Scene {
            world: self.inquiry.world,
            handles: self.inquiry.handles,
            server: self.inquiry.server,
            inferences: self.inquiry.inferences,
            shadowed: &shadowed,
        };
        let mut told = Told::default();
        self.by_rules(binding, &scene, &mut told)?;
        let sight = self.beside_rules(binding, &scene, &standing, &mut told)?;
        self.ask(told)?;
        self.check_shadows(&standing, &sight)?;
        self.check_misses(binding)?;
        self.check_budgets()?;
        self.check_probes(&standing, &sight)?;
        self.reserve()
    }

    fn unbound(&mut self) -> Result<(), Box<Stop>> {
        let guess = self.rules.guess;
        if guess.is_none() {
            return Ok(());
        }
        if self.inquiry.settings.unbound == Unbound::Refuse {
            let family = casting::touched(self.rules).into_iter().next();
            return Err(Box::new(Stop {
                why: Why::Unbound,
                inferred: false,
                subject: None,
                family,
            }));
        }
        let standing = Standing::of(self.inquiry, |family| guess.touches(family));
        if standing.all.is_empty() {
            return Ok(());
        }
        let sight = self.look(&standing)?;
        self.check_shadows(&standing, &sight)?;
        self.check_probes(&standing, &sight)?;
        self.made.entries.append(&mut self.lifted);
        Ok(())
    }

    /// Everything that can be seen in the arguments of a tool without a binding.
    fn look(&self, standing: &Standing<'_>) -> Result<Sight, Box<Stop>> {
        let shadowed = self.inquiry.history.sought(self.inquiry.world, &standing.all);
        let Inquiry { world, handles, server, inferences, .. } = *self.inquiry;
        let scene = Scene { world, handles, server, inferences, shadowed: &shadowed };
        naming::look(&scene, self.inquiry, None, true).map_err(unresolved)
    }

    /// Puts all facts to policy, and then all that follows.
    fn ask(&mut self, told: Told) -> Result<(), Box<Stop>> {
        let Told { facts, .. } = told;
        let mut first: Option<Box<Stop>> = None;
        for (disclosed, _) in &facts {
            if !self.permits(&disclosed.fact, false) {
                self.refuse(&disclosed.fact, false, &mut first);
            }
        }
        let mut subjects: Vec<&EntityUid> = facts.iter().map(|(d, _)| &d.fact.subject).collect();
        subjects.sort_unstable();
        subjects.dedup();
        for subject in &subjects {
            let about = facts.iter().filter(|(d, kept)| *kept && d.fact.subject == **subject);
            let about: Vec<&Fact> = about.map(|(disclosed, _)| &disclosed.fact).collect();
            for derived in following(self.inquiry, subject, &about) {
                self.ask_derived(derived, &mut first);
            }
        }
        self.made.expects = Expects {
            subjects: subjects.into_iter().cloned().collect(),
            ..std::mem::take(&mut self.made.expects)
        };
        self.kept = facts.iter().filter(|(_, kept)| *kept).map(|(d, _)| d.fact.clone()).collect();
        self.asked = facts.iter().map(|(d, _)| d.fact.clone()).collect();
        self.made.disclosed = facts.into_iter().map(|(disclosed, _)| disclosed).collect();
        first.map_or(Ok(()), Err)
    }

    fn ask_derived(&mut self, derived: Derived, first: &mut Option<Box<Stop>>) {
        let permitted = self.permits(&derived.fact, true);
        if !permitted && derived.enforced {
            self.refuse(&derived.fact, true, first);
        } else if !permitted {
            self.made.notes.push(derived.rule.as_ref().to_owned());
        }
        self.made.inferred.push(derived);
    }

    fn refuse(&mut self, fact: &Fact, inferred: bool, first: &mut Option<Box<Stop>>) {
        self.refused.push(fact.clone());
        let stop = || Stop {
            why: Why::Fact(fact.clone()),
            inferred,
            subject: Some(fact.subject.clone()),
            family: Some(Arc::clone(&fact.family)),
        };
        first.get_or_insert_with(|| Box::new(stop()));
    }

    fn check_misses(&mut self, binding: &CompiledBinding) -> Result<(), Box<Stop>> {
        let Some(rule) = &binding.results.oracle else { return Ok(()) };
        let guessed = self.asked.iter().filter(|fact| fact.attribute == rule.fact.attribute);
        let guessed: Vec<Fact> =
            guessed.filter(|f| f.subject.kind == rule.fact.of).cloned().collect();
        for fact in guessed {
            let misses = self.inquiry.history.misses(&fact.subject, &fact.attribute);
            if misses >= binding.misses && !self.is_own(&fact.subject) {
                let (subject, family) = (Some(fact.subject), Some(fact.family));
                return Err(Box::new(Stop { why: Why::Misses, inferred: true, subject, family }));
            }
        }
        Ok(())
    }
}

/// The stop of a call of which it cannot be told whom it is about.
pub(super) fn unresolved(unresolved: Unresolved) -> Box<Stop> {
    let why = Why::Unresolved(unresolved);
    Box::new(Stop { why, inferred: false, subject: None, family: None })
}

/// What stood against a call, for a note.
fn word(why: &Why) -> &'static str {
    match why {
        Why::Fact(_) => "a fact may not be learnt",
        Why::Unresolved(_) => "whom it is about cannot be told",
        Why::Shadow { .. } => "it was refused before",
        Why::Misses => "too many wrong guesses",
        Why::Filter => "a figure about one person",
        Why::Budget => "too many people",
        Why::Full => "no room in the ledger",
        Why::Unbound => "nobody has described it",
        Why::Ask(_) => "somebody has to agree",
    }
}
