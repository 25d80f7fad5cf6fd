//! What a call would reveal: bindings, recognition, families and inferences.
//!
//! A binding says which facts a tool reveals and about whom. Before a call, the subjects are read
//! from its arguments (question 3) and the inferences say what follows (question 4); after it, the
//! rows of the result are asked for one by one (question 5). What cannot be told is refused.

mod bindings;
mod engine;
mod families;
mod filter;
#[cfg(test)]
mod fixtures;
mod handles;
mod history;
mod inferences;
mod path;
mod recognise;
mod review;
mod spec;
mod subject;
mod vocabulary;

pub use bindings::{Bindings, CompiledBinding, PotentialFact};
pub use engine::{
    Alert, AskReason, Before, Expects, Inquiry, Judge, Opinion, Rules, Settings, Stop, Unbound,
    Why, before, could_be_asked, refused_elsewhere,
};
pub use families::{Budget, BudgetSpec, Families, FamilySpec, OverBudget, PrecisionError};
pub use handles::{HandleKey, Handles, Linked, MOST_HANDLES};
pub use history::{
    Answered, Entry, Granted, History, Learnt, MOST_LEARNT, MOST_SHADOWS, Shadow, ShadowSource,
    Term,
};
pub use inferences::{
    Derived, InferenceSpec, Inferences, InferencesFile, PrecisePremise, Premise, Then,
};
pub use recognise::How;
pub use review::{Carrier, Review, Withheld, is_due, review};
pub use spec::{
    Aggregate, Disclosure, Enforcement, Link, Mode, OneOrMany, Oracle, Parameter, PreciseAttribute,
    Role, RowAttribute, RowBinding, ServerBindings, ToolBinding,
};
pub use subject::{Because, Disclosed, Unresolved, UnresolvedWhy};
pub use vocabulary::{Guess, Outline, OutlineOf, Proposals, Vocabulary, propose, words_of_name};
