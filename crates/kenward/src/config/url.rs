//! What is checked of a URL before anything is fetched from it.

use std::net::IpAddr;

use http::Uri;

/// A URL with the scheme http or https, a host, and neither credentials nor a fragment.
pub(crate) fn web(text: &str) -> Result<Uri, &'static str> {
    if text.contains('#') {
        return Err("has a fragment");
    }
    let uri: Uri = text.parse().map_err(|_| "is no URL")?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        Some(_) | None => return Err("does not begin with http:// or https://"),
    }
    let authority = uri.authority().ok_or("names no host")?;
    if authority.as_str().contains('@') {
        return Err("contains a user name or password");
    }
    if authority.host().is_empty() {
        return Err("names no host");
    }
    if authority.as_str().ends_with(':') || (has_port(authority.as_str()) && uri.port().is_none()) {
        return Err("has a port that is no number from 1 to 65535");
    }
    Ok(uri)
}

fn has_port(authority: &str) -> bool {
    authority.rsplit(']').next().is_some_and(|tail| tail.contains(':'))
}

/// Whether what is sent there can be read on the way: http to another machine.
pub(crate) fn is_exposed(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http") && !is_loopback(uri)
}

/// Whether the host is this machine, by name or address.
pub(crate) fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost") || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests;
