//! `initialize`, answered with what the server says of itself to this caller.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use kenward_mcp::bridge::legacy_client::handshake;
use kenward_mcp::scan::{self, ShapeKind};
use kenward_mcp::{Limits, Message, method, reply};
use kenward_policy::Permit;

use super::send::{Round, ask};
use super::{Modern, id};
use crate::gateway::Gateway;
use crate::pipeline::{self, Call};
use crate::upstream::UpstreamError;

const DISCOVER: &[u8] = br#"{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{}}"#;

/// The answer to `initialize`, and what the session keeps; no session when the server said no.
pub(super) async fn open(
    gateway: &Arc<Gateway>,
    call: &Arc<Call>,
    permit: &Permit,
    clean: Option<&Message>,
) -> Result<(Bytes, Option<Modern>), UpstreamError> {
    let modern = Modern::of(clean.unwrap_or(&call.message).params());
    let question = question(call)?;
    let in_force = gateway.live.snapshot();
    // What is asked is not what the client said, so it has a grant that says so.
    let grant = pipeline::mint_grant(gateway, &question, permit, &in_force);
    let grant = grant.map_err(|_| UpstreamError::Misbehaved("no grant could be made"))?;
    let round = Round::default();
    let message = &question.message;
    let mut asked = ask(gateway, &question, &modern, message, &round, grant).await?;
    let patience = call.entry.settings.limits.answer_time;
    let waiting = async {
        while let Some(event) = asked.source.next().await {
            let data = event?.data;
            let shape = scan::shape(&data).ok();
            if shape.is_some_and(|shape| shape.kind == ShapeKind::Response) {
                return Ok(data);
            }
        }
        Err(UpstreamError::Misbehaved("the stream ended before the answer"))
    };
    let answer = tokio::time::timeout(patience, waiting).await.unwrap_or(Err(UpstreamError::Slow));
    let answer = answer?;
    let (version, name) = (call.dialect.version, call.entry.server.as_str());
    let depth = call.entry.settings.limits.depth;
    match handshake(&answer, id(call), version, name, depth) {
        Ok(Some(answer)) => Ok((answer, Some(modern))),
        Ok(None) => {
            gateway.eras.forget(&call.entry.server);
            let words = format!("the server said no (reference {})", call.id);
            Ok((reply::error(Some(id(call)), -32603, &words, None), None))
        }
        Err(_) => Err(UpstreamError::Misbehaved("a malformed handshake")),
    }
}

/// `server/discover` in the name of the caller.
fn question(call: &Call) -> Result<Call, UpstreamError> {
    let failed = || UpstreamError::Misbehaved("nothing to be asked");
    let message = Message::parse(Bytes::from_static(DISCOVER), &Limits::default());
    let row = method::find("server/discover").ok_or_else(failed)?;
    let again = call.anew().ok_or_else(failed)?;
    let message = message.map_err(|_| failed())?;
    // The reference is that of the handshake, which was decided and recorded.
    Ok(Call { id: call.id, message, row, headers: HeaderMap::new(), ..again })
}
