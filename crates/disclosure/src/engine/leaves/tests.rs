//! Which leaves are looked at, and that none is passed over in silence.

use serde_json::{Value, json};

use super::{Leaves, MOST, MOST_BYTES, Reading};
use crate::fixtures::binding;

fn spec() -> Value {
    json!({
        "parameters": { "note": { "role": "free" }, "deep.down": { "role": "value" } },
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.id", "attribute": "zip" }],
    })
}

fn read(arguments: &Value, strict: bool) -> Vec<(String, String, Reading)> {
    let binding = binding(&spec());
    let leaves = Leaves::of(arguments, Some(&binding), strict);
    assert!(leaves.too_much.is_none());
    leaves.all.into_iter().map(|leaf| (leaf.path, leaf.text.into_owned(), leaf.reading)).collect()
}

#[test]
fn what_is_declared_is_left_out_unless_it_is_looked_strictly() {
    let arguments = json!({
        "id": "4711", "note": "hello", "deep": { "down": "x", "up": ["y", 7, 1.5, true, null] },
    });
    let mut open = read(&arguments, false);
    open.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let expected = [("deep", "down"), ("deep", "up"), ("deep.up", "7"), ("deep.up", "y")];
    let found: Vec<(&str, &str)> = open.iter().map(|(path, text, _)| (&**path, &**text)).collect();
    assert_eq!(found, expected);
    assert!(open.iter().all(|(_, _, reading)| *reading == Reading::Open));

    let strict = read(&arguments, true);
    let reading = |path: &str, text: &str| {
        strict.iter().find(|leaf| leaf.0 == path && leaf.1 == text).map(|leaf| leaf.2)
    };
    assert_eq!(reading("id", "4711"), Some(Reading::Subject));
    assert_eq!(reading("note", "hello"), Some(Reading::Nothing));
    assert_eq!(reading("deep.down", "x"), Some(Reading::Nothing));
    assert_eq!(reading("deep.up", "y"), Some(Reading::Open));
}

#[test]
fn nothing_that_would_be_read_is_too_much_in_silence() {
    let binding = binding(&spec());
    let too_much =
        |arguments: &Value, strict| Leaves::of(arguments, Some(&binding), strict).too_much;
    let long = "a".repeat(MOST_BYTES + 1);
    assert_eq!(too_much(&json!({ "other": long }), false).as_deref(), Some("other"));
    assert_eq!(too_much(&json!({ "note": long }), false), None);
    assert_eq!(too_much(&json!({ "note": long }), true).as_deref(), Some("note"));
    let many = vec!["a"; MOST + 1];
    assert_eq!(too_much(&json!({ "other": many }), false).as_deref(), Some("other"));
}

#[test]
fn the_parts_of_a_name_are_put_together_both_ways() {
    let arguments = json!({ "first": "Taylor", "last": "Swift", "n": 4 });
    let leaves = Leaves::of(&arguments, None, true);
    let joined: Vec<String> = leaves.joined(|_| true).map(|(_, text)| text).collect();
    assert_eq!(joined, ["Taylor Swift", "Swift Taylor"]);
}
