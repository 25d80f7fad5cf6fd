//! Spoiling a copy: one bit of one file, and nothing of the original.

use super::{copy_of, flip};

#[test]
fn one_bit_of_the_largest_file_is_flipped_in_the_copy_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (log, copy) = (folder.path().join("audit"), folder.path().join("copy"));
    std::fs::create_dir(&log).unwrap();
    std::fs::write(log.join("head"), "short").unwrap();
    std::fs::write(log.join("1.jsonl"), "a long line of a record\n").unwrap();
    copy_of(&log, &copy).unwrap();
    std::fs::write(copy.join("left over"), "from an earlier run").unwrap();
    copy_of(&log, &copy).unwrap();
    assert!(!copy.join("left over").exists());
    let spoilt = flip(&copy).unwrap();
    assert_eq!(spoilt, copy.join("1.jsonl"));
    let before = std::fs::read(log.join("1.jsonl")).unwrap();
    let after = std::fs::read(spoilt).unwrap();
    let differing = before.iter().zip(&after).filter(|(a, b)| a != b);
    let bits: u32 = differing.map(|(a, b)| (a ^ b).count_ones()).sum();
    assert_eq!((before.len(), bits), (after.len(), 1));
    assert_eq!(std::fs::read(copy.join("head")).unwrap(), b"short");
}

#[test]
fn an_empty_folder_cannot_be_spoilt() {
    let folder = tempfile::tempdir().unwrap();
    assert!(flip(folder.path()).is_err());
    assert!(copy_of(&folder.path().join("nowhere"), &folder.path().join("copy")).is_err());
}
