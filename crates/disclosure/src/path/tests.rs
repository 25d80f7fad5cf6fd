//! Nothing that is right, and nothing that is a change of shape.

use serde_json::{Value, json};

use super::segments::{Segment, split};
use super::{Found, ResultPath};

fn find(path: &str, value: &Value) -> Found {
    ResultPath::parse(path).unwrap().find(value)
}

fn count(path: &str, value: &Value) -> usize {
    match find(path, value) {
        Found::Nodes(nodes) => nodes.len(),
        Found::Nothing | Found::Missing => 0,
    }
}

#[test]
fn segments_end_where_they_end() {
    for (path, expected) in [
        ("$", vec![]),
        ("$.a.b", vec![(3, Segment::Member), (5, Segment::Member)]),
        ("$.a[*].b", vec![(3, Segment::Member), (6, Segment::Choice), (8, Segment::Member)]),
        ("$['a]b'][\"c\"]", vec![(8, Segment::Member), (13, Segment::Member)]),
        ("$['a','b']", vec![(10, Segment::Choice)]),
        ("$.*", vec![(3, Segment::Choice)]),
        ("$..a", vec![(4, Segment::Descendant)]),
        ("$..['x'][0]", vec![(8, Segment::Descendant), (11, Segment::Choice)]),
        ("$[?@.a == 'x]'].b", vec![(15, Segment::Choice), (17, Segment::Member)]),
        ("$[?@[0] == 1].b", vec![(13, Segment::Choice), (15, Segment::Member)]),
        ("$['it\\'s'].b", vec![(10, Segment::Member), (12, Segment::Member)]),
    ] {
        assert_eq!(split(path), expected, "{path}");
        assert!(ResultPath::parse(path).is_ok(), "{path}");
    }
}

#[test]
fn an_empty_list_is_nothing_and_a_renamed_one_is_missing() {
    let empty =
        json!({ "s": { "rows": [], "groups": [{ "rows": [] }], "text": "x", "none": null } });
    for (path, expected) in [
        ("$.s.rows[*]", Found::Nothing),
        ("$.s.rows[*].id", Found::Nothing),
        ("$.s.rows[*]['id'].x[*]", Found::Nothing),
        ("$.s.rows[0]", Found::Nothing),
        ("$.s.rows[?@.x == 1].id", Found::Nothing),
        ("$.s.groups[*].rows[*]", Found::Nothing),
        ("$.s.row[*]", Found::Missing),
        ("$.s.groups[*].row[*]", Found::Missing),
        ("$.s.text[*]", Found::Missing),
        ("$.s.none[*]", Found::Missing),
        ("$.t", Found::Missing),
        ("$.s.rows.id", Found::Missing),
        ("$..id", Found::Missing),
    ] {
        assert_eq!(find(path, &empty), expected, "{path}");
    }
}

#[test]
fn both_ways_of_finding_a_member_agree() {
    let value = json!({ "a": { "b": [1, 2], "c": null } });
    for (plain, bracketed) in [
        ("$.a.b", "$['a']['b']"),
        ("$.a.c", "$['a']['c']"),
        ("$.a.d", "$['a']['d']"),
        ("$.a.b.c", "$['a']['b']['c']"),
    ] {
        assert_eq!(find(plain, &value), find(bracketed, &value), "{plain}");
        let values = |path| {
            ResultPath::parse(path).unwrap().values(&value).into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(values(plain), values(bracketed), "{plain}");
    }
    assert_eq!(count("$.a.b[*]", &value), 2);
}

#[test]
fn paths_are_known_by_where_they_begin() {
    let begins = |path: &str| ResultPath::parse(path).unwrap().begins_at("structuredContent");
    for path in [
        "$.structuredContent",
        "$.structuredContent.a",
        "$['structuredContent'][*]",
        "$[\"structuredContent\"]",
    ] {
        assert!(begins(path), "{path}");
    }
    for path in ["$", "$.structuredContentX", "$.content", "$..structuredContent", "$[*]"] {
        assert!(!begins(path), "{path}");
    }
}
