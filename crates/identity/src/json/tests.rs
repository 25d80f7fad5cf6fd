//! Strict JSON refuses what lenient readers resolve differently from each other.

use proptest::prelude::*;
use serde_json::Value;

use super::{parse, parse_object};

#[test]
fn duplicates_are_refused_at_any_depth_and_however_they_are_spelt() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"[[{"x":0},{"y":0,"y":0}]]"#,
        r#"{"sub":"rita","s\u0075b":"root"}"#,
    ] {
        let error = parse(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("duplicate member"), "{text}: {error}");
    }
    assert!(parse(br#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
}

#[test]
fn what_is_not_one_json_value_is_refused() {
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    for text in ["", "{}x", "{} {}", "{\"a\":}", "NaN", "1e999", "'a'", "\"\\ud800\"", &deep] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(parse(b"{\"a\":\"\xff\"}").is_err());
    assert!(parse(format!("{}{}", "[".repeat(32), "]".repeat(32)).as_bytes()).is_ok());
    assert!(parse_object(b"[]").is_err());
    assert!(parse_object(b"\"{}\"").is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn without_duplicates_it_reads_what_any_reader_reads(value in any_json()) {
        let text = value.to_string();
        let lenient: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(parse(text.as_bytes()).unwrap(), lenient);
    }

    #[test]
    fn no_input_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(parse(&bytes));
    }
}
