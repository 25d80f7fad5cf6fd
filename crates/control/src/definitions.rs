//! Definitions of servers by the admin API: what is approved, what waits, what differs.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use kenward_audit::{ChangeOf, Record};
use kenward_definitions::{Entry, Form, Key, Kind, Shelf, Status, diff, flags};
use kenward_live::{ChangeRefused, Judged};
use kenward_model::ServerName;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Control;
use crate::api::{Answer, append, now, problem, read};

/// Which definitions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Of which server; of all when none is named.
    server: Option<String>,
    /// Of which name; all when none is named.
    name: Option<String>,
    /// Of which kind; all when none is named.
    kind: Option<Kind>,
    /// For which era; both when none is named.
    form: Option<Form>,
}

/// What is to be judged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Judgement {
    server: String,
    /// Everything of the server that waits, when none is named.
    name: Option<String>,
    kind: Option<Kind>,
    form: Option<Form>,
    /// The digest of what was looked at: nothing else is judged.
    sha256: Option<String>,
}

/// Every definition that is kept, without its text.
pub(crate) async fn list(
    State(control): State<Arc<Control>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Answer {
    found(&control, which, |server, _, key, entry| line(server, key, entry))
}

/// How what servers show differs from what is approved, field by field.
pub(crate) async fn differences(
    State(control): State<Arc<Control>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Answer {
    found(&control, which, |server, shelf, key, entry| {
        let approved = entry.approved.as_ref().and_then(|copy| value(&copy.text));
        let pending = entry.pending.as_ref().and_then(|copy| value(&copy.text));
        let shown = pending.as_ref().or(approved.as_ref());
        let names: Vec<Arc<str>> = shelf
            .entries()
            .filter(|(other, _)| other.kind == Kind::Tool)
            .map(|(other, _)| other.name)
            .collect();
        let names = names.iter().map(|name| &**name);
        let flags = shown.map(|shown| flags(&key.name, shown, names)).unwrap_or_default();
        let changes = pending.as_ref().map(|pending| diff(approved.as_ref(), Some(pending)));
        let mut line = line(server, key, entry);
        if let Some(members) = line.as_object_mut() {
            members.insert("flags".to_owned(), json!(flags));
            members.insert("changes".to_owned(), json!(changes.unwrap_or_default()));
        }
        line
    })
}

/// Approves what a server shows: in force when this answers.
pub(crate) async fn approve(State(control): State<Arc<Control>>, body: Bytes) -> Answer {
    judge(&control, &body, Judged::Approved).await
}

/// Refuses what a server shows: it is kept back for as long as the server shows it.
pub(crate) async fn reject(State(control): State<Arc<Control>>, body: Bytes) -> Answer {
    judge(&control, &body, Judged::Refused).await
}

async fn judge(control: &Control, body: &[u8], judged: Judged) -> Answer {
    let judgement = match said(body) {
        Ok(judgement) => judgement,
        Err(message) => return problem(StatusCode::BAD_REQUEST, &message),
    };
    let Ok(server) = ServerName::try_from(judgement.server.clone()) else {
        return problem(StatusCode::BAD_REQUEST, "`server` is no name of a server");
    };
    let Some(shelf) = control.live.load().shelves.get(&server).cloned() else {
        return problem(StatusCode::NOT_FOUND, "nothing of this server was seen yet");
    };
    let keys: Vec<Key> = shelf
        .entries()
        .filter(|(key, entry)| judgement.means(key, entry, judged))
        .map(|(key, _)| key)
        .collect();
    if keys.is_empty() {
        return problem(StatusCode::NOT_FOUND, nothing(judged));
    }
    match control.live.judge_definitions(&server, &keys, judged, ("admin", now())).await {
        Ok(changed) => {
            note(control, &server, &changed, judged);
            let changed = changed
                .iter()
                .map(|key| json!({ "kind": key.kind, "form": key.form, "name": key.name }));
            let changed: Vec<Value> = changed.collect();
            (StatusCode::OK, Json(json!({ "server": server, word(judged): changed })))
        }
        Err(ChangeRefused::Policies(findings)) => {
            let words: Vec<String> = findings.iter().map(ToString::to_string).collect();
            let message = format!("the policies do not bear this definition: {}", words.join("; "));
            problem(StatusCode::CONFLICT, &message)
        }
        Err(error) => {
            tracing::error!(%error, "a definition could not be judged");
            problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
        }
    }
}

impl Judgement {
    fn means(&self, key: &Key, entry: &Entry, judged: Judged) -> bool {
        // What is judged already is judged anew by name alone.
        let can_be = match entry.status {
            Status::Waiting | Status::Changed => true,
            Status::Refused => judged == Judged::Approved && self.name.is_some(),
            Status::Approved => judged == Judged::Refused && self.name.is_some(),
            Status::Rejected => false,
        };
        let looked_at = entry.pending.as_ref().or(entry.approved.as_ref());
        can_be
            && self.name.as_deref().is_none_or(|name| *name == *key.name)
            && self.kind.is_none_or(|kind| kind == key.kind)
            && self.form.is_none_or(|form| form == key.form)
            && self.sha256.as_deref().is_none_or(|wanted| {
                looked_at.is_some_and(|copy| wanted.eq_ignore_ascii_case(&hex(&copy.digest)))
            })
    }
}

fn said(body: &[u8]) -> Result<Judgement, String> {
    serde_json::from_value(read(body)?).map_err(|error| error.to_string())
}

fn word(judged: Judged) -> &'static str {
    match judged {
        Judged::Approved => "approved",
        Judged::Refused => "refused",
    }
}

fn nothing(judged: Judged) -> &'static str {
    match judged {
        Judged::Approved => {
            "nothing of that name waits for approval; what is rejected can be approved by nobody"
        }
        Judged::Refused => "nothing of that name can be refused",
    }
}

fn found(
    control: &Control,
    which: Result<Query<Which>, QueryRejection>,
    show: impl Fn(&ServerName, &Shelf, &Key, &Entry) -> Value,
) -> Answer {
    let which = match which {
        Ok(Query(which)) => which,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.body_text()),
    };
    let in_force = control.live.snapshot();
    let is_meant = |server: &ServerName| {
        which.server.as_deref().is_none_or(|wanted| wanted == server.as_str())
    };
    let mut servers: Vec<_> =
        in_force.shelves.iter().filter(|(server, _)| is_meant(server)).collect();
    servers.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
    let mut lines = Vec::new();
    for (server, shelf) in servers {
        let meant = shelf.entries().filter(|(key, _)| which.is(key));
        lines.extend(meant.map(|(key, entry)| show(server, shelf, &key, entry)));
    }
    (StatusCode::OK, Json(json!({ "definitions": lines })))
}

impl Which {
    fn is(&self, key: &Key) -> bool {
        self.name.as_deref().is_none_or(|name| *name == *key.name)
            && self.kind.is_none_or(|kind| kind == key.kind)
            && self.form.is_none_or(|form| form == key.form)
    }
}

fn line(server: &ServerName, key: &Key, entry: &Entry) -> Value {
    let shown = entry.pending.as_ref().or(entry.approved.as_ref());
    let digest = shown.filter(|_| entry.status != Status::Rejected).map(|copy| hex(&copy.digest));
    json!({
        "server": server, "kind": key.kind, "form": key.form,
        "name": kenward_definitions::visible(&key.name), "status": entry.status.word(),
        "sha256": digest, "why": entry.why,
        "first_seen": entry.first_seen.to_string(), "changed": entry.changed.to_string(),
        "decided": entry.decided.as_ref().map(|(at, _)| at.to_string()),
        "by": entry.decided.as_ref().map(|(_, by)| by),
    })
}

fn value(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn hex(digest: &[u8; 32]) -> String {
    kenward_audit::Digest(*digest).to_string()
}

/// Each definition that was judged stands in the audit log by itself.
fn note(control: &Control, server: &ServerName, keys: &[Key], judged: Judged) {
    let epoch = Arc::clone(control.live.load().policies.epoch());
    for key in keys {
        let name = kenward_definitions::visible(&key.name);
        let (kind, form) = (key.kind.word(), key.form.word());
        let words = format!("{kind} `{name}` ({form}) was {}", word(judged));
        let record = Record::change(now(), ChangeOf::Definitions, "admin");
        append(
            control,
            Record {
                server: Some(server.clone()),
                target: Some(name.into()),
                policy_epoch: Some(Arc::clone(&epoch)),
                note: Some(words.into()),
                ..record
            },
        );
    }
}
