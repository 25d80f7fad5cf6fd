//! Metadata is found where the standards put it and believed only about its own issuer.

use serde_json::json;

use super::{
    MetadataError, ProtectedResource, discovery_urls, parse_server_metadata, protected_resource_url,
};

const ISSUER: &str = "https://idp.example.com/tenant1";

#[test]
fn discovery_looks_in_the_order_of_the_standards() {
    assert_eq!(
        discovery_urls(ISSUER),
        [
            "https://idp.example.com/.well-known/oauth-authorization-server/tenant1",
            "https://idp.example.com/.well-known/openid-configuration/tenant1",
            "https://idp.example.com/tenant1/.well-known/openid-configuration",
        ]
    );
    for root in ["http://127.0.0.1:9002", "http://127.0.0.1:9002/"] {
        assert_eq!(
            discovery_urls(root),
            [
                "http://127.0.0.1:9002/.well-known/oauth-authorization-server",
                "http://127.0.0.1:9002/.well-known/openid-configuration",
            ]
        );
    }
}

#[test]
fn what_is_no_trustworthy_issuer_is_not_looked_for() {
    for issuer in [
        "",
        "acme",
        "http://idp.example.com",
        "https://a@idp.example.com",
        "https://idp.example.com?x=y",
        "https://idp.example.com/#here",
        "file:///etc",
    ] {
        assert!(discovery_urls(issuer).is_empty(), "{issuer}");
    }
}

#[test]
fn metadata_is_believed_about_its_own_issuer_alone() {
    let metadata = |issuer: &str| {
        json!({ "issuer": issuer, "jwks_uri": "https://keys.example.com/jwks",
                "token_endpoint": "https://idp.example.com/token", "other": [1] })
        .to_string()
    };
    let good = parse_server_metadata(ISSUER, metadata(ISSUER).as_bytes()).unwrap();
    assert_eq!(good.jwks_uri, "https://keys.example.com/jwks");
    assert_eq!(good.token_endpoint.as_deref(), Some("https://idp.example.com/token"));
    for other in ["https://idp.example.com/tenant1/", "https://idp.example.com/TENANT1", ""] {
        let refused = parse_server_metadata(ISSUER, metadata(other).as_bytes());
        assert!(matches!(refused, Err(MetadataError::OtherIssuer(_))), "{other}");
    }
}

#[test]
fn metadata_that_could_mislead_is_refused() {
    let read = |text: &str| parse_server_metadata(ISSUER, text.as_bytes());
    let twice = format!(
        r#"{{"issuer":"https://evil.example","issuer":"{ISSUER}","jwks_uri":"https://a.example"}}"#
    );
    assert!(matches!(read(&twice), Err(MetadataError::Syntax(_))));
    assert!(matches!(read("[]"), Err(MetadataError::Syntax(_))));
    assert!(matches!(read(&format!(r#"{{"issuer":"{ISSUER}"}}"#)), Err(MetadataError::NoKeys)));
    for keys in [r#""http://keys.example.com""#, r#""file:///etc/passwd""#, "7", "null"] {
        let text = format!(r#"{{"issuer":"{ISSUER}","jwks_uri":{keys}}}"#);
        assert!(matches!(read(&text), Err(MetadataError::Url("jwks_uri"))), "{keys}");
    }
    assert!(matches!(read(&" ".repeat(256 * 1024 + 1)), Err(MetadataError::TooLarge)));
}

#[test]
fn our_own_metadata_has_the_registered_names() {
    let mut resource =
        ProtectedResource::new("https://gw.example/mcp/crm", vec![ISSUER.to_owned()]);
    assert_eq!(
        serde_json::to_value(&resource).unwrap(),
        json!({ "resource": "https://gw.example/mcp/crm", "authorization_servers": [ISSUER],
                "bearer_methods_supported": ["header"] })
    );
    resource.scopes_supported = vec!["crm:read".to_owned()];
    resource.resource_name = Some("CRM".to_owned());
    let value = serde_json::to_value(&resource).unwrap();
    assert_eq!(value["scopes_supported"], json!(["crm:read"]));
    assert_eq!(value["resource_name"], "CRM");
    assert_eq!(
        protected_resource_url("https://gw.example/mcp/crm").unwrap(),
        "https://gw.example/.well-known/oauth-protected-resource/mcp/crm"
    );
    assert_eq!(
        protected_resource_url("https://gw.example/").unwrap(),
        "https://gw.example/.well-known/oauth-protected-resource"
    );
    assert_eq!(protected_resource_url("nothing"), None);
}
