//! One history in memory, with what of it is still to be written.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kenward_disclosure::{Entry, Granted, History, Shadow};
use kenward_model::{EntityUid, Timestamp};

use super::Away;

/// A history is written anew when it has this many lines and [`GROWTH`] times those it needs.
const LEAST_LINES: usize = 256;
/// See [`LEAST_LINES`].
const GROWTH: usize = 4;
/// As many entries wait to be written one by one; with more, the history is written anew.
const MOST_WAITING: usize = 1_024;

/// Before anything ended.
const BEGINNING: Timestamp = Timestamp::from_micros(i64::MIN);

/// The history of one person in memory.
#[derive(Debug)]
pub struct Held {
    person: EntityUid,
    sheet: Mutex<Sheet>,
    used: AtomicBool,
}

/// A history, locked: it is read as it is, and changed by [`Locked::apply`] alone.
#[derive(Debug)]
pub struct Locked<'a>(MutexGuard<'a, Sheet>);

#[derive(Debug)]
struct Sheet {
    history: History,
    /// The number of the last entry that was applied.
    latest: u64,
    /// The number of the last that is on the disk with all before it.
    durable: u64,
    waiting: Waiting,
    /// How many lines are on the disk.
    lines: usize,
    /// With how many it is written anew.
    rewrite_at: usize,
    /// Whether it stands in the writer's queue.
    queued: bool,
    /// Whether it is being written, or was when that broke off.
    in_flight: bool,
    /// The last attempt at writing it that failed; 0 for none.
    failed: u64,
    /// Whether an entry was applied by half.
    torn: bool,
}

/// What is to be written.
#[derive(Debug)]
enum Waiting {
    /// The last entries.
    Entries(Vec<Entry>),
    /// Everything: what the disk has is not certain, or not worth adding to.
    Whole,
}

/// What was taken to be written.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) first: u64,
    pub(super) entries: Vec<Entry>,
    pub(super) whole: bool,
    last: u64,
}

impl Held {
    pub(super) fn new(person: EntityUid, history: History, last: u64, lines: usize) -> Self {
        let needed = history.to_entries(BEGINNING).len();
        let sheet = Sheet {
            history,
            latest: last,
            durable: last,
            waiting: Waiting::Entries(Vec::new()),
            lines,
            rewrite_at: rewrite_at(needed),
            queued: false,
            in_flight: false,
            failed: 0,
            torn: false,
        };
        Self { person, sheet: Mutex::new(sheet), used: AtomicBool::new(true) }
    }

    /// The history, for as long as nobody else may see or change it; never across an `await`.
    pub fn lock(&self) -> Locked<'_> {
        self.used.store(true, Ordering::Relaxed);
        Locked(self.sheet())
    }

    pub(super) fn person(&self) -> &EntityUid {
        &self.person
    }

    /// Whether every entry was applied whole; false only after a panic in the middle of one.
    pub(super) fn is_whole(&self) -> bool {
        !self.sheet().torn
    }

    /// Whether it was asked for since this was asked last.
    pub(super) fn was_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    pub(super) fn is_unsettled(&self) -> bool {
        let sheet = self.sheet();
        !sheet.torn && sheet.durable < sheet.latest
    }

    /// The number of the last entry, if it is not on the disk yet.
    pub(super) fn due(&self) -> Option<u64> {
        let sheet = self.sheet();
        (sheet.durable < sheet.latest).then_some(sheet.latest)
    }

    /// Whether it has to be put in the queue, where it then is.
    pub(super) fn enters_queue(&self) -> bool {
        !std::mem::replace(&mut self.sheet().queued, true)
    }

    /// It is in the queue no more, and was not written.
    pub(super) fn fell_out(&self) {
        self.sheet().queued = false;
    }

    /// What came of entry `number`, in the attempts after the one that is called `begun`.
    pub(super) fn outcome(&self, number: u64, begun: u64) -> Option<Result<(), Away>> {
        let sheet = self.sheet();
        if sheet.torn {
            return Some(Err(Away));
        }
        if sheet.durable >= number {
            return Some(Ok(()));
        }
        (sheet.failed > begun).then_some(Err(Away))
    }

    /// Takes what is to be written, out of the queue.
    pub(super) fn take(&self, now: Timestamp) -> Option<Taken> {
        let mut sheet = self.sheet();
        sheet.queued = false;
        if sheet.torn || sheet.durable >= sheet.latest {
            return None;
        }
        // One write at a time: whatever is still in flight has broken off.
        let is_uncertain = std::mem::replace(&mut sheet.in_flight, true);
        let waiting = std::mem::replace(&mut sheet.waiting, Waiting::Entries(Vec::new()));
        Some(match waiting {
            Waiting::Entries(entries) if !is_uncertain && sheet.has_room(entries.len()) => {
                let last = sheet.latest;
                let first = last.saturating_sub(length(&entries)).saturating_add(1);
                Taken { first, entries, whole: false, last }
            }
            Waiting::Entries(_) | Waiting::Whole => sheet.whole(now),
        })
    }

    /// `taken` is on the disk.
    pub(super) fn written(&self, taken: &Taken) {
        let mut sheet = self.sheet();
        sheet.in_flight = false;
        sheet.durable = taken.last;
        if taken.whole {
            sheet.lines = taken.entries.len();
            sheet.rewrite_at = rewrite_at(taken.entries.len());
        } else {
            sheet.lines = sheet.lines.saturating_add(taken.entries.len());
        }
    }

    /// What was taken may be on the disk or not: the next attempt writes everything.
    pub(super) fn failed(&self, attempt: u64) {
        let mut sheet = self.sheet();
        sheet.in_flight = false;
        sheet.failed = attempt;
        sheet.waiting = Waiting::Whole;
    }

    /// As if a panic had come amid a change.
    #[cfg(test)]
    pub(super) fn tear(&self) {
        self.sheet().torn = true;
    }

    /// How many entries wait to be written one by one.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        match &self.sheet().waiting {
            Waiting::Entries(entries) => entries.len(),
            Waiting::Whole => 0,
        }
    }

    fn sheet(&self) -> MutexGuard<'_, Sheet> {
        // A panic of whoever read it leaves it as it was; one amid a change is told by `torn`.
        self.sheet.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Locked<'_> {
    /// Takes `entry` into the history, to be written in this order with the next `keep`.
    pub fn apply(&mut self, entry: &Entry) {
        let sheet = &mut *self.0;
        let was_torn = std::mem::replace(&mut sheet.torn, true);
        sheet.history.apply(entry);
        sheet.latest = sheet.latest.saturating_add(1);
        sheet.waiting.push(entry);
        sheet.torn = was_torn;
    }

    /// What lifts each shadow that stands at `now` and that `is_meant` picks.
    pub(super) fn lifting(&self, is_meant: impl Fn(&Shadow) -> bool, now: Timestamp) -> Vec<Entry> {
        let meant = self.shadows(now).filter(|shadow| is_meant(shadow));
        let lifted = meant.map(|shadow| Entry::Lifted {
            subject: shadow.subject.clone(),
            family: Arc::clone(&shadow.family),
            source: shadow.source,
        });
        lifted.collect()
    }

    /// What takes back the ease that `entries` would bring; to be asked before they are applied.
    pub(super) fn withdrawing(&self, entries: &[Entry]) -> Vec<Entry> {
        entries.iter().flat_map(|entry| self.opposite(entry)).collect()
    }

    fn opposite(&self, entry: &Entry) -> Vec<Entry> {
        match entry {
            Entry::Lifted { subject, family, source } => {
                let goal = (subject, family, *source);
                let lifted = self.shadows(BEGINNING);
                let lifted =
                    lifted.filter(|held| (&held.subject, &held.family, held.source) == goal);
                lifted.cloned().map(Entry::Refused).collect()
            }
            Entry::Granted(granted) => {
                vec![Entry::Granted(Granted { until: BEGINNING, ..granted.clone() })]
            }
            Entry::Reserved(..)
            | Entry::Confirmed(_)
            | Entry::Undone(_)
            | Entry::Learnt(_)
            | Entry::Forgotten(..)
            | Entry::Refused(_)
            | Entry::Missed { .. }
            | Entry::Answered(_) => Vec::new(),
        }
    }
}

impl Deref for Locked<'_> {
    type Target = History;

    fn deref(&self) -> &History {
        &self.0.history
    }
}

impl Sheet {
    fn has_room(&self, lines: usize) -> bool {
        self.lines.saturating_add(lines) < self.rewrite_at
    }

    /// Everything, as the next entries after the last.
    fn whole(&mut self, now: Timestamp) -> Taken {
        let entries = self.history.to_entries(now);
        let first = self.latest.saturating_add(1);
        self.latest = self.latest.saturating_add(length(&entries));
        Taken { first, entries, whole: true, last: self.latest }
    }
}

impl Waiting {
    fn push(&mut self, entry: &Entry) {
        match self {
            Self::Entries(entries) if entries.len() < MOST_WAITING => entries.push(entry.clone()),
            Self::Entries(_) => *self = Self::Whole,
            Self::Whole => {}
        }
    }
}

fn rewrite_at(needed: usize) -> usize {
    needed.saturating_mul(GROWTH).max(LEAST_LINES)
}

fn length(entries: &[Entry]) -> u64 {
    u64::try_from(entries.len()).unwrap_or(u64::MAX)
}
