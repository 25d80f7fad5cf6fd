//! `cargo xtask check`: everything that can be said without running a test.

use crate::command::{cargo, succeeds};
use crate::{layers, size};

/// Formatting, lints, layers and sizes; all of them, whatever the first finds.
pub(crate) fn run() -> Result<bool, String> {
    let formatted = succeeds(&mut cargo(&["fmt", "--all", "--check"]))?;
    let lints = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    let clean = succeeds(&mut cargo(&lints))?;
    let layered = layers::run()?;
    let sized = size::run()?;
    let good = formatted && clean && layered && sized;
    println!(
        "check: {}",
        if good { "everything is as it should be" } else { "something is wrong, see above" }
    );
    Ok(good)
}
