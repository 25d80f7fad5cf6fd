//! The engine with a history, as a gateway would use it, whole or with a part knocked out.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock, Mutex};

use kenward_document::Reader;
use kenward_model::{DecisionId, EntityUid, Fact, Place, Timestamp};
use kenward_world::{Change, Source, World, read_directory};
use serde_json::json;

use super::naive::{Rule, World as Released};
use super::{ATTRIBUTES, STEPS};
use crate::engine::{Inquiry, Judge, Opinion, Rules, Settings, before};
use crate::fixtures::server;
use crate::handles::Handles;
use crate::history::{Entry, History};
use crate::vocabulary::Guess;
use crate::{Bindings, CompiledBinding, Inferences, InferencesFile, ServerBindings};

type Told = Vec<(usize, u8)>;

static READER: LazyLock<Reader<InferencesFile>> = LazyLock::new(Reader::new);
static DIRECTORY: LazyLock<World> = LazyLock::new(|| {
    let text = "[ { type: Customer, id: \"0\" }, { type: Customer, id: \"1\" } ]";
    let records = read_directory("directory.yaml", text).unwrap();
    World::empty().apply(&Change::ReplaceAll(Source::Admin, records)).unwrap()
});
static BINDINGS: LazyLock<Mutex<HashMap<Told, Arc<CompiledBinding>>>> =
    LazyLock::new(Mutex::default);

/// A call: about whom, what it tells, and which of several different answers that is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) subject: usize,
    pub(super) told: Told,
    pub(super) variant: u64,
}

/// The part that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KnockOut {
    Nothing,
    /// What is under way does not count until it is released.
    Reservation,
    /// What was released does not count.
    History,
    /// Nothing follows from anything.
    Closure,
    /// All answers count as the same.
    Answers,
    /// When policy has changed, it is not asked again before the release.
    SecondLook,
}

/// A call under way.
struct Pending {
    call: Call,
    decision: DecisionId,
    /// The policies that it was decided on.
    version: u64,
}

pub(super) struct Desk {
    inferences: Inferences,
    pub(super) settings: Settings,
    history: History,
    knock_out: KnockOut,
    pending: Vec<Pending>,
    /// All that was kept, as it would be written.
    log: Vec<String>,
    count: u32,
}

struct Policy<'w>(&'w Released);

impl Judge for Policy<'_> {
    fn may_learn(&mut self, fact: &Fact, _inferred: bool) -> Opinion {
        let attribute = fact.attribute.strip_prefix('a').unwrap().parse().unwrap();
        let subject = fact.subject.id.parse().unwrap();
        let refused = self.0.is_refused(subject, attribute, fact.precision.0);
        if refused { Opinion::No } else { Opinion::Yes }
    }
}

impl Desk {
    pub(super) fn new(rules: &[Rule], knock_out: KnockOut) -> Self {
        let rules = if knock_out == KnockOut::Closure { &[] } else { rules };
        let ledger = knock_out != KnockOut::History;
        Self {
            inferences: inferences(rules),
            settings: Settings { ledger, ..Settings::default() },
            history: History::default(),
            knock_out,
            pending: Vec::new(),
            log: Vec::new(),
            count: 0,
        }
    }

    /// Decides the call; when it is allowed, it is under way.
    pub(super) fn ask(&mut self, call: &Call, world: &Released) {
        self.count += 1;
        let mut entropy = [0; 10];
        entropy[..4].copy_from_slice(&self.count.to_be_bytes());
        let decision = DecisionId::new(Timestamp::from_seconds(0), &entropy);
        let (allowed, entries) = self.decide(call, decision, world);
        self.take(&entries);
        if allowed {
            self.pending.push(Pending { call: call.clone(), decision, version: world.version });
        }
    }

    /// The answer to one of the calls under way comes or breaks off: the call whose answer is
    /// released, and what becomes of the history before that.
    pub(super) fn answer(
        &mut self,
        which: usize,
        comes: bool,
        world: &Released,
    ) -> Option<(Option<Call>, Vec<Entry>)> {
        if self.pending.is_empty() {
            return None;
        }
        let Pending { call, decision, version } = self.pending.remove(which % self.pending.len());
        let undone = vec![Entry::Undone(decision)];
        if !comes {
            return Some((None, undone));
        }
        if version != world.version && self.knock_out != KnockOut::SecondLook {
            let (allowed, entries) = self.decide(&call, decision, world);
            self.take(&entries);
            if !allowed {
                return Some((None, undone));
            }
        }
        if self.knock_out == KnockOut::Reservation {
            let learnt = self.reserved(&call, decision, world);
            return Some((Some(call), learnt));
        }
        Some((Some(call), vec![Entry::Confirmed(decision)]))
    }

    pub(super) fn take(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.history.apply(entry);
            self.log.push(serde_json::to_string(entry).unwrap());
        }
    }

    /// Forgets everything that was not kept.
    pub(super) fn restart(&mut self) {
        let mut history = History::default();
        for line in &self.log {
            history.apply(&serde_json::from_str(line).unwrap());
        }
        assert_eq!(history, self.history, "what was kept makes the same history");
        self.history = history;
    }

    fn decide(&self, call: &Call, decision: DecisionId, world: &Released) -> (bool, Vec<Entry>) {
        let (allowed, mut entries) = self.inquire(call, decision, world);
        if self.knock_out == KnockOut::Reservation {
            entries.retain(|entry| !matches!(entry, Entry::Reserved(..)));
        }
        (allowed, entries)
    }

    /// What would have been reserved, as learnt.
    fn reserved(&self, call: &Call, decision: DecisionId, world: &Released) -> Vec<Entry> {
        let (_, entries) = self.inquire(call, decision, world);
        let mut learnt = Vec::new();
        for entry in entries {
            if let Entry::Reserved(_, reserved) = entry {
                learnt.extend(reserved.into_iter().map(Entry::Learnt));
            }
        }
        learnt
    }

    fn inquire(&self, call: &Call, decision: DecisionId, world: &Released) -> (bool, Vec<Entry>) {
        let binding = binding(&call.told);
        let arguments = json!({ "id": call.subject.to_string(), "variant": call.variant });
        let answer = if self.knock_out == KnockOut::Answers { 1 } else { digest(call) };
        let target = format!("{:?}", call.told);
        let guess = Guess::none();
        let inquiry = Inquiry {
            world: &DIRECTORY,
            handles: &Handles::new([1; 32]),
            history: &self.history,
            settings: &self.settings,
            inferences: &self.inferences,
            person: &EntityUid::new("User", "rep"),
            server: &server(),
            target: &target,
            arguments: &arguments,
            now: Timestamp::from_seconds(1),
            decision,
            answer,
        };
        let rules = Rules { binding: Some(&binding), guess: &guess };
        let made = before(&inquiry, rules, &mut Policy(world));
        (made.stop.is_none(), made.entries)
    }
}

/// The binding of a tool that tells this; the same for all rules.
fn binding(told: &[(usize, u8)]) -> Arc<CompiledBinding> {
    let mut bindings = BINDINGS.lock().unwrap();
    let made = bindings.entry(told.to_vec()).or_insert_with(|| compile(told));
    Arc::clone(made)
}

fn compile(told: &[(usize, u8)]) -> Arc<CompiledBinding> {
    let disclosure = |(attribute, precision): &(usize, u8)| {
        json!({ "of": "Customer", "subject": "$params.arguments.id",
                "attribute": format!("a{attribute}"), "precision": step(*precision) })
    };
    let discloses: Vec<_> = told.iter().map(disclosure).collect();
    let spec = json!({ "parameters": { "variant": { "role": "value" } }, "discloses": discloses });
    let tools = BTreeMap::from([("tool".to_owned(), serde_json::from_value(spec).unwrap())]);
    let specs = BTreeMap::from([(server(), ServerBindings { tools, ..ServerBindings::default() })]);
    let place = |_: &_, _: &str, at: &str| Place::whole(at);
    let bindings = Bindings::compile(&place, &specs, &inferences(&[])).unwrap();
    Arc::clone(bindings.get(&server(), "tool").unwrap())
}

/// Equal for calls that get the same answer.
pub(super) fn digest(call: &Call) -> u64 {
    let mut hasher = DefaultHasher::new();
    call.hash(&mut hasher);
    hasher.finish()
}

fn step(precision: u8) -> String {
    if precision == 0 { "exact".to_owned() } else { format!("p{precision}") }
}

fn inferences(rules: &[Rule]) -> Inferences {
    let scale: Vec<String> = (0..STEPS).map(step).collect();
    let attributes: Vec<String> = (0..ATTRIBUTES).map(|n| format!("a{n}")).collect();
    let mut text = format!(
        "families: {{ f: {{ scale: [{}], attributes: [{}] }} }}\ninferences:\n",
        scale.join(", "),
        attributes.join(", ")
    );
    for rule in rules {
        let premises = rule.premises.iter().map(|(premise, at)| match at {
            Some(at) => format!("{{ attribute: a{premise}, precision: {} }}", step(*at)),
            None => format!("a{premise}"),
        });
        let premises: Vec<String> = premises.collect();
        let (then, at) = (rule.then, step(rule.precision));
        write!(text, "  - {{ then: {{ attribute: a{then}, precision: {at} }}").unwrap();
        write!(text, ", if: [{}]", premises.join(", ")).unwrap();
        if let Some(distinct) = rule.distinct {
            write!(text, ", distinct: {distinct}").unwrap();
        }
        text.push_str(" }\n");
    }
    if rules.is_empty() {
        text = text.replace("inferences:\n", "inferences: []\n");
    }
    Inferences::of_document(&READER.read("i.yaml", &text, None).unwrap()).unwrap()
}
