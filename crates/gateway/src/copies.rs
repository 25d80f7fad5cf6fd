//! The copies of what servers list: taken in, judged, and answered from between two looks.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kenward_audit::{ChangeOf, Kind as RecordKind, Record};
use kenward_definitions::{Event, EventKind, Form, Key, Kind, Rejection, Sight};
use kenward_live::ChangeRefused;
use kenward_mcp::list::{ListKind, OwnedItem};
use kenward_mcp::mirror::Mirrors;
use kenward_model::{ServerName, Timestamp};
use moka::sync::Cache;
use serde_json::Value;

use crate::gateway::Gateway;
use crate::lists::{self, CutKey, LONGEST_TTL};
use crate::pipeline::Call;
use crate::{clock, party};

/// How long a list is answered from the copy before the server is asked again.
const FRESH: Duration = Duration::from_secs(5);
/// Two callers who are shown different definitions within this time are not shown a new release.
const ALARMING: Duration = Duration::from_mins(1);
/// How often the same definition is alarming.
const QUIET: Duration = Duration::from_mins(10);
/// Definitions that records of one sight name at most.
const MOST_NAMED: usize = 100;
/// How much is kept of lists as they were made for callers, in bytes.
const MOST_CUT: u64 = 16 << 20;

/// Which list of which server, for which era.
pub(crate) type ListOf = (ServerName, ListKind, Form);

/// What is known of the lists of servers.
#[derive(Debug)]
pub(crate) struct Copies {
    shown: Mutex<HashMap<ListOf, Arc<Shown>>>,
    /// Since when a server says that its lists have changed.
    outdated: Mutex<HashMap<ServerName, Timestamp>>,
    turns: Mutex<HashMap<ListOf, Arc<tokio::sync::Mutex<()>>>>,
    alarms: Mutex<HashMap<(ServerName, Key), Timestamp>>,
    /// Under which policies the tools of a server were last learnt.
    learnt: Mutex<HashMap<ServerName, Arc<str>>>,
    /// Lists as they were made for a caller.
    pub(crate) cut: Cache<CutKey, Arc<Cut>>,
}

/// A list as it was made for a caller.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) generation: u64,
    /// The list that it was made of.
    pub(crate) of: Timestamp,
    /// The result.
    pub(crate) theirs: Bytes,
    /// Whether nothing was left out.
    pub(crate) is_whole: bool,
}

/// A list as a server showed it last.
#[derive(Debug)]
pub(crate) struct Shown {
    /// When it was asked for.
    pub(crate) asked: Timestamp,
    /// To whom it was shown.
    by: u64,
    pub(crate) names: Vec<Arc<str>>,
    /// For how long it may be kept, as the server says, in milliseconds.
    pub(crate) ttl: u64,
}

/// A whole list of a server, not yet looked at.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) items: Vec<OwnedItem>,
    pub(crate) ttl: Option<u64>,
    pub(crate) asked: Timestamp,
}

/// A list that was not taken in: nothing new is served. Why stands in the log.
#[derive(Debug)]
pub(crate) struct NotTaken;

/// What a list is a list of; MCP resources are data and not kept.
pub(crate) fn kind_of(list: ListKind) -> Option<Kind> {
    match list {
        ListKind::Tools => Some(Kind::Tool),
        ListKind::Prompts => Some(Kind::Prompt),
        ListKind::Templates => Some(Kind::Template),
        ListKind::Resources => None,
    }
}

/// Takes in a whole list that was shown to the caller of `call`; what is new is recorded.
pub(crate) async fn take_in(
    gateway: &Gateway,
    call: &Call,
    list: ListKind,
    whole: Whole,
) -> Result<Arc<Shown>, NotTaken> {
    let kind = kind_of(list).ok_or(NotTaken)?;
    let items: Vec<(&str, &str, Option<Rejection>)> = whole
        .items
        .iter()
        .map(|item| (&*item.name, item.json.get(), unfit(call, kind, item.json.get())))
        .collect();
    let events = see(gateway, call, kind, &items).await?;
    if kind == Kind::Tool {
        learn(gateway, call, &events).await;
    }
    let names = whole.items.iter().map(|item| &*item.name);
    gateway.listed.remember(&call.entry.server, list, names.clone());
    let shown = Arc::new(Shown {
        asked: whole.asked,
        by: party::number(&call.entry.caller),
        names: names.map(Into::into).collect(),
        ttl: whole.ttl.unwrap_or(0).min(LONGEST_TTL),
    });
    let place = (call.entry.server.clone(), list, call.form());
    let before = lock(&gateway.copies.shown).insert(place, Arc::clone(&shown));
    if let Some(before) = before.filter(|before| before.by != shown.by) {
        let soon = shown.asked.since(before.asked) <= ALARMING;
        let both = events.iter().filter(|event| soon && event.kind == EventKind::Both);
        both.for_each(|event| alarm(gateway, call, &event.key));
    }
    Ok(shown)
}

/// Sees definitions and records what is new of them.
pub(crate) async fn see(
    gateway: &Gateway,
    call: &Call,
    kind: Kind,
    items: &[(&str, &str, Option<Rejection>)],
) -> Result<Vec<Event>, NotTaken> {
    let sight = Sight { form: call.form(), kind, mode: call.mode(), now: clock::now() };
    let server = &call.entry.server;
    match gateway.live.see(server, &sight, items).await {
        Ok(events) => {
            note(gateway, server, &events);
            Ok(events)
        }
        Err(error) => {
            tracing::error!(%server, %error, "definitions could not be kept; none is served");
            Err(NotTaken)
        }
    }
}

/// What a client of the modern era must not offer (MCP 2026-07-28, transports, custom headers).
fn unfit(call: &Call, kind: Kind, definition: &str) -> Option<Rejection> {
    if kind != Kind::Tool || call.form() != Form::Modern || !definition.contains("x-mcp-header") {
        return None;
    }
    let definition: Value = serde_json::from_str(definition).ok()?;
    let problem = Mirrors::of(definition.get("inputSchema")?).err()?;
    Some(Rejection::Unfit(problem.to_string()))
}

/// Policies speak of the arguments of tools: what is approved is what they are checked against.
async fn learn(gateway: &Gateway, call: &Call, events: &[Event]) {
    let server = &call.entry.server;
    let in_force = gateway.live.snapshot();
    let epoch = Arc::clone(in_force.policies.epoch());
    let is_news = events.iter().any(|event| event.kind == EventKind::Approved);
    // What the policies of one day do not bear may do under another's.
    if !is_news && lock(&gateway.copies.learnt).get(server) == Some(&epoch) {
        return;
    }
    match gateway.live.learn(server, in_force.approved_tools(server)).await {
        Ok(true) => lists::note_definitions(gateway, server),
        Ok(false) => {}
        Err(error) => problems(server, &error),
    }
    let epoch = Arc::clone(gateway.live.load().policies.epoch());
    lock(&gateway.copies.learnt).insert(server.clone(), epoch);
}

fn problems(server: &ServerName, error: &ChangeRefused) {
    tracing::error!(%server, %error, "definitions not taken in");
}

/// What is new of definitions stands in the log: first sights together, everything else by itself.
fn note(gateway: &Gateway, server: &ServerName, events: &[Event]) {
    let approved: Vec<String> = events
        .iter()
        .filter(|event| event.kind == EventKind::Approved)
        .map(|event| named(&event.key))
        .collect();
    if !approved.is_empty() {
        let names: Vec<&str> = approved.iter().take(MOST_NAMED).map(String::as_str).collect();
        let more = approved.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let words = format!("approved at first sight: {}{more}", names.join(", "));
        append(gateway, server, None, words);
    }
    let others = events.iter().filter_map(|event| {
        let what = match &event.kind {
            EventKind::Approved | EventKind::Both => return None,
            EventKind::Waiting => "waits for approval".to_owned(),
            EventKind::Changed => "has changed and is kept back until it is approved".to_owned(),
            EventKind::Rejected(why) => format!("is rejected: {why}"),
        };
        Some((&event.key, format!("{} {what}", named(&event.key))))
    });
    for (key, words) in others.take(MOST_NAMED) {
        tracing::warn!(%server, "{words}");
        append(gateway, server, Some(key), words);
    }
}

/// A definition in words; what nobody sees is written out.
fn named(key: &Key) -> String {
    let (kind, form) = (key.kind.word(), key.form.word());
    match key.kind {
        Kind::Instructions => format!("{kind} ({form})"),
        Kind::Tool | Kind::Prompt | Kind::Template => {
            let name: String = key.name.chars().take(200).collect();
            format!("{kind} `{}` ({form})", kenward_definitions::visible(&name))
        }
    }
}

fn append(gateway: &Gateway, server: &ServerName, key: Option<&Key>, words: String) {
    let record = Record::change(clock::now(), ChangeOf::Definitions, format!("server {server}"));
    let target = key.map(|key| kenward_definitions::visible(&key.name).into());
    let (server, note) = (Some(server.clone()), Some(Cow::Owned(words)));
    if let Err(error) = gateway.log.append(&Record { server, target, note, ..record }) {
        tracing::error!(%error, "a change of definitions could not be recorded");
    }
}

/// A server that shows one thing to one caller and another to the next.
fn alarm(gateway: &Gateway, call: &Call, key: &Key) {
    let (server, now) = (&call.entry.server, clock::now());
    {
        let mut alarms = lock(&gateway.copies.alarms);
        let about = (server.clone(), key.clone());
        if alarms.get(&about).is_some_and(|last| now.since(*last) < QUIET) {
            return;
        }
        alarms.retain(|_, last| now.since(*last) < QUIET);
        alarms.insert(about, now);
    }
    let words = format!("{} is not the same for every caller", named(key));
    tracing::warn!(%server, "{words}");
    let record = Record {
        id: Some(call.id),
        user: Some(Arc::clone(&call.entry.caller.user.id)),
        agent: Some(Arc::clone(&call.entry.caller.agent.id)),
        server: Some(server.clone()),
        target: Some(kenward_definitions::visible(&key.name).into()),
        note: Some(Cow::Owned(words)),
        ..Record::new(RecordKind::Alert, now)
    };
    if let Err(error) = gateway.log.append(&record) {
        tracing::error!(%error, "an alert could not be recorded");
    }
}

impl Default for Copies {
    fn default() -> Self {
        let size = |_: &CutKey, cut: &Arc<Cut>| u32::try_from(cut.theirs.len()).unwrap_or(u32::MAX);
        let cut = Cache::builder()
            .weigher(size)
            .max_capacity(MOST_CUT)
            .time_to_live(Duration::from_millis(LONGEST_TTL))
            .build();
        Self {
            shown: Mutex::default(),
            outdated: Mutex::default(),
            turns: Mutex::default(),
            alarms: Mutex::default(),
            learnt: Mutex::default(),
            cut,
        }
    }
}

/// What the copy of a list is good for.
#[derive(Debug)]
pub(crate) enum Age {
    /// It can be answered from.
    Fresh(Arc<Shown>),
    /// It can be answered from while somebody else asks the server.
    Old(Arc<Shown>),
    /// The server has to be asked first.
    Unusable,
}

impl Copies {
    pub(crate) fn age(&self, place: &ListOf, now: Timestamp) -> Age {
        let Some(shown) = lock(&self.shown).get(place).cloned() else { return Age::Unusable };
        let outdated = lock(&self.outdated).get(&place.0).copied();
        if outdated.is_some_and(|since| since >= shown.asked) {
            return Age::Unusable;
        }
        if now.since(shown.asked) < FRESH { Age::Fresh(shown) } else { Age::Old(shown) }
    }

    /// The server says that its lists have changed.
    pub(crate) fn outdated(&self, server: &ServerName) {
        lock(&self.outdated).insert(server.clone(), clock::now());
    }

    /// One caller at a time asks the server for a list.
    pub(crate) fn turn(&self, place: &ListOf) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.turns).entry(place.clone()).or_default())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
