//! What is in force now: one snapshot of directory and policies, and the one desk that changes it.
//!
//! Readers take the whole snapshot in one step, so a decision never sees half a change. Writers
//! queue at the desk; each change is made durable, then published, then announced to the streams.

mod desk;
mod error;
mod histories;
mod snapshot;

pub use desk::{Desk, Judged, Live, file_change, tools_of};
pub use error::ChangeRefused;
pub use histories::{Asked, Away, Held, Histories, Locked, Verdict};
pub use snapshot::{Defined, InForce, Shelves};

#[cfg(test)]
mod tests;
