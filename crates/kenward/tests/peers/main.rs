//! Programs of others with the gateway between them: clients, servers and an issuer as they are
//! published.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test fails by panicking, and looks for the peers in the environment"
)]

mod clients;
mod installed;
mod issuer;
mod rust_client;
mod servers;

/// The binary under test.
pub(crate) const KENWARD: &str = env!("CARGO_BIN_EXE_kenward");
