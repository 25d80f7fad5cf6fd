//! How a refusal looks: data for the model, a reason for the person, nothing that tells the secret.

use http::StatusCode;
use kenward_identity::challenge;
use kenward_mcp::method::RowKind;
use kenward_mcp::reply;
use kenward_model::{Question, Target};
use kenward_policy::{Cause, Permit, Refusal, Verdict};
use serde_json::{Value, json};

use super::Call;
use crate::stop::Stop;

/// The permit of an allowed call, or the refusal as an answer.
pub(super) fn unless_allowed(call: &Call, verdict: Verdict) -> Result<Permit, Stop> {
    match verdict {
        Verdict::Allow(permit) => Ok(permit),
        Verdict::Refuse(refusal) => Err(refuse(call, &refusal)),
    }
}

fn refuse(call: &Call, refusal: &Refusal) -> Stop {
    if call.row.kind == RowKind::Notification {
        // Nobody waits for an answer to it.
        return Stop::Status(StatusCode::FORBIDDEN);
    }
    let body = refusal_body(call, refusal);
    if refusal.missing_scopes.is_empty() || refusal.hidden {
        return Stop::Answer(body);
    }
    let scopes: Vec<&str> = refusal.missing_scopes.iter().map(AsRef::as_ref).collect();
    let url = call.entry.metadata_url();
    Stop::Scope { challenge: challenge::insufficient_scope(&url, &scopes), body }
}

/// The JSON-RPC message that says no.
pub(crate) fn refusal_body(call: &Call, refusal: &Refusal) -> bytes::Bytes {
    let id = call.request_id().unwrap_or(b"null");
    if refusal.hidden {
        return hidden(call, id);
    }
    let decision = decision(call, refusal);
    let text = text(call, refusal);
    match call.target() {
        Target::Tool(_) => reply::refused_tool(id, call.dialect.era, &text, &decision),
        Target::Server | Target::Prompt(_) | Target::Resource(_) | Target::ResourceTemplate(_) => {
            reply::refused(id, &text, &decision)
        }
    }
}

/// The same bytes as for a target that does not exist.
fn hidden(call: &Call, id: &[u8]) -> bytes::Bytes {
    let era = call.dialect.era;
    match call.target() {
        Target::Tool(name) => reply::unknown_tool(id, era, &name),
        Target::Prompt(name) => reply::unknown_prompt(id, era, &name),
        Target::Resource(uri) | Target::ResourceTemplate(uri) => {
            reply::unknown_resource(id, era, &uri)
        }
        Target::Server => reply::refused(id, NOT_ALLOWED, &json!({ "id": call.id.to_string() })),
    }
}

const NOT_ALLOWED: &str = "You may not use this server.";

/// The answer that is withheld as a whole because of what is in it (question 5).
pub(super) fn withheld_body(call: &Call) -> bytes::Bytes {
    let id = call.request_id().unwrap_or(b"null");
    let number = Question::Result.number();
    let decision = json!({ "id": call.id.to_string(), "verdict": "refuse", "question": number });
    reply::refused_tool(id, call.dialect.era, &unavailable(call), &decision)
}

fn decision(call: &Call, refusal: &Refusal) -> Value {
    json!({
        "id": call.id.to_string(),
        "verdict": "refuse",
        "question": refusal.question.number(),
    })
}

/// Reasons of question 1 concern the operation alone and may be said; all others concern the
/// object, so the model gets one constant text, and the person reads the reason behind the reference.
fn text(call: &Call, refusal: &Refusal) -> String {
    let reference = call.id;
    match (&refusal.cause, refusal.question) {
        (Cause::Standing, _) => format!("This account may not be used now. Reference: {reference}"),
        (Cause::Scope, _) => format!(
            "This needs more access than the client was given: {}. Reference: {reference}",
            refusal.missing_scopes.join(", ")
        ),
        (_, Question::Operation) => {
            let reasons: Vec<&str> =
                refusal.reasons.iter().filter_map(|reason| reason.text.as_deref()).collect();
            let why = if reasons.is_empty() { "Nothing permits it." } else { &reasons.join(" ") };
            format!("This operation is not allowed. {why} Reference: {reference}")
        }
        (_, Question::Object | Question::Fact | Question::Inference | Question::Result) => {
            unavailable(call)
        }
    }
}

/// What a model reads of every refusal that concerns an object, whatever the object is.
fn unavailable(call: &Call) -> String {
    format!(
        "Not available for this subject. Approximations are not available either, and other tools \
         will answer the same. To ask for access, quote the reference: {}",
        call.id
    )
}

#[cfg(test)]
mod tests;
