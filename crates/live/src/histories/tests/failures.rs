//! When the state is away nothing is acknowledged, and nothing in memory is forgotten.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// Refuses every line from now on, as a full disk does.
const FULL: &str = "create trigger full before insert on history \
    begin select raise(fail, 'database or disk is full'); end";
const ROOM: &str = "drop trigger full";

#[tokio::test]
async fn a_closed_state_answers_nobody_new_and_keeps_nothing() {
    let house = House::new();
    let histories = house.histories().await;
    add(&histories, "ann", &[learnt(1)]).await.expect("kept");
    histories.state.close().await;
    assert_eq!(histories.of(&person("bob")).await.err(), Some(Away));
    assert_eq!(add(&histories, "ann", &[learnt(2)]).await, Err(Away));
    let held = histories.cached(&person("ann")).expect("what is in memory can still be read");
    assert!(held.lock().knows(&fact(2)), "it counts, for it may have been written");
    assert_eq!(house.found("ann").await, of(&[learnt(1)]));
}

#[tokio::test]
async fn what_a_full_disk_refused_is_written_when_there_is_room() {
    let house = House::new();
    let (histories, database) = (house.histories().await, house.database().await);
    add(&histories, "ann", &[reserved(1), refused(2)]).await.expect("kept");
    database.execute(FULL).await.expect("a trigger");
    for number in 3..6 {
        assert_eq!(add(&histories, "ann", &[reserved(number)]).await, Err(Away));
    }
    assert_eq!(add(&histories, "bob", &[learnt(1)]).await, Err(Away));
    assert_eq!(house.lines("ann").await, 2);
    database.execute(ROOM).await.expect("no trigger");
    let undone = [Entry::Undone(decision(4))];
    apply(&histories.of(&person("ann")).await.expect("a history"), &undone);
    histories.keep(&person("ann"), &undone).await.expect("kept");
    let all = [reserved(1), refused(2), reserved(3), reserved(5)];
    histories.flush().await.expect("bob's too");
    let stored = state(house.folder.path()).await;
    assert_eq!(stored.history(&person("bob")).await.expect("the state").lines.len(), 1);
    assert_eq!(house.found("ann").await, of(&all));
}

#[tokio::test]
async fn while_the_state_is_away_what_waits_does_not_grow_without_end() {
    let house = House::new();
    let (histories, database) = (house.histories().await, house.database().await);
    histories.load().await.expect("the state");
    database.execute(FULL).await.expect("a trigger");
    let held = histories.of(&person("ann")).await.expect("a history");
    for round in 0..30 {
        let many: Vec<Entry> = (0..1_000).map(|number| learnt(number % 10 + round)).collect();
        apply(&held, &many);
        assert_eq!(histories.keep(&person("ann"), &many).await, Err(Away));
        assert!(held.waiting() <= 1_024);
    }
    database.execute(ROOM).await.expect("no trigger");
    apply(&held, &[refused(1)]);
    histories.keep(&person("ann"), &[refused(1)]).await.expect("kept");
    assert_eq!(house.lines("ann").await, 40);
    let here = held.lock().clone();
    assert_eq!(house.found("ann").await, here);
}

#[tokio::test]
async fn one_failure_answers_all_who_waited_for_it() {
    let house = House::new();
    let (histories, database) = (house.histories().await, house.database().await);
    let names: Vec<String> = (0..200).map(|number| format!("u{number}")).collect();
    for name in &names {
        histories.of(&person(name)).await.expect("a history");
    }
    database.execute(FULL).await.expect("a trigger");
    let entry = [learnt(1)];
    let burst = names.iter().map(|name| add(&histories, name, &entry));
    let answers = futures_util::future::join_all(burst).await;
    assert!(answers.iter().all(|answer| *answer == Err(Away)));
    let attempts = histories.writing.attempts();
    assert!(attempts <= 3, "{attempts} attempts");
}

#[tokio::test]
async fn a_caller_who_goes_away_breaks_off_nothing_for_others() {
    let house = House::new();
    let histories = house.histories().await;
    for name in ["ann", "bob"] {
        histories.of(&person(name)).await.expect("a history");
    }
    for number in 0..20 {
        let entry = [learnt(number)];
        let mut gone = Box::pin(add(&histories, "ann", &entry));
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        for _ in 0..=number % 3 {
            assert!(gone.as_mut().poll(&mut context).is_pending());
        }
        drop(gone);
        add(&histories, "bob", &entry).await.expect("kept");
    }
    let all: Vec<Entry> = (0..20).map(learnt).collect();
    histories.flush().await.expect("flushed");
    assert_eq!(house.found("bob").await, of(&all));
    assert_eq!(house.found("ann").await, of(&all));
}

#[tokio::test]
async fn a_process_that_was_replaced_decides_and_writes_nothing_more() {
    let house = House::new();
    let old = house.histories().await;
    add(&old, "ann", &[learnt(1)]).await.expect("kept");
    let new = house.histories().await;
    add(&new, "ann", &[learnt(2)]).await.expect("kept");
    assert_eq!(add(&old, "ann", &[learnt(3)]).await, Err(Away));
    assert!(old.cached(&person("ann")).is_none());
    assert_eq!(old.of(&person("ann")).await.err(), Some(Away));
    assert_eq!(old.of(&person("bob")).await.err(), Some(Away));
    add(&new, "ann", &[learnt(4)]).await.expect("kept");
    assert_eq!(house.found("ann").await, of(&[learnt(1), learnt(2), learnt(4)]));
}

#[tokio::test]
async fn a_damaged_history_is_nobodys_empty_one() {
    for damage in [
        "update history set entry = '{}' where sequence = 2",
        "update history set entry = '' where sequence = 3",
        "update history set entry = substr(entry, 1, 40) where sequence = 1",
        "delete from history where sequence = 2",
    ] {
        let house = House::new();
        let histories = house.histories().await;
        let entries = [reserved(1), refused(2), learnt(3)];
        for name in ["ann", "bob"] {
            add(&histories, name, &entries).await.expect("kept");
        }
        let damage = format!("{damage} and person_id = 'ann'");
        house.database().await.execute(sqlx::AssertSqlSafe(damage.clone())).await.expect("damage");
        let next = house.histories().await;
        for _ in 0..2 {
            assert_eq!(next.of(&person("ann")).await.err(), Some(Away), "{damage}");
        }
        assert_eq!(*next.of(&person("bob")).await.expect("whole").lock(), of(&entries));
    }
}

#[tokio::test]
async fn a_panic_of_whoever_reads_leaves_the_history_as_it_was() {
    let house = House::new();
    let histories = house.histories().await;
    let held = histories.of(&person("ann")).await.expect("a history");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut history = held.lock();
        history.apply(&refused(1));
        panic!("a rule broke");
    }));
    assert!(panicked.is_err());
    assert_eq!(*held.lock(), of(&[refused(1)]));
    add(&histories, "ann", &[learnt(2)]).await.expect("kept");
    assert_eq!(house.found("ann").await, of(&[refused(1), learnt(2)]));
}

#[tokio::test]
async fn a_history_that_was_changed_by_half_serves_nobody() {
    let house = House::new();
    let histories = house.histories().await;
    add(&histories, "ann", &[learnt(1)]).await.expect("kept");
    let held = histories.cached(&person("ann")).expect("in memory");
    held.tear();
    assert!(histories.cached(&person("ann")).is_none());
    assert_eq!(histories.of(&person("ann")).await.err(), Some(Away));
    apply(&held, &[learnt(2)]);
    assert_eq!(histories.keep(&person("ann"), &[learnt(2)]).await, Err(Away));
    assert!(histories.cached(&person("ann")).is_none(), "another entry mends nothing");
    drop(held);
    let again = histories.of(&person("ann")).await.expect("a history");
    assert_eq!(*again.lock(), of(&[learnt(1)]), "what the disk has is whole");
}
