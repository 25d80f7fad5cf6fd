//! Strictness at every depth and size.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{check, read};

#[test]
fn ordinary_json_is_read() {
    let text = r#" {"a":[1,-2,3.5,true,null,"x\n\u00e9"],"b":{},"c":[]} "#;
    let value = json!({ "a": [1, -2, 3.5, true, null, "x\né"], "b": {}, "c": [] });
    assert_eq!(read(text.as_bytes(), 2), Ok(value));
    assert_eq!(check(text.as_bytes(), 2), Ok(()));
    assert_eq!(read(b"7", 0), Ok(json!(7)));
}

#[test]
fn the_order_of_members_is_kept() {
    let tree = read(br#"{"z":1,"a":2,"m":3}"#, 1).unwrap();
    assert_eq!(tree.to_string(), r#"{"z":1,"a":2,"m":3}"#);
}

#[test]
fn private_names_of_the_json_library_mean_nothing() {
    for name in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
        let text = format!(r#"{{"a":{{"{name}":"[1]"}}}}"#);
        assert_eq!(read(text.as_bytes(), 2), Ok(json!({ "a": { name: "[1]" } })));
    }
}

#[test]
fn duplicates_are_found_among_few_and_among_many() {
    for count in [1, 2, 15, 16, 17, 18, 40, 300] {
        let mut members: Vec<String> =
            (0..count).map(|n| format!(r#""m{n}":{{"m0":{n}}}"#)).collect();
        let unique = format!("{{{}}}", members.join(","));
        assert!(read(unique.as_bytes(), 2).is_ok() && check(unique.as_bytes(), 2).is_ok());
        for twin in [0, count / 2, count - 1] {
            members.push(format!(r#""\u006d{twin}":1"#));
            let text = format!("[{{{}}}]", members.join(","));
            members.pop();
            assert_eq!(read(text.as_bytes(), 3).unwrap_err().code(), -32600, "{text}");
            assert_eq!(check(text.as_bytes(), 3).unwrap_err().code(), -32600, "{text}");
        }
    }
}

#[test]
fn names_of_other_objects_are_no_duplicates() {
    let inner: Vec<String> =
        (0..20).map(|n| format!(r#""k{n}":{{"k0":1,"k1":{{"k0":2}}}}"#)).collect();
    let text = format!(r#"[{{{0}}},{{{0}}},{{"k0":1}}]"#, inner.join(","));
    assert!(read(text.as_bytes(), 9).is_ok());
    assert_eq!(check(text.as_bytes(), 9), Ok(()));
}

#[test]
fn trailing_bytes_and_other_encodings_are_refused() {
    for text in [&b"{} {}"[..], b"[1]]", b"", b"\xff", b"\"\xe9\"", b"\xef\xbb\xbf{}"] {
        assert_eq!(read(text, 9).unwrap_err().code(), -32700);
        assert_eq!(check(text, 9).unwrap_err().code(), -32700);
    }
}

proptest! {
    /// The walk without a tree accepts exactly what the tree does, to the same depth.
    #[test]
    fn check_is_read(text in r#"[\[\]{}",:ab01 \\u]{0,40}"#, depth in 0..5_usize) {
        let tree = read(text.as_bytes(), depth);
        prop_assert_eq!(check(text.as_bytes(), depth), tree.clone().map(|_| ()));
        if let Ok(tree) = tree {
            prop_assert_eq!(tree, serde_json::from_str::<Value>(&text).unwrap());
        }
    }

    /// Objects over a small alphabet: refused exactly when two names are one.
    #[test]
    fn duplicates_are_exact(names in proptest::collection::vec("[a-c]{1,3}", 0..30)) {
        let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":0")).collect();
        let text = format!("{{{}}}", members.join(","));
        let mut unique = names.clone();
        unique.sort();
        unique.dedup();
        prop_assert_eq!(read(text.as_bytes(), 1).is_ok(), unique.len() == names.len());
        prop_assert_eq!(check(text.as_bytes(), 1).is_ok(), unique.len() == names.len());
    }
}
