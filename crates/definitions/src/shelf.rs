//! What is known of one server's definitions, and what becomes of each when it is seen or judged.
//!
//! A shelf is plain data: every change makes a new one, so that it can be kept before it counts.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kenward_model::Timestamp;

use crate::inspect::Twins;
use crate::{Form, Kind, Mode, Rejection, clean, inspect};

/// The most definitions that are kept of one server; those beyond are not listed.
pub const MOST_ENTRIES: usize = 2_000;

/// Which definition of a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// For which era.
    pub form: Form,
    /// Of what.
    pub kind: Kind,
    /// Its name; empty for instructions.
    pub name: Arc<str>,
}

/// Where a definition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Served, from the copy that was approved.
    Approved,
    /// Never approved; waits for somebody.
    Waiting,
    /// Approved once, and the server shows another one since.
    Changed,
    /// Somebody said no to what the server shows.
    Refused,
    /// What the server shows can be approved by nobody.
    Rejected,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Approved, Self::Waiting, Self::Changed, Self::Refused, Self::Rejected];

    /// Its word, as it is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Waiting => "waiting",
            Self::Changed => "changed",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
        }
    }

    /// The status of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// A definition as a server wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Its JSON, byte for byte.
    pub text: Arc<str>,
    /// Its digest: see [`crate::pin`]. All zero for one that has none.
    pub digest: [u8; 32],
}

/// What is known of one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub status: Status,
    /// The copy that was approved last.
    pub approved: Option<Copy>,
    /// What the server shows in its place.
    pub pending: Option<Copy>,
    /// Why it was rejected.
    pub why: Option<String>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When the server last showed something new under this name.
    pub changed: Timestamp,
    /// When it was last judged, and by whom.
    pub decided: Option<(Timestamp, Arc<str>)>,
    /// The approved copy without what nobody sees: what is served.
    served: Option<Arc<str>>,
}

impl Entry {
    /// An entry as it was kept; what is served is made from the approved copy.
    pub fn kept(entry: EntryParts) -> Self {
        let EntryParts { status, approved, pending, why, first_seen, changed, decided } = entry;
        let served = approved.as_ref().map(served);
        Self { status, approved, pending, why, first_seen, changed, decided, served }
    }

    /// What is served of it, if it is served.
    pub fn served(&self) -> Option<&Arc<str>> {
        self.served.as_ref().filter(|_| self.status == Status::Approved)
    }
}

/// What is kept of an [`Entry`].
#[derive(Debug, Clone)]
pub struct EntryParts {
    /// See [`Entry`], also for the rest.
    pub status: Status,
    #[expect(missing_docs, reason = "as in `Entry`")]
    pub approved: Option<Copy>,
    #[expect(missing_docs, reason = "as in `Entry`")]
    pub pending: Option<Copy>,
    #[expect(missing_docs, reason = "as in `Entry`")]
    pub why: Option<String>,
    #[expect(missing_docs, reason = "as in `Entry`")]
    pub first_seen: Timestamp,
    #[expect(missing_docs, reason = "as in `Entry`")]
    pub changed: Timestamp,
    #[expect(missing_docs, reason = "as in `Entry`")]
    pub decided: Option<(Timestamp, Arc<str>)>,
}

fn served(copy: &Copy) -> Arc<str> {
    match clean::json(&copy.text) {
        std::borrow::Cow::Borrowed(_) => Arc::clone(&copy.text),
        std::borrow::Cow::Owned(cleaned) => cleaned.into(),
    }
}

/// A whole list of a server, as it was seen.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    /// For which era.
    pub form: Form,
    /// Of what.
    pub kind: Kind,
    /// Which of the server's definitions are served.
    pub mode: Mode,
    /// When.
    pub now: Timestamp,
}

/// What a sight has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Of which definition.
    pub key: Key,
    /// What.
    pub kind: EventKind,
}

/// What happened to a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// It is served from now on.
    Approved,
    /// It waits for approval.
    Waiting,
    /// It is not the one that was approved, and is kept back.
    Changed,
    /// Nobody can approve it, and why.
    Rejected(String),
    /// The server shows again what was approved, which is kept back: it shows two of them.
    Both,
}

/// What is known of one server's definitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shelf {
    entries: BTreeMap<(Form, Kind), BTreeMap<Arc<str>, Arc<Entry>>>,
    count: usize,
}

impl Shelf {
    /// Puts an entry in.
    pub fn put(&mut self, key: Key, entry: Entry) {
        let entries = self.entries.entry((key.form, key.kind)).or_default();
        if entries.insert(key.name, Arc::new(entry)).is_none() {
            self.count += 1;
        }
    }

    /// One entry.
    pub fn get(&self, form: Form, kind: Kind, name: &str) -> Option<&Arc<Entry>> {
        self.entries.get(&(form, kind))?.get(name)
    }

    /// Every entry, in the order of the keys.
    pub fn entries(&self) -> impl Iterator<Item = (Key, &Arc<Entry>)> {
        self.entries.iter().flat_map(|((form, kind), entries)| {
            let key = |name: &Arc<str>| Key { form: *form, kind: *kind, name: Arc::clone(name) };
            entries.iter().map(move |(name, entry)| (key(name), entry))
        })
    }

    /// Why a definition can be neither listed nor used now; nothing if it can.
    pub fn withholds(
        &self,
        mode: Mode,
        form: Form,
        kind: Kind,
        name: &str,
    ) -> Option<&'static str> {
        if mode == Mode::Live {
            return None;
        }
        let own = self.get(form, kind, name);
        let other = self.get(form.other(), kind, name);
        // What has changed for one era has changed: the server behind is the same.
        let changed = [own, other]
            .into_iter()
            .flatten()
            .any(|entry| entry.approved.is_some() && entry.status != Status::Approved);
        if changed {
            return Some("its definition is not the one that was approved");
        }
        match own.or(other).map(|entry| entry.status) {
            Some(Status::Approved) => None,
            Some(Status::Waiting | Status::Changed) => Some("its definition waits for approval"),
            Some(Status::Refused) => Some("its definition was refused"),
            Some(Status::Rejected) => Some("its definition is none that can be approved"),
            None => match mode {
                Mode::Approve => Some("its definition waits for approval"),
                Mode::Pin | Mode::Live => None,
            },
        }
    }

    /// The shelf after a list was seen, and what is new; nothing when nothing is.
    ///
    /// `items` are names with their definitions, and what was found wrong with one by its reader.
    pub fn see(
        &self,
        sight: &Sight,
        items: &[(&str, &str, Option<Rejection>)],
    ) -> (Self, Vec<Event>) {
        let mut next = self.clone();
        let mut events = Vec::new();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for (name, ..) in items {
            *counts.entry(name).or_default() += 1;
        }
        let mut twins = None;
        for (name, text, unfit) in items {
            let twice = counts.get(name).is_some_and(|count| *count > 1);
            let old = next.get(sight.form, sight.kind, name).cloned();
            if !twice && unfit.is_none() && old.as_ref().is_some_and(|old| old.shows(text)) {
                continue;
            }
            let found = match (twice, unfit) {
                (true, _) => Err(Rejection::Twice),
                (_, Some(unfit)) => Err(unfit.clone()),
                (false, None) => {
                    let twins = twins.get_or_insert_with(|| self.twins(sight.kind));
                    match twins.add(name).filter(|_| sight.kind != Kind::Instructions) {
                        Some(twin) => Err(Rejection::Twin(twin)),
                        None => inspect(sight.kind, name, text).map(|seen| seen.digest),
                    }
                }
            };
            let key = Key { form: sight.form, kind: sight.kind, name: (*name).into() };
            let step = next.step(sight, &key, old.as_deref(), text, found);
            let Some((entry, kind)) = step else { continue };
            if old.is_none() && next.count >= MOST_ENTRIES {
                continue;
            }
            events.push(Event { key: key.clone(), kind });
            next.put(key, entry);
        }
        (next, events)
    }

    /// The names that are not rejected: a newcomer must not look like one of them.
    fn twins(&self, kind: Kind) -> Twins {
        let mut twins = Twins::default();
        let known = self
            .entries()
            .filter(|(key, entry)| key.kind == kind && entry.status != Status::Rejected);
        for (key, _) in known {
            let _twin = twins.add(&key.name);
        }
        twins
    }

    fn step(
        &self,
        sight: &Sight,
        key: &Key,
        old: Option<&Entry>,
        text: &str,
        found: Result<[u8; 32], Rejection>,
    ) -> Option<(Entry, EventKind)> {
        let digest = match found {
            Ok(digest) => digest,
            Err(why) => return rejected(sight, old, text, &why),
        };
        let copy = Copy { text: text.into(), digest };
        let Some(old) = old else { return Some(self.first(sight, key, copy)) };
        let is = |known: Option<&Copy>| known.is_some_and(|known| known.digest == digest);
        let status = match old.status {
            Status::Approved if is(old.approved.as_ref()) => return None,
            Status::Approved => Status::Changed,
            Status::Waiting | Status::Changed | Status::Refused if is(old.pending.as_ref()) => {
                return None;
            }
            Status::Refused if is(old.approved.as_ref()) => {
                let entry = Entry { status: Status::Approved, pending: None, ..old.clone() };
                return Some((entry, EventKind::Approved));
            }
            Status::Changed if is(old.approved.as_ref()) => {
                return Some((old.clone(), EventKind::Both));
            }
            Status::Waiting | Status::Changed | Status::Refused | Status::Rejected => {
                if old.approved.is_some() { Status::Changed } else { Status::Waiting }
            }
        };
        let kind = if status == Status::Changed { EventKind::Changed } else { EventKind::Waiting };
        let pending = Some(copy);
        Some((Entry { status, pending, why: None, changed: sight.now, ..old.clone() }, kind))
    }

    /// The first sight of a name. What is approved for the other era is approved for this one if it
    /// is the same; if it is another, somebody has to look at it, whatever the mode.
    fn first(&self, sight: &Sight, key: &Key, copy: Copy) -> (Entry, EventKind) {
        let other = self.get(key.form.other(), key.kind, &key.name);
        let approves = match (other, sight.mode) {
            (Some(other), _) => {
                let same = other.approved.as_ref().is_some_and(|known| known.digest == copy.digest);
                same && other.status == Status::Approved
            }
            (None, Mode::Pin | Mode::Live) => true,
            (None, Mode::Approve) => false,
        };
        let parts = EntryParts {
            status: if approves { Status::Approved } else { Status::Waiting },
            approved: approves.then(|| copy.clone()),
            pending: (!approves).then_some(copy),
            why: None,
            first_seen: sight.now,
            changed: sight.now,
            decided: None,
        };
        let kind = if approves { EventKind::Approved } else { EventKind::Waiting };
        (Entry::kept(parts), kind)
    }

    /// The shelf after `by` has approved what the server shows under `key`; nothing if there is
    /// nothing to approve.
    pub fn approve(&self, key: &Key, by: &str, now: Timestamp) -> Option<Self> {
        let old = self.get(key.form, key.kind, &key.name)?;
        let copy = match old.status {
            Status::Waiting | Status::Changed | Status::Refused => old.pending.clone()?,
            Status::Approved | Status::Rejected => return None,
        };
        Some(self.with(
            key,
            EntryParts {
                status: Status::Approved,
                approved: Some(copy),
                pending: None,
                why: None,
                first_seen: old.first_seen,
                changed: old.changed,
                decided: Some((now, by.into())),
            },
        ))
    }

    /// The shelf after `by` has said no to what the server shows under `key`: it is kept back for as
    /// long as the server shows it. Nothing if there is nothing to refuse.
    pub fn refuse(&self, key: &Key, by: &str, now: Timestamp) -> Option<Self> {
        let old = self.get(key.form, key.kind, &key.name)?;
        let (approved, pending) = match old.status {
            Status::Waiting | Status::Changed => (old.approved.clone(), old.pending.clone()),
            Status::Approved => (None, old.approved.clone()),
            Status::Refused | Status::Rejected => return None,
        };
        Some(self.with(
            key,
            EntryParts {
                status: Status::Refused,
                approved,
                pending,
                why: None,
                first_seen: old.first_seen,
                changed: old.changed,
                decided: Some((now, by.into())),
            },
        ))
    }

    fn with(&self, key: &Key, parts: EntryParts) -> Self {
        let mut next = self.clone();
        next.put(key.clone(), Entry::kept(parts));
        next
    }
}

impl Entry {
    /// Whether `text` is, byte for byte, what keeps this entry as it is.
    fn shows(&self, text: &str) -> bool {
        let is = |copy: Option<&Copy>| copy.is_some_and(|copy| *copy.text == *text);
        match self.status {
            Status::Approved => is(self.approved.as_ref()),
            Status::Waiting | Status::Changed | Status::Refused => is(self.pending.as_ref()),
            // Why it was rejected may lie beside it.
            Status::Rejected => false,
        }
    }
}

fn rejected(
    sight: &Sight,
    old: Option<&Entry>,
    text: &str,
    why: &Rejection,
) -> Option<(Entry, EventKind)> {
    let why = why.to_string();
    if old.is_some_and(|old| old.status == Status::Rejected && old.why.as_deref() == Some(&*why)) {
        return None;
    }
    let is_kept = text.len() <= 64 << 10;
    let entry = Entry::kept(EntryParts {
        status: Status::Rejected,
        approved: old.and_then(|old| old.approved.clone()),
        pending: is_kept.then(|| Copy { text: text.into(), digest: [0; 32] }),
        why: Some(why.clone()),
        first_seen: old.map_or(sight.now, |old| old.first_seen),
        changed: sight.now,
        decided: None,
    });
    Some((entry, EventKind::Rejected(why)))
}
