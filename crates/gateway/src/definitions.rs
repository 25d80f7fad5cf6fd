//! Definitions that nobody has listed yet are asked for, on behalf of the caller who needs one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kenward_mcp::dialect::Era;
use kenward_mcp::list::{self, ListKind};
use kenward_mcp::scan::{self, ShapeKind};
use kenward_mcp::{Limits, Message, method};
use kenward_model::{ServerName, Timestamp};
use serde_json::{Value, json};

use crate::clock;
use crate::gateway::Gateway;
use crate::lists;
use crate::pipeline::{self, Call};
use crate::source::Source;
use crate::upstream::Reply;

/// How often one server is asked at most: calls of tools that do not exist cost no more.
const PAUSE: Duration = Duration::from_secs(2);
/// How many pages are asked for.
const PAGES: usize = 50;

/// When each server was last asked.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    asked: Mutex<HashMap<ServerName, Timestamp>>,
    turn: tokio::sync::Mutex<()>,
}

impl Definitions {
    /// Lists the tools of the call's server in the caller's name, so that they become known.
    ///
    /// It is decided, recorded and granted like any other `tools/list`; whatever goes wrong, the
    /// tool stays unknown, and unknown tools are refused.
    pub(crate) async fn ask(&self, gateway: &Arc<Gateway>, call: &Call) {
        let _one_at_a_time = self.turn.lock().await;
        if !self.is_due(&call.entry.server) {
            return;
        }
        let mut cursor = None;
        for _ in 0..PAGES {
            let Some(response) = page(gateway, call, cursor.as_deref()).await else { return };
            if lists::take_in(gateway, call, ListKind::Tools, &response).await.is_err() {
                return;
            }
            match list::items(&response, ListKind::Tools) {
                Ok((_, Some(next))) => cursor = Some(next),
                Ok((_, None)) | Err(_) => return,
            }
        }
    }

    fn is_due(&self, server: &ServerName) -> bool {
        let now = clock::now();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = asked.get(server).is_none_or(|last| now.since(*last) >= PAUSE);
        if due {
            asked.insert(server.clone(), now);
        }
        due
    }
}

/// One page of the server's tools, unfiltered; nobody but us gets to see it.
async fn page(gateway: &Arc<Gateway>, call: &Call, cursor: Option<&str>) -> Option<Bytes> {
    let listing = Arc::new(listing(call, cursor)?);
    let forwarded = pipeline::send_own(gateway, &listing).await?;
    match forwarded.reply {
        Reply::Json { body, .. } => {
            let largest = listing.entry.settings.limits.answer;
            let patience = listing.entry.settings.limits.answer_time;
            tokio::time::timeout(patience, pipeline::collect(body, largest)).await.ok()?.ok()
        }
        Reply::Events { body, .. } => {
            let longest = listing.entry.settings.limits.event;
            response_in(Source::events(body, longest), &listing).await
        }
        Reply::Lines(lines) => response_in(Source::Lines(lines), &listing).await,
        Reply::Accepted | Reply::NotOffered => None,
    }
}

async fn response_in(mut source: Source, listing: &Call) -> Option<Bytes> {
    let waiting = async {
        while let Some(Ok(event)) = source.next().await {
            let shape = scan::shape(&event.data).ok();
            let is_ours = |shape: &scan::Shape<'_>| {
                shape.kind == ShapeKind::Response && shape.id == listing.request_id()
            };
            if shape.as_ref().is_some_and(is_ours) {
                return Some(event.data.clone());
            }
        }
        None
    };
    tokio::time::timeout(listing.entry.settings.limits.answer_time, waiting).await.ok()?
}

/// A `tools/list` by the caller of `call`, in the same session and revision.
fn listing(call: &Call, cursor: Option<&str>) -> Option<Call> {
    let row = method::find("tools/list")?;
    let id = clock::decision_id(clock::now()).ok()?;
    let mut params = serde_json::Map::new();
    if let Some(cursor) = cursor {
        params.insert("cursor".to_owned(), Value::from(cursor));
    }
    if call.dialect.era == Era::Modern {
        params.insert("_meta".to_owned(), own_meta(call));
    }
    let message = json!({
        "jsonrpc": "2.0", "id": format!("kenward-{id}"), "method": row.name, "params": params,
    });
    let message = Message::parse(Bytes::from(message.to_string()), &Limits::default()).ok()?;
    let mut headers = http::HeaderMap::new();
    if call.dialect.era == Era::Modern {
        headers.insert("mcp-method", http::HeaderValue::from_static("tools/list"));
    }
    let digest = kenward_identity::grant::arguments_sha256(&Value::Null).ok()?;
    let (entry, session) = (call.entry.clone(), call.session.clone());
    Some(Call { id, entry, message, row, dialect: call.dialect, session, digest, headers })
}

/// What a modern request has to say of its sender.
fn own_meta(call: &Call) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": call.dialect.version,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {
            "name": "kenward", "version": env!("CARGO_PKG_VERSION"),
        },
    })
}
