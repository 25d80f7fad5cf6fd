//! Which server a message is aimed at, and the message as that server knows its target.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use kenward_audit::{Kind, Record, Verdict};
use kenward_mcp::dialect::Era;
use kenward_mcp::list::ListKind;
use kenward_mcp::method::{self, Row, TargetKind};
use kenward_mcp::{Message, reply};
use kenward_model::{Question, ServerName, Target};
use serde_json::Value;

use super::naming::{self, Named};
use super::outward::Told;
use super::visit::Visit;
use super::{lists, marks};
use crate::clock;
use crate::stop::Stop;

/// A message on its way to one server.
pub(super) struct Aim {
    pub(super) server: ServerName,
    pub(super) message: Message,
    pub(super) told: Told,
}

/// Where the message goes; nothing when there is no such target.
pub(super) async fn find(visit: &Visit, row: &'static Row) -> Result<Option<Aim>, Stop> {
    let params = visit.message.params();
    let target = method::target(row, params).map_err(|e| e.answering(visit.message.id()))?;
    let found = match &target {
        Target::Tool(name) => named(visit, ListKind::Tools, name).await,
        Target::Prompt(name) => named(visit, ListKind::Prompts, name).await,
        Target::Resource(uri) | Target::ResourceTemplate(uri) => marks::inward(uri)
            .and_then(|(server, inner)| Some((visit.server(server)?, inner.to_owned()))),
        Target::Server => None,
    };
    let Some((server, inner)) = found else { return Ok(None) };
    let quoted = Value::from(inner).to_string();
    let edited = visit.message.with_params_member(place(row, &target), Some(&quoted));
    let Some(edited) = edited else { return Ok(None) };
    let message = visit.again(edited)?;
    let era = visit.dialect.era;
    let unknown = unknown(&message, era).zip(unknown(&visit.message, era));
    let told = Told::new(visit, server.clone(), unknown);
    Ok(Some(Aim { server, message, told }))
}

/// The member of the parameters that names the target.
fn place(row: &Row, target: &Target<'_>) -> &'static [&'static str] {
    let is_by_name = matches!(target, Target::Tool(_) | Target::Prompt(_));
    match (row.target == TargetKind::Reference, is_by_name) {
        (true, true) => &["ref", "name"],
        (true, false) => &["ref", "uri"],
        (false, true) => &["name"],
        (false, false) => &["uri"],
    }
}

/// The tool or prompt that is called `name` here.
async fn named(visit: &Visit, kind: ListKind, name: &str) -> Option<(ServerName, String)> {
    match naming::inward(name) {
        Named::Foreign => None,
        Named::Plain(server, inner) => {
            let server = visit.server(server)?;
            // Each has one name here, and no other works.
            (naming::outward(&server, inner) == name).then(|| (server, inner.to_owned()))
        }
        Named::Digested => digested(visit, kind, name).await,
    }
}

/// What a shortened name stands for, among what the servers have listed so far; otherwise those
/// that it can be of are asked for their lists.
async fn digested(visit: &Visit, kind: ListKind, name: &str) -> Option<(ServerName, String)> {
    let key = (kind.member(), name.to_owned());
    let known = visit.gateway.federation.names.get(&key);
    if let Some((server, inner)) =
        known.and_then(|(s, inner)| Some((visit.server(s.as_str())?, inner)))
    {
        return Some((server, inner.to_string()));
    }
    let settings = Arc::clone(&visit.known.settings);
    let candidates = || settings.servers.keys().filter(|server| naming::may_be_of(name, server));
    if let Some(found) = candidates().find_map(|server| seen(visit, kind, server, name)) {
        return Some(found);
    }
    for server in candidates() {
        lists::learn(visit, kind, server).await;
        if let Some(found) = seen(visit, kind, server, name) {
            return Some(found);
        }
    }
    None
}

fn seen(
    visit: &Visit,
    kind: ListKind,
    server: &ServerName,
    name: &str,
) -> Option<(ServerName, String)> {
    let in_force = visit.gateway.live.load();
    let mut names = visit.gateway.listed.names(server, kind);
    if kind == ListKind::Tools {
        names.extend(in_force.tools(server).map(Into::into));
    }
    let inner = names.into_iter().find(|inner| naming::outward(server, inner) == name)?;
    let key = (kind.member(), name.to_owned());
    visit.gateway.federation.names.insert(key, (server.clone(), Arc::clone(&inner)));
    Some((server.clone(), inner.to_string()))
}

/// What a message is answered with whose target does not exist, or is hidden from its sender;
/// nothing for messages without a target or an answer.
pub(super) fn unknown(message: &Message, era: Era) -> Option<Bytes> {
    let (id, row) = (message.id()?, message.row()?);
    match method::target(row, message.params()).ok()? {
        Target::Tool(name) => Some(reply::unknown_tool(id, era, &name)),
        Target::Prompt(name) => Some(reply::unknown_prompt(id, era, &name)),
        Target::Resource(uri) | Target::ResourceTemplate(uri) => {
            Some(reply::unknown_resource(id, era, &uri))
        }
        Target::Server => None,
    }
}

/// The end of a message that is aimed at nothing here: in the log as refused, for nobody forwards
/// it.
pub(super) fn nowhere(visit: &Visit, row: &'static Row) -> Stop {
    let caller = &visit.known.caller;
    let target = method::target(row, visit.message.params()).ok();
    let record = Record {
        id: clock::decision_id(visit.known.time).ok(),
        user: Some(Arc::clone(&caller.user.id)),
        agent: Some(Arc::clone(&caller.agent.id)),
        issuer: Some(Arc::clone(&caller.issuer)),
        method: Some(Cow::Borrowed(row.name)),
        target: target.and_then(|target| target.name().map(Into::into)),
        verdict: Some(Verdict::Refuse),
        question: Some(Question::Operation),
        note: Some(Cow::Borrowed("no server has this name or URI")),
        ..Record::new(Kind::Decision, visit.known.time)
    };
    match visit.gateway.log.append(&record) {
        Ok(_receipt) => visit.unknown(),
        Err(error) => {
            tracing::error!(%error, "a decision could not be recorded; nothing is forwarded");
            Stop::Us { id: visit.id(), reference: "-".to_owned() }
        }
    }
}
