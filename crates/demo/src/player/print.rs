//! How the story looks on the page: one line for a request, few for why.

use std::io::Write;

use super::Explanation;

const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
/// The columns that a request gets before its verdict stands.
const REQUEST: usize = 74;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    Refused,
    Unknown,
}

/// Writes to the page. A page that cannot be written is remembered, and the story goes on.
pub(super) struct Page<'w> {
    out: &'w mut (dyn Write + Send),
    pub(super) broken: bool,
}

impl std::fmt::Debug for Page<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").field("broken", &self.broken).finish_non_exhaustive()
    }
}

impl<'w> Page<'w> {
    pub(super) fn new(out: &'w mut (dyn Write + Send)) -> Self {
        Self { out, broken: false }
    }

    /// The heading of a step.
    pub(super) fn step(&mut self, number: u8, title: &str) {
        self.line(&format!("\n{BOLD}{number}  {title}{RESET}"));
    }

    /// A request and how it ended.
    pub(super) fn request(&mut self, who: &str, request: &str, verdict: Verdict, gist: &str) {
        let (colour, word) = match verdict {
            Verdict::Allowed => (GREEN, "allowed"),
            Verdict::Refused => (RED, "refused"),
            Verdict::Unknown => (RED, "unknown"),
        };
        let asked = format!("{who:<6} {request}");
        let gist = if gist.is_empty() { String::new() } else { format!("  {gist}") };
        self.line(&format!("   {asked:<REQUEST$} {colour}{word}{RESET}{gist}"));
    }

    /// What stands below a request.
    pub(super) fn note(&mut self, label: &str, text: &str) {
        self.line(&format!("          {DIM}{label}{RESET} {text}"));
    }

    /// The reasons that a refused person may read.
    pub(super) fn reasons(&mut self, name: &str, why: &Explanation) {
        let reasons = why.reasons.join(" ");
        let policies = why.policies.join(", ");
        let facts = if why.facts.is_empty() { &why.objects } else { &why.facts }.join(", ");
        let about = if facts.is_empty() { facts } else { format!(" {DIM}about {facts}{RESET}") };
        let by = if policies.is_empty() { policies } else { format!(" {DIM}[{policies}]{RESET}") };
        self.note(&format!("{name} may read:"), &format!("{reasons}{by}{about}"));
    }

    /// The last line.
    pub(super) fn end(&mut self, good: bool, text: &str) {
        let colour = if good { GREEN } else { RED };
        self.line(&format!("\n{BOLD}{colour}{text}{RESET}"));
    }

    pub(super) fn line(&mut self, text: &str) {
        if writeln!(self.out, "{text}").is_err() {
            self.broken = true;
        }
    }
}
