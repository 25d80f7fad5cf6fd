//! The review of one answer with everything around it, for tests.

use std::sync::Arc;

use kenward_model::{DecisionId, EntityUid, Fact, Timestamp};
use kenward_world::World;
use serde_json::{Value, json};

use crate::CompiledBinding;
use crate::engine::{Expects, Inquiry, Judge, Opinion, Rules, Settings};
use crate::fixtures;
use crate::handles::Handles;
use crate::history::{Entry, History, Learnt, Shadow, ShadowSource};
use crate::inferences::Inferences;
use crate::vocabulary::Guess;

use super::{Carrier, Review, review};

/// A binding, and a person who has called the tool.
pub(crate) struct Trial {
    pub(crate) world: World,
    pub(crate) inferences: Inferences,
    pub(crate) history: History,
    pub(crate) handles: Handles,
    pub(crate) settings: Settings,
    pub(crate) person: EntityUid,
    pub(crate) arguments: Value,
    pub(crate) expects: Expects,
    pub(crate) binding: Option<Arc<CompiledBinding>>,
    pub(crate) guess: Guess,
    pub(crate) answer: u64,
}

/// Policy as a function of the fact and of whether it would only follow.
pub(crate) struct Says<F>(pub(crate) F);

impl<F: FnMut(&Fact, bool) -> Opinion> Judge for Says<F> {
    fn may_learn(&mut self, fact: &Fact, inferred: bool) -> Opinion {
        (self.0)(fact, inferred)
    }
}

impl Trial {
    pub(crate) fn unbound() -> Self {
        Self {
            world: fixtures::world(),
            inferences: fixtures::inferences(),
            history: History::default(),
            handles: Handles::new([7; 32]),
            settings: Settings::default(),
            person: EntityUid::new("User", "rep"),
            arguments: json!({}),
            expects: Expects::default(),
            binding: None,
            guess: Guess::none(),
            answer: 1,
        }
    }

    pub(crate) fn of(spec: &Value) -> Self {
        Self { binding: Some(fixtures::binding(spec)), ..Self::unbound() }
    }

    pub(crate) fn about(mut self, subject: &str) -> Self {
        self.expects.subjects.push(fixtures::customer(subject));
        self
    }

    /// Reviews `result` in place; nothing of the customers `refused` may be learnt.
    pub(crate) fn refusing(
        &self,
        refused: &[&str],
        carrier: Carrier,
        result: &mut Value,
    ) -> Review {
        self.judged(carrier, result, |fact, _| {
            if refused.contains(&&*fact.subject.id) { Opinion::Silent } else { Opinion::Yes }
        })
    }

    pub(crate) fn judged(
        &self,
        carrier: Carrier,
        result: &mut Value,
        judge: impl FnMut(&Fact, bool) -> Opinion,
    ) -> Review {
        let before = result.clone();
        let inquiry = Inquiry {
            world: &self.world,
            handles: &self.handles,
            history: &self.history,
            settings: &self.settings,
            inferences: &self.inferences,
            person: &self.person,
            server: &fixtures::server(),
            target: "tool",
            arguments: &self.arguments,
            now: now(),
            decision: decision(),
            answer: self.answer,
        };
        let rules = Rules { binding: self.binding.as_deref(), guess: &self.guess };
        let reviewed = review(&inquiry, rules, &self.expects, carrier, result, &mut Says(judge));
        assert_eq!(reviewed.changed, *result != before, "changed means changed: {result}");
        reviewed
    }

    /// The person was told the attribute of the customer before, in another call.
    pub(crate) fn learn(&mut self, subject: &str, attribute: &str, answer: u64) {
        let learnt = Learnt {
            fact: fact(subject, attribute, &self.inferences),
            first: now(),
            last: now(),
            via: "deliveries/other".into(),
            decision: DecisionId::new(now(), &[9; 10]),
            answers: vec![answer],
        };
        self.history.apply(&Entry::Learnt(learnt));
    }

    /// Something of the family was refused of the customer before.
    pub(crate) fn shadow(&mut self, subject: &str, family: &str, source: ShadowSource, tool: &str) {
        self.history.apply(&Entry::Refused(Shadow {
            subject: Some(fixtures::customer(subject)),
            family: family.into(),
            fact: Some(fact(subject, "address", &self.inferences)),
            source,
            cast: now(),
            expires: now().plus(std::time::Duration::from_mins(1)),
            decision: decision(),
            tools: vec![tool.into()],
        }));
    }
}

pub(crate) fn fact(subject: &str, attribute: &str, inferences: &Inferences) -> Fact {
    Fact {
        subject: fixtures::customer(subject),
        attribute: attribute.into(),
        family: inferences.families.family_of(attribute),
        precision: kenward_model::Precision::EXACT,
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(1_000_000)
}

pub(crate) fn decision() -> DecisionId {
    DecisionId::new(now(), &[1; 10])
}
