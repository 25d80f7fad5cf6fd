//! What a call would reveal: bindings, recognition, families and inferences.
//!
//! A binding says which facts a tool reveals and about whom. Before a call, the subjects are read
//! from its arguments (question 3) and the inferences say what follows (question 4); after it, the
//! rows of the result are asked for one by one (question 5). What cannot be told is refused.

mod bindings;
mod families;
mod filter;
#[cfg(test)]
mod fixtures;
mod inferences;
mod path;
mod recognise;
mod spec;
mod subject;

pub use bindings::{Bindings, CompiledBinding, PotentialFact};
pub use families::{Families, FamilySpec, PrecisionError};
pub use filter::{FilterOutcome, Withheld};
pub use inferences::{InferenceSpec, Inferences, InferencesFile, Then};
pub use spec::{Disclosure, Mode, Parameter, Role, RowBinding, ToolBinding};
pub use subject::{Disclosed, Unresolved, UnresolvedWhy};
