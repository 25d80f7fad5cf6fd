//! Several servers' answers as one.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use bytes::Bytes;
use kenward_mcp::dialect::Era;
use kenward_mcp::list::ListKind;
use kenward_mcp::reply;
use kenward_model::ServerName;
use serde_json::{Map, Value, json};

use super::marks;

/// The member of a subscription that lists URIs.
pub(super) const URIS: &str = "resourceSubscriptions";

/// One page made of the pages of several servers, their items in the order given.
pub(super) fn page(
    id: &[u8],
    era: Era,
    kind: ListKind,
    items: &[Bytes],
    next: Option<&str>,
) -> Bytes {
    let mut result = format!("{{\"{}\":[", kind.member()).into_bytes();
    for (place, item) in items.iter().enumerate() {
        result.extend_from_slice(if place == 0 { b"" } else { b"," });
        result.extend_from_slice(item);
    }
    result.push(b']');
    if let Some(next) = next {
        result.extend_from_slice(format!(",\"nextCursor\":{}", Value::from(next)).as_bytes());
    }
    if era == Era::Modern {
        // What any of the servers allowed to be kept says nothing of the others.
        let caching = b",\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\"";
        result.extend_from_slice(caching);
    }
    result.push(b'}');
    reply::result(id, &String::from_utf8_lossy(&result))
}

/// What of `wanted` concerns `server`: the lists, and its own URIs; nothing when none of it does.
pub(super) fn subscription(wanted: &Value, server: &ServerName) -> Option<Vec<String>> {
    let uris = wanted.get(URIS).and_then(Value::as_array);
    let own = |uri: &Value| {
        let (of, uri) = marks::inward(uri.as_str()?)?;
        (of == server.as_str()).then(|| uri.to_owned())
    };
    let uris: Vec<String> = uris.into_iter().flatten().filter_map(own).collect();
    let wants_lists = wanted.as_object().is_some_and(|wanted| {
        wanted.iter().any(|(member, value)| member != URIS && *value == Value::Bool(true))
    });
    (wants_lists || !uris.is_empty()).then_some(uris)
}

/// What all servers together honour.
pub(super) fn honoured(by_server: &[(ServerName, Value)]) -> Value {
    let mut all = Map::new();
    let mut uris = BTreeSet::new();
    for (server, honoured) in by_server {
        for (member, value) in honoured.as_object().into_iter().flatten() {
            if member == URIS {
                let own = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                uris.extend(own.map(|uri| marks::outward(server, uri)));
            } else if *value == Value::Bool(true) {
                all.insert(member.clone(), Value::Bool(true));
            }
        }
    }
    if !uris.is_empty() {
        all.insert(URIS.to_owned(), json!(uris));
    }
    Value::Object(all)
}
