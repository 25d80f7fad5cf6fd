//! Small documents from issuers: bounded in size and time, no redirects, TLS or loopback only.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};

use crate::upstream::Client;

/// The largest document that is read.
const LARGEST: usize = 1 << 20;
/// How long the whole fetch may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The body of `url`, or what went wrong in words for the operator.
pub(crate) async fn get(client: &Client, url: &str) -> Result<Vec<u8>, String> {
    let uri: Uri = url.parse().map_err(|_| format!("`{url}` is no URL"))?;
    if !is_protected(&uri) {
        return Err(format!("`{url}` is neither https nor on this machine"));
    }
    match tokio::time::timeout(PATIENCE, fetch(client, uri)).await {
        Ok(fetched) => fetched.map_err(|problem| format!("{url}: {problem}")),
        Err(_) => Err(format!("{url}: no answer within {} seconds", PATIENCE.as_secs())),
    }
}

async fn fetch(client: &Client, uri: Uri) -> Result<Vec<u8>, String> {
    let request = Request::get(uri)
        .header(header::ACCEPT, "application/json")
        .body(Full::<Bytes>::default())
        .map_err(|error| error.to_string())?;
    let response = client.send(request).await.map_err(|error| error.to_string())?;
    if response.status() != http::StatusCode::OK {
        return Err(format!("answered with status {}", response.status().as_u16()));
    }
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    body.map(|collected| collected.to_bytes().to_vec()).map_err(|error| error.to_string())
}

/// Whether nobody between can read or change what comes from `uri`.
fn is_protected(uri: &Uri) -> bool {
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => uri.host().is_some_and(is_loopback),
        Some(_) | None => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
