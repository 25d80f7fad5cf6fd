use bytes::Bytes;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;

use super::{QUEUE, Router};

const PROGRESS: &str = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}"#;
const LOGGED: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#;
const CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
const UPDATED: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"doc://a"}}"#;
const ASKED: &str = r#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#;

fn response(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
}

fn deliver(router: &Router, line: &str) {
    router.deliver(Bytes::from(line.to_owned()));
}

/// Everything that waits for a reader now, and whether more may come.
fn waiting(reader: &mut Receiver<Bytes>) -> (Vec<String>, bool) {
    let mut lines = Vec::new();
    loop {
        match reader.try_recv() {
            Ok(line) => lines.push(String::from_utf8(line.to_vec()).expect("text")),
            Err(TryRecvError::Empty) => return (lines, true),
            Err(TryRecvError::Disconnected) => return (lines, false),
        }
    }
}

#[test]
fn a_response_reaches_the_reader_of_its_exact_id_and_ends_it() {
    let router = Router::default();
    let ids: [&[u8]; 4] = [b"1", b"\"1\"", b"10", b"1e0"];
    let mut readers = ids.map(|id| router.expect(id, None).expect("a reader"));
    deliver(&router, &response("\"1\""));
    let states = readers.each_mut().map(waiting);
    for (place, (lines, open)) in states.into_iter().enumerate() {
        let hit = place == 1;
        assert_eq!((lines.len(), open), (usize::from(hit), !hit), "{}", place);
    }
    deliver(&router, &response("\"1\""));
    assert!(readers.iter_mut().all(|reader| waiting(reader).0.is_empty()), "a second response");
    assert!(router.expect(b"\"1\"", None).is_some(), "the id is free again");
}

#[test]
fn an_error_without_an_id_and_an_unknown_id_reach_nobody() {
    let router = Router::default();
    let mut reader = router.expect(b"1", None).expect("a reader");
    let mut stream = router.listen();
    deliver(&router, r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}"#);
    deliver(&router, &response("2"));
    deliver(&router, &response("[1]"));
    assert_eq!(waiting(&mut reader), (Vec::new(), true));
    assert_eq!(waiting(&mut stream), (Vec::new(), true));
}

#[test]
fn an_id_under_way_is_not_given_twice() {
    let router = Router::default();
    let mut first = router.expect(b"1", None).expect("a reader");
    assert!(router.expect(b"1", None).is_none());
    deliver(&router, &response("1"));
    assert_eq!(waiting(&mut first), (vec![response("1")], false), "the first is still served");
    let forgotten = router.expect(b"1", None);
    router.forget(b"1");
    assert!(forgotten.is_some() && router.expect(b"1", None).is_some());
}

#[test]
fn progress_goes_to_the_request_that_asked_for_it_or_to_nobody() {
    let router = Router::default();
    let mut asked = router.expect(b"1", Some(b"\"t\"")).expect("a reader");
    let mut other = router.expect(b"2", Some(b"\"u\"")).expect("a reader");
    let mut latest = router.expect(b"3", None).expect("a reader");
    let mut stream = router.listen();
    deliver(&router, PROGRESS);
    deliver(&router, &PROGRESS.replace("\"t\"", "\"v\""));
    deliver(&router, &PROGRESS.replace("\"t\"", "1"));
    assert_eq!(waiting(&mut asked).0, [PROGRESS]);
    for reader in [&mut other, &mut latest, &mut stream] {
        assert!(waiting(reader).0.is_empty());
    }
    deliver(&router, &response("1"));
    deliver(&router, PROGRESS);
    assert!(waiting(&mut latest).0.is_empty(), "progress of a request that is over");
}

#[test]
fn what_belongs_to_no_request_goes_to_the_latest_one_and_news_to_the_stream() {
    let router = Router::default();
    let mut stream = router.listen();
    deliver(&router, LOGGED);
    assert_eq!(waiting(&mut stream).0, [LOGGED], "nothing is under way");
    let mut first = router.expect(b"1", None).expect("a reader");
    let mut second = router.expect(b"2", None).expect("a reader");
    for line in [LOGGED, CHANGED, UPDATED, ASKED] {
        deliver(&router, line);
    }
    assert_eq!(waiting(&mut second).0, [LOGGED, ASKED]);
    assert!(waiting(&mut first).0.is_empty());
    assert_eq!(waiting(&mut stream).0, [CHANGED, UPDATED]);
    deliver(&router, &response("2"));
    deliver(&router, LOGGED);
    assert_eq!(waiting(&mut first).0, [LOGGED], "the one that is left");
}

#[test]
fn news_without_a_stream_reach_nobody() {
    let router = Router::default();
    let mut reader = router.expect(b"1", None).expect("a reader");
    deliver(&router, CHANGED);
    assert!(waiting(&mut reader).0.is_empty());
}

#[test]
fn a_new_stream_takes_the_place_of_the_earlier_one() {
    let router = Router::default();
    let (mut earlier, mut later) = (router.listen(), router.listen());
    deliver(&router, CHANGED);
    assert_eq!(waiting(&mut earlier), (Vec::new(), false));
    assert_eq!(waiting(&mut later), (vec![CHANGED.to_owned()], true));
}

#[test]
fn a_full_reader_costs_messages_of_its_own_alone() {
    let router = Router::default();
    let mut slow = router.expect(b"1", Some(b"\"t\"")).expect("a reader");
    let mut other = router.expect(b"2", None).expect("a reader");
    for _ in 0..QUEUE + 10 {
        deliver(&router, PROGRESS);
    }
    deliver(&router, &response("2"));
    assert_eq!(waiting(&mut other), (vec![response("2")], false));
    let (lines, open) = waiting(&mut slow);
    assert_eq!((lines.len(), open), (QUEUE - 1, true));
    for _ in 0..QUEUE + 10 {
        deliver(&router, PROGRESS);
    }
    deliver(&router, &response("1"));
    let (lines, open) = waiting(&mut slow);
    assert_eq!((lines.last(), open), (Some(&response("1")), false), "the answer has its place");
}

#[test]
fn a_reader_that_has_gone_disturbs_nobody() {
    let router = Router::default();
    drop(router.expect(b"1", None));
    drop(router.listen());
    for line in [LOGGED, CHANGED, ASKED, &response("1")] {
        deliver(&router, line);
    }
    assert!(router.expect(b"1", None).is_some(), "its response has freed the id");
}

#[test]
fn lines_that_are_no_message_are_dropped() {
    let router = Router::default();
    let mut reader = router.expect(b"1", None).expect("a reader");
    let mut stream = router.listen();
    for line in ["", "{", "starting up", "[]", "null", r#"{"id":1,"result":{}}"#, "\u{0}", "{}"] {
        deliver(&router, line);
    }
    let batch = format!("[{}]", response("1"));
    deliver(&router, &batch);
    assert_eq!(waiting(&mut reader), (Vec::new(), true));
    assert_eq!(waiting(&mut stream), (Vec::new(), true));
}

#[test]
fn when_the_process_is_gone_every_reader_ends_and_none_is_added() {
    let router = Router::default();
    let mut reader = router.expect(b"1", None).expect("a reader");
    let mut stream = router.listen();
    router.close();
    assert!(router.is_closed());
    assert_eq!(waiting(&mut reader), (Vec::new(), false));
    assert_eq!(waiting(&mut stream), (Vec::new(), false));
    assert!(router.expect(b"2", None).is_none());
    assert_eq!(waiting(&mut router.listen()), (Vec::new(), false), "a stream of the past");
    deliver(&router, &response("1"));
}
