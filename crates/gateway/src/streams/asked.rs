//! What a stream was asked to carry, cut to what its caller may have.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use kenward_live::InForce;
use kenward_mcp::list::ListKind;
use kenward_mcp::{Limits, Message};
use kenward_model::Target;
use serde_json::{Value, json};

use crate::clock;
use crate::pipeline::Call;
use crate::sessions::Session;
use crate::stop::Stop;

/// The lists whose changes a stream can carry, with the member that asks for each.
pub(super) const LISTS: [(ListKind, &str, &str); 3] = [
    (ListKind::Tools, "toolsListChanged", "notifications/tools/list_changed"),
    (ListKind::Prompts, "promptsListChanged", "notifications/prompts/list_changed"),
    (ListKind::Resources, "resourcesListChanged", "notifications/resources/list_changed"),
];
/// URIs that one stream may follow.
const MOST_URIS: usize = 1_000;

/// What a stream carries.
#[derive(Debug)]
pub(super) enum Asked {
    /// Everything of a legacy session; MCP resources as the session subscribes to them.
    Session(Arc<Session>),
    /// What a modern request lists.
    Listed {
        /// The lists, by their place in [`LISTS`].
        lists: [bool; 3],
        /// The MCP resources that the caller may still follow.
        uris: BTreeSet<String>,
    },
}

impl Asked {
    pub(super) fn everything(session: &Arc<Session>) -> Self {
        Self::Session(Arc::clone(session))
    }

    /// What `call` asks for and may have now; a URI that may not be read is left out, unsaid.
    pub(super) fn of(call: &Call, in_force: &InForce) -> Self {
        let wanted = call.message.params().get("notifications").unwrap_or(&Value::Null);
        let lists = LISTS.map(|(_, member, _)| wanted.get(member) == Some(&Value::Bool(true)));
        let listed = wanted.get("resourceSubscriptions").and_then(Value::as_array);
        let uris: Vec<&str> =
            listed.into_iter().flatten().filter_map(Value::as_str).take(MOST_URIS).collect();
        let may = |uri: &&str| may_follow(call, in_force, uri);
        let uris: BTreeSet<String> = uris.into_iter().filter(may).map(str::to_owned).collect();
        Self::Listed { lists, uris }
    }

    /// The request as it goes on: it asks the server for nothing that the caller may not have.
    pub(super) fn narrowed(&self, call: &Call, body: Bytes) -> Result<Bytes, Stop> {
        let Self::Listed { uris, .. } = self else { return Ok(body) };
        let limits = &call.entry.settings.limits;
        let message =
            Message::parse(body.clone(), &Limits { body: limits.body, depth: limits.depth })?;
        let uris = json!(uris).to_string();
        let path = ["notifications", "resourceSubscriptions"];
        Ok(message.with_params_member(&path, Some(&uris)).unwrap_or(body))
    }

    /// Whether changes of the list in place `list` are carried.
    pub(super) fn carries_list(&self, list: usize) -> bool {
        match self {
            Self::Session(_) => true,
            Self::Listed { lists, .. } => lists.get(list).copied().unwrap_or(false),
        }
    }

    /// Whether news of `uri` were asked for.
    pub(super) fn carries_uri(&self, uri: &str) -> bool {
        match self {
            Self::Session(session) => session.is_subscribed(uri),
            Self::Listed { uris, .. } => uris.contains(uri),
        }
    }

    /// Drops the MCP resources that the server tells no news of.
    pub(super) fn leave_out(&mut self, unheard: &[String]) {
        if let Self::Listed { uris, .. } = self {
            uris.retain(|uri| !unheard.contains(uri));
        }
    }

    /// Drops every MCP resource that the caller may not read any more.
    pub(super) fn shrink(&mut self, call: &Call, in_force: &InForce) {
        if let Self::Listed { uris, .. } = self {
            uris.retain(|uri| may_follow(call, in_force, uri));
        }
    }

    /// Whether MCP resources are left to follow; a session may always name new ones.
    pub(super) fn has_uris(&self) -> bool {
        match self {
            Self::Session(_) => false,
            Self::Listed { uris, .. } => !uris.is_empty(),
        }
    }

    /// What the acknowledgement says is honoured.
    pub(super) fn honoured(&self) -> Value {
        let Self::Listed { lists, uris } = self else { return json!({}) };
        let mut honoured = serde_json::Map::new();
        for ((_, member, _), wanted) in LISTS.iter().zip(lists) {
            if *wanted {
                honoured.insert((*member).to_owned(), Value::Bool(true));
            }
        }
        if !uris.is_empty() {
            honoured.insert("resourceSubscriptions".to_owned(), json!(uris));
        }
        Value::Object(honoured)
    }
}

/// Whether news of `uri` may be delivered: the same question as reading it.
pub(crate) fn may_follow(call: &Call, in_force: &InForce, uri: &str) -> bool {
    let params = json!({ "uri": uri });
    let target = Target::Resource(uri.into());
    call.judge_other(in_force, clock::now(), "resources/read", target, &params).is_allowed()
}

#[cfg(test)]
mod tests;
