//! The server behind: a process of its own that answers as fast as it can, with answers made once.

use std::convert::Infallible;
use std::process::ExitCode;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The answers, which the id 1 of every question makes the same.
#[derive(Debug, Clone)]
struct Answers {
    call: Bytes,
    list: Bytes,
    large: Bytes,
    discover: Bytes,
}

/// Serves on `port` until the process is ended.
pub(crate) fn run(port: &str) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("the port");
        let answers = answers();
        while let Ok((socket, _)) = listener.accept().await {
            let answers = answers.clone();
            let _slower = socket.set_nodelay(true);
            tokio::spawn(async move {
                let service = service_fn(|request| answer(&answers, request));
                let connection = hyper::server::conn::http1::Builder::new();
                let _ended = connection.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    ExitCode::SUCCESS
}

async fn answer(
    answers: &Answers,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let text = std::str::from_utf8(&body).unwrap_or_default();
    let (status, whole) = if text.contains("\"name\":\"large\"") {
        (StatusCode::OK, answers.large.clone())
    } else if text.contains("\"tools/call\"") {
        (StatusCode::OK, answers.call.clone())
    } else {
        seldom(answers, text)
    };
    let mut response = Response::new(Full::new(whole));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Questions that are also asked by the gateway on its own account, under ids of its own.
fn seldom(answers: &Answers, text: &str) -> (StatusCode, Bytes) {
    let message: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let id = message.get("id").cloned();
    let same = match message.get("method").and_then(Value::as_str) {
        Some("tools/list") => &answers.list,
        Some("server/discover") => &answers.discover,
        _ => return (StatusCode::ACCEPTED, Bytes::new()),
    };
    if id == Some(json!(1)) {
        return (StatusCode::OK, same.clone());
    }
    let mut answer: Value = serde_json::from_slice(same).unwrap_or(Value::Null);
    if let Some(place) = answer.get_mut("id") {
        *place = id.unwrap_or(Value::Null);
    }
    (StatusCode::OK, Bytes::from(answer.to_string()))
}

fn answers() -> Answers {
    let text = |text: &str| {
        result(&json!({ "resultType": "complete", "content": [{ "type": "text", "text": text }] }))
    };
    let list = json!({
        "resultType": "complete", "tools": tools(), "ttlMs": 60_000, "cacheScope": "public",
    });
    let discover = json!({
        "resultType": "complete", "supportedVersions": ["2026-07-28"],
        "capabilities": { "tools": {} }, "ttlMs": 60_000, "cacheScope": "public",
    });
    Answers {
        call: text("1 Main Street, Nashville"),
        list: result(&list),
        large: text(&"0123456789abcdef".repeat(1 << 16)),
        discover: result(&discover),
    }
}

fn result(result: &Value) -> Bytes {
    Bytes::from(json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string())
}

/// 20 tools with ordinary definitions.
fn tools() -> Vec<Value> {
    let tool = |name: &str| {
        json!({
            "name": name,
            "description": format!("The tool {name} does what its name says, and does it at once."),
            "inputSchema": { "type": "object", "properties": {
                "customer_id": { "type": "string", "description": "The number of the customer." },
                "limit": { "type": "integer", "minimum": 1, "maximum": 100 },
            } },
        })
    };
    let others = (1..19).map(|number| tool(&format!("tool_{number}")));
    [tool("get_customer_address"), tool("large")].into_iter().chain(others).collect()
}
