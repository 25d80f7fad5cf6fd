//! The admin API of a running gateway, as commands ask it.

use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::{Outcome, outcome_of};
use crate::config;
use crate::report::{self, Format};
use crate::run::kept_admin_token;

/// How long the gateway may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest answer, in bytes.
const LARGEST: usize = 256 << 20;

/// Why there is no good answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdminError {
    /// The gateway does not run, or runs elsewhere.
    #[error("no gateway answers on http://{0}; start it with `kenward serve`")]
    Away(String),
    /// The token is another one.
    #[error("the gateway on http://{0} does not take the admin token of this configuration")]
    Token(String),
    /// The gateway said no, and why.
    #[error("{0}")]
    Refused(String),
    /// The answer makes no sense.
    #[error("the gateway on http://{0} gave an answer that makes no sense")]
    Strange(String),
}

/// Where the gateway of a configuration is administrated, and with which token.
#[derive(Debug)]
pub(super) struct Admin {
    address: String,
    authorization: HeaderValue,
}

impl Admin {
    /// As the configuration at `path` says; where it cannot be used, what is wrong is printed.
    pub(super) fn of(path: &Path) -> io::Result<Result<Self, Outcome>> {
        let nothing = |_: &config::Config| Ok(config::Definitions::new());
        let loaded = config::load(path, Some(&config::environment), &nothing);
        let token = loaded.and_then(|loaded| {
            kept_admin_token(&loaded.config).map(|token| (loaded.config.admin, token))
        });
        match token {
            Ok((address, token)) => {
                let value = HeaderValue::try_from(format!("Bearer {token}"));
                let mut authorization = value.map_err(io::Error::other)?;
                authorization.set_sensitive(true);
                Ok(Ok(Self { address: address.to_string(), authorization }))
            }
            Err(findings) => {
                report::print(&mut anstream::stderr(), &findings, Format::Text)?;
                Ok(Err(outcome_of(path, &findings)))
            }
        }
    }

    /// What the API has at `path`.
    pub(super) fn get(&self, path: &str) -> Result<Value, AdminError> {
        self.ask(Method::GET, path, Bytes::new())
    }

    /// What the API answers to `body` at `path`.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, AdminError> {
        self.ask(Method::POST, path, Bytes::from(body.to_string()))
    }

    fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Value, AdminError> {
        let strange = || AdminError::Strange(self.address.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|_| strange())?;
        runtime.map_err(|_| strange())?.block_on(async {
            tokio::time::timeout(PATIENCE, self.exchange(request)).await.map_err(|_| strange())?
        })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Value, AdminError> {
        let strange = || AdminError::Strange(self.address.clone());
        let client: Client<HttpConnector, Full<Bytes>> =
            Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let response = client.request(request).await;
        let response = response.map_err(|_| AdminError::Away(self.address.clone()))?;
        let status = response.status();
        if status == http::StatusCode::UNAUTHORIZED {
            return Err(AdminError::Token(self.address.clone()));
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body = body.map_err(|_| strange())?.to_bytes();
        let answer: Value = serde_json::from_slice(&body).map_err(|_| strange())?;
        if status.is_success() {
            return Ok(answer);
        }
        let why = answer.get("error").and_then(Value::as_str).ok_or_else(strange)?;
        Err(AdminError::Refused(why.to_owned()))
    }
}
