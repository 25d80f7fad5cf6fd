//! The disk fails: from then on the log takes nothing, until it is opened anew.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::*;

#[test]
fn a_failed_rotation_stops_the_log_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let log = open_small(directory.path());
    let in_the_way = files::segment(directory.path(), 2);
    fs::create_dir(&in_the_way).unwrap();
    let failed = (0..20).find_map(|number| log.append(&decision(number)).err());
    assert!(matches!(failed, Some(LogError::Io { .. })));
    fs::remove_dir(&in_the_way).unwrap();
    for number in 0..3 {
        assert!(matches!(log.append(&decision(number)), Err(LogError::Failed(_))));
    }
    assert!(!log.is_good());
    assert!(matches!(log.sync(), Err(LogError::Failed(_))));
    drop(log);
    let log = open_small(directory.path());
    append(&log, 50, 10);
    drop(log);
    verify(directory.path()).unwrap();
}

#[test]
fn a_foreign_segment_in_the_way_is_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let log = open_small(directory.path());
    let in_the_way = files::segment(directory.path(), 2);
    fs::write(&in_the_way, "mine\n").unwrap();
    assert!((0..20).any(|number| log.append(&decision(number)).is_err()));
    assert_eq!(fs::read_to_string(&in_the_way).unwrap(), "mine\n");
}

#[test]
fn a_failed_sync_in_the_background_stops_the_log_for_good() {
    for sync in [Sync::Group, Sync::Always] {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::open(directory.path(), sync, clock()).unwrap();
        // a device that takes every write and cannot be synced
        let device = File::options().append(true).open("/dev/null").unwrap();
        let first = append_to(&log, sync, device);
        assert_eq!(first.is_ok(), sync == Sync::Group);
        assert!(eventually(|| !log.is_good()), "{sync:?}");
        assert!(matches!(log.append(&decision(2)), Err(LogError::Failed(_))));
    }
}

#[test]
fn a_full_disk_stops_the_log_for_good() {
    for sync in [Sync::Group, Sync::Always, Sync::Os] {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::open(directory.path(), sync, clock()).unwrap();
        let before = log.head();
        let full = File::options().append(true).open("/dev/full").unwrap();
        let failed = append_to(&log, sync, full).unwrap_err();
        assert!(matches!(failed, LogError::Io { doing: "write", .. }), "{sync:?}: {failed:?}");
        assert!(matches!(log.append(&decision(2)), Err(LogError::Failed(_))), "{sync:?}");
        assert!(!log.is_good(), "{sync:?}");
        assert_eq!(log.head(), before, "what was not written is not counted");
    }
}

/// Appends to `file` in the place of the segment. The thread that syncs, which may still have to do
/// with the record of the start, meets the file only afterwards.
fn append_to(log: &Log, sync: Sync, file: File) -> Result<Receipt, LogError> {
    // With `Always` there is no such thread, and appending itself needs the disk.
    let _held = (sync != Sync::Always).then(|| log.shared.hold_the_disk());
    log.shared.replace_file(file);
    log.append(&decision(1))
}

/// A process whose files may not grow beyond a limit: the write that meets it is cut short.
#[test]
fn a_write_cut_short_is_set_aside_by_the_next_opening() {
    let directory = tempfile::tempdir().unwrap();
    let child = std::env::current_exe().unwrap();
    let name = "segments::tests::failures::child_that_meets_a_limit";
    let script = format!(
        "trap '' XFSZ; ulimit -f 16; exec '{}' --exact {name} --ignored --nocapture",
        child.display()
    );
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", directory.path().display()).unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let said: Vec<String> = output.lines().map(Result::unwrap).collect();
    child.wait().unwrap();
    let good = said.iter().filter(|line| line.starts_with("written")).count();
    assert!(good > 5, "{said:?}");
    assert!(said.iter().any(|line| line == "failed, and failed again"), "{said:?}");

    assert!(verify(directory.path()).unwrap().half_line);
    drop(open(directory.path()));
    assert!(!verify(directory.path()).unwrap().half_line);
    assert_eq!(targets(directory.path()).len(), good);
    assert!(fs::metadata(files::half_line(directory.path(), 1, 1)).unwrap().len() > 0);
}

#[test]
#[ignore = "run by a_write_cut_short_is_set_aside_by_the_next_opening alone"]
fn child_that_meets_a_limit() {
    let mut directory = String::new();
    std::io::stdin().read_line(&mut directory).unwrap();
    let log = open(Path::new(directory.trim_end()));
    for number in 0..1_000 {
        if log.append(&decision(number)).is_ok() {
            println!("\nwritten {number}");
        } else {
            assert!(matches!(log.append(&decision(number)), Err(LogError::Failed(_))));
            println!("\nfailed, and failed again");
            return;
        }
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_with_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Log::open(&file.join("audit"), Sync::Group, clock()).unwrap_err();
    assert!(error.to_string().contains("file/audit"), "{error}");
}
