//! Questions to an approver, by the admin API.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kenward_audit::{ChangeOf, Record};
use kenward_disclosure::Entry;
use kenward_live::Verdict;
use kenward_model::EntityUid;
use kenward_store::{Approval, ApprovalVerdict};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Control;
use crate::api::{Answer, append, away, now, problem, read};

/// How long an approval holds when nothing is said.
const APPROVED_FOR: Duration = Duration::from_hours(1);
/// How long a refusal holds when nothing is said.
const REFUSED_FOR: Duration = Duration::from_hours(24);
/// How long an answer holds at most: a year.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// An answer as it is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    verdict: Word,
    /// How long it holds, such as `1h`.
    #[serde(rename = "for")]
    span: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Approve,
    Refuse,
}

/// The questions that wait for an answer, the oldest first.
pub(crate) async fn waiting(State(control): State<Arc<Control>>) -> Answer {
    let Ok(all) = control.live.histories().approvals().await else { return away() };
    let waiting = all.iter().filter(|question| question.answer.is_none());
    let waiting: Vec<Value> = waiting.map(shown).collect();
    (StatusCode::OK, Json(json!({ "approvals": waiting })))
}

/// Answers one question: in force for the next call.
pub(crate) async fn answer(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let (verdict, span) = match said(&body) {
        Ok(said) => said,
        Err(message) => return problem(StatusCode::BAD_REQUEST, &message),
    };
    let now = now();
    let answer = Verdict { verdict, by: "admin".into(), now, until: now.plus(span) };
    let Ok(answered) = control.live.histories().answer_approval(&id, &answer).await else {
        return away();
    };
    let Some((person, entry)) = answered else {
        return problem(StatusCode::NOT_FOUND, "no such question waits for an answer");
    };
    let said = format!("approval {id} was {}", state(verdict));
    note(&control, &person, subject(&entry), said);
    let until = answer.until.to_string();
    (StatusCode::OK, Json(json!({ "id": id, "state": state(verdict), "until": until })))
}

fn said(body: &[u8]) -> Result<(ApprovalVerdict, Duration), String> {
    let said: Said = serde_json::from_value(read(body)?).map_err(|error| error.to_string())?;
    let (verdict, usual) = match said.verdict {
        Word::Approve => (ApprovalVerdict::Approve, APPROVED_FOR),
        Word::Refuse => (ApprovalVerdict::Refuse, REFUSED_FOR),
    };
    let Some(text) = said.span else { return Ok((verdict, usual)) };
    let wrong = || format!("`{text}` is no span of up to a year; write it as `30m`, `1h` or `2d`");
    let span = span(&text).filter(|span| !span.is_zero() && *span <= LONGEST);
    Ok((verdict, span.ok_or_else(wrong)?))
}

fn span(text: &str) -> Option<Duration> {
    let units = [('s', 1), ('m', 60), ('h', 60 * 60), ('d', 24 * 60 * 60)];
    let (number, seconds) =
        units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

fn shown(question: &Approval) -> Value {
    json!({
        "id": question.id, "person": question.person, "subject": question.subject,
        "family": question.family, "tool": question.tool, "asked": question.asked.to_string(),
        "state": question.answer.as_ref().map_or("pending", |answer| state(answer.verdict)),
    })
}

fn state(verdict: ApprovalVerdict) -> &'static str {
    match verdict {
        ApprovalVerdict::Approve => "approved",
        ApprovalVerdict::Refuse => "refused",
    }
}

/// About whom it was answered.
fn subject(entry: &Entry) -> Option<&EntityUid> {
    match entry {
        Entry::Granted(granted) => Some(&granted.subject),
        Entry::Refused(shadow) => shadow.subject.as_ref(),
        Entry::Reserved(..)
        | Entry::Confirmed(_)
        | Entry::Undone(_)
        | Entry::Learnt(_)
        | Entry::Forgotten(..)
        | Entry::Lifted { .. }
        | Entry::Missed { .. }
        | Entry::Answered(_) => None,
    }
}

/// What was answered stands in the audit log, with whose and about whom.
fn note(control: &Control, person: &EntityUid, subject: Option<&EntityUid>, said: String) {
    let record = Record::change(now(), ChangeOf::Histories, "admin");
    append(
        control,
        Record {
            user: Some(Arc::clone(&person.id)),
            objects: subject.cloned().into_iter().collect(),
            note: Some(said.into()),
            ..record
        },
    );
}
