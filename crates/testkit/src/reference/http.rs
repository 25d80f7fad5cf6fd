//! Connections, who may call, and which era a request belongs to.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::call::Failure;
use super::{Eras, MODERN, Server, legacy, modern};
use crate::http1::Outgoing;

/// What is sent back.
pub(super) type Answer = Response<Outgoing>;

pub(super) async fn serve(listener: TcpListener, server: Arc<Server>) {
    // Connections end with the server, as they do when a process ends.
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let server = Arc::clone(&server);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { Ok::<_, Infallible>(answer(&server, request).await) }
        });
        connections.spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new();
            let _ended = connection.serve_connection(TokioIo::new(socket), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(server: &Arc<Server>, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    if !is_local(&parts.headers) {
        return empty(StatusCode::FORBIDDEN);
    }
    if parts.uri.path() != "/mcp" {
        return empty(StatusCode::NOT_FOUND);
    }
    match parts.method {
        Method::POST => {
            let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
            posted(server, &parts.headers, &body).await
        }
        _ if server.eras == Eras::Modern => empty(StatusCode::METHOD_NOT_ALLOWED),
        Method::GET => legacy::listen(server, &parts.headers),
        Method::DELETE => legacy::end(server, &parts.headers),
        _ => empty(StatusCode::METHOD_NOT_ALLOWED),
    }
}

async fn posted(server: &Arc<Server>, headers: &HeaderMap, body: &[u8]) -> Answer {
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        return failed(&Failure::new(-32700, "the body is not JSON"), &Value::Null);
    };
    if !message.is_object() {
        let failure = Failure::new(-32600, "the body is not one message; batches are not served");
        return failed(&failure.with_status(StatusCode::BAD_REQUEST), &Value::Null);
    }
    let declared = message["params"]["_meta"].get(modern::VERSION).is_some();
    let is_modern = declared || header(headers, "mcp-protocol-version") == Some(MODERN);
    match server.eras {
        Eras::Modern => modern::post(server, headers, &message).await,
        Eras::Dual if is_modern => modern::post(server, headers, &message).await,
        Eras::Dual | Eras::Legacy => legacy::post(server, headers, &message).await,
    }
}

/// Whether a request names this machine as its host and, if it names one, as its origin.
///
/// A page that a name server sent here under its own name is refused (2025-11-25, Security Warning of
/// the HTTP transport).
fn is_local(headers: &HeaderMap) -> bool {
    let local = |authority: &str| {
        let host =
            authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let host = host.map_or(authority, |(host, _)| host);
        ["localhost", "127.0.0.1", "[::1]"].contains(&host)
    };
    let host = header(headers, "host").is_some_and(local);
    let origin = header(headers, "origin").is_none_or(|origin| {
        let schemes = ["http://", "https://"];
        schemes.iter().find_map(|scheme| origin.strip_prefix(scheme)).is_some_and(local)
    });
    host && origin
}

/// A header as text.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Answer {
    Response::builder().status(status).body(Outgoing::Whole(None)).expect("a response")
}

/// One message as JSON.
pub(super) fn json(status: StatusCode, message: &Value) -> Answer {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Outgoing::whole(Bytes::from(message.to_string()))).expect("a response")
}

/// An error as JSON.
pub(super) fn failed(failure: &Failure, id: &Value) -> Answer {
    let status = if id.is_null() { StatusCode::BAD_REQUEST } else { failure.status };
    json(status, &failure.response(id))
}

/// A stream of events.
pub(super) fn events(chunks: UnboundedReceiver<Bytes>) -> Answer {
    let response = Response::builder()
        .header("content-type", "text/event-stream")
        .header("cache-control", "no-cache")
        .header("x-accel-buffering", "no");
    response.body(Outgoing::Fed(chunks)).expect("a response")
}
