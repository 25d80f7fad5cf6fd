//! Entities by the admin API: what it changes is in force before it answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kenward_audit::{ChangeOf, Record};
use kenward_live::ChangeRefused;
use kenward_model::{EntityUid, Fault, Finding, Revision, Timestamp};
use kenward_world::{Change, EntityRecord, Source};
use serde_json::{Value, json};

use crate::Control;

/// Entities that the record of one change names at most.
pub(crate) const MOST_NAMED: usize = 100;

/// What a request is answered with.
pub(crate) type Answer = (StatusCode, Json<Value>);

/// The revision in force.
pub(crate) async fn revision(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(json!({ "revision": control.live.load().world.revision() }))
}

/// One entity with the source that says so.
pub(crate) async fn get(
    State(control): State<Arc<Control>>,
    Path((kind, id)): Path<(String, String)>,
) -> Answer {
    let in_force = control.live.load();
    let uid = EntityUid::new(kind, id);
    match in_force.world.entity(&uid) {
        None => problem(StatusCode::NOT_FOUND, &format!("`{uid}` is not in the directory")),
        Some(entity) => {
            let body = json!({
                "type": entity.uid.kind, "id": entity.uid.id, "attributes": entity.attributes,
                "parents": entity.parents, "aliases": entity.aliases,
                "source": source(&entity.source), "revision": in_force.world.revision(),
            });
            (StatusCode::OK, Json(body))
        }
    }
}

/// Puts one entity; its type and id are those of the path.
pub(crate) async fn put(
    State(control): State<Arc<Control>>,
    Path((kind, id)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let record = match record(&body, Some((&kind, &id))) {
        Ok(record) => record,
        Err(message) => return problem(StatusCode::BAD_REQUEST, &message),
    };
    let uid = record.uid();
    change(&control, Change::Put(Source::Admin, record), vec![uid]).await
}

/// Removes one entity.
pub(crate) async fn delete(
    State(control): State<Arc<Control>>,
    Path((kind, id)): Path<(String, String)>,
) -> Answer {
    let uid = EntityUid::new(kind, id);
    if control.live.load().world.entity(&uid).is_none() {
        return problem(StatusCode::NOT_FOUND, &format!("`{uid}` is not in the directory"));
    }
    change(&control, Change::Remove(Source::Admin, uid.clone()), vec![uid]).await
}

/// Puts many entities, one JSON object a line: all of them or none.
pub(crate) async fn bulk(State(control): State<Arc<Control>>, body: Bytes) -> Answer {
    let (mut changes, mut named) = (Vec::new(), BTreeSet::new());
    for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match record(line, None) {
            Ok(record) if named.contains(&record.uid()) => {
                let uid = record.uid();
                let message = format!("line {}: `{uid}` stands on an earlier line too", number + 1);
                return problem(StatusCode::BAD_REQUEST, &message);
            }
            Ok(record) => {
                named.insert(record.uid());
                changes.push(Change::Put(Source::Admin, record));
            }
            Err(message) => {
                let message = format!("line {}: {message}", number + 1);
                return problem(StatusCode::BAD_REQUEST, &message);
            }
        }
    }
    let named = named.into_iter().take(MOST_NAMED).collect();
    change(&control, Change::All(changes), named).await
}

async fn change(control: &Control, change: Change, named: Vec<EntityUid>) -> Answer {
    match control.live.change(&change).await {
        Ok(revision) => {
            note(control, revision, named);
            (StatusCode::OK, Json(json!({ "revision": revision })))
        }
        Err(error) => refused(&error),
    }
}

/// A change by the admin stands in the audit log with the revision that it made.
fn note(control: &Control, revision: Revision, objects: Vec<EntityUid>) {
    let record = Record::change(now(), ChangeOf::Directory, "admin");
    append(control, Record { revision: Some(revision), objects, ..record });
}

/// Adds to the audit log what was changed already.
#[expect(clippy::needless_pass_by_value, reason = "a record is made to be given away")]
pub(crate) fn append(control: &Control, record: Record) {
    if let Err(error) = control.log.append(&record) {
        tracing::error!(%error, "a change could not be recorded");
    }
}

#[expect(clippy::disallowed_methods, reason = "the control plane stamps its own records")]
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    Timestamp::from_micros(
        since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
    )
}

fn refused(error: &ChangeRefused) -> Answer {
    let status = match error.fault() {
        Fault::Caller => StatusCode::CONFLICT,
        Fault::Upstream | Fault::Operator | Fault::Us => {
            tracing::error!(%error, "a change was not made");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    problem(status, &error.to_string())
}

/// Reads one entity; where the path names it already, type and id may be left out of the body.
fn record(body: &[u8], named: Option<(&str, &str)>) -> Result<EntityRecord, String> {
    let mut value = read(body)?;
    let Some(members) = value.as_object_mut() else {
        return Err("an entity is a JSON object".to_owned());
    };
    if let Some((kind, id)) = named {
        for (member, wanted) in [("type", kind), ("id", id)] {
            let given = members.entry(member).or_insert_with(|| Value::from(wanted));
            if given.as_str() != Some(wanted) {
                return Err(format!("member `{member}` must be `{wanted}`, as in the path"));
            }
        }
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Reads a document with the one reader for everything that people write: it refuses members that
/// come twice.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(body).map_err(|_| "a body is UTF-8".to_owned())?;
    let read = kenward_document::read::<Value>("body", text, None);
    read.map(|read| read.value).map_err(|findings| said(&findings))
}

fn said(findings: &[Finding]) -> String {
    let all: Vec<String> = findings.iter().map(ToString::to_string).collect();
    all.join("; ")
}

fn source(source: &Source) -> Value {
    match source {
        Source::Admin => json!("admin"),
        Source::File(path) => json!(format!("file {path}")),
    }
}

pub(crate) fn problem(status: StatusCode, message: &str) -> Answer {
    (status, Json(json!({ "error": message })))
}

/// The state of histories cannot be read or written; why stands in the log.
pub(crate) fn away() -> Answer {
    problem(StatusCode::SERVICE_UNAVAILABLE, "the state is away")
}
