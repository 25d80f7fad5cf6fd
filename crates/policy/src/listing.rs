//! Whether a target is listed: the same decision with the arguments left open.
//!
//! A tool is listed exactly when some call of it could be allowed, that is when no question that
//! every call has to pass is answered no whatever the arguments are.

use std::sync::Arc;

use kenward_model::{EntityUid, Fact, Operation, ServerName, Target};

use crate::context::Detail;
use crate::decide::hearing::Hearing;
use crate::evaluate::foresee::{self, Prospect, Subject};
use crate::index::{Environment, Pair};
use crate::mapping::Outline;
use crate::memo::ListingKey;
use crate::policies::{Tool, ToolMapping};
use crate::reads::Reads;
use crate::rule::Open;
use crate::schema::vocabulary::{PROMPT, RESOURCE, SERVER, TEMPLATE, TOOL};

/// Whether some call of the operation's target could be allowed.
pub(crate) fn may_list(hearing: &Hearing<'_>, operation: &Operation<'_>) -> bool {
    let policies = hearing.policies;
    let Some(server) = policies.servers.get(operation.server) else { return false };
    if hearing.good_standing().is_err() {
        return false;
    }
    let item = |pair: &Pair| {
        let uid = operation.target.uid(operation.server);
        hearing.ask(pair, &uid, &|| hearing.target(operation), Detail::None).is_yes()
    };
    match &operation.target {
        Target::Server => may_use_anything(hearing, operation.server),
        Target::Tool(name) => {
            server.tools.get(&**name).is_some_and(|tool| lists_tool(hearing, tool))
        }
        Target::Prompt(_) => item(&policies.prompts),
        Target::Resource(_) => item(&policies.resources) && hearing.could_tell(operation),
        Target::ResourceTemplate(_) => item(&policies.templates),
    }
}

/// Whether the caller could be allowed to use anything of the server.
pub(crate) fn may_use_anything(hearing: &Hearing<'_>, name: &ServerName) -> bool {
    let policies = hearing.policies;
    let Some(server) = policies.servers.get(name) else { return false };
    server.tools.values().any(|tool| lists_tool(hearing, tool))
        || [
            (TOOL, &policies.unseen_tools),
            (PROMPT, &policies.prompts),
            (RESOURCE, &policies.resources),
            (TEMPLATE, &policies.templates),
        ]
        .into_iter()
        .any(|(kind, pair)| could_use_some(hearing, name, kind, pair))
}

/// Whether some tool, prompt or MCP resource of the server that is not known here could be used:
/// what a server offers is first seen when somebody is let in to list it.
fn could_use_some(hearing: &Hearing<'_>, server: &ServerName, kind: &str, pair: &Pair) -> bool {
    let kinds = &hearing.policies.kinds;
    let home = kinds.uid(&EntityUid::new(SERVER, server.shared()));
    let Some((kind, home)) = kinds.get(kind).zip(home) else { return false };
    let prefix = format!("{server}/");
    let open = Open { kind: &kind.name, home: Some((&home, &prefix)) };
    foreseen(hearing, pair, &Subject::Open(open), Detail::None)
}

fn lists_tool(hearing: &Hearing<'_>, tool: &Tool) -> bool {
    let find = || could_call(hearing, tool);
    if !is_constant(hearing, tool) {
        return find();
    }
    let key = ListingKey {
        fingerprint: hearing.asker.caller.fingerprint,
        revision: hearing.asker.world.revision(),
        target: tool.uid.clone(),
    };
    hearing.policies.memo.listing(key, &hearing.asking, find)
}

/// Whether nothing but caller and revision can change whether the tool is listed. Arguments and
/// what a mapping says of them are open here, so that they cannot.
fn is_constant(hearing: &Hearing<'_>, tool: &Tool) -> bool {
    let policies = hearing.policies;
    let open = Reads::IP | Reads::NOW | Reads::PROTOCOL;
    let constant = |pair: &Pair| !pair.user.reads.touches(open) && !pair.agent.reads.touches(open);
    // What a mapping takes from the token's claims is more than the memo keeps.
    let mapped = tool.mapping.mapping().is_none_or(|mapping| {
        let actions = policies.object_actions.values();
        !mapping.outline_reads_token()
            && actions.flat_map(|action| action.kinds.values()).all(constant)
    });
    let disclosed = tool.binding.as_ref().is_none_or(|binding| {
        let certain = binding.potential().iter();
        certain.filter_map(|fact| policies.learn.get(&fact.of)).all(constant)
    });
    constant(&tool.pair) && mapped && disclosed
}

fn could_call(hearing: &Hearing<'_>, tool: &Tool) -> bool {
    if tool.mapping.leaves_question_one() {
        let entity = Subject::Known(Arc::clone(&tool.entity));
        if !foreseen(hearing, &tool.pair, &entity, Detail::OpenArguments) {
            return false;
        }
    }
    could_act(hearing, tool) && could_learn(hearing, tool)
}

/// Question 2 with the arguments open.
fn could_act(hearing: &Hearing<'_>, tool: &Tool) -> bool {
    match &tool.mapping {
        ToolMapping::None => true,
        ToolMapping::Broken(_) => false,
        ToolMapping::Beside(mapping) | ToolMapping::Instead(mapping) => mapping
            .outline(hearing.asker.caller)
            .iter()
            .all(|outline| could_act_on(hearing, outline)),
    }
}

fn could_act_on(hearing: &Hearing<'_>, outline: &Outline) -> bool {
    let policies = hearing.policies;
    let Some(name) = &outline.action else { return true };
    let Some(action) = policies.object_actions.get(name.as_str()) else { return false };
    let Some(kind) = &outline.kind else { return true };
    let Some(pair) = action.kinds.get(kind.as_str()) else { return false };
    let Some(declared) = policies.kinds.get(kind) else { return false };
    let subject = match &outline.id {
        None => Subject::Open(Open { kind: &declared.name, home: None }),
        Some(id) => {
            let uid = EntityUid::new(kind.as_str(), id.as_str());
            let Some(entity) = hearing.object(&uid) else { return false };
            Subject::Known(entity)
        }
    };
    foreseen(hearing, pair, &subject, Detail::OpenMapping)
}

/// Question 3 with the arguments open, for the facts that every call reveals about someone.
fn could_learn(hearing: &Hearing<'_>, tool: &Tool) -> bool {
    let Some(binding) = &tool.binding else { return true };
    let policies = hearing.policies;
    binding.potential().iter().all(|potential| {
        let Some(pair) = policies.learn.get(&potential.of) else { return false };
        let Some(kind) = policies.kinds.get(&potential.of) else { return false };
        let fact = Fact {
            subject: EntityUid::new(Arc::clone(&potential.of), ""),
            attribute: Arc::clone(&potential.attribute),
            family: Arc::clone(&potential.family),
            precision: potential.precision,
        };
        let via = policies.kinds.uid(&tool.uid);
        let detail = Detail::Fact { fact: &fact, via: via.as_ref(), inferred: false };
        let subject = Subject::Open(Open { kind: &kind.name, home: None });
        foreseen(hearing, pair, &subject, detail)
    })
}

/// Whether the answer could be yes, for the user and for an agent with rights of its own.
fn foreseen(hearing: &Hearing<'_>, pair: &Pair, subject: &Subject<'_>, detail: Detail<'_>) -> bool {
    let one = |environment: &Environment,
               principal: Option<Arc<cedar_policy_core::ast::Entity>>| {
        let Some(principal) = principal else { return false };
        let prospect = Prospect {
            principal,
            action: Arc::clone(&pair.action),
            resource: subject.clone(),
            others: hearing.others(environment.reads, detail),
        };
        foresee::possible(environment, &prospect, &mut |reads| hearing.context(reads, detail))
    };
    one(&pair.user, hearing.user())
        && (!hearing.agent_is_known() || one(&pair.agent, hearing.agent()))
}

#[cfg(test)]
mod tests;
