//! Plays the cases of a domain through the real binary.

use std::collections::BTreeMap;
use std::sync::Arc;

use kenward_testkit::{Era, Mcp};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::cases::{self, Case, EraName, FamilyFile, Step};
use crate::domain::Domain;
use crate::judge::{Kind, Outcome};
use crate::layers::Layer;
use crate::seen::Seen;
use crate::stage::Stage;
use crate::verdict;

/// How many cases run at once.
const AT_ONCE: usize = 12;

/// A domain and its cases, read once.
pub(crate) struct Written {
    name: &'static str,
    domain: Arc<Domain>,
    families: Vec<FamilyFile>,
}

/// Every domain with its cases.
pub(crate) fn read() -> Vec<Arc<Written>> {
    let read = |name| {
        let domain = Arc::new(Domain::read(name));
        Arc::new(Written { name, domain, families: cases::families(name) })
    };
    crate::DOMAINS.into_iter().map(read).collect()
}

/// All cases in both eras; each domain and era has a gateway of its own.
pub(crate) async fn all(domains: &[Arc<Written>], layer: Layer) -> Vec<Outcome> {
    let mut playing = JoinSet::new();
    for written in domains {
        for era in Era::BOTH {
            let written = Arc::clone(written);
            playing.spawn(async move { in_era(&written, layer, era).await });
        }
    }
    playing.join_all().await.into_iter().flatten().collect()
}

/// One case, on its way.
pub(crate) struct Playing {
    pub(crate) place: String,
    pub(crate) family: String,
    pub(crate) case: Case,
    pub(crate) kind: Kind,
    pub(crate) number: usize,
    pub(crate) person: String,
    /// The steps between two restarts.
    legs: Vec<Vec<Step>>,
    pub(crate) seen: Vec<(Step, Seen)>,
    clients: BTreeMap<(String, String, String, &'static str), Arc<Mcp>>,
}

async fn in_era(written: &Written, layer: Layer, era: Era) -> Vec<Outcome> {
    let mut playing = gather(written, era);
    let mut stage = Stage::start(Arc::clone(&written.domain), layer, era).await;
    stage.let_in(&users(&stage, &playing)).await;
    let legs = playing.iter().map(|case| case.legs.len()).max().unwrap_or(0);
    for leg in 0..legs {
        if leg > 0 {
            stage.restart().await;
        }
        let shared = Arc::new(stage);
        playing = play_leg(&shared, playing, leg).await;
        stage = Arc::into_inner(shared).expect("nobody plays any more");
    }
    playing.iter().map(|case| verdict::outcome(&stage, case)).collect()
}

/// The entities of everybody who acts.
fn users(stage: &Stage, playing: &[Playing]) -> Vec<Value> {
    let mut users = BTreeMap::new();
    for case in playing {
        let others = case.case.steps.iter().filter_map(|step| step.person.as_ref());
        for person in others.chain([&case.person]) {
            let entity = stage.domain.entity(person, case.number);
            let before = users.insert(entity["id"].to_string(), (entity, case.number));
            let shared = before.is_some_and(|(_, number)| number != case.number);
            assert!(!shared, "{}: another case acts as {person} already", case.place);
        }
    }
    users.into_values().map(|(entity, _)| entity).collect()
}

fn gather(written: &Written, era: Era) -> Vec<Playing> {
    let only = std::env::var("KENWARD_ATTACKS_ONLY").unwrap_or_default();
    let mut playing = Vec::new();
    for file in &written.families {
        for (case, is_attack) in file.cases() {
            let fits = case.only.is_none_or(|named| named_era(named) == era);
            if !fits || !(file.family.contains(&only) || case.name.contains(&only)) {
                continue;
            }
            let kind = match (is_attack, &case.limit) {
                (true, None) => Kind::Attack,
                (true, Some(_)) => Kind::Limit,
                (false, _) => Kind::Twin,
            };
            let person = case.person.clone().or_else(|| file.person.clone());
            playing.push(Playing {
                place: format!("{}, {}, {}, {era:?}", written.name, file.family, case.name),
                family: file.family.clone(),
                kind,
                number: playing.len(),
                person: person.unwrap_or_else(|| panic!("{}: who acts?", case.name)),
                legs: case.steps.split(|step| step.restart).map(<[Step]>::to_vec).collect(),
                case: case.clone(),
                seen: Vec::new(),
                clients: BTreeMap::new(),
            });
        }
    }
    playing
}

fn named_era(named: EraName) -> Era {
    match named {
        EraName::Legacy => Era::Legacy,
        EraName::Modern => Era::Modern,
    }
}

async fn play_leg(stage: &Arc<Stage>, playing: Vec<Playing>, leg: usize) -> Vec<Playing> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for mut case in playing {
        let (stage, room) = (Arc::clone(stage), Arc::clone(&room));
        running.spawn(async move {
            let _place = room.acquire().await.expect("room");
            case.play(&stage, leg).await;
            case
        });
    }
    running.join_all().await
}

impl Playing {
    async fn play(&mut self, stage: &Stage, leg: usize) {
        // The sessions of before a restart are gone.
        self.clients.clear();
        let Some(steps) = self.legs.get(leg).cloned() else { return };
        let same = |a: &Step, b: &Step| a.parallel.is_some() && a.parallel == b.parallel;
        for group in steps.chunk_by(same) {
            let mut clients = Vec::new();
            for step in group {
                clients.push(self.client(stage, step).await);
            }
            let last = self.seen.last().map(|(_, seen)| seen.message.clone()).unwrap_or_default();
            let me = stage.domain.user(&self.person, self.number);
            let all = group
                .iter()
                .zip(&clients)
                .map(|(step, mcp)| Box::pin(stage.perform(step, mcp.as_ref(), &last, &me)));
            let seen = together(all.collect()).await;
            self.seen.extend(group.iter().cloned().zip(seen));
        }
    }

    /// The client that a step is done with: one for each person, agent, server and era.
    async fn client(&mut self, stage: &Stage, step: &Step) -> Option<Arc<Mcp>> {
        let server = step.target()?.split_once('/').expect("a server").0.to_owned();
        let person = step.person.clone().unwrap_or_else(|| self.person.clone());
        let agent = step.agent.clone().unwrap_or_else(|| "assistant".to_owned());
        let era = step.era.map_or(stage.era, named_era);
        let key = (person, agent, server, era.version());
        if let Some(known) = self.clients.get(&key).filter(|_| !step.fresh) {
            return Some(Arc::clone(known));
        }
        let user = stage.domain.user(&key.0, self.number);
        let mcp = Arc::new(stage.connect(&user, &key.1, &key.2, era).await);
        self.clients.insert(key, Arc::clone(&mcp));
        Some(mcp)
    }
}

/// Runs all futures at once, and gives their values in order.
async fn together<F: Future + Unpin>(futures: Vec<F>) -> Vec<F::Output> {
    let mut all: Vec<(F, Option<F::Output>)> =
        futures.into_iter().map(|future| (future, None)).collect();
    std::future::poll_fn(|cx| {
        for (future, value) in all.iter_mut().filter(|(_, value)| value.is_none()) {
            if let std::task::Poll::Ready(ready) = std::pin::Pin::new(future).poll(cx) {
                *value = Some(ready);
            }
        }
        if all.iter().all(|(_, value)| value.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    all.into_iter().filter_map(|(_, value)| value).collect()
}
