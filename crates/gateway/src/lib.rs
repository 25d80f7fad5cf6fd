//! The data plane: every MCP message from the socket to the answer, in ten named steps.
//!
//! Start reading at `pipeline.rs`: it is the ten steps in order.

mod admission;
mod authority;
mod body;
mod bridge;
pub mod clock;
mod copies;
mod definitions;
mod documents;
mod federation;
mod gateway;
mod grants;
mod listener;
mod lists;
mod outcome;
mod party;
mod past;
mod pipeline;
mod route;
mod sessions;
mod settings;
mod source;
mod stepup;
mod stop;
mod streams;
mod upstream;

pub use authority::{IssuerProblem, Issuers};
pub use gateway::{Gateway, Parts};
pub use grants::{GrantKeys, RotationDue};
pub use listener::serve;
pub use settings::{Credential, Limits, ServerEra, ServerSettings, Settings, Transport};
pub use upstream::reach;

#[cfg(test)]
mod tests;
