//! Nothing that was kept is lost, and nobody reads a history that is not theirs or not whole.

use std::path::Path;
use std::sync::Arc;

use kenward_disclosure::{Entry, History, Learnt, ShadowSource};
use kenward_model::{DecisionId, EntityUid, Fact, Precision, Timestamp};
use sqlx::Executor as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tempfile::TempDir;

use super::*;

mod answers;
mod crashes;
mod failures;
mod killed;
mod links;
mod memory;
mod speed;

/// A state in a folder of its own.
struct House {
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    async fn histories(&self) -> Histories {
        histories(self.folder.path()).await
    }

    /// A connection past the state.
    async fn database(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("state.db"));
        SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("a database")
    }

    /// The history of `id` as another process finds it.
    async fn found(&self, id: &str) -> History {
        let histories = self.histories().await;
        let held = histories.of(&person(id)).await.expect("a history");
        held.lock().clone()
    }

    async fn lines(&self, id: &str) -> usize {
        let state = state(self.folder.path()).await;
        state.history(&person(id)).await.expect("the state").lines.len()
    }
}

async fn state(folder: &Path) -> State {
    State::open(&format!("sqlite:{}", folder.join("state.db").display())).await.expect("a state")
}

async fn histories(folder: &Path) -> Histories {
    Histories::new(state(folder).await)
}

fn person(id: &str) -> EntityUid {
    EntityUid::new("User", id)
}

fn decision(number: u64) -> DecisionId {
    let mut entropy = [0; 10];
    entropy[2..].copy_from_slice(&number.to_be_bytes());
    DecisionId::new(Timestamp::from_seconds(0), &entropy)
}

fn fact(subject: u64) -> Fact {
    Fact {
        subject: EntityUid::new("Customer", subject.to_string()),
        attribute: "address".into(),
        family: "location".into(),
        precision: Precision(0),
    }
}

fn row(subject: u64) -> Learnt {
    let at = Timestamp::from_seconds(1);
    Learnt {
        fact: fact(subject),
        first: at,
        last: at,
        via: "desk/find".into(),
        decision: decision(subject),
        answers: vec![subject],
    }
}

fn learnt(subject: u64) -> Entry {
    Entry::Learnt(row(subject))
}

fn reserved(number: u64) -> Entry {
    Entry::Reserved(decision(number), vec![row(number)])
}

fn shadow(subject: u64, expires: Timestamp) -> Shadow {
    Shadow {
        subject: Some(EntityUid::new("Customer", subject.to_string())),
        family: "location".into(),
        fact: Some(fact(subject)),
        source: ShadowSource::Policy,
        cast: Timestamp::from_seconds(1),
        expires,
        decision: decision(subject),
        tools: vec!["desk/find".into()],
    }
}

fn refused(subject: u64) -> Entry {
    Entry::Refused(shadow(subject, never()))
}

fn missed(subject: u64) -> Entry {
    let subject = EntityUid::new("Customer", subject.to_string());
    Entry::Missed { subject, attribute: "address".into() }
}

fn never() -> Timestamp {
    Timestamp::from_micros(i64::MAX)
}

fn apply(held: &Held, entries: &[Entry]) {
    let mut history = held.lock();
    for entry in entries {
        history.apply(entry);
    }
}

/// Applies and keeps, as a decision does.
async fn add(histories: &Histories, id: &str, entries: &[Entry]) -> Result<(), Away> {
    let held = histories.of(&person(id)).await?;
    apply(&held, entries);
    histories.keep(&person(id), entries).await
}

fn of(entries: &[Entry]) -> History {
    let mut history = History::default();
    for entry in entries {
        history.apply(entry);
    }
    history
}

#[tokio::test]
async fn what_was_kept_is_found_by_the_next_process_each_persons_apart() {
    let house = House::new();
    let histories = house.histories().await;
    let anns = [reserved(1), refused(2), learnt(3), missed(4), missed(4)];
    add(&histories, "ann", &anns).await.expect("kept");
    add(&histories, "ann", &[Entry::Confirmed(decision(1))]).await.expect("kept");
    add(&histories, "bob", &[learnt(9)]).await.expect("kept");
    let all: Vec<Entry> = anns.into_iter().chain([Entry::Confirmed(decision(1))]).collect();
    assert_eq!(house.found("ann").await, of(&all));
    assert_eq!(house.found("bob").await, of(&[learnt(9)]));
    assert!(house.found("Ann").await.is_empty());
}

#[tokio::test]
async fn a_reservation_that_nobody_confirmed_still_counts_after_a_crash() {
    let house = House::new();
    add(&house.histories().await, "ann", &[reserved(1)]).await.expect("kept");
    let found = house.found("ann").await;
    assert!(found.knows(&fact(1)) && found.is_reserved(decision(1)));
}

#[tokio::test]
async fn everybody_who_asks_gets_the_same_history() {
    let house = House::new();
    let histories = Arc::new(house.histories().await);
    assert!(histories.cached(&person("ann")).is_none(), "nobody has waited for it yet");
    let asking = (0..50).map(|_| {
        let histories = Arc::clone(&histories);
        tokio::spawn(async move { histories.of(&person("ann")).await })
    });
    let mut first: Option<Arc<Held>> = None;
    for asked in asking.collect::<Vec<_>>() {
        let held = asked.await.expect("an end").expect("a history");
        assert!(first.as_ref().is_none_or(|first| Arc::ptr_eq(first, &held)));
        first = Some(held);
    }
    let cached = histories.cached(&person("ann")).expect("in memory");
    assert!(Arc::ptr_eq(&cached, &first.expect("fifty")));
}

#[tokio::test]
async fn what_adds_nothing_writes_nothing() {
    let house = House::new();
    let histories = house.histories().await;
    let held = histories.of(&person("ann")).await.expect("a history");
    histories.state.close().await;
    histories.keep(&person("ann"), &[]).await.expect("nothing to do");
    histories.keep(&person("nobody"), &[]).await.expect("nothing to do");
    assert!(held.lock().is_empty());
    assert_eq!(house.lines("ann").await, 0);
}

#[tokio::test]
async fn keeping_what_was_applied_to_nobody_is_an_error() {
    let house = House::new();
    let histories = house.histories().await;
    histories.load().await.expect("the state");
    assert_eq!(histories.keep(&person("ann"), &[learnt(1)]).await, Err(Away));
}

#[tokio::test]
async fn what_needs_no_keeping_is_written_with_the_next_in_its_place() {
    let house = House::new();
    let histories = house.histories().await;
    let held = histories.of(&person("ann")).await.expect("a history");
    let all = [reserved(1), reserved(2), Entry::Undone(decision(1)), learnt(3)];
    add(&histories, "ann", &all[..2]).await.expect("kept");
    apply(&held, &all[2..3]);
    assert_eq!(house.lines("ann").await, 2);
    let histories = house.histories().await;
    let held = histories.of(&person("ann")).await.expect("a history");
    apply(&held, &all[2..3]);
    add(&histories, "ann", &all[3..]).await.expect("kept");
    assert_eq!(house.found("ann").await, of(&all));
}

/// Does sixty things to Ann; which of them comes last decides what is left, so the order shows.
async fn race(histories: Arc<Histories>, racer: u64) {
    for number in 0..60 {
        let (subject, family) = (Some(fact(number % 7).subject), "location".into());
        let entry = match (racer + number) % 3 {
            0 => refused(number % 7),
            1 => Entry::Lifted { subject, family, source: ShadowSource::Policy },
            _ => Entry::Reserved(decision(racer * 1_000 + number), vec![row(number)]),
        };
        add(&histories, "ann", &[entry]).await.expect("kept");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_calls_of_one_person_are_found_in_the_order_in_which_they_were_decided() {
    let house = House::new();
    let histories = Arc::new(house.histories().await);
    let racing = (0..8).map(|racer| tokio::spawn(race(Arc::clone(&histories), racer)));
    for racer in racing.collect::<Vec<_>>() {
        racer.await.expect("an end");
    }
    let here = histories.cached(&person("ann")).expect("in memory").lock().clone();
    assert_eq!(house.found("ann").await, here);
}

#[tokio::test]
async fn a_burst_of_different_people_shares_transactions() {
    let house = House::new();
    let histories = house.histories().await;
    let names: Vec<String> = (0..500).map(|number| format!("u{number}")).collect();
    for name in &names {
        histories.of(&person(name)).await.expect("a history");
    }
    let entry = [learnt(1)];
    let burst = names.iter().map(|name| add(&histories, name, &entry));
    for kept in futures_util::future::join_all(burst).await {
        kept.expect("kept");
    }
    let attempts = histories.writing.attempts();
    assert!(attempts <= 3, "{attempts} transactions");
    for name in ["u0", "u250", "u499"] {
        assert_eq!(house.lines(name).await, 1);
    }
}
