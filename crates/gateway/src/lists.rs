//! Everyone's own list: what a server lists, cut to what this caller could use.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use kenward_live::InForce;
use kenward_mcp::list::{self, ListError, ListKind};
use kenward_mcp::scan;
use kenward_model::{ServerName, Target, Timestamp};
use kenward_policy::Tool;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::clock;
use crate::gateway::Gateway;
use crate::pipeline::Call;

/// How long a client may rely on a list, in milliseconds: a change takes effect within it.
const LONGEST_TTL: u64 = 1_000;
/// Names remembered for one list, and pages remembered as seen, at most.
const LARGEST: usize = 5_000;

/// What servers have listed so far, whoever asked: to tell whose list a change changes.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pages: Mutex<HashSet<[u8; 32]>>,
    names: Mutex<Names>,
}

/// By server and the member of the list.
type Names = HashMap<(ServerName, &'static str), BTreeSet<Arc<str>>>;

/// The response with those items alone that this caller could use.
pub(crate) async fn release(
    gateway: &Gateway,
    call: &Call,
    kind: ListKind,
    response: &Bytes,
) -> Result<Bytes, ListError> {
    take_in(gateway, call, kind, response).await?;
    let in_force = gateway.live.snapshot();
    let now = clock::now();
    list::filter(response, kind, call.dialect.era, LONGEST_TTL, &mut |item| {
        is_listed(call, &in_force, now, kind, item.name)
    })
}

/// A page that was not seen before teaches us names and definitions, before anybody gets it.
pub(crate) async fn take_in(
    gateway: &Gateway,
    call: &Call,
    kind: ListKind,
    response: &Bytes,
) -> Result<(), ListError> {
    if !gateway.listed.is_new(&call.entry.server, kind, response) {
        return Ok(());
    }
    let (items, _) = list::items(response, kind)?;
    gateway.listed.remember(&call.entry.server, kind, items.iter().map(|item| &*item.name));
    if kind == ListKind::Tools {
        let tools = items.iter().filter_map(|item| tool(&item.name, item.json.get())).collect();
        match gateway.live.learn(&call.entry.server, tools).await {
            Ok(true) => tracing::info!(server = %call.entry.server, "definitions learnt"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(server = %call.entry.server, %error, "definitions not taken in");
            }
        }
    }
    Ok(())
}

fn tool(name: &str, definition: &str) -> Option<Tool> {
    let definition: Value = serde_json::from_str(definition).ok()?;
    let schema = definition.get("inputSchema").cloned().unwrap_or_else(|| Value::Object(serde_json::Map::default()));
    Some(Tool { name: name.into(), input_schema: Some(Arc::new(schema)) })
}

/// Whether `name` belongs on this caller's list of `kind`.
pub(crate) fn is_listed(
    call: &Call,
    in_force: &InForce,
    now: Timestamp,
    kind: ListKind,
    name: &str,
) -> bool {
    let (method, target) = match kind {
        ListKind::Tools => ("tools/call", Target::Tool(name.into())),
        ListKind::Prompts => ("prompts/get", Target::Prompt(name.into())),
        ListKind::Resources => ("resources/read", Target::Resource(name.into())),
        ListKind::Templates => ("resources/read", Target::ResourceTemplate(name.into())),
    };
    call.may_list(in_force, now, method, target)
}

impl Listed {
    /// Whether this page was never seen; the result alone counts, for ids differ.
    fn is_new(&self, server: &ServerName, kind: ListKind, response: &[u8]) -> bool {
        let result = scan::shape(response).ok().and_then(|shape| shape.result);
        let Some(result) = result.and_then(|place| response.get(place)) else { return false };
        let mut hasher = Sha256::new();
        hasher.update(server.as_str());
        hasher.update(kind.member());
        hasher.update(result);
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= LARGEST {
            pages.clear();
        }
        pages.insert(hasher.finalize().into())
    }

    fn remember<'n>(
        &self,
        server: &ServerName,
        kind: ListKind,
        names: impl Iterator<Item = &'n str>,
    ) {
        let mut all = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry((server.clone(), kind.member())).or_default();
        for name in names.take(LARGEST) {
            if known.len() >= LARGEST {
                return;
            }
            known.insert(name.into());
        }
    }

    /// The names that `server` has listed so far.
    pub(crate) fn names(&self, server: &ServerName, kind: ListKind) -> Vec<Arc<str>> {
        let all = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&(server.clone(), kind.member()));
        known.into_iter().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests;
