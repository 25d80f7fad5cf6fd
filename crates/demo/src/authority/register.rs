//! Dynamic client registration (RFC 7591): anybody may, and is remembered until the demo ends.

use std::sync::Arc;

use ::http::StatusCode;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::clients::Client;
use super::redirect::Redirect;
use super::refusal::Refusal;
use crate::clock;

/// The most URIs that one client registers.
const MOST_URIS: usize = 20;
/// The longest name that a page shows, in characters.
const LONGEST_NAME: usize = 60;

/// What a client says of itself; the rest of RFC 7591 section 2 changes nothing here.
#[derive(Debug, Deserialize)]
struct Request {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
    #[serde(default)]
    grant_types: Vec<String>,
}

/// Registers a client.
pub(super) async fn register(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let request = serde_json::from_slice::<Request>(&body)
        .map_err(|_| metadata("the body is no JSON object of client metadata"));
    match request.and_then(|request| client(&request)) {
        Ok(client) => {
            let answer = describe(&client, clock::now().as_seconds());
            shared.memory.add_client(client);
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn client(request: &Request) -> Result<Client, Refusal> {
    let uris = &request.redirect_uris;
    let good = (1..=MOST_URIS).contains(&uris.len())
        && uris.iter().all(|uri| Redirect::parse(uri).is_some());
    if !good {
        let text = "redirect_uris must be https, http on this machine, or an application's own \
                    scheme, without a fragment";
        return Err(Refusal::new("invalid_redirect_uri", text));
    }
    if request.grant_types.iter().any(|grant| grant == "client_credentials") {
        let text = "clients that register themselves act for people who log in, not by themselves";
        return Err(metadata(text));
    }
    let secret = match request.token_endpoint_auth_method.as_deref() {
        None | Some("none") => None,
        Some("client_secret_basic" | "client_secret_post") => Some(secret()?),
        Some(_) => {
            let text = "token_endpoint_auth_method must be none, client_secret_basic or \
                        client_secret_post";
            return Err(metadata(text));
        }
    };
    let name = request.client_name.as_deref().unwrap_or("a program without a name");
    let name = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let part: String = self::secret()?.chars().take(22).collect();
    let id = format!("client-{part}");
    Ok(Client { id, name, redirect_uris: uris.clone(), secret, is_script: false })
}

fn describe(client: &Client, issued: i64) -> Value {
    let method = if client.secret.is_some() { "client_secret_basic" } else { "none" };
    let mut answer = json!({
        "client_id": client.id,
        "client_id_issued_at": issued,
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
    });
    if let (Some(secret), Value::Object(members)) = (&client.secret, &mut answer) {
        members.insert("client_secret".to_owned(), Value::from(secret.as_str()));
        members.insert("client_secret_expires_at".to_owned(), Value::from(0));
    }
    answer
}

fn secret() -> Result<String, Refusal> {
    clock::secret().map_err(|_| Refusal::ours())
}

fn metadata(description: &'static str) -> Refusal {
    Refusal::new("invalid_client_metadata", description)
}
