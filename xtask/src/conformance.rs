//! The official conformance suite of MCP, installed into `target/conformance`.
//!
//! Its version is pinned in `crates/kenward/tests/conformance`; what is installed is kept until it
//! changes. It needs Node 22, which is pinned beside it.

use std::fs;
use std::path::PathBuf;

use crate::command::root;
use crate::peers::{debian, npm_packages, read, write};

/// Installs the suite if it is not there and says where it is.
///
/// Nothing, with the reason said, where npm cannot be had: then its tests say that they are skipped.
pub(crate) fn install() -> Result<Option<PathBuf>, String> {
    let place = root().join("target/conformance");
    let package = read(&root().join("crates/kenward/tests/conformance/package.json"))?;
    if fs::read_to_string(place.join("stamp")).is_ok_and(|installed| installed == package) {
        println!("conformance: the suite is installed in target/conformance");
        return Ok(Some(place));
    }
    if let Err(why) = debian(&[("npm", &["nodejs", "npm"])]) {
        println!("conformance: without npm the tests of the suite are skipped: {why}");
        return Ok(None);
    }
    println!("conformance: installing the suite into target/conformance");
    fs::create_dir_all(&place)
        .map_err(|error| format!("target/conformance cannot be made: {error}"))?;
    npm_packages(&place, &package)?;
    write(&place.join("stamp"), &package)?;
    Ok(Some(place))
}
