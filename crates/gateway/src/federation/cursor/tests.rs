//! A cursor opens for whom and what it was made, untouched, and never otherwise.

use super::*;
use crate::tests::{caller, party};

fn positions() -> Positions {
    Positions::from([("a".to_owned(), "next".to_owned()), ("b".to_owned(), "\u{0}\"".to_owned())])
}

#[test]
fn a_cursor_holds_every_position_and_shows_none() {
    let (cursors, ann) = (Cursors::new().unwrap(), caller("ann"));
    let scope = Scope { caller: &ann, kind: ListKind::Tools, era: Era::Modern };
    let cursor = cursors.seal(&scope, &positions()).unwrap();
    assert_eq!(cursors.open(&scope, &cursor), Some(positions()));
    assert!(!String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(&cursor).unwrap()).contains("next"));
}

#[test]
fn a_cursor_fits_no_other_party_list_era_or_gateway() {
    let (cursors, ann) = (Cursors::new().unwrap(), caller("ann"));
    let scope = Scope { caller: &ann, kind: ListKind::Tools, era: Era::Modern };
    let cursor = cursors.seal(&scope, &positions()).unwrap();
    let others = [
        caller("bob"),
        party("ann", "another", "https://idp.example.com"),
        party("ann", "desktop", "https://other.example.com"),
    ];
    for other in &others {
        assert_eq!(cursors.open(&Scope { caller: other, ..scope }, &cursor), None, "{other:?}");
    }
    for kind in [ListKind::Prompts, ListKind::Resources, ListKind::Templates] {
        assert_eq!(cursors.open(&Scope { kind, ..scope }, &cursor), None, "{kind:?}");
    }
    assert_eq!(cursors.open(&Scope { era: Era::Legacy, ..scope }, &cursor), None);
    assert_eq!(Cursors::new().unwrap().open(&scope, &cursor), None);
}

#[test]
fn an_altered_cursor_opens_nowhere() {
    let (cursors, ann) = (Cursors::new().unwrap(), caller("ann"));
    let scope = Scope { caller: &ann, kind: ListKind::Tools, era: Era::Modern };
    let cursor = cursors.seal(&scope, &positions()).unwrap();
    for at in 0..cursor.len() {
        let mut altered = cursor.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert_eq!(cursors.open(&scope, &altered), None, "at {at}");
        assert_eq!(cursors.open(&scope, cursor.get(..at).unwrap()), None, "cut at {at}");
    }
    for other in ["", "next", "AAAA", "\u{e4}"] {
        assert_eq!(cursors.open(&scope, other), None, "{other}");
    }
}
