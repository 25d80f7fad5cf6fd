//! The shadows that a refusal casts, and the alert when somebody tries too hard.

use std::sync::Arc;
use std::time::Duration;

use kenward_model::{EntityUid, Fact};

use super::hearing::Hearing;
use super::naming;
use super::shadows::tried;
use super::{Alert, Inquiry, Rules, Stop, Why};
use crate::bindings::PotentialFact;
use crate::filter::about;
use crate::history::{Entry, Shadow, ShadowSource};
use crate::recognise::{Scene, Shadows};

/// How long it counts that nobody could tell whom a call was about.
const UNRESOLVED: Duration = Duration::from_hours(1);

/// What becomes of the history when the call is stopped, and whether an alert is due.
pub(super) fn refusal(hearing: &Hearing<'_, '_>, stop: &Stop) -> (Vec<Entry>, Option<Alert>) {
    let inquiry = hearing.inquiry;
    if !inquiry.settings.shadows {
        return (Vec::new(), None);
    }
    let via: Arc<str> = hearing.via().into();
    let cast = |subject, family: &Arc<str>, fact, source| {
        shadow(inquiry, &via, subject, Arc::clone(family), fact, source)
    };
    let shadows = match &stop.why {
        Why::Fact(_) => refused(inquiry, &via, &hearing.refused),
        Why::Unresolved(_) => {
            let families = touched(hearing.rules);
            families.iter().map(|f| cast(None, f, None, ShadowSource::Unresolved)).collect()
        }
        Why::Shadow { source, .. } => {
            // Trying again makes no refusal last longer.
            let held = inquiry.history.shadows(inquiry.now).find(|held| {
                held.source == *source
                    && held.subject == stop.subject
                    && Some(&held.family) == stop.family.as_ref()
            });
            let again = |held: &Shadow| Shadow { tools: vec![Arc::clone(&via)], ..held.clone() };
            held.map(again).into_iter().collect()
        }
        Why::Misses | Why::Filter => {
            let goal = stop.subject.clone().zip(stop.family.as_ref());
            let cast =
                |(s, f): (EntityUid, &Arc<str>)| cast(Some(s), f, None, ShadowSource::Policy);
            goal.map(cast).into_iter().collect()
        }
        Why::Budget | Why::Full | Why::Unbound | Why::Ask(_) => Vec::new(),
    };
    let alert = alert(inquiry, &via, &shadows);
    let cast = shadows.into_iter().map(Entry::Refused);
    (hearing.lifted.iter().cloned().chain(cast).collect(), alert)
}

/// One shadow for each subject and family of the facts, with the finest of them.
fn refused(inquiry: &Inquiry<'_>, via: &Arc<str>, facts: &[Fact]) -> Vec<Shadow> {
    let mut shadows: Vec<Shadow> = Vec::new();
    for fact in facts {
        let (subject, family) = (Some(fact.subject.clone()), Arc::clone(&fact.family));
        let source = ShadowSource::Policy;
        let cast = shadow(inquiry, via, subject, family, Some(fact.clone()), source);
        match shadows.iter_mut().find(|held| held.is_same_goal(&cast)) {
            Some(held) => held.merge(cast),
            None => shadows.push(cast),
        }
    }
    let is_own = |shadow: &Shadow| {
        let subject = shadow.subject.as_ref();
        subject.is_some_and(|s| inquiry.inferences.is_own(inquiry.world, inquiry.person, s))
    };
    shadows.retain(|shadow| !is_own(shadow));
    shadows
}

fn shadow(
    inquiry: &Inquiry<'_>,
    via: &Arc<str>,
    subject: Option<EntityUid>,
    family: Arc<str>,
    fact: Option<Fact>,
    source: ShadowSource,
) -> Shadow {
    let lasts = match source {
        ShadowSource::Policy | ShadowSource::Hidden => inquiry.settings.policy_shadow,
        ShadowSource::Upstream | ShadowSource::Approval => inquiry.settings.upstream_shadow,
        ShadowSource::Unresolved => UNRESOLVED,
    };
    let (cast, expires) = (inquiry.now, inquiry.now.plus(lasts));
    let (decision, tools) = (inquiry.decision, vec![Arc::clone(via)]);
    Shadow { subject, family, fact, source, cast, expires, decision, tools }
}

/// An alert when the call adds another tool to a goal at which enough were tried.
fn alert(inquiry: &Inquiry<'_>, via: &Arc<str>, cast: &[Shadow]) -> Option<Alert> {
    let held: Vec<&Shadow> = inquiry.history.shadows(inquiry.now).collect();
    let tried = tried(&held);
    let alerts = cast.iter().filter_map(|shadow| {
        let goal = (shadow.subject.as_ref(), &*shadow.family);
        let tools = tried.get(&goal).map_or(&[][..], Vec::as_slice);
        if tools.contains(&via) || tools.len() + 1 < inquiry.settings.alert_after {
            return None;
        }
        let tools = tools.iter().map(|tool| Arc::clone(tool)).chain([Arc::clone(via)]).collect();
        Some(Alert { subject: shadow.subject.clone(), family: Arc::clone(&shadow.family), tools })
    });
    let mut alerts: Vec<Alert> = alerts.collect();
    alerts.sort_by_key(|alert| alert.subject.is_none());
    alerts.into_iter().next()
}

/// The families that a call may tell of, each once.
pub(super) fn touched(rules: Rules<'_>) -> Vec<Arc<str>> {
    let Some(binding) = rules.binding else {
        return rules.guess.names().into_iter().map(Arc::from).collect();
    };
    let mut families: Vec<Arc<str>> =
        binding.possible().iter().map(|fact| Arc::clone(&fact.family)).collect();
    families.sort_unstable();
    families.dedup();
    families
}

/// The shadows of a refusal by somebody else.
pub(super) fn refused_elsewhere(
    inquiry: &Inquiry<'_>,
    rules: Rules<'_>,
    source: ShadowSource,
) -> Vec<Entry> {
    let families = touched(rules);
    if !inquiry.settings.shadows || families.is_empty() {
        return Vec::new();
    }
    let via: Arc<str> = format!("{}/{}", inquiry.server, inquiry.target).into();
    let mut shadows = Vec::new();
    for (subject, family, fact) in goals(inquiry, rules, &families) {
        // What somebody may learn by the word of policy may still have been refused by others.
        let fact = match source {
            ShadowSource::Policy => fact,
            ShadowSource::Upstream
            | ShadowSource::Hidden
            | ShadowSource::Approval
            | ShadowSource::Unresolved => None,
        };
        shadows.push(shadow(inquiry, &via, Some(subject), family, fact, source));
    }
    if shadows.is_empty() {
        let nobody = |family| shadow(inquiry, &via, None, family, None, source);
        shadows.extend(families.into_iter().map(nobody));
    }
    shadows.into_iter().map(Entry::Refused).collect()
}

/// The goals of the call: whose facts, of which family, and the finest of them where it is known.
fn goals(
    inquiry: &Inquiry<'_>,
    rules: Rules<'_>,
    families: &[Arc<str>],
) -> Vec<(EntityUid, Arc<str>, Option<Fact>)> {
    let mut goals: Vec<(EntityUid, Arc<str>, Option<Fact>)> = Vec::new();
    let mut add = |subject: EntityUid, family: &Arc<str>, fact: Option<Fact>| {
        if inquiry.inferences.is_own(inquiry.world, inquiry.person, &subject) {
            return;
        }
        let known = goals.iter_mut().find(|(s, f, _)| *s == subject && f == family);
        match known {
            Some((_, _, held))
                if held.as_ref().is_some_and(|held| {
                    fact.as_ref().is_some_and(|fact| fact.precision < held.precision)
                }) =>
            {
                *held = fact;
            }
            Some(_) => {}
            None => goals.push((subject, Arc::clone(family), fact)),
        }
    };
    let Inquiry { world, handles, server, inferences, .. } = *inquiry;
    let scene = Scene { world, handles, server, inferences, shadowed: &Shadows::default() };
    let sight = naming::look(&scene, inquiry, rules.binding, true).unwrap_or_default();
    let Some(binding) = rules.binding else {
        for seen in &sight.seen {
            for family in families {
                add(seen.entity.clone(), family, None);
            }
        }
        return goals;
    };
    let mut subjects = named(inquiry, rules, &scene);
    for fact in binding.possible() {
        let seen = sight.subjects(inquiry, &fact.of).map(|(subject, _)| subject);
        subjects.extend(seen);
    }
    subjects.sort_unstable();
    subjects.dedup();
    for subject in subjects {
        let of_kind = |fact: &&PotentialFact| fact.of == subject.kind;
        for fact in binding.possible().iter().filter(of_kind) {
            add(subject.clone(), &fact.family, Some(about(fact, &subject)));
        }
    }
    goals
}

/// Whom the binding's rules find, as far as they find anybody.
fn named(inquiry: &Inquiry<'_>, rules: Rules<'_>, scene: &Scene<'_>) -> Vec<EntityUid> {
    let rules = rules
        .binding
        .into_iter()
        .flat_map(|binding| binding.subjects.iter().chain(&binding.beside).chain(&binding.filters));
    let found = rules.filter_map(|rule| rule.subjects(scene, inquiry.arguments).ok());
    found.flat_map(|named| named.subjects).map(|subject| subject.uid).collect()
}
