//! Definitions are kept before they count, and what the policies do not bear is not approved.

use std::sync::Arc;

use kenward_definitions::{EventKind, Form, Key, Kind, Mode, Sight, Status};
use kenward_model::Timestamp;
use kenward_store::State;

use super::Judged;
use crate::tests::{OPEN, RULES, desk, server, state, unseen};
use crate::{ChangeRefused, Live};

fn sight(mode: Mode) -> Sight {
    Sight { form: Form::Legacy, kind: Kind::Tool, mode, now: Timestamp::from_micros(1) }
}

fn key() -> Key {
    Key { form: Form::Legacy, kind: Kind::Tool, name: "track".into() }
}

fn definition(kind: &str) -> String {
    format!(
        r#"{{"name":"track","inputSchema":{{"type":"object","properties":{{"weight":{{"type":"{kind}"}}}}}}}}"#
    )
}

async fn live(state: State, rules: &str) -> Live {
    let desk = desk(rules, vec![unseen("track")]);
    let compiled = desk.compile().expect("policies");
    let live = Live::new(desk, compiled, kenward_world::World::empty(), state);
    live.load_definitions().await.expect("definitions");
    live
}

async fn see(live: &Live, mode: Mode, text: &str) -> Vec<EventKind> {
    let events =
        live.see(&server(), &sight(mode), &[("track", text, None)]).await.expect("a state");
    events.into_iter().map(|event| event.kind).collect()
}

fn status(live: &Live) -> Status {
    live.load().shelves[&server()].get(Form::Legacy, Kind::Tool, "track").expect("it").status
}

#[tokio::test]
async fn what_was_seen_and_judged_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = live(state(folder.path()).await, OPEN).await;
    let first = definition("integer");
    assert_eq!(see(&one, Mode::Pin, &first).await, [EventKind::Approved]);
    let before = one.load().generation;
    assert_eq!(see(&one, Mode::Pin, &first).await, []);
    assert_eq!(one.load().generation, before, "nothing new is nothing to announce");
    assert_eq!(see(&one, Mode::Pin, &definition("string")).await, [EventKind::Changed]);
    assert!(one.load().generation > before);
    one.state().close().await;

    let two = live(state(folder.path()).await, OPEN).await;
    assert_eq!(status(&two), Status::Changed);
    assert_eq!(two.load().shelves, one.load().shelves);
    let by = ("admin", Timestamp::from_micros(5));
    let judged = two.judge_definitions(&server(), &[key()], Judged::Approved, by).await;
    assert_eq!(judged.expect("an approval"), [key()]);
    let schema = two.load().schema(&server(), "track").cloned().expect("a schema");
    assert_eq!(schema["properties"]["weight"]["type"], "string", "policies read what is approved");
    two.state().close().await;

    let three = live(state(folder.path()).await, OPEN).await;
    assert_eq!(status(&three), Status::Approved);
    assert_eq!(three.load().approved_tools(&server()).len(), 1);
}

#[tokio::test]
async fn what_the_policies_do_not_bear_is_not_approved() {
    let folder = tempfile::tempdir().expect("a folder");
    let live = live(state(folder.path()).await, RULES).await;
    see(&live, Mode::Approve, &definition("string")).await;
    let by = ("admin", Timestamp::from_micros(5));
    let judged = live.judge_definitions(&server(), &[key()], Judged::Approved, by).await;
    assert!(matches!(judged, Err(ChangeRefused::Policies(_))), "{judged:?}");
    assert_eq!(status(&live), Status::Waiting);
    see(&live, Mode::Approve, &definition("integer")).await;
    let judged = live.judge_definitions(&server(), &[key()], Judged::Approved, by).await;
    assert_eq!(judged.expect("an approval"), [key()]);
}

#[tokio::test]
async fn what_cannot_be_kept_does_not_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let live = live(state(folder.path()).await, OPEN).await;
    live.state().close().await;
    let text = definition("integer");
    let seen = live.see(&server(), &sight(Mode::Pin), &[("track", &text, None)]).await;
    assert!(matches!(seen, Err(ChangeRefused::Storage(_))), "{seen:?}");
    assert!(live.load().shelves.is_empty());
}

#[test]
fn judging_is_of_what_was_seen() {
    let none = kenward_definitions::Shelf::default();
    assert!(none.approve(&key(), "admin", Timestamp::from_micros(1)).is_none());
    assert!(Arc::new(none).refuse(&key(), "admin", Timestamp::from_micros(1)).is_none());
}
