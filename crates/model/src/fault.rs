//! Whose fault an error is.

/// Errors are sorted by culprit: it decides the code, the log level and who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The caller sent something that the protocol or the policy does not take.
    Caller,
    /// The server behind misbehaved or was not there.
    Upstream,
    /// The deployment is configured wrongly.
    Operator,
    /// Kenward itself failed.
    Us,
}
