//! Between the eras: a client of one era before a server of the other.
//!
//! A message is decided on as its client sent it. Only then is it said in the server's era, and
//! what comes back is said in the client's era before the one gate (`pipeline/release.rs`) sees
//! it. So nothing here decides anything: what crosses a bridge meets the same questions.

mod era;
mod legacy_client;
mod modern_client;

use std::sync::Arc;

use kenward_mcp::dialect::Era;
use kenward_policy::Permit;
use kenward_store::segments::Receipt;

use crate::gateway::Gateway;
use crate::pipeline::{Call, Forwarded, Minted, Prepared};
use crate::upstream::UpstreamError;

pub(crate) use era::Eras;
pub(crate) use legacy_client::{Modern, standing};
pub(crate) use modern_client::Bridged;

/// Whether `call` has to be said in another era before its server understands it.
///
/// A session belongs to the era that it was opened in; everything else asks what the server speaks.
pub(crate) async fn is_needed(gateway: &Gateway, call: &Call) -> Result<bool, UpstreamError> {
    match (call.dialect.era, &call.session) {
        (Era::Legacy, Some(_)) => Ok(legacy_client::is_bridged(call)),
        (Era::Legacy, None) => Ok(gateway.eras.of(gateway, call).await? != Era::Legacy),
        (Era::Modern, _) => Ok(gateway.eras.of(gateway, call).await? != Era::Modern),
    }
}

/// Sends an allowed message to a server of the other era. What comes back is in the client's era.
pub(crate) async fn forward(
    gateway: &Arc<Gateway>,
    call: &Arc<Call>,
    permit: Permit,
    receipt: Receipt,
    prepared: Prepared,
    grant: Option<Minted>,
) -> Result<Forwarded, UpstreamError> {
    let forwarded = match call.dialect.era {
        Era::Legacy => {
            legacy_client::forward(gateway, call, permit, receipt, prepared, grant).await
        }
        Era::Modern => {
            modern_client::forward(gateway, call, permit, receipt, prepared, grant).await
        }
    };
    // Whatever went wrong, the server may be another one now; what the client does says nothing.
    forwarded.inspect_err(|error| {
        if *error != UpstreamError::CalledOff {
            gateway.eras.forget(&call.entry.server);
        }
    })
}
