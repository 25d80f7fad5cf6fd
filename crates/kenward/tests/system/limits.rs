//! Promise: everything that a peer controls has a bound, which the configuration sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kenward_testkit::{Answer, Era, Gateway, Issuer, Mcp, Upstream, proc};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{KENWARD, SOON, Story, until};

async fn with(limits: Value) -> Story {
    Story::start_with(|deployment| deployment.config["limits"] = limits).await
}

async fn socket(story: &Story) -> TcpStream {
    TcpStream::connect(story.gateway.http().address()).await.expect("a connection")
}

/// Waits until the gateway closes; how long that took.
async fn closed(socket: &mut TcpStream) -> Duration {
    let started = Instant::now();
    let mut rest = Vec::new();
    let reading = tokio::time::timeout(SOON * 2, socket.read_to_end(&mut rest)).await;
    assert!(reading.is_ok(), "it is never closed");
    started.elapsed()
}

fn track() -> Value {
    json!({ "parcel": "p" })
}

#[tokio::test]
async fn a_connection_that_says_nothing_or_half_a_word_is_let_go() {
    let story = with(json!({ "header_time": "1s" })).await;
    let words: [&[u8]; 4] =
        [b"", b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n", b"POST /mcp/deliveries HTTP/1.1\r\nx: "];
    for word in words {
        let mut socket = socket(&story).await;
        socket.write_all(word).await.expect("it is written");
        let waited = closed(&mut socket).await;
        let said = String::from_utf8_lossy(word).into_owned();
        assert!(waited < Duration::from_millis(2_500), "{said:?}: {waited:?}");
        assert!(waited > Duration::from_millis(500), "{said:?}: {waited:?}");
    }
}

#[tokio::test]
async fn a_head_that_trickles_in_is_let_go_too() {
    let story = with(json!({ "header_time": "1s" })).await;
    let mut socket = socket(&story).await;
    let started = Instant::now();
    socket.write_all(b"POST /mcp/deliveries HTTP/1.1\r\n").await.expect("it is written");
    while socket.write_all(b"a: b\r\n").await.is_ok() {
        assert!(started.elapsed() < SOON, "it goes on for ever");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn heads_are_bounded_in_size_and_in_number() {
    let story = with(json!({ "head": "16KiB", "headers": 30 })).await;
    let rita = story.connect("rita", Era::Modern).await;
    let message =
        rita.message("tools/call", json!({ "name": "track_parcel", "arguments": track() }));
    let with_more = |more: Vec<(String, String)>| {
        let mut headers = rita.headers(&message);
        headers.extend(more);
        headers
    };
    let many = |count: usize| (0..count).map(|n| (format!("x-{n}"), "y".to_owned())).collect();
    let large = |size: usize| vec![("x-large".to_owned(), "y".repeat(size))];
    for more in [many(15), large(8 << 10)] {
        let reply = rita.post(&with_more(more), message.to_string()).await;
        assert!(reply.is_done(), "{}", reply.http.text());
    }
    story.upstream.forget();
    for more in [many(40), large(20 << 10)] {
        let headers =
            with_more(more).into_iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let (headers, body) = (headers.collect::<Vec<_>>().concat(), message.to_string());
        let (address, length) = (story.gateway.http().address().to_owned(), body.len());
        let request = format!(
            "POST /mcp/deliveries HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        let answer = story.gateway.http().raw(request.as_bytes()).await;
        // What is not read to its end may cost the answer, too.
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert!(story.upstream.received().is_empty());
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let story = with(json!({ "body_time": "1s" })).await;
    let token = story.token("rita");
    let mut socket = socket(&story).await;
    let address = story.gateway.http().address().to_owned();
    let head = format!(
        "POST /mcp/deliveries HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{"
    );
    socket.write_all(head.as_bytes()).await.expect("it is written");
    let mut answer = vec![0; 512];
    let read = tokio::time::timeout(SOON, socket.read(&mut answer)).await.expect("in time");
    let answer = String::from_utf8_lossy(&answer[..read.expect("an answer")]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(closed(&mut socket).await < SOON, "the rest of it is never the next request");
}

#[tokio::test]
async fn an_idle_connection_is_let_go_and_a_busy_one_is_not() {
    let story = with(json!({ "idle_time": "1s", "header_time": "1s" })).await;
    let mut idle = socket(&story).await;
    let address = story.gateway.http().address().to_owned();
    let get = format!("GET /.well-known/jwks.json HTTP/1.1\r\nhost: {address}\r\n\r\n");
    idle.write_all(get.as_bytes()).await.expect("it is written");
    assert!(closed(&mut idle).await < Duration::from_millis(2_500));
    // HTTP/2: the preface and settings, and then nothing.
    let mut second = socket(&story).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0";
    second.write_all(preface).await.expect("it is written");
    assert!(closed(&mut second).await < Duration::from_millis(3_500));
    // A server that takes its time, and a stream without news.
    story
        .upstream
        .on_tool("track_parcel", |_| Answer::text("late").after(Duration::from_millis(2_500)));
    let rita = story.connect("rita", Era::Modern).await;
    let mut stream = rita.listen(&["doc://public"]).await;
    assert!(rita.call("track_parcel", track()).await.is_done());
    story.upstream.notify("notifications/resources/updated", &json!({ "uri": "doc://public" }));
    stream.next_of("notifications/resources/updated", SOON).await.message();
}

#[tokio::test]
async fn connections_are_bounded_for_each_address_and_in_all() {
    let story = with(json!({ "connections_per_peer": 3 })).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(socket(&story).await);
    }
    let refused = async || {
        let mut fourth = socket(&story).await;
        tokio::time::timeout(Duration::from_millis(500), fourth.read(&mut [0; 1])).await.is_ok()
    };
    assert!(until(refused).await, "a fourth one is closed at once");
    held.clear();
    let served = async || {
        let mut socket = socket(&story).await;
        let address = story.gateway.http().address().to_owned();
        let get = format!("GET /.well-known/jwks.json HTTP/1.1\r\nhost: {address}\r\n\r\n");
        let _refused = socket.write_all(get.as_bytes()).await;
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).await.is_ok() && answer.ends_with(b"200")
    };
    assert!(until(served).await, "a place is free again");
    let story = with(json!({ "connections": 2 })).await;
    let held = [socket(&story).await, socket(&story).await];
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut third = socket(&story).await;
    let get = b"GET /.well-known/jwks.json HTTP/1.1\r\nhost: x\r\n\r\n";
    third.write_all(get).await.expect("it is written");
    let waits = tokio::time::timeout(Duration::from_millis(500), third.read(&mut [0; 1])).await;
    assert!(waits.is_err(), "it waits for a place");
    drop(held);
    let answered = tokio::time::timeout(SOON, third.read(&mut [0; 1])).await;
    assert!(answered.is_ok(), "and gets it");
}

#[tokio::test]
async fn calls_and_sessions_of_one_caller_are_bounded() {
    let story = with(json!({ "calls": 2, "sessions": 2 })).await;
    story.upstream.on_tool("track_parcel", |_| Answer::Hang);
    let rita = story.connect("rita", Era::Modern).await;
    let stuck: Vec<_> = (0..2).map(|_| Box::pin(rita.call("track_parcel", track()))).collect();
    let third = async {
        assert!(story.upstream.until(|upstream| upstream.under_way() == 2).await);
        let reply = rita.call("get_customer_address", json!({ "customer_id": "1001" })).await;
        assert_eq!(reply.status(), 429, "{}", reply.http.text());
        assert_eq!(reply.http.header("retry-after"), "1");
        let ron = story.connect("ron", Era::Modern).await;
        let reply = ron.call("get_customer_address", json!({ "customer_id": "1002" })).await;
        assert!(reply.is_done(), "another caller has a share of their own");
    };
    tokio::select! {
        _ = crate::together(stuck) => panic!("the server does not answer"),
        () = third => {}
    }
    let story = with(json!({ "sessions": 2 })).await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(story.connect("rita", Era::Legacy).await);
    }
    let mut statuses = Vec::new();
    for session in &sessions {
        statuses.push(session.call("track_parcel", track()).await.status());
    }
    assert_eq!(statuses, [404, 200, 200], "the oldest gave way");
}

#[tokio::test]
async fn answers_that_are_too_large_to_be_looked_into_are_not_passed_on() {
    let story = with(json!({ "answer": "64KiB", "event": "64KiB" })).await;
    for as_events in [false, true] {
        story.upstream.answer_as_events(as_events);
        for era in Era::BOTH {
            let rita = story.connect("rita", era).await;
            story.upstream.on_tool("list_customers", |_| {
                Answer::structured(&json!({ "customers": [], "x": "evil".repeat(20_000) }))
            });
            let reply = rita.call("list_customers", json!({})).await;
            let text = reply.http.text();
            assert_eq!(reply.error_code(), Some(-32603), "{era:?} {as_events}: {}", text.len());
            assert!(!text.contains("evil"), "{era:?} {as_events}");
        }
    }
}

#[tokio::test]
async fn a_server_is_not_waited_for_for_ever() {
    let story = with(json!({ "answer_time": "600ms" })).await;
    let silent = |_: &kenward_testkit::Received| Answer::Hang;
    let half = |_: &kenward_testkit::Received| {
        let log = json!({ "jsonrpc": "2.0", "method": "notifications/message",
                          "params": { "level": "info", "data": "soon" } });
        Answer::Events(vec![log], Box::new(Answer::Hang))
    };
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        for kind in ["silent", "half"] {
            if kind == "silent" {
                story.upstream.on_tool("track_parcel", silent);
            } else {
                story.upstream.on_tool("track_parcel", half);
            }
            let started = Instant::now();
            let reply = rita.call("track_parcel", track()).await;
            assert_eq!(reply.error_code(), Some(-32603), "{era:?} {kind}: {}", reply.http.text());
            assert!(started.elapsed() < Duration::from_secs(2), "{era:?} {kind}");
        }
    }
    assert!(story.upstream.until(|upstream| upstream.under_way() == 0).await);
}

/// A server that answers every call with events that never end.
struct Endless {
    written: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    url: String,
}

impl Endless {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let (written, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let endless = Self { written: Arc::clone(&written), open: Arc::clone(&open), url };
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (written, open) = (Arc::clone(&written), Arc::clone(&open));
                tokio::spawn(async move {
                    if !head(&mut socket).await.contains("tools/call") {
                        // It says that it closes: a connection that is closed without a word may
                        // have been given the next call in the same moment, which then fails.
                        let refusal =
                            "HTTP/1.1 500 x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                        let _gone = socket.write_all(refusal.as_bytes()).await;
                        return;
                    }
                    open.fetch_add(1, Ordering::SeqCst);
                    let data = "x".repeat(100_000);
                    let event = format!(
                        "data: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\
                         \"params\":{{\"level\":\"info\",\"data\":\"{data}\"}}}}\n\n"
                    );
                    let chunk = format!("{:x}\r\n{event}\r\n", event.len());
                    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
                    let mut bytes: &[u8] = head;
                    while socket.write_all(bytes).await.is_ok() {
                        written.fetch_add(bytes.len(), Ordering::SeqCst);
                        bytes = chunk.as_bytes();
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        endless
    }

    /// Waits until the calls of all `streams` are answered and nothing more can be written to any of
    /// them, which the buffers of the system between the two put off; how much was written.
    async fn holds(&self, streams: &[&TcpStream]) -> usize {
        let deadline = Instant::now() + SOON * 4;
        let (mut written, mut since) = (0, Instant::now());
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let open = self.open.load(Ordering::SeqCst);
            let now = self.written.load(Ordering::SeqCst);
            if now != written || open != streams.len() {
                (written, since) = (now, Instant::now());
            } else if since.elapsed() > SOON / 2 {
                return written;
            }
            if Instant::now() > deadline {
                let heads: Vec<String> = streams.iter().map(|stream| begun(stream)).collect();
                panic!("{open} servers write on, {now} bytes so far; the clients got {heads:#?}");
            }
        }
    }

    /// Waits until nobody is left to write to; false when that takes too long.
    async fn is_left(&self) -> bool {
        until(async || self.open.load(Ordering::SeqCst) == 0).await
    }
}

/// The beginning of the answer that waits in a socket.
fn begun(stream: &TcpStream) -> String {
    let mut head = [0; 300];
    let length = stream.try_read(&mut head).unwrap_or(0);
    String::from_utf8_lossy(&head[..length]).into_owned()
}

/// The head of a request, which names its method; the body is left where it is.
async fn head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n")
        && socket.read_buf(&mut head).await.is_ok_and(|length| length > 0)
    {}
    String::from_utf8_lossy(&head).into_owned()
}

async fn endless(limits: Value) -> (Story, Endless, Mcp) {
    let endless = Endless::start().await;
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let mut deployment = kenward_testkit::Deployment::deliveries(&issuer, &upstream);
    deployment.config["limits"] = limits;
    deployment.add_server("endless", json!({ "url": endless.url, "tools": { "go": {} } }));
    deployment.add_policies(
        r#"permit (principal in Group::"representatives", action == Mcp::Action::"endless/go", resource);"#,
    );
    let gateway = Gateway::start(KENWARD, deployment).await;
    let rita = gateway.connect(&issuer, "rita", "endless", Era::Modern).await;
    (Story { issuer, upstream, gateway }, endless, rita)
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_its_server_up_and_fills_no_memory() {
    let (story, endless, rita) = endless(json!({})).await;
    let message = rita.message("tools/call", json!({ "name": "go", "arguments": {} }));
    let ask = async || asking(&story, &rita.headers(&message), &message.to_string()).await;
    // What the program touches for the first time is no memory of such a client.
    let first = ask().await;
    endless.holds(&[&first]).await;
    drop(first);
    assert!(endless.is_left().await, "nobody is left to write to");
    let before = proc::resident_bytes(story.gateway.pid()).expect("a process");
    let mut streams = Vec::new();
    for _ in 0..SLOW {
        streams.push(ask().await);
    }
    // They are held up, not cut off.
    let written = endless.holds(&streams.iter().collect::<Vec<_>>()).await;
    let after = proc::resident_bytes(story.gateway.pid()).expect("a process");
    let most = u64::try_from(SLOW).expect("a number") * HELD;
    assert!(after < before + most, "from {before} to {after} of {written} written");
    drop(streams);
    assert!(endless.is_left().await, "nobody is left to write to");
}

/// How many clients do not read.
const SLOW: usize = 8;
/// What the gateway may hold for one of them, in bytes: events of 100 kB that wait, are sent and are
/// read, and the buffers of two connections. A release was measured to hold 1.1 to 1.3 MiB of the
/// 9 MB that each server could write into the buffers of the system; three times that leaves room
/// for how an allocator rounds, and none for an answer that piles up.
const HELD: u64 = 4 << 20;

#[tokio::test]
async fn a_client_that_takes_nothing_is_let_go() {
    let (story, endless, rita) = endless(json!({ "idle_time": "1s" })).await;
    let message = rita.message("tools/call", json!({ "name": "go", "arguments": {} }));
    let stream = asking(&story, &rita.headers(&message), &message.to_string()).await;
    let begun = async || endless.open.load(Ordering::SeqCst) == 1;
    assert!(until(begun).await);
    let gone = endless.is_left().await || endless.is_left().await;
    assert!(gone, "it holds its server for ever");
    drop(stream);
}

/// A client that asks and takes no more of the answer than fits into a small buffer of its own.
async fn asking(story: &Story, headers: &[(String, String)], body: &str) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 << 10).expect("a small buffer");
    let address = story.gateway.http().address().to_owned();
    let mut stream =
        socket.connect(address.parse().expect("an address")).await.expect("it connects");
    let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let headers = lines.collect::<Vec<_>>().concat();
    let length = body.len();
    let request = format!(
        "POST /mcp/endless HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.expect("it is written");
    stream
}

#[tokio::test]
async fn an_answer_without_end_has_one() {
    let (story, endless, rita) = endless(json!({ "answer_life": "1s" })).await;
    let mut stream = rita.stream("tools/call", json!({ "name": "go", "arguments": {} })).await;
    let started = Instant::now();
    let mut last = Value::Null;
    while let kenward_testkit::Next::Message(message) = stream.next(SOON).await {
        assert!(started.elapsed() < SOON, "it goes on for ever");
        last = message;
    }
    assert_eq!(last["error"]["code"], -32603, "{last}");
    assert!(endless.is_left().await, "the server is not listened to any more");
    let records = story.records().await;
    assert!(records.iter().any(|record| record["outcome"] == "failed"), "{records:#?}");
}
