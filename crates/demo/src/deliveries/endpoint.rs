//! The endpoint `/mcp`: Streamable HTTP as both eras have it.

use std::sync::Arc;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use futures_util::stream;
use kenward_mcp::dialect::{self, Dialect, Era, HeaderView};
use kenward_mcp::method::{self, Direction};
use kenward_mcp::{EnvelopeError, Kind, Limits, Message, reply, sse};
use kenward_model::Target;
use serde_json::{Value, json};

use super::answers::{Asked, answer};
use super::guard::{self, Call, Distrust};
use super::{Seen, Shared};
use crate::{clock, loopback};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// The code of a call that is not trusted; outside the range that JSON-RPC reserves.
const NOT_TRUSTED: i32 = -31401;
/// Calls that take a while, and are answered by a stream.
const SLOW: [&str; 2] = ["get_delivery_eta", "export_all_customers"];
/// Methods that tell or do something; the rest says only what there is.
const GUARDED: [&str; 4] = ["tools/call", "prompts/get", "resources/read", "resources/subscribe"];

/// The routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let mcp = post(receive).get(stream_of_session).delete(end_session);
    Router::new()
        .route("/mcp", mcp)
        .layer(DefaultBodyLimit::max(Limits::default().body))
        .with_state(shared)
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    if !loopback::is_local_origin(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match accept(&shared, &headers, body).await {
        Ok(response) => response,
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
            with_json(status, reply::envelope(&error))
        }
    }
}

async fn accept(
    shared: &Shared,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response, EnvelopeError> {
    let message = Message::parse(body, &Limits::default())?;
    let text = |name: &str| loopback::text(headers, name);
    let view = HeaderView {
        version: text("mcp-protocol-version"),
        method: text("mcp-method"),
        name: text("mcp-name"),
        session: text(SESSION.as_str()),
    };
    let dialect = dialect::classify(&view, &message)?;
    if let Err(status) = check_session(shared, dialect, &view, &message) {
        return Ok(status.into_response());
    }
    match message.kind() {
        Kind::Notification | Kind::Response => Ok(StatusCode::ACCEPTED.into_response()),
        Kind::Request => request(shared, headers, dialect.era, &view, &message).await,
    }
}

/// A legacy message belongs to a session, except the one that begins it.
fn check_session(
    shared: &Shared,
    dialect: Dialect,
    view: &HeaderView<'_>,
    message: &Message,
) -> Result<(), StatusCode> {
    if dialect.era == Era::Modern || message.method() == "initialize" {
        return Ok(());
    }
    match view.session {
        None => Err(StatusCode::BAD_REQUEST),
        Some(session) if shared.sessions.is_open(session) => Ok(()),
        Some(_) => Err(StatusCode::NOT_FOUND),
    }
}

async fn request(
    shared: &Shared,
    headers: &HeaderMap,
    era: Era,
    view: &HeaderView<'_>,
    message: &Message,
) -> Result<Response, EnvelopeError> {
    let answering = |error: EnvelopeError| error.answering(message.id());
    let row = method::admit(message, era, Direction::ToServer)?;
    let target = method::target(row, message.params()).map_err(answering)?;
    if GUARDED.contains(&row.name)
        && let Err(distrust) = trust(shared, headers, row.name, &target, message.params()).await
    {
        return Ok(refuse(message.id(), &distrust));
    }
    let id = message.id().unwrap_or(b"null");
    let session = view.session.filter(|_| era == Era::Legacy);
    let params = message.params();
    if row.name == "subscriptions/listen" {
        return Ok(listen(shared, id, params));
    }
    let asked = Asked { era, id, method: row.name, target: &target, params, session };
    let answered = answer(shared, &asked).map_err(answering)?;
    let is_slow = target.name().is_some_and(|name| SLOW.contains(&name));
    if row.name == "initialize" {
        return Ok(with_new_session(shared, answered));
    }
    if is_slow && wants_stream(headers) {
        return Ok(streamed(params, &answered));
    }
    Ok(with_json(StatusCode::OK, answered))
}

/// Checks the grant and remembers the call.
async fn trust(
    shared: &Shared,
    headers: &HeaderMap,
    method: &str,
    target: &Target<'_>,
    params: &Value,
) -> Result<(), Distrust> {
    let arguments = params.get("arguments").unwrap_or(&Value::Null);
    let token = loopback::text(headers, "txn-token");
    let call = Call { method, target, arguments, endpoint: &shared.endpoint };
    let claims = match &shared.guard {
        Some(keeper) => keeper.check(token, &call).await?,
        None => Value::Null,
    };
    let text = |pointer: &str| {
        claims.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (user, agent) = (text("/sub"), text("/act/sub"));
    shared.remember(Seen {
        user,
        agent,
        method: method.to_owned(),
        target: target.name().unwrap_or_default().to_owned(),
        arguments: arguments.clone(),
        token: token.map(str::to_owned),
        header: token.map_or(Value::Null, guard::header),
        claims,
    });
    Ok(())
}

fn refuse(id: Option<&[u8]>, distrust: &Distrust) -> Response {
    let body = reply::error(id, NOT_TRUSTED, &distrust.to_string(), None);
    with_json(StatusCode::FORBIDDEN, body)
}

fn listen(shared: &Shared, id: &[u8], params: &Value) -> Response {
    let wanted = params.pointer("/notifications/resourceSubscriptions").and_then(Value::as_array);
    let wanted = wanted.into_iter().flatten().filter_map(Value::as_str);
    let uris = wanted.filter(|uri| shared.stock.today(uri).is_some()).map(str::to_owned).collect();
    let id = serde_json::from_slice(id).unwrap_or(Value::Null);
    with_events(shared.listeners.open_listen(id, uris).into_body())
}

/// The stream of a legacy session.
async fn stream_of_session(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if !loopback::is_local_origin(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match loopback::text(&headers, SESSION.as_str()) {
        None => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        Some(session) if shared.sessions.is_open(session) => {
            let uris = shared.sessions.uris(session);
            with_events(shared.listeners.open_session(session, uris).into_body())
        }
        Some(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn end_session(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> StatusCode {
    match loopback::text(&headers, SESSION.as_str()) {
        None => StatusCode::METHOD_NOT_ALLOWED,
        Some(session) if shared.sessions.end(session) => {
            shared.listeners.close_session(session);
            StatusCode::NO_CONTENT
        }
        Some(_) => StatusCode::NOT_FOUND,
    }
}

fn with_new_session(shared: &Shared, body: Bytes) -> Response {
    let Ok(session) = clock::secret() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = with_json(StatusCode::OK, body);
    if let Ok(value) = HeaderValue::try_from(&session) {
        response.headers_mut().insert(SESSION, value);
    }
    shared.sessions.begin(session);
    response
}

/// An answer that takes its time: progress, if it was asked for, and then the result.
fn streamed(params: &Value, answered: &Bytes) -> Response {
    let progress = params.pointer("/_meta/progressToken").map(|token| {
        let told = json!({ "progressToken": token, "progress": 1, "total": 2 });
        sse::data(&reply::notification("notifications/progress", Some(&told.to_string())))
    });
    let events = progress.into_iter().chain([sse::data(answered)]);
    let events = events.map(Ok::<_, std::convert::Infallible>);
    with_events(Body::from_stream(stream::iter(events)))
}

fn wants_stream(headers: &HeaderMap) -> bool {
    loopback::text(headers, "accept").is_some_and(|types| types.contains("text/event-stream"))
}

fn with_json(status: StatusCode, body: Bytes) -> Response {
    let json = HeaderValue::from_static("application/json");
    (status, [(CONTENT_TYPE, json)], body).into_response()
}

fn with_events(body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (HeaderName::from_static("cache-control"), HeaderValue::from_static("no-store")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, body).into_response()
}
