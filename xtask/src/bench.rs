//! `cargo xtask bench`: release builds, and the measuring program of the testkit.

use crate::command::{cargo, must, program, root, succeeds};
use crate::peers;

/// Builds and measures; `arguments` go to the measuring program.
pub(crate) fn run(arguments: &[&str]) -> Result<bool, String> {
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
