//! The call: everything about one message that later steps read, owned, so that streams can keep it.

use std::sync::Arc;

use http::HeaderMap;
use kenward_definitions::{Form, Kind, Mode, Shelf};
use kenward_disclosure::Entry;
use kenward_live::InForce;
use kenward_mcp::Message;
use kenward_mcp::dialect::{Dialect, Era};
use kenward_mcp::method::{self, Row};
use kenward_model::{DecisionId, Operation, Question, Target, Timestamp};
use kenward_policy::answer_digest;
use kenward_policy::{Asker, Basis, Case, Cause, Effects, Environment, Memory, Refusal, Verdict};
use serde_json::Value;

use super::authenticate;
use crate::clock;
use crate::past::Occasion;
use crate::sessions::Session;

/// One message on its way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: DecisionId,
    pub(crate) entry: authenticate::Entry,
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
    /// The same call as a decision of its own, now; nothing when the system has no entropy.
    pub(crate) fn anew(&self) -> Option<Self> {
        let time = clock::now();
        Some(Self {
            id: clock::decision_id(time).ok()?,
            entry: authenticate::Entry { time, ..self.entry.clone() },
            message: self.message.clone(),
            row: self.row,
            dialect: self.dialect,
            session: self.session.clone(),
            digest: self.digest,
            headers: self.headers.clone(),
        })
    }

    /// What the message is aimed at; it was found once at resolve, so it is found again.
    pub(crate) fn target(&self) -> Target<'_> {
        method::target(self.row, self.message.params()).unwrap_or(Target::Server)
    }

    /// The raw JSON of the request's id; nothing for notifications.
    pub(crate) fn request_id(&self) -> Option<&[u8]> {
        self.message.id()
    }

    /// Whether the raw `id` of a response is this request's. A server may spell the characters of a
    /// text in another way.
    pub(crate) fn is_answered_by(&self, id: &[u8]) -> bool {
        let text = |raw: &[u8]| serde_json::from_slice::<String>(raw).ok();
        self.request_id()
            .is_some_and(|own| own == id || text(own).is_some_and(|own| Some(own) == text(id)))
    }

    /// Decides this call on `in_force`; the entries are in the history and are still to be kept.
    pub(crate) fn judge(&self, in_force: &InForce, now: Timestamp) -> (Verdict, Vec<Entry>) {
        if let Some(why) = self.withheld(in_force, &self.target()) {
            return (Verdict::Refuse(withheld(in_force, why)), Vec::new());
        }
        self.entry.past.take(self.occasion(), |memory| {
            let operation = self.operation();
            let asker = self.asker(in_force, now);
            let verdict = in_force.policies.decide(&Case { asker, operation: &operation, memory });
            let entries = verdict.effects().entries.clone();
            (verdict, entries)
        })
    }

    /// Decides another operation of the same caller that has happened already, such as the read of
    /// an MCP resource that came along; its entries are in the history and are still to be kept.
    pub(crate) fn judge_as(
        &self,
        in_force: &InForce,
        method: &str,
        target: Target<'_>,
        params: &Value,
    ) -> (Verdict, Vec<Entry>) {
        let operation = Operation { server: &self.entry.server, method, target, params };
        self.entry.past.take(self.occasion(), |memory| {
            let asker = self.asker(in_force, clock::now());
            let verdict = in_force.policies.decide(&Case { asker, operation: &operation, memory });
            let entries = verdict.effects().entries.clone();
            (verdict, entries)
        })
    }

    /// Decides another operation of the same caller on the same server; nothing comes of it.
    pub(crate) fn judge_other(
        &self,
        in_force: &InForce,
        now: Timestamp,
        method: &str,
        target: Target<'_>,
        params: &Value,
    ) -> Verdict {
        let operation = Operation { server: &self.entry.server, method, target, params };
        self.entry.past.read(self.occasion(), |memory| {
            let asker = self.asker(in_force, now);
            in_force.policies.decide(&Case { asker, operation: &operation, memory })
        })
    }

    /// Whether some call of `target` by `method` could be allowed to this caller. What they were
    /// told before has no part in it: lists follow standing rights.
    pub(crate) fn may_list(
        &self,
        in_force: &InForce,
        now: Timestamp,
        method: &str,
        target: Target<'_>,
    ) -> bool {
        if self.withheld(in_force, &target).is_some() {
            return false;
        }
        let operation =
            Operation { server: &self.entry.server, method, target, params: &Value::Null };
        let (asker, memory) = (self.asker(in_force, now), Memory::blank());
        in_force.policies.may_list(&Case { asker, operation: &operation, memory })
    }

    /// Why the definition of `target` keeps it from being listed and used; nothing if it does not.
    fn withheld(&self, in_force: &InForce, target: &Target<'_>) -> Option<&'static str> {
        let (kind, name) = match target {
            Target::Tool(name) => (Kind::Tool, name),
            Target::Prompt(name) => (Kind::Prompt, name),
            // What may be read is decided by URI, whatever the templates say.
            Target::Server | Target::Resource(_) | Target::ResourceTemplate(_) => return None,
        };
        let mode = self.mode();
        match in_force.shelves.get(&self.entry.server) {
            Some(shelf) => shelf.withholds(mode, self.form(), kind, name),
            None => Shelf::default().withholds(mode, self.form(), kind, name),
        }
    }

    /// Which of the server's definitions are served.
    pub(crate) fn mode(&self) -> Mode {
        let server = self.entry.settings.servers.get(&self.entry.server);
        server.map_or_else(Mode::default, |server| server.definitions)
    }

    /// In which form the server says to this caller what it is.
    pub(crate) fn form(&self) -> Form {
        match self.dialect.era {
            Era::Legacy => Form::Legacy,
            Era::Modern => Form::Modern,
        }
    }

    /// This message as an operation.
    pub(crate) fn operation(&self) -> Operation<'_> {
        Operation {
            server: &self.entry.server,
            method: self.row.name,
            target: self.target(),
            params: self.message.params(),
        }
    }

    /// What the past is read for.
    pub(crate) fn occasion(&self) -> Occasion<'_> {
        Occasion {
            settings: &self.entry.settings.disclosure,
            decision: self.id,
            answer: answer_digest(&self.entry.server, &self.target(), &self.digest),
        }
    }

    /// Who asks, on `in_force`.
    pub(crate) fn asker<'a>(&'a self, in_force: &'a InForce, now: Timestamp) -> Asker<'a> {
        let environment =
            Environment { now, ip: Some(self.entry.ip), protocol: self.dialect.version };
        Asker { caller: &self.entry.caller, world: &in_force.world, environment }
    }
}

/// The same answer as for what does not exist; why stands in the record.
fn withheld(in_force: &InForce, why: &str) -> Refusal {
    Refusal {
        question: Question::Operation,
        hidden: true,
        reasons: Vec::new(),
        missing_scopes: Vec::new(),
        cause: Cause::Definition(why.to_owned()),
        ask: None,
        basis: Basis { revision: in_force.world.revision(), ..Basis::default() },
        effects: Effects::default(),
    }
}
