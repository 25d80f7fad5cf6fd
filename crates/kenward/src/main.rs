//! Kenward: an authorization gateway between MCP clients and MCP servers.

mod cli;
mod config;
mod demo;
mod look;
mod report;
mod run;
mod serve;
mod story;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kenward_identity::install_crypto();
    cli::run()
}
