//! Promise: headers decide nothing by themselves, must say what the body says, and none of a
//! client's reaches the server unless the protocol has it.

use kenward_testkit::{Era, Mcp};
use serde_json::{Value, json};

use crate::Story;

#[tokio::test]
async fn headers_that_disagree_with_the_body_are_refused() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let message = track(&rita);
    let bent: Vec<(&str, &str, Option<&str>)> = vec![
        ("another method", "mcp-method", Some("tools/list")),
        ("a method in another case", "mcp-method", Some("Tools/Call")),
        ("no method", "mcp-method", None),
        ("another name", "mcp-name", Some("purge_records")),
        ("a broken encoding", "mcp-name", Some("=?base64?!!?=")),
        ("another name, encoded", "mcp-name", Some("=?base64?cHVyZ2VfcmVjb3Jkcw==?=")),
        ("no version", "mcp-protocol-version", None),
        ("an older version", "mcp-protocol-version", Some("2025-11-25")),
    ];
    for (kind, name, value) in bent {
        let headers = with_header(&rita, &message, name, value);
        let reply = rita.post(&headers, message.to_string()).await;
        assert_eq!(reply.status(), 400, "{kind}: {}", reply.http.text());
        assert_eq!(reply.error_code(), Some(-32020), "{kind}: {}", reply.http.text());
    }
    let encoded = with_header(&rita, &message, "mcp-name", Some("=?base64?dHJhY2tfcGFyY2Vs?="));
    assert!(rita.post(&encoded, message.to_string()).await.is_done(), "the same name, encoded");
    assert_eq!(story.upstream.requests("tools/call").len(), 1);
}

#[tokio::test]
async fn a_header_that_stands_twice_is_refused() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let message = track(&rita);
    for (name, value) in [("mcp-name", "purge_records"), ("mcp-method", "tools/list")] {
        let mut headers = rita.headers(&message);
        headers.push((name.to_owned(), value.to_owned()));
        let reply = rita.post(&headers, message.to_string()).await;
        assert_eq!(reply.status(), 400, "{name}: {}", reply.http.text());
    }
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn versions_that_nobody_speaks_are_refused_with_those_that_we_do() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let mut message = track(&rita);
    message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2031-01-01");
    let headers = with_header(&rita, &message, "mcp-protocol-version", Some("2031-01-01"));
    let reply = rita.post(&headers, message.to_string()).await;
    assert_eq!((reply.status(), reply.error_code()), (400, Some(-32022)), "{}", reply.http.text());
    let supported = reply.message["error"]["data"]["supported"].as_array().expect("a list").clone();
    assert!(supported.contains(&json!("2026-07-28")), "{supported:?}");
    let legacy = story.connect("rita", Era::Legacy).await;
    let message = track(&legacy);
    let headers = with_header(&legacy, &message, "mcp-protocol-version", Some("banana"));
    assert_eq!(legacy.post(&headers, message.to_string()).await.status(), 400);
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn modern_requests_carry_their_metadata() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let mut message = track(&rita);
    let meta = message["params"]["_meta"].as_object_mut().expect("metadata");
    meta.remove("io.modelcontextprotocol/clientCapabilities");
    let reply = rita.post(&rita.headers(&message), message.to_string()).await;
    assert_eq!((reply.status(), reply.error_code()), (400, Some(-32602)), "{}", reply.http.text());
    let bare = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                       "params": { "name": "track_parcel", "arguments": {} } });
    let reply = rita.post(&rita.headers(&bare), bare.to_string()).await;
    assert_eq!((reply.status(), reply.error_code()), (400, Some(-32602)), "{}", reply.http.text());
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn nothing_that_a_client_makes_up_reaches_the_server() {
    let story = Story::start_with(|deployment| {
        deployment.config["servers"]["deliveries"]["credential"] =
            json!({ "bearer": "of-the-server" });
    })
    .await;
    let made_up = [
        ("cookie", "session=evil"),
        ("proxy-authorization", "Basic evil"),
        ("x-forwarded-for", "evil"),
        ("forwarded", "for=evil"),
        ("x-real-ip", "evil"),
        ("x-user", "evil"),
        ("txn-token", "evil"),
        ("kenward-revision", "0"),
        ("kenward-user", "evil"),
        ("x-kenward-permit", "evil"),
        ("connection", "txn-token, keep-alive"),
        ("te", "trailers"),
    ];
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        let message = track(&rita);
        let mut headers = rita.headers(&message);
        headers.extend(made_up.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let reply = rita.post(&headers, message.to_string()).await;
        assert!(reply.is_done(), "{era:?}: {}", reply.http.text());
        let call = story.upstream.calls("track_parcel").remove(0);
        for (name, value) in &call.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            assert!(!value.contains("evil"), "{era:?}: {name}: {value}");
        }
        for name in ["cookie", "forwarded", "x-forwarded-for", "te", "kenward-revision"] {
            assert_eq!(call.header(name), None, "{era:?}: {name}");
        }
        assert_eq!(call.header("authorization"), Some("Bearer of-the-server"), "{era:?}");
        assert_eq!(call.headers.get_all("txn-token").iter().count(), 1, "{era:?}");
    }
}

#[tokio::test]
async fn the_clients_token_never_reaches_the_server() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let token = story.token("rita");
        let rita = Mcp::connect(&story.gateway.url(), "/mcp/deliveries", &token, era).await;
        rita.tools().await;
        rita.call("track_parcel", json!({ "parcel": "p" })).await;
        rita.request("prompts/get", json!({ "name": "greeting" })).await;
        rita.request("resources/read", json!({ "uri": "doc://public" })).await;
        let _stream = rita.listen(&[]).await;
        let pieces: Vec<&str> = token.split('.').skip(1).collect();
        for received in story.upstream.received() {
            assert_eq!(received.header("authorization"), None, "{}", received.method());
            let body = String::from_utf8_lossy(&received.body);
            let all = format!("{:?} {body}", received.headers);
            for piece in &pieces {
                assert!(!all.contains(piece), "{era:?}: {all}");
            }
        }
    }
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    story.upstream.forget();
    let message = track(&rita);
    for (name, value) in [
        ("host", "evil.example"),
        ("host", "127.0.0.1.evil.example"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1.evil.example"),
    ] {
        let headers = with_header(&rita, &message, name, Some(value));
        let reply = rita.post(&headers, message.to_string()).await;
        assert_eq!(reply.status(), 403, "{name}: {value}: {}", reply.http.text());
    }
    assert!(story.upstream.received().is_empty());
    let own = with_header(&rita, &message, "origin", Some(&story.gateway.url()));
    assert!(rita.post(&own, message.to_string()).await.is_done(), "our own origin");
}

#[tokio::test]
async fn bodies_of_other_kinds_are_refused() {
    let story = Story::start().await;
    let rita = story.connect("rita", Era::Modern).await;
    let message = track(&rita);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        let headers = with_header(&rita, &message, "content-type", Some(kind));
        let reply = rita.post(&headers, message.to_string()).await;
        assert!(matches!(reply.status(), 400 | 415), "{kind}: {}", reply.http.text());
    }
    let headers = with_header(&rita, &message, "content-encoding", Some("gzip"));
    let reply = rita.post(&headers, message.to_string()).await;
    assert!(matches!(reply.status(), 400 | 415), "compressed: {}", reply.http.text());
    assert!(story.upstream.requests("tools/call").is_empty());
}

#[tokio::test]
async fn a_second_request_hidden_in_a_first_is_never_carried_out() {
    let story = Story::start().await;
    let address = story.gateway.http().address().to_owned();
    let token = story.token("rita");
    let hidden = format!(
        "POST /mcp/deliveries HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let head = format!(
        "POST /mcp/deliveries HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n"
    );
    for (kind, framing) in [
        ("both framings", "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("two lengths", "content-length: 0\r\ncontent-length: 5\r\n\r\n"),
        ("a length with a sign", "content-length: +5\r\n\r\n"),
        ("a framing nobody knows", "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("a folded header", "x: y\r\n transfer-encoding: chunked\r\n\r\n"),
        ("a blank before the colon", "content-length : 5\r\n\r\n"),
    ] {
        let answer = story.gateway.http().raw(format!("{head}{framing}{hidden}").as_bytes()).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(!answer.contains(" 200 "), "{kind}: {answer}");
    }
    assert!(story.upstream.received().is_empty());
    assert!(
        story.connect("rita", Era::Modern).await.call("track_parcel", json!({})).await.is_done()
    );
}

#[tokio::test]
async fn a_client_that_never_finishes_its_headers_is_let_go() {
    let story = Story::start_with(|deployment| {
        deployment.config["limits"] = json!({ "header_time": "1s" });
    })
    .await;
    let started = std::time::Instant::now();
    let answer = story.gateway.http().raw(b"POST /mcp/deliveries HTTP/1.1\r\nhost: x\r\n").await;
    let waited = started.elapsed();
    assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
    assert!(waited < std::time::Duration::from_millis(1_900), "closed only after {waited:?}");
}

fn track(mcp: &Mcp) -> Value {
    mcp.message("tools/call", json!({ "name": "track_parcel", "arguments": { "parcel": "p" } }))
}

/// The usual headers with `name` set to `value`, or absent.
fn with_header(
    mcp: &Mcp,
    message: &Value,
    name: &str,
    value: Option<&str>,
) -> Vec<(String, String)> {
    let mut headers = mcp.headers(message);
    headers.retain(|(known, _)| known != name);
    headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    headers
}
