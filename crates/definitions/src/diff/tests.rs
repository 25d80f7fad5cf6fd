//! A comparison shows every field that differs, and nothing that does not.

use serde_json::json;

use super::{Difference, diff, visible};

fn said(path: &str, before: Option<&str>, after: Option<&str>) -> Difference {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Difference { path: path.to_owned(), before: owned(before), after: owned(after) }
}

#[test]
fn fields_that_differ_are_shown_with_what_nobody_sees() {
    let old = json!({ "name": "t", "description": "adds", "x": { "a/b": [1, 2], "gone": true } });
    let new = json!({ "name": "t", "description": "adds\u{200b}\u{e0041}\u{1b}[1m",
        "x": { "a/b": [1, 3, 4], "new": null } });
    let expected = [
        said("/description", Some("adds"), Some("adds<U+200B><U+E0041><U+001B>[1m")),
        said("/x/a~1b/1", Some("2"), Some("3")),
        said("/x/a~1b/2", None, Some("4")),
        said("/x/gone", Some("true"), None),
        said("/x/new", None, Some("null")),
    ];
    assert_eq!(diff(Some(&old), Some(&new)), expected);
    assert!(diff(Some(&old), Some(&old)).is_empty());
}

#[test]
fn what_is_new_is_shown_whole_and_bounded() {
    assert_eq!(diff(None, Some(&json!("x"))), [said("", None, Some("x"))]);
    let many: Vec<u32> = (0..1_000).collect();
    let none: Vec<u32> = Vec::new();
    assert_eq!(diff(Some(&json!(none)), Some(&json!(many))).len(), 200);
}

#[test]
fn joiners_and_selectors_are_visible_too() {
    assert_eq!(visible("می\u{200c}خ\u{fe0f}"), "می<U+200C>خ<U+FE0F>");
    assert_eq!(visible("ok\n\tend"), "ok\n<U+0009>end");
}
