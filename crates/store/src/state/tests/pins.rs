//! Definitions are read back as they were kept, also after a restart.

use super::*;

fn pin(name: &str) -> PinRow {
    PinRow {
        server: ServerName::try_from("deliveries".to_owned()).unwrap(),
        form: "modern".to_owned(),
        kind: "tool".to_owned(),
        name: name.to_owned(),
        status: "changed".to_owned(),
        approved: Some(("{ \"a\":1.0 }".to_owned(), [7; 32])),
        pending: Some(("{\"a\":\"\\u200b\"}".to_owned(), [8; 32])),
        why: None,
        first_seen: Timestamp::from_micros(1),
        changed: Timestamp::from_micros(2),
        decided: Some((Timestamp::from_micros(3), "admin".to_owned())),
    }
}

#[tokio::test]
async fn definitions_survive_and_are_replaced_one_by_one() {
    let (directory, state) = fresh().await;
    assert!(state.pins().await.unwrap().is_empty());
    let bare = PinRow { approved: None, pending: None, decided: None, ..pin("a") };
    state.save_pins(&[bare, pin("b")]).await.unwrap();
    state.save_pins(&[pin("a")]).await.unwrap();
    let state = reopen(&directory, state).await;
    assert_eq!(state.pins().await.unwrap(), [pin("a"), pin("b")]);
}
