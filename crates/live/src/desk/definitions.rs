//! Definitions as they are seen and judged: kept first, then in force.

use std::sync::Arc;

use kenward_definitions::{Copy, Entry, EntryParts, Event, EventKind, Form, Key, Kind, Rejection};
use kenward_definitions::{Shelf, Sight, Status};
use kenward_model::{ServerName, Timestamp};
use kenward_policy::Tool;
use kenward_store::{PinRow, StateError};
use serde_json::{Value, json};

use super::Live;
use crate::{ChangeRefused, InForce};

/// What somebody says of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// What the server shows is approved.
    Approved,
    /// It is kept back for as long as the server shows it.
    Refused,
}

impl Live {
    /// Puts the definitions that were kept in force, before anything is served.
    pub async fn load_definitions(&self) -> Result<(), StateError> {
        let _desk = self.desk.lock().await;
        let now = self.snapshot();
        let mut shelves = (*now.shelves).clone();
        for pin in self.state.pins().await? {
            let (server, key, entry) = entry_of(pin)?;
            Arc::make_mut(shelves.entry(server).or_default()).put(key, entry);
        }
        self.publish(InForce { shelves: Arc::new(shelves), ..(*now).clone() });
        Ok(())
    }

    /// Takes in a whole list that `server` showed; what is new is kept and in force when this
    /// returns it.
    pub async fn see(
        &self,
        server: &ServerName,
        sight: &Sight,
        items: &[(&str, &str, Option<Rejection>)],
    ) -> Result<Vec<Event>, ChangeRefused> {
        let seen = |now: &InForce| {
            let none = Arc::default();
            now.shelves.get(server).unwrap_or(&none).see(sight, items)
        };
        let is_news = |event: &Event| event.kind != EventKind::Both;
        let (_, events) = seen(&self.load());
        if !events.iter().any(is_news) {
            return Ok(events);
        }
        let _desk = self.desk.lock().await;
        let (shelf, events) = seen(&self.load());
        let keys = events.iter().filter(|event| is_news(event)).map(|event| &event.key);
        self.keep(server, shelf, keys).await?;
        Ok(events)
    }

    /// Judges what `server` shows under these keys; the keys for which that changed something.
    ///
    /// A tool with whose schema the policies do not compile is not approved, nor is any other then.
    pub async fn judge_definitions(
        &self,
        server: &ServerName,
        keys: &[Key],
        judged: Judged,
        by: (&str, Timestamp),
    ) -> Result<Vec<Key>, ChangeRefused> {
        if judged == Judged::Approved {
            let tools = self.pending_tools(server, keys);
            if !tools.is_empty() {
                self.learn(server, tools).await?;
            }
        }
        let _desk = self.desk.lock().await;
        let Some(shelf) = self.load().shelves.get(server).cloned() else { return Ok(Vec::new()) };
        let (mut next, mut changed) = ((*shelf).clone(), Vec::new());
        for key in keys {
            let done = match judged {
                Judged::Approved => next.approve(key, by.0, by.1),
                Judged::Refused => next.refuse(key, by.0, by.1),
            };
            if let Some(done) = done {
                next = done;
                changed.push(key.clone());
            }
        }
        if !changed.is_empty() {
            self.keep(server, next, changed.iter()).await?;
        }
        Ok(changed)
    }

    /// The tools that would be approved.
    fn pending_tools(&self, server: &ServerName, keys: &[Key]) -> Vec<Tool> {
        let in_force = self.load();
        let Some(shelf) = in_force.shelves.get(server) else { return Vec::new() };
        let tools = keys.iter().filter(|key| key.kind == Kind::Tool);
        let tool = |key: &Key| {
            let entry = shelf.get(key.form, key.kind, &key.name)?;
            let can_be = !matches!(entry.status, Status::Approved | Status::Rejected);
            let pending = entry.pending.as_ref().filter(|_| can_be)?;
            tool_of(&key.name, &pending.text)
        };
        tools.filter_map(tool).collect()
    }

    /// Makes what stands under `keys` durable, and publishes the shelf.
    async fn keep(
        &self,
        server: &ServerName,
        shelf: Shelf,
        keys: impl Iterator<Item = &Key>,
    ) -> Result<(), ChangeRefused> {
        let rows = keys.filter_map(|key| {
            let entry = shelf.get(key.form, key.kind, &key.name)?;
            Some(row_of(server, key, entry))
        });
        self.state.save_pins(&rows.collect::<Vec<_>>()).await?;
        let now = self.snapshot();
        let mut shelves = (*now.shelves).clone();
        shelves.insert(server.clone(), Arc::new(shelf));
        self.publish(InForce { shelves: Arc::new(shelves), ..(*now).clone() });
        Ok(())
    }
}

impl InForce {
    /// The tools of `server` with the schemas that are approved.
    pub fn approved_tools(&self, server: &ServerName) -> Vec<Tool> {
        let shelf = self.shelves.get(server);
        let entries = shelf.into_iter().flat_map(|shelf| shelf.entries());
        let approved = entries
            .filter(|(key, entry)| key.kind == Kind::Tool && entry.status == Status::Approved);
        approved
            .filter_map(|(key, entry)| tool_of(&key.name, &entry.approved.as_ref()?.text))
            .collect()
    }
}

fn tool_of(name: &Arc<str>, definition: &str) -> Option<Tool> {
    let mut definition: Value = serde_json::from_str(definition).ok()?;
    let schema = definition.get_mut("inputSchema").map_or_else(|| json!({}), Value::take);
    Some(Tool { name: Arc::clone(name), input_schema: Some(Arc::new(schema)) })
}

fn row_of(server: &ServerName, key: &Key, entry: &Entry) -> PinRow {
    let copy = |copy: &Option<Copy>| {
        copy.as_ref().map(|copy| (copy.text.as_ref().to_owned(), copy.digest))
    };
    PinRow {
        server: server.clone(),
        form: key.form.word().to_owned(),
        kind: key.kind.word().to_owned(),
        name: key.name.as_ref().to_owned(),
        status: entry.status.word().to_owned(),
        approved: copy(&entry.approved),
        pending: copy(&entry.pending),
        why: entry.why.clone(),
        first_seen: entry.first_seen,
        changed: entry.changed,
        decided: entry.decided.as_ref().map(|(at, by)| (*at, by.as_ref().to_owned())),
    }
}

fn entry_of(pin: PinRow) -> Result<(ServerName, Key, Entry), StateError> {
    let unreadable = || StateError::Row("definition");
    let copy = |kept: Option<(String, [u8; 32])>| {
        kept.map(|(text, digest)| Copy { text: text.into(), digest })
    };
    let key = Key {
        form: Form::of(&pin.form).ok_or_else(unreadable)?,
        kind: Kind::of(&pin.kind).ok_or_else(unreadable)?,
        name: pin.name.into(),
    };
    let entry = Entry::kept(EntryParts {
        status: Status::of(&pin.status).ok_or_else(unreadable)?,
        approved: copy(pin.approved),
        pending: copy(pin.pending),
        why: pin.why,
        first_seen: pin.first_seen,
        changed: pin.changed,
        decided: pin.decided.map(|(at, by)| (at, by.into())),
    });
    Ok((pin.server, key, entry))
}

#[cfg(test)]
mod tests;
