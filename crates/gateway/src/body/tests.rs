use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use kenward_audit::{Filter, Outcome as Ending, Record};
use kenward_store::segments::{Log, read};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;

use super::{AnswerBody, PassedThrough};
use crate::outcome::Outcome;
use crate::pipeline::Scout;
use crate::tests::{decision, log};

/// The body of an answer with this head, and the end of the line at which its server sits.
async fn upstream(head: &str) -> (Incoming, DuplexStream) {
    let (ours, mut theirs) = duplex(1 << 20);
    let (mut client, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(ours)).await.expect("a connection");
    tokio::spawn(connection);
    let request = Request::get("/").body(Empty::<Bytes>::new()).expect("a request");
    let answering = async {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            theirs.read_buf(&mut asked).await.expect("the request");
        }
        theirs.write_all(head.as_bytes()).await.expect("the head");
    };
    let (response, ()) = tokio::join!(client.send_request(request), answering);
    (response.expect("an answer").into_body(), theirs)
}

fn passed(log: &Arc<Log>, ahead: &[&'static str], upstream: Incoming) -> AnswerBody {
    let mut scout = Scout::default();
    for piece in ahead {
        assert!(!scout.sees(piece.as_bytes()), "what was looked at already");
    }
    let ahead: VecDeque<Bytes> =
        ahead.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect();
    let outcome = Some(Outcome::new(Arc::clone(log), decision(1), None));
    AnswerBody::PassedThrough(Box::new(PassedThrough { ahead, upstream, scout, outcome }))
}

/// How the one decision ended, by the log.
fn endings(log: &Log, folder: &Path) -> Vec<Ending> {
    log.sync().expect("the log");
    let records = read(&folder.join("audit"), Filter::default()).expect("the log");
    let records: Vec<Record> = records.map(|entry| entry.expect("a record").record).collect();
    records.into_iter().filter_map(|record| record.outcome).collect()
}

#[tokio::test]
async fn what_was_read_ahead_comes_first_and_the_end_is_recorded_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let (incoming, mut server) = upstream("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n").await;
    server.write_all(b"world!").await.expect("the body");
    let body = passed(&log, &["hello ", "my "], incoming);
    assert!(!body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(15));
    assert!(endings(&log, folder.path()).is_empty(), "nothing has ended yet");
    let whole = body.collect().await.expect("all of it").to_bytes();
    assert_eq!(whole, "hello my world!");
    assert_eq!(endings(&log, folder.path()), [Ending::Delivered]);
}

#[tokio::test]
async fn an_answer_of_unknown_length_has_none_and_ends_with_its_last_chunk() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let (incoming, mut server) =
        upstream("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
    server.write_all(b"3\r\nabc\r\n0\r\n\r\n").await.expect("the body");
    let body = passed(&log, &["x"], incoming);
    assert_eq!(body.size_hint().exact(), None);
    assert_eq!(body.collect().await.expect("all of it").to_bytes(), "xabc");
    assert_eq!(endings(&log, folder.path()), [Ending::Delivered]);
}

#[tokio::test]
async fn what_may_not_pass_unseen_breaks_the_answer_off_even_over_a_seam() {
    for (ahead, rest) in [
        (&["plain "][..], &["more \"resource\": {}"][..]),
        (&["plain \"reso"], &["urce\": {}"]),
        (&["plain \"resultType\":"], &["\"input_requi", "red\""]),
        (&["plain \\u"], &["0072esource"]),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log(folder.path());
        let (incoming, mut server) =
            upstream("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let mut body = passed(&log, ahead, incoming);
        let mut got = Vec::new();
        for piece in rest {
            server
                .write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes())
                .await
                .expect("a piece");
        }
        server.write_all(b"0\r\n\r\n").await.expect("the end");
        let broken = loop {
            match body.frame().await {
                Some(Ok(frame)) => got.extend(frame.into_data().expect("data")),
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        let got = String::from_utf8(got).expect("text");
        assert!(broken, "{rest:?} passed: {got}");
        assert!(
            !got.contains("\"resource\"") && !got.contains("required") && !got.contains("0072")
        );
        assert_eq!(endings(&log, folder.path()), [Ending::Withheld], "{rest:?}");
    }
}

#[tokio::test]
async fn a_server_that_breaks_off_is_a_failure_and_a_client_that_leaves_a_cancellation() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let (incoming, mut server) = upstream("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n").await;
    server.write_all(b"too little").await.expect("a part");
    drop(server);
    assert!(passed(&log, &[], incoming).collect().await.is_err());
    let (incoming, _server) = upstream("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n").await;
    drop(passed(&log, &["unread"], incoming));
    assert_eq!(endings(&log, folder.path()), [Ending::Failed, Ending::Cancelled]);
}

#[tokio::test]
async fn whole_bytes_come_once_and_nothing_is_nothing() {
    let whole = AnswerBody::whole("all");
    assert_eq!((whole.size_hint().exact(), whole.is_end_stream()), (Some(3), false));
    assert_eq!(whole.collect().await.expect("all of it").to_bytes(), "all");
    let empty = AnswerBody::empty();
    assert_eq!((empty.size_hint().exact(), empty.is_end_stream()), (Some(0), true));
    assert!(empty.collect().await.expect("nothing").to_bytes().is_empty());
}

#[tokio::test]
async fn events_come_as_they_are_sent_until_the_sender_is_gone() {
    let (sender, receiver) = mpsc::channel(4);
    let mut body = AnswerBody::Events(receiver);
    assert!(!body.is_end_stream());
    let mut waiting = Context::from_waker(Waker::noop());
    assert!(matches!(std::pin::Pin::new(&mut body).poll_frame(&mut waiting), Poll::Pending));
    for piece in ["a", "b"] {
        sender.send(Bytes::from_static(piece.as_bytes())).await.expect("a reader");
    }
    drop(sender);
    assert_eq!(body.collect().await.expect("all of it").to_bytes(), "ab");
}
