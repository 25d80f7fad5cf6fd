//! OAuth metadata: ours as a protected resource (RFC 9728), theirs as issuers (RFC 8414).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::json;
use crate::url::Url;

/// How large an issuer's metadata may be, in bytes.
const LARGEST: usize = 256 * 1024;

/// The metadata of a protected resource (RFC 9728 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProtectedResource {
    /// The resource's identifier: the URL that clients call, and the audience of its tokens.
    pub resource: String,
    /// The issuers whose tokens are accepted.
    pub authorization_servers: Vec<String>,
    /// The scopes that operations here may need.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// How the token may be sent: in the header alone.
    pub bearer_methods_supported: Vec<&'static str>,
    /// The resource's name, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
}

impl ProtectedResource {
    /// The metadata of `resource`, which takes the tokens of `authorization_servers`.
    pub fn new(resource: impl Into<String>, authorization_servers: Vec<String>) -> Self {
        Self {
            resource: resource.into(),
            authorization_servers,
            scopes_supported: Vec::new(),
            bearer_methods_supported: vec!["header"],
            resource_name: None,
        }
    }
}

/// Where the metadata of the protected resource `resource` is found (RFC 9728 section 3.1):
/// the well-known part stands between host and path.
pub fn protected_resource_url(resource: &str) -> Option<String> {
    let url = Url::parse(resource).filter(|url| !url.has_more)?;
    let path = url.path.trim_end_matches('/');
    Some(format!("{}/.well-known/oauth-protected-resource{path}", url.origin))
}

/// Where an issuer's metadata may be found, in the order in which to look: RFC 8414 section 3.1,
/// `OpenID` Connect by the same rule, `OpenID` Connect Discovery section 4.1.
///
/// Empty when `issuer` is no URL that can be trusted: `https`, or `http` on this machine, without
/// a query or a fragment.
pub fn discovery_urls(issuer: &str) -> Vec<String> {
    let Some(url) = Url::parse(issuer).filter(|url| url.is_trustworthy() && !url.has_more) else {
        return Vec::new();
    };
    let (origin, path) = (url.origin, url.path.trim_end_matches('/'));
    let mut urls = vec![
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        urls.push(format!("{origin}{path}/.well-known/openid-configuration"));
    }
    urls
}

/// What an issuer says of itself (RFC 8414 section 2), as far as it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMetadata {
    /// The issuer's identifier, the same as the one that was asked for.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where people log in.
    pub authorization_endpoint: Option<String>,
    /// Where tokens are got and exchanged.
    pub token_endpoint: Option<String>,
    /// Where tokens are introspected (RFC 7662).
    pub introspection_endpoint: Option<String>,
}

/// Why an issuer's metadata is not believed.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// It is larger than any metadata needs to be.
    #[error("the metadata is larger than {LARGEST} bytes")]
    TooLarge,
    /// It is not a strict JSON object.
    #[error("the metadata is not a JSON object without duplicates: {0}")]
    Syntax(#[from] serde_json::Error),
    /// It speaks of another issuer, or of none.
    #[error("the metadata is of another issuer than `{0}`")]
    OtherIssuer(String),
    /// It does not say where the keys are.
    #[error("the metadata has no `jwks_uri`")]
    NoKeys,
    /// A URL in it is not `https`, nor `http` on this machine.
    #[error("`{0}` in the metadata is not an https URL")]
    Url(&'static str),
}

/// Reads the metadata that was found for `issuer`. Its own `issuer` must be the same to the byte
/// (RFC 8414 section 3.3), or anybody could speak for anybody.
pub fn parse_server_metadata(issuer: &str, body: &[u8]) -> Result<ServerMetadata, MetadataError> {
    if body.len() > LARGEST {
        return Err(MetadataError::TooLarge);
    }
    let members = json::parse_object(body)?;
    if members.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(MetadataError::OtherIssuer(issuer.to_owned()));
    }
    Ok(ServerMetadata {
        issuer: issuer.to_owned(),
        jwks_uri: endpoint(&members, "jwks_uri")?.ok_or(MetadataError::NoKeys)?,
        authorization_endpoint: endpoint(&members, "authorization_endpoint")?,
        token_endpoint: endpoint(&members, "token_endpoint")?,
        introspection_endpoint: endpoint(&members, "introspection_endpoint")?,
    })
}

fn endpoint(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, MetadataError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let text = value.as_str().ok_or(MetadataError::Url(name))?;
    match Url::parse(text) {
        Some(url) if url.is_trustworthy() => Ok(Some(text.to_owned())),
        Some(_) | None => Err(MetadataError::Url(name)),
    }
}

#[cfg(test)]
mod tests;
