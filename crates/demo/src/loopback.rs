//! Listening on this machine alone, for callers who mean this machine.

use std::net::SocketAddr;

use ::http::header::{HOST, ORIGIN};
use ::http::{HeaderMap, StatusCode};
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::DemoError;

/// A server that listens until this is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens on `address`, which must be one of this machine's own; port 0 takes a free one.
pub(crate) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), DemoError> {
    if !address.ip().is_loopback() {
        return Err(DemoError::NotLoopback(address));
    }
    let failed = |source| DemoError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Serves `router` on `listener` to whoever calls it by a name of this machine.
pub(crate) fn serve(listener: TcpListener, bound: SocketAddr, router: axum::Router) -> Listening {
    let router = router.layer(middleware::from_fn_with_state(bound.port(), meant_for_us));
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::warn!(%error, "a server of the demo has ended");
        }
    });
    Listening { task }
}

/// A page elsewhere can make a name of its own point to this machine (DNS rebinding): what was
/// meant for another name is refused.
async fn meant_for_us(State(port): State<u16>, request: Request, next: Next) -> Response {
    let host = text(request.headers(), HOST.as_str());
    if host.is_some_and(|host| is_own(host, port)) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "this server answers to this machine's own names alone\n")
        .into_response()
}

/// Whether the request comes from a page of this machine, or from no page at all.
pub(crate) fn is_local_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, h)| h);
    host.is_some_and(|host| is_local_name(host.rsplit_once(':').map_or(host, |(name, _)| name)))
}

/// A header as text.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_own(host: &str, port: u16) -> bool {
    host.rsplit_once(':')
        .is_some_and(|(name, given)| is_local_name(name) && given == port.to_string())
}

fn is_local_name(name: &str) -> bool {
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}
