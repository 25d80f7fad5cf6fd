//! The decision: Cedar policies over the world, and the permit that only a decision makes.
//!
//! [`Policies::compile`] checks everything once; [`Policies::decide`] then answers without
//! reading a clock, a file or a key. Nothing is allowed because something failed: what cannot be
//! evaluated is refused.

mod case;
mod compile;
mod context;
mod decide;
mod diagnostic;
mod evaluate;
mod explain;
mod extension;
#[cfg(test)]
mod fixture;
mod index;
mod listing;
pub mod mapping;
mod memo;
mod policies;
mod reads;
mod review;
mod rule;
mod schema;
mod shape;
mod slice;
mod source;
mod surface;
mod verdict;

pub use case::{Asker, Case, Environment, Memory, answer_digest};
pub use policies::{Compiled, Policies};
pub use review::Reviewed;
pub use source::{SourceFile, Sources};
pub use surface::{DeclaredMappings, ScopeRule, ServerSurface, Surface, Tool};
pub use verdict::{Ask, Basis, Cause, Effects, Permit, Reason, Refusal, Verdict};
