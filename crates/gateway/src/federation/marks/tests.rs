//! Whatever a server calls something comes back to that server, byte for byte.

use proptest::prelude::*;

use super::*;
use crate::tests::named;

#[test]
fn equal_uris_of_two_servers_differ() {
    let (a, b) = (outward(&named("a"), "doc://x"), outward(&named("b"), "doc://x"));
    assert_eq!((a.as_str(), b.as_str()), ("kenward:a:doc://x", "kenward:b:doc://x"));
}

#[test]
fn what_bears_no_mark_is_nobodys() {
    for text in ["", "doc://x", "kenward:", "kenward:a", "KENWARD:a:x", " kenward:a:x"] {
        assert_eq!(inward(text), None, "{text}");
    }
    for id in
        ["1", "\"kenward:a\"", "\"kenward:a:\"", "\"kenward:a:{}\"", "\"kenward:a:1 2\"", "null"]
    {
        assert_eq!(id_inward(id.as_bytes()), None, "{id}");
    }
}

#[test]
fn an_id_that_could_not_come_back_is_not_given_out() {
    let id = format!("\"{}\"", "x".repeat(1000));
    assert!(id_outward(&named("a"), id.as_bytes()).is_some());
    let id = format!("\"{}\"", "x".repeat(1020));
    assert_eq!(id_outward(&named("a"), id.as_bytes()), None);
}

proptest! {
    #[test]
    fn uris_and_templates_come_back(uri in ".*") {
        let marked = outward(&named("a-b_c"), &uri);
        prop_assert_eq!(inward(&marked), Some(("a-b_c", uri.as_str())));
    }

    #[test]
    fn ids_come_back_raw(text in ".{0,40}", number in any::<i64>()) {
        for raw in [Value::from(text).to_string(), number.to_string()] {
            let marked = id_outward(&named("a"), raw.as_bytes()).expect("a short id");
            prop_assert_eq!(id_inward(marked.as_bytes()), Some(("a".to_owned(), raw)));
        }
    }
}
