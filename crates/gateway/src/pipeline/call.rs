//! The call: everything about one message that later steps read, owned, so that streams can keep it.

use std::sync::Arc;

use http::HeaderMap;
use kenward_live::InForce;
use kenward_mcp::Message;
use kenward_mcp::dialect::Dialect;
use kenward_mcp::method::{self, Row};
use kenward_model::{DecisionId, Operation, Target, Timestamp};
use kenward_policy::{Asker, Case, Environment, Verdict};
use serde_json::Value;

use super::Entry;
use crate::sessions::Session;

/// One message on its way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: DecisionId,
    pub(crate) entry: Entry,
    pub(crate) message: Message,
    pub(crate) row: &'static Row,
    pub(crate) dialect: Dialect,
    pub(crate) session: Option<Arc<Session>>,
    /// SHA-256 of the RFC 8785 form of the arguments.
    pub(crate) digest: [u8; 32],
    /// The client's headers that go on.
    pub(crate) headers: HeaderMap,
}

impl Call {
    /// What the message is aimed at; it was found once at resolve, so it is found again.
    pub(crate) fn target(&self) -> Target<'_> {
        method::target(self.row, self.message.params()).unwrap_or(Target::Server)
    }

    /// The raw JSON of the request's id; nothing for notifications.
    pub(crate) fn request_id(&self) -> Option<&[u8]> {
        self.message.id()
    }

    /// Decides this call on `in_force`.
    pub(crate) fn judge(&self, in_force: &InForce, now: Timestamp) -> Verdict {
        self.judge_other(in_force, now, self.row.name, self.target(), self.message.params())
    }

    /// Decides another operation of the same caller on the same server.
    pub(crate) fn judge_other(
        &self,
        in_force: &InForce,
        now: Timestamp,
        method: &str,
        target: Target<'_>,
        params: &Value,
    ) -> Verdict {
        let operation = Operation { server: &self.entry.server, method, target, params };
        in_force.policies.decide(&Case { asker: self.asker(in_force, now), operation: &operation })
    }

    /// Whether some call of `target` by `method` could be allowed to this caller.
    pub(crate) fn may_list(
        &self,
        in_force: &InForce,
        now: Timestamp,
        method: &str,
        target: Target<'_>,
    ) -> bool {
        let operation =
            Operation { server: &self.entry.server, method, target, params: &Value::Null };
        let case = Case { asker: self.asker(in_force, now), operation: &operation };
        in_force.policies.may_list(&case)
    }

    /// Who asks, on `in_force`.
    pub(crate) fn asker<'a>(&'a self, in_force: &'a InForce, now: Timestamp) -> Asker<'a> {
        let environment =
            Environment { now, ip: Some(self.entry.ip), protocol: self.dialect.version };
        Asker { caller: &self.entry.caller, world: &in_force.world, environment }
    }
}
