//! The player's client, for the tests of those whom it calls.

pub(crate) use super::client::{Client, Next, Role, Stream, Tape};
