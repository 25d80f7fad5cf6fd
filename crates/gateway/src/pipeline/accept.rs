//! Step 1, accept: the endpoint that a request is for, if it comes from where it may.

use http::StatusCode;
use http::request::Parts;
use kenward_model::ServerName;

use crate::documents::Document;
use crate::route::{Endpoint, endpoint, is_our_own};
use crate::settings::Settings;
use crate::stop::Stop;

/// Where a request goes on.
pub(super) enum Accepted {
    /// To the MCP endpoint of a server.
    Mcp(ServerName),
    /// To the MCP endpoint of all servers.
    All,
    /// To a public document.
    Document(Document),
}

pub(super) fn accept(head: &Parts, settings: &Settings) -> Result<Accepted, Stop> {
    match endpoint(&head.uri, settings) {
        Endpoint::Nowhere => Err(Stop::Status(StatusCode::NOT_FOUND)),
        Endpoint::Keys => Ok(Accepted::Document(Document::Keys)),
        Endpoint::Metadata(server) => Ok(Accepted::Document(Document::Metadata(server))),
        Endpoint::MetadataOfAll => Ok(Accepted::Document(Document::MetadataOfAll)),
        Endpoint::Mcp(server) if is_our_own(head, settings) => Ok(Accepted::Mcp(server)),
        Endpoint::All if is_our_own(head, settings) => Ok(Accepted::All),
        Endpoint::Mcp(_) | Endpoint::All => Err(Stop::Status(StatusCode::FORBIDDEN)),
    }
}
