//! The kenward binary.
fn main() {}
