//! Promise: a message that two parsers could read differently is refused by the first.

use kenward_testkit::{Era, Mcp, Reply};
use serde_json::{Value, json};

use crate::Story;

/// One attack: what it is, and the message with `@META@` where the era's metadata belongs.
type Attack = (&'static str, String);

#[tokio::test]
async fn ambiguous_messages_are_refused_with_invalid_request() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        for (kind, text) in ambiguous() {
            let reply = attack(&rita, &text).await;
            assert_eq!(reply.status(), 400, "{era:?}, {kind}: {}", reply.http.text());
            assert_eq!(reply.error_code(), Some(-32600), "{era:?}, {kind}: {}", reply.http.text());
        }
        assert!(story.upstream.received().is_empty(), "{era:?}: something reached the server");
    }
}

#[tokio::test]
async fn what_is_no_json_rpc_request_is_refused() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        for (kind, text) in malformed() {
            let reply = attack(&rita, &text).await;
            assert_eq!(reply.status(), 400, "{era:?}, {kind}: {}", reply.http.text());
            let code = reply.error_code();
            assert!(
                matches!(code, Some(-32600 | -32700)),
                "{era:?}, {kind}: {}",
                reply.http.text()
            );
        }
        assert!(story.upstream.received().is_empty(), "{era:?}: something reached the server");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        let good = call("track_parcel", "{\"parcel\":\"HERE\"}").replace("@META@", meta(era));
        let message: Value = serde_json::from_str(&good).expect("a message");
        for (kind, bytes) in [
            ("an overlong encoding", &b"\xc0\xaf"[..]),
            ("half a character", &b"\xe2\x82"[..]),
            ("a surrogate in UTF-8", &b"\xed\xa0\x80"[..]),
            ("a raw line break", &b"\n"[..]),
            ("a raw zero", &b"\0"[..]),
        ] {
            let place = good.find("HERE").expect("the place");
            let body = [&good.as_bytes()[..place], bytes, &good.as_bytes()[place + 4..]].concat();
            let reply = rita.post(&rita.headers(&message), body).await;
            assert_eq!(reply.status(), 400, "{era:?}, {kind}: {}", reply.http.text());
        }
        let with_mark = [b"\xef\xbb\xbf", good.as_bytes()].concat();
        let reply = rita.post(&rita.headers(&message), with_mark).await;
        assert_eq!(reply.status(), 400, "{era:?}, a byte order mark: {}", reply.http.text());
        assert!(story.upstream.received().is_empty(), "{era:?}: something reached the server");
    }
}

#[tokio::test]
async fn depth_and_size_are_bounded() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        // The message, its params and arguments are three levels by themselves.
        let nested = |depth: usize| {
            let parcel = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
            call("track_parcel", &format!("{{\"parcel\":\"p\",\"deep\":{parcel}}}"))
        };
        let reply = attack(&rita, &nested(60)).await;
        assert!(reply.is_done(), "{era:?}: 63 levels: {}", reply.http.text());
        story.upstream.forget();
        for depth in [62, 200, 100_000] {
            let reply = attack(&rita, &nested(depth)).await;
            assert_eq!(reply.status(), 400, "{era:?}: {depth} more levels: {}", reply.http.text());
        }
        let large = format!("{{\"parcel\":\"{}\"}}", "x".repeat(4 << 20));
        let reply = attack(&rita, &call("track_parcel", &large)).await;
        assert_eq!(reply.status(), 413, "{era:?}: {}", reply.http.text());
        assert!(story.upstream.received().is_empty(), "{era:?}: something reached the server");
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_bounded_too() {
    let story = Story::start().await;
    let head = format!(
        "POST /mcp/deliveries HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         transfer-encoding: chunked\r\n\r\n",
        story.gateway.http().address(),
        story.token("rita"),
    );
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
    let body = [head.as_str(), &chunk.repeat(6), "0\r\n\r\n"].concat();
    let answer = story.gateway.http().raw(body.as_bytes()).await;
    let answer = String::from_utf8_lossy(&answer);
    // The rest of the body may still be on its way when the connection is closed.
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(story.upstream.received().is_empty());
    assert!(
        story.connect("rita", Era::Modern).await.call("track_parcel", parcel()).await.is_done()
    );
}

#[tokio::test]
async fn methods_that_are_not_in_the_table_are_refused() {
    let story = Story::start().await;
    let methods = [
        "tools/Call",
        "tools/call ",
        "tools/run",
        "TOOLS/CALL",
        "rpc.discover",
        "tools",
        "",
        "tasks/list",
        "notifications/tools/list_changed",
        "sampling/createMessage",
        "roots/list",
        "elicitation/create",
        "skills/list",
        "admin/purge",
    ];
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        for method in methods {
            let reply = rita.request(method, json!({ "name": "track_parcel" })).await;
            let code = reply.error_code();
            assert!(
                matches!(code, Some(-32601 | -32600 | -32602 | -32020)),
                "{era:?} `{method}`: {} {}",
                reply.status(),
                reply.http.text()
            );
            assert!(
                matches!(reply.status(), 200 | 400 | 404),
                "{era:?} `{method}`: {}",
                reply.status()
            );
        }
        assert!(story.upstream.received().is_empty(), "{era:?}: something reached the server");
    }
}

#[tokio::test]
async fn parameters_of_the_wrong_type_reach_nobody() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        story.upstream.forget();
        for params in [
            json!({}),
            json!({ "name": null }),
            json!({ "name": 7 }),
            json!({ "name": ["track_parcel"] }),
            json!({ "name": { "a": "track_parcel" } }),
            json!({ "name": "" }),
            json!({ "name": "track_parcel", "arguments": [] }),
            json!({ "name": "track_parcel", "arguments": "x" }),
            json!({ "name": "track_parcel", "arguments": 1 }),
        ] {
            let reply = rita.request("tools/call", params.clone()).await;
            assert!(!reply.is_done(), "{era:?} {params}: {}", reply.http.text());
            assert!(reply.status() < 500, "{era:?} {params}: {}", reply.http.text());
        }
        assert!(story.upstream.requests("tools/call").is_empty(), "{era:?}");
    }
}

#[tokio::test]
async fn a_tool_is_found_by_its_exact_name_alone() {
    let story = Story::start().await;
    for era in Era::BOTH {
        let rita = story.connect("rita", era).await;
        for name in [
            "Track_parcel",
            "track_parcel\u{200b}",
            "track-parcel",
            "deliveries/track_parcel",
            "deliveries__track_parcel",
            "./track_parcel",
            "track_parcel\u{0}",
            "track_parc\u{435}l",
        ] {
            let mut message =
                rita.message("tools/call", json!({ "name": name, "arguments": parcel() }));
            let mut headers = rita.headers(&json!({ "method": "tools/call", "params": {} }));
            if era == Era::Modern {
                let encoded = base64_header(name);
                headers.push(("mcp-name".to_owned(), encoded));
            }
            message["params"]["arguments"] = parcel();
            let reply = rita.post(&headers, message.to_string()).await;
            assert_eq!(reply.error_code(), Some(-32602), "{era:?} {name:?}: {}", reply.http.text());
        }
    }
    assert!(story.upstream.requests("tools/call").is_empty());
}

/// `Mcp-Name` for text that is no header value (2026-07-28, request metadata).
fn base64_header(text: &str) -> String {
    let standard: String = kenward_testkit::base64url(text.as_bytes())
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let padding = "=".repeat((4 - standard.len() % 4) % 4);
    format!("=?base64?{standard}{padding}?=")
}

fn parcel() -> Value {
    json!({ "parcel": "p" })
}

/// Sends `text` with the headers of an ordinary call of `track_parcel`.
async fn attack(mcp: &Mcp, text: &str) -> Reply {
    let usual = json!({ "method": "tools/call", "params": { "name": "track_parcel" } });
    mcp.post(&mcp.headers(&usual), text.replace("@META@", meta(mcp.era()))).await
}

fn meta(era: Era) -> &'static str {
    match era {
        Era::Legacy => "\"_meta\":{}",
        Era::Modern => {
            "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
             \"io.modelcontextprotocol/clientCapabilities\":{}}"
        }
    }
}

fn call(tool: &str, arguments: &str) -> String {
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\
         \"params\":{{\"name\":\"{tool}\",\"arguments\":{arguments},@META@}}}}"
    )
}

fn ambiguous() -> Vec<Attack> {
    let good = call("track_parcel", "{\"parcel\":\"p\"}");
    let arguments = |text: &str| call("track_parcel", text);
    let swap = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let deep = format!("{}{{\"a\":1,\"a\":2}}{}", "{\"x\":[".repeat(12), "]}".repeat(12));
    vec![
        ("two methods", swap("\"method\"", "\"method\":\"tools/list\",\"method\"")),
        ("two methods, the same", swap("\"method\"", "\"method\":\"tools/call\",\"method\"")),
        ("two ids", swap("\"id\":1", "\"id\":1,\"id\":2")),
        ("two versions", swap("\"jsonrpc\"", "\"jsonrpc\":\"2.0\",\"jsonrpc\"")),
        ("two params", swap("\"params\"", "\"params\":{},\"params\"")),
        ("two names", swap("\"name\"", "\"name\":\"purge_records\",\"name\"")),
        ("two names, one escaped", swap("\"name\"", "\"n\\u0061me\":\"purge_records\",\"name\"")),
        ("two arguments", swap("\"arguments\"", "\"arguments\":{},\"arguments\"")),
        ("two metadata", swap("@META@", "@META@,\"_meta\":{}")),
        ("an argument twice", arguments("{\"parcel\":\"p\",\"parcel\":\"q\"}")),
        ("an argument twice, escaped", arguments("{\"parcel\":\"p\",\"p\\u0061rcel\":\"q\"}")),
        (
            "a member twice, deep inside",
            arguments(&format!("{{\"parcel\":\"p\",\"deep\":{deep}}}")),
        ),
        ("an empty name twice", arguments("{\"parcel\":\"p\",\"\":1,\"\":2}")),
        ("a method in another case", swap("\"method\"", "\"Method\":\"tools/list\",\"method\"")),
        ("params in another case", swap("\"params\"", "\"PARAMS\":{},\"params\"")),
        ("an id in another case", swap("\"id\":1", "\"id\":1,\"ID\":2")),
        ("a version in another case", swap("\"jsonrpc\"", "\"jsonRpc\":\"2.0\",\"jsonrpc\"")),
        ("a name in another case", swap("\"name\"", "\"Name\":\"purge_records\",\"name\"")),
        ("arguments in another case", swap("\"arguments\"", "\"ARGUMENTS\":{},\"arguments\"")),
        ("metadata in another case", swap("@META@", "@META@,\"_META\":{}")),
        ("a long s, which folds to s", swap("\"params\"", "\"param\u{17f}\":{},\"params\"")),
        ("a member that JSON-RPC does not have", swap("\"id\":1", "\"id\":1,\"x\":2")),
        ("a request that is a response too", swap("\"id\":1", "\"id\":1,\"result\":{}")),
        ("an array of messages", format!("[{good}]")),
        ("an array of two", format!("[{good},{good}]")),
        ("an empty array", "[]".to_owned()),
        (
            "params as an array",
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":[1]}".to_owned(),
        ),
    ]
}

fn malformed() -> Vec<Attack> {
    let good = call("track_parcel", "{\"parcel\":\"p\"}");
    let swap = |from: &str, to: &str| good.replacen(from, to, 1);
    vec![
        ("nothing", String::new()),
        ("blanks", "  \n".to_owned()),
        ("a word", "hello".to_owned()),
        ("null", "null".to_owned()),
        ("a number", "7".to_owned()),
        ("a text", "\"tools/call\"".to_owned()),
        ("two messages", format!("{good}{good}")),
        ("a message and more", format!("{good}x")),
        ("half a message", good[..good.len() - 1].to_owned()),
        ("a comment", swap("{", "{/* */")),
        ("a comma too much", swap("\"id\":1", "\"id\":1,,")),
        ("single quotes", good.replace('"', "'")),
        ("not a number", swap("\"p\"", "NaN")),
        ("a lone surrogate", swap("\"p\"", "\"\\ud800\"")),
        ("no version", swap("\"jsonrpc\":\"2.0\",", "")),
        ("an old version", swap("2.0", "1.0")),
        ("a version that is a number", swap("\"2.0\"", "2.0")),
        ("an id that is null", swap("\"id\":1", "\"id\":null")),
        ("an id that is an object", swap("\"id\":1", "\"id\":{}")),
        ("an id that is true", swap("\"id\":1", "\"id\":true")),
        ("an id with a fraction", swap("\"id\":1", "\"id\":1.5")),
        ("an id without end", swap("\"id\":1", &format!("\"id\":\"{}\"", "i".repeat(5_000)))),
        ("a method that is a number", swap("\"tools/call\"", "7")),
        ("a method that is null", swap("\"tools/call\"", "null")),
    ]
}
