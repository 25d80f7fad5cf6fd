//! The admin listener: routes, the token, and the clean end.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use kenward_live::Live;
use kenward_store::segments::Log;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::{api, approvals, definitions, health, people};

/// The largest body of the admin API, in bytes: a bulk of entities.
const LARGEST_BODY: usize = 64 << 20;

/// What the control plane works on.
#[derive(Debug)]
pub struct Control {
    pub(crate) live: Arc<Live>,
    pub(crate) log: Arc<Log>,
    token: [u8; 32],
    probe: Probe,
}

/// What else has to be there for the gateway to be ready.
type Probe = Box<dyn ProbeFn>;

/// Names what is missing; empty when nothing is.
trait ProbeFn: Fn() -> Vec<String> + Send + Sync {}
impl<T: Fn() -> Vec<String> + Send + Sync> ProbeFn for T {}

impl std::fmt::Debug for dyn ProbeFn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("probe")
    }
}

impl Control {
    /// A control plane over `live` and `log`; `token` is the admin's bearer token, and `missing`
    /// names what the gateway still lacks to be ready.
    pub fn new(
        live: Arc<Live>,
        log: Arc<Log>,
        token: &str,
        missing: impl Fn() -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        let token = Sha256::digest(token.as_bytes()).into();
        Self { live, log, token, probe: Box::new(missing) }
    }

    /// What the gateway lacks to be ready.
    pub(crate) fn missing(&self) -> Vec<String> {
        let mut missing = (self.probe)();
        if !self.log.is_good() {
            missing.push("the audit log cannot be written".to_owned());
        }
        missing
    }

    /// Digests are compared, so that the time of the comparison tells nothing of the token.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let parts = value.and_then(|value| value.split_once(' '));
        let token = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = token.map(|(_, token)| token);
        token.is_some_and(|token| <[u8; 32]>::from(Sha256::digest(token.as_bytes())) == self.token)
    }
}

/// Serves the control plane until `stop` is done.
pub async fn serve(
    control: Arc<Control>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(control)).with_graceful_shutdown(stop).await
}

pub(crate) fn router(control: Arc<Control>) -> Router {
    let guarded = Router::new()
        .route("/api/v1/entities/{kind}/{id}", put(api::put).get(api::get).delete(api::delete))
        .route("/api/v1/entities", post(api::bulk))
        .route("/api/v1/revision", get(api::revision))
        .route("/api/v1/people/{user}/history", get(people::history))
        .route("/api/v1/people/{user}/history/shadows", delete(people::lift))
        .route("/api/v1/approvals", get(approvals::waiting))
        .route("/api/v1/approvals/{id}", post(approvals::answer))
        .route("/api/v1/definitions", get(definitions::list))
        .route("/api/v1/definitions/diff", get(definitions::differences))
        .route("/api/v1/definitions/approve", post(definitions::approve))
        .route("/api/v1/definitions/reject", post(definitions::reject))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn_with_state(Arc::clone(&control), guard));
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .merge(guarded)
        .with_state(control)
}

async fn guard(
    State(control): State<Arc<Control>>,
    request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    if control.knows(request.headers()) {
        Ok(next.run(request).await)
    } else {
        Err(StatusCode::UNAUTHORIZED)
    }
}
