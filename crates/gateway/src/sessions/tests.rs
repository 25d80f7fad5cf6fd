use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Behind, LARGEST, Opening, Session, Sessions};
use crate::tests::{LEGACY, at, caller, named, party, server};

const IDLE: Duration = Duration::from_mins(30);

fn open(sessions: &Sessions, user: &str, seconds: i64) -> Arc<Session> {
    let opening = Opening {
        can_elicit: false,
        server: server(),
        version: LEGACY,
        behind: Behind::Http(None),
        server_requests: Vec::new(),
    };
    sessions.open(&caller(user), opening, at(seconds)).expect("entropy")
}

fn finds(sessions: &Sessions, session: &Session, user: &str, seconds: i64) -> bool {
    sessions.find(&session.id, &caller(user), &server(), at(seconds)).is_some()
}

fn has_ended(session: &Session) -> bool {
    *session.end_signal().borrow()
}

#[test]
fn a_session_is_found_by_its_party_on_its_route_alone() {
    let sessions = Sessions::new(10, IDLE);
    let session = open(&sessions, "ann", 0);
    assert!(finds(&sessions, &session, "ann", 1));
    for foreign in [
        party("bob", "desktop", "https://idp.example.com"),
        party("ann", "phone", "https://idp.example.com"),
        party("ann", "desktop", "https://other.example.com"),
        party("Ann", "desktop", "https://idp.example.com"),
    ] {
        let found = sessions.find(&session.id, &foreign, &server(), at(1));
        assert!(found.is_none(), "{foreign:?}");
    }
    let elsewhere = sessions.find(&session.id, &caller("ann"), &named("other"), at(1));
    assert!(elsewhere.is_none(), "on another route");
}

#[test]
fn nothing_but_the_whole_id_finds_a_session() {
    let sessions = Sessions::new(10, IDLE);
    let session = open(&sessions, "ann", 0);
    let id = session.id.as_ref();
    let (_, tail) = id.split_at(1);
    let (head, _) = id.split_at(id.len() - 1);
    for wrong in ["", tail, head, &format!("{id} "), &format!("{id}="), &format!("{head}\u{0}")] {
        let found = sessions.find(wrong, &caller("ann"), &server(), at(1));
        assert!(found.is_none(), "{wrong:?}");
    }
}

#[test]
fn ids_are_long_header_values_and_never_the_same() {
    let sessions = Sessions::new(usize::MAX, IDLE);
    let ids: HashSet<_> = (0..500).map(|_| Arc::clone(&open(&sessions, "ann", 0).id)).collect();
    assert_eq!(ids.len(), 500);
    let is_plain =
        |id: &str| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    assert!(ids.iter().all(|id| id.len() == 32 && is_plain(id)));
}

#[test]
fn the_oldest_of_the_party_gives_way_and_nobody_elses() {
    let sessions = Sessions::new(2, IDLE);
    let others = open(&sessions, "bob", 0);
    let first = open(&sessions, "ann", 1);
    let second = open(&sessions, "ann", 2);
    assert!(finds(&sessions, &first, "ann", 10), "used later than the second");
    let third = open(&sessions, "ann", 11);
    assert!(!finds(&sessions, &second, "ann", 12), "the one unused for longest");
    assert!(has_ended(&second));
    for (session, user) in [(&first, "ann"), (&third, "ann"), (&others, "bob")] {
        assert!(finds(&sessions, session, user, 12));
        assert!(!has_ended(session));
    }
}

#[test]
fn a_party_never_has_more_than_it_may() {
    let sessions = Sessions::new(3, IDLE);
    for second in 0..50 {
        let _session = open(&sessions, "ann", second);
        assert!(sessions.by_id.read().expect("the sessions").len() <= 3);
    }
}

#[test]
fn a_look_by_somebody_else_keeps_no_session_alive() {
    let sessions = Sessions::new(10, Duration::from_secs(10));
    let session = open(&sessions, "ann", 0);
    assert!(!finds(&sessions, &session, "bob", 9));
    sessions.end_idle(at(10));
    assert!(!finds(&sessions, &session, "ann", 10));
}

#[test]
fn what_is_not_used_ends_and_what_has_an_open_stream_does_not() {
    let sessions = Sessions::new(10, Duration::from_secs(10));
    let (idle, used, streaming) =
        (open(&sessions, "ann", 0), open(&sessions, "ann", 0), open(&sessions, "ann", 0));
    let stream = streaming.end_signal();
    assert!(finds(&sessions, &used, "ann", 9));
    sessions.end_idle(at(9));
    assert!(!has_ended(&idle), "not idle for long enough");
    sessions.end_idle(at(10));
    assert!(has_ended(&idle) && !finds(&sessions, &idle, "ann", 10));
    assert!(!has_ended(&used) && !has_ended(&streaming));
    drop(stream);
    sessions.end_idle(at(19));
    assert!(has_ended(&used) && has_ended(&streaming));
    assert!(sessions.by_id.read().expect("the sessions").is_empty());
}

#[test]
fn a_clock_that_runs_backwards_ends_nothing() {
    let sessions = Sessions::new(10, Duration::from_secs(10));
    let session = open(&sessions, "ann", 1_000);
    sessions.end_idle(at(0));
    assert!(finds(&sessions, &session, "ann", 0));
}

#[test]
fn an_ended_session_is_gone_and_its_streams_hear_of_it() {
    let sessions = Sessions::new(10, IDLE);
    let (one, other) = (open(&sessions, "ann", 0), open(&sessions, "ann", 0));
    let stream = one.end_signal();
    sessions.end(&one);
    assert!(*stream.borrow() && !finds(&sessions, &one, "ann", 1));
    assert!(finds(&sessions, &other, "ann", 1));
    sessions.end_all();
    assert!(has_ended(&other) && !finds(&sessions, &other, "ann", 1));
}

#[test]
fn an_answer_is_taken_once_and_only_under_the_id_that_was_asked() {
    let session = open(&Sessions::new(10, IDLE), "ann", 0);
    assert!(session.asked(b"1", "elicitation/create"));
    assert!(session.asked(b"\"1\"", "roots/list"), "a text is another id than a number");
    assert_eq!(session.takes_answer(b"2"), None);
    assert_eq!(session.takes_answer(b"1"), Some("elicitation/create"));
    assert_eq!(session.takes_answer(b"1"), None, "a second answer");
    assert_eq!(session.takes_answer(b"\"1\""), Some("roots/list"));
}

#[test]
fn a_second_question_under_an_open_id_does_not_take_the_place_of_the_first() {
    let session = open(&Sessions::new(10, IDLE), "ann", 0);
    assert!(session.asked(b"1", "elicitation/create"));
    assert!(!session.asked(b"1", "sampling/createMessage"));
    assert_eq!(session.takes_answer(b"1"), Some("elicitation/create"));
}

#[test]
fn questions_and_subscriptions_of_one_session_are_bounded() {
    let session = open(&Sessions::new(10, IDLE), "ann", 0);
    for number in 0..LARGEST {
        assert!(session.asked(number.to_string().as_bytes(), "roots/list"));
        session.subscribe(&format!("doc://{number}"));
    }
    assert!(!session.asked(b"\"more\"", "roots/list"));
    session.subscribe("doc://more");
    assert!(!session.is_subscribed("doc://more"));
    assert_eq!(session.takes_answer(b"0"), Some("roots/list"));
    assert!(session.asked(b"\"more\"", "roots/list"), "there is room again");
    session.unsubscribe("doc://0");
    session.subscribe("doc://more");
    assert!(session.is_subscribed("doc://more") && !session.is_subscribed("doc://0"));
}
