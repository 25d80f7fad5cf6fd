//! Lines of histories: whole, in order, without gaps, and by one writer.

use super::*;

fn person(id: &str) -> EntityUid {
    EntityUid::new("User", id)
}

fn pages(id: &str, first: u64, lines: &[&str]) -> Pages {
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    Pages { person: person(id), first, lines, whole: false }
}

fn whole(id: &str, first: u64, lines: &[&str]) -> Pages {
    Pages { whole: true, ..pages(id, first, lines) }
}

async fn lines(state: &State, id: &str) -> (u64, Vec<String>) {
    let stored = state.history(&person(id)).await.unwrap();
    (stored.last, stored.lines)
}

fn said(last: u64, lines: &[&str]) -> (u64, Vec<String>) {
    (last, lines.iter().map(|line| (*line).to_owned()).collect())
}

#[tokio::test]
async fn lines_are_read_as_they_were_written_each_persons_apart() {
    let (directory, state) = fresh().await;
    let claim = state.claim_histories().await.unwrap();
    let odd = "'; drop table history; -- \"\u{0}é\\";
    let both = [pages("ann", 1, &["a", odd]), pages(odd, 1, &["b"])];
    state.save_histories(claim, &both).await.unwrap();
    state.save_histories(claim, &[pages("ann", 3, &["", "123"])]).await.unwrap();
    let state = reopen(&directory, state).await;
    assert_eq!(lines(&state, "ann").await, said(4, &["a", odd, "", "123"]));
    assert_eq!(lines(&state, odd).await, said(1, &["b"]));
    for nobody in ["Ann", "an", "ann ", ""] {
        assert_eq!(lines(&state, nobody).await, said(0, &[]), "{nobody}");
    }
    assert_eq!(state.history(&EntityUid::new("Us", "erann")).await.unwrap(), Stored::default());
}

#[tokio::test]
async fn lines_past_the_ninth_stay_in_the_order_of_their_numbers() {
    let (_directory, state) = fresh().await;
    let claim = state.claim_histories().await.unwrap();
    for number in 1..=120 {
        let line = number.to_string();
        state.save_histories(claim, &[pages("ann", number, &[&line])]).await.unwrap();
    }
    let wanted: Vec<String> = (1..=120).map(|number: u64| number.to_string()).collect();
    assert_eq!(lines(&state, "ann").await, (120, wanted));
}

#[tokio::test]
async fn a_line_is_never_written_over_and_one_conflict_undoes_all() {
    let (_directory, state) = fresh().await;
    let claim = state.claim_histories().await.unwrap();
    state.save_histories(claim, &[pages("ann", 1, &["a", "b"])]).await.unwrap();
    for wrong in [pages("ann", 2, &["x", "y"]), pages("ann", 1, &["a"])] {
        for others in [pages("bob", 1, &["b"]), whole("bob", 1, &["b"])] {
            let error = state.save_histories(claim, &[others, wrong.clone()]).await.unwrap_err();
            assert!(matches!(error, StateError::Database { .. }), "{error}");
        }
    }
    assert_eq!(lines(&state, "ann").await, said(2, &["a", "b"]));
    assert_eq!(lines(&state, "bob").await, said(0, &[]));
}

#[tokio::test]
async fn a_whole_history_takes_the_place_of_one_persons_lines_alone() {
    let (_directory, state) = fresh().await;
    let claim = state.claim_histories().await.unwrap();
    let both = [pages("ann", 1, &["a", "b", "c"]), pages("bob", 1, &["d"])];
    state.save_histories(claim, &both).await.unwrap();
    let mixed = [whole("ann", 4, &["abc"]), pages("bob", 2, &["e"])];
    state.save_histories(claim, &mixed).await.unwrap();
    assert_eq!(lines(&state, "ann").await, said(4, &["abc"]));
    assert_eq!(lines(&state, "bob").await, said(2, &["d", "e"]));
    state.save_histories(claim, &[pages("ann", 5, &["f"])]).await.unwrap();
    assert_eq!(lines(&state, "ann").await, said(5, &["abc", "f"]));
    state.save_histories(claim, &[whole("ann", 6, &[])]).await.unwrap();
    assert_eq!(lines(&state, "ann").await, said(0, &[]));
}

#[tokio::test]
async fn whoever_claimed_before_writes_nothing_any_more() {
    let (directory, first) = fresh().await;
    let old = first.claim_histories().await.unwrap();
    first.save_histories(old, &[pages("ann", 1, &["a"])]).await.unwrap();
    let second = State::open(&url(directory.path())).await.unwrap();
    let new = second.claim_histories().await.unwrap();
    assert_ne!(old, new);
    for wrong in [
        pages("ann", 2, &["x"]),
        whole("ann", 2, &["x"]),
        whole("ann", 2, &[]),
        pages("bob", 1, &["x"]),
    ] {
        let error = first.save_histories(old, &[wrong]).await.unwrap_err();
        assert!(matches!(error, StateError::Superseded), "{error}");
    }
    assert_eq!(lines(&second, "ann").await, said(1, &["a"]));
    assert_eq!(lines(&second, "bob").await, said(0, &[]));
    second.save_histories(new, &[pages("ann", 2, &["b"])]).await.unwrap();
    assert_eq!(lines(&first, "ann").await, said(2, &["a", "b"]));
}

#[tokio::test]
async fn a_line_that_is_gone_is_not_passed_over() {
    let (_directory, state) = fresh().await;
    let claim = state.claim_histories().await.unwrap();
    state.save_histories(claim, &[pages("ann", 1, &["a", "b", "c"])]).await.unwrap();
    state.pool.execute("delete from history where sequence = 2").await.unwrap();
    let error = state.history(&person("ann")).await.unwrap_err();
    assert!(matches!(error, StateError::Row("history")), "{error}");
}

#[tokio::test]
async fn numbers_without_a_place_in_the_table_are_refused() {
    let (_directory, state) = fresh().await;
    let claim = state.claim_histories().await.unwrap();
    for first in [u64::MAX, u64::MAX - 5, 1 << 63] {
        assert!(state.save_histories(claim, &[pages("ann", first, &["a"])]).await.is_err());
    }
    assert_eq!(lines(&state, "ann").await, said(0, &[]));
}
