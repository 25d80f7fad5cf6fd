//! A small OAuth 2.1 authorization server on loopback, for people in a browser and for scripts.
//!
//! Everybody may log in as anybody: it shows how tokens come about, and guards nothing.

mod authorize;
mod clients;
mod consent;
mod memory;
mod metadata;
mod pages;
mod params;
mod redirect;
mod refusal;
mod register;
mod signer;
#[cfg(test)]
mod tests;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;

use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderValue, Method, Request, Uri};
use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use serde_json::Value;

use crate::http::{Http, HttpError};
use crate::loopback::{self, Listening};
use crate::{DemoError, clock};

use clients::Client;
use memory::Memory;
use signer::Signer;

/// Somebody who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The id, the token's `sub`.
    pub id: String,
    /// The name, for people.
    pub name: String,
    /// What they do, for people.
    pub role: String,
}

/// A scope and what it means to a person.
#[derive(Debug)]
struct Scope {
    name: String,
    says: String,
}

/// What all handlers share.
#[derive(Debug)]
struct Shared {
    issuer: String,
    scopes: Vec<Scope>,
    people: Vec<Person>,
    signer: Signer,
    memory: Memory,
}

/// The running authorization server.
#[derive(Debug)]
pub struct Authority {
    /// The issuer, without a trailing slash.
    pub url: String,
    shared: Arc<Shared>,
    http: Http,
    _listening: Listening,
}

impl Authority {
    /// Starts on `listen`, a loopback address; port 0 takes a free one.
    ///
    /// `scopes` are the names that can be asked for, each with the sentence that a person reads;
    /// `people` are those who can log in.
    ///
    /// # Errors
    /// The address is not loopback or in use, or there is no entropy for a key.
    pub async fn start(
        listen: SocketAddr,
        scopes: Vec<(String, String)>,
        people: Vec<Person>,
    ) -> Result<Self, DemoError> {
        let (listener, bound) = loopback::bind(listen).await?;
        let url = format!("http://{bound}");
        let shared = Arc::new(Shared {
            issuer: url.clone(),
            scopes: scopes.into_iter().map(|(name, says)| Scope { name, says }).collect(),
            people,
            signer: Signer::generate(clock::now())?,
            memory: Memory::default(),
        });
        let listening = loopback::serve(listener, bound, router(Arc::clone(&shared)));
        Ok(Self { url, shared, http: Http::new(), _listening: listening })
    }

    /// Gets an access token for `person` through `client_id`, from the token endpoint over HTTP.
    ///
    /// The client is one of the demo's scripts, which may act for anybody (RFC 6749 section 4.4,
    /// with a parameter `person` of our own); it is made when it is first named.
    ///
    /// # Errors
    /// The endpoint refuses or does not answer.
    pub async fn token_for(
        &self,
        person: &str,
        client_id: &str,
        resource: &str,
        scope: &str,
    ) -> Result<String, DemoError> {
        let secret = self.script_client(client_id)?;
        let form = params::encode(&[
            ("grant_type", "client_credentials"),
            ("person", person),
            ("resource", resource),
            ("scope", scope),
        ]);
        let basic = STANDARD.encode(format!("{}:{secret}", params::escape(client_id)));
        let mut request = Request::new(Full::new(Bytes::from(form)));
        let uri = format!("{}/token", self.url);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::try_from(&uri).map_err(|_| HttpError::Unreachable(uri))?;
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        let mut basic = HeaderValue::try_from(format!("Basic {basic}"))
            .map_err(|_| DemoError::NoToken("the client id is no header value".to_owned()))?;
        basic.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, basic);
        let answer = self.http.send(request).await?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        text("access_token").ok_or_else(|| {
            DemoError::NoToken(
                text("error_description").unwrap_or_else(|| answer.status.to_string()),
            )
        })
    }

    /// The secret of the script client `client_id`, which is made when it is first named.
    ///
    /// # Errors
    /// There is no entropy, or another kind of client bears that id.
    pub fn script_client(&self, client_id: &str) -> Result<String, DemoError> {
        let fresh = Client::script(client_id, clock::secret()?);
        self.shared
            .memory
            .script_secret(client_id, fresh)
            .ok_or_else(|| DemoError::NoToken(format!("`{client_id}` is not a script of the demo")))
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let machines = Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .route("/.well-known/openid-configuration", get(metadata::show))
        .route("/jwks", get(metadata::keys))
        .route("/register", post(register::register))
        .route("/token", post(token::token))
        .layer(middleware::from_fn(metadata::for_browsers));
    let people = Router::new()
        .route("/", get(pages::welcome))
        .route("/authorize", get(authorize::begin))
        .route("/authorize/person", post(consent::choose_person))
        .route("/authorize/decision", post(consent::decide))
        .layer(middleware::from_fn(pages::harden));
    machines.merge(people).with_state(shared)
}
