//! The official conformance suite: straight against the reference server, through the gateway, and
//! against the gateway as a client.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test fails by panicking, and looks for the suite in the environment"
)]

mod client;
mod expected;
mod house;
mod player;
mod server;
mod shim;
mod suite;

/// The binary under test.
pub(crate) const KENWARD: &str = env!("CARGO_BIN_EXE_kenward");
