//! The HTTP side of the scriptable server: connections, framing, sessions and streams.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Answer, Received, Shared, Stream, protocol};
use crate::http1::Outgoing;

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the server, as they do when a process ends.
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(answer(&shared, request).await) }
        });
        connections.spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new();
            let _ended = connection.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Response<Outgoing> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let received = Received { verb: parts.method, headers: parts.headers, body };
    shared.received.lock().expect("received").push(received.clone());
    match received.verb {
        Method::GET | Method::DELETE if !shared.legacy.load(Ordering::SeqCst) => {
            empty(StatusCode::METHOD_NOT_ALLOWED)
        }
        Method::GET => stream(shared, None, None),
        Method::DELETE => empty(StatusCode::OK),
        _ => posted(shared, received).await,
    }
}

async fn posted(shared: &Arc<Shared>, received: Received) -> Response<Outgoing> {
    let message = received.json();
    let Some(id) = message.get("id").filter(|_| message.get("method").is_some()).cloned() else {
        return empty(StatusCode::ACCEPTED);
    };
    let modern = shared.modern.load(Ordering::SeqCst);
    if received.is_modern() && !modern {
        return failed(StatusCode::BAD_REQUEST, &id, -32600, "Bad Request: no valid session id");
    }
    if !received.is_modern() && !shared.legacy.load(Ordering::SeqCst) {
        return failed(
            StatusCode::BAD_REQUEST,
            &id,
            -32602,
            "the metadata of 2026-07-28 is missing",
        );
    }
    let scripted = shared.scripts.lock().expect("scripts").contains_key("subscriptions/listen");
    if received.method() == "subscriptions/listen" && modern && !scripted {
        let asked = message["params"]["notifications"].clone();
        let meta = json!({ "io.modelcontextprotocol/subscriptionId": id });
        let acknowledged = json!({
            "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
            "params": { "notifications": asked, "_meta": meta },
        });
        return stream(shared, Some(id), Some(&acknowledged));
    }
    let _busy = Busy::new(shared);
    let answer = protocol::answer(shared, &received);
    let response = framed(shared, &received, &id, answer, Vec::new()).await;
    with_session(shared, &received, response)
}

/// Counts a request that is being answered, until it is dropped.
struct Busy<'a>(&'a Shared);

impl<'a> Busy<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.under_way.fetch_add(1, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

type Framed<'a> = Pin<Box<dyn Future<Output = Response<Outgoing>> + Send + 'a>>;

fn framed<'a>(
    shared: &'a Arc<Shared>,
    received: &'a Received,
    id: &'a Value,
    answer: Answer,
    mut before: Vec<Value>,
) -> Framed<'a> {
    Box::pin(async move {
        let message = match answer {
            Answer::After(delay, next) => {
                tokio::time::sleep(delay).await;
                return framed(shared, received, id, *next, before).await;
            }
            Answer::When(signal, next) => {
                signal.notified().await;
                return framed(shared, received, id, *next, before).await;
            }
            Answer::Events(mut messages, next) => {
                before.append(&mut messages);
                return later(shared, received, id, *next, &before);
            }
            Answer::Hang => std::future::pending().await,
            Answer::Raw(status, kind, bytes) => return raw(status, kind, bytes),
            Answer::Result(result) => {
                let result = protocol::dress(result, received);
                json!({ "jsonrpc": "2.0", "id": id, "result": result })
            }
            Answer::Error(code, text) => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } })
            }
        };
        if shared.as_events.load(Ordering::SeqCst) {
            return raw(200, "text/event-stream", protocol::event(&message));
        }
        raw(200, "application/json", Bytes::from(message.to_string()))
    })
}

/// A stream that says `before` at once and the answer when it is there.
fn later(
    shared: &Arc<Shared>,
    received: &Received,
    id: &Value,
    answer: Answer,
    before: &[Value],
) -> Response<Outgoing> {
    let (chunks, body) = mpsc::unbounded_channel();
    for message in before {
        let _gone = chunks.send(protocol::event(message));
    }
    let (shared, received, id) = (Arc::clone(shared), received.clone(), id.clone());
    tokio::spawn(async move {
        let waited = framed(&shared, &received, &id, answer, Vec::new());
        let response = tokio::select! {
            response = waited => response,
            () = chunks.closed() => return,
        };
        let is_json =
            response.headers().get("content-type").is_some_and(|kind| kind == "application/json");
        let bytes = response.into_body().collect().await.map(Collected::to_bytes);
        let bytes = bytes.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let chunk = if is_json { Bytes::from(format!("data: {text}\n\n")) } else { bytes };
        let _gone = chunks.send(chunk);
    });
    events(body)
}

fn stream(
    shared: &Shared,
    subscription: Option<Value>,
    first: Option<&Value>,
) -> Response<Outgoing> {
    let (chunks, body) = mpsc::unbounded_channel();
    let opening = first.map_or_else(|| Bytes::from_static(b": open\n\n"), protocol::event);
    let _gone = chunks.send(opening);
    shared.streams.lock().expect("streams").push(Stream { chunks, subscription });
    events(body)
}

fn events(body: mpsc::UnboundedReceiver<Bytes>) -> Response<Outgoing> {
    let response = Response::builder().header("content-type", "text/event-stream");
    response.body(Outgoing::Fed(body)).expect("a response")
}

fn with_session(
    shared: &Shared,
    received: &Received,
    mut response: Response<Outgoing>,
) -> Response<Outgoing> {
    if received.method() == "initialize" {
        let number = shared.next_session.fetch_add(1, Ordering::SeqCst);
        let id = format!("upstream-session-{number}");
        response.headers_mut().insert("mcp-session-id", id.parse().expect("a header value"));
    }
    response
}

fn empty(status: StatusCode) -> Response<Outgoing> {
    Response::builder().status(status).body(Outgoing::Whole(None)).expect("a response")
}

fn failed(status: StatusCode, id: &Value, code: i32, text: &str) -> Response<Outgoing> {
    let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } });
    raw(status.as_u16(), "application/json", Bytes::from(error.to_string()))
}

fn raw(status: u16, kind: &'static str, bytes: Bytes) -> Response<Outgoing> {
    let response = Response::builder().status(status).header("content-type", kind);
    response.body(Outgoing::whole(bytes)).expect("a response")
}
