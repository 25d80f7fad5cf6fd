//! What people were told and were refused, by the admin API.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use kenward_audit::{ChangeOf, Record};
use kenward_disclosure::{Entry, History, Learnt, Shadow};
use kenward_model::{EntityUid, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Control;
use crate::api::{Answer, append, away, now, problem};

/// The most lines on a page.
const LONGEST_PAGE: usize = 1_000;

/// Which lines of a history are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// How many lines to leave out.
    #[serde(default)]
    from: usize,
    /// How many lines follow at most.
    #[serde(default = "usual_page")]
    limit: usize,
}

/// Which shadows are to be lifted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Of whose facts, as `Type::"id"`; `none` where that could not be told.
    subject: Option<String>,
    /// Of which family.
    family: Option<String>,
    /// Every one.
    #[serde(default)]
    all: bool,
}

/// The history of one person, without any value: what is known, then what is refused.
pub(crate) async fn history(
    State(control): State<Arc<Control>>,
    Path(user): Path<String>,
    page: Result<Query<Page>, QueryRejection>,
) -> Answer {
    let Page { from, limit } = match page {
        Ok(Query(page)) if (1..=LONGEST_PAGE).contains(&page.limit) => page,
        Ok(_) => {
            let message = format!("`limit` is between 1 and {LONGEST_PAGE}");
            return problem(StatusCode::BAD_REQUEST, &message);
        }
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.body_text()),
    };
    let person = person(&user);
    let Ok(held) = control.live.histories().of(&person).await else { return away() };
    let lines = lines(&held.lock(), now());
    let until = from.saturating_add(limit);
    let next = (until < lines.len()).then_some(until);
    let total = lines.len();
    let lines: Vec<Value> = lines.into_iter().skip(from).take(limit).collect();
    let body = json!({ "person": person, "total": total, "next": next, "entries": lines });
    (StatusCode::OK, Json(body))
}

/// Lifts shadows of one person; the next call is decided without them.
pub(crate) async fn lift(
    State(control): State<Arc<Control>>,
    Path(user): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
) -> Answer {
    let which = match which {
        Ok(Query(which)) => which,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.body_text()),
    };
    if which.all == (which.subject.is_some() || which.family.is_some()) {
        let message = "say `subject`, `family` or both, or `all=true`";
        return problem(StatusCode::BAD_REQUEST, message);
    }
    let person = person(&user);
    let lifted = control.live.histories().lift(&person, |shadow| which.is(shadow), now()).await;
    let Ok(lifted) = lifted else { return away() };
    if lifted.is_empty() {
        return problem(StatusCode::NOT_FOUND, "no such shadow stands");
    }
    note(&control, &person, &lifted);
    (StatusCode::OK, Json(json!({ "lifted": lifted.len() })))
}

impl Which {
    fn is(&self, shadow: &Shadow) -> bool {
        let is_family = self.family.as_ref().is_none_or(|family| **family == *shadow.family);
        let is_subject = match (self.subject.as_deref(), &shadow.subject) {
            (None, _) | (Some("none"), None) => true,
            (Some(wanted), Some(subject)) => subject.to_string() == wanted,
            (Some(_), None) => false,
        };
        is_family && is_subject
    }
}

fn usual_page() -> usize {
    100
}

/// Whom the path means: a user by id, or whoever is written as `Type::"id"`.
pub(crate) fn person(user: &str) -> EntityUid {
    user.parse().unwrap_or_else(|_| EntityUid::new("User", user))
}

/// The lines of a history, in an order that new ones change as little as can be.
fn lines(history: &History, now: Timestamp) -> Vec<Value> {
    let (mut rows, mut shadows) = (Vec::new(), Vec::new());
    for entry in history.to_entries(now) {
        match entry {
            Entry::Learnt(row) => rows.push((row, false)),
            Entry::Reserved(_, reserved) => {
                rows.extend(reserved.into_iter().map(|row| (row, true)));
            }
            Entry::Refused(shadow) => shadows.push(shadow),
            Entry::Confirmed(_)
            | Entry::Undone(_)
            | Entry::Forgotten(..)
            | Entry::Lifted { .. }
            | Entry::Missed { .. }
            | Entry::Answered(_)
            | Entry::Granted(_) => {}
        }
    }
    rows.sort_by(|(one, _), (other, _)| {
        (one.first, &one.fact, one.decision).cmp(&(other.first, &other.fact, other.decision))
    });
    let rows = rows.iter().map(|(row, is_reserved)| learnt(row, *is_reserved));
    rows.chain(shadows.iter().map(refused)).collect()
}

fn learnt(row: &Learnt, is_reserved: bool) -> Value {
    json!({
        "kind": if is_reserved { "reserved" } else { "learnt" },
        "subject": row.fact.subject, "family": row.fact.family, "attribute": row.fact.attribute,
        "precision": row.fact.precision, "via": row.via, "decision": row.decision,
        "first": row.first.to_string(), "last": row.last.to_string(),
    })
}

fn refused(shadow: &Shadow) -> Value {
    let fact = shadow.fact.as_ref();
    json!({
        "kind": "shadow",
        "subject": shadow.subject, "family": shadow.family,
        "attribute": fact.map(|fact| &fact.attribute),
        "precision": fact.map(|fact| fact.precision),
        "source": shadow.source, "tools": shadow.tools, "decision": shadow.decision,
        "cast": shadow.cast.to_string(), "expires": shadow.expires.to_string(),
    })
}

/// That shadows were lifted stands in the audit log, with whose.
fn note(control: &Control, person: &EntityUid, lifted: &[Entry]) {
    let mut objects = BTreeSet::new();
    for entry in lifted {
        if let Entry::Lifted { subject: Some(subject), .. } = entry {
            objects.insert(subject.clone());
        }
    }
    let record = Record::change(now(), ChangeOf::Histories, "admin");
    append(
        control,
        Record {
            user: Some(Arc::clone(&person.id)),
            objects: objects.into_iter().take(crate::api::MOST_NAMED).collect(),
            note: Some(format!("shadows lifted: {}", lifted.len()).into()),
            ..record
        },
    );
}
