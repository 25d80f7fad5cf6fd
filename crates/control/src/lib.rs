//! The control plane: the admin API and health, on a listener of its own.
//!
//! It never shares a listener with MCP. Everything under `/api` needs the admin token.

mod api;
mod approvals;
mod definitions;
mod health;
mod people;
mod server;

pub use server::{Control, serve};

#[cfg(test)]
mod tests;
