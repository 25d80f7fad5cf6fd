use kenward_mcp::dialect::Era;

use super::{Eras, Speaks, sort};
use crate::tests::named;

#[test]
fn only_what_a_modern_server_alone_says_makes_it_modern() {
    let modern = Speaks::Only(Era::Modern);
    let legacy = Speaks::Only(Era::Legacy);
    for (answer, speaks) in [
        (r#"{"result":{"supportedVersions":["2026-07-28"]}}"#, modern),
        (r#"{"result":{"supportedVersions":["2026-07-28","2025-11-25"]}}"#, Speaks::Both),
        (r#"{"result":{"supportedVersions":["2025-11-25"]}}"#, legacy),
        (r#"{"result":{"supportedVersions":["2099-01-01"]}}"#, modern),
        (r#"{"result":{"tools":[]}}"#, legacy),
        (r#"{"error":{"code":-32021,"message":"x"}}"#, modern),
        (r#"{"error":{"code":-32020,"message":"x"}}"#, modern),
        (r#"{"error":{"code":-32022,"message":"x","data":{"supported":["2025-06-18"]}}}"#, legacy),
        (r#"{"error":{"code":-32601,"message":"Method not found"}}"#, legacy),
        (r#"{"error":{"code":-32602,"message":"x"}}"#, legacy),
        (r#"{"error":{"code":-32600,"message":"no session"}}"#, legacy),
        (r#"{"error":{"code":-32000,"message":"not initialized"}}"#, legacy),
        (r#"{"result":{"supportedVersions":["2026-07-28"],"supportedVersions":[]}}"#, legacy),
        ("<html>", legacy),
        ("", legacy),
    ] {
        assert_eq!(sort(answer.as_bytes()), speaks, "{answer}");
    }
}

#[test]
fn what_is_known_is_forgotten_for_one_server_alone() {
    let eras = Eras::default();
    let (a, b) = (named("a"), named("b"));
    eras.note(&a, Some(Speaks::Both));
    eras.note(&b, Some(Speaks::Only(Era::Modern)));
    eras.forget(&a);
    assert_eq!((eras.known(&a), eras.known(&b)), (None, Some(Speaks::Only(Era::Modern))));
    eras.forget_all();
    assert_eq!(eras.known(&b), None);
}

#[test]
fn a_server_of_both_eras_is_spoken_to_in_the_clients_own() {
    for era in [Era::Legacy, Era::Modern] {
        assert_eq!(Speaks::Both.to(era), era);
        assert_eq!(Speaks::Only(Era::Legacy).to(era), Era::Legacy);
    }
}
