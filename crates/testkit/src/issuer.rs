//! An issuer of access tokens: discovery (RFC 8414, `OpenID` Connect) and keys over HTTP.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::http1::Outgoing;
use crate::{Algorithm, SigningKey, Token};

/// An issuer that runs as long as this value lives.
#[derive(Debug)]
pub struct Issuer {
    shared: Arc<Shared>,
    rs256: OnceLock<Arc<SigningKey>>,
    ed25519: OnceLock<Arc<SigningKey>>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    url: String,
    keys: Mutex<Vec<Arc<SigningKey>>>,
    down: AtomicBool,
    claims_to_be: Mutex<Option<String>>,
    fetches: AtomicUsize,
}

impl Issuer {
    /// Starts an issuer with one ES256 key.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let key = Arc::new(SigningKey::generate("es-1", Algorithm::Es256));
        let shared = Arc::new(Shared {
            url,
            keys: Mutex::new(vec![key]),
            down: AtomicBool::new(false),
            claims_to_be: Mutex::default(),
            fetches: AtomicUsize::new(0),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { shared, rs256: OnceLock::new(), ed25519: OnceLock::new(), server }
    }

    /// The issuer's identifier: its URL.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// The newest key.
    pub fn key(&self) -> Arc<SigningKey> {
        let keys = self.shared.keys.lock().expect("keys");
        Arc::clone(keys.last().expect("a key"))
    }

    /// A published key of another algorithm, made at its first use.
    pub fn key_of(&self, algorithm: Algorithm) -> Arc<SigningKey> {
        let (place, kid) = match algorithm {
            Algorithm::Es256 => return Arc::clone(&self.shared.keys.lock().expect("keys")[0]),
            Algorithm::Rs256 => (&self.rs256, "rs-1"),
            Algorithm::EdDsa => (&self.ed25519, "ed-1"),
        };
        let make = || {
            let key = Arc::new(SigningKey::generate(kid, algorithm));
            self.shared.keys.lock().expect("keys").insert(0, Arc::clone(&key));
            key
        };
        Arc::clone(place.get_or_init(make))
    }

    /// Replaces all keys by a new one with the id `kid`, as an issuer does that rotates.
    pub fn rotate(&self, kid: &str) {
        let key = Arc::new(SigningKey::generate(kid, Algorithm::Es256));
        *self.shared.keys.lock().expect("keys") = vec![key];
    }

    /// A good token for `user` at the resource `audience`, to be bent or signed.
    pub fn token(&self, user: &str, audience: &str) -> Token {
        Token::new(self.url(), user, audience, self.key())
    }

    /// The published key set.
    pub fn jwks(&self) -> Value {
        self.shared.jwks()
    }

    /// Answers nothing but 503 from now on, or works again.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    /// States another `issuer` in its metadata than its own.
    pub fn claim_to_be(&self, issuer: &str) {
        *self.shared.claims_to_be.lock().expect("claims") = Some(issuer.to_owned());
    }

    /// How often the key set was fetched.
    pub fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn jwks(&self) -> Value {
        let keys = self.keys.lock().expect("keys");
        json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
    }

    fn metadata(&self) -> Value {
        let named = self.claims_to_be.lock().expect("claims").clone();
        json!({
            "issuer": named.unwrap_or_else(|| self.url.clone()),
            "jwks_uri": format!("{}/jwks", self.url),
            "authorization_endpoint": format!("{}/authorize", self.url),
            "token_endpoint": format!("{}/token", self.url),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        })
    }

    fn answer(&self, path: &str) -> Response<Outgoing> {
        if self.down.load(Ordering::SeqCst) {
            return respond(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "down" }));
        }
        match path {
            "/.well-known/oauth-authorization-server" | "/.well-known/openid-configuration" => {
                respond(StatusCode::OK, &self.metadata())
            }
            "/jwks" => {
                self.fetches.fetch_add(1, Ordering::SeqCst);
                respond(StatusCode::OK, &self.jwks())
            }
            _ => respond(StatusCode::NOT_FOUND, &json!({ "error": "not found" })),
        }
    }
}

fn respond(status: StatusCode, body: &Value) -> Response<Outgoing> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Outgoing::whole(body.to_string())).expect("a response")
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request: Request<Incoming>| {
            let response = shared.answer(request.uri().path());
            async move { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new();
            let _ended = connection.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
