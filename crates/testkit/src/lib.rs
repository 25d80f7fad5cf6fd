//! Fixtures for tests: real sockets, real processes and real keys; nothing here is a mock.
//!
//! [`Deployment`] writes a configuration, [`Gateway`] runs the real binary with it, [`Issuer`] signs
//! tokens of every kind, [`Upstream`] is an MCP server that does what a test tells it, and [`Mcp`] is
//! a client that shows every byte.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    clippy::wildcard_enum_match_arm,
    clippy::excessive_nesting,
    reason = "a fixture fails its test by panicking, and measures and waits in real time"
)]

mod client;
mod deployment;
mod events;
mod gateway;
mod http1;
mod issuer;
mod keys;
pub mod load;
mod mcp;
pub mod ports;
pub mod proc;
mod reference;
mod token;
mod upstream;

pub use client::{Client, Response};
pub use deployment::Deployment;
pub use events::{EventStream, Next};
pub use gateway::{Exited, Gateway, run};
pub use issuer::Issuer;
pub use keys::{Algorithm, SigningKey, base64url};
pub use mcp::{Era, Mcp, Reply};
pub use reference::{Eras, Reference};
pub use token::Token;
pub use upstream::{Answer, Received, Upstream};

#[cfg(test)]
mod tests;
