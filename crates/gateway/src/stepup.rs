//! What happens when somebody has to agree first: the person is asked through their own client,
//! and an approver through the admin API; the call goes on when one of them has agreed.
//!
//! In the modern era the person is asked by an `input_required` result (2026-07-28, multi round-trip
//! requests), whose sealed state ties the answer to this person, this call and the next minutes. In
//! the legacy era the gateway asks by `elicitation/create` on the stream of the call's own answer.

mod legacy;
mod seal;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kenward_disclosure::{AskReason, Entry as Past, Granted, Shadow, ShadowSource};
use kenward_live::Asked;
use kenward_mcp::dialect::Era;
use kenward_mcp::{Limits, Message, reply};
use kenward_model::Timestamp;
use kenward_policy::{Ask, Refusal};
use serde_json::{Value, json};

use crate::clock;
use crate::gateway::Gateway;
use crate::pipeline::Call;
use crate::stop::Stop;

pub(crate) use legacy::ask_on_stream;
pub(crate) use seal::Sealer;

/// How long the person's own agreement holds.
const GRANTED: Duration = Duration::from_hours(1);
/// How long the person may take to answer.
const PATIENCE: Duration = Duration::from_mins(10);
/// The name of our question among those of a result.
const QUESTION: &str = "kenward";
/// The code for parameters that a method does not take.
const INVALID_PARAMS: i32 = -32602;
/// Where a modern request declares what its client can do.
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// How the person can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By a result that requires input.
    Result,
    /// By a request on the answer's stream.
    Stream,
    /// Not at all: only an approver can agree.
    None,
}

/// How the person behind `call` can be asked.
pub(crate) fn way(call: &Call) -> Way {
    let declares = |capabilities: &Value| capabilities.get("elicitation").is_some();
    match call.dialect.era {
        Era::Modern => {
            let meta = call.message.params().get("_meta");
            let capabilities = meta.and_then(|meta| meta.get(CAPABILITIES));
            // A server that has asked something itself gets its own state back, not ours.
            let is_retry = call.message.params().get("requestState").is_some();
            let can = capabilities.is_some_and(declares) && !is_retry;
            if can { Way::Result } else { Way::None }
        }
        Era::Legacy => {
            let can = call.session.as_ref().is_some_and(|session| session.can_elicit);
            if can { Way::Stream } else { Way::None }
        }
    }
}

/// Notes that an approver may agree, too.
pub(crate) async fn tell_approvers(gateway: &Gateway, call: &Call, ask: &Ask) {
    let person = &call.entry.caller.user;
    let tool = call.target().name().unwrap_or_default().to_owned();
    let tool = format!("{}/{tool}", call.entry.server);
    let question = Asked {
        decision: call.id,
        person,
        subject: &ask.subject,
        family: &ask.family,
        tool: &tool,
        now: clock::now(),
    };
    if let Err(error) = gateway.live.histories().ask_approval(question).await {
        tracing::error!(%error, id = %call.id, "a question to an approver could not be kept");
    }
}

/// The result that asks the person.
pub(crate) fn question(gateway: &Gateway, call: &Call, ask: &Ask, refusal: &Refusal) -> Bytes {
    let state = gateway.sealer.seal(call, ask, clock::now().plus(PATIENCE));
    let request = json!({
        "method": "elicitation/create",
        "params": elicitation(call, refusal),
    });
    let result = json!({
        "resultType": "input_required",
        "inputRequests": { QUESTION: request },
        "requestState": state,
        "_meta": { "dev.kenward/decision": {
            "id": call.id.to_string(), "verdict": "ask", "question": refusal.question.number(),
        } },
    });
    reply::result(call.request_id().unwrap_or(b"null"), &result.to_string())
}

/// What the person is asked. Nothing of it tells whether there is anything to be learnt.
fn elicitation(call: &Call, refusal: &Refusal) -> Value {
    let name = call.target().name().unwrap_or_default().to_owned();
    let why = refusal.cause.words().unwrap_or("somebody has to agree first");
    let message = format!(
        "`{name}` of {} is about to be used in your name. Before that, {why}. Do you want this \
         call to go on? Your answer is recorded. Reference: {}",
        call.entry.server, call.id
    );
    json!({
        "mode": "form",
        "message": message,
        "requestedSchema": {
            "type": "object",
            "properties": { "go_on": {
                "type": "boolean", "title": "I want this call to go on", "default": false,
            } },
            "required": ["go_on"],
        },
    })
}

/// The word for a reason in a sealed state.
fn reason_word(reason: AskReason) -> &'static str {
    match reason {
        AskReason::Probes => "probes",
        AskReason::Budget => "budget",
    }
}

fn reason_of(word: &str) -> Option<AskReason> {
    [AskReason::Probes, AskReason::Budget].into_iter().find(|reason| reason_word(*reason) == word)
}

/// Whether an answer to the elicitation agrees.
fn agrees(answer: &Value) -> bool {
    let accepted = answer.get("action").and_then(Value::as_str) == Some("accept");
    accepted && answer.pointer("/content/go_on") == Some(&Value::Bool(true))
}

/// Takes the person's answer out of a retry, if there is one, into the history.
///
/// The call that goes on is the message without our question: the server never sees it.
pub(crate) async fn take_answer(gateway: &Gateway, mut call: Call) -> Result<Call, Stop> {
    let params = call.message.params();
    let state = params.get("requestState").and_then(Value::as_str);
    let Some(state) = state.filter(|state| Sealer::is_ours(state)) else { return Ok(call) };
    let refuse = |words: &str| {
        let id = call.request_id();
        Stop::Answer(reply::error(id, INVALID_PARAMS, words, None))
    };
    let opened = gateway.sealer.open(state, &call, clock::now());
    let ask = opened.map_err(refuse)?;
    let answer = params.get("inputResponses").and_then(|answers| answers.get(QUESTION));
    let Some(answer) = answer else {
        return Err(refuse("`inputResponses` lacks the answer to `kenward`"));
    };
    settle(&call, &ask, agrees(answer)).await?;
    call.message = without_answer(&call)?;
    Ok(call)
}

/// What the person's answer makes of their history.
async fn settle(call: &Call, ask: &Ask, agreed: bool) -> Result<(), Stop> {
    let now = clock::now();
    let entry = if agreed { granted(call, ask, now) } else { declined(call, ask, now) };
    call.entry.past.add(&[entry]).await.map_err(|error| {
        tracing::error!(%error, id = %call.id, "an answer to a question could not be kept");
        Stop::Us { id: call.request_id().map(<[u8]>::to_vec), reference: call.id.to_string() }
    })
}

fn granted(call: &Call, ask: &Ask, now: Timestamp) -> Past {
    Past::Granted(Granted {
        subject: ask.subject.clone(),
        family: Arc::clone(&ask.family),
        until: now.plus(GRANTED),
        by: Arc::clone(&call.entry.caller.user.id),
    })
}

fn declined(call: &Call, ask: &Ask, now: Timestamp) -> Past {
    let tool = call.target().name().unwrap_or_default().to_owned();
    Past::Refused(Shadow {
        subject: Some(ask.subject.clone()),
        family: Arc::clone(&ask.family),
        fact: None,
        source: ShadowSource::Approval,
        cast: now,
        expires: now.plus(call.entry.settings.disclosure.upstream_shadow),
        decision: call.id,
        tools: vec![format!("{}/{tool}", call.entry.server).into()],
    })
}

fn without_answer(call: &Call) -> Result<Message, Stop> {
    let limits = &call.entry.settings.limits;
    let limits = Limits { body: limits.body, depth: limits.depth };
    let mut message = call.message.clone();
    for member in ["requestState", "inputResponses"] {
        if let Some(bytes) = message.with_params_member(&[member], None) {
            message = Message::parse(bytes, &limits)?;
        }
    }
    Ok(message)
}

#[cfg(test)]
mod tests;
