//! Outgoing HTTP: one small client for everything in the demo that calls somebody.

use std::time::Duration;

use ::http::{HeaderMap, Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// How long the head of an answer, and then its body, may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long an answer may be, in bytes.
const LARGEST: usize = 8 << 20;

/// Why a call over HTTP has no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The peer is not there, or the connection broke.
    #[error("`{0}` cannot be reached")]
    Unreachable(String),
    /// The answer takes too long.
    #[error("`{0}` does not answer")]
    Slow(String),
    /// The answer breaks off, or is too long.
    #[error("the answer of `{0}` cannot be read")]
    Broken(String),
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A pool of connections over plain HTTP/1.1.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pool: Client<HttpConnector, Full<Bytes>>,
}

impl Http {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(2).build(connector);
        Self { pool }
    }

    /// Sends a request and gives the answer as soon as its head is there.
    pub(crate) async fn open(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, HttpError> {
        let uri = request.uri().to_string();
        match tokio::time::timeout(PATIENCE, self.pool.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a call of the demo failed");
                Err(HttpError::Unreachable(uri))
            }
            Err(_) => Err(HttpError::Slow(uri)),
        }
    }

    /// Sends a request and reads the answer to its end.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, HttpError> {
        let uri = request.uri().to_string();
        let (head, body) = self.open(request).await?.into_parts();
        let body = tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST).collect()).await;
        match body {
            Ok(Ok(body)) => {
                Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
            }
            Ok(Err(_)) => Err(HttpError::Broken(uri)),
            Err(_) => Err(HttpError::Slow(uri)),
        }
    }
}
