//! Step 2, authenticate: who is calling, from the bearer token of this very request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::StatusCode;
use http::header::AUTHORIZATION;
use http::request::Parts;
use kenward_identity::challenge;
use kenward_model::{Caller, Revision, ServerName, Timestamp};

use crate::authority::NotAuthenticated;
use crate::clock;
use crate::gateway::Gateway;
use crate::past::Past;
use crate::route::only;
use crate::settings::Settings;
use crate::stop::Stop;

/// How long a caller may be kept waiting for a revision that it asked for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// A known caller at the endpoint of a server.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) settings: Arc<Settings>,
    pub(crate) server: ServerName,
    pub(crate) caller: Arc<Caller>,
    pub(crate) ip: IpAddr,
    pub(crate) time: Timestamp,
    pub(crate) past: Past,
}

pub(super) async fn authenticate(
    gateway: &Gateway,
    settings: Arc<Settings>,
    server: ServerName,
    peer: SocketAddr,
    head: &Parts,
) -> Result<Entry, Stop> {
    let time = clock::now();
    let audience = settings.resource(&server);
    let known = match bearer(head) {
        Some(token) => gateway.issuers().authenticate(token, &audience, time).await,
        None => Err(NotAuthenticated::Missing),
    };
    let caller = known.map_err(|why| {
        let url = settings.metadata_url(&server);
        let challenge = match &why {
            NotAuthenticated::Missing => challenge::unauthorized(&url, None, &[]),
            NotAuthenticated::Refused(error) => challenge::unauthorized(&url, Some(error), &[]),
            NotAuthenticated::KeysUnavailable => {
                return Stop::Status(StatusCode::SERVICE_UNAVAILABLE);
            }
        };
        tracing::debug!(%server, ?why, "not authenticated");
        Stop::Challenge(challenge)
    })?;
    wait_for_revision(gateway, head).await?;
    let past = Past::of(gateway.live.histories(), &caller).await;
    Ok(Entry { settings, server, caller, ip: peer.ip(), time, past })
}

/// The bearer token of the `Authorization` header; tokens anywhere else do not count
/// (RFC 6750 section 2.1, and MCP forbids the query string).
fn bearer(head: &Parts) -> Option<&str> {
    let value = only(&head.headers, AUTHORIZATION).ok().flatten()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// A caller that knows of a change may ask to be decided on at least its revision.
async fn wait_for_revision(gateway: &Gateway, head: &Parts) -> Result<(), Stop> {
    let wanted = only(&head.headers, "kenward-revision");
    let Some(wanted) = wanted.map_err(|()| Stop::Status(StatusCode::BAD_REQUEST))? else {
        return Ok(());
    };
    let wanted = wanted.parse().map_err(|_| Stop::Status(StatusCode::BAD_REQUEST))?;
    let limit = tokio::time::sleep(PATIENCE);
    if gateway.live.reached(Revision(wanted), limit).await {
        Ok(())
    } else {
        Err(Stop::Status(StatusCode::SERVICE_UNAVAILABLE))
    }
}
