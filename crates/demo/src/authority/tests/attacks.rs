//! What attackers try at the authorization server.

use ::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{
    FORM, Login, RESOURCE, VERIFIER, asks, authority, authorize, but, client, code, exchange, form,
    register, sent, token,
};
use crate::authority::params::encode;
use crate::testing::send;

#[tokio::test]
async fn what_is_asked_for_badly_is_told_to_the_client() {
    let authority = authority().await;
    let client = client(&authority).await;
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("resource", "", "invalid_target"),
        ("resource", "https://example.com/mcp", "invalid_target"),
        ("scope", "admin", "invalid_scope"),
    ] {
        let answer = authorize(&authority, &but(asks(&client), name, value)).await;
        assert_eq!(answer.status, 303, "{name}={value}");
        assert_eq!(sent(&answer, "error"), error, "{name}={value}");
        assert_eq!(sent(&answer, "iss"), authority.url);
        assert_eq!(sent(&answer, "state"), "st&te");
    }
}

#[tokio::test]
async fn a_parameter_twice_is_no_request() {
    let authority = authority().await;
    let client = client(&authority).await;
    let mut twice = asks(&client);
    twice.push(("resource", "http://127.0.0.1:8080/mcp/other".to_owned()));
    let answer = authorize(&authority, &twice).await;
    assert_eq!((answer.status.as_u16(), answer.header("location").as_str()), (400, ""));
    let code = code(&authority, &client).await;
    let mut twice = exchange(&client, &code);
    twice.push(("code_verifier", VERIFIER.to_owned()));
    assert_eq!(token(&authority, &twice).await.json()["error"], "invalid_request");
}

#[tokio::test]
async fn a_code_is_good_for_its_own_login_alone() {
    let authority = authority().await;
    let own = client(&authority).await;
    let other = client(&authority).await;
    let wrong = "a".repeat(43);
    for (name, value) in [
        ("code_verifier", wrong.as_str()),
        ("code_verifier", ""),
        ("redirect_uri", "http://127.0.0.1:1/callback"),
        ("client_id", other.as_str()),
    ] {
        let code = code(&authority, &own).await;
        let answer = token(&authority, &but(exchange(&own, &code), name, value)).await;
        assert_eq!(answer.json()["error"], "invalid_grant", "{name}={value}");
        let after = token(&authority, &exchange(&own, &code)).await;
        assert_eq!(after.json()["error"], "invalid_grant", "the code is spent by the attempt");
    }
    let code = code(&authority, &own).await;
    let elsewhere = but(exchange(&own, &code), "resource", "http://127.0.0.1:8080/mcp/other");
    assert_eq!(token(&authority, &elsewhere).await.json()["error"], "invalid_target");
}

#[tokio::test]
async fn a_code_used_twice_takes_back_what_it_gave() {
    let authority = authority().await;
    let client = client(&authority).await;
    let code = code(&authority, &client).await;
    let first = token(&authority, &exchange(&client, &code)).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let second = token(&authority, &exchange(&client, &code)).await;
    assert_eq!(second.json()["error"], "invalid_grant");
    let refreshed = first.json()["refresh_token"].as_str().unwrap().to_owned();
    let answer = token(&authority, &super::refresh(&client, &refreshed)).await;
    assert_eq!(answer.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn refreshing_gives_no_more_than_was_granted() {
    let authority = authority().await;
    let client = client(&authority).await;
    for (name, value, error) in [
        ("scope", "deliveries:read deliveries:write", "invalid_scope"),
        ("resource", "http://127.0.0.1:8080/mcp/other", "invalid_target"),
    ] {
        let code = code(&authority, &client).await;
        let got = token(&authority, &exchange(&client, &code)).await.json();
        let mut pairs = super::refresh(&client, got["refresh_token"].as_str().unwrap());
        pairs.push((name, value.to_owned()));
        assert_eq!(token(&authority, &pairs).await.json()["error"], error);
    }
}

#[tokio::test]
async fn another_site_cannot_agree_for_a_person() {
    let authority = authority().await;
    let client = client(&authority).await;
    let login = Login::begin(&authority, &asks(&client)).await;
    let attackers = Login::begin(&authority, &asks(&client)).await;
    let url = format!("{}/authorize/person", authority.url);
    let body = encode(&[("login", &login.key), ("person", "rita")]);
    let own = authority.url.as_str();
    for headers in [
        vec![FORM],
        vec![FORM, ("cookie", attackers.cookie.as_str())],
        vec![FORM, ("cookie", login.cookie.as_str()), ("origin", "https://example.com")],
        vec![FORM, ("cookie", login.cookie.as_str()), ("origin", "null")],
        vec![FORM, ("cookie", login.cookie.as_str()), ("sec-fetch-site", "cross-site")],
    ] {
        let answer = send(Method::POST, &url, &headers, body.clone()).await;
        assert_eq!(answer.status, 400, "{headers:?}");
    }
    let good = [FORM, ("cookie", login.cookie.as_str()), ("origin", own)];
    assert_eq!(send(Method::POST, &url, &good, body).await.status, 200);
}

#[tokio::test]
async fn a_login_is_decided_once_and_by_somebody() {
    let authority = authority().await;
    let client = client(&authority).await;
    let nobody = Login::begin(&authority, &asks(&client)).await;
    let answer = nobody.post(&authority, "decision", "decision", "allow").await;
    assert_eq!((answer.status.as_u16(), answer.header("location").as_str()), (400, ""));
    let login = Login::begin(&authority, &asks(&client)).await;
    assert_eq!(login.post(&authority, "person", "person", "mallory").await.status, 400);
    assert_eq!(login.post(&authority, "person", "person", "rita").await.status, 200);
    assert_eq!(login.post(&authority, "person", "person", "priya").await.status, 400);
    assert_eq!(login.post(&authority, "decision", "decision", "allow").await.status, 303);
    assert_eq!(login.post(&authority, "decision", "decision", "allow").await.status, 400);
}

#[tokio::test]
async fn pages_are_never_framed_and_run_nothing() {
    let authority = authority().await;
    let client = client(&authority).await;
    let page = authorize(&authority, &asks(&client)).await;
    assert_eq!(page.header("x-frame-options"), "DENY");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' http://127.0.0.1:33418;"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let text = page.text();
    assert!(text.contains("Test &lt;b&gt;client&lt;/b&gt;"), "{text}");
    assert!(!text.contains("<script") && !text.contains("<b>client"), "{text}");
    let cookie = page.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
}

#[tokio::test]
async fn clients_authenticate_as_they_registered() {
    let authority = authority().await;
    let body = json!({
        "redirect_uris": [super::REDIRECT], "token_endpoint_auth_method": "client_secret_basic",
    });
    let registered = register(&authority, &body).await.json();
    let id = registered["client_id"].as_str().unwrap();
    let secret = registered["client_secret"].as_str().unwrap();
    let url = format!("{}/token", authority.url);
    let without = token(&authority, &exchange(id, "x")).await;
    assert_eq!(
        (without.status.as_u16(), &without.json()["error"]),
        (401, &json!("invalid_client"))
    );
    for (secret, status) in [("wrong", 401), (secret, 200)] {
        let code = code(&authority, id).await;
        let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let headers = [FORM, ("authorization", basic.as_str())];
        let answer = send(Method::POST, &url, &headers, form(&exchange(id, &code))).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[tokio::test]
async fn nobody_but_a_script_acts_without_consent() {
    let authority = authority().await;
    let client = client(&authority).await;
    let asks = |id: &str| {
        vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", id.to_owned()),
            ("person", "rita".to_owned()),
            ("resource", RESOURCE.to_owned()),
        ]
    };
    let answer = token(&authority, &asks(&client)).await;
    assert_eq!(answer.json()["error"], "unauthorized_client");
    authority.script_client("demo-agent").unwrap();
    let answer = token(&authority, &asks("demo-agent")).await;
    assert_eq!(answer.json()["error"], "invalid_client", "a script has a secret");
    let answer = token(&authority, &asks("https://example.com/client.json")).await;
    assert_eq!(answer.json()["error"], "unauthorized_client");
    assert!(authority.script_client(&client).is_err(), "a registered client becomes no script");
}

#[tokio::test]
async fn a_name_that_was_rebound_to_this_machine_is_refused() {
    let authority = authority().await;
    let url = format!("{}/.well-known/openid-configuration", authority.url);
    let answer = send(Method::GET, &url, &[("host", "rebound.example.com")], "").await;
    assert_eq!(answer.status, 403);
}
