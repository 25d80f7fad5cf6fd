//! The core schema, row by row.

use serde_json::{Number, json};

use super::{Scalar, resolve};

fn number(value: serde_json::Value) -> Scalar {
    let serde_json::Value::Number(number) = value else { panic!("{value} is no number") };
    Scalar::Number(number)
}

#[test]
fn the_words_of_the_core_schema() {
    for text in ["", "~", "null", "Null", "NULL"] {
        assert_eq!(resolve(text), Scalar::Null, "{text}");
    }
    for text in ["true", "True", "TRUE"] {
        assert_eq!(resolve(text), Scalar::Bool(true), "{text}");
    }
    assert_eq!(resolve("FALSE"), Scalar::Bool(false));
}

#[test]
fn words_of_yaml_1_1_are_text() {
    for text in ["yes", "no", "on", "off", "y", "n", "NO", "tRUE", "nULL", "1_000", "12:30:45"] {
        assert_eq!(resolve(text), Scalar::Text, "{text}");
    }
}

#[test]
fn numbers() {
    assert_eq!(resolve("4711"), number(json!(4711)));
    assert_eq!(resolve("-3"), number(json!(-3)));
    assert_eq!(resolve("+3"), number(json!(3)));
    assert_eq!(resolve("007"), number(json!(7)));
    assert_eq!(resolve("0x1F"), number(json!(31)));
    assert_eq!(resolve("0o17"), number(json!(15)));
    assert_eq!(resolve("18446744073709551615"), number(json!(u64::MAX)));
    assert_eq!(resolve("-9223372036854775808"), number(json!(i64::MIN)));
    assert_eq!(resolve("1.5"), number(json!(1.5)));
    assert_eq!(resolve(".5"), number(json!(0.5)));
    assert_eq!(resolve("1."), number(json!(1.0)));
    assert_eq!(resolve("1e3"), Scalar::Number(Number::from_f64(1000.0).unwrap()));
    assert_eq!(resolve("-1.5E-3"), number(json!(-0.0015)));
}

#[test]
fn what_json_cannot_hold_is_not_rounded() {
    for text in [".inf", "-.INF", ".nan", "18446744073709551616", "1e999", "0x1ffffffffffffffff"] {
        assert_eq!(resolve(text), Scalar::Unrepresentable, "{text}");
    }
}

#[test]
fn nearly_numbers_are_text() {
    for text in
        ["1.2.3", "-", "+", ".", "-.", "1e", "e1", "0x", "0o8", "0xg", "1-2", "--1", "127.0.0.1"]
    {
        assert_eq!(resolve(text), Scalar::Text, "{text}");
    }
}
