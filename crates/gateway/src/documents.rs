//! What anybody may read: the metadata of the endpoints and the keys of the grants.

use std::collections::BTreeSet;

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use http::{HeaderValue, Method, Response, StatusCode};
use kenward_identity::metadata::ProtectedResource;
use kenward_model::ServerName;

use crate::body::AnswerBody;
use crate::gateway::Gateway;
use crate::settings::Settings;
use crate::stop::{bare, json};

/// A public document.
#[derive(Debug)]
pub(crate) enum Document {
    /// The protected-resource metadata of one server (RFC 9728 section 3).
    Metadata(ServerName),
    /// The same of the endpoint of all servers.
    MetadataOfAll,
    /// The keys of the grants (RFC 7517 section 5).
    Keys,
}

pub(crate) fn answer(
    gateway: &Gateway,
    settings: &Settings,
    method: &Method,
    document: &Document,
) -> Response<AnswerBody> {
    if *method != Method::GET {
        return bare(StatusCode::METHOD_NOT_ALLOWED);
    }
    let body = match document {
        Document::Keys => gateway.grants.published(),
        Document::Metadata(server) => metadata(gateway, settings, server),
        Document::MetadataOfAll => metadata_of_all(gateway, settings),
    };
    let mut response = json(StatusCode::OK, body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    // Browser-based clients fetch these from their own origin; they hold nothing that is secret.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn metadata(gateway: &Gateway, settings: &Settings, server: &ServerName) -> bytes::Bytes {
    let in_force = gateway.live.load();
    let scopes = in_force.policies.scopes(server);
    let mut metadata = ProtectedResource::new(settings.resource(server), gateway.issuers().names());
    metadata.scopes_supported = scopes.iter().map(|rule| rule.scope.as_ref().to_owned()).collect();
    metadata.resource_name = Some(server.to_string());
    serde_json::to_vec(&metadata).unwrap_or_default().into()
}

fn metadata_of_all(gateway: &Gateway, settings: &Settings) -> bytes::Bytes {
    let in_force = gateway.live.load();
    let resource = settings.federation_resource();
    let mut metadata = ProtectedResource::new(resource, gateway.issuers().names());
    let scopes = settings.servers.keys().flat_map(|server| in_force.policies.scopes(server));
    let scopes: BTreeSet<&str> = scopes.map(|rule| rule.scope.as_ref()).collect();
    metadata.scopes_supported = scopes.into_iter().map(str::to_owned).collect();
    metadata.resource_name = Some("all servers".to_owned());
    serde_json::to_vec(&metadata).unwrap_or_default().into()
}
