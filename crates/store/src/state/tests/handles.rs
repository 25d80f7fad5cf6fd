//! Handles are read in the order in which they came, and their key is made once.

use super::*;

fn row(handle: u8, owner: &str) -> HandleRow {
    let owner = EntityUid::new("Customer", owner);
    HandleRow { handle: [handle; 16], owner, via: "deliveries/track".to_owned() }
}

#[tokio::test]
async fn the_key_is_the_first_that_was_offered_and_stays() {
    let (directory, state) = fresh().await;
    assert_eq!(state.history_key(&[1; 32]).await.unwrap(), [1; 32]);
    assert_eq!(state.history_key(&[2; 32]).await.unwrap(), [1; 32]);
    let state = reopen(&directory, state).await;
    assert_eq!(state.history_key(&[3; 32]).await.unwrap(), [1; 32]);
    state.pool.execute("update secrets set value = x'00'").await.unwrap();
    assert!(matches!(state.history_key(&[4; 32]).await, Err(StateError::Row(_))));
}

#[tokio::test]
async fn handles_are_read_as_they_were_saved_and_kept_once() {
    let (directory, state) = fresh().await;
    let (a, b, disputed) = (row(255, "ann"), row(0, "'; --\u{0}"), row(255, "bob"));
    state.save_handles(&[a.clone(), b.clone()], 100).await.unwrap();
    let again = HandleRow { via: "other/tool".to_owned(), ..a.clone() };
    state.save_handles(&[again, disputed.clone(), disputed.clone()], 100).await.unwrap();
    let state = reopen(&directory, state).await;
    assert_eq!(state.handles().await.unwrap(), [a, b, disputed]);
}

#[tokio::test]
async fn of_too_many_the_oldest_are_forgotten() {
    let (_directory, state) = fresh().await;
    for number in 0..10 {
        state.save_handles(&[row(number, "ann")], 4).await.unwrap();
    }
    let kept: Vec<u8> = state.handles().await.unwrap().iter().map(|row| row.handle[0]).collect();
    assert_eq!(kept, [6, 7, 8, 9]);
    state.save_handles(&[row(6, "ann")], 4).await.unwrap();
    assert_eq!(state.handles().await.unwrap().len(), 4, "what is there already pushes nobody out");
}

#[tokio::test]
async fn a_damaged_handle_is_said_and_not_left_out() {
    let (_directory, state) = fresh().await;
    state.save_handles(&[row(1, "ann"), row(2, "ann")], 100).await.unwrap();
    state.pool.execute("update handles set handle = x'00' where number = 2").await.unwrap();
    assert!(matches!(state.handles().await, Err(StateError::Row("handle"))));
}
