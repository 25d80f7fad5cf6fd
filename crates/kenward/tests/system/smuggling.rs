//! Promise: no framing, path, header or number makes two readers see two messages, and nothing of a
//! server's HTTP reaches a client but the message itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kenward_testkit::{Deployment, Era, Gateway, Issuer, Mcp, Reply, Upstream};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{KENWARD, Story};

/// A whole request of `rita` to `target` with these lines more, and this body.
fn request(story: &Story, target: &str, more: &str, body: &str) -> String {
    let (address, token) = (story.gateway.http().address().to_owned(), story.token("rita"));
    let host = if more.to_lowercase().contains("host:") {
        String::new()
    } else {
        format!("host: {address}\r\n")
    };
    format!(
        "POST {target} HTTP/1.1\r\n{host}authorization: Bearer {token}\r\n\
         content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: track_parcel\r\n{more}\r\n{body}"
    )
}

fn call() -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "track_parcel", "arguments": { "parcel": "p" },
        "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                   "io.modelcontextprotocol/clientCapabilities": {} },
    } })
    .to_string()
}

async fn raw(story: &Story, bytes: &[u8]) -> String {
    String::from_utf8_lossy(&story.gateway.http().raw(bytes).await).into_owned()
}

fn sized(body: &str) -> String {
    format!("content-length: {}\r\nconnection: close\r\n", body.len())
}

#[tokio::test]
async fn a_good_request_written_by_hand_is_served() {
    let story = Story::start().await;
    let body = call();
    let answer =
        raw(&story, request(&story, "/mcp/deliveries", &sized(&body), &body).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("track_parcel did"), "{answer}");
    let own = format!("http://{}/mcp/deliveries", story.gateway.http().address());
    let answer = raw(&story, request(&story, &own, &sized(&body), &body).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "an absolute target of our own: {answer}");
}

#[tokio::test]
async fn a_hidden_request_is_not_carried_out_whatever_the_framing() {
    let story = Story::start().await;
    let body = call();
    let hidden = request(&story, "/mcp/deliveries", &sized(&body), &body);
    for (kind, framing) in [
        ("a length and chunks", "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("chunks and a length", "transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n"),
        (
            "chunks twice",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        ),
        (
            "chunks that are not the last coding",
            "transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        ),
        ("chunks after a tab", "transfer-encoding:\tchunked, x\r\n\r\n0\r\n\r\n"),
        ("a vertical tab", "transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
        ("a list of lengths", "content-length: 0, 5\r\n\r\n"),
        ("a length in hexadecimal", "content-length: 0x0\r\n\r\n"),
        ("a length below zero", "content-length: -1\r\n\r\n"),
        ("a length beyond all bounds", "content-length: 18446744073709551616\r\n\r\n"),
        (
            "a chunk size beyond all bounds",
            "transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        ),
        ("a chunk size with a sign", "transfer-encoding: chunked\r\n\r\n+0\r\n\r\n"),
        ("a chunk size that is none", "transfer-encoding: chunked\r\n\r\n0 x\r\n\r\n"),
        ("a zero in a name", "x\0y: z\r\ncontent-length: 0\r\n\r\n"),
        ("a zero in a value", "x: a\0b\r\ncontent-length: 0\r\n\r\n"),
        ("a carriage return in a value", "x: a\rcontent-length: 5\r\n\r\n"),
        ("a folded value", "x: a\r\n\tcontent-length: 5\r\n\r\n"),
        ("a name with a blank", "content length: 0\r\n\r\n"),
        ("a line without a colon", "content-length\r\n\r\n"),
    ] {
        let head = request(&story, "/mcp/deliveries", framing, "");
        let head = head.strip_suffix("\r\n").unwrap_or(&head);
        let answer = raw(&story, format!("{head}{hidden}").as_bytes()).await;
        assert!(!answer.contains("track_parcel did"), "{kind}: {answer}");
        assert!(!answer.contains(" 200 "), "{kind}: {answer}");
    }
    assert!(story.upstream.received().is_empty(), "something reached the server");
}

#[tokio::test]
async fn an_endpoint_has_one_spelling() {
    let story = Story::start().await;
    let body = call();
    for target in [
        "/mcp/%64eliveries",
        "/mcp/a/../deliveries",
        "/mcp/./deliveries",
        "/./mcp/deliveries",
        "//mcp/deliveries",
        "/mcp//deliveries",
        "/mcp/deliveries/",
        "/mcp/deliveries/..",
        "/mcp/deliveries%2f",
        "/mcp%2fdeliveries",
        "/mcp/deliveries%00",
        "/mcp/deliveries;x=y",
        "/mcp/Deliveries",
        "/MCP/deliveries",
        "/mcp/d%C3%A9liveries",
        "/mcp\\deliveries",
        "/mcp/",
        "*",
    ] {
        let answer = raw(&story, request(&story, target, &sized(&body), &body).as_bytes()).await;
        let refused =
            ["HTTP/1.1 404", "HTTP/1.1 400"].iter().any(|start| answer.starts_with(start));
        assert!(refused, "{target}: {answer}");
    }
    assert!(story.upstream.received().is_empty(), "something reached the server");
}

#[tokio::test]
async fn whom_a_request_is_for_is_said_once() {
    let story = Story::start().await;
    let (body, address) = (call(), story.gateway.http().address().to_owned());
    let own = format!("http://{address}/mcp/deliveries");
    for (kind, target, hosts) in [
        (
            "a foreign target",
            "http://evil.example/mcp/deliveries".to_owned(),
            format!("host: {address}\r\n"),
        ),
        (
            "a foreign target and host",
            "http://evil.example/mcp/deliveries".to_owned(),
            "host: evil.example\r\n".to_owned(),
        ),
        ("our target and a foreign host", own.clone(), "host: evil.example\r\n".to_owned()),
        ("our target and two hosts", own, format!("host: {address}\r\nhost: evil.example\r\n")),
        (
            "two hosts",
            "/mcp/deliveries".to_owned(),
            format!("host: {address}\r\nhost: evil.example\r\n"),
        ),
        (
            "credentials in the host",
            "/mcp/deliveries".to_owned(),
            format!("host: {address}@evil.example\r\n"),
        ),
        (
            "a list of hosts",
            "/mcp/deliveries".to_owned(),
            format!("host: {address}, evil.example\r\n"),
        ),
        ("an empty host", "/mcp/deliveries".to_owned(), "host:\r\n".to_owned()),
    ] {
        let more = format!("{hosts}{}", sized(&body));
        let answer = raw(&story, request(&story, &target, &more, &body).as_bytes()).await;
        let refused =
            ["HTTP/1.1 403", "HTTP/1.1 400"].iter().any(|start| answer.starts_with(start));
        assert!(refused, "{kind}: {answer}");
    }
    assert!(story.upstream.received().is_empty(), "something reached the server");
}

#[tokio::test]
async fn no_header_stands_in_for_a_token() {
    let story = Story::start().await;
    let nobody = story.client(None, Era::Modern);
    let message = nobody.message("tools/call", json!({ "name": "track_parcel", "arguments": {} }));
    let granted = story.token("rita");
    for (name, value) in [
        ("x-mcp-init-host", "deliveries"),
        ("mcp-init-host", "deliveries"),
        ("x-mcp-authorized", "*"),
        ("router-key", "secret-api-key"),
        ("x-mcp-servername", "deliveries"),
        ("x-forwarded-user", "rita"),
        ("x-forwarded-access-token", &granted),
        ("x-authorization", &granted),
        ("proxy-authorization", &format!("Bearer {granted}")),
        ("x-remote-user", "rita"),
        ("x-ssl-client-verify", "SUCCESS"),
        ("x-original-url", "/.well-known/jwks.json"),
        ("x-rewrite-url", "/.well-known/jwks.json"),
        ("x-http-method-override", "GET"),
        ("txn-token", &granted),
        ("cookie", &format!("access_token={granted}")),
    ] {
        let mut headers = nobody.headers(&message);
        headers.push((name.to_owned(), value.to_owned()));
        let reply = nobody.post(&headers, message.to_string()).await;
        assert_eq!(reply.status(), 401, "{name}: {}", reply.http.text());
    }
    assert!(story.upstream.received().is_empty());
}

#[tokio::test]
async fn numbers_arrive_as_they_were_written_or_not_at_all() {
    let story = Story::start().await;
    for era in Era::BOTH {
        for number in [
            "1e400",
            "-1e400",
            "1e-400",
            "-0",
            "-0.0",
            "9007199254740993",
            "18446744073709551616",
            "0.1000000000000000055511151231257827",
            "1E5",
            "1.0",
            "123456789012345678901234567890",
        ] {
            story.upstream.forget();
            let rita = story.connect("rita", era).await;
            let message = rita.message(
                "tools/call",
                json!({ "name": "track_parcel", "arguments": { "parcel": "NUMBER" } }),
            );
            let text = message.to_string().replace("\"NUMBER\"", number);
            let reply = rita.post(&rita.headers(&message), text).await;
            let sent = story.upstream.calls("track_parcel");
            if reply.is_done() {
                let body = String::from_utf8_lossy(&sent[0].body).into_owned();
                assert!(body.contains(&format!("\"parcel\":{number}")), "{era:?} {number}: {body}");
            } else {
                assert!(reply.error_code().is_some(), "{era:?} {number}: {}", reply.http.text());
                assert!(sent.is_empty(), "{era:?} {number} was refused and sent on");
            }
        }
        let rita = story.connect("rita", era).await;
        for number in ["01", "+1", ".5", "5.", "0x1", "1_000", "Infinity", "--1", "1e"] {
            story.upstream.forget();
            let message = rita.message(
                "tools/call",
                json!({ "name": "track_parcel", "arguments": { "parcel": "NUMBER" } }),
            );
            let text = message.to_string().replace("\"NUMBER\"", number);
            let reply = rita.post(&rita.headers(&message), text).await;
            assert_eq!(reply.error_code(), Some(-32700), "{era:?} {number}: {}", reply.http.text());
            assert!(story.upstream.calls("track_parcel").is_empty(), "{era:?} {number}");
        }
    }
}

#[tokio::test]
async fn ids_are_short_texts_or_whole_numbers_and_come_back_as_they_were() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        let with_id = async |id: &str| -> Reply {
            let message = json!({ "jsonrpc": "2.0", "id": "ID", "method": "tools/call",
                                  "params": rita.message("x", json!({ "name": "track_parcel", "arguments": {} }))["params"] });
            let text = message.to_string().replace("\"ID\"", id);
            rita.post(&rita.headers(&message), text).await
        };
        for id in ["0", "-1", "9007199254740991", "\"\"", "\"1\"", "\"\u{e9}\"", "\"a\\u0062\""] {
            let reply = with_id(id).await;
            assert!(reply.is_done(), "{era:?} {id}: {}", reply.http.text());
            let expected: Value = serde_json::from_str(id).expect("an id");
            assert_eq!(reply.message["id"], expected, "{era:?}: {}", reply.http.text());
        }
        for id in ["null", "1.0", "1e0", "[]", "{}", "false", "1.5", "1e400"] {
            let reply = with_id(id).await;
            assert_eq!(reply.status(), 400, "{era:?} {id}: {}", reply.http.text());
        }
    }
}

#[tokio::test]
async fn a_body_is_one_json_text_in_utf_8_whatever_it_is_called() {
    let story = Story::start().await;
    let body = call();
    for (kind, header) in [
        ("two types", "content-type: text/plain\r\n"),
        ("compressed", "content-encoding: gzip\r\n"),
        ("compressed by nothing", "content-encoding: identity\r\n"),
        ("compressed twice", "content-encoding: gzip\r\ncontent-encoding: br\r\n"),
    ] {
        let more = format!("{header}{}", sized(&body));
        let answer = raw(&story, request(&story, "/mcp/deliveries", &more, &body).as_bytes()).await;
        let refused =
            ["HTTP/1.1 415", "HTTP/1.1 400"].iter().any(|start| answer.starts_with(start));
        assert!(refused, "{kind}: {answer}");
    }
    let rita = story.connect("rita", Era::Modern).await;
    let message: Value = serde_json::from_str(&body).expect("json");
    let wide: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let packed = [b"\x1f\x8b\x08\0".as_slice(), body.as_bytes()].concat();
    for (kind, bytes) in [("UTF-16", wide), ("gzip", packed)] {
        let reply = rita.post(&rita.headers(&message), bytes).await;
        assert_eq!(reply.status(), 400, "{kind}: {}", reply.http.text());
    }
    assert!(story.upstream.received().is_empty(), "something reached the server");
}

/// A server that answers every request with the same bytes and counts who comes.
struct Fixed {
    url: String,
    visits: Arc<AtomicUsize>,
}

impl Fixed {
    async fn start(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let visits = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&visits);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut request = vec![0; 64 << 10];
                    let _read = socket.read(&mut request).await;
                    let _gone = socket.write_all(&answer).await;
                    let _gone = socket.shutdown().await;
                });
            }
        });
        Self { url, visits }
    }
}

struct Behind {
    _issuer: Issuer,
    gateway: Gateway,
    rita: Mcp,
    _upstream: Upstream,
}

/// The story with a server that answers so.
async fn behind(fixed: &Fixed) -> Behind {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let mut deployment = Deployment::deliveries(&issuer, &upstream);
    deployment
        .add_server("fixed", json!({ "url": fixed.url, "tools": { "go": {} }, "era": "modern" }));
    deployment.add_policies(
        r#"permit (principal in Group::"representatives", action == Mcp::Action::"fixed/go", resource);"#,
    );
    let gateway = Gateway::start(KENWARD, deployment).await;
    let rita = gateway.connect(&issuer, "rita", "fixed", Era::Modern).await;
    Behind { _issuer: issuer, gateway, rita, _upstream: upstream }
}

const DONE: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"resultType":"complete"}}"#;

#[tokio::test]
async fn no_header_of_a_server_reaches_the_client() {
    for kind in ["application/json", "text/event-stream"] {
        let body =
            if kind == "application/json" { DONE.to_owned() } else { format!("data: {DONE}\n\n") };
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nset-cookie: evil=1\r\nwww-authenticate: Bearer evil\r\n\
             mcp-session-id: evil\r\nlocation: http://evil.example\r\nrefresh: 0; url=evil\r\nx-evil: evil\r\n\
             access-control-allow-origin: *\r\nstrict-transport-security: max-age=1\r\nclear-site-data: *\r\n\
             alt-svc: evil\r\nlink: evil\r\ntxn-token: evil\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let fixed = Fixed::start(answer.into_bytes()).await;
        let behind = behind(&fixed).await;
        let reply = behind.rita.call("go", json!({})).await;
        assert!(reply.is_done(), "{kind}: {}", reply.http.text());
        let known = [
            "content-type",
            "content-length",
            "date",
            "cache-control",
            "x-accel-buffering",
            "transfer-encoding",
            "connection",
        ];
        for (name, value) in &reply.http.headers {
            assert!(known.contains(&name.as_str()), "{kind}: {name}: {value:?}");
            assert!(!String::from_utf8_lossy(value.as_bytes()).contains("evil"), "{kind}: {name}");
        }
    }
}

#[tokio::test]
async fn redirects_and_challenges_of_a_server_end_at_the_gateway() {
    let trap = Fixed::start(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    for status in
        ["301 x", "302 x", "303 x", "307 x", "308 x", "401 x", "403 x", "407 x", "421 x", "103 x"]
    {
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: {}\r\nwww-authenticate: Bearer resource_metadata=\"{}\"\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{DONE}",
            trap.url,
            trap.url,
            DONE.len()
        );
        let fixed = Fixed::start(answer.into_bytes()).await;
        let behind = behind(&fixed).await;
        let reply = behind.rita.call("go", json!({})).await;
        assert_eq!(reply.error_code(), Some(-32603), "{status}: {}", reply.http.text());
        for name in ["location", "www-authenticate"] {
            assert_eq!(reply.http.header(name), "", "{status}: {name}");
        }
    }
    assert_eq!(trap.visits.load(Ordering::SeqCst), 0, "a redirect was followed");
}

#[tokio::test]
async fn an_answer_that_can_be_read_in_two_ways_is_not_read() {
    let length = DONE.len();
    for (kind, head, body) in [
        (
            "two lengths",
            format!("content-length: {length}\r\ncontent-length: 5\r\n"),
            DONE.to_owned(),
        ),
        (
            "two answers",
            "content-length: 0\r\n".to_owned(),
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{DONE}"
            ),
        ),
        ("a split header", format!("x: a\rcontent-length: {length}\r\n"), DONE.to_owned()),
        ("a zero in a header", format!("x: a\0b\r\ncontent-length: {length}\r\n"), DONE.to_owned()),
        (
            "compressed",
            format!("content-encoding: gzip\r\ncontent-length: {length}\r\n"),
            DONE.to_owned(),
        ),
        (
            "another's id",
            format!("content-length: {length}\r\n"),
            DONE.replace("\"id\":1", "\"id\":2"),
        ),
        (
            "an id of another type",
            format!("content-length: {}\r\n", length + 2),
            DONE.replace("\"id\":1", "\"id\":\"1\""),
        ),
        (
            "two results",
            "connection: close\r\n".to_owned(),
            DONE.replace("\"result\"", "\"result\":{},\"result\""),
        ),
        (
            "a result in another case",
            "connection: close\r\n".to_owned(),
            DONE.replace("\"result\"", "\"Result\":{},\"result\""),
        ),
        (
            "a result and an error",
            "connection: close\r\n".to_owned(),
            DONE.replace("\"result\"", "\"error\":{\"code\":1,\"message\":\"x\"},\"result\""),
        ),
        ("two messages", "connection: close\r\n".to_owned(), format!("{DONE}{DONE}")),
        ("a batch", "connection: close\r\n".to_owned(), format!("[{DONE}]")),
        ("a byte order mark", "connection: close\r\n".to_owned(), format!("\u{feff}{DONE}")),
        ("less than it said", format!("content-length: {}\r\n", length + 50), DONE.to_owned()),
    ] {
        let answer =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{head}\r\n{body}");
        let fixed = Fixed::start(answer.into_bytes()).await;
        let behind = behind(&fixed).await;
        let reply = behind.rita.call("go", json!({})).await;
        assert_eq!(reply.error_code(), Some(-32603), "{kind}: {}", reply.http.text());
        assert!(!behind.gateway.log().contains("panicked"), "{kind}");
    }
}
