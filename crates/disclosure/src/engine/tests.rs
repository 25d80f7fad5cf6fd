//! Attacks on the decision, each beside something like it that must pass.

mod asking;
mod limits;
mod shadows;
mod undeclared;
