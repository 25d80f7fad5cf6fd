//! `cargo xtask bench`: release builds, and the measuring programs of the testkit.

use crate::command::{cargo, must, program, root, succeeds};
use crate::peers;

/// Builds and measures; `arguments` go to the measuring program of the part that they name.
pub(crate) fn run(arguments: &[&str]) -> Result<bool, String> {
    match arguments {
        ["disclosure", rest @ ..] => disclosure(rest),
        _ => Ok(gateway(arguments)? & disclosure(&[])?),
    }
}

/// Whole calls, against a direct connection and nginx.
fn gateway(arguments: &[&str]) -> Result<bool, String> {
    peers::debian(&[("nginx", &["nginx-light"])])?;
    let build =
        ["build", "--locked", "--release", "--package", "kenward", "--package", "kenward-testkit"];
    must(&mut cargo(&build))?;
    let bench = root().join("target/release/kenward-bench");
    let kenward = root().join("target/release/kenward");
    let kenward = kenward.to_string_lossy();
    let arguments = [&["--kenward", &kenward], arguments].concat();
    succeeds(&mut program(&bench.to_string_lossy(), &arguments))
}

/// What disclosure control adds to a decision, in process.
fn disclosure(arguments: &[&str]) -> Result<bool, String> {
    let bench =
        ["bench", "--locked", "--package", "kenward-testkit", "--bench", "disclosure", "--"];
    succeeds(&mut cargo(&[&bench[..], arguments].concat()))
}
