//! Streamable HTTP towards a server: one pooled client, fixed headers, no redirects.

use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Client as Pool, Error as PoolError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::{Reply, UpstreamError};
use crate::settings::Credential;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept; shorter than what common servers allow.
const IDLE: Duration = Duration::from_secs(4);

/// A pool of connections to the servers behind.
///
/// HTTP/1.1 only: one long stream then never stands in the way of other calls.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    plain: Pool<HttpConnector, Full<Bytes>>,
    /// Made when the first server wants it: reading the system's authorities takes its time.
    tls: Arc<OnceLock<Pool<HttpsConnector<HttpConnector>, Full<Bytes>>>>,
}

thread_local! {
    static OWN: Client = Client::new();
}

impl Client {
    /// The client of this thread: the task of a connection stays on the core that uses it.
    pub(crate) fn own() -> Self {
        OWN.with(Self::clone)
    }

    pub(crate) fn new() -> Self {
        Self { plain: pool(tcp()), tls: Arc::default() }
    }

    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, PoolError> {
        if request.uri().scheme_str() == Some("https") {
            return self.tls.get_or_init(|| pool(tls())).request(request).await;
        }
        self.plain.request(request).await
    }
}

fn pool<C>(connector: C) -> Pool<C, Full<Bytes>>
where
    C: Connect + Clone,
{
    Pool::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .build(connector)
}

fn tcp() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    connector
}

fn tls() -> HttpsConnector<HttpConnector> {
    static SETTINGS: LazyLock<rustls::ClientConfig> = LazyLock::new(settings);
    HttpsConnectorBuilder::new()
        .with_tls_config(SETTINGS.clone())
        .https_only()
        .enable_http1()
        .wrap_connector(tcp())
}

/// The system's certificate authorities; none at all makes every TLS connection fail.
fn settings() -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a system certificate cannot be used");
    }
    roots.add_parsable_certificates(found.certs);
    rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}

/// One request to a server, complete but for what the transport itself adds.
#[derive(Debug)]
pub(crate) struct HttpRequest<'a> {
    pub(crate) method: Method,
    pub(crate) uri: &'a Uri,
    /// The headers of MCP that go with the message.
    pub(crate) headers: HeaderMap,
    pub(crate) credential: &'a Credential,
    pub(crate) body: Bytes,
    /// How long the head of the answer may take.
    pub(crate) patience: Duration,
}

/// Sends `request` and sorts the answer.
pub(crate) async fn send(request: HttpRequest<'_>) -> Result<Reply, UpstreamError> {
    let client = Client::own();
    let patience = request.patience;
    let is_get = request.method == Method::GET;
    let request = assemble(request)?;
    let response = match tokio::time::timeout(patience, client.send(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::debug!(%error, "upstream request failed");
            return Err(UpstreamError::Unreachable);
        }
        Err(_) => return Err(UpstreamError::Slow),
    };
    sort(response, is_get)
}

fn assemble(request: HttpRequest<'_>) -> Result<Request<Full<Bytes>>, UpstreamError> {
    let HttpRequest { method, uri, mut headers, credential, body, patience: _ } = request;
    if let Credential::Bearer(token) = credential {
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| UpstreamError::Misbehaved("the credential is no header value"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    if method == Method::POST {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let both = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(ACCEPT, both);
    } else if method == Method::GET {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    }
    let mut assembled = Request::new(Full::new(body));
    *assembled.method_mut() = method;
    *assembled.uri_mut() = uri.clone();
    *assembled.headers_mut() = headers;
    Ok(assembled)
}

fn sort(response: Response<Incoming>, is_get: bool) -> Result<Reply, UpstreamError> {
    let (parts, body) = response.into_parts();
    if parts.headers.contains_key(CONTENT_ENCODING) {
        return Err(UpstreamError::Misbehaved("compressed though we did not ask for it"));
    }
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    match parts.status {
        StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(Reply::Accepted),
        StatusCode::OK if kind.eq_ignore_ascii_case("text/event-stream") => {
            Ok(Reply::Events { headers: parts.headers, body })
        }
        StatusCode::METHOD_NOT_ALLOWED if is_get => Ok(Reply::NotOffered),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(UpstreamError::RefusedUs),
        StatusCode::OK | StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND
            if kind.eq_ignore_ascii_case("application/json") =>
        {
            Ok(Reply::Json { status: parts.status, headers: parts.headers, body })
        }
        StatusCode::NOT_FOUND => Err(UpstreamError::SessionEnded),
        StatusCode::OK => Err(UpstreamError::Misbehaved("neither JSON nor a stream of events")),
        other => Err(UpstreamError::Status(other.as_u16())),
    }
}
