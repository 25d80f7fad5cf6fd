//! The authorization server from outside: what a client and a browser do, and what attackers try.

mod attacks;
mod registration;

use std::time::Duration;

use ::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kenward_identity::{IssuerSpec, KeySet, metadata, verify};
use kenward_model::Caller;
use serde_json::{Value, json};

use super::params::encode;
use super::{Authority, Person};
use crate::http::Answer;
use crate::testing::send;
use crate::{assets, clock};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const REDIRECT: &str = "http://127.0.0.1:33418/callback";
const RESOURCE: &str = "http://127.0.0.1:8080/mcp/deliveries";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn authority() -> Authority {
    let scopes = vec![
        ("deliveries:read".to_owned(), "Look up deliveries & where they go".to_owned()),
        ("deliveries:write".to_owned(), "Move deliveries".to_owned()),
    ];
    let listen = "127.0.0.1:0".parse().unwrap();
    Authority::start(listen, scopes, assets::people()).await.unwrap()
}

/// A public client that has registered itself.
async fn client(authority: &Authority) -> String {
    let body = json!({ "redirect_uris": [REDIRECT], "client_name": "Test <b>client</b>" });
    let answer = register(authority, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

async fn register(authority: &Authority, body: &Value) -> Answer {
    let url = format!("{}/register", authority.url);
    send(Method::POST, &url, &[("content-type", "application/json")], body.to_string()).await
}

/// The parameters of a proper authorization request.
fn asks(client: &str) -> Vec<(&'static str, String)> {
    vec![
        ("response_type", "code".to_owned()),
        ("client_id", client.to_owned()),
        ("redirect_uri", REDIRECT.to_owned()),
        ("code_challenge", CHALLENGE.to_owned()),
        ("code_challenge_method", "S256".to_owned()),
        ("resource", RESOURCE.to_owned()),
        ("scope", "deliveries:read".to_owned()),
        ("state", "st&te".to_owned()),
    ]
}

/// The same with one parameter changed, or left out when the value is empty.
fn but(
    mut pairs: Vec<(&'static str, String)>,
    name: &str,
    value: &str,
) -> Vec<(&'static str, String)> {
    for pair in &mut pairs {
        if pair.0 == name {
            value.clone_into(&mut pair.1);
        }
    }
    pairs
}

fn form(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    encode(&pairs)
}

async fn authorize(authority: &Authority, pairs: &[(&str, String)]) -> Answer {
    send(Method::GET, &format!("{}/authorize?{}", authority.url, form(pairs)), &[], "").await
}

/// A login in the middle: the key of its form and its cookie.
struct Login {
    key: String,
    cookie: String,
}

impl Login {
    async fn begin(authority: &Authority, pairs: &[(&str, String)]) -> Self {
        let page = authorize(authority, pairs).await;
        assert_eq!(page.status, 200, "{}", page.text());
        Self::on(&page)
    }

    fn on(page: &Answer) -> Self {
        let text = page.text();
        let (_, rest) = text.split_once("name=\"login\" value=\"").expect("a form");
        let (key, _) = rest.split_once('"').unwrap();
        let cookie = page.header("set-cookie");
        Self { key: key.to_owned(), cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    async fn post(&self, authority: &Authority, step: &str, name: &str, value: &str) -> Answer {
        let body = encode(&[("login", &self.key), (name, value)]);
        let headers = [FORM, ("cookie", &self.cookie), ("origin", &authority.url)];
        send(Method::POST, &format!("{}/authorize/{step}", authority.url), &headers, body).await
    }

    /// Chooses a person and agrees; gives the redirection.
    async fn agree(&self, authority: &Authority, person: &str) -> Answer {
        let page = self.post(authority, "person", "person", person).await;
        assert_eq!(page.status, 200, "{}", page.text());
        self.post(authority, "decision", "decision", "allow").await
    }
}

/// A parameter of the URL that the browser is sent to.
fn sent(answer: &Answer, name: &str) -> String {
    let location = answer.header("location");
    let query = location.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    let pair = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    pair.and_then(super::params::unescape).unwrap_or_default()
}

async fn code(authority: &Authority, client: &str) -> String {
    let login = Login::begin(authority, &asks(client)).await;
    let answer = login.agree(authority, "rita").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    sent(&answer, "code")
}

fn exchange(client: &str, code: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", client.to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", REDIRECT.to_owned()),
        ("code_verifier", VERIFIER.to_owned()),
        ("resource", RESOURCE.to_owned()),
    ]
}

fn refresh(client: &str, token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.to_owned()),
        ("refresh_token", token.to_owned()),
    ]
}

async fn token(authority: &Authority, pairs: &[(&str, String)]) -> Answer {
    send(Method::POST, &format!("{}/token", authority.url), &[FORM], form(pairs)).await
}

/// The caller whom an access token vouches for, verified as the gateway does.
async fn caller(authority: &Authority, token: &str) -> Caller {
    let keys = send(Method::GET, &format!("{}/jwks", authority.url), &[], "").await;
    let keys = KeySet::parse(&keys.body).unwrap();
    let spec = IssuerSpec::new(authority.url.as_str());
    verify(token, &spec, &keys, RESOURCE, clock::now(), Duration::ZERO).unwrap()
}

#[tokio::test]
async fn both_discoveries_say_the_same() {
    let authority = authority().await;
    for url in metadata::discovery_urls(&authority.url) {
        let answer = send(Method::GET, &url, &[("origin", "http://localhost:6274")], "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let parsed = metadata::parse_server_metadata(&authority.url, &answer.body).unwrap();
        assert_eq!(parsed.jwks_uri, format!("{}/jwks", authority.url));
        let body = answer.json();
        assert_eq!(body["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(body["authorization_response_iss_parameter_supported"], true);
        assert!(body["registration_endpoint"].is_string());
    }
}

#[tokio::test]
async fn a_browser_can_ask_first() {
    let authority = authority().await;
    for path in ["token", "register", ".well-known/oauth-authorization-server"] {
        let url = format!("{}/{path}", authority.url);
        let asks = [("origin", "http://localhost:6274"), ("access-control-request-method", "POST")];
        let answer = send(Method::OPTIONS, &url, &asks, "").await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
        assert!(answer.header("access-control-allow-headers").contains("mcp-protocol-version"));
    }
}

#[tokio::test]
async fn a_person_logs_in_and_agrees() {
    let authority = authority().await;
    let client = client(&authority).await;
    let login = Login::begin(&authority, &asks(&client)).await;
    let page = login.post(&authority, "person", "person", "rita").await.text();
    assert!(page.contains("Look up deliveries &amp; where they go"), "{page}");
    assert!(!page.contains("Move deliveries"), "only what was asked for: {page}");
    let answer = login.post(&authority, "decision", "decision", "allow").await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").starts_with(REDIRECT));
    assert_eq!(sent(&answer, "state"), "st&te");
    assert_eq!(sent(&answer, "iss"), authority.url);
    let answer = token(&authority, &exchange(&client, &sent(&answer, "code"))).await.json();
    let caller = caller(&authority, answer["access_token"].as_str().unwrap()).await;
    assert_eq!((&*caller.user.id, &*caller.agent.id), ("rita", client.as_str()));
    assert_eq!(caller.scopes, ["deliveries:read".into()]);
    assert_eq!(answer["token_type"], "Bearer");
    assert!(answer["expires_in"].as_u64().unwrap() <= 600);
}

#[tokio::test]
async fn a_person_can_refuse() {
    let authority = authority().await;
    let client = client(&authority).await;
    let login = Login::begin(&authority, &asks(&client)).await;
    login.post(&authority, "person", "person", "rita").await;
    let answer = login.post(&authority, "decision", "decision", "deny").await;
    assert_eq!(sent(&answer, "error"), "access_denied");
    assert_eq!(sent(&answer, "iss"), authority.url);
    assert_eq!(sent(&answer, "code"), "");
}

#[tokio::test]
async fn a_refresh_token_is_used_once_and_a_second_use_ends_all_of_them() {
    let authority = authority().await;
    let client = client(&authority).await;
    let code = code(&authority, &client).await;
    let of = |answer: &Answer| answer.json()["refresh_token"].as_str().unwrap_or("").to_owned();
    let first = of(&token(&authority, &exchange(&client, &code)).await);
    let answer = token(&authority, &refresh(&client, &first)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    caller(&authority, answer.json()["access_token"].as_str().unwrap()).await;
    let second = of(&answer);
    assert_ne!(first, second);
    let again = token(&authority, &refresh(&client, &first)).await;
    assert_eq!(again.json()["error"], "invalid_grant");
    let after = token(&authority, &refresh(&client, &second)).await;
    assert_eq!(after.json()["error"], "invalid_grant", "the thief may hold the newer one");
}

#[tokio::test]
async fn an_openid_client_is_told_who_has_logged_in() {
    let authority = authority().await;
    let client = client(&authority).await;
    let mut pairs = but(asks(&client), "scope", "openid deliveries:read");
    pairs.push(("nonce", "n-1".to_owned()));
    let login = Login::begin(&authority, &pairs).await;
    let code = sent(&login.agree(&authority, "priya").await, "code");
    let answer = token(&authority, &exchange(&client, &code)).await.json();
    let id = answer["id_token"].as_str().unwrap();
    let claims = {
        let payload = URL_SAFE_NO_PAD.decode(id.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice::<Value>(&payload).unwrap()
    };
    assert_eq!((&claims["sub"], &claims["nonce"]), (&json!("priya"), &json!("n-1")));
    assert_eq!(claims["aud"], json!(client));
    assert_eq!(claims["name"], "Priya");
}

#[tokio::test]
async fn scripts_of_the_demo_act_for_people() {
    let authority = authority().await;
    let got = authority.token_for("rita", "demo-agent", RESOURCE, "deliveries:read").await.unwrap();
    let caller = caller(&authority, &got).await;
    assert_eq!((&*caller.user.id, &*caller.agent.id), ("rita", "demo-agent"));
    assert!(authority.token_for("mallory", "demo-agent", RESOURCE, "").await.is_err());
    assert!(authority.token_for("rita", "demo-agent", "https://example.com/", "").await.is_err());
    assert!(authority.token_for("rita", "demo-agent", RESOURCE, "admin").await.is_err());
}

#[tokio::test]
async fn it_never_leaves_this_machine() {
    let people: Vec<Person> = Vec::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let listen = address.parse().unwrap();
        assert!(Authority::start(listen, Vec::new(), people.clone()).await.is_err(), "{address}");
    }
}
