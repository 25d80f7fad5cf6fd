//! The authorization endpoint: a client sends a browser here to get a code (OAuth 2.1 section 4.1).

use std::sync::Arc;

use ::http::header::SET_COOKIE;
use ::http::{HeaderMap, HeaderValue};
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};

use super::Shared;
use super::clients::Client;
use super::memory::{Granted, Login};
use super::params::Params;
use super::{pages, params, redirect};
use crate::{clock, loopback};

/// The longest `state` or `nonce` that is carried for a client, in bytes.
const LONGEST_STATE: usize = 2000;

/// Begins a login.
pub(super) async fn begin(
    State(shared): State<Arc<Shared>>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let Some(given) = Params::unique(pairs) else {
        return pages::problem("A parameter of this link is there twice.");
    };
    // Until client and address are known, nothing is sent there: it would be an open redirector.
    let client = given.get("client_id").and_then(|id| shared.memory.client(id));
    let Some(client) = client else {
        return pages::problem("The program that sent you here is not registered.");
    };
    let Some(uri) = given.get("redirect_uri").filter(|uri| client.admits(uri)) else {
        return pages::problem(
            "The program that sent you here wants to be answered at an address that is not its own.",
        );
    };
    match ask(&shared, &client, uri, &given) {
        Ok(login) => start(&shared, login),
        Err(error) => back(&shared.issuer, uri, given.get("state"), &[("error", error)]),
    }
}

/// Sends the browser back to the client, saying who answers (RFC 9207).
pub(super) fn back(
    issuer: &str,
    redirect_uri: &str,
    state: Option<&str>,
    answer: &[(&str, &str)],
) -> Response {
    let mut pairs = answer.to_vec();
    pairs.extend(state.map(|state| ("state", state)));
    pairs.push(("iss", issuer));
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    pages::redirect(&format!("{redirect_uri}{joint}{}", params::encode(&pairs)))
}

/// The name of the cookie that binds login `key` to the browser that began it.
pub(super) fn cookie_name(key: &str) -> String {
    format!("kenward-demo-{}", key.chars().take(12).collect::<String>())
}

/// The value of a cookie.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let pairs = loopback::text(headers, "cookie")?.split(';');
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// What the client asks for, or the error code of RFC 6749 section 4.1.2.1.
fn ask(
    shared: &Shared,
    client: &Client,
    redirect_uri: &str,
    given: &Params,
) -> Result<Login, &'static str> {
    if given.get("request").is_some() || given.get("request_uri").is_some() {
        return Err("request_not_supported");
    }
    if given.get("response_type") != Some("code") {
        return Err("unsupported_response_type");
    }
    if given.get("prompt") == Some("none") {
        return Err("login_required");
    }
    let challenge = given.get("code_challenge").ok_or("invalid_request")?;
    if given.get("code_challenge_method") != Some("S256") || !is_challenge(challenge) {
        return Err("invalid_request");
    }
    let too_long = |name| given.get(name).is_some_and(|text| text.len() > LONGEST_STATE);
    if too_long("state") || too_long("nonce") {
        return Err("invalid_request");
    }
    let resource = given.get("resource").filter(|uri| redirect::is_resource(uri));
    Ok(Login {
        cookie: clock::secret().map_err(|_| "server_error")?,
        client_name: client.name.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: given.get("state").map(str::to_owned),
        challenge: challenge.to_owned(),
        granted: Granted {
            client: client.id.clone(),
            person: String::new(),
            resource: resource.ok_or("invalid_target")?.to_owned(),
            scopes: shared.known_scopes(given.get("scope")).ok_or("invalid_scope")?,
            nonce: given.get("nonce").map(str::to_owned),
            logged_in: clock::now(),
        },
    })
}

fn start(shared: &Shared, login: Login) -> Response {
    let Ok(key) = clock::secret() else {
        return pages::problem("This machine gives no random numbers just now.");
    };
    let cookie = format!(
        "{}={}; Path=/authorize; HttpOnly; SameSite=Strict; Max-Age=600",
        cookie_name(&key),
        login.cookie
    );
    let mut response = pages::people(shared, &key, &login).into_response();
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    shared.memory.add_login(key, login, clock::now());
    response
}

/// The form of an S256 challenge (RFC 7636 section 4.2): 32 bytes as base64url.
fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c))
}

impl Shared {
    /// Those of the scopes asked for that exist, each once; all of them when none is asked for.
    /// Nothing when none of those asked for exists.
    pub(super) fn known_scopes(&self, asked: Option<&str>) -> Option<Vec<String>> {
        let own = || self.scopes.iter().map(|scope| scope.name.as_str());
        let Some(asked) = asked else { return Some(own().map(str::to_owned).collect()) };
        let mut found: Vec<String> = Vec::new();
        for name in asked.split(' ') {
            let is_known = own().any(|known| known == name) || name == "openid";
            if is_known && !found.iter().any(|one| one == name) {
                found.push(name.to_owned());
            }
        }
        (!found.is_empty()).then_some(found)
    }
}
