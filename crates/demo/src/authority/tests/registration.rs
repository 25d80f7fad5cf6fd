//! Registration, and the addresses that a client may be answered at.

use serde_json::json;

use super::{asks, authority, authorize, but, client, register};
use crate::authority::clients::Client;
use crate::authority::redirect::{Redirect, is_resource};

#[tokio::test]
async fn bad_addresses_are_not_registered() {
    let authority = authority().await;
    for uri in [
        "javascript://%0aalert(1)",
        "data://text/html,x",
        "http://example.com/callback",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1:80@example.com/",
        "https://user@example.com/",
        "https://example.com/#fragment",
        "https://exa mple.com/",
        "https://",
        "file:///etc/passwd",
        "nothing",
        "",
    ] {
        let answer = register(&authority, &json!({ "redirect_uris": [uri] })).await;
        assert_eq!(answer.status, 400, "{uri}");
        assert_eq!(answer.json()["error"], "invalid_redirect_uri", "{uri}");
    }
    let none = register(&authority, &json!({ "redirect_uris": [] })).await;
    assert_eq!(none.json()["error"], "invalid_redirect_uri");
    let robot =
        json!({ "redirect_uris": [super::REDIRECT], "grant_types": ["client_credentials"] });
    assert_eq!(register(&authority, &robot).await.json()["error"], "invalid_client_metadata");
}

#[tokio::test]
async fn common_clients_register() {
    let authority = authority().await;
    for uri in [
        "http://localhost:6274/oauth/callback",
        "http://127.0.0.1:33418/",
        "http://[::1]:4000/cb",
        "https://claude.ai/api/mcp/auth_callback",
        "https://vscode.dev/redirect",
        "cursor://anysphere.cursor-mcp/oauth/callback",
    ] {
        let body = json!({ "redirect_uris": [uri], "application_type": "native" });
        let answer = register(&authority, &body).await;
        assert_eq!(answer.status, 201, "{uri}: {}", answer.text());
        assert_eq!(answer.json()["token_endpoint_auth_method"], "none");
        assert!(answer.json().get("client_secret").is_none());
    }
    let secret = json!({
        "redirect_uris": [super::REDIRECT], "token_endpoint_auth_method": "client_secret_post",
    });
    assert!(register(&authority, &secret).await.json()["client_secret"].is_string());
}

#[test]
fn ports_vary_on_this_machine_alone() {
    let admits = |registered: &str, given: &str| {
        Redirect::parse(registered).unwrap().admits(&Redirect::parse(given).unwrap())
    };
    assert!(admits("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"));
    assert!(admits("http://localhost/cb", "http://localhost:2/cb"));
    assert!(!admits("http://127.0.0.1:1/cb", "http://localhost:1/cb"));
    assert!(!admits("http://127.0.0.1:1/cb", "http://127.0.0.1:1/cb/more"));
    assert!(!admits("http://127.0.0.1:1/cb", "http://127.0.0.1:1/cb?x=1"));
    assert!(!admits("https://example.com/cb", "https://example.com:444/cb"));
    assert!(!admits("https://example.com/cb", "https://example.com/CB"));
}

#[test]
fn tokens_are_for_servers_on_this_machine() {
    assert!(is_resource("http://127.0.0.1:8080/mcp/deliveries"));
    assert!(is_resource("http://localhost:8080/mcp"));
    for uri in ["https://example.com/mcp", "/mcp", "http://127.0.0.1:8080/mcp#x", ""] {
        assert!(!is_resource(uri), "{uri}");
    }
}

#[test]
fn a_client_that_is_a_url_is_answered_here_or_at_home() {
    let code = Client::from_url("https://vscode.dev/oauth/client-metadata.json").unwrap();
    assert!(code.admits("http://127.0.0.1:33418/"));
    assert!(code.admits("https://vscode.dev/redirect"));
    assert!(!code.admits("https://vscode.dev.example.com/redirect"));
    assert!(!code.admits("https://example.com/redirect"));
    assert!(!code.admits("cursor://elsewhere/"));
    for id in ["http://127.0.0.1/client.json", "https://vscode.dev", "https://vscode.dev/", "x"] {
        assert!(Client::from_url(id).is_none(), "{id}");
    }
}

#[tokio::test]
async fn a_client_that_is_a_url_can_log_people_in() {
    let authority = authority().await;
    let id = "https://vscode.dev/oauth/client-metadata.json";
    let page = authorize(&authority, &asks(id)).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("vscode.dev"));
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let authority = authority().await;
    let client = client(&authority).await;
    for uri in ["https://example.com/", "http://127.0.0.1:33418/other", ""] {
        let answer = authorize(&authority, &but(asks(&client), "redirect_uri", uri)).await;
        assert_eq!(answer.status, 400, "{uri}");
        assert_eq!(answer.header("location"), "", "{uri}");
    }
    let other_port = "http://127.0.0.1:50123/callback";
    let answer = authorize(&authority, &but(asks(&client), "redirect_uri", other_port)).await;
    assert_eq!(answer.status, 200, "the port on this machine may vary");
    let stranger = authorize(&authority, &asks("client-nobody")).await;
    assert_eq!((stranger.status.as_u16(), stranger.header("location").as_str()), (400, ""));
}
