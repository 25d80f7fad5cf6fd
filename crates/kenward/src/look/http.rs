//! A conversation over Streamable HTTP.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kenward_gateway::Credential;
use kenward_mcp::dialect::Era;
use kenward_mcp::{Limits, sse};
use serde_json::Value;

use super::{LookError, MOST_BYTES, Outgoing, answers};

pub(super) struct Wire {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    authorization: Option<HeaderValue>,
    session: Option<HeaderValue>,
    version: Option<&'static str>,
}

impl Wire {
    pub(super) fn new(uri: &Uri, credential: &Credential) -> Result<Self, LookError> {
        let authorization = match credential {
            Credential::None => None,
            Credential::Bearer(token) => {
                let unfit = |_| LookError::Strange("the credential cannot be sent".to_owned());
                let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(unfit)?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, uri: uri.clone(), authorization, session: None, version: None })
    }

    /// Sends a message; the answer to a request, and null to a notification.
    pub(super) async fn exchange(&mut self, outgoing: &Outgoing<'_>) -> Result<Value, LookError> {
        self.version = outgoing.version;
        let mut headers = self.headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let both = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(ACCEPT, both);
        if outgoing.era == Era::Modern
            && let Ok(method) = HeaderValue::try_from(outgoing.method)
        {
            headers.insert(HeaderName::from_static("mcp-method"), method);
        }
        let body = Full::new(Bytes::from(outgoing.json.to_string()));
        let response = self.send(Method::POST, headers, body).await?;
        if let Some(session) = response.headers().get(SESSION) {
            self.session = Some(session.clone());
        }
        match outgoing.id {
            None => Ok(Value::Null),
            Some(id) => read(response, id).await,
        }
    }

    /// Ends the session, if there is one.
    pub(super) async fn end(&mut self) {
        if self.session.is_some() {
            let headers = self.headers();
            drop(self.send(Method::DELETE, headers, Full::default()).await);
            self.session = None;
        }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let version = self.version.map(HeaderValue::from_static);
        let named = [
            (HeaderName::from_static("mcp-protocol-version"), version),
            (HeaderName::from_static(SESSION), self.session.clone()),
            (AUTHORIZATION, self.authorization.clone()),
        ];
        headers.extend(named.into_iter().filter_map(|(name, value)| Some((name, value?))));
        headers
    }

    async fn send(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Full<Bytes>,
    ) -> Result<Response<Incoming>, LookError> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        self.client
            .request(request)
            .await
            .map_err(|error| LookError::Unreachable(innermost(&error)))
    }
}

/// Finds the response to request `id` in a body: JSON, or a stream of events.
async fn read(response: Response<Incoming>, id: u64) -> Result<Value, LookError> {
    let status = response.status().as_u16();
    if matches!(status, 401 | 403) {
        return Err(LookError::Unauthorized(status));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim().to_owned();
    if kind.eq_ignore_ascii_case("text/event-stream") {
        return events(response.into_body(), id).await;
    }
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(LookError::Status(status));
    }
    let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
    let body = body.map_err(|error| LookError::Strange(error.to_string()))?.to_bytes();
    let json: Value = serde_json::from_slice(&body)
        .map_err(|_| LookError::Strange("its answer is no JSON".to_owned()))?;
    let is_error = json.get("error").is_some();
    if answers(&json, id) || is_error {
        Ok(json)
    } else {
        Err(LookError::Strange("its answer belongs to no request of ours".to_owned()))
    }
}

async fn events(mut body: Incoming, id: u64) -> Result<Value, LookError> {
    let limits = Limits { body: MOST_BYTES, ..Limits::default() };
    let mut decoder = sse::Decoder::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| LookError::Unreachable(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        decoder.push(&data, &limits).map_err(|error| LookError::Strange(error.to_string()))?;
        while let Some(event) = decoder.next() {
            match serde_json::from_slice::<Value>(&event.data) {
                Ok(json) if answers(&json, id) => return Ok(json),
                Ok(_) | Err(_) => {}
            }
        }
    }
    Err(LookError::Strange("its stream ended without the answer".to_owned()))
}

fn tls() -> Result<rustls::ClientConfig, LookError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| LookError::Unreachable(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// The cause that says something: the outer ones only say that connecting failed.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

const SESSION: &str = "mcp-session-id";
