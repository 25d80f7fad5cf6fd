//! An HTTP client that shows everything: one connection for each request, raw bytes on demand.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client of one server address.
#[derive(Debug, Clone)]
pub struct Client {
    address: String,
}

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Client {
    /// A client of `url`, of which only host and port matter.
    pub fn new(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        Self { address: rest.split('/').next().expect("a host").to_owned() }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends a request and reads the answer to its end.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Response {
        let whole = async {
            let response = self.open(method, path, headers, body).await;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.expect("a whole body").to_bytes();
            Response { status: parts.status, headers: parts.headers, body }
        };
        tokio::time::timeout(PATIENCE, whole).await.expect("an answer in time")
    }

    /// GET.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.send("GET", path, headers, Bytes::new()).await
    }

    /// Sends a request and reads the head of the answer.
    pub async fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> http::Response<Incoming> {
        let head = async {
            let socket = TcpStream::connect(&self.address).await.expect("a connection");
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.expect("http");
            tokio::spawn(connection);
            let request = self.request(method, path, headers, body.into());
            sender.send_request(request).await.expect("an answer")
        };
        tokio::time::timeout(PATIENCE, head).await.expect("an answer in time")
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Request<Full<Bytes>> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = Request::builder().method(method).uri(path);
        let map = request.headers_mut().expect("headers");
        map.insert("host", HeaderValue::from_str(&self.address).expect("a host"));
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
            if name == "host" {
                map.remove("host");
            }
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"));
        }
        request.body(Full::new(body)).expect("a request")
    }

    /// Writes exactly `bytes` and reads until the server closes, or for two seconds.
    pub async fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut socket = TcpStream::connect(&self.address).await.expect("a connection");
        let _refused = socket.write_all(bytes).await;
        let mut answer = Vec::new();
        let reading = socket.read_to_end(&mut answer);
        let _closed = tokio::time::timeout(Duration::from_secs(2), reading).await;
        answer
    }
}
