//! Links are durable before they count, and cost nothing when they say nothing new.

use kenward_model::ServerName;

use super::*;

fn server() -> ServerName {
    ServerName::try_from("deliveries".to_owned()).expect("a name")
}

fn link(histories: &Histories, handle: &str, owner: &str) -> Linked {
    let handle = histories.handles().key(Some("parcel"), &server(), handle);
    Linked { handle, owner: EntityUid::new("Customer", owner), via: "deliveries/list".into() }
}

fn owners(histories: &Histories, handle: &str) -> Vec<String> {
    let handles = histories.handles();
    let key = handles.key(Some("parcel"), &server(), handle);
    handles.owners(key).iter().map(|owner| owner.id.as_ref().to_owned()).collect()
}

#[tokio::test]
async fn links_are_known_at_once_and_to_the_next_process() {
    let house = House::new();
    let histories = house.histories().await;
    histories.load().await.expect("the state");
    let links = [link(&histories, "P-1", "ann"), link(&histories, "P-2", "bob")];
    histories.link(&links).await.expect("linked");
    let disputed = link(&histories, "P-1", "bob");
    histories.link(&[disputed.clone(), disputed]).await.expect("linked");
    assert_eq!(owners(&histories, "P-1"), ["ann", "bob"]);
    let next = house.histories().await;
    next.load().await.expect("the state");
    assert_eq!(owners(&next, "P-1"), ["ann", "bob"]);
    assert_eq!(owners(&next, "P-2"), ["bob"]);
    assert!(owners(&next, "P-3").is_empty());
}

#[tokio::test]
async fn what_is_known_is_not_written_again() {
    let house = House::new();
    let histories = house.histories().await;
    histories.load().await.expect("the state");
    let links = [link(&histories, "P-1", "ann")];
    histories.link(&links).await.expect("linked");
    histories.state.close().await;
    histories.link(&links).await.expect("nothing to write");
    histories.link(&[]).await.expect("nothing to write");
}

#[tokio::test]
async fn a_link_that_cannot_be_written_is_not_known() {
    let house = House::new();
    let histories = house.histories().await;
    histories.load().await.expect("the state");
    let links = [link(&histories, "P-1", "ann")];
    histories.state.close().await;
    assert_eq!(histories.link(&links).await, Err(Away));
    assert!(owners(&histories, "P-1").is_empty());
}

#[tokio::test]
async fn the_key_of_handles_is_another_in_every_state_and_no_text_is_kept() {
    let (one, other) = (House::new(), House::new());
    let (first, second) = (one.histories().await, other.histories().await);
    first.load().await.expect("the state");
    second.load().await.expect("the state");
    let here = link(&first, "parcel-of-somebody", "ann");
    assert_ne!(here.handle, link(&second, "parcel-of-somebody", "ann").handle);
    first.link(&[here]).await.expect("linked");
    first.state.close().await;
    let bytes = std::fs::read(one.folder.path().join("state.db")).expect("the file");
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("deliveries/list") && !text.contains("parcel-of-somebody"));
}

#[tokio::test]
async fn before_the_state_was_read_no_handle_is_anybodys() {
    let house = House::new();
    let histories = house.histories().await;
    assert!(histories.handles().is_empty());
    histories.state.close().await;
    assert_eq!(histories.load().await, Err(Away));
    assert_eq!(histories.of(&person("ann")).await.err(), Some(Away));
}
