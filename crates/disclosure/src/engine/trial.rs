//! A person with a history who calls tools, for tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kenward_model::{DecisionId, EntityUid, Fact, Precision, Timestamp};
use kenward_world::World;
use serde_json::Value;

use super::{Before, Inquiry, Judge, Opinion, Rules, Settings, Stop, Why, before};
use crate::CompiledBinding;
use crate::fixtures::{self, customer};
use crate::handles::Handles;
use crate::history::{Entry, History, ShadowSource};
use crate::inferences::Inferences;
use crate::vocabulary::{Guess, Vocabulary};

const INFERENCES: &str = "
families:
  location:
    scale: [exact, street, area, city, region]
    attributes: [address, nearby_places, route, zip, eta]
  pay: { scale: [exact], attributes: [salary, bonus], budget: { subjects: 2, within: 1d } }
  health: { scale: [exact], attributes: [claims], budget: { subjects: 1, within: 1h, then: refuse } }
inferences:
  - { then: { attribute: address, precision: area }, if: [nearby_places] }
  - { id: mosaic, then: { attribute: identity }, if: [zip, birth_date, gender] }
  - { id: narrowing, then: { attribute: address, precision: street }, if: [nearby_places], distinct: 3 }
  - { id: paper, then: { attribute: mood }, if: [joy], mode: note }
same_person: { Customer: user }
places: [Nashville depot]
";

/// A person, everything around them, and the policies of the moment.
pub(super) struct Trial {
    pub(super) world: World,
    pub(super) inferences: Inferences,
    pub(super) history: History,
    pub(super) handles: Handles,
    pub(super) settings: Settings,
    pub(super) person: EntityUid,
    /// What may not be learnt: subject, attribute, and the coarsest precision that is refused.
    pub(super) refused: Vec<(EntityUid, String, u8)>,
    /// What no policy speaks of.
    pub(super) silent: Vec<EntityUid>,
    pub(super) asked: Vec<(Fact, bool)>,
    pub(super) now: Timestamp,
    tools: BTreeMap<String, Arc<CompiledBinding>>,
    guesses: BTreeMap<String, Guess>,
    calls: u8,
}

struct Policy<'t> {
    refused: &'t [(EntityUid, String, u8)],
    silent: &'t [EntityUid],
    asked: &'t mut Vec<(Fact, bool)>,
}

impl Judge for Policy<'_> {
    fn may_learn(&mut self, fact: &Fact, inferred: bool) -> Opinion {
        self.asked.push((fact.clone(), inferred));
        let is_refused = self.refused.iter().any(|(subject, attribute, coarsest)| {
            *subject == fact.subject
                && *attribute == *fact.attribute
                && fact.precision.0 <= *coarsest
        });
        if is_refused {
            Opinion::No
        } else if self.silent.contains(&fact.subject) {
            Opinion::Silent
        } else {
            Opinion::Yes
        }
    }
}

impl Trial {
    pub(super) fn new() -> Self {
        Self {
            world: fixtures::world(),
            inferences: Inferences::read("i.yaml", INFERENCES).unwrap(),
            history: History::default(),
            handles: Handles::new([7; 32]),
            settings: Settings::default(),
            person: EntityUid::new("User", "rep"),
            refused: Vec::new(),
            silent: Vec::new(),
            asked: Vec::new(),
            now: Timestamp::from_seconds(1_000_000),
            tools: BTreeMap::new(),
            guesses: BTreeMap::new(),
            calls: 0,
        }
    }

    /// Binds a tool.
    pub(super) fn bind(mut self, tool: &str, spec: &Value) -> Self {
        let spec = serde_json::from_value(spec.clone()).unwrap();
        let tools = BTreeMap::from([(tool.to_owned(), spec)]);
        let specs = BTreeMap::from([(
            fixtures::server(),
            crate::ServerBindings { tools, ..crate::ServerBindings::default() },
        )]);
        let place = |_: &_, _: &str, at: &str| kenward_model::Place::whole(at);
        let bindings = crate::Bindings::compile(&place, &specs, &self.inferences).unwrap();
        let binding = Arc::clone(bindings.get(&fixtures::server(), tool).unwrap());
        self.tools.insert(tool.to_owned(), binding);
        self
    }

    /// Binds a tool that tells `attribute` of the customer with the id in `id`.
    pub(super) fn tells(self, tool: &str, attribute: &str) -> Self {
        self.bind(
            tool,
            &serde_json::json!({ "discloses": [
                { "of": "Customer", "subject": "$params.arguments.id", "attribute": attribute },
            ] }),
        )
    }

    /// Offers a tool without a binding, of which its name says what it tells.
    pub(super) fn guessed(mut self, tool: &str) -> Self {
        let guess = Vocabulary::new(&self.inferences.families).guess([tool]);
        self.guesses.insert(tool.to_owned(), guess);
        self
    }

    pub(super) fn refuse(&mut self, id: &str, attribute: &str, coarsest: u8) {
        self.refused.push((customer(id), attribute.to_owned(), coarsest));
    }

    /// Decides a call without taking the decision.
    pub(super) fn decide(&mut self, tool: &str, arguments: &Value) -> Before {
        self.with(tool, arguments, |inquiry, rules, judge| before(inquiry, rules, judge))
    }

    /// Does something with an inquiry about the call.
    pub(super) fn with<T>(
        &mut self,
        tool: &str,
        arguments: &Value,
        look: impl FnOnce(&Inquiry<'_>, Rules<'_>, &mut dyn Judge) -> T,
    ) -> T {
        self.calls += 1;
        let server = fixtures::server();
        let none = Guess::none();
        let guess = self.guesses.get(tool).unwrap_or(&none);
        let rules = Rules { binding: self.tools.get(tool).map(AsRef::as_ref), guess };
        let inquiry = Inquiry {
            world: &self.world,
            handles: &self.handles,
            history: &self.history,
            settings: &self.settings,
            inferences: &self.inferences,
            person: &self.person,
            server: &server,
            target: tool,
            arguments,
            now: self.now,
            decision: decision(self.calls),
            answer: digest(tool, arguments),
        };
        self.asked.clear();
        let mut policy =
            Policy { refused: &self.refused, silent: &self.silent, asked: &mut self.asked };
        look(&inquiry, rules, &mut policy)
    }

    /// Takes the decision; the answer has not come.
    pub(super) fn start(&mut self, tool: &str, arguments: &Value) -> Before {
        let made = self.decide(tool, arguments);
        self.apply(&made.entries);
        made
    }

    /// The decision of the last call.
    pub(super) fn last(&self) -> DecisionId {
        decision(self.calls)
    }

    /// Calls the tool, and releases the answer where it is allowed.
    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> Result<Before, Box<Stop>> {
        let made = self.start(tool, arguments);
        if let Some(stop) = made.stop {
            return Err(Box::new(stop));
        }
        self.history.apply(&Entry::Confirmed(self.last()));
        Ok(made)
    }

    /// Calls the tool about one customer, and says why not.
    pub(super) fn about(&mut self, tool: &str, id: &str) -> Result<(), Why> {
        self.call(tool, &serde_json::json!({ "id": id })).map(drop).map_err(|stop| stop.why)
    }

    pub(super) fn elsewhere(&mut self, tool: &str, arguments: &Value, source: ShadowSource) {
        let entries = self.with(tool, arguments, |inquiry, rules, _| {
            super::refused_elsewhere(inquiry, rules, source)
        });
        self.apply(&entries);
    }

    fn apply(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.history.apply(entry);
        }
    }

    pub(super) fn later(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }
}

pub(super) fn decision(n: u8) -> DecisionId {
    DecisionId::new(Timestamp::from_seconds(0), &[n; 10])
}

fn digest(tool: &str, arguments: &Value) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (tool, arguments.to_string()).hash(&mut hasher);
    hasher.finish()
}

pub(super) fn fact(id: &str, attribute: &str, family: &str, precision: u8) -> Fact {
    Fact {
        subject: customer(id),
        attribute: attribute.into(),
        family: family.into(),
        precision: Precision(precision),
    }
}
