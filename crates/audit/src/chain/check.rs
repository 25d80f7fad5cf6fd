//! Checking a chain line by line: where it is broken, and what was done to it there.

use super::{Broken, Head, LinePlace, Link, Why};
use crate::Digest;

/// What an unbroken log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many segments there are.
    pub segments: u64,
    /// How many lines there are, the segments' headers included.
    pub lines: u64,
    /// The last line. Kept elsewhere, it proves later that nothing up to here was touched.
    pub head: Head,
    /// Whether half a line follows it: a writer is at work, or was stopped in the middle of it.
    pub half_line: bool,
}

/// Checks a whole log, fed segment by segment and line by line.
#[derive(Debug)]
pub struct Checker {
    anchors: Vec<Head>,
    place: LinePlace,
    segments: u64,
    lines: u64,
    /// Nothing when it is gone with its segment.
    last: Option<Last>,
    /// A line that was out of place; when the next one follows it, the log goes on from it.
    stray: Option<Last>,
    half_line: bool,
    broken: Vec<Broken>,
}

/// The line that was checked last.
#[derive(Debug, Clone, Copy)]
struct Last {
    place: LinePlace,
    head: Head,
    /// The line before it, when the two do not fit and it is open which of them was altered.
    suspect: Option<LinePlace>,
    /// Whether this line is known to be altered already.
    blamed: bool,
}

impl Last {
    /// What the first line of all follows.
    const NONE: Self = Self {
        place: LinePlace { segment: 0, line: 0 },
        head: Head::START,
        suspect: None,
        blamed: false,
    };
}

impl Checker {
    /// A checker that also demands each of `anchors`: lines known to have been written.
    pub fn new(anchors: Vec<Head>) -> Self {
        Self {
            anchors,
            place: LinePlace { segment: 0, line: 0 },
            segments: 0,
            lines: 0,
            last: Some(Last::NONE),
            stray: None,
            half_line: false,
            broken: Vec::new(),
        }
    }

    /// Adds something that was found out otherwise.
    ///
    /// After the first thousand nothing more is kept: such a log is beyond repair anyway.
    pub fn report(&mut self, place: LinePlace, why: Why) {
        if self.broken.len() < MOST_REPORTED {
            self.broken.push(Broken { place, why });
        }
    }

    /// Goes on to segment `number`; the segments have to come in rising order.
    pub fn segment(&mut self, number: u64) {
        if std::mem::take(&mut self.half_line) {
            self.report(LinePlace { line: self.place.line + 1, ..self.place }, Why::HalfLine);
        }
        let expected = self.place.segment.saturating_add(1);
        self.place = LinePlace { segment: number, line: 0 };
        self.segments += 1;
        if number > expected {
            if self.lines == 0 {
                self.last = None; // what the first line that is left has to follow is gone
            }
            self.report(self.place, Why::MissingSegments { first: expected, last: number - 1 });
        }
    }

    /// Checks the next line, without its newline.
    pub fn line(&mut self, bytes: &[u8]) {
        self.place.line += 1;
        self.lines += 1;
        let hash = Digest::of(bytes);
        let Some(link) = Link::of(bytes) else { return self.unreadable_line(hash) };
        let place = self.place;
        let mut line = Last {
            place,
            head: Head { sequence: link.sequence, hash },
            suspect: None,
            blamed: false,
        };
        match self.predecessor(&link) {
            Some(last) if !self.follow(&last, &link, &mut line) => {
                self.stray = Some(line);
                return;
            }
            Some(_) | None => {}
        }
        let headed = link.segment == Some(place.segment);
        if headed != (place.line == 1) && !self.is_blamed(place) {
            self.report(place, Why::NoHeader);
        }
        self.anchor(&mut line);
        self.last = Some(line);
    }

    /// Says that the segment ends in half a line, without a newline.
    pub fn half_line(&mut self) {
        self.half_line = true;
    }

    /// The verdict on the whole log.
    pub fn finish(mut self) -> Result<Verified, Vec<Broken>> {
        if let Some(Last { suspect: Some(suspect), .. }) = self.last {
            self.blame(suspect);
        }
        let head = self.last.map_or(Head::START, |last| last.head);
        let written = self.anchors.iter().map(|anchor| anchor.sequence).max().unwrap_or(0);
        if written > head.sequence {
            self.report(self.place, Why::Truncated { last: head.sequence, written });
        }
        if self.broken.is_empty() {
            let Self { segments, lines, half_line, .. } = self;
            return Ok(Verified { segments, lines, head, half_line });
        }
        self.broken.sort_by_key(|broken| broken.place);
        Err(self.broken)
    }

    /// The line that this one has to follow.
    fn predecessor(&mut self, link: &Link) -> Option<Last> {
        match self.stray.take() {
            Some(stray) if stray.head.hash == link.previous => Some(stray),
            Some(_) | None => self.last,
        }
    }

    /// Compares `line` with the one before it; whether it is to be the new last line.
    fn follow(&mut self, last: &Last, link: &Link, line: &mut Last) -> bool {
        let expected = last.head.sequence.saturating_add(1);
        if link.previous == last.head.hash {
            if let Some(suspect) = last.suspect {
                self.blame(suspect);
            }
            if link.sequence != expected {
                self.blame(line.place); // it is the successor, so its number was changed
                line.head.sequence = expected;
                line.blamed = true;
            }
            return true;
        }
        if link.sequence > expected {
            if let Some(suspect) = last.suspect {
                self.blame(suspect);
            }
            self.report(self.place, Why::Missing { first: expected, last: link.sequence - 1 });
        } else if link.sequence < expected {
            self.out_of_place(expected, link.sequence);
            return false;
        } else if last.suspect.is_some() {
            self.blame(last.place); // it fits neither neighbour
        } else if !last.blamed {
            line.suspect = Some(last.place);
        }
        true
    }

    fn unreadable_line(&mut self, hash: Digest) {
        let place = self.place;
        if let Some(Last { suspect: Some(suspect), .. }) = self.last {
            self.blame(suspect);
        }
        self.report(place, Why::NotALine);
        let sequence = self.last.map_or(0, |last| last.head.sequence).saturating_add(1);
        let head = Head { sequence, hash };
        self.last = Some(Last { place, head, suspect: None, blamed: true });
    }

    /// A line with a number that was passed: it may be the one that was missed further up.
    fn out_of_place(&mut self, expected: u64, found: u64) {
        let missed = Why::Missing { first: found, last: found };
        if let Some(gap) = self.broken.iter_mut().find(|broken| broken.why == missed) {
            gap.why = Why::OutOfPlace { expected: found, found: found.saturating_add(1) };
        }
        self.report(self.place, Why::OutOfPlace { expected, found });
    }

    /// Compares the line with what is known to have been written under its number.
    fn anchor(&mut self, line: &mut Last) {
        let Some(anchor) =
            self.anchors.iter().find(|anchor| anchor.sequence == line.head.sequence).copied()
        else {
            return;
        };
        if anchor.hash != line.head.hash {
            line.suspect = None;
            line.blamed = true;
            self.blame(line.place);
        } else if let Some(suspect) = line.suspect.take() {
            self.blame(suspect);
        }
    }

    fn blame(&mut self, place: LinePlace) {
        if !self.is_blamed(place) {
            self.report(place, Why::Altered);
        }
    }

    fn is_blamed(&self, place: LinePlace) -> bool {
        self.broken.iter().any(|broken| broken.place == place)
    }
}

/// How many places are reported at most.
pub(super) const MOST_REPORTED: usize = 1_000;
