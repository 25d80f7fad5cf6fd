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
    /// Whether the message came to the endpoint of all servers.
    pub(crate) federated: bool,
}

impl Entry {
    /// Where the metadata of the endpoint is that the message came to.
    pub(crate) fn metadata_url(&self) -> String {
        if self.federated {
            self.settings.federation_metadata_url()
        } else {
            self.settings.metadata_url(&self.server)
        }
    }
}

/// A known caller at the endpoint of all servers.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) settings: Arc<Settings>,
    pub(crate) caller: Arc<Caller>,
    pub(crate) ip: IpAddr,
    pub(crate) time: Timestamp,
    pub(crate) past: Past,
}

impl Known {
    /// The same caller at one of the servers.
    pub(crate) fn at(&self, server: &ServerName) -> Entry {
        let Self { settings, caller, ip, time, past } = self.clone();
        Entry { settings, server: server.clone(), caller, ip, time, past, federated: true }
    }
}

pub(super) async fn authenticate(
    gateway: &Gateway,
    settings: Arc<Settings>,
    server: ServerName,
    peer: SocketAddr,
    head: &Parts,
) -> Result<Entry, Stop> {
    let (audience, url) = (settings.resource(&server), settings.metadata_url(&server));
    let known = know(gateway, settings, (&audience, &url), peer, head).await?;
    let Known { settings, caller, ip, time, past } = known;
    Ok(Entry { settings, server, caller, ip, time, past, federated: false })
}

/// The caller at the endpoint of all servers.
pub(super) async fn authenticate_at_all(
    gateway: &Gateway,
    settings: Arc<Settings>,
    peer: SocketAddr,
    head: &Parts,
) -> Result<Known, Stop> {
    let audience = settings.federation_resource();
    let url = settings.federation_metadata_url();
    know(gateway, settings, (&audience, &url), peer, head).await
}

async fn know(
    gateway: &Gateway,
    settings: Arc<Settings>,
    (audience, url): (&str, &str),
    peer: SocketAddr,
    head: &Parts,
) -> Result<Known, Stop> {
    let time = clock::now();
    let known = match bearer(head) {
        Some(token) => gateway.issuers().authenticate(token, audience, time).await,
        None => Err(NotAuthenticated::Missing),
    };
    let caller = known.map_err(|why| {
        let challenge = match &why {
            NotAuthenticated::Missing => challenge::unauthorized(url, None, &[]),
            NotAuthenticated::Refused(error) => challenge::unauthorized(url, Some(error), &[]),
            NotAuthenticated::KeysUnavailable => {
                return Stop::Status(StatusCode::SERVICE_UNAVAILABLE);
            }
        };
        tracing::debug!(%audience, ?why, "not authenticated");
        Stop::Challenge(challenge)
    })?;
    wait_for_revision(gateway, head).await?;
    let past = Past::of(gateway.live.histories(), &caller).await;
    Ok(Known { settings, caller, ip: peer.ip(), time, past })
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
