//! The lists of all servers that a caller may use, as one list in pages.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use kenward_mcp::dialect::Era;
use kenward_mcp::list::{self, ListKind, OwnedItem};
use kenward_mcp::method::Row;
use kenward_mcp::scan;
use kenward_mcp::sse::Decoder;
use kenward_mcp::{Limits, Message, rename, reply};
use kenward_model::ServerName;
use serde_json::{Value, json};

use super::cursor::{LONGEST, Positions, Scope};
use super::outward::is_response;
use super::visit::Visit;
use super::{PATIENCE, marks, merge, naming};
use crate::body::AnswerBody;
use crate::clock;
use crate::definitions::own_meta;
use crate::stop::{self, Stop};
use crate::upstream::UpstreamError;

const INVALID_PARAMS: i32 = -32602;
const METHOD_NOT_FOUND: i64 = -32601;
/// How many pages of one server are asked for to learn its names.
const PAGES: usize = 50;

/// One page of one server.
#[derive(Debug, Default)]
struct Page {
    items: Vec<OwnedItem>,
    next: Option<String>,
}

pub(super) async fn list(
    visit: &Visit,
    row: &'static Row,
    kind: ListKind,
) -> Result<Response<AnswerBody>, Stop> {
    let scope = Scope { caller: &visit.known.caller, kind, era: visit.dialect.era };
    let positions = positions(visit, &scope)?;
    let allowed = visit.servers(row)?;
    if allowed.is_empty() {
        visit.permitted_somewhere(row).await?;
    }
    let wanted: Vec<(ServerName, Option<String>)> = match positions {
        None => allowed.into_iter().map(|server| (server, None)).collect(),
        Some(positions) => allowed
            .into_iter()
            .filter_map(|server| Some((positions.get(server.as_str())?.clone(), server)))
            .map(|(cursor, server)| (server, Some(cursor)))
            .collect(),
    };
    let asked = wanted.iter().map(|(server, cursor)| page(visit, kind, server, cursor.as_deref()));
    let pages = join_all(asked).await;
    let is_nobody_there = !pages.is_empty() && pages.iter().all(Option::is_none);
    if is_nobody_there {
        return Err(visit.failed(UpstreamError::Unreachable));
    }
    let merged = merged(visit, kind, wanted.into_iter().zip(pages));
    let (items, positions) = merged;
    let next = if positions.is_empty() {
        None
    } else {
        let sealed = visit.gateway.federation.cursors.seal(&scope, &positions);
        let us = || Stop::Us { id: visit.id(), reference: "-".to_owned() };
        Some(sealed.ok_or_else(us)?)
    };
    let id = visit.message.id().unwrap_or(b"null");
    let body = merge::page(id, visit.dialect.era, kind, &items, next.as_deref());
    Ok(stop::json(StatusCode::OK, body))
}

/// Where the list is to go on; nothing for its beginning.
fn positions(visit: &Visit, scope: &Scope<'_>) -> Result<Option<Positions>, Stop> {
    let refuse = || {
        let words = "`cursor` is not one that this list was given";
        Stop::Answer(reply::error(visit.message.id(), INVALID_PARAMS, words, None))
    };
    match visit.message.params().get("cursor") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(cursor)) => {
            let opened = visit.gateway.federation.cursors.open(scope, cursor);
            opened.map(Some).ok_or_else(refuse)
        }
        Some(_) => Err(refuse()),
    }
}

type Asked = (ServerName, Option<String>);

/// The items of all pages under their names here, and where each server goes on. A server that
/// failed in the middle is asked again for as long as others go on; at the beginning it is left out.
fn merged(
    visit: &Visit,
    kind: ListKind,
    pages: impl Iterator<Item = (Asked, Option<Page>)>,
) -> (Vec<Bytes>, Positions) {
    let (mut items, mut positions, mut missed) = (Vec::new(), Positions::new(), Positions::new());
    for ((server, cursor), page) in pages {
        let Some(page) = page else {
            missed.extend(cursor.map(|cursor| (server.to_string(), cursor)));
            continue;
        };
        for item in &page.items {
            items.push(renamed(&server, kind, item));
        }
        match page.next {
            Some(next) if next.len() <= LONGEST => {
                positions.insert(server.to_string(), next);
            }
            Some(_) => {
                tracing::warn!(%server, "the rest of a list is left out: its cursor is too long");
            }
            None => {}
        }
    }
    if !positions.is_empty() {
        positions.extend(missed);
    } else if !missed.is_empty() {
        let servers: Vec<&String> = missed.keys().collect();
        tracing::warn!(?servers, list = kind.member(), user = %visit.known.caller.user.id, "the rest of a list is left out");
    }
    (items, positions)
}

fn renamed(server: &ServerName, kind: ListKind, item: &OwnedItem) -> Bytes {
    let name = match kind {
        ListKind::Tools | ListKind::Prompts => naming::outward(server, &item.name),
        ListKind::Resources | ListKind::Templates => marks::outward(server, &item.name),
    };
    rename::item(&item.json, kind, &name)
}

/// One server's page, as the caller would get it there; nothing when the server cannot give it in
/// time.
async fn page(
    visit: &Visit,
    kind: ListKind,
    server: &ServerName,
    cursor: Option<&str>,
) -> Option<Page> {
    let asking = async {
        let message = match cursor {
            Some(cursor) => {
                let cursor = Value::from(cursor).to_string();
                let edited = visit.message.with_params_member(&["cursor"], Some(&cursor))?;
                visit.again(edited).ok()?
            }
            None => visit.message.clone(),
        };
        let response = visit.send(server, message).await.unwrap_or_else(Stop::into_response);
        read(kind, &whole(visit, response).await?)
    };
    let page = tokio::time::timeout(PATIENCE, asking).await.ok().flatten();
    if page.is_none() {
        let list = kind.member();
        tracing::warn!(%server, list, "a server gives no list in time and is left out");
    }
    page
}

/// A server that has no such list has nothing on it.
fn read(kind: ListKind, response: &[u8]) -> Option<Page> {
    let shape = scan::shape(response).ok()?;
    if let Some(place) = shape.error {
        let error: Value = serde_json::from_slice(response.get(place)?).ok()?;
        let code = error.get("code").and_then(Value::as_i64);
        return (code == Some(METHOD_NOT_FOUND)).then(Page::default);
    }
    let (items, next) = list::items(response, kind).ok()?;
    Some(Page { items, next })
}

/// The response, whatever carried it.
async fn whole(visit: &Visit, response: Response<AnswerBody>) -> Option<Bytes> {
    let limits = &visit.known.settings.limits;
    match response.into_body() {
        AnswerBody::Whole(bytes) => bytes,
        flowing @ AnswerBody::PassedThrough(_) => {
            let collected = Limited::new(flowing, limits.answer).collect().await;
            collected.ok().map(http_body_util::Collected::to_bytes)
        }
        AnswerBody::Events(mut events) => {
            let mut decoder = Decoder::new();
            let limits = Limits { body: limits.event * 2, ..Limits::default() };
            loop {
                let piece = events.recv().await?;
                decoder.push(&piece, &limits).ok()?;
                let mut events = std::iter::from_fn(|| decoder.next());
                if let Some(last) = events.find(|event| is_response(&event.data)) {
                    return Some(last.data);
                }
            }
        }
    }
}

/// Asks `server` for its whole list in the caller's name, so that its names are known; at most every
/// few seconds, for names that nobody has cost no more.
pub(super) async fn learn(visit: &Visit, kind: ListKind, server: &ServerName) {
    let asked = visit.gateway.federation.asked.entry((server.clone(), kind.member()));
    if !asked.or_insert(()).is_fresh() {
        return;
    }
    let mut cursor = None;
    for _ in 0..PAGES {
        let Some(message) = own(visit, kind, cursor.as_deref()) else { return };
        let Ok(response) = visit.send(server, message).await else { return };
        let page = whole(visit, response).await.and_then(|response| read(kind, &response));
        match page.and_then(|page| page.next) {
            Some(next) => cursor = Some(next),
            None => return,
        }
    }
}

fn own(visit: &Visit, kind: ListKind, cursor: Option<&str>) -> Option<Message> {
    let method = match kind {
        ListKind::Tools => "tools/list",
        ListKind::Prompts => "prompts/list",
        ListKind::Resources => "resources/list",
        ListKind::Templates => "resources/templates/list",
    };
    let mut params = BTreeMap::new();
    if let Some(cursor) = cursor {
        params.insert("cursor", Value::from(cursor));
    }
    if visit.dialect.era == Era::Modern {
        params.insert("_meta", own_meta(visit.dialect));
    }
    let id = clock::decision_id(clock::now()).ok()?;
    let message = json!({
        "jsonrpc": "2.0", "id": format!("kenward-{id}"), "method": method, "params": params,
    });
    visit.again(Bytes::from(message.to_string())).ok()
}
