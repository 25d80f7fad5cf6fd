//! Everyone's own list: what a server lists, cut to what this caller could use.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kenward_audit::{ChangeOf, Record};
use kenward_live::InForce;
use kenward_mcp::dialect::Era;
use kenward_mcp::list::{self, Item, ListError, ListKind};
use kenward_mcp::mirror::Mirrors;
use kenward_mcp::scan;
use kenward_model::{ServerName, Target, Timestamp};
use kenward_policy::Tool;
use moka::sync::Cache;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::clock;
use crate::gateway::Gateway;
use crate::party;
use crate::pipeline::Call;

/// How long a client may rely on a list, in milliseconds: a change takes effect within it.
pub(crate) const LONGEST_TTL: u64 = 1_000;
/// How much is kept of pages and what was made of them, in bytes.
const MOST_CUT: u64 = 16 << 20;
/// Names remembered for one list, and pages remembered as seen, at most.
const LARGEST: usize = 5_000;

/// What servers have listed so far, whoever asked: to tell whose list a change changes.
#[derive(Debug)]
pub(crate) struct Listed {
    pages: Mutex<HashSet<[u8; 32]>>,
    /// What was made of a page for a caller; it may be used for as long as the caller's own client
    /// may keep it.
    cut: Cache<CutKey, Arc<Cut>>,
    names: Mutex<Names>,
}

/// By server and the member of the list.
type Names = HashMap<(ServerName, &'static str), BTreeSet<Arc<str>>>;

/// A page as it was cut for a caller.
#[derive(Debug)]
struct Cut {
    generation: u64,
    /// The result as the server gave it.
    whole: Bytes,
    /// What the caller may see of it.
    theirs: Bytes,
}

/// Whose page it is: server, list, era, caller, and from where which place in the list.
pub(crate) type CutKey = (ServerName, &'static str, Era, (u64, u64), String);

/// The response with those items alone that this caller could use.
pub(crate) async fn release(
    gateway: &Gateway,
    call: &Call,
    kind: ListKind,
    response: &Bytes,
    place: Range<usize>,
) -> Result<Bytes, ListError> {
    let key = cut_key(call, kind);
    let generation = gateway.live.load().generation;
    if let Some(known) = gateway.listed.cut.get(&key)
        && known.generation == generation
        && response.get(place.clone()) == Some(&*known.whole)
    {
        return Ok(spliced(response, &place, &known.theirs));
    }
    take_in(gateway, call, kind, response).await?;
    let in_force = gateway.live.snapshot();
    let now = clock::now();
    let filtered = list::filter(response, kind, call.dialect.era, LONGEST_TTL, &mut |item| {
        is_listed(call, &in_force, now, kind, item.name) && may_be_offered(call, kind, item)
    })?;
    if let Some(theirs) = result_of(&filtered) {
        let (whole, theirs) = (response.slice(place), filtered.slice(theirs));
        let generation = in_force.generation;
        gateway.listed.cut.insert(key, Arc::new(Cut { generation, whole, theirs }));
    }
    Ok(filtered)
}

pub(crate) fn cut_key(call: &Call, kind: ListKind) -> CutKey {
    let cursor = call.message.params().get("cursor").map(ToString::to_string);
    let server = call.entry.server.clone();
    let caller = &call.entry.caller;
    let caller = (caller.fingerprint, party::number(caller));
    // Policies may read the address and the revision too.
    let (ip, version) = (call.entry.ip, call.dialect.version);
    let place = format!("{ip} {version} {}", cursor.unwrap_or_default());
    (server, kind.member(), call.dialect.era, caller, place)
}

fn result_of(response: &[u8]) -> Option<Range<usize>> {
    scan::shape(response).ok().and_then(|shape| shape.result)
}

/// The response with another result; its id and everything else are its own.
fn spliced(response: &Bytes, place: &Range<usize>, result: &Bytes) -> Bytes {
    let (before, after) = (response.slice(..place.start), response.slice(place.end..));
    [before, result.clone(), after].concat().into()
}

/// A page that was not seen before teaches us names and definitions, before anybody gets it.
pub(crate) async fn take_in(
    gateway: &Gateway,
    call: &Call,
    kind: ListKind,
    response: &Bytes,
) -> Result<(), ListError> {
    let epoch = Arc::clone(gateway.live.load().policies.epoch());
    if !gateway.listed.is_new(&epoch, &call.entry.server, kind, response) {
        return Ok(());
    }
    let (items, _) = list::items(response, kind)?;
    gateway.listed.remember(&call.entry.server, kind, items.iter().map(|item| &*item.name));
    if kind == ListKind::Tools {
        let tools = items.iter().filter_map(|item| tool(&item.name, item.json.get())).collect();
        match gateway.live.learn(&call.entry.server, tools).await {
            Ok(true) => note_definitions(gateway, &call.entry.server),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(server = %call.entry.server, %error, "definitions not taken in");
            }
        }
    }
    Ok(())
}

/// New definitions change what policies are checked against: that stands in the log.
pub(crate) fn note_definitions(gateway: &Gateway, server: &ServerName) {
    let epoch = Arc::clone(gateway.live.load().policies.epoch());
    let by = format!("server {server}");
    let record = Record::change(clock::now(), ChangeOf::Definitions, by);
    let server = Some(server.clone());
    if let Err(error) = gateway.log.append(&Record { policy_epoch: Some(epoch), server, ..record })
    {
        tracing::error!(%error, "a change of definitions could not be recorded");
    }
}

fn tool(name: &str, definition: &str) -> Option<Tool> {
    let definition: Value = serde_json::from_str(definition).ok()?;
    let schema = definition
        .get("inputSchema")
        .cloned()
        .unwrap_or_else(|| Value::Object(serde_json::Map::default()));
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

/// Whether a tool's `x-mcp-header` annotations are sound: over HTTP one whose are not must not be
/// offered (MCP 2026-07-28, transports, custom headers from tool parameters).
fn may_be_offered(call: &Call, kind: ListKind, item: &Item<'_>) -> bool {
    let definition = item.json.get();
    if kind != ListKind::Tools || call.dialect.era != Era::Modern {
        return true;
    }
    if !definition.contains("x-mcp-header") {
        return true;
    }
    let definition: Result<Value, _> = serde_json::from_str(definition);
    definition.is_ok_and(|tool| tool.get("inputSchema").is_none_or(|it| Mirrors::of(it).is_ok()))
}

impl Default for Listed {
    fn default() -> Self {
        let size = |_: &CutKey, cut: &Arc<Cut>| {
            u32::try_from(cut.whole.len() + cut.theirs.len()).unwrap_or(u32::MAX)
        };
        let cut = Cache::builder()
            .weigher(size)
            .max_capacity(MOST_CUT)
            .time_to_live(Duration::from_millis(LONGEST_TTL))
            .build();
        Self { pages: Mutex::default(), cut, names: Mutex::default() }
    }
}

impl Listed {
    /// Whether this page was never seen; the result alone counts, for ids differ.
    fn is_new(&self, epoch: &str, server: &ServerName, kind: ListKind, response: &[u8]) -> bool {
        let result = result_of(response).and_then(|place| response.get(place));
        let Some(result) = result else { return false };
        // Definitions that the policies of one day do not bear may do under another's.
        let mut hasher = Sha256::new();
        hasher.update(epoch);
        hasher.update(server.as_str());
        hasher.update(kind.member());
        hasher.update(result);
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= LARGEST {
            pages.clear();
        }
        pages.insert(hasher.finalize().into())
    }

    pub(crate) fn remember<'n>(
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
