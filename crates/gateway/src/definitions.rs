//! Definitions that nobody has listed yet are asked for, on behalf of the caller who needs one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kenward_definitions::{MOST_ENTRIES, Mode};
use kenward_mcp::dialect::{Dialect, Era};
use kenward_mcp::list::{self, ListKind, OwnedItem};
use kenward_mcp::scan::{self, ShapeKind};
use kenward_mcp::{Limits, Message, method};
use kenward_model::{ServerName, Timestamp};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::pipeline::{self, Call};
use crate::source::Source;
use crate::upstream::Reply;
use crate::{clock, copies, lists};

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
        if call.mode() != Mode::Live {
            let asked = clock::now();
            if let Some(items) = pages(gateway, call, ListKind::Tools, None).await {
                let list = copies::Whole { items, ttl: None, asked };
                // What was not taken in stays unknown; why stands in the log.
                let _shown = copies::take_in(gateway, call, ListKind::Tools, list).await;
            }
            return;
        }
        let mut cursor = None;
        for _ in 0..PAGES {
            let page = page(gateway, call, ListKind::Tools, cursor.as_deref());
            let Some(response) = page.await else { return };
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

/// The items of a list from `cursor` on; nothing if it cannot be had whole.
pub(crate) async fn pages(
    gateway: &Arc<Gateway>,
    call: &Call,
    kind: ListKind,
    mut cursor: Option<String>,
) -> Option<Vec<OwnedItem>> {
    let mut all = Vec::new();
    for _ in 0..PAGES {
        let response = page(gateway, call, kind, cursor.as_deref()).await?;
        let (items, next) = list::items(&response, kind).ok()?;
        all.extend(items);
        match next {
            Some(next) if all.len() <= MOST_ENTRIES => cursor = Some(next),
            Some(_) | None => return Some(all),
        }
    }
    Some(all)
}

/// One page of a list of the server, unfiltered; nobody but us gets to see it.
async fn page(
    gateway: &Arc<Gateway>,
    call: &Call,
    kind: ListKind,
    cursor: Option<&str>,
) -> Option<Bytes> {
    let listing = Arc::new(listing(call, kind, cursor)?);
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

pub(crate) async fn response_in(mut source: Source, listing: &Call) -> Option<Bytes> {
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

/// A request for a list by the caller of `call`, in the same session and revision.
fn listing(call: &Call, kind: ListKind, cursor: Option<&str>) -> Option<Call> {
    let row = method::find(kind.method())?;
    let id = clock::decision_id(clock::now()).ok()?;
    let mut params = serde_json::Map::new();
    if let Some(cursor) = cursor {
        params.insert("cursor".to_owned(), Value::from(cursor));
    }
    if call.dialect.era == Era::Modern {
        params.insert("_meta".to_owned(), own_meta(call.dialect));
    }
    let message = json!({
        "jsonrpc": "2.0", "id": format!("kenward-{id}"), "method": row.name, "params": params,
    });
    let message = Message::parse(Bytes::from(message.to_string()), &Limits::default()).ok()?;
    let mut headers = http::HeaderMap::new();
    if call.dialect.era == Era::Modern {
        headers.insert("mcp-method", http::HeaderValue::from_static(row.name));
    }
    let digest = kenward_identity::grant::arguments_sha256(&Value::Null).ok()?;
    let (entry, session) = (call.entry.clone(), call.session.clone());
    Some(Call { id, entry, message, row, dialect: call.dialect, session, digest, headers })
}

/// What a modern request has to say of its sender.
pub(crate) fn own_meta(dialect: Dialect) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": dialect.version,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {
            "name": "kenward", "version": env!("CARGO_PKG_VERSION"),
        },
    })
}
