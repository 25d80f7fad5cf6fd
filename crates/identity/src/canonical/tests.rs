//! The canonical form against the examples of RFC 8785 and against another implementation.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Numbers, Uncanonical, write};

fn canonical(value: &Value) -> Result<String, Uncanonical> {
    let mut bytes = Vec::new();
    write(value, Numbers::Double, &mut bytes)?;
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn the_example_of_section_3_2_2() {
    let value: Value = serde_json::from_str(
        r#"{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
             "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
             "literals": [null, true, false] }"#,
    )
    .unwrap();
    assert_eq!(
        canonical(&value).unwrap(),
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
         \"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
    );
}

#[test]
fn members_are_sorted_by_utf_16_as_in_section_3_2_3() {
    let names = ["\u{20ac}", "\r", "\u{fb33}", "1", "\u{1f600}", "\u{80}", "\u{f6}"];
    let members: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    let expected = ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"]
        .map(|name| format!("\"{name}\":null"))
        .join(",");
    assert_eq!(canonical(&Value::Object(members)).unwrap(), format!("{{{expected}}}"));
}

#[test]
fn equal_numbers_have_one_form_and_unequal_ones_never() {
    let text = |text: &str| canonical(&serde_json::from_str(text).unwrap());
    for same in ["100", "1e2", "100.0", "1.00E+2"] {
        assert_eq!(text(same).unwrap(), "100");
    }
    assert_eq!(text("-0").unwrap(), "0");
    assert_eq!(text("9007199254740991").unwrap(), "9007199254740991");
    assert_eq!(text("-9007199254740991").unwrap(), "-9007199254740991");
    assert_eq!(text("1e16").unwrap(), "10000000000000000");
    assert_eq!(text("1e21").unwrap(), "1e+21");
    for unsafe_integer in
        ["9007199254740992", "9007199254740993", "-9007199254740992", "18446744073709551615"]
    {
        assert_eq!(text(unsafe_integer), Err(Uncanonical), "{unsafe_integer}");
        assert_eq!(text(&format!("{{\"a\":[{unsafe_integer}]}}")), Err(Uncanonical));
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    assert!(canonical(&nested(128)).is_ok());
    assert_eq!(canonical(&nested(129)), Err(Uncanonical));
    let wide = json!(vec![nested(127); 3]);
    assert!(canonical(&wide).is_ok());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1000_i64..1000).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\x00-\\x20\"\\\\/\\x7f]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z0-9_]{0,4}", inner.clone(), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().rev().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn it_is_the_form_of_another_implementation(value in any_json()) {
        if let Ok(own) = canonical(&value) {
            prop_assert_eq!(own, serde_json_canonicalizer::to_string(&value).unwrap());
        }
    }

    #[test]
    fn whatever_has_a_form_keeps_its_meaning(value in any_json()) {
        if let Ok(own) = canonical(&value) {
            let again: Value = serde_json::from_str(&own).unwrap();
            prop_assert_eq!(serde_json_canonicalizer::to_string(&again).unwrap(), own);
        }
    }

    #[test]
    fn an_integer_has_a_form_exactly_when_no_reader_rounds_it(number in any::<i64>(), shift in 0_u32..64) {
        let number = number >> shift;
        let safe = number.unsigned_abs() <= 9_007_199_254_740_991;
        prop_assert_eq!(canonical(&json!(number)), if safe { Ok(number.to_string()) } else { Err(Uncanonical) });
    }
}
