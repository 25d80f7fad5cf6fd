//! What was looked at, and what was not as told.

/// The count of checks and the list of deviations.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) checks: usize,
    pub(super) deviations: Vec<String>,
}

impl Ledger {
    /// Notes that `good` was looked at; if it is not, what was expected and found instead.
    pub(super) fn check(&mut self, good: bool, otherwise: impl FnOnce() -> String) {
        self.checks += 1;
        if !good {
            self.deviations.push(otherwise());
        }
    }

    /// Notes that something did not work at all.
    pub(super) fn fail(&mut self, what: impl Into<String>) {
        self.checks += 1;
        self.deviations.push(what.into());
    }
}
