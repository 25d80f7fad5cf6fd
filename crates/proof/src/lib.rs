//! What holds of policies for every request there could be, shown by a solver.
//!
//! [`prove`] holds a deployment against its invariants, [`compare`] against another deployment.
//! The solver is a program of the operator's own, started for the purpose and ended after it.
//! Whatever is not its clear answer, checked where it can be, proves nothing.

mod compare;
mod domain;
mod environment;
mod example;
#[cfg(test)]
mod fixture;
mod invariant;
mod prove;
mod replay;
mod rewrite;
mod setting;
mod solver;
mod story;
mod written;

use thiserror::Error;

pub use compare::{Change, Compared, Difference, compare};
pub use example::{Example, Known};
pub use invariant::Invariant;
pub use prove::{Counterexample, Coverage, Outcome, Proof, Proven, Told, prove};
pub use setting::Deployment;
pub use solver::Solver;

/// Why nothing can be proven or compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// There is no solver.
    #[error("there is no solver: `cvc5` is not on the PATH and $CVC5 names no program")]
    NoSolver,
    /// The solver cannot be waited for.
    #[error("the solver cannot be waited for: {0}")]
    Runtime(String),
    /// The schema has no form for a proof.
    #[error("the schema has no form for a proof: {0}")]
    Schema(String),
    /// Policies that cannot be read.
    #[error("the policies in `{path}` cannot be read: {why}")]
    Policies {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}
