//! What is asked: who asks, in which circumstances, about which operation.

use std::net::IpAddr;

use kenward_model::{Caller, Operation, Timestamp};
use kenward_world::World;

/// Who asks, and what is known while they ask.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The user and the agent.
    pub caller: &'a Caller,
    /// The one snapshot that the whole decision is taken on.
    pub world: &'a World,
    /// The circumstances of the request.
    pub environment: Environment<'a>,
}

/// The circumstances of a request that are neither in the token nor in the directory.
#[derive(Debug, Clone, Copy)]
pub struct Environment<'a> {
    /// When it is asked.
    pub now: Timestamp,
    /// Where the request came from, when that is known.
    pub ip: Option<IpAddr>,
    /// The version of MCP that is spoken, for example `2025-11-25`.
    pub protocol: &'a str,
}

/// One operation of one asker, to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Who asks.
    pub asker: Asker<'a>,
    /// What they want to do.
    pub operation: &'a Operation<'a>,
}
