//! Which endpoint a request is for, and whether it comes from where it may.

use http::request::Parts;
use http::{HeaderMap, Uri, header};
use kenward_model::ServerName;

use crate::settings::Settings;

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// The MCP endpoint of one server.
    Mcp(ServerName),
    /// The MCP endpoint of all servers together.
    All,
    /// The protected-resource metadata of one server (RFC 9728 section 3).
    Metadata(ServerName),
    /// The protected-resource metadata of the endpoint of all servers.
    MetadataOfAll,
    /// The keys of the grants.
    Keys,
    /// Nothing.
    Nowhere,
}

/// The endpoint that `uri` names.
pub(crate) fn endpoint(uri: &Uri, settings: &Settings) -> Endpoint {
    let path = uri.path();
    if path == "/.well-known/jwks.json" {
        return Endpoint::Keys;
    }
    if path == "/mcp" {
        return Endpoint::All;
    }
    if path == "/.well-known/oauth-protected-resource/mcp" {
        return Endpoint::MetadataOfAll;
    }
    if let Some(name) = path.strip_prefix("/mcp/") {
        return known(name, settings).map_or(Endpoint::Nowhere, Endpoint::Mcp);
    }
    if let Some(name) = path.strip_prefix("/.well-known/oauth-protected-resource/mcp/") {
        return known(name, settings).map_or(Endpoint::Nowhere, Endpoint::Metadata);
    }
    Endpoint::Nowhere
}

fn known(name: &str, settings: &Settings) -> Option<ServerName> {
    let (name, _) = settings.servers.iter().find(|(known, _)| known.as_str() == name)?;
    Some(name.clone())
}

/// Whether `Host` and `Origin` are our own (protocol 2026-07-28, transports, security warning).
///
/// A browser that was led here by DNS rebinding sends a foreign one of the two.
pub(crate) fn is_our_own(parts: &Parts, settings: &Settings) -> bool {
    let ours = authority_of(&settings.public_url);
    let target = parts.uri.authority().map(http::uri::Authority::as_str);
    // Where the target of the request and `Host` both speak, readers differ in whom they follow.
    let host_is_ours = match (target, only(&parts.headers, header::HOST)) {
        (None, Ok(None)) | (_, Err(())) => false,
        (target, Ok(host)) => target.into_iter().chain(host).all(|place| same_place(place, ours)),
    };
    let origin_is_ours = match only(&parts.headers, header::ORIGIN) {
        Ok(None) => true,
        Ok(Some(origin)) => origin.split_once("://").is_some_and(|(scheme, place)| {
            settings.public_url.starts_with(&format!("{scheme}://")) && same_place(place, ours)
        }),
        Err(()) => false,
    };
    host_is_ours && origin_is_ours
}

/// Whether `place` is `ours`, or both are this machine's loopback (a developer's browser and
/// clients write `localhost` and `127.0.0.1` for one another).
fn same_place(place: &str, ours: &str) -> bool {
    place.eq_ignore_ascii_case(ours) || (is_loopback(host_of(ours)) && is_loopback(host_of(place)))
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) | None => authority,
    }
}

fn authority_of(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest.split('/').next().unwrap_or(rest))
}

/// The single value of a header as text; an error when there are several or it is not text.
pub(crate) fn only(
    headers: &HeaderMap,
    name: impl header::AsHeaderName,
) -> Result<Option<&str>, ()> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

#[cfg(test)]
mod tests;
