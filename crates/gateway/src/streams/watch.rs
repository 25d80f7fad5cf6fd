//! What one stream may still carry, asked again at each delivery and after each change.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use kenward_live::InForce;
use kenward_mcp::list::ListKind;
use kenward_mcp::method::{self, Direction, Treatment};
use kenward_mcp::scan::Shape;
use kenward_model::Target;
use serde_json::Value;

use super::asked::{Asked, LISTS, may_follow};
use crate::clock;
use crate::gateway::Gateway;
use crate::lists::is_listed;
use crate::pipeline::{self, Call};

/// What a change of rights means for a stream.
#[derive(Debug)]
pub(super) struct Effect {
    /// The notifications that tell which of the caller's lists changed.
    pub(super) changed: Vec<&'static str>,
    /// Whether anything is left that the stream could carry.
    pub(super) goes_on: bool,
}

/// One stream's view of its caller's rights.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) gateway: Arc<Gateway>,
    pub(super) call: Arc<Call>,
    pub(super) asked: Asked,
    in_force: Arc<InForce>,
    lists: [u64; 3],
}

impl Watch {
    pub(super) fn new(
        gateway: &Arc<Gateway>,
        call: Arc<Call>,
        asked: Asked,
        in_force: Arc<InForce>,
    ) -> Self {
        let lists = LISTS.map(|(kind, ..)| visible(gateway, &call, &in_force, kind));
        Self { gateway: Arc::clone(gateway), call, asked, in_force, lists }
    }

    /// Takes in what is in force now and says what that changes.
    pub(super) fn after_change(&mut self) -> Effect {
        let now = self.gateway.live.snapshot();
        if now.generation == self.in_force.generation {
            return Effect { changed: Vec::new(), goes_on: true };
        }
        self.in_force = now;
        self.asked.shrink(&self.call, &self.in_force);
        let mut changed = Vec::new();
        for (place, (kind, _, notification)) in LISTS.into_iter().enumerate() {
            let visible = visible(&self.gateway, &self.call, &self.in_force, kind);
            let Some(known) = self.lists.get_mut(place) else { continue };
            if *known != visible && self.asked.carries_list(place) {
                changed.push(notification);
            }
            *known = visible;
        }
        Effect { changed, goes_on: self.goes_on() }
    }

    /// Whether the stream itself would still be opened, or some MCP resource is left to follow.
    fn goes_on(&self) -> bool {
        let standing = self.in_force.world.standing(&self.call.entry.caller.user);
        if !standing.active || standing.session_revoked {
            return false;
        }
        let verdict = self.call.judge_other(
            &self.in_force,
            clock::now(),
            "subscriptions/listen",
            Target::Server,
            self.call.message.params(),
        );
        verdict.is_allowed() || self.asked.has_uris()
    }

    /// Whether this notification of the server may be delivered now.
    pub(super) fn may_deliver(&self, shape: &Shape<'_>, bytes: &[u8]) -> bool {
        let name = shape.method.as_deref().unwrap_or_default();
        let era = self.call.dialect.era;
        let row = method::find(name).filter(|row| row.permits(era, Direction::ToClient));
        let Some(row) = row.filter(|row| row.treatment == Treatment::Delivery) else {
            return false;
        };
        if let Some(place) = LISTS.iter().position(|(.., notification)| *notification == row.name) {
            self.gateway.copies.outdated(&self.call.entry.server);
            return self.asked.carries_list(place);
        }
        match row.name {
            "notifications/resources/updated" => self.may_tell_of_update(shape, bytes),
            // Both belong to the session alone; the modern stream carries neither.
            "notifications/message" | "notifications/elicitation/complete" => {
                matches!(self.asked, Asked::Session(_))
            }
            _ => false,
        }
    }

    fn may_tell_of_update(&self, shape: &Shape<'_>, bytes: &[u8]) -> bool {
        let params = shape.params.clone().and_then(|place| bytes.get(place));
        let depth = self.call.entry.settings.limits.depth;
        let params = params.and_then(|json| kenward_mcp::tree::read(json, depth).ok());
        let uri = params.as_ref().and_then(|params| params.get("uri")).and_then(Value::as_str);
        let Some(uri) = uri.filter(|uri| self.asked.carries_uri(uri)) else { return false };
        let in_force = self.gateway.live.snapshot();
        if may_follow(&self.call, &in_force, uri) {
            return true;
        }
        let params = serde_json::json!({ "uri": uri });
        let target = Target::Resource(uri.into());
        let now = clock::now();
        let verdict = self.call.judge_other(&in_force, now, "resources/read", target, &params);
        pipeline::withheld(&self.gateway, &self.call, &in_force, &verdict);
        false
    }
}

/// A digest of the names on the caller's list of `kind`, as far as they are known.
fn visible(gateway: &Gateway, call: &Call, in_force: &InForce, kind: ListKind) -> u64 {
    let server = &call.entry.server;
    let mut names: Vec<Arc<str>> = gateway.listed.names(server, kind);
    if kind == ListKind::Tools {
        names.extend(in_force.tools(server).map(Into::into));
    }
    names.sort_unstable();
    names.dedup();
    let now = clock::now();
    let mut hasher = DefaultHasher::new();
    for name in names.iter().filter(|name| is_listed(call, in_force, now, kind, name)) {
        name.hash(&mut hasher);
    }
    hasher.finish()
}
