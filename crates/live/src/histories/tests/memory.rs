//! What is in memory and on the disk stays small, and nobody's history leaves while it is needed.

use super::*;

#[tokio::test]
async fn whoever_was_not_asked_for_leaves_and_is_found_again() {
    let house = House::new();
    let histories = house.histories().await;
    add(&histories, "idle", &[learnt(1)]).await.expect("kept");
    add(&histories, "held", &[learnt(2)]).await.expect("kept");
    let held = histories.of(&person("held")).await.expect("a history");
    histories.tidy().await.expect("tidy");
    assert!(histories.cached(&person("idle")).is_some(), "used since the last time");
    histories.tidy().await.expect("tidy");
    histories.tidy().await.expect("tidy");
    assert!(histories.cached(&person("idle")).is_none());
    let same = histories.cached(&person("held")).expect("somebody holds it");
    assert!(Arc::ptr_eq(&same, &held));
    let again = histories.of(&person("idle")).await.expect("a history");
    assert_eq!(*again.lock(), of(&[learnt(1)]));
}

#[tokio::test]
async fn whoever_is_asked_for_stays() {
    let house = House::new();
    let histories = house.histories().await;
    let first = Arc::downgrade(&histories.of(&person("ann")).await.expect("a history"));
    for _ in 0..5 {
        drop(histories.cached(&person("ann")).expect("in memory").lock());
        histories.tidy().await.expect("tidy");
    }
    assert!(first.upgrade().is_some());
}

#[tokio::test]
async fn what_needed_no_keeping_is_written_before_it_leaves() {
    let house = House::new();
    let histories = house.histories().await;
    apply(&histories.of(&person("ann")).await.expect("a history"), &[learnt(1)]);
    for _ in 0..3 {
        histories.tidy().await.expect("tidy");
    }
    assert!(histories.cached(&person("ann")).is_none());
    assert_eq!(house.found("ann").await, of(&[learnt(1)]));
}

#[tokio::test]
async fn what_cannot_be_written_does_not_leave() {
    let house = House::new();
    let histories = house.histories().await;
    apply(&histories.of(&person("ann")).await.expect("a history"), &[learnt(1)]);
    histories.state.close().await;
    for _ in 0..3 {
        assert_eq!(histories.tidy().await, Err(Away));
    }
    let held = histories.cached(&person("ann")).expect("in memory");
    assert!(held.lock().knows(&fact(1)));
}

#[tokio::test]
async fn a_long_history_of_little_is_written_short_and_says_the_same() {
    let house = House::new();
    let histories = house.histories().await;
    let mut most = 0;
    for round in 0..40_u64 {
        let entries: Vec<Entry> = (0..50).map(|number| learnt(number % 5 + round % 2)).collect();
        add(&histories, "ann", &entries).await.expect("kept");
        most = most.max(house.lines("ann").await);
    }
    assert!(most < 256, "{most} lines for 6 rows");
    let here = histories.cached(&person("ann")).expect("in memory").lock().clone();
    assert_eq!(here.rows(), 6);
    assert_eq!(house.found("ann").await, here);
    // After a restart too: what was long then is short with the next entry.
    let histories = house.histories().await;
    for _ in 0..300 {
        add(&histories, "ann", &[learnt(1)]).await.expect("kept");
    }
    assert!(house.lines("ann").await < 256);
    assert_eq!(house.found("ann").await.rows(), 6);
}

#[tokio::test]
async fn a_long_history_of_much_is_not_written_anew_all_the_time() {
    let house = House::new();
    let histories = house.histories().await;
    for round in 0..20_u64 {
        let entries: Vec<Entry> = (0..100).map(|number| learnt(round * 100 + number)).collect();
        add(&histories, "ann", &entries).await.expect("kept");
    }
    let database = house.database().await;
    let first: (i64,) = sqlx::query_as("select min(sequence) from history")
        .fetch_one(&database)
        .await
        .expect("a number");
    assert_eq!(house.lines("ann").await, 2_000);
    // Each writing anew starts behind the last line: 256, then every fourfold.
    assert!(first.0 < 2_000, "{}", first.0);
    assert_eq!(house.found("ann").await.rows(), 2_000);
}

#[tokio::test]
async fn written_anew_only_what_has_ended_is_gone() {
    let house = House::new();
    let histories = house.histories().await;
    let long_ago = Entry::Refused(shadow(1, Timestamp::from_seconds(2)));
    add(&histories, "ann", &[long_ago, refused(2), learnt(3), reserved(4)]).await.expect("kept");
    let told: Vec<Entry> = (0..300).map(|_| learnt(3)).collect();
    add(&histories, "ann", &told).await.expect("kept");
    assert_eq!(house.lines("ann").await, 3);
    let found = house.found("ann").await;
    assert_eq!(found, of(&[refused(2), learnt(3), reserved(4)]));
    assert_eq!(found.shadows(Timestamp::from_seconds(1)).count(), 1);
}
