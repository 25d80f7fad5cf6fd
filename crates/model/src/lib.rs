//! The vocabulary of Kenward: identifiers, callers, operations, facts, findings and time.
//!
//! Everything here is plain data without behaviour of its own; every other crate speaks in it.

mod caller;
mod entity_uid;
mod fact;
mod fault;
mod finding;
mod names;
mod operation;
mod question;
mod time;

pub use caller::Caller;
pub use entity_uid::{EntityUid, UidError};
pub use fact::{Fact, Precision};
pub use fault::Fault;
pub use finding::{Finding, Place, Severity};
pub use names::{DecisionId, NameError, Revision, ServerName};
pub use operation::{Operation, Target};
pub use question::Question;
pub use time::Timestamp;
