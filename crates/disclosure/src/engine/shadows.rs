//! What was refused before, and whether it stands against a call.

use std::collections::HashMap;
use std::sync::Arc;

use kenward_model::{EntityUid, Fact};

use super::hearing::Hearing;
use super::naming::Sight;
use super::{AskReason, Inquiry, Stop, Why, casting};
use crate::history::{Entry, Shadow, ShadowSource};

/// The shadows that one call has to reckon with.
#[derive(Debug, Default)]
pub(super) struct Standing<'h> {
    /// Those of the families that the call may tell of, and those of subjects at whom too many
    /// tools were tried.
    pub(super) all: Vec<&'h Shadow>,
    /// Of `all`, whether each is of a family that the call may tell of.
    touched: Vec<bool>,
    /// Of `all`, how many different tools were tried at the same goal.
    tried: Vec<usize>,
}

impl<'h> Standing<'h> {
    pub(super) fn of(inquiry: &Inquiry<'h>, touches: impl Fn(&str) -> bool) -> Self {
        let mut standing = Self::default();
        if !inquiry.settings.shadows {
            return standing;
        }
        let is_own = |shadow: &&Shadow| {
            let subject = shadow.subject.as_ref();
            subject.is_some_and(|s| inquiry.inferences.is_own(inquiry.world, inquiry.person, s))
        };
        let shadows: Vec<&Shadow> =
            inquiry.history.shadows(inquiry.now).filter(|shadow| !is_own(shadow)).collect();
        let tried = tried(&shadows);
        for shadow in shadows {
            let tried = tried.get(&goal(shadow)).map_or(0, Vec::len);
            let touched = touches(&shadow.family);
            let is_probed = shadow.subject.is_some() && tried >= inquiry.settings.ask_after;
            if touched || is_probed {
                standing.all.push(shadow);
                standing.touched.push(touched);
                standing.tried.push(tried);
            }
        }
        standing
    }

    fn touched(&self) -> impl Iterator<Item = &'h Shadow> {
        self.all.iter().zip(&self.touched).filter(|(_, touched)| **touched).map(|(s, _)| *s)
    }

    fn probed(&self, ask_after: usize) -> impl Iterator<Item = &'h Shadow> {
        let tried = self.all.iter().zip(&self.tried);
        tried.filter(move |(_, tried)| **tried >= ask_after).map(|(shadow, _)| *shadow)
    }
}

/// The goal of a shadow: whose facts, and of which family.
type Goal<'s> = (Option<&'s EntityUid>, &'s str);

fn goal(shadow: &Shadow) -> Goal<'_> {
    (shadow.subject.as_ref(), &shadow.family)
}

/// The different tools that were tried at each goal, whoever refused them.
pub(super) fn tried<'s>(shadows: &[&'s Shadow]) -> HashMap<Goal<'s>, Vec<&'s Arc<str>>> {
    let mut tried: HashMap<Goal<'s>, Vec<&'s Arc<str>>> = HashMap::new();
    for shadow in shadows {
        let tools = tried.entry(goal(shadow)).or_default();
        for tool in &shadow.tools {
            if !tools.contains(&tool) {
                tools.push(tool);
            }
        }
    }
    tried
}

impl Hearing<'_, '_> {
    /// Whether something that was refused before stands against the call.
    pub(super) fn check_shadows(
        &mut self,
        standing: &Standing<'_>,
        sight: &Sight,
    ) -> Result<(), Box<Stop>> {
        for shadow in standing.touched() {
            let subject = shadow.subject.as_ref();
            let is_granted =
                subject.is_some_and(|subject| self.is_granted(subject, &shadow.family));
            if !is_granted && !self.passes(shadow, sight) {
                return Err(self.shadowed(shadow, sight));
            }
        }
        Ok(())
    }

    fn passes(&mut self, shadow: &Shadow, sight: &Sight) -> bool {
        let Some(subject) = &shadow.subject else {
            return !self.is_dark(shadow, sight) || self.may_ask_again(shadow, true);
        };
        let about = self.asked.iter().filter(|fact| fact.subject == *subject).count();
        let is_named = about > 0 || sight.names(self.inquiry, subject).is_some();
        let is_open = match self.rules.binding {
            Some(_) => is_named || self.is_dark(shadow, sight),
            None => is_named || sight.seen.is_empty(),
        };
        if !is_open || self.may_ask_again(shadow, is_named) || self.lifts(shadow) {
            return true;
        }
        // All facts were permitted, or the call would have been stopped before.
        let is_permitted = self.rules.binding.is_some() && about > 0;
        match shadow.source {
            ShadowSource::Policy | ShadowSource::Hidden => {
                is_permitted && !self.is_dark(shadow, sight)
            }
            ShadowSource::Upstream | ShadowSource::Approval | ShadowSource::Unresolved => false,
        }
    }

    /// Whether the call may be about anybody, for all that can be seen.
    fn is_dark(&self, shadow: &Shadow, sight: &Sight) -> bool {
        if self.rules.binding.is_none() {
            // A text that could not be told says nothing against a call without any.
            let needs_text = shadow.source == ShadowSource::Unresolved;
            return sight.seen.is_empty() && (sight.has_text || !needs_text);
        }
        let may_be_deferred = match shadow.source {
            // Policy is asked again when the answer says whom it is about.
            ShadowSource::Policy | ShadowSource::Unresolved => true,
            ShadowSource::Upstream | ShadowSource::Hidden | ShadowSource::Approval => false,
        };
        sight.unresolved.is_some() || (sight.deferred.is_some() && !may_be_deferred)
    }

    /// Whether whoever refused is asked once more: the server itself; or the very tool that was
    /// refused is allowed by now, which lifts its shadow. Where policy refused it for some
    /// arguments, it must be allowed for the same subject.
    fn may_ask_again(&mut self, shadow: &Shadow, is_named: bool) -> bool {
        if shadow.tools.first().is_none_or(|tool| **tool != *self.via()) {
            return false;
        }
        match shadow.source {
            ShadowSource::Upstream => true,
            ShadowSource::Hidden => {
                self.lift(shadow);
                true
            }
            ShadowSource::Policy if is_named && shadow.fact.is_none() => {
                self.lift(shadow);
                true
            }
            ShadowSource::Policy | ShadowSource::Approval | ShadowSource::Unresolved => false,
        }
    }

    fn lift(&mut self, shadow: &Shadow) {
        let (subject, family) = (shadow.subject.clone(), Arc::clone(&shadow.family));
        self.lifted.push(Entry::Lifted { subject, family, source: shadow.source });
    }

    /// Whether what was refused may be learnt by now; then the shadow is lifted.
    fn lifts(&mut self, shadow: &Shadow) -> bool {
        let by_fact = match shadow.source {
            ShadowSource::Policy | ShadowSource::Approval => shadow.fact.as_ref(),
            ShadowSource::Hidden | ShadowSource::Upstream | ShadowSource::Unresolved => None,
        };
        let Some(fact) = by_fact else { return false };
        if !(self.permits(fact, false) && self.permits(fact, true)) {
            return false;
        }
        self.lift(shadow);
        true
    }

    fn shadowed(&self, shadow: &Shadow, sight: &Sight) -> Box<Stop> {
        let family = Some(Arc::clone(&shadow.family));
        let is_named = shadow.subject.as_ref().is_some_and(|subject| {
            self.asked.iter().any(|fact| fact.subject == *subject)
                || sight.names(self.inquiry, subject).is_some()
        });
        let dark = sight.unresolved.as_ref().or(sight.deferred.as_ref());
        if let Some(dark) = dark.filter(|_| !is_named && self.rules.binding.is_some()) {
            let why = Why::Unresolved(dark.clone());
            return Box::new(Stop { why, inferred: true, subject: None, family });
        }
        let why = Why::Shadow { source: shadow.source, cast_by: shadow.decision };
        Box::new(Stop { why, inferred: true, subject: shadow.subject.clone(), family })
    }

    /// Whether somebody has to agree, because several tools were tried at a subject before.
    pub(super) fn check_probes(
        &self,
        standing: &Standing<'_>,
        sight: &Sight,
    ) -> Result<(), Box<Stop>> {
        for shadow in standing.probed(self.inquiry.settings.ask_after) {
            let Some(subject) = &shadow.subject else { continue };
            let is_lifted = |entry: &Entry| match entry {
                Entry::Lifted { subject, family, source } => {
                    *subject == shadow.subject
                        && *family == shadow.family
                        && *source == shadow.source
                }
                Entry::Reserved(..)
                | Entry::Confirmed(_)
                | Entry::Undone(_)
                | Entry::Learnt(_)
                | Entry::Forgotten(..)
                | Entry::Refused(_)
                | Entry::Missed { .. }
                | Entry::Answered(_)
                | Entry::Granted(_) => false,
            };
            if self.lifted.iter().any(is_lifted) {
                continue;
            }
            if let Some(family) = self.probing(subject, sight) {
                let why = Why::Ask(AskReason::Probes);
                let (subject, family) = (Some(subject.clone()), Some(family));
                return Err(Box::new(Stop { why, inferred: true, subject, family }));
            }
        }
        Ok(())
    }

    /// The family of what the call would newly tell of `subject` that nobody has agreed to.
    fn probing(&self, subject: &EntityUid, sight: &Sight) -> Option<Arc<str>> {
        if self.rules.binding.is_none() {
            sight.names(self.inquiry, subject)?;
            let mut families = casting::touched(self.rules).into_iter();
            return families.find(|family| !self.is_granted(subject, family));
        }
        let is_known =
            |fact: &Fact| self.inquiry.settings.ledger && self.inquiry.history.knows(fact);
        let news = self.asked.iter().filter(|fact| fact.subject == *subject && !is_known(fact));
        let mut families = news.map(|fact| &fact.family);
        families.find(|family| !self.is_granted(subject, family)).cloned()
    }

    pub(super) fn is_granted(&self, subject: &EntityUid, family: &str) -> bool {
        self.inquiry.history.is_granted(subject, family, self.inquiry.now)
    }
}
