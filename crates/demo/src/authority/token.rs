//! The token endpoint: codes, refresh tokens and the credentials of scripts (OAuth 2.1 section 3.2).

use std::sync::Arc;

use ::http::HeaderMap;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Form, Json};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Shared;
use super::clients::Client;
use super::memory::{Granted, Once, Refresh};
use super::params::{Params, unescape};
use super::refusal::Refusal;
use super::{redirect, signer};
use crate::{clock, loopback};

const NOT_GOOD: Refusal =
    Refusal::new("invalid_grant", "the code or token is unknown, spent, too old or another's");
const WRONG_TARGET: Refusal =
    Refusal::new("invalid_target", "the token was granted for another resource");

/// Gives tokens.
pub(super) async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Response {
    match exchange(&shared, &headers, pairs) {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn exchange(
    shared: &Shared,
    headers: &HeaderMap,
    pairs: Vec<(String, String)>,
) -> Result<Value, Refusal> {
    let twice = Refusal::new("invalid_request", "a parameter is there twice");
    let given = Params::unique(pairs).ok_or(twice)?;
    let client = authenticate(shared, headers, &given)?;
    match given.get("grant_type") {
        Some("authorization_code") => of_code(shared, &client, &given),
        Some("refresh_token") => of_refresh(shared, &client, &given),
        Some("client_credentials") => of_script(shared, &client, &given),
        Some(_) | None => Err(Refusal::new(
            "unsupported_grant_type",
            "grant_type is authorization_code, refresh_token or client_credentials",
        )),
    }
}

/// The client, by its header, by the form, or, when it is a public one, by its id alone.
fn authenticate(shared: &Shared, headers: &HeaderMap, given: &Params) -> Result<Client, Refusal> {
    let refused = Refusal::new("invalid_client", "the client is unknown or has another secret");
    let (id, secret) = if let Some(header) = loopback::text(headers, "authorization") {
        let (id, secret) = basic(header).ok_or(refused)?;
        if given.get("client_secret").is_some() {
            let twice = "the client authenticates in two ways at once";
            return Err(Refusal::new("invalid_request", twice));
        }
        if given.get("client_id").is_some_and(|named| named != id) {
            return Err(refused);
        }
        (id, Some(secret))
    } else {
        let id = given.get("client_id").ok_or(refused)?.to_owned();
        (id, given.get("client_secret").map(str::to_owned))
    };
    let client = shared.memory.client(&id).ok_or(refused)?;
    if client.is_authenticated_by(secret.as_deref()) { Ok(client) } else { Err(refused) }
}

/// Id and secret of HTTP Basic, each encoded as in a form (RFC 6749 section 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((unescape(id)?, unescape(secret)?))
}

fn of_code(shared: &Shared, client: &Client, given: &Params) -> Result<Value, Refusal> {
    let code = given.get("code").ok_or(Refusal::new("invalid_request", "there is no code"))?;
    let now = clock::now();
    // A code is spent by the first attempt, whether or not that one is good.
    let Once::Fresh(code) = shared.memory.use_code(code, now) else { return Err(NOT_GOOD) };
    let verifier = given.get("code_verifier").unwrap_or_default();
    let is_theirs = code.granted.client == client.id
        && given.get("redirect_uri").is_none_or(|uri| uri == code.redirect_uri)
        && is_verifier(verifier, &code.challenge);
    if !is_theirs {
        return Err(NOT_GOOD);
    }
    check_resource(&code.granted, given)?;
    let scopes = code.granted.scopes.clone();
    answer(shared, &Refresh { granted: code.granted, family: code.family }, &scopes)
}

fn of_refresh(shared: &Shared, client: &Client, given: &Params) -> Result<Value, Refusal> {
    let missing = Refusal::new("invalid_request", "there is no refresh_token");
    let token = given.get("refresh_token").ok_or(missing)?;
    let Once::Fresh(refresh) = shared.memory.use_refresh(token, clock::now()) else {
        return Err(NOT_GOOD);
    };
    if refresh.granted.client != client.id {
        return Err(NOT_GOOD);
    }
    check_resource(&refresh.granted, given)?;
    let scopes = match given.get("scope") {
        None => refresh.granted.scopes.clone(),
        Some(asked) => asked.split(' ').map(str::to_owned).collect(),
    };
    if !scopes.iter().all(|scope| refresh.granted.scopes.contains(scope)) {
        return Err(Refusal::new(
            "invalid_scope",
            "a refreshed token has no more scope than before",
        ));
    }
    answer(shared, &refresh, &scopes)
}

/// A script of the demo acts for the person whom it names: this is what makes it a demo.
fn of_script(shared: &Shared, client: &Client, given: &Params) -> Result<Value, Refusal> {
    if !client.is_script {
        let text = "only scripts of the demo act without a person's consent";
        return Err(Refusal::new("unauthorized_client", text));
    }
    let person = given.get("person").unwrap_or(&client.id);
    let is_somebody = person == client.id || shared.people.iter().any(|one| one.id == person);
    if !is_somebody {
        return Err(Refusal::new("invalid_request", "nobody of that name works here"));
    }
    let resource = given.get("resource").filter(|uri| redirect::is_resource(uri));
    let no_target =
        Refusal::new("invalid_target", "resource is the URL of a server on this machine");
    let no_scope = Refusal::new("invalid_scope", "none of these scopes exists");
    let now = clock::now();
    let granted = Granted {
        client: client.id.clone(),
        person: person.to_owned(),
        resource: resource.ok_or(no_target)?.to_owned(),
        scopes: shared.known_scopes(given.get("scope")).ok_or(no_scope)?,
        nonce: None,
        logged_in: now,
    };
    let token = shared.access_token(&granted, &granted.scopes, now).ok_or(Refusal::ours())?;
    Ok(bearer(&token, &granted.scopes))
}

/// The answer of RFC 6749 section 5.1, with a new refresh token of the same family.
fn answer(shared: &Shared, granted: &Refresh, scopes: &[String]) -> Result<Value, Refusal> {
    let now = clock::now();
    let token = shared.access_token(&granted.granted, scopes, now).ok_or(Refusal::ours())?;
    let fresh = clock::secret().map_err(|_| Refusal::ours())?;
    let mut body = bearer(&token, scopes);
    if let Value::Object(members) = &mut body {
        members.insert("refresh_token".to_owned(), Value::from(fresh.as_str()));
        if scopes.iter().any(|scope| scope == "openid") {
            let id = shared.id_token(&granted.granted, now).ok_or(Refusal::ours())?;
            members.insert("id_token".to_owned(), Value::from(id));
        }
    }
    shared.memory.add_refresh(fresh, granted.clone(), now);
    Ok(body)
}

fn bearer(token: &str, scopes: &[String]) -> Value {
    json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": signer::ACCESS.as_secs(),
        "scope": scopes.join(" "),
    })
}

/// A token is for the resource that was consented to and no other (RFC 8707 section 2.2).
fn check_resource(granted: &Granted, given: &Params) -> Result<(), Refusal> {
    match given.get("resource") {
        Some(resource) if resource != granted.resource => Err(WRONG_TARGET),
        Some(_) | None => Ok(()),
    }
}

/// Whether `verifier` is what `challenge` was made of (RFC 7636 section 4.6).
fn is_verifier(verifier: &str, challenge: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}
