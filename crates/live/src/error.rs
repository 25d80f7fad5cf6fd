//! Why a change was not made.

use kenward_model::{Fault, Finding};
use kenward_store::StateError;
use kenward_world::ChangeError;

/// A change that was refused; what is in force stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRefused {
    /// The directory does not take the change.
    #[error(transparent)]
    Directory(#[from] ChangeError),
    /// The change could not be made durable.
    #[error("the change could not be stored")]
    Storage(#[from] StateError),
    /// The policies with the change in them do not compile.
    #[error("{} problems in the policies", .0.len())]
    Policies(Vec<Finding>),
}

impl ChangeRefused {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Directory(_) => Fault::Caller,
            Self::Storage(_) => Fault::Us,
            Self::Policies(_) => Fault::Operator,
        }
    }
}
