//! The repository own commands.
fn main() {}
