//! The memory: decision records, the chain that makes altering them visible, and its checking.
//!
//! Pure: bytes in, bytes out. Where the bytes are kept is the store's business.

pub mod chain;
mod digest;
mod filter;
mod record;

pub use chain::{Broken, Checker, Head, LinePlace, Verified, Why};
pub use digest::Digest;
pub use filter::Filter;
pub use record::{ChangeOf, Kind, Outcome, Record, Verdict};
