//! How long a file may be: one that cannot be read in one sitting is two files.

use std::fs;

use crate::command::{output, program, root};

/// The most lines of a file that people write.
const CEILING: usize = 600;

/// The endings of files that people write.
const WRITTEN: &[&str] = &[
    "rs",
    "md",
    "toml",
    "yaml",
    "yml",
    "cedar",
    "cedarschema",
    "sql",
    "mjs",
    "js",
    "py",
    "css",
    "html",
];

/// Prints every file that is too long.
pub(crate) fn run() -> Result<bool, String> {
    let list = &["ls-files", "--cached", "--others", "--exclude-standard"];
    let files = output(&mut program("git", list)).ok_or("git cannot list the files")?;
    let mut good = true;
    for file in files.lines().filter(|file| is_written(file)) {
        let lines = fs::read_to_string(root().join(file)).map_or(0, |text| text.lines().count());
        if lines > CEILING {
            println!("sizes: {file} has {lines} lines; the ceiling is {CEILING}");
            good = false;
        }
    }
    if good {
        println!("sizes: no file is longer than {CEILING} lines");
    }
    Ok(good)
}

fn is_written(file: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, ending)| WRITTEN.contains(&ending))
}
