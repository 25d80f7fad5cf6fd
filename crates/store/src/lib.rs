//! What survives a restart: the audit log in segments on disk, and the state in `SQLite`.

pub mod segments;
mod state;

pub use state::{
    Approval, ApprovalAnswer, ApprovalVerdict, Claim, GrantKey, HandleRow, MOST_PENDING, Pages,
    PinRow, State, StateError, Stored,
};
