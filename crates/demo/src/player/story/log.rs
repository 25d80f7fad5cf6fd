//! Step 7: the log holds all of it, and a change to it is found.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::teller::Teller;

/// How long the last records may take to be on the disk.
const SETTLE: Duration = Duration::from_millis(200);

pub(super) async fn tell(teller: &mut Teller<'_>) -> Result<(), String> {
    teller.page.step(7, "Every decision stands in a log that cannot be altered unnoticed");
    tokio::time::sleep(SETTLE).await;
    let stage = teller.stage;
    let verified = (stage.verify)(stage.audit);
    let verified =
        verified.map_err(|why| format!("the audit log is broken: {}", why.join("; ")))?;
    teller.ledger.check(verified.records > 0, || "the audit log is empty".to_owned());
    teller.page.note("the log:", &format!("{} records, every one in its place", verified.records));
    let copy = stage.scratch.join("audit-copy");
    let spoilt = copy_of(stage.audit, &copy).and_then(|()| flip(&copy));
    let spoilt = spoilt.map_err(|error| format!("the log cannot be copied: {error}"))?;
    let found = (stage.verify)(&copy);
    // The copy has done its work; what cannot be removed is found at the next run.
    drop(fs::remove_dir_all(&copy));
    match found {
        Ok(_) => teller.ledger.fail(format!("one bit of {} is wrong unnoticed", spoilt.display())),
        Err(why) => {
            teller.ledger.checks += 1;
            let first = why.first().map_or("it is broken", String::as_str);
            teller.page.note("a copy with one bit flipped:", first);
        }
    }
    Ok(())
}

fn copy_of(from: &Path, to: &Path) -> std::io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Flips the lowest bit in the middle of the largest file, and says which file that is.
fn flip(folder: &Path) -> std::io::Result<PathBuf> {
    let mut largest: Option<(u64, PathBuf)> = None;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let size = entry.metadata()?.len();
        if largest.as_ref().is_none_or(|(most, _)| size > *most) {
            largest = Some((size, entry.path()));
        }
    }
    let (_, path) = largest.ok_or_else(|| std::io::Error::other("there is no file in it"))?;
    let mut bytes = fs::read(&path)?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    fs::write(&path, bytes)?;
    Ok(path)
}

#[cfg(test)]
mod tests;
