//! Messages of the gateway's own in the name of a caller: decided, recorded and granted as theirs.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use kenward_audit::Outcome as Ending;
use kenward_mcp::dialect::supported;
use kenward_mcp::method::{self, RowKind};
use kenward_mcp::scan::{self, ShapeKind};
use kenward_mcp::{Limits, Message, to_modern};
use serde_json::{Value, json};

use super::exchange::Terms;
use super::session::ServerSession;
use crate::clock;
use crate::gateway::Gateway;
use crate::outcome::Outcome;
use crate::pipeline::{self, Call, Entry, Minted};
use crate::settings::Settings;
use crate::source::Source;
use crate::upstream::{Reply, UpstreamError};

/// The revision that is asked for; the server may answer with an older one.
pub(super) const REVISION: &str = "2025-11-25";

/// A message of ours and the grant that goes with it.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) call: Call,
    pub(super) grant: Option<Minted>,
}

/// Decides on a message of ours as on one of the caller's.
///
/// # Errors
/// Policy does not allow it, or it could not be recorded.
pub(super) fn own(
    gateway: &Gateway,
    entry: &Entry,
    name: &str,
    params: &Value,
) -> Result<Own, UpstreamError> {
    let call = message(entry, name, params);
    let call = call.ok_or(UpstreamError::Misbehaved("no message can be made for it"))?;
    let in_force = gateway.live.snapshot();
    let opened = pipeline::open_stream(gateway, &call, &in_force);
    let (permit, receipt, grant) = opened.map_err(|_| {
        tracing::info!(server = %entry.server, method = name, "policy lets no bridge be built");
        UpstreamError::Unreachable
    })?;
    pipeline::spend(permit, receipt);
    Ok(Own { call, grant })
}

fn message(entry: &Entry, name: &str, params: &Value) -> Option<Call> {
    let (row, time) = (method::find(name)?, clock::now());
    let id = clock::decision_id(time).ok()?;
    let message = match row.kind {
        RowKind::Request => json!({
            "jsonrpc": "2.0", "id": format!("kenward-{id}"), "method": name, "params": params,
        }),
        RowKind::Notification => json!({ "jsonrpc": "2.0", "method": name, "params": params }),
    };
    let limits = Limits::default();
    Some(Call {
        id,
        entry: Entry { time, ..entry.clone() },
        message: Message::parse(Bytes::from(message.to_string()), &limits).ok()?,
        row,
        dialect: supported(REVISION)?,
        session: None,
        digest: kenward_identity::grant::arguments_sha256(&Value::Null).ok()?,
        headers: HeaderMap::new(),
    })
}

impl Own {
    /// Notes how it ended.
    pub(super) fn ended<T>(&self, gateway: &Gateway, how: &Result<T, UpstreamError>) {
        let ending = if how.is_ok() { Ending::Delivered } else { Ending::Failed };
        Outcome::new(Arc::clone(&gateway.log), self.call.id, None).finish(ending);
    }
}

/// Sends a request of ours in `session`; whether it was answered with a result.
pub(super) async fn ask(
    gateway: &Gateway,
    session: &ServerSession,
    entry: &Entry,
    name: &str,
    params: &Value,
) -> Result<bool, UpstreamError> {
    let own = own(gateway, entry, name, params)?;
    let id = session.next_id();
    let body = own.call.message.with_id(&id);
    let asking = async {
        let reply = session.request(&id, body, own.grant.as_ref(), HeaderMap::new()).await?;
        answer_to(&id, reply, &session.settings).await
    };
    let answer = asking.await;
    own.ended(gateway, &answer);
    let answer = answer?;
    Ok(scan::shape(&answer).is_ok_and(|shape| shape.result.is_some()))
}

/// The response with the raw id `id` in a reply; what comes before it is nobody's.
pub(super) async fn answer_to(
    id: &str,
    reply: Reply,
    settings: &Settings,
) -> Result<Bytes, UpstreamError> {
    let limits = &settings.limits;
    let reading = async {
        match reply {
            Reply::Json { body, .. } => pipeline::collect(body, limits.answer).await,
            Reply::Events { body, .. } => in_source(id, Source::events(body, limits.event)).await,
            Reply::Lines(lines) => in_source(id, Source::Lines(lines)).await,
            Reply::Accepted | Reply::NotOffered => {
                Err(UpstreamError::Misbehaved("no answer to a request"))
            }
        }
    };
    let read = tokio::time::timeout(limits.answer_time, reading).await;
    read.unwrap_or(Err(UpstreamError::Slow))
}

async fn in_source(id: &str, mut source: Source) -> Result<Bytes, UpstreamError> {
    while let Some(event) = source.next().await {
        let data = event?.data;
        let is_it = scan::shape(&data).is_ok_and(|shape| {
            shape.kind == ShapeKind::Response && shape.id == Some(id.as_bytes())
        });
        if is_it {
            return Ok(data);
        }
    }
    Err(UpstreamError::SessionEnded)
}

/// Tells the server which log messages the client of this request wants, where that is another
/// level than before. Without a level there are none, and the server is left alone.
pub(super) async fn set_level(
    gateway: &Gateway,
    session: &ServerSession,
    terms: &Terms,
) -> Result<(), UpstreamError> {
    let Some(level) = terms.level_name() else { return Ok(()) };
    let can = session.introduced.capabilities.get("logging").is_some();
    if !can || to_modern::severity(level).is_none() {
        return Ok(());
    }
    let mut told = session.level.lock().await;
    if told.as_deref() == Some(level) {
        return Ok(());
    }
    let params = json!({ "level": level });
    match ask(gateway, session, &terms.call.entry, "logging/setLevel", &params).await {
        Ok(true) => *told = Some(level.to_owned()),
        // The session is found lost by the request itself, which can be sent again.
        Ok(false) | Err(_) => *told = None,
    }
    Ok(())
}
